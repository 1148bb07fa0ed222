"""The gate judges each activation once, and nothing that comes again or late moves a deployment back."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_store.gate import Gate, Verdict
from model_store.kept_artifacts import MAX_ARTIFACT_BYTES
from udfs.domain.deployment import Deployment
from udfs.domain.errors import ArtifactError, JobError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.metadata import Activation, ArtifactPart, FeatureDefinition
from udfs.domain.window_feature import WindowFeature

GOOD, BAD = b"good artifact", b"bad artifact"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def activation(
    seq: int,
    data: bytes = GOOD,
    role: str = "champion",
    *,
    retired: bool = False,
    model: str = "fraud",
    effective_from_ms: int = 0,
) -> Activation:
    return Activation(seq, model, role, str(seq), digest_of(data), None, effective_from_ms, retired)


def part(data: bytes, index: int = 0, parts: int = 1, digest: str | None = None) -> ArtifactPart:
    return ArtifactPart(digest or digest_of(data), index, parts, data)


def admit(data: bytes, digest: str, **_: object) -> None:
    if digest_of(data) != digest:
        raise ArtifactError("wrong_digest", "other bytes")
    if data.startswith(b"bad"):
        raise ArtifactError("probes", "scores differ")


@pytest.fixture
def state() -> dict[str, bytes]:
    return {}


@pytest.fixture
def gate(state: dict[str, bytes]) -> Gate:
    return Gate(state, model="fraud", feature_sets=FeatureCatalog(), admit=admit, patience_ms=1_000)


def said(ruling) -> list[tuple[str, str | None]]:
    return [(event.event, event.reason) for event in ruling.events]


def test_a_whole_good_artifact_is_activated_with_its_bytes(gate):
    gate.part_arrived(part(GOOD))
    ruling = gate.activation_arrived(activation(1), 0)
    assert said(ruling) == [("activated", None)]
    assert [(verdict.accepted, verdict.artifact) for verdict in ruling.verdicts] == [(True, GOOD)]


def test_a_bad_artifact_is_rejected_with_its_reason_and_scorers_learn_that_it_was_judged(gate):
    gate.part_arrived(part(BAD))
    ruling = gate.activation_arrived(activation(1, BAD), 0)
    assert said(ruling) == [("rejected", "probes: scores differ")]
    assert [verdict.accepted for verdict in ruling.verdicts] == [False]


def test_bytes_under_another_digest_are_rejected(gate):
    gate.part_arrived(part(GOOD, digest=digest_of(BAD)))
    assert said(gate.activation_arrived(activation(1, BAD), 0))[0][1].startswith("wrong_digest")


def test_an_activation_before_its_artifact_waits_and_is_judged_when_the_last_part_comes(gate):
    assert said(gate.activation_arrived(activation(1), 0)) == [("pending", "missing_artifact")]
    assert gate.waits
    assert said(gate.part_arrived(part(GOOD[:4], 0, 2, digest_of(GOOD)))) == []
    assert said(gate.part_arrived(part(GOOD[4:], 1, 2, digest_of(GOOD)))) == [("activated", None)]
    assert not gate.waits


def test_a_missing_chunk_is_rejected_when_patience_ends(gate):
    gate.part_arrived(part(GOOD[:4], 0, 2, digest_of(GOOD)))
    assert said(gate.activation_arrived(activation(1), 0)) == [("pending", "missing_chunk")]
    assert said(gate.time_passed(999)) == []
    assert said(gate.time_passed(1_000)) == [("rejected", "missing_chunk")]
    assert said(gate.time_passed(9_999)) == []


def test_an_oversized_artifact_is_rejected_at_once(gate):
    data = b"x" * (MAX_ARTIFACT_BYTES + 1)
    gate.part_arrived(part(data))
    assert said(gate.activation_arrived(activation(1, data), 0)) == [("rejected", "oversized")]


def test_a_pending_activation_that_was_overtaken_never_moves_the_role_back(gate):
    gate.activation_arrived(activation(1, BAD), 0)
    gate.part_arrived(part(GOOD))
    assert said(gate.activation_arrived(activation(2), 0)) == [("activated", None)]
    assert said(gate.part_arrived(part(BAD))) == [("rejected", "superseded")]


def test_the_champion_is_never_retired_to_nothing_but_a_challenger_is(gate):
    gate.part_arrived(part(GOOD))
    gate.activation_arrived(activation(1), 0)
    gate.activation_arrived(activation(2, role="shadow"), 0)
    assert said(gate.activation_arrived(activation(3, retired=True), 0))[0][0] == "rejected"
    assert said(gate.activation_arrived(activation(4, role="shadow", retired=True), 0)) == [("retired", None)]


def test_an_effective_time_behind_the_watermark_is_refused_but_not_of_what_was_in_force_at_submission(state):
    gate = Gate(state, model="fraud", feature_sets=FeatureCatalog(), admit=admit, patience_ms=1_000, first_seq=1)
    gate.part_arrived(part(GOOD))
    gate.watermark_ms = 5_000
    assert said(gate.activation_arrived(activation(1, effective_from_ms=10), 0)) == [("activated", None)]
    ruling = gate.activation_arrived(activation(2, effective_from_ms=5_000), 0)
    [(event, reason)] = said(ruling)
    assert event == "rejected"
    assert reason.startswith(
        "effective_from_behind_watermark: effective_from_ms is 5000, the transactions' watermark 5000"
    )
    assert [verdict.accepted for verdict in ruling.verdicts] == [False]
    assert said(gate.activation_arrived(activation(3, effective_from_ms=5_001), 0)) == [("activated", None)]
    gate.watermark_ms = 9_000
    gate.activation_arrived(activation(4, role="shadow", effective_from_ms=9_001), 0)
    assert said(gate.activation_arrived(activation(5, role="shadow", retired=True), 0)) == [("retired", None)]


def test_the_watermark_that_counts_is_the_one_when_the_artifact_is_whole(gate):
    gate.watermark_ms = 0
    assert said(gate.activation_arrived(activation(1, effective_from_ms=100), 0)) == [("pending", "missing_artifact")]
    gate.watermark_ms = 100
    assert said(gate.part_arrived(part(GOOD)))[0][0] == "rejected"


def test_rows_of_another_model_are_noted_and_not_judged(gate):
    ruling = gate.activation_arrived(activation(1, model="other"), 0)
    assert not ruling.events
    assert [verdict.accepted for verdict in ruling.verdicts] == [False]


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_repeats_and_replays_end_in_the_same_deployment_and_each_activation_is_judged_once(seed, count):
    numbers = random.Random(seed)
    rows: list[Activation | ArtifactPart] = [part(GOOD), part(BAD)]
    for seq in range(1, count + 1):
        role = numbers.choice(["champion", "shadow"])
        rows.append(activation(seq, numbers.choice([GOOD, BAD]), role, retired=numbers.random() < 0.2))
    again = [row for index, row in enumerate(rows) for row in (row, *rows[: index if numbers.random() < 0.3 else 0])]

    def run(sequence) -> tuple[Deployment, list]:
        gate = Gate({}, model="fraud", feature_sets=FeatureCatalog(), admit=admit, patience_ms=1_000)
        deployment, events = Deployment(), []
        for row in sequence:
            ruling = gate.part_arrived(row) if isinstance(row, ArtifactPart) else gate.activation_arrived(row, 0)
            events += [(event.activation.deployment_seq, event.event) for event in ruling.events]
            for message in ruling.verdicts:
                verdict = Verdict.from_json(message.to_json())
                seen = verdict.activation
                deployment = deployment.accept(seen) if verdict.accepted else deployment.saw(seen.deployment_seq)
        return deployment, events

    once, replayed = run(rows), run(again)
    assert once == replayed
    assert len(set(once[1])) == len(once[1])
    # What scorers hold is the newest good activation of each role, by a second way of finding it.
    for role in ("champion", "shadow"):
        current = None
        for row in rows:
            if isinstance(row, Activation) and row.role == role:
                if row.retired:
                    current = current if role == "champion" else None
                elif row.digest == digest_of(GOOD):
                    current = row
        assert once[0].active(role) == current


def test_a_deployment_survives_its_encoding():
    deployment = Deployment().accept(activation(1)).accept(activation(2, role="shadow")).saw(9)
    assert Deployment.from_json(deployment.to_json()) == deployment


def test_a_deployment_of_a_later_schema_is_refused():
    with pytest.raises(JobError, match="schema 2"):
        Deployment.from_json(b'{"schema":2,"seen_seq":0,"roles":{}}')


MINE = FeatureSet("mine", 1, ("N",), (), (WindowFeature("N", "customer", "count", 3_600_000),))
ROW = FeatureDefinition(MINE.name, MINE.version, MINE.hash, MINE.definition())


def needs_mine(data: bytes, digest: str, feature_sets) -> None:
    if "mine@1" not in feature_sets:
        raise ArtifactError("unknown_feature_set", "mine@1")


@pytest.fixture
def needing(state: dict[str, bytes]) -> Gate:
    gate = Gate(state, model="fraud", feature_sets=FeatureCatalog(), admit=needs_mine, patience_ms=1_000)
    gate.part_arrived(part(GOOD))
    return gate


def test_a_version_waits_for_the_row_of_its_feature_set(needing, state):
    assert said(needing.activation_arrived(activation(1), 0)) == [("pending", "unknown_feature_set: mine@1")]
    assert said(needing.part_arrived(part(GOOD))) == [], "it goes on waiting, and says so once"
    ruling = needing.definition_arrived(ROW)
    assert [(each.label, each.event) for each in ruling.uptakes] == [("mine@1", "feature_set_taken_up")]
    assert said(ruling) == [("activated", None)]
    assert not needing.waits
    again = Gate(state, model="fraud", feature_sets=FeatureCatalog(), admit=needs_mine, patience_ms=1_000)
    assert again.definition_arrived(ROW).uptakes == [], "a row that comes again after a restart"
    assert said(again.activation_arrived(activation(2), 0)) == [("activated", None)]


def test_a_row_that_does_not_come_rejects_when_patience_ends_and_an_overtaken_version_never_comes_back(needing):
    needing.activation_arrived(activation(1), 0)
    assert said(needing.time_passed(999)) == []
    assert said(needing.time_passed(1_000)) == [("rejected", "unknown_feature_set: mine@1")]
    needing.activation_arrived(activation(2), 2_000)
    needing.activation_arrived(activation(3), 2_000)
    assert said(needing.definition_arrived(ROW)) == [("rejected", "superseded"), ("activated", None)]


def test_an_overtaken_version_whose_row_does_not_come_is_told_what_it_lacked(needing):
    needing.activation_arrived(activation(1), 0)
    needing.activation_arrived(activation(2), 0)
    lacked = ("rejected", "unknown_feature_set: mine@1")
    assert said(needing.time_passed(1_000)) == [lacked, lacked]


@pytest.mark.parametrize(
    ("row", "event", "reason"),
    [
        (replace(ROW, hash="0" * 64), "feature_set_refused", "its definition has"),
        (replace(ROW, definition={"features": ["N"]}), "feature_set_refused", "defines no feature set"),
        (FeatureDefinition("mine@1", 1, "", {"retired": True}), "feature_set_retired", None),
    ],
)
def test_what_becomes_of_other_rows(needing, row, event, reason):
    (uptake,) = needing.definition_arrived(row).uptakes
    assert (uptake.label, uptake.event) == ("mine@1", event)
    assert (uptake.reason is None) if reason is None else (reason in uptake.reason)
    assert needing.definition_arrived(row).uptakes == []
    handbook = FEATURE_SETS["handbook"]
    code = FeatureDefinition(handbook.name, handbook.version, handbook.hash, handbook.definition())
    assert needing.definition_arrived(code).uptakes == [], "the code's own sets are no news"
