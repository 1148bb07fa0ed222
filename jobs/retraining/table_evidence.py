"""Evidence for or against a version: what it scored in the stream, scored again by both, against the truths told since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from connectors.postgres.activation_record import ActivationRecord
from jobs.comparison import compare_versions, widest
from jobs.features.feature_rows import FeatureRow, feature_set_of_version
from jobs.training.table_rows import TableRows
from model_store.compiled_scorer import load_scorer
from udfs.domain.errors import SettingsError
from udfs.domain.evidence import Evidence

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["TableEvidence"]


class Artifacts(Protocol):
    """What is asked of the registry's tables."""

    def load_artifact(self, digest: str) -> bytes:
        """Return an artifact's bytes."""
        ...

    def feature_rows(self) -> list[FeatureRow]:
        """Return the rows that define feature sets."""
        ...


class TableEvidence:
    """Compares versions on the transactions one of them scored in the stream.

    A score is made again from the recorded features: it has the same bits as the recorded one (``weir verify``), and the
    other version has a score of each, too, whether it ran at that time or not.

    Parameters
    ----------
    catalog
        Of the tables.
    artifacts
        Where versions' bytes are.
    """

    def __init__(self, catalog: Catalog, artifacts: Artifacts) -> None:
        self._catalog, self._artifacts = catalog, artifacts

    def of(self, judged: ActivationRecord, other: ActivationRecord, confidence: float) -> Evidence:
        """Compare on what ``judged`` scored in its role, new to both: what either was trained on does not count.

        Raises
        ------
        SettingsError
            If the other knows a feature that the judged one does not, so that nobody recorded it.
        ConnectionLostError, TablesError, ArtifactError
            If the tables or an artifact cannot be read.
        """
        a, b = (load_scorer(self._artifacts.load_artifact(each.digest)) for each in (judged, other))
        if widest(a, b) is not a:
            labels = [each.header["feature_set"]["label"] for each in (a, b)]
            msg = (
                f"Version {judged.version} knows the features {labels[0]}, version {other.version} {labels[1]}: they "
                "cannot be compared. Decide by hand: weir promote, or weir retrain --anew."
            )
            raise SettingsError(msg)
        features = feature_set_of_version(a.header, self._artifacts.feature_rows)
        snapshot = TrainingSnapshot.newest(self._catalog)
        rows = read_labelled_rows(
            self._catalog,
            snapshot,
            features.label,
            features.features,
            since_ms=1 + max(each.header["trained_until_ms"] for each in (a, b)),
            scored_by=(judged.digest, judged.role),
        )
        examples = TableRows.of(snapshot, rows, 0, None).examples(features)
        found = compare_versions(a, b, examples, confidence=confidence)
        return Evidence(
            version=judged.version,
            other=other.version,
            scored=len(rows),
            positives=found.positives,
            negatives=found.negatives,
            difference=found.difference,
            low=found.ci_low,
            high=found.ci_high,
        )
