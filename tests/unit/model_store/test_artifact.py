"""The format: the same model gives the same bytes, and broken bytes are refused with a reason, never otherwise."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_store.artifact import MAX_BYTES, Artifact, digest
from model_store.compiled_scorer import load_scorer
from model_store.rebuild import rebuild
from udfs.domain.errors import ArtifactError

SAME_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def test_what_is_encoded_is_decoded():
    arrays = {
        "floats": np.array([[1.5, -0.0], [float("nan"), 5e-324]]),
        "ints": np.array([2**62, -1]),
        "small": np.array([], dtype=np.int32),
        "words": np.array([2**32 - 1], dtype=np.uint32),
    }
    decoded = Artifact.decode(Artifact({"kind": "x", "umlaut": "ä", "n": 0.1}, arrays).encode())
    assert decoded.header == {"kind": "x", "umlaut": "ä", "n": 0.1}
    for name, array in arrays.items():
        assert decoded.arrays[name].dtype == array.dtype
        assert decoded.arrays[name].shape == array.shape
        assert decoded.arrays[name].tobytes() == array.tobytes()


def test_order_of_keys_and_byte_order_of_arrays_do_not_change_the_digest():
    one = Artifact({"a": 1, "b": 2}, {"x": np.array([1.0]), "y": np.array([2.0])})
    other = Artifact({"b": 2, "a": 1}, {"y": np.array([2.0]), "x": np.array([1.0]).astype(">f8").astype("<f8")})
    assert digest(one.encode()) == digest(other.encode())


def test_decoded_arrays_cannot_be_written_to(trees):
    with pytest.raises(ValueError, match="read-only"):
        Artifact.decode(trees).arrays["1.r_mass"][0, 0] = 1


def test_every_truncation_is_refused_as_truncated(trees):
    for length in range(len(trees)):
        with pytest.raises(ArtifactError) as refused:
            Artifact.decode(trees[:length])
        assert refused.value.reason == "truncated"


@SAME_FIXTURE
@given(position=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_every_flipped_bit_is_refused(trees, position, bit):
    broken = bytearray(trees)
    broken[position % len(broken)] ^= 1 << bit
    for load in (Artifact.decode, load_scorer, rebuild):
        with pytest.raises(ArtifactError):
            load(bytes(broken))


def test_every_flipped_bit_of_the_envelope_is_refused(trees):
    for position in range(64):
        for bit in range(8):
            broken = bytearray(trees)
            broken[position] ^= 1 << bit
            with pytest.raises(ArtifactError):
                Artifact.decode(bytes(broken))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    with pytest.raises(ArtifactError):
        Artifact.decode(data)


def test_the_reason_says_what_is_wrong_with_the_envelope(trees):
    def reason(data):
        with pytest.raises(ArtifactError) as refused:
            Artifact.decode(data)
        return refused.value.reason

    assert reason(b"\x80\x04\x95pickle" + bytes(200)) == "not_an_artifact"
    assert reason(trees[:8] + struct.pack("<H", 2) + trees[10:]) == "unsupported_version"
    assert reason(trees[:10] + struct.pack("<H", 1) + trees[12:]) == "unsupported_version"
    assert reason(trees[:16] + struct.pack("<Q", 2**63) + trees[24:]) == "oversized"
    assert reason(trees[:24] + struct.pack("<Q", 2**40) + trees[32:]) == "oversized"
    assert reason(trees + b"x") == "corrupt"
    assert reason(bytes(MAX_BYTES + 1)) == "oversized"
    assert reason(b"") == "truncated"


def test_a_bomb_is_not_inflated_beyond_what_it_announces(trees):
    from model_store import artifact as module

    bomb = zlib.compress(bytes(50_000_000))
    header = module._encode_json({"arrays": [["a", "<f8", [2]]]})
    envelope = module._ENVELOPE.pack(module.MAGIC, 1, 0, len(header), 16, len(bomb))
    checksum = module.hashlib.sha256(envelope + header + bomb).digest()
    with pytest.raises(ArtifactError) as refused:
        Artifact.decode(envelope + checksum + header + bomb)
    assert refused.value.reason == "oversized"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        (b"{", "corrupt"),
        (b"\xff\xfe", "corrupt"),
        (b'{"a":NaN,"arrays":[]}', "not_finite"),
        (b'{"a":1e999,"arrays":[]}', "not_finite"),
        (b"[" * 100_000, "corrupt"),
        (b'{"a":' + b"9" * 5000 + b',"arrays":[]}', "corrupt"),
        (b'{"arrays":[["a","|O",[1]]]}', "malformed"),
        (b'{"arrays":[["a",["<f8"],[1]]]}', "malformed"),
        (b'{"arrays":[["a","<f8",[-1]]]}', "malformed"),
        (b'{"arrays":[["a","<f8",[true]]]}', "malformed"),
        (b'{"arrays":[["a","<f8",[1]]]}', "malformed"),
        (b'{"arrays":[["a","<f8",[33554432,33554432,33554432,33554432]]]}', "malformed"),
        (b'{"arrays":[["a","<f8",[0]],["a","<f8",[0]]]}', "malformed"),
    ],
)
def test_a_header_that_lies_is_refused(header, reason):
    from model_store import artifact as module

    packed = zlib.compress(b"")
    envelope = module._ENVELOPE.pack(module.MAGIC, 1, 0, len(header), 0, len(packed))
    checksum = module.hashlib.sha256(envelope + header + packed).digest()
    with pytest.raises(ArtifactError) as refused:
        Artifact.decode(envelope + checksum + header + packed)
    assert refused.value.reason == reason


def test_what_cannot_be_data_is_not_encoded():
    for header, arrays, reason in (
        ({"a": float("inf")}, {}, "not_finite"),
        ({"a": object()}, {}, "malformed"),
        ({}, {"a": np.array(["text"])}, "malformed"),
        ({}, {"a": np.random.default_rng(0).random(600_000)}, "oversized"),
    ):
        with pytest.raises(ArtifactError) as refused:
            Artifact(header, arrays).encode()
        assert refused.value.reason == reason
