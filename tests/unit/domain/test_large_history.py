"""A large entity answers like a small one: the same events with chunks of four and with one value of state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain import test_customer_windows as customers
from tests.unit.domain import test_terminal_windows as terminals
from udfs.domain import entity_histories, event_sequence, large_history
from udfs.domain.event_order import in_event_order
from udfs.domain.idle_entities import remove_idle
from udfs.domain.window_feature import WindowFeature
from udfs.domain.window_plan import WindowPlan

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EVERY = WindowPlan(
    [
        WindowFeature(f"{aggregate}/{days}/{delay}", "customer", aggregate, days * DAY_MS, delay * DAY_MS, field)
        for aggregate in ("count", "sum", "mean", "time_since_last", "min", "max", "std", "distinct")
        for days in (1, 9)
        for delay in (0, 2)
        for field in [None if aggregate in ("count", "time_since_last") else "amount"]
    ]
)


@contextmanager
def tiny(settled_ms: int = HOUR_MS) -> Iterator[None]:
    """Make three transactions a large entity, and chunks of four."""
    with (
        patch.object(entity_histories, "SMALL_EVENTS", 3),
        patch.object(event_sequence, "CHUNK_EVENTS", 4),
        patch.object(event_sequence, "PLACES_KEPT", 3),
        patch.object(large_history, "SETTLED_MS", settled_ms),
    ):
        yield


def cut(cuts: set[int], events: list) -> list[int]:
    return [each for each in cuts if each <= len(events)]


TIMES = st.integers(0, 80 * 24).map(lambda hour: hour * HOUR_MS) | customers.TIMES
ROWS = st.lists(st.tuples(st.integers(0, 60), TIMES, customers.AMOUNTS), max_size=60)
CUTS = st.sets(st.integers(0, 60))


@settings(max_examples=60)
@given(ROWS, CUTS, st.sampled_from([0, HOUR_MS]), st.booleans())
def test_a_large_customer_counts_like_a_small_one_in_any_order(rows, cuts, lateness_ms, in_order):
    events = [customers.transaction(f"t{name}", time, amount) for name, time, amount in rows]
    events = in_event_order(events) if in_order else events
    expected = customers.run(events, cut(cuts, events), lateness_ms=lateness_ms)[:2]
    with tiny():
        found = customers.run(events, cut(cuts, events), lateness_ms=lateness_ms)[:2]
    assert found == expected


@settings(max_examples=40)
@given(ROWS, CUTS)
def test_every_aggregate_is_the_same_for_large_and_small(rows, cuts):
    events = [customers.transaction(f"t{name}", time, amount) for name, time, amount in rows]
    with patch.object(customers, "update_customers", lambda *a, **k: UPDATE(*a, **k, plan=EVERY)):
        expected = customers.run(events, cut(cuts, events))[:2]
        with tiny():
            assert customers.run(events, cut(cuts, events))[:2] == expected


UPDATE = customers.update_customers


@st.composite
def busy(draw):
    """Many transactions of one terminal, and truths about some of them, in any order."""
    days = draw(st.lists(st.integers(0, 70), min_size=5, max_size=40))
    transactions = [terminals.transaction(f"t{number}", day * DAY_MS) for number, day in enumerate(days)]
    told = draw(
        st.lists(
            st.builds(
                lambda of, delay, label, revision: terminals.truth(
                    of, of["event_time_ms"] + delay * DAY_MS, label, revision
                ),
                st.sampled_from(transactions),
                st.sampled_from([0, 1, 6, 7, 10, 20]),
                st.integers(0, 1),
                st.integers(0, 2),
            ),
            max_size=40,
        )
    )
    return draw(st.permutations(transactions + told))


@settings(max_examples=60)
@given(busy(), CUTS)
def test_a_large_terminal_counts_like_a_small_one_in_event_order(events, cuts):
    events = in_event_order(events)
    expected = terminals.run(events, cut(cuts, events))[0]
    with tiny():
        assert terminals.run(events, cut(cuts, events))[0] == expected


@settings(max_examples=60)
@given(busy(), CUTS)
def test_a_large_terminal_counts_like_a_small_one_in_any_order_while_frauds_are_open(events, cuts):
    expected = terminals.run(events, cut(cuts, events))[0]
    with tiny(settled_ms=1_000 * DAY_MS):
        assert terminals.run(events, cut(cuts, events))[0] == expected


def test_only_the_chunks_at_the_edges_are_read_and_written() -> None:
    class Counted(dict):
        reads = writes = 0

        def __getitem__(self, key):
            self.reads += 1
            return super().__getitem__(key)

        def __setitem__(self, key, value):
            self.writes += 1
            assert key.startswith("e\x00") or len(value) <= 256 * 40 + 16 or key[0] == "k"
            super().__setitem__(key, value)

    parts, state = Counted(), {}
    step = 40_000  # 65,000 in 30 days
    for start in range(0, 70_000, 1_000):
        batch = [customers.transaction(f"t{n}", n * step) for n in range(start, start + 1_000)]
        UPDATE(batch, state, lateness_ms=0, parts=parts)
    parts.reads = parts.writes = 0
    for n in range(70_000, 70_256):
        UPDATE([customers.transaction(f"t{n}", n * step)], state, lateness_ms=0, parts=parts)
    assert parts.reads < 256 * 5 + 40
    assert parts.writes < 256 * 2 + 20
    assert len(state["c"]) < 500, "the header stays small"


def test_an_idle_large_entity_leaves_nothing_behind() -> None:
    state, parts = {}, {}
    with tiny():
        for n in range(40):
            UPDATE([customers.transaction(f"t{n}", n * HOUR_MS)], state, lateness_ms=0, parts=parts)
        assert len(parts) > 10
        del state[""]
        keep = {"keep_ms": 31 * DAY_MS}
        assert remove_idle(state, parts, now_ms=32 * DAY_MS + 39 * HOUR_MS, **keep) == 1
        assert remove_idle(state, parts, now_ms=32 * DAY_MS + 39 * HOUR_MS + 1, **keep) == 0
    assert (state, parts) == ({}, {})
