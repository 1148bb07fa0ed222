"""Each reason to refuse a version, at least twice, by the real gate with the real admission, as rows bring it."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import orjson
import pytest
from river import anomaly

from model_store.admission import admit
from model_store.artifact import MAX_BYTES, Artifact, digest
from model_store.export import export_artifact
from model_store.gate import Gate
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import Activation, ArtifactPart, parse_metadata

FEATURE_SETS = {"test@1": "ab" * 32}
CHUNK = 512 * 1024
Edit = Callable[[dict, dict], object]


class Stream:
    """A gate with a good champion, fed with what Debezium makes of rows."""

    def __init__(self, champion: bytes) -> None:
        self.state: dict[str, bytes] = {}
        self.gate = Gate(
            self.state, model="m", feature_sets=FeatureCatalog(), patience_ms=1_000,
            admit=lambda data, digest, feature_sets: admit(data, digest, feature_sets=FEATURE_SETS),
        )  # fmt: skip
        self.events: list[tuple[str, str, str | None]] = []
        self.accepted: list[str] = []
        self.seq = 0
        self.deploy("good", champion)

    def artifact(self, data: bytes, name: str | None = None, keep=lambda part: True) -> str:
        """Write an artifact's rows, all or some, under its digest or another."""
        name = digest(data) if name is None else name
        chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)] or [b""]
        for part, chunk in enumerate(chunks):
            if keep(part):
                encoded = base64.b64encode(chunk).decode()
                row = {"digest": name, "part": part, "parts": len(chunks), "bytes": encoded, "created_ms": 1}
                parsed = debezium("model_artifact", row)
                assert isinstance(parsed, ArtifactPart)
                self.take(self.gate.part_arrived(parsed))
        return name

    def activate(self, version: str, name: str, now_ms: int = 0) -> Activation:
        self.seq += 1
        row = {
            "deployment_seq": self.seq, "model": "m", "role": "champion", "version": version, "digest": name,
            "threshold": None, "effective_from_ms": 0, "retired": False, "who": "", "why": "", "created_ms": 1,
        }  # fmt: skip
        parsed = debezium("model_activation", row)
        assert isinstance(parsed, Activation)
        self.take(self.gate.activation_arrived(parsed, now_ms))
        return parsed

    def deploy(self, version: str, data: bytes, **how) -> Activation:
        return self.activate(version, self.artifact(data, **how))

    def take(self, ruling) -> None:
        self.events += [(each.activation.version, each.event, each.reason) for each in ruling.events]
        self.accepted += [each.activation.version for each in ruling.verdicts if each.accepted]

    def refusals(self) -> list[str]:
        return [reason.partition(":")[0] for _, event, reason in self.events if event == "rejected"]


def debezium(table: str, row: dict):
    return parse_metadata(orjson.dumps({"before": None, "after": row, "op": "c", "source": {"table": table}}).decode())


@pytest.fixture
def stream(trees):
    return Stream(trees)


def rewrapped(data: bytes, **sizes: int) -> bytes:
    """Change the sizes an envelope announces, and make its checksum fit."""
    magic, version, flags, header, raw, packed = struct.unpack_from("<8sHHIQQ", data)
    announced = {"version": version, "header": header, "raw": raw, "packed": packed} | sizes
    envelope = struct.pack(
        "<8sHHIQQ", magic, announced["version"], flags, announced["header"], announced["raw"], announced["packed"]
    )
    return envelope + sha256(envelope + data[64:]).digest() + data[64:]


def bomb(raw: int) -> bytes:
    """An artifact of a few bytes whose array takes ``raw`` bytes: the envelope says so, or lies."""
    header = orjson.dumps({"arrays": [["a", "<f8", [raw // 8]]], "kind": "half_space_trees"})
    packed = zlib.compress(bytes(raw), 9)
    data = (
        struct.pack("<8sHHIQQ", b"\x89WEIR\r\n\x1a", 1, 0, len(header), raw, len(packed)) + bytes(32) + header + packed
    )
    return rewrapped(data)


def header_edit(path: str, value: object) -> Edit:
    def edit(header, arrays):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            header = header[part]
        header[last] = value

    return edit


def array_edit(name: str, value: float, place: int = 0) -> Edit:
    return lambda header, arrays: arrays[name].flat.__setitem__(place, value)


def nudge(header, arrays):
    arrays["probes.scores"].view(np.int64)[5] ^= 1


def fewer_probes(header, arrays):
    for name in ("probes.vectors", "probes.scores"):
        arrays[name] = arrays[name][:31]


TAMPERED: dict[str, tuple[str, Edit]] = {
    "unknown kind: another model": ("unknown_kind", header_edit("kind", "onnx")),
    "unknown kind: a part that is code": ("unknown_kind", header_edit("model.steps.0.type", "os.system")),
    "unknown feature set": ("unknown_feature_set", header_edit("feature_set.label", "other@1")),
    "a later feature set": ("unknown_feature_set", header_edit("feature_set.label", "test@2")),
    "another definition": ("feature_set_hash", header_edit("feature_set.hash", "cd" * 32)),
    "no hash": ("feature_set_hash", header_edit("feature_set.hash", "")),
    "NaN threshold": ("not_finite", array_edit("1.threshold", np.nan, 3)),
    "infinite scale": ("not_finite", array_edit("0.max", np.inf)),
    "NaN probe": ("not_finite", array_edit("probes.scores", np.nan)),
    "probe off by one bit": ("probes", nudge),
    "trees off, probes as they were": ("probes", array_edit("1.r_mass", 3)),
    "31 probes": ("probes", fewer_probes),
    "recorded cost": ("cost", header_edit("cost_us", 1e4)),
    "no recorded cost": ("cost", header_edit("cost_us", None)),
    "first window open": ("not_warm", header_edit("model.steps.1.first_window", True)),
}
LINEAR: dict[str, tuple[str, Edit]] = {
    "NaN weight": ("not_finite", array_edit("1.weights", np.nan)),
    "infinite moment": ("not_finite", array_edit("1.optimizer.m", -np.inf)),
    "unknown optimizer": ("unknown_kind", header_edit("model.steps.1.optimizer.type", "optim.evil.Boom")),
    "weights off": ("probes", array_edit("1.weights", 50.0)),
}


def refused_once(stream: Stream, reason: str) -> None:
    stream.take(stream.gate.time_passed(1_000))  # for a feature set it has patience: its row may come later
    assert stream.refusals() == [reason]
    assert stream.accepted == ["good"]


@pytest.mark.parametrize("case", TAMPERED)
def test_tampered_trees_are_refused(stream, trees, tampered, case):
    reason, edit = TAMPERED[case]
    stream.deploy("2", tampered(trees, edit))
    refused_once(stream, reason)


@pytest.mark.parametrize("case", LINEAR)
def test_a_tampered_linear_model_is_refused(stream, linear, tampered, case):
    reason, edit = LINEAR[case]
    stream.deploy("2", tampered(linear, edit))
    refused_once(stream, reason)


@pytest.mark.parametrize("learned", [0, 5, 19])
def test_trees_exported_too_early_are_refused(stream, feature_set, factory, learned):
    model = factory.learn(factory.make_model("trees", "min-max"), factory.vectors(learned, seed=1))
    stream.deploy("2", export_artifact(model, feature_set))
    refused_once(stream, "not_warm")


def test_trees_too_many_to_score_in_time_are_refused(stream, feature_set, factory, tampered):
    trees = anomaly.HalfSpaceTrees(n_trees=4_500, height=3, window_size=5, seed=1)
    model = factory.learn(trees, factory.vectors(9, seed=1))
    stream.deploy("2", export_artifact(model, feature_set))
    stream.deploy("3", tampered(export_artifact(model, feature_set), header_edit("cost_us", 0.1)))
    assert stream.refusals() == ["cost", "cost"]


@pytest.mark.parametrize("other", ["0" * 64, "f" * 64])
def test_bytes_under_a_digest_that_is_not_theirs_are_refused(stream, trees, other):
    stream.deploy("2", trees, name=other)
    refused_once(stream, "wrong_digest")


def test_another_good_artifacts_bytes_are_refused_under_this_ones_digest(stream, trees, linear, tampered):
    mine = tampered(trees, header_edit("seed", 99))
    stream.deploy("2", linear, name=digest(mine))
    refused_once(stream, "wrong_digest")


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_chunk_is_waited_for_and_then_refused(stream, missing):
    data = np.random.default_rng(1).bytes(CHUNK + 100)
    stream.deploy("2", data, keep=lambda part: part != missing)
    assert stream.events[-1] == ("2", "pending", "missing_chunk")
    stream.take(stream.gate.time_passed(1_000))
    stream.take(stream.gate.time_passed(2_000))
    refused_once(stream, "missing_chunk")


def test_a_version_without_artifact_is_waited_for_and_then_refused(stream, trees):
    for version in ("2", "3"):
        stream.activate(version, sha256(version.encode()).hexdigest())
    stream.take(stream.gate.time_passed(1_000))
    assert stream.refusals() == ["missing_artifact", "missing_artifact"]
    assert stream.accepted == ["good"]


@pytest.mark.parametrize("left", [0, 1, 63, 64, -1])
def test_a_truncated_artifact_is_refused_under_its_own_digest_and_under_the_whole_ones(stream, trees, left):
    stream.deploy("2", trees[:left] or b"\x89")
    stream.deploy("3", trees[:left] or b"\x89", name=sha256(b"whole").hexdigest())
    assert stream.refusals() == ["truncated", "truncated"]


@pytest.mark.parametrize(
    "data",
    [
        lambda trees: bytes(MAX_BYTES + 1),
        lambda trees: trees + bytes(MAX_BYTES),
        lambda trees: bomb(33 * 1024 * 1024),
        lambda trees: rewrapped(trees, header=2 * 1024 * 1024),
        lambda trees: rewrapped(trees, packed=2**40),
    ],
)
def test_what_is_larger_than_an_artifact_may_be_is_refused_before_it_is_unpacked(stream, trees, data):
    stream.deploy("2", data(trees))
    refused_once(stream, "oversized")


def test_arrays_larger_than_announced_are_refused(stream):
    honest = bomb(1024)
    lying = bytearray(honest)
    inflated = zlib.compress(bytes(64 * 1024 * 1024), 9)
    header = struct.unpack_from("<8sHHIQQ", honest)[3]
    lying = bytearray(honest[: 64 + header] + inflated)
    stream.deploy("2", rewrapped(bytes(lying), packed=len(inflated)))
    refused_once(stream, "oversized")


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(200), b"\x80\x04\x95pickle" * 20])
def test_another_file_is_refused(stream, data):
    stream.deploy("2", data)
    refused_once(stream, "not_an_artifact")


def test_a_later_format_and_a_flipped_bit_are_refused(stream, trees):
    stream.deploy("2", rewrapped(trees, version=2))
    flipped = bytearray(trees)
    flipped[len(trees) // 2] ^= 4
    stream.deploy("3", bytes(flipped))
    assert stream.refusals() == ["unsupported_version", "corrupt"]


def test_after_all_that_the_champion_is_the_good_one_and_a_replay_says_nothing_again(trees, linear, tampered):
    stream = Stream(trees)
    deployed = [stream.deploy(case, tampered(trees, edit)) for case, (_, edit) in TAMPERED.items()]
    stream.take(stream.gate.time_passed(1_000))
    before = len(stream.events)
    for activation in deployed:
        stream.take(stream.gate.activation_arrived(activation, 5))
    assert len(stream.events) == before
    assert stream.accepted == ["good"]
    stream.deploy("better", linear)
    assert stream.accepted == ["good", "better"]


def test_a_tombstone_and_a_delete_are_not_the_gates_business():
    from udfs.domain.metadata import IgnoredRow

    deleted = {"before": {"digest": "x"}, "after": None, "op": "d", "source": {"table": "model_activation"}}
    assert isinstance(parse_metadata(None), IgnoredRow)
    assert isinstance(parse_metadata(orjson.dumps(deleted).decode()), IgnoredRow)


def test_tampering_in_these_tests_is_all_that_is_wrong(trees, linear, tampered):
    for data in (trees, linear):
        again = tampered(data, lambda header, arrays: None)
        assert again == data
        assert Artifact.decode(again).header["kind"]
        stream = Stream(data)
        stream.deploy("2", tampered(data, header_edit("seed", 5)))
        assert stream.accepted == ["good", "2"]
