"""The window stages as operators: what they pass on, and that idle entities leave no state and no timer behind."""

from __future__ import annotations

from dataclasses import replace

import orjson
from pyflink.common import Row

from tests.unit.operators.fakes import FakeFlink
from tests.unit.operators.test_truth_join_stage import stage as truth_join
from udfs.domain.idle_entities import SWEEP_MS
from udfs.domain.payload import decode
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.terminal_stage import TerminalStage

DAY_MS = 86_400_000
START_MS = 1_522_540_800_000
SETTINGS = truth_join()._settings


def transactions(first: int, count: int, customer: str = "c", step_ms: int = 1_000) -> Row:
    rows = [
        {
            "transaction_id": f"{customer}{n}",
            "event_time_ms": START_MS + n * step_ms,
            "customer_id": customer,
            "terminal_id": "k",
            "amount": 2.5,
        }
        for n in range(first, first + count)
    ]
    return batch("transactions", rows)


def batch(topic: str, rows: list[dict]) -> Row:
    values = [orjson.dumps(row).decode() for row in rows]
    numbers = list(range(len(rows)))
    return Row(topic, values, [0] * len(rows), numbers, [1_700_000_000_000] * len(rows))


def test_a_large_customer_and_a_large_terminal_pass_and_are_removed_when_idle():
    customers, terminals = FakeFlink(CustomerStage(SETTINGS)), FakeFlink(TerminalStage(SETTINGS))
    for first in range(0, 700, 100):
        customers.send("s", transactions(first, 100))
    customers.send("s", transactions(0, 1, customer="other"))
    for row in customers.out:
        terminals.send("s", row[1])
    last = decode(terminals.out[-2][1])[-1]
    assert last["features"]["CUSTOMER_ID_NB_TX_1DAY_WINDOW"] == 700
    assert last["features"]["CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW"] == 2.5
    assert last["features"]["TERMINAL_ID_NB_TX_1DAY_WINDOW"] == 0
    for flink, kind in ((customers, "customer"), (terminals, "terminal")):
        assert flink.state[f"{kind}-parts"].by_key["s"]
        assert len(flink.event_timers) == 1, "one timer a week and shard"
        flink.advance_watermark(START_MS + 31 * DAY_MS)
        assert set(flink.state[f"{kind}s"].by_key["s"]) >= ({"c", "other"} if kind == "customer" else {"k"})
        flink.advance_watermark(START_MS + 55 * DAY_MS)
        assert not flink.state[f"{kind}-parts"].by_key["s"]
        assert set(flink.state[f"{kind}s"].by_key["s"]) <= {""}
        assert not flink.event_timers


def test_the_end_of_a_bounded_input_sets_no_timer_for_ever():
    flink = FakeFlink(CustomerStage(SETTINGS))
    flink.send("s", transactions(0, 3))
    flink.advance_watermark((1 << 63) - 1)
    assert not flink.event_timers
    assert set(flink.state["customers"].by_key["s"]) == {"", "c"}, "a week later is not known to have come"


def test_only_truths_that_can_change_a_count_go_on_to_the_terminals():
    flink = FakeFlink(CustomerStage(SETTINGS))
    told = {"event_time_ms": START_MS, "truth_time_ms": START_MS, "customer_id": "c", "terminal_id": "k"}
    labels = [("genuine", 0, 0), ("fraud", 1, 0), ("corrected", 0, 1)]
    flink.send("s", batch("truths", [told | {"transaction_id": n, "label": x, "revision": r} for n, x, r in labels]))
    passed = [event["transaction_id"] for row in flink.out for event in decode(row[1])]
    assert passed == ["fraud", "corrected"]
    joined = sorted(event["transaction_id"] for row in flink.aside["truths"] for event in decode(row[1]))
    assert joined == ["corrected", "fraud", "genuine"]


def test_sweeps_are_a_week_apart():
    flink = FakeFlink(CustomerStage(SETTINGS))
    flink.send("s", transactions(0, 5, step_ms=10 * DAY_MS))
    assert {time_ms % SWEEP_MS for time_ms, _ in flink.event_timers} == {0}


def test_in_event_order_what_is_late_in_its_partition_does_not_overtake_what_still_waits():
    """SQL lets a repeated or late record go at once, while the window with its predecessors waits for other partitions."""
    flink = FakeFlink(CustomerStage(replace(SETTINGS, order="event_time")))
    flink.advance_watermark(START_MS - 1)
    repeated = batch("transactions", [orjson.loads(transactions(1, 1)[1][0])])
    repeated = Row("transactions", repeated[1], [0], [99], [1_700_000_000_000])
    flink.send("s", repeated)
    assert not flink.out
    flink.send("s", transactions(0, 3))
    flink.advance_watermark(START_MS + DAY_MS)
    passed = [event for row in flink.out for event in decode(row[1])]
    assert [(event["transaction_id"], event["offset"]) for event in passed] == [("c0", 0), ("c1", 1), ("c2", 2)]
    assert [event["features"]["CUSTOMER_ID_NB_TX_1DAY_WINDOW"] for event in passed] == [1, 2, 3]
    (letter,) = (orjson.loads(row[1]) for row in flink.aside["dead-letters"])
    assert (letter["reason"], letter["offset"]) == ("duplicate", 99)
    assert not flink.state["held-back-for-watermark"].by_key["s"]


def test_in_event_order_what_is_behind_the_watermark_is_taken_at_once():
    flink = FakeFlink(CustomerStage(replace(SETTINGS, order="event_time")))
    flink.advance_watermark(START_MS + DAY_MS)
    flink.send("s", transactions(0, 2))
    assert [event["transaction_id"] for row in flink.out for event in decode(row[1])] == ["c0", "c1"]
