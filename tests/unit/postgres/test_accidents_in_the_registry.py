"""A version deleted while it is champion, a renamed model, two promotions at once, bytes that are not their digest.

Rows as a real PostgreSQL makes them go to the job's gate: the stream goes on, its scores name what really scored, and what
people read of the registry is true.
"""

from __future__ import annotations

import random

import psycopg
import pytest

from connectors.local.postgres import Postgres
from connectors.postgres.activation_record import ActivationRecord
from connectors.postgres.metadata_store import MetadataStore
from jobs.commands.models import models, not_in_mlflow
from jobs.commands.rollback import previous_activation
from model_store.gate import Gate
from model_store.model_version import ModelVersion
from tests.unit.postgres.conftest import AsMlflow
from udfs.domain.errors import ArtifactError, RegistryError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import Activation, ArtifactPart


class Stream:
    """The job's gate, fed with the rows of the registry in the order of their numbers; what it told the scorers."""

    def __init__(self, store: MetadataStore, model: str = "fraud") -> None:
        self._store, self._seen = store, 0
        self._gate = Gate({}, model=model, feature_sets=FeatureCatalog(), admit=self._admit, patience_ms=1_000)
        self.scoring: dict[str, tuple[str, bytes]] = {}
        self.events: list[tuple[str, str, str]] = []

    def read(self, chance: random.Random | None = None) -> None:
        """Take the rows that have come since, and with ``chance`` older ones again among them."""
        rows = sorted(self._store.history(), key=lambda row: row.deployment_seq)
        new = [row for row in rows if row.deployment_seq > self._seen]
        self._seen = max((row.deployment_seq for row in rows), default=0)
        for row in new:
            for each in [*(chance.choices(rows[: rows.index(row) + 1], k=3) if chance else ()), row]:
                self._take(each)

    def _take(self, row: ActivationRecord) -> None:
        data = self._store.load_artifact(row.digest)
        self._gate.part_arrived(ArtifactPart(row.digest, 0, 1, data))
        activation = Activation(
            row.deployment_seq, row.model, row.role, row.version, row.digest, row.threshold, 0, row.retired
        )
        ruling = self._gate.activation_arrived(activation, 0)
        self.events += [(each.activation.version, each.event, each.reason or "") for each in ruling.events]
        for verdict in ruling.verdicts:
            if not verdict.accepted:
                continue
            if verdict.activation.retired:
                self.scoring.pop(verdict.activation.role, None)
            elif verdict.artifact is not None:
                self.scoring[verdict.activation.role] = (verdict.activation.version, verdict.artifact)

    @staticmethod
    def _admit(data: bytes, digest: str, **_: object) -> None:
        if data == b"bad":
            raise ArtifactError("probes", "scores differ")


@pytest.fixture
def deployed(mlflow: AsMlflow, store: MetadataStore) -> Stream:
    """Version 1, then 2 as champion of a stream that has read so."""
    for version in (1, 2, 3):
        mlflow.tag(version, digest=store.insert_artifact(b"%d" % version))
    mlflow.alias("champion", 1)
    mlflow.alias("champion", 2)
    stream = Stream(store)
    stream.read()
    assert stream.scoring == {"champion": ("2", b"2")}
    return stream


def version(store: MetadataStore, number: str) -> ModelVersion:
    digest = store.insert_artifact(number.encode())
    return ModelVersion(
        model="fraud", version=number, digest=digest, threshold=None, algorithm="", feature_set="", roles=(), run_id="",
        created_ms=0, metrics={}, parent="", commit="", data="", trained_until_ms=0,
    )  # fmt: skip


def test_a_champion_deleted_in_mlflow_goes_on_scoring_and_is_named_as_gone(
    mlflow: AsMlflow, store: MetadataStore, deployed: Stream
) -> None:
    mlflow.delete_version(2)
    deployed.read()
    assert deployed.scoring == {"champion": ("2", b"2")}
    left = [version(store, "3"), version(store, "1")]
    (gone,) = not_in_mlflow(left, store.deployments("fraud"))
    assert (gone.role, gone.version) == ("champion", "2")
    present, before = previous_activation(store.history("fraud"), "fraud", "champion", {"1", "3"})
    assert (present.version, before.version) == ("2", "1")
    mlflow.alias("champion", 1)
    deployed.read()
    assert deployed.scoring == {"champion": ("1", b"1")}
    assert not_in_mlflow(left, store.deployments("fraud")) == []


def test_where_mlflow_has_none_of_the_versions_before_going_back_says_so(
    mlflow: AsMlflow, store: MetadataStore, deployed: Stream
) -> None:
    mlflow.delete_version(1)
    with pytest.raises(
        RegistryError, match=r"MLflow has none of the versions that were champion of fraud before \(1\)"
    ):
        previous_activation(store.history("fraud"), "fraud", "champion", {"2", "3"})


def test_a_renamed_model_keeps_scoring_under_the_name_its_inferences_carry(
    mlflow: AsMlflow, store: MetadataStore, deployed: Stream
) -> None:
    rename = "UPDATE registered_models SET name = 'other'"
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="cannot be renamed to other"):
        mlflow.connection.execute(rename)
    mlflow.unalias("champion")
    mlflow.connection.execute(rename)
    mlflow.connection.execute("UPDATE model_version_tags SET name = 'other'")
    mlflow.connection.execute(
        "INSERT INTO registered_model_aliases (name, alias, version) VALUES ('other', 'champion', 3)"
    )
    deployed.read()
    assert deployed.scoring == {"champion": ("2", b"2")}, "this stream's model is fraud"
    assert [row.version for row in not_in_mlflow([], store.deployments("fraud"))] == ["2"]
    following = Stream(store, "other")
    following.read()
    assert following.scoring == {"champion": ("3", b"3")}


@pytest.mark.parametrize("seed", range(5))
def test_of_two_promotions_in_one_transaction_the_later_holds_and_each_is_judged_once(
    mlflow: AsMlflow, store: MetadataStore, deployed: Stream, seed: int
) -> None:
    with mlflow.connection.transaction():
        mlflow.alias("champion", 3)
        mlflow.alias("champion", 1)
        mlflow.alias("shadow", 2)
    deployed.read(random.Random(seed))
    assert deployed.scoring == {"champion": ("1", b"1"), "shadow": ("2", b"2")}
    assert [name for name, event, _ in deployed.events if event == "activated"] == ["1", "2", "3", "1", "2"]
    present, before = previous_activation(store.history("fraud"), "fraud", "champion", {"1", "2", "3"})
    assert (present.version, before.version) == ("1", "3")
    newest = {row.role: row.version for row in store.deployments("fraud")}
    assert newest == {role: name for role, (name, _) in deployed.scoring.items()}


def test_promotions_of_a_transaction_that_is_taken_back_never_were(
    mlflow: AsMlflow, store: MetadataStore, deployed: Stream
) -> None:
    before = store.history()
    with mlflow.connection.transaction(force_rollback=True):
        mlflow.alias("champion", 3)
    deployed.read()
    assert store.history() == before
    assert deployed.scoring == {"champion": ("2", b"2")}


@pytest.mark.parametrize("parts", [[b"other bytes"], [b"other ", b"bytes"]])
def test_bytes_that_are_not_their_digest_are_never_deployed_and_the_champion_stays(
    mlflow: AsMlflow, store: MetadataStore, postgres: Postgres, deployed: Stream, parts: list[bytes]
) -> None:
    digest = "ab" * 32
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        for number, data in enumerate(parts):
            connection.execute(
                "INSERT INTO weir.model_artifact (digest, part, parts, bytes) VALUES (%s, %s, %s, %s)",
                (digest, number, len(parts), data),
            )
    mlflow.tag(3, digest=digest)
    sentence = (
        f"fraud version 3 cannot become champion: the bytes in weir.model_artifact are not those of its digest {digest}"
    )
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match=sentence):
        mlflow.alias("champion", 3)
    with pytest.raises(RegistryError, match="not those of its digest"):
        store.activate("fraud", "3", digest)
    deployed.read()
    assert deployed.scoring == {"champion": ("2", b"2")}
    assert [row.version for row in store.deployments("fraud")] == ["2"], "what models and status say is what scores"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_verb_models_names_a_deployment_that_mlflow_does_not_have(
    mlflow: AsMlflow,
    store: MetadataStore,
    deployed: Stream,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    class Nothing:
        def versions(self, _: str) -> list[ModelVersion]:
            return []

    monkeypatch.setattr("jobs.commands.models.metadata_store_of", lambda _: store)
    monkeypatch.setattr("jobs.commands.models.registry_of", lambda _: Nothing())
    models("fraud", as_json=as_json)
    said = " ".join(capsys.readouterr().out.split())
    if as_json:
        assert '"not_in_mlflow": [ { "role": "champion", "version": "2" } ]' in said or '"not_in_mlflow":[{' in said
    else:
        assert said.startswith("Version 2 is champion and goes on scoring, but MLflow does not have it")
        assert "no version yet" not in said
