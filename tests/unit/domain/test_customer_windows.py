import copy
import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain import window_oracle as oracle
from udfs.domain.customer_windows import update_customers
from udfs.domain.errors import JobError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LATENESS_MS = HOUR_MS
DAYS = (1, 7, 30)


def transaction(name, time_ms, amount=1.0, customer="c"):
    return {
        "kind": "transaction",
        "partition": 0,
        "offset": 0,
        "ingestion_time_ms": 0,
        "transaction_id": name,
        "event_time_ms": time_ms,
        "customer_id": customer,
        "terminal_id": None,
        "amount": amount,
        "fields": {},
        "features": {},
        "late": False,
        "warming_up": False,
    }


def run(events, cuts=(), state=None, lateness_ms=LATENESS_MS):
    """Take the events in batches that end at the cuts; returns (events, duplicates, state)."""
    state = {} if state is None else state
    taken, duplicates = [], []
    bounds = [0, *sorted(cuts), len(events)]
    for start, end in itertools.pairwise(bounds):
        update = update_customers(events[start:end], state, lateness_ms=lateness_ms)
        taken += update.events
        duplicates += update.duplicates
    return taken, duplicates, state


def count(event, days=30):
    return event["features"][f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"]


def mean(event, days=30):
    return event["features"][f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"]


def late_by_definition(events, lateness_ms):
    """The definition of late, one event at a time."""
    results, greatest_of = [], {}
    for event in events:
        newest = greatest_of.get(event["partition"], event["event_time_ms"])
        results.append(event["event_time_ms"] < newest - lateness_ms)
        greatest_of[event["partition"]] = max(newest, event["event_time_ms"])
    return results


def row(event):
    """The event as the oracle has it."""
    names = ("kind", "transaction_id", "customer_id", "event_time_ms", "amount")
    return tuple(event[name] for name in names)


# Few distinct times, at the edges of windows and of the retention, so that ties and boundaries are common.
TIMES = st.builds(
    lambda day, hour, off: max(0, day * DAY_MS + hour * HOUR_MS + off),
    st.sampled_from([0, 1, 2, 6, 7, 8, 29, 30, 31, 32, 38, 39, 62, 70]),
    st.sampled_from([0, 1, 12]),
    st.sampled_from([-1, 0, 0, 1]),
)
AMOUNTS = st.sampled_from([0.0, 0.01, 10.1, 57.16, 1e15, -1e15, -3.3]) | st.floats(-1e15, 1e15)
EVENTS = st.lists(
    st.builds(transaction, st.sampled_from("abcdefghijklmnop"), TIMES, AMOUNTS, st.sampled_from(["c", "d"])),
    max_size=25,
)


@settings(max_examples=300)
@given(EVENTS, st.sets(st.integers(0, 25)), st.sampled_from([0, HOUR_MS, 10 * DAY_MS]))
def test_any_events_in_any_order_and_batches_give_what_the_definition_says(events, cuts, lateness_ms):
    untouched = copy.deepcopy(events)
    taken, duplicates, _ = run(events, [cut for cut in cuts if cut <= len(events)], lateness_ms=lateness_ms)
    expected, repeated = oracle.customers(list(map(row, events)), 32 * DAY_MS + lateness_ms)
    assert events == untouched
    assert duplicates == [events[place] for place in repeated]
    assert [event["transaction_id"] for event in taken] == [name for name, _ in expected]
    accepted = [event for place, event in enumerate(events) if place not in repeated]
    assert [event["late"] for event in taken] == late_by_definition(accepted, lateness_ms)
    for event, (_, features) in zip(taken, expected, strict=True):
        for n, (number, average) in features.items():
            assert count(event, n) == number
            assert mean(event, n) == pytest.approx(float(average), rel=1e-12, abs=1e-9)


@given(EVENTS, st.sets(st.integers(0, 25)))
def test_batching_changes_no_bit_of_the_result_nor_of_the_state(events, cuts):
    assert run(events, [cut for cut in cuts if cut <= len(events)]) == run(events)


@given(st.lists(st.tuples(TIMES, AMOUNTS), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_last_event_counts_the_same_whatever_order_the_others_came_in(rows, random):
    rows = [(time % (20 * DAY_MS), amount) for time, amount in rows]
    events = [transaction(f"t{number}", time, amount) for number, (time, amount) in enumerate(rows)]
    shuffled = events[:]
    random.shuffle(shuffled)
    last = transaction("last", 20 * DAY_MS, 5.0)
    assert run([*events, last])[0][-1]["features"] == run([*shuffled, last])[0][-1]["features"]


def test_a_window_is_open_at_its_start_and_closed_at_its_end():
    t = 40 * DAY_MS
    events = [
        transaction("at start", t - DAY_MS, 5.0),
        transaction("in", t - DAY_MS + 1, 7.0),
        transaction("t", t, 1.0),
    ]
    last = run(events)[0][-1]
    assert (count(last, 1), mean(last, 1)) == (2, 4.0)
    assert count(last, 7) == 3


def test_transactions_of_one_millisecond_count_for_those_taken_after_them():
    taken, _, _ = run([transaction(name, 5, 2.0) for name in "abc"])
    assert [count(event) for event in taken] == [1, 2, 3]


def test_a_transaction_out_of_order_counts_where_it_belongs_for_those_after_it():
    t = 40 * DAY_MS
    events = [transaction("b", t), transaction("a", t - HOUR_MS), transaction("c", t + 1)]
    assert [count(event, 1) for event in run(events)[0]] == [1, 1, 3]


def test_late_is_told_by_the_greatest_time_the_shard_saw_of_the_partition_before():
    t = 40 * DAY_MS
    events = [
        transaction("a", t, customer="c"),
        transaction("b", t - LATENESS_MS, customer="d"),
        transaction("c", t - LATENESS_MS - 1, customer="d"),
        transaction("d", t + DAY_MS, customer="e"),
    ]
    for cuts in ((), (1, 2, 3)):
        assert [event["late"] for event in run(events, cuts)[0]] == [False, False, True, False]


def test_a_partition_that_lags_behind_another_is_not_late():
    t = 40 * DAY_MS
    ahead, behind = transaction("a", t), transaction("b", t - 9 * DAY_MS) | {"partition": 1}
    out_of_order = transaction("c", t - 10 * DAY_MS) | {"partition": 1}
    assert [event["late"] for event in run([ahead, behind, out_of_order])[0]] == [False, False, True]


def test_a_repeated_transaction_is_set_aside_as_it_came_and_counts_nowhere():
    first, again = transaction("a", DAY_MS, 1.0), transaction("a", 2 * DAY_MS, 100.0)
    other = transaction("b", DAY_MS + 1, 3.0)
    for cuts in ((), (1,), (1, 2)):
        taken, duplicates, _ = run([first, again, other], cuts)
        assert duplicates == [again]
        assert (count(taken[-1]), mean(taken[-1])) == (2, 2.0)
        assert not taken[-1]["late"], "the repeat's later time must not make others late"


def test_the_same_id_of_another_customer_or_beyond_the_retention_is_not_known():
    events = [
        transaction("a", 0),
        transaction("a", 0, customer="d"),
        transaction("x", 32 * DAY_MS + LATENESS_MS),
        transaction("a", 1),
        transaction("x2", 32 * DAY_MS + LATENESS_MS + 1),
        transaction("a", 32 * DAY_MS),
    ]
    assert [event["event_time_ms"] for event in run(events)[1]] == [1]


def test_an_event_older_than_the_history_is_scored_alone_and_not_kept():
    taken, _, state = run([transaction("new", 100 * DAY_MS, 3.0), transaction("old", 0, 7.0)])
    assert (count(taken[1]), mean(taken[1]), taken[1]["late"]) == (1, 7.0, True)
    assert state == run([transaction("new", 100 * DAY_MS, 3.0)])[2]


def test_means_do_not_drift_after_huge_amounts_have_come_and_gone():
    events = [transaction(f"h{n}", n, 1e15 / 3) for n in range(100)]
    events += [transaction(f"s{n}", 40 * DAY_MS + n, 0.1) for n in range(1_000)]
    last = run(events)[0][-1]
    assert (count(last), mean(last)) == (1_000, 0.1)


def test_state_of_a_customer_is_bounded_by_the_retention():
    step = 6 * HOUR_MS
    sizes = []
    state = {}
    for number in range(1_000):
        run([transaction(f"t{number}", number * step)], state=state)
        sizes.append(sum(map(len, state.values())))
    assert len(state) == 2, "one entry for the customer, one for the shard"
    assert max(sizes[500:]) == min(sizes[500:]) < 130 * 50


def test_features_of_earlier_stages_and_fields_are_carried_on():
    event = transaction("a", 5) | {"features": {"EARLIER": 1.0}, "fields": {"V1": 2.0}}
    taken = run([event])[0][0]
    assert taken["features"]["EARLIER"] == 1.0
    assert taken["fields"] == {"V1": 2.0}
    assert taken["features"]["TX_AMOUNT"] == 1.0


def test_no_events_change_nothing():
    state = {}
    update = update_customers([], state, lateness_ms=0)
    assert (update.events, update.duplicates, state) == ([], [], {})


def test_a_state_of_another_schema_is_refused_by_name():
    _, _, state = run([transaction("a", 5)])
    for key in state:
        newer = state | {key: b"\xff" + state[key][1:]}
        with pytest.raises(JobError, match="schema 255"):
            run([transaction("b", 6)], state=newer)


def test_a_generated_month_agrees_with_rolling_windows_of_pandas():
    import random

    random_ = random.Random(7)
    rows = sorted(
        (random_.randrange(60 * 86_400), f"t{n:05}", f"c{random_.randrange(20)}", random_.randrange(1, 30_000) / 100)
        for n in range(3_000)
    )
    frame = pd.DataFrame(rows, columns=["second", "id", "customer", "amount"])
    frame["at"] = pd.to_datetime(frame["second"], unit="s")
    events = [transaction(name, second * 1000, amount, who) for second, name, who, amount in rows]
    taken = {event["transaction_id"]: event for event in run(events, range(0, 3_000, 37))[0]}
    for _, group in frame.groupby("customer"):
        rolled = group.set_index("at")["amount"]
        for n in DAYS:
            window = rolled.rolling(f"{n}D")
            for name, number, average in zip(group["id"], window.count(), window.mean(), strict=True):
                assert count(taken[name], n) == number
                assert abs(mean(taken[name], n) - average) < 1e-9
    weekend = frame["at"].dt.weekday >= 5
    night = frame["at"].dt.hour <= 6
    for name, w, dark in zip(frame["id"], weekend, night, strict=True):
        features = taken[name]["features"]
        assert (features["TX_DURING_WEEKEND"], features["TX_DURING_NIGHT"]) == (w, dark)
