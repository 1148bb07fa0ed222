"""A batch of a map state behaves as a dict, and its state is right when its block has ended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.operators.fakes import FakeMapState
from udfs.operators.state_entries import StateEntries

KEYS = st.sampled_from("abcdef")
VALUES = st.binary(max_size=3)
STEPS = st.lists(st.one_of(st.tuples(st.just("put"), KEYS, VALUES), st.tuples(st.sampled_from(["del", "get"]), KEYS)))


class CountedMapState(FakeMapState):
    """Counts how often it is asked for something."""

    calls = 0

    def put_all(self, entries):
        self.calls += 1
        super().put_all(entries)

    def get(self, key):
        self.calls += 1
        return super().get(key)


def state_of(entries):
    state = CountedMapState(SimpleNamespace(key="k"))
    FakeMapState.put_all(state, entries)
    return state


@given(st.dictionaries(KEYS, VALUES), st.sets(KEYS), STEPS)
def test_it_is_a_dict_whose_entries_are_in_state_at_the_end(before, prefetched, steps):
    state, oracle = state_of(before), dict(before)
    with StateEntries(state).batch(prefetched) as batch:
        for step, key, *value in steps:
            if step == "put":
                batch[key] = oracle[key] = value[0]
            elif step == "get":
                assert batch.get(key) == oracle.get(key)
                assert (key in batch) == (key in oracle)
            elif key in oracle:
                del batch[key], oracle[key]
    assert {key: state.get(key) for key in state.keys()} == oracle


@given(st.dictionaries(KEYS, VALUES, min_size=1), STEPS)
def test_what_is_iterated_over_holds_what_was_written(before, steps):
    batch, oracle = StateEntries(state_of(before)).batch(()), dict(before)
    for step, key, *value in steps:
        if step == "put":
            batch[key] = oracle[key] = value[0]
    assert dict(batch) == oracle
    assert len(batch) == len(oracle)


def test_nothing_is_written_when_the_block_fails():
    state = state_of({"a": b"1"})

    def break_off():
        with StateEntries(state).batch(["a"]) as batch:
            batch["a"], batch["b"] = b"2", b"3"
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    assert (state.get("a"), state.get("b")) == (b"1", None)


def test_what_was_read_at_once_is_not_read_again_and_writes_are_one_call():
    state = state_of({"a": b"1", "b": b"2"})
    with StateEntries(state).batch(["a", "b", "c"]) as batch:
        read = state.calls
        assert (batch["a"], batch.get("c"), "b" in batch) == (b"1", None, True)
        batch["a"], batch["c"] = b"3", b"4"
        assert state.calls == read
    assert state.calls == read + 1


def test_a_missing_entry_is_a_key_error():
    with pytest.raises(KeyError):
        StateEntries(state_of({})).batch(["a"])["a"]
