import copy
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain import window_oracle as oracle
from udfs.domain.errors import JobError
from udfs.domain.event_order import in_event_order
from udfs.domain.terminal_windows import update_terminals

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
DAYS = (1, 7, 30)


def transaction(name, time_ms, terminal="k"):
    return {
        "kind": "transaction",
        "partition": 0,
        "offset": 0,
        "ingestion_time_ms": 0,
        "transaction_id": name,
        "event_time_ms": time_ms,
        "customer_id": "c",
        "terminal_id": terminal,
        "amount": 1.0,
        "fields": {},
        "features": {"TX_AMOUNT": 1.0},
        "late": False,
        "warming_up": False,
    }


def truth(of, truth_time_ms, label=1, revision=0, **changes):
    return {
        "kind": "truth",
        "partition": 0,
        "offset": 0,
        "ingestion_time_ms": 0,
        "transaction_id": of["transaction_id"],
        "label": label,
        "revision": revision,
        "truth_time_ms": truth_time_ms,
        "event_time_ms": of["event_time_ms"],
        "customer_id": "c",
        "terminal_id": of["terminal_id"],
        "intervened": False,
    } | changes


def run(events, cuts=(), state=None, lateness_ms=0):
    state = {} if state is None else state
    taken = []
    bounds = [0, *sorted(cuts), len(events)]
    for start, end in itertools.pairwise(bounds):
        taken += update_terminals(events[start:end], state, lateness_ms=lateness_ms)
    return taken, state


def seen(event, days=30):
    features = event["features"]
    return features[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"], features[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"]


def last(*events, days=30, cuts=()):
    return seen(run(list(events), cuts)[0][-1], days)


def row(event):
    """The event as the oracle has it."""
    name, entity, time_ms = event["transaction_id"], event["terminal_id"], event["event_time_ms"]
    if event["kind"] == "transaction":
        return "transaction", name, entity, time_ms, event["amount"]
    return "truth", name, entity, time_ms, event["truth_time_ms"], event["label"], event["revision"]


@st.composite
def histories(draw):
    """Transactions of two terminals and truths about them, in any order; boundaries and ties are common."""
    times = st.builds(
        lambda day, off: max(0, day * DAY_MS + off),
        st.sampled_from([0, 1, 2, 7, 8, 14, 15, 29, 30, 36, 37, 38, 39, 45, 46, 47, 60, 80]),
        st.sampled_from([-1, 0, 0, 0, 1]),
    )
    rows = draw(st.lists(st.tuples(times, st.sampled_from("kl")), min_size=1, max_size=15))
    transactions = [transaction(f"t{number}", time, terminal) for number, (time, terminal) in enumerate(rows)]
    told = draw(
        st.lists(
            st.builds(
                lambda of, delay, label, revision: truth(of, of["event_time_ms"] + delay, label, revision),
                st.sampled_from(transactions),
                st.sampled_from([0, DAY_MS, WEEK_MS - 1, WEEK_MS, WEEK_MS + 1, 10 * DAY_MS, 20 * DAY_MS]),
                st.integers(0, 1),
                st.integers(0, 2),
            ),
            max_size=15,
        )
    )
    return draw(st.permutations(transactions + told))


def agrees(events, cuts, lateness_ms):
    taken, _ = run(events, [cut for cut in cuts if cut <= len(events)], lateness_ms=lateness_ms)
    expected = oracle.terminals(map(row, events), 46 * DAY_MS + lateness_ms)
    assert [event["transaction_id"] for event in taken] == [name for name, _ in expected]
    for event, (_, features) in zip(taken, expected, strict=True):
        for n, (number, risk) in features.items():
            assert seen(event, n) == (number, pytest.approx(float(risk), abs=1e-12))


@settings(max_examples=300)
@given(histories(), st.sets(st.integers(0, 30)), st.sampled_from([0, 3 * DAY_MS]))
def test_any_events_in_any_order_and_batches_give_what_the_definition_says(events, cuts, lateness_ms):
    untouched = copy.deepcopy(events)
    agrees(events, cuts, lateness_ms)
    assert events == untouched


@settings(max_examples=200)
@given(histories(), st.sets(st.integers(0, 30)))
def test_events_in_event_order_give_what_the_definition_says(events, cuts):
    agrees(in_event_order(events), cuts, 0)


@given(histories(), st.sets(st.integers(0, 30)))
def test_batching_changes_no_bit_of_the_result(events, cuts):
    assert run(events, [cut for cut in cuts if cut <= len(events)])[0] == run(events)[0]


@given(histories(), st.data())
def test_what_came_before_may_have_come_in_any_order(events, data):
    events = [{**event, "event_time_ms": event["event_time_ms"] % (30 * DAY_MS)} for event in events]
    shuffled = data.draw(st.permutations(events))
    probes = [transaction(f"p{terminal}", 37 * DAY_MS, terminal) for terminal in "kl"]
    assert run([*events, *probes])[0][-2:] == run([*shuffled, *probes])[0][-2:]


@given(histories(), st.data())
def test_repeated_truths_change_nothing(events, data):
    truths = [event for event in events if event["kind"] == "truth"]
    again = [*events]
    for one in truths:
        again.insert(data.draw(st.integers(again.index(one), len(again))), one)
    assert run(again)[0] == run(events)[0]


@settings(max_examples=300)
@given(histories(), st.sets(st.integers(0, 30)), st.integers(1, 3), st.randoms(use_true_random=False))
def test_identifiers_that_come_twice_and_truths_that_name_wrong_times_never_break_a_count(events, cuts, names, random):
    events = [{**event, "transaction_id": f"t{int(event['transaction_id'][1:]) % names}"} for event in events]
    for event in events:
        event["event_time_ms"] += random.choice([0, 0, DAY_MS]) if event["kind"] == "truth" else 0
    taken, _ = run(events, [cut for cut in cuts if cut <= len(events)])
    assert all(0 <= seen(event, n)[1] <= 1 for event in taken for n in DAYS if event["terminal_id"])
    assert taken == run(events)[0]


def test_two_truths_of_an_identifier_that_came_twice_stay_with_one_transaction():
    first, second, now = transaction("t", 0), transaction("t", DAY_MS), transaction("now", 8 * DAY_MS)
    told = [truth(first, 2 * DAY_MS), truth(second, 3 * DAY_MS, label=0, revision=1)]
    assert last(first, second, *told, now) == (2, 0.0)


def test_a_window_ends_seven_days_ago_closed_and_starts_open():
    t = 60 * DAY_MS
    for n in DAYS:
        edges = [t - WEEK_MS - n * DAY_MS, t - WEEK_MS - n * DAY_MS + 1, t - WEEK_MS, t - WEEK_MS + 1]
        events = [transaction(f"t{edge}", edge) for edge in edges]
        assert last(*events, transaction("now", t), days=n)[0] == 2


def test_a_truth_counts_from_its_truth_time_on_not_from_its_arrival():
    old = transaction("old", 0)
    told = truth(old, 9 * DAY_MS)
    before, at = transaction("before", 9 * DAY_MS - 1), transaction("at", 9 * DAY_MS)
    assert [seen(event) for event in run([old, told, before, at])[0][1:]] == [(1, 0.0), (1, 1.0)]


def test_a_truth_may_come_before_its_transaction():
    old, now = transaction("old", DAY_MS), transaction("now", 9 * DAY_MS)
    for cuts in ((), (1,), (1, 2)):
        assert last(truth(old, 8 * DAY_MS), old, now, cuts=cuts) == (1, 1.0)


def test_a_truth_whose_transaction_never_came_counts_nowhere():
    never, old, now = transaction("never", DAY_MS), transaction("old", DAY_MS), transaction("now", 9 * DAY_MS)
    assert last(truth(never, 2 * DAY_MS), old, now) == (1, 0.0)


def test_a_truth_belongs_by_id_even_when_it_names_another_event_time():
    old, now = transaction("old", DAY_MS + 250), transaction("now", 9 * DAY_MS)
    told = truth(old, 2 * DAY_MS, event_time_ms=DAY_MS)
    assert last(old, told, now) == (1, 1.0)
    assert last(told, old, now) == (1, 1.0)


def test_a_correction_replaces_from_its_own_time_on_whichever_came_first():
    old = transaction("old", 0)
    wrong, right = truth(old, 8 * DAY_MS), truth(old, 12 * DAY_MS, label=0, revision=1)
    between, after = transaction("between", 10 * DAY_MS), transaction("after", 12 * DAY_MS)
    for told in ([wrong, right], [right, wrong]):
        assert [seen(event) for event in run([old, *told, between, after])[0][1:]] == [(1, 1.0), (1, 0.0)]


def test_a_lower_revision_that_comes_later_replaces_nothing():
    old, now = transaction("old", 0), transaction("now", 15 * DAY_MS)
    assert last(old, truth(old, 8 * DAY_MS, revision=3), truth(old, 9 * DAY_MS, label=0, revision=2), now) == (1, 1.0)


def test_what_has_expired_counts_nowhere_even_before_its_bytes_are_gone():
    # A day and more behind the greatest event time a window reaches behind the history; the fraud there must not count.
    old, kept = transaction("old", 0), transaction("kept", 5 * DAY_MS)
    ahead, behind = transaction("ahead", 47 * DAY_MS), transaction("behind", 36 * DAY_MS)
    for cuts in ((), (1,), (2,), (1, 2, 3, 4)):
        assert last(old, truth(old, DAY_MS), kept, ahead, behind, cuts=cuts) == (1, 0.0)


def test_a_truth_that_waited_too_long_is_forgotten_however_events_were_batched():
    old, ahead = transaction("old", 38 * DAY_MS), transaction("ahead", 47 * DAY_MS)
    told = truth(old, DAY_MS, event_time_ms=0)
    for cuts in ((), (1,), (2,), (1, 2, 3)):
        assert last(told, ahead, old, transaction("now", 48 * DAY_MS), cuts=cuts) == (1, 0.0)


def test_an_intervened_fraud_is_a_fraud_of_the_terminal():
    old, now = transaction("old", 0), transaction("now", 8 * DAY_MS)
    assert last(old, truth(old, DAY_MS, intervened=True), now) == (1, 1.0)


def test_transactions_and_truths_without_terminal_pass_by():
    lone = transaction("lone", 5, terminal=None)
    taken, state = run([lone, truth(lone, 6)])
    assert taken == [lone]
    assert state == {}


def test_state_of_a_terminal_is_bounded_by_the_retention():
    state, sizes = {}, []
    for number in range(400):
        event = transaction(f"t{number}", number * 6 * HOUR_MS)
        never = transaction(f"n{number}", number * 6 * HOUR_MS)
        told = [truth(event, event["event_time_ms"] + WEEK_MS, label=number % 2, revision=1)]
        run([event, *told, truth(never, event["event_time_ms"] + DAY_MS)], state=state)
        sizes.append(len(state["k"]))
    assert len(state) == 1
    assert max(sizes[240:]) - sizes[200] <= 24, "only frauds alternate with corrections"


def test_a_state_of_another_schema_is_refused_by_name():
    _, state = run([transaction("a", 5)])
    with pytest.raises(JobError, match="schema 255"):
        run([transaction("b", 6)], state={"k": b"\xff" + state["k"][1:]})


def test_generated_months_agree_with_the_book():
    random = np.random.default_rng(11)
    times = np.sort(random.integers(0, 90 * 86_400, 3_000)) * 1_000
    places, frauds = random.integers(0, 6, 3_000), random.random(3_000) < 0.2
    events = [transaction(f"t{n:05}", int(t), f"k{p}") for n, (t, p) in enumerate(zip(times, places, strict=True))]
    truths = [truth(event, event["event_time_ms"] + WEEK_MS, int(f)) for event, f in zip(events, frauds, strict=True)]
    ordered = in_event_order(events + truths)
    taken = run(ordered, range(0, 6_000, 41))[0]
    for at, event in enumerate(taken):
        for n in DAYS:
            end = times[at] - WEEK_MS
            inside = (places == places[at]) & (times <= end) & (times > end - n * DAY_MS)
            assert seen(event, n) == (
                inside.sum(),
                pytest.approx(frauds[inside].mean() if inside.any() else 0.0, abs=1e-12),
            )
