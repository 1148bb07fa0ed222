"""The comparison of two runs must see each way in which they can differ; else a green table says nothing."""

from __future__ import annotations

import orjson
import pytest

from connectors.kafka.record import Record
from tests.faults import answers as module
from tests.faults.answers import Answers, Difference, count_differing
from tests.faults.disturbed import Spell, _rows
from tests.faults.load import HOT, Load, kind_of
from tests.faults.row import table_of


class Topics:
    """Stands where a job's topics are."""

    bootstrap = "nowhere:1"

    def __init__(self, **topics: list[dict[str, object]]) -> None:
        self.topics = topics


def read(monkeypatch: pytest.MonkeyPatch, topics: Topics) -> Answers:
    def read_topic(bootstrap: str, topic: str) -> list[Record]:
        return [Record(0, at, 0, None, orjson.dumps(each)) for at, each in enumerate(topics.topics.get(topic, []))]

    monkeypatch.setattr(module, "read_topic", read_topic)
    return Answers.read(topics)  # type: ignore[arg-type]


def inference(name: str, **changed: object) -> dict[str, object]:
    made = {"transaction_id": name, "role": "champion", "score": 0.5, "version": "1", "ingestion_time_ms": int(name)}
    return {**made, "features": {"amount": 1.0}, "prediction_time_ms": 7, **changed}


def run(*inferences: dict[str, object], **topics: list[dict[str, object]]) -> Topics:
    customers = [{"transaction_id": each["transaction_id"], "customer_id": HOT} for each in inferences]
    features = [{"transaction_id": each["transaction_id"], "values": each["features"]} for each in inferences]
    return Topics(inferences=list(inferences), **{"transactions": customers, "features": features, **topics})


def test_two_runs_that_said_the_same_at_other_times_do_not_differ(monkeypatch):
    one = read(monkeypatch, run(inference("1"), inference("2")))
    again = read(monkeypatch, run(inference("2", prediction_time_ms=9), inference("1", watermark_ms=3)))
    assert one.differ(again, {"1", "2"}) == Difference(compared=2)


@pytest.mark.parametrize(
    ("inferences", "found"),
    [
        ((inference("1"),), {"missing": 1, "differing": 1}),
        ((inference("1"), inference("2"), inference("2")), {"doubled": 1}),
        ((inference("1"), inference("2", score=0.25)), {"differing": 1}),
        ((inference("1"), inference("2", version="2")), {"differing": 1}),
        ((inference("1"), inference("2", features={"amount": 2.0})), {"differing": 1}),
        ((inference("1"), inference("2", role="probe")), {"missing": 1, "differing": 1}),
    ],
)
def test_each_difference_is_seen(monkeypatch, inferences, found):
    undisturbed = read(monkeypatch, run(inference("1"), inference("2")))
    assert read(monkeypatch, run(*inferences)).differ(undisturbed, {"1", "2"}) == Difference(compared=2, **found)


def test_final_windows_and_alerts_are_compared_and_a_repeated_alert_is_counted(monkeypatch):
    window = {"role": "champion", "version": "1", "series": "event_time", "window_start_ms": 0, "window_end_ms": 9}
    alert = {"alert_id": "a", "score": 0.9, "version": "1"}
    quality = [{**window, "final": False, "roc_auc": 0.1}, {**window, "final": True, "roc_auc": 0.7, "revision": 5}]
    one = read(monkeypatch, run(inference("1"), model_quality=quality, alerts=[alert, alert]))
    other = read(monkeypatch, run(inference("1"), model_quality=[{**quality[1], "revision": 1}], alerts=[alert]))
    assert count_differing(one.quality, other.quality) == count_differing(one.alerts, other.alerts) == 0
    assert (one.alert_records, len(one.alerts)) == (2, 1)
    worse = read(monkeypatch, run(inference("1"), model_quality=[{**quality[1], "roc_auc": 0.6}]))
    assert count_differing(worse.quality, one.quality) == count_differing(worse.alerts, one.alerts) == 1


def test_a_difference_is_told_at_the_fault_in_whose_time_it_came(monkeypatch):
    undisturbed = read(monkeypatch, run(inference("1"), inference("20")))
    disturbed = read(monkeypatch, run(inference("1"), inference("20", score=0.1)))
    spells = [Spell("first", 0, 10, 1.0), Spell("second", 11, 30, 2.0), Spell("third", 31, 40, None, "no mount", True)]
    rows = {row.fault: row for row in _rows(spells, disturbed, undisturbed)}
    assert (rows["first"].passed, rows["second"].passed, rows["third"].passed) == (True, False, None)
    assert rows["inferences and features"].passed is False
    table = table_of(rows.values())
    assert "| first | 1 | 1 s | 1 | 0 missing, 0 doubled, 0 differ |" in table
    assert "**FAILED**" in table
    assert "not made here: no mount" in table


def test_the_load_has_a_hot_customer_and_clocks_that_are_an_hour_off():
    load = Load.of(2_000, 3)
    seen: dict[str, int] = {}
    skews = set()
    true = iter(load.dataset.transactions())
    for topic, message in load.interleaved():
        if topic == "transactions":
            kind = kind_of(message["customer_id"])
            seen[kind] = seen.get(kind, 0) + 1
            skews.add((kind, message["event_time_ms"] - next(true)["event_time_ms"]))
    assert seen["hot"] == 400
    assert seen["skewed"] > 200
    assert skews == {("hot", 0), ("plain", 0), ("skewed", 3_600_000), ("skewed", -3_600_000)}
