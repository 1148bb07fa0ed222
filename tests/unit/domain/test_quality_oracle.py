"""From predictions and truths to quality rows, against one pass of brute force that shares no code with the job."""

from __future__ import annotations

import copy
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.domain.quality_change import encode_changes
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import finish_windows, refresh_windows
from udfs.domain.truth_join import expire_truths, join_truths

WINDOW, RETENTION, ROLLING = 1000, 50_000, 3000
RULES = QualityRules(WINDOW, RETENTION, ROLLING, 0.25)
END = 10**9
LIFE = (0, 4102444800000)
COUNTS = ("scored", "excluded", "intervened", "positives", "negatives", "labelled", "presumed")


def _time_of(transaction: int) -> int:
    return 10_000 + transaction * 377 % 5000


def _prediction(transaction: int, version: str, role: str, excluded: bool) -> dict:
    score = random.Random(f"{transaction}{version}{role}").choice([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    return {
        "kind": "prediction", "transaction_id": f"t{transaction}", "event_time_ms": _time_of(transaction),
        "model": "cards", "version": version, "role": role, "score": score, "excluded": excluded,
    }  # fmt: skip


def _truth(transaction: int, revision: int, label: int, intervened: bool) -> dict:
    time_ms = _time_of(transaction)
    return {
        "kind": "truth", "transaction_id": f"t{transaction}", "event_time_ms": time_ms, "label": label,
        "revision": revision, "intervened": intervened, "truth_time_ms": time_ms + 100 * label + 700 * revision,
        "customer_id": "c", "terminal_id": None, "partition": 0, "offset": 0, "ingestion_time_ms": 0,
    }  # fmt: skip


TRANSACTIONS = st.integers(0, 14)
ITEMS = st.lists(
    st.one_of(
        st.builds(
            _prediction, TRANSACTIONS, st.sampled_from("12"), st.sampled_from(["champion", "shadow"]), st.booleans()
        ),
        st.builds(_truth, TRANSACTIONS, st.integers(0, 3), st.integers(0, 1), st.booleans()),
    ),
    max_size=120,
)


def _consistent(items: list[dict]) -> list[dict]:
    """Leave out predictions that contradict an earlier one, so that the result must not depend on the order."""
    seen: dict[tuple, tuple] = {}
    kept = []
    for item in items:
        if item["kind"] == "truth":
            kept.append(item)
            continue
        name, said = (item["transaction_id"], item["version"], item["role"]), (item["excluded"],)
        if seen.setdefault(name, said) == said:
            kept.append(item)
    return kept


def _windows(start: int) -> list[tuple[int, int]]:
    ends = [end for end in range(0, 40_000, WINDOW) if end - ROLLING <= start < end]
    return [(start, start + WINDOW), LIFE, *((end - ROLLING, end) for end in ends)]


def _brute_force(items: list[dict], matures: bool) -> dict[tuple, dict]:
    """Every window's counts and figures from the list as a whole: first prediction, newest truth, all pairs."""
    rows: dict[tuple, dict] = {}
    done = set()
    for item in items:
        if item["kind"] == "truth":
            continue
        who = (item["version"], item["role"])
        if (item["transaction_id"], who) in done:
            continue
        done.add((item["transaction_id"], who))
        truths = [t for t in items if t["kind"] == "truth" and t["transaction_id"] == item["transaction_id"]]
        newest = max((t["revision"] for t in truths), default=None)
        # Intervened weighs more than fraud, fraud more than genuine, among truths of one revision.
        told = [t for t in truths if t["revision"] == newest]
        truth = max(told, key=lambda t: (t["intervened"], t["label"]), default=None)
        for window in _windows(item["event_time_ms"] // WINDOW * WINDOW):
            row = rows.setdefault((*who, "event_time", *window), _empty())
            if item["excluded"]:
                row["excluded"] += 1
                continue
            row["scored"] += 1
            if truth is not None:
                _add(row, truth, item["score"])
            elif matures:
                row["presumed"] += 1
                row["n"].append(item["score"])
        if item["excluded"]:
            continue
        # What is told of an intervened transaction is that it was intervened, whatever the label says beside it.
        tellings = {
            (t["revision"], t["truth_time_ms"], t["intervened"], t["label"] and not t["intervened"]) for t in truths
        }
        for _, time_ms, intervened, label in tellings:
            for window in _windows(time_ms // WINDOW * WINDOW):
                row = rows.setdefault((*who, "truth_time", *window), _empty())
                row["scored"] += 1
                _add(row, {"intervened": intervened, "label": label}, item["score"])
    return {key: _finish(row) for key, row in rows.items()}


def _empty() -> dict:
    return {"p": [], "n": [], "scored": 0, "excluded": 0, "intervened": 0, "presumed": 0}


def _add(row: dict, truth: dict, score: float) -> None:
    if truth["intervened"]:
        row["intervened"] += 1
    else:
        row["p" if truth["label"] else "n"].append(score)


def _finish(row: dict) -> dict:
    positives, negatives = row.pop("p"), row.pop("n")
    labelled = len(positives) + len(negatives) - row["presumed"]
    row |= {"positives": len(positives), "negatives": len(negatives), "labelled": labelled}
    row["roc_auc"] = row["average_precision"] = row["recall_at_fpr"] = None
    if positives and negatives:
        won = sum(Fraction((p > n) * 2 + (p == n), 2) for p in positives for n in negatives)
        row["roc_auc"] = float(won / (len(positives) * len(negatives)))
        average = recall = Fraction(0)
        for threshold in sorted(set(positives + negatives), reverse=True):
            caught, wrong = (sum(score >= threshold for score in side) for side in (positives, negatives))
            average += Fraction(positives.count(threshold), len(positives)) * Fraction(caught, caught + wrong)
            if Fraction(wrong, len(negatives)) <= Fraction(1, 4):
                recall = max(recall, Fraction(caught, len(positives)))
        row["average_precision"], row["recall_at_fpr"] = float(average), float(recall)
    return row


class _Job:
    """The two stages over plain dictionaries: shards, batches and flushes of any size; state is bytes throughout."""

    def __init__(self, shards: int, maturity: int) -> None:
        self.joins: list[dict[str, bytes]] = [{} for _ in range(shards)]
        self.stages: dict[str, dict[str, bytes]] = {}
        self.waiting: dict[str, list[str]] = {}
        self.published: list[dict] = []
        self._settings = {"window_ms": WINDOW, "retention_ms": RETENTION, "maturity_ms": maturity}

    def join(self, shard: int, batch: list[dict], watermark: int) -> None:
        self._emit(join_truths(batch, self.joins[shard], watermark_ms=watermark, **self._settings).changes)

    def flush(self, step, watermark: int) -> None:
        for key in [*self.stages, *(key for key in self.waiting if key not in self.stages)]:
            texts, state = self.waiting.pop(key, []), self.stages.setdefault(key, {})
            self.published += step(key, texts, state, RULES, watermark_ms=watermark).rows

    def end(self) -> None:
        """Let time pass until every shard is empty and every window final."""
        self.flush(refresh_windows, 0)
        for state in self.joins:
            update = None
            while update is None or update.holds:
                update = expire_truths(state, watermark_ms=END, nothing_on_its_way=True, limit=5, **self._settings)
                self._emit(update.changes)
            assert list(state) in ([], ["\x00shard"])
        self.flush(finish_windows, END)
        self.flush(refresh_windows, END)

    def _emit(self, changes) -> None:
        for key, text in encode_changes(changes).items():
            self.waiting.setdefault(key, []).append(text)


def _stream(items: list[dict], shards: int, chance: random.Random, maturity: int = 0) -> dict[tuple, dict]:
    """Run the items through the job, which now and then dies and goes on from its last checkpoint."""
    job = _Job(shards, maturity)
    queues: list[list[dict]] = [[] for _ in range(shards)]
    for item in items:
        queues[int(item["transaction_id"][1:]) % shards].append(item)
    checkpoint = copy.deepcopy((job, queues))
    deaths = 0
    while any(queues):
        at = chance.choice([shard for shard in range(shards) if queues[shard]])
        size = chance.randint(1, 12)
        batch, queues[at] = queues[at][:size], queues[at][size:]
        watermark = chance.choice([-(2**63), 12_000, 14_000, END])
        job.join(at, batch, watermark)
        if chance.random() < 0.3:
            job.flush(chance.choice([refresh_windows, finish_windows]), watermark)
        if chance.random() < 0.1:
            checkpoint = copy.deepcopy((job, queues))
        elif chance.random() < 0.1 and deaths < 3:
            deaths += 1
            job, queues = copy.deepcopy(checkpoint)
    job.end()
    return _newest(job.published)


def _newest(rows: list[dict]) -> dict[tuple, dict]:
    newest: dict[tuple, dict] = {}
    for row in rows:
        key = tuple(row[name] for name in ("version", "role", "series", "window_start_ms", "window_end_ms"))
        assert row["revision"] == newest.get(key, {"revision": 0})["revision"] + 1
        newest[key] = row
    return newest


def _same(got: dict[tuple, dict], expected: dict[tuple, dict]) -> None:
    # a window whose only news was taken back, or something set aside, has a row of zeros
    assert all(sum(got[key][name] for name in COUNTS) == 0 for key in set(got) - set(expected))
    for key, row in expected.items():
        assert {name: got[key][name] for name in (*COUNTS, "roc_auc")} == {
            name: row[name] for name in (*COUNTS, "roc_auc")
        }
        assert got[key]["average_precision"] == pytest.approx(row["average_precision"], abs=1e-12)
        assert got[key]["recall_at_fpr"] == pytest.approx(row["recall_at_fpr"], abs=1e-12)
        assert got[key]["final"] == (key[3:] != LIFE)
        assert (got[key]["reason"] is None) == (row["roc_auc"] is not None)


MATURITY = st.sampled_from([0, 1500, 20_000])


@settings(max_examples=150, deadline=None)
@given(items=ITEMS, shards=st.integers(1, 4), maturity=MATURITY, seed=st.integers(0, 2**32 - 1))
def test_any_input_in_any_batches_shards_and_restarts_gives_the_rows_of_brute_force(items, shards, maturity, seed):
    _same(_stream(items, shards, random.Random(seed), maturity), _brute_force(items, maturity > 0))


@settings(max_examples=100, deadline=None)
@given(items=ITEMS, maturity=MATURITY, seed=st.integers(0, 2**32 - 1))
def test_any_order_and_any_repetition_of_consistent_items_gives_the_same_rows(items, maturity, seed):
    chance = random.Random(seed)
    consistent = _consistent(items)
    mixed = consistent + chance.choices(consistent, k=len(consistent)) if consistent else []
    chance.shuffle(mixed)
    _same(_stream(mixed, 2, chance, maturity), _brute_force(consistent, maturity > 0))
