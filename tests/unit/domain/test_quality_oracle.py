"""From predictions and truths to quality rows, against one pass of brute force that shares no code with the job."""

from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.domain.quality_change import encode_changes
from udfs.domain.quality_stage import finish_windows, refresh_windows
from udfs.domain.truth_join import join_truths

WINDOW, RETENTION = 1000, 50_000
LIFE = (0, 4102444800000)
COUNTS = ("scored", "excluded", "intervened", "positives", "negatives", "labelled")


def _time_of(transaction: int) -> int:
    return 10_000 + transaction * 377 % 5000


def _prediction(transaction: int, version: str, role: str, excluded: bool) -> dict:
    score = random.Random(f"{transaction}{version}{role}").choice([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    return {
        "kind": "prediction", "transaction_id": f"t{transaction}", "event_time_ms": _time_of(transaction),
        "model": "cards", "version": version, "role": role, "score": score, "excluded": excluded,
    }  # fmt: skip


def _truth(transaction: int, revision: int, label: int, intervened: bool) -> dict:
    return {
        "kind": "truth", "transaction_id": f"t{transaction}", "event_time_ms": _time_of(transaction), "label": label,
        "revision": revision, "intervened": intervened, "truth_time_ms": 0, "customer_id": "c", "terminal_id": None,
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


def _brute_force(items: list[dict]) -> dict[tuple, dict]:
    """Every window's counts and ROC AUC from the list as a whole: first prediction, newest truth, all pairs."""
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
        start = item["event_time_ms"] // WINDOW * WINDOW
        for window in ((start, start + WINDOW), LIFE):
            row = rows.setdefault((*who, *window), {"p": [], "n": [], "scored": 0, "excluded": 0, "intervened": 0})
            if item["excluded"]:
                row["excluded"] += 1
                continue
            row["scored"] += 1
            if truth is None:
                continue
            if truth["intervened"]:
                row["intervened"] += 1
            else:
                row["p" if truth["label"] else "n"].append(item["score"])
    return {key: _finish(row) for key, row in rows.items()}


def _finish(row: dict) -> dict:
    positives, negatives = row.pop("p"), row.pop("n")
    row |= {"positives": len(positives), "negatives": len(negatives), "labelled": len(positives) + len(negatives)}
    row["roc_auc"] = None
    if positives and negatives:
        won = sum(Fraction((p > n) * 2 + (p == n), 2) for p in positives for n in negatives)
        row["roc_auc"] = float(won / (len(positives) * len(negatives)))
    return row


def _stream(items: list[dict], shards: int, chance: random.Random) -> dict[tuple, dict]:
    """Run the items through the two stages: shards, batches and flushes of any size; state is bytes throughout."""
    joins: list[dict[str, bytes]] = [{} for _ in range(shards)]
    stages: dict[str, dict[str, bytes]] = {}
    waiting: dict[str, list[str]] = {}
    queues: list[list[dict]] = [[] for _ in range(shards)]
    for item in items:
        queues[int(item["transaction_id"][1:]) % shards].append(item)
    published: list[dict] = []
    while any(queues):
        at = chance.choice([shard for shard in range(shards) if queues[shard]])
        size = chance.randint(1, 12)
        batch, queues[at] = queues[at][:size], queues[at][size:]
        watermark = chance.choice([-(2**63), 12_000, 10**9])
        update = join_truths(batch, joins[at], window_ms=WINDOW, retention_ms=RETENTION, watermark_ms=watermark)
        for key, text in encode_changes(update.changes).items():
            waiting.setdefault(key, []).append(text)
        if chance.random() < 0.3:
            published += _flush(waiting, stages, watermark)
    published += _flush(waiting, stages, 0)
    for key, state in stages.items():
        published += finish_windows(key, state, retention_ms=RETENTION, watermark_ms=10**9)
    return _newest(published)


def _flush(waiting: dict[str, list[str]], stages: dict[str, dict[str, bytes]], watermark: int) -> list[dict]:
    rows: list[dict] = []
    for key, texts in waiting.items():
        state = stages.setdefault(key, {})
        rows += refresh_windows(key, texts, state, window_ms=WINDOW, retention_ms=RETENTION, watermark_ms=watermark)
    waiting.clear()
    return rows


def _newest(rows: list[dict]) -> dict[tuple, dict]:
    newest: dict[tuple, dict] = {}
    for row in rows:
        key = (row["version"], row["role"], row["window_start_ms"], row["window_end_ms"])
        assert row["revision"] == newest.get(key, {"revision": 0})["revision"] + 1
        newest[key] = row
    return newest


def _same(got: dict[tuple, dict], expected: dict[tuple, dict]) -> None:
    assert set(got) == set(expected)
    for key, row in expected.items():
        assert {name: got[key][name] for name in (*COUNTS, "roc_auc")} == {
            name: row[name] for name in (*COUNTS, "roc_auc")
        }
        assert got[key]["final"] == (key[3] != LIFE[1])
        assert (got[key]["reason"] is None) == (row["roc_auc"] is not None)


@settings(max_examples=150, deadline=None)
@given(items=ITEMS, shards=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_any_input_in_any_batches_and_shards_gives_the_rows_of_brute_force(items, shards, seed):
    _same(_stream(items, shards, random.Random(seed)), _brute_force(items))


@settings(max_examples=100, deadline=None)
@given(items=ITEMS, seed=st.integers(0, 2**32 - 1))
def test_any_order_and_any_repetition_of_consistent_items_gives_the_same_rows(items, seed):
    chance = random.Random(seed)
    consistent = _consistent(items)
    mixed = consistent + chance.choices(consistent, k=len(consistent)) if consistent else []
    chance.shuffle(mixed)
    _same(_stream(mixed, 2, chance), _brute_force(consistent))
