"""What the gate and the API hold of artifacts is bounded, and an artifact that was let go is judged again when it comes."""

from __future__ import annotations

import hashlib
import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_store.artifact import MAX_BYTES, Artifact
from model_store.gate import Gate, Ruling
from model_store.kept_artifacts import OTHERS_BYTES, KeptArtifacts
from model_store.live_versions import LiveVersions
from tests.e2e.models import trained
from tests.unit.model_store.test_gate import activation, admit, digest_of, part, said
from tests.unit.serving.conftest import activation_row, artifact_row
from udfs.domain.deployment import HISTORY
from udfs.domain.feature_catalog import FeatureCatalog

VERSIONS = 300
MIB = 1024 * 1024
STATE_MIB = 29
"""Sixteen of others, the present champion and the one before, one on its way."""
API_MIB = 130
"""The state, sixteen loaded versions, and one that is being judged."""


def gate_over(state: dict[str, bytes], admit: Callable[..., None] = admit) -> Gate:
    return Gate(state, model="fraud", feature_sets=FeatureCatalog(), admit=admit, patience_ms=1_000)


def bytes_in(state: dict[str, bytes]) -> int:
    return sum(len(key) + len(value) for key, value in state.items())


def arrives(gate: Gate, data: bytes, digest: str | None = None, size: int = MIB // 2) -> Ruling:
    """Let an artifact come in rows, as from the database."""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    name = digest or digest_of(data)
    return [gate.part_arrived(part(each, at, len(chunks), name)) for at, each in enumerate(chunks)][-1]


def large(number: int) -> bytes:
    return number.to_bytes(4) + bytes(MAX_BYTES - 4)


def named(data: bytes) -> str:
    """Name an artifact by its number: a real digest of each would take longer than the test."""
    return f"{int.from_bytes(data[:4]):064x}"


def test_three_hundred_versions_of_four_mebibytes_leave_a_state_that_is_bounded():
    state: dict[str, bytes] = {}
    gate, largest = gate_over(state, admit=lambda *_, **__: None), 0

    def deployed(seq: int, number: int) -> list[tuple[str, str | None]]:
        return said(gate.activation_arrived(replace(activation(seq), digest=named(large(number))), 0))

    for seq in range(1, VERSIONS + 1):
        arrives(gate, large(seq), named(large(seq)))
        assert deployed(seq, seq) == [("activated", None)]
        largest = max(largest, bytes_in(state))
    assert largest < STATE_MIB * MIB
    assert len(state) < 100
    print(f"{VERSIONS} versions of 4 MiB: at most {largest / MIB:.1f} MiB of state")
    assert deployed(VERSIONS + 1, VERSIONS - 1) == [("activated", None)]
    assert deployed(VERSIONS + 2, 1) == [("pending", "missing_artifact")]
    assert said(arrives(gate, large(1), named(large(1)))) == [("activated", None)]
    arrives(gate, large(2), named(large(2)))  # as the database sends it: ahead of its activation
    assert deployed(VERSIONS + 3, 2) == [("activated", None)]


@cache
def padded() -> tuple[bytes, bytes]:
    """Return the ends of an artifact of nearly 4 MiB, before and behind the number that tells versions apart."""
    small = Artifact.decode(trained(1))
    noise = np.frombuffer(random.Random(0).randbytes(MAX_BYTES - 120_000), dtype="<i4")
    whole = Artifact({**small.header, "seed": 123_456_789}, {**small.arrays, "noise": noise}).encode()
    before, _, behind = whole.partition(b"123456789")
    return before, behind


def version(number: int) -> bytes:
    """Return an artifact that loads and passes its probes; compressing each anew would take a minute."""
    before, behind = padded()
    body = before[64:] + str(100_000_000 + number).encode() + behind
    return before[:32] + hashlib.sha256(before[:32] + body).digest() + body


def test_three_hundred_versions_of_four_mebibytes_leave_the_api_bounded_memory():
    assert MAX_BYTES - 200_000 < len(version(1)) <= MAX_BYTES
    live = LiveVersions("fraud")
    tracemalloc.start()
    try:
        for seq in range(1, VERSIONS + 1):
            data = version(seq)
            live.take(artifact_row(data), 0)
            live.take(activation_row(seq, str(seq), data), 0)
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [each.event for each in live.events] == ["activated"] * 100
    assert len(live.current.versions) == HISTORY
    assert held < API_MIB * MIB
    print(f"{VERSIONS} versions of 4 MiB: the API holds {held / MIB:.0f} MiB, {most / MIB:.0f} while it takes one")
    live.take(artifact_row(version(1)), 0)
    live.take(activation_row(VERSIONS + 1, "1", version(1)), 0)
    assert live.current.live()[0].version == "1"


def test_small_artifacts_are_all_kept_for_long_and_names_alone_are_bounded_too():
    state: dict[str, bytes] = {}
    gate = gate_over(state)
    for number in range(200):
        arrives(gate, f"good {number}".encode() * 2_000)
    assert said(gate.activation_arrived(activation(1, b"good 0" * 2_000), 0)) == [("activated", None)]
    for number in range(1_000):
        gate.part_arrived(part(b"", digest=str(number)))
    assert len(state) < 2 * 256 + 20


def test_parts_that_never_become_whole_and_parts_beyond_all_bounds_do_not_stay():
    state: dict[str, bytes] = {}
    gate = gate_over(state)
    for number in range(60):
        for at in range(12):  # more than an artifact may have, in parts that each may be
            gate.part_arrived(part(bytes(MIB // 2), at, 64, digest_of(str(number).encode())))
        gate.part_arrived(part(bytes(MIB), 0, 2, digest_of(f"half {number}".encode())))
    assert bytes_in(state) < STATE_MIB * MIB


def test_what_a_pending_activation_waits_for_is_never_let_go():
    gate = gate_over({})
    half = large(0)
    assert said(gate.activation_arrived(activation(1, half), 0)) == [("pending", "missing_artifact")]
    gate.part_arrived(part(half[:MIB], 0, 2, digest_of(half)))
    for number in range(1, 10):
        arrives(gate, large(number))
    assert said(gate.part_arrived(part(half[MIB:], 1, 2, digest_of(half)))) == [("activated", None)]


def test_a_snapshot_lets_nothing_go_before_its_activations_say_what_is_needed():
    state: dict[str, bytes] = {}
    gate = gate_over(state)
    for number in range(8):
        for at in (0, 1):
            half = large(number)[at * 2 * MIB : (at + 1) * 2 * MIB]
            gate.part_arrived(replace(part(half, at, 2, digest_of(large(number))), snapshot=True))
    assert said(gate.activation_arrived(activation(1, large(0)), 0)) == [("activated", None)]
    arrives(gate, large(9))
    assert bytes_in(state) < STATE_MIB * MIB


class Counting(dict):
    """Counts how often all keys are walked."""

    walked = 0

    def __iter__(self) -> Iterator[str]:
        self.walked += 1
        return super().__iter__()


def test_pending_activations_are_found_without_walking_all_keys_but_once():
    state = Counting()
    gate = gate_over(state)
    gate.part_arrived(part(b"good artifact"))
    gate.activation_arrived(activation(1), 0)
    gate.activation_arrived(activation(2, b"good, too"), 0)
    walked = state.walked
    for now_ms in range(100):
        assert gate.waits
        gate.time_passed(now_ms)
    assert said(gate.part_arrived(part(b"good, too"))) == [("activated", None)]
    assert not gate.waits
    assert state.walked == walked


def test_state_of_before_there_was_an_index_goes_on():
    """Parts, a pending activation and nothing else, as version 0.1.0 left them."""
    data = b"good artifact"
    waits = {"activation": activation(7, data).to_json().decode(), "since_ms": 0, "reason": "missing_chunk"}
    state = {
        f"part/{digest_of(data)}/0": data[:4],
        f"parts/{digest_of(data)}": b"2",
        "judged/champion": b"7",
        f"pending/{7:020d}": json.dumps(waits).encode(),
    }
    gate = gate_over(state)
    assert gate.waits
    assert said(gate.part_arrived(part(data[4:], 1, 2, digest_of(data)))) == [("activated", None)]
    assert not gate.waits


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "use", "let go"]), st.integers(0, 9), st.sets(st.integers(0, 9), max_size=3)
        ),
        max_size=60,
    )
)
def test_the_needed_and_the_last_used_stay_and_the_others_fit_in_their_room(steps):
    state: dict[str, bytes] = {}
    kept, last_used = KeptArtifacts(state), []
    for step, number, needed in steps:
        data = bytes([number]) * (3 * MIB)
        held = [each for each in range(10) if not isinstance(kept.whole(str(each)), str)]
        if step == "take":
            kept.take(part(data, digest=str(number)))
        elif step == "use":
            kept.use(str(number))
        if step == "take" or (step == "use" and number in held):
            last_used = [each for each in last_used if each != number] + [number]
        if step == "let go":
            kept.let_go({str(each) for each in needed})
            others = [each for each in last_used if each not in needed]
            stay = [each for each in last_used if each in needed] + others[-(OTHERS_BYTES // (3 * MIB)) :]
            last_used = [each for each in last_used if each in stay]
        assert [each for each in range(10) if kept.whole(str(each)) == bytes([each]) * (3 * MIB)] == sorted(last_used)


@pytest.mark.parametrize("again", [1, 3])
def test_a_part_that_comes_again_counts_once(again):
    state: dict[str, bytes] = {}
    kept = KeptArtifacts(state)
    for _ in range(again):
        kept.take(part(bytes(3 * MIB), digest="d"))
    assert json.loads(state["artifacts"]) == {"d": 3 * MIB}
