"""Poisoned versions as rows of the registry: Debezium carries them to a running job, which refuses each with its reason.

The rows are written past the triggers that would refuse some of them, as a broken tool or a restored dump could.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import psycopg
import pytest

from model_store.artifact import Artifact
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for

CHUNK = 512 * 1024
ROWS = 300
PATIENCE_S = 90


def edited(edit: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    """Change a good artifact and encode it again: checksum and digest fit."""
    artifact = Artifact.decode(trained(1))
    header = orjson.loads(orjson.dumps(artifact.header))
    arrays = {name: array.copy() for name, array in artifact.arrays.items()}
    edit(header, arrays)
    return Artifact(header, arrays).encode()


def header(path: str, value: object) -> bytes:
    def edit(header: dict[str, Any], _: dict[str, Any]) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        inner: Any = header
        for part in parents:
            inner = inner[part]
        inner[last] = value

    return edited(edit)


def array(name: str, value: float) -> bytes:
    return edited(lambda _, arrays: arrays[name].flat.__setitem__(0, value))


def one_bit_off() -> bytes:
    def edit(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays["probes.scores"].view(np.int64)[7] ^= 1

    return edited(edit)


def bomb() -> bytes:
    """A few KiB that unpack to 40 MiB."""
    raw = 40 * 1024 * 1024
    head = orjson.dumps({"arrays": [["a", "<f8", [raw // 8]]], "kind": "half_space_trees"})
    return sealed(
        struct.pack("<8sHHIQQ", b"\x89WEIR\r\n\x1a", 1, 0, len(head), raw, 0), head, zlib.compress(bytes(raw))
    )


def long_header() -> bytes:
    packed = zlib.compress(b"")
    head = orjson.dumps({"kind": "x" * (1024 * 1024)})
    return sealed(struct.pack("<8sHHIQQ", b"\x89WEIR\r\n\x1a", 1, 0, len(head), 0, 0), head, packed)


def sealed(envelope: bytes, head: bytes, packed: bytes) -> bytes:
    envelope = envelope[:24] + struct.pack("<Q", len(packed))
    return envelope + sha256(envelope + head + packed).digest() + head + packed


@dataclass(frozen=True)
class Poison:
    """What is written, under which digest, without which parts; and what must be said of it."""

    reason: str
    data: bytes
    digest: str | None = None
    without: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return self.digest or sha256(self.data).hexdigest()


def poisons() -> dict[str, Poison]:
    """Return each kind of poison, at least two for every reason."""
    good, two_parts = trained(1), np.random.default_rng(5).bytes(CHUNK + 1_000)
    three_parts = np.random.default_rng(6).bytes(2 * CHUNK + 1_000)
    return {
        "digest of nothing": Poison("wrong_digest", header("seed", 1), "0" * 64),
        "digest of another": Poison("wrong_digest", header("seed", 2), sha256(b"another").hexdigest()),
        "no last chunk": Poison("missing_chunk", two_parts, without=(1,)),
        "no first chunk": Poison("missing_chunk", three_parts, without=(0,)),
        "a byte short": Poison("truncated", good[:-1]),
        "half": Poison("truncated", header("seed", 3)[: len(good) // 2]),
        "a bomb": Poison("oversized", bomb()),
        "a header of a MiB": Poison("oversized", long_header()),
        "another kind": Poison("unknown_kind", header("kind", "onnx")),
        "a step that is code": Poison("unknown_kind", header("model.steps.0.type", "os.system")),
        "another feature set": Poison("unknown_feature_set", header("feature_set.label", "mine@1")),
        "a later feature set": Poison("unknown_feature_set", header("feature_set.label", "handbook@2")),
        "another definition": Poison("feature_set_hash", header("feature_set.hash", "ab" * 32)),
        "no hash": Poison("feature_set_hash", header("feature_set.hash", "")),
        "NaN in the trees": Poison("not_finite", array("1.threshold", float("nan"))),
        "infinity in the scaler": Poison("not_finite", array("0.max", float("inf"))),
        "a probe a bit off": Poison("probes", one_bit_off()),
        "another tree": Poison("probes", array("1.r_mass", 17)),
        "dear": Poison("cost", header("cost_us", 1e6)),
        "no cost": Poison("cost", header("cost_us", None)),
        "first window open": Poison("not_warm", header("model.steps.1.first_window", True)),
        "first window open, by another name": Poison("not_warm", cold()),
        "no artifact": Poison("missing_artifact", b"", sha256(b"never written").hexdigest()),
        "no artifact either": Poison("missing_artifact", b"", sha256(b"nor this").hexdigest()),
    }


def cold() -> bytes:
    def edit(header: dict[str, Any], _: dict[str, Any]) -> None:
        header["model"]["steps"][1]["first_window"] = True
        header["seed"] = 77

    return edited(edit)


@contextmanager
def past_the_rules(dsn: str) -> Iterator[psycopg.Connection]:
    """Write without triggers; the tables' own checks hold."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def write(connection: psycopg.Connection, model: str, version: str, poison: Poison) -> int:
    """Insert the artifact's rows and the activation, a statement each; return its deployment_seq."""
    chunks = [poison.data[start : start + CHUNK] for start in range(0, len(poison.data), CHUNK)]
    for part, chunk in enumerate(chunks):
        if part not in poison.without:
            connection.execute(
                "INSERT INTO weir.model_artifact (digest, part, parts, bytes) VALUES (%s, %s, %s, %s)",
                (poison.name, part, len(chunks), chunk),
            )
    row = connection.execute(
        "INSERT INTO weir.model_activation (deployment_seq, model, role, version, digest, who, why) VALUES"
        " (nextval('weir.deployment_seq'), %s, 'champion', %s, %s, 'e2e', 'poison') RETURNING deployment_seq",
        (model, version, poison.name),
    ).fetchone()
    assert row is not None
    return int(row[0])


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    poisons: dict[str, Poison]
    sequence: dict[str, int] = field(default_factory=dict)
    inferences: list[dict[str, Any]] = field(default_factory=list)

    def refused(self) -> dict[int, list[str]]:
        """Return the reasons by deployment_seq."""
        found: dict[int, list[str]] = {}
        for each in self.job.model_events("rejected"):
            found.setdefault(each["deployment_seq"], []).append(each["reason"])
        return found


@pytest.fixture(scope="module")
def story(scoring):
    """A good champion scores; all poisons are written; it scores on; a good version replaces it."""
    story = Story(scoring, poisons())
    good = scoring.deploy(trained(1), "good")
    scoring.submit()
    scoring.wait_for_event("activated", "good")
    with past_the_rules(scoring.dsn) as connection:
        for name, poison in story.poisons.items():
            story.sequence[name] = write(connection, scoring.model, name, poison)
    wait_for("all are refused", lambda: len(story.refused()) >= len(story.poisons), PATIENCE_S)
    scoring.produce(without_truths(stream(ROWS, seed=1, first_id="a")))
    scoring.wait_for_sum(ROWS)
    better = scoring.deploy(trained(2), "better")
    scoring.wait_for_event("activated", "better")
    scoring.produce(without_truths(stream(ROWS, seed=2, first_id="b")), close=True)
    scoring.wait_for_sum(2 * ROWS + 4)
    story.inferences = scoring.messages("inferences")
    assert good != better
    return story


def test_each_poison_is_refused_once_with_its_reason(story):
    refused = story.refused()
    got = {name: [reason.partition(":")[0] for reason in refused[seq]] for name, seq in story.sequence.items()}
    assert got == {name: [poison.reason] for name, poison in story.poisons.items()}
    assert set(refused) == set(story.sequence.values())


def test_each_reason_had_at_least_two_cases(story):
    counts = Counter(poison.reason for poison in story.poisons.values())
    assert len(counts) == 12
    assert min(counts.values()) >= 2


def test_the_good_version_went_on_and_a_better_one_still_came_through(story):
    by_stream = {
        name: {each["version"] for each in story.inferences if each["transaction_id"][0] == name} for name in "ab"
    }
    assert by_stream == {"a": {"good"}, "b": {"better"}}
    assert len(story.inferences) == 2 * ROWS
    assert all(each["score"] is not None for each in story.inferences)
    assert [each["version"] for each in story.job.model_events("activated")] == ["good", "better"]


def test_no_model_restarted_the_job(story):
    assert story.job.restarts() == 0
    assert story.job.trouble() == []


def test_what_debezium_carried_is_what_was_written(story):
    """The poison is in the rows, not in the way they came."""
    names = {poison.name for poison in story.poisons.values()}
    carried: dict[str, dict[int, bytes]] = {}
    for record in story.job.records("weir.metadata"):
        try:
            row = orjson.loads(record.value or b"null")["after"]
        except (orjson.JSONDecodeError, KeyError, TypeError):  # other tests send what is no row
            continue
        if isinstance(row, dict) and str(row.get("digest")) in names and "bytes" in row:
            carried.setdefault(row["digest"], {})[row["part"]] = base64.b64decode(row["bytes"])
    assert carried
    for poison in story.poisons.values():
        for part, chunk in carried.get(poison.name, {}).items():
            assert part not in poison.without
            assert chunk == poison.data[part * CHUNK : (part + 1) * CHUNK]
