"""Every kind of bad input among good transactions: each is set aside with its reason, and the sum holds."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobs.transaction_sum import TransactionSum
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring

GOOD = 400
REPEATED = 25
DAY_MS = 86_400_000
TEN_MB = 10_000_000


def bad_inputs() -> dict[str, tuple[bytes | None, str]]:
    """Return each kind of bad value with the reason it must be set aside for."""
    now_ms = time.time_ns() // 1_000_000
    good = {"transaction_id": "bad", "event_time_ms": now_ms, "customer_id": "4929123412341234", "amount": 12.5}

    def but(**changes: Any) -> bytes:
        return json.dumps({**good, **changes}, ensure_ascii=False).encode()

    def without(name: str) -> bytes:
        return json.dumps({key: value for key, value in good.items() if key != name}).encode()

    return {
        "no value (tombstone)": (None, "empty"),
        "no bytes": (b"", "empty"),
        "blanks": (b"  \n", "empty"),
        "plain text": (b"not json", "not_json"),
        "half an object": (but()[:-5], "not_json"),
        "deep nesting": (b"[" * 100_000, "not_json"),
        "an array": (b"[1, 2]", "not_an_object"),
        "a number": (b"17", "not_an_object"),
        "no transaction_id": (without("transaction_id"), "missing_field"),
        "no customer_id": (without("customer_id"), "missing_field"),
        "no amount": (without("amount"), "missing_field"),
        "no event_time_ms": (without("event_time_ms"), "missing_field"),
        "null amount": (but(amount=None), "missing_field"),
        "null transaction_id": (but(transaction_id=None), "missing_field"),
        "amount as text": (but(amount="12.5"), "wrong_type"),
        "amount as boolean": (but(amount=True), "wrong_type"),
        "customer as object": (but(customer_id={"id": 1}), "wrong_type"),
        "time as text": (but(event_time_ms="yesterday"), "wrong_type"),
        "time as fraction": (but(event_time_ms=now_ms + 0.5), "wrong_type"),
        "NaN": (but(amount=float("nan")), "not_finite"),
        "Infinity": (but(amount=float("inf")), "not_finite"),
        "-Infinity": (but(amount=float("-inf")), "not_finite"),
        "1e999": (but(amount=-999).replace(b"-999", b"1e999"), "not_finite"),
        "an amount without sense": (but(amount=1e300), "out_of_range"),
        "10 MB in a field nobody reads": (but(note="x" * TEN_MB), "too_large"),
        "10 MB of customer": (but(customer_id="7" * TEN_MB), "too_large"),
        "10 MB of four-byte characters": (but(note="\N{PILE OF POO}" * (TEN_MB // 4)), "too_large"),
        "negative time": (but(event_time_ms=-1), "negative_time"),
        "a time in two days": (but(event_time_ms=now_ms + 2 * DAY_MS), "future_time"),
        "the year 2099": (but(event_time_ms=4_070_908_800_000), "future_time"),
        "time beyond 64 bits": (but(event_time_ms=2**70), "wrong_type"),
        "bytes that are no UTF-8": (but(note="\xe9").replace("\xe9".encode(), b"\xe9\xff"), "bad_utf8"),
        "only bytes that are no UTF-8": (b"\xff\xfe\x00\x80", "bad_utf8"),
        "an unknown control": (b'{"control": "explode", "event_time_ms": 1}', "unknown_control"),
    }


BAD = bad_inputs()


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    positions: dict[str, Any] = field(default_factory=dict)
    repeated: list[Any] = field(default_factory=list)
    without_champion: TransactionSum | None = None
    all: TransactionSum | None = None
    digest: str = ""
    before: list[dict[str, Any]] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)
    dead: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)


def keyed(dataset: Any) -> list[tuple[bytes, bytes]]:
    return [(each["customer_id"].encode(), json.dumps(each).encode()) for each in dataset.transactions()]


@pytest.fixture(scope="module")
def story(scoring):
    """No champion: good, bad and repeated transactions mixed. Then one is deployed by a row, and more come."""
    story = Story(scoring)
    scoring.submit()
    first, second = (without_truths(stream(GOOD, seed=seed, first_id=name)) for seed, name in ((1, "a"), (2, "b")))
    good = keyed(first)
    mixed: list[tuple[str, bytes | None, bytes | None]] = [("", key, value) for key, value in good]
    # In between, and with a good transaction's key: each stands among good ones in its partition.
    for index, (name, (value, _)) in enumerate(BAD.items()):
        mixed.insert(10 + 11 * index, (name, good[index][0], value))
    # The last ones: a customer's transactions are known for 32 days of event time.
    mixed += [("again", key, value) for key, value in good[-REPEATED:]]
    stand = scoring.send((key, value) for _, key, value in mixed)
    story.positions = {name: at for (name, _, _), at in zip(mixed, stand, strict=True) if name in BAD}
    story.repeated = stand[-REPEATED:]
    story.without_champion = scoring.wait_for_sum(len(mixed))
    story.before = scoring.messages("inferences")
    story.digest = scoring.deploy(trained(1), "1")
    scoring.wait_for_event("activated", "1")
    # The event is committed, so a checkpoint lies behind it: every scorer has the version.
    already = len(scoring.records("transactions"))
    scoring.produce(second, close=True)
    story.all = scoring.wait_for_sum(already + GOOD)
    story.after = [each for each in scoring.messages("inferences") if each["transaction_id"].startswith("b")]
    story.dead = {
        (each["partition"], each["offset"]): each
        for each in scoring.messages("dead_letters")
        if each["topic"] == "transactions"
    }
    return story


def test_before_the_first_champion_every_score_is_null_and_says_so(story):
    assert len(story.before) == GOOD
    assert {(each["score"], each["reason"], each["version"], each["digest"]) for each in story.before} == {
        (None, "no_champion", None, None)
    }
    assert story.without_champion.null_scores == GOOD


@pytest.mark.parametrize("name", BAD)
def test_bad_input_becomes_a_dead_letter_with_reason_and_position(story, name):
    value, reason = BAD[name]
    at = story.positions[name]
    letter = story.dead[at.partition, at.offset]
    assert letter["reason"] == reason, letter["detail"]
    assert letter["detail"]
    assert len(letter["payload"].encode()) <= 1_024
    assert "4929123412341234" not in letter["payload"] + letter["detail"]
    if reason != "bad_utf8":  # what was no text has no bytes that could be told
        assert letter["payload_length"] == len(value or b"")
        assert letter["payload_sha256"] == hashlib.sha256(value or b"").hexdigest()


def test_the_sum_holds_with_and_without_a_champion(story):
    for total in (story.without_champion, story.all):
        assert total.holds, str(total)
        assert total.dead_letters == len(BAD) + REPEATED
        assert total.doubled == total.unknown == 0
    assert story.all.controls == 4
    assert story.all.transactions == story.all.inferences + story.all.dead_letters + story.all.controls


def test_a_repeated_transaction_is_scored_once_and_counted_as_duplicate(story):
    assert story.all.duplicates == REPEATED
    assert {story.dead[at.partition, at.offset]["reason"] for at in story.repeated} == {"duplicate"}
    ids = [each["transaction_id"] for each in (*story.before, *story.after)]
    assert len(ids) == len(set(ids)) == 2 * GOOD


def test_after_promotion_by_a_row_every_score_comes_from_the_version_and_names_its_bytes(story):
    assert len(story.after) == GOOD
    assert {(each["version"], each["role"], each["digest"]) for each in story.after} == {
        ("1", "champion", story.digest)
    }
    assert all(each["score"] is not None and each["reason"] is None for each in story.after)


def test_the_job_runs_on_and_was_never_restarted(story):
    assert story.job.flink.state(story.job.job_id) == "RUNNING"
    assert story.job.restarts() == 0
    assert story.job.trouble() == []
