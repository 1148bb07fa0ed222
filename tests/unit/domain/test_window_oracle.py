"""The windows of both kinds of entity, small and large, against definitions that import nothing of the project."""

import itertools
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain import window_oracle as oracle
from tests.unit.domain.test_customer_windows import transaction as of_customer
from tests.unit.domain.test_large_history import tiny
from tests.unit.domain.test_terminal_windows import transaction as of_terminal
from tests.unit.domain.test_terminal_windows import truth as about
from udfs.domain.customer_windows import CUSTOMER_REACH_MS, update_customers
from udfs.domain.idle_entities import remove_idle
from udfs.domain.terminal_windows import TERMINAL_REACH_MS, TERMINAL_RETENTION_MS, update_terminals
from udfs.domain.window_feature import WindowFeature
from udfs.domain.window_plan import WindowPlan

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAYS = (1, 7, 30, 31)
"""The longest is as long as a window may be."""
CUSTOMER = WindowPlan(
    WindowFeature(f"{what} {days}", "customer", what, days * DAY_MS, field=field)
    for days in DAYS
    for what, field in (("count", None), ("mean", "amount"))
)
TERMINAL = WindowPlan(
    WindowFeature(f"{what} {days}", "terminal", what, days * DAY_MS, 7 * DAY_MS)
    for days in DAYS
    for what in ("count", "fraud_rate")
)
TIMES = st.builds(
    lambda day, off: max(0, day * DAY_MS + off),
    st.sampled_from([0, 1, 2, 7, 8, 14, 29, 30, 31, 32, 33, 36, 37, 38, 39, 45, 46, 47, 60, 66, 80, 105]),
    st.sampled_from([-1, 0, 0, 0, 1, HOUR_MS, HOUR_MS + 1]),
)
LATENESS = st.sampled_from([0, HOUR_MS, 3 * DAY_MS])
FORMS = pytest.mark.parametrize("form", [nullcontext, tiny], ids=["small", "large"])


def in_batches(rows, cuts):
    bounds = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    return [rows[start:end] for start, end in itertools.pairwise(bounds)]


def customers(rows, cuts, lateness_ms):
    state, taken, repeated, at = {}, [], [], 0
    for batch in in_batches(rows, cuts):
        events = [
            of_customer(name, time_ms, amount, entity) | {"offset": at + place}
            for place, (_, name, entity, time_ms, amount) in enumerate(batch)
        ]
        update = update_customers(events, state, lateness_ms=lateness_ms, plan=CUSTOMER)
        taken += update.events
        repeated += [each["offset"] for each in update.duplicates]
        at += len(batch)
    return taken, repeated


def terminal_events(rows):
    for row in rows:
        if row[0] == "transaction":
            yield of_terminal(row[1], row[3], row[2])
        else:
            _, name, entity, time_ms, told_ms, label, revision = row
            yield about(of_terminal(name, time_ms, entity), told_ms, label, revision)


def terminals(rows, cuts, lateness_ms):
    state, taken = {}, []
    for batch in in_batches(rows, cuts):
        taken += update_terminals(list(terminal_events(batch)), state, lateness_ms=lateness_ms, plan=TERMINAL)
    return taken


def agree(taken, expected, second):
    assert [event["transaction_id"] for event in taken] == [name for name, _ in expected]
    for event, (_, found) in zip(taken, expected, strict=True):
        for days, (count, share) in found.items():
            said = event["features"][f"count {days}"], event["features"][f"{second} {days}"]
            assert said == (count, pytest.approx(float(share), rel=1e-12, abs=1e-9)), (event["transaction_id"], days)


@st.composite
def of_customers(draw, ids="abcdefghijklmnop"):
    rows = draw(
        st.lists(
            st.tuples(
                st.just("transaction"),
                st.sampled_from(ids),
                st.sampled_from("cd"),
                TIMES,
                st.integers(-9, 99).map(float),
            ),
            max_size=30,
        )
    )
    return draw(st.permutations(rows))


@st.composite
def of_terminals(draw, *, in_any_order=True):
    """Transactions of two terminals and what was told of them: early, late, twice, corrected; of some that never come."""
    times = draw(st.lists(st.tuples(TIMES, st.sampled_from("kl")), min_size=1, max_size=20))
    rows = [("transaction", f"t{at}", entity, time_ms, 1.0) for at, (time_ms, entity) in enumerate(times)]
    told = st.tuples(
        st.sampled_from(rows), st.sampled_from([-1, 0, 1, 7, 10, 20, 40]), st.integers(0, 1), st.integers(0, 2)
    )
    truths = [
        ("truth", name, entity, time_ms, max(0, time_ms + days * DAY_MS), label, revision)
        for (_, name, entity, time_ms, _), days, label, revision in draw(st.lists(told, max_size=20))
    ]
    never = [
        ("truth", "never", entity, ms, ms + DAY_MS, 1, 0)
        for ms, entity in draw(st.lists(st.tuples(TIMES, st.sampled_from("kl")), max_size=3))
    ]
    if in_any_order:
        return draw(st.permutations(rows + truths + never))
    return rows, truths + never


CUTS = st.sets(st.integers(1, 45))


@FORMS
@settings(max_examples=80)
@given(rows=of_customers(), cuts=CUTS, lateness_ms=LATENESS)
def test_customers_in_any_order_count_all_that_is_within_the_retention_of_the_newest(form, rows, cuts, lateness_ms):
    expected, repeated = oracle.customers(rows, CUSTOMER_REACH_MS + DAY_MS + lateness_ms, DAYS)
    with form():
        taken, found = customers(rows, cuts, lateness_ms)
    assert found == repeated
    agree(taken, expected, "mean")


@FORMS
@settings(max_examples=100)
@given(rows=of_terminals(), cuts=CUTS, lateness_ms=LATENESS)
def test_terminals_in_any_order_count_all_that_is_within_the_retention_of_the_newest(form, rows, cuts, lateness_ms):
    expected = oracle.terminals(rows, TERMINAL_REACH_MS + 8 * DAY_MS + lateness_ms, DAYS)
    with form():
        agree(terminals(rows, cuts, lateness_ms), expected, "fraud_rate")


def out_of_order(draw, rows, most_ms):
    """Put transactions into an order in which none is further ahead of those behind it than so much."""
    ahead = {row: draw(st.sampled_from([0, 0, 1, HOUR_MS, most_ms // 2, most_ms])) for row in set(rows)}
    return sorted(rows, key=lambda row: row[3] - ahead[row])


@FORMS
@settings(max_examples=80)
@given(data=st.data(), cuts=CUTS, lateness_ms=LATENESS)
def test_a_transaction_a_day_ahead_costs_no_other_of_its_customer_anything(form, data, cuts, lateness_ms):
    rows = [(kind, f"{at}", *rest) for at, (kind, _, *rest) in enumerate(data.draw(of_customers()))]
    rows = out_of_order(data.draw, rows, DAY_MS + lateness_ms)
    with form():
        taken, repeated = customers(rows, cuts, lateness_ms)
    assert not repeated
    agree(taken, oracle.customers(rows, windows=DAYS)[0], "mean")


@FORMS
@settings(max_examples=100)
@given(data=st.data(), cuts=CUTS, lateness_ms=LATENESS)
def test_neither_transactions_days_ahead_nor_any_truth_cost_others_of_their_terminal_anything(
    form, data, cuts, lateness_ms
):
    rows, truths = data.draw(of_terminals(in_any_order=False))
    rows = out_of_order(data.draw, rows, 8 * DAY_MS + lateness_ms)
    for truth in truths:
        rows.insert(data.draw(st.integers(0, len(rows))), truth)
    expected = oracle.terminals(rows, windows=DAYS)
    with form():
        agree(terminals(rows, cuts, lateness_ms), expected, "fraud_rate")
        assert terminals(rows, range(1, len(rows)), lateness_ms) == terminals(rows, (), lateness_ms)


@FORMS
@settings(max_examples=60)
@given(data=st.data(), cuts=CUTS)
def test_removing_idle_terminals_costs_no_truth_that_waits_for_its_transaction(form, data, cuts):
    """The watermark, which removes idle terminals, is never ahead of a transaction that is to come."""
    rows, truths = data.draw(of_terminals(in_any_order=False))
    rows = out_of_order(data.draw, rows, DAY_MS)
    for truth in truths:
        rows.insert(data.draw(st.integers(0, len(rows))), truth)
    to_come = [row[3] for row in rows if row[0] == "transaction"]
    state, parts, taken = {}, {}, []
    with form():
        for batch in in_batches(rows, cuts):
            taken += update_terminals(list(terminal_events(batch)), state, lateness_ms=0, plan=TERMINAL, parts=parts)
            del to_come[: sum(row[0] == "transaction" for row in batch)]
            if to_come:
                remove_idle(state, parts, keep_ms=TERMINAL_RETENTION_MS, now_ms=min(to_come) - 1)
    agree(taken, oracle.terminals(rows, windows=DAYS), "fraud_rate")


@FORMS
@pytest.mark.parametrize("label", [0, 1])
def test_a_truth_ahead_of_its_transaction_makes_the_terminal_forget_nothing(form, label):
    rows = [("transaction", f"t{day}", "k", day * DAY_MS, 1.0) for day in (64, 66, 80)]
    rows.append(("truth", "t105", "k", 105 * DAY_MS, 106 * DAY_MS, label, 0))
    rows.append(("transaction", "now", "k", 100 * DAY_MS, 1.0))
    with form():
        assert terminals(rows, (), 0)[-1]["features"]["count 30"] == 3
