"""Training from the tables' rows: who learns from what, what a child learns, and what the record holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from connectors.data.dataset import open_dataset
from connectors.iceberg.labelled_rows import LabelledRows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.train_again import train_again
from jobs.training.table_rows import TableRows
from jobs.training.train_artifact import TrainedArtifact, train_artifact
from jobs.training.training_examples import examples_of
from model_store.artifact import Artifact
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS

FEATURES = FEATURE_SETS["handbook"]
DAY_MS = 86_400_000
SNAPSHOT = TrainingSnapshot("july", {"weir.inferences": 1, "weir.truths": 2})


def rows(count: int = 400, told_until_ms: int | None = None) -> LabelledRows:
    """Generated transactions over 60 days, with the truths told by a time."""
    examples = list(examples_of(open_dataset("generator", rows=count, seed=2), FEATURES))
    told = [told_until_ms is None or (each.truth_time_ms or 0) <= told_until_ms for each in examples]
    return LabelledRows(
        FEATURES.features,
        np.array([each.transaction_id for each in examples], dtype=np.str_),
        np.array([each.event_time_ms for each in examples]),
        np.array([list(each.vector.values()) for each in examples]),
        np.array([each.label if known else -1 for each, known in zip(examples, told, strict=True)]),
        np.array([each.truth_time_ms if known else -1 for each, known in zip(examples, told, strict=True)]),
    )


def trained(
    source: LabelledRows, algorithm: str = "logistic-regression", parent: bytes | None = None
) -> TrainedArtifact:
    return train_artifact(TableRows.of(SNAPSHOT, source, 0, None), FEATURES, algorithm=algorithm, parent=parent)


@pytest.mark.parametrize("algorithm", ["logistic-regression", "half-space-trees"])
def test_rows_of_the_tables_train_the_same_model_as_the_data_they_came_from(algorithm):
    from_tables = trained(rows(), algorithm)
    from_data = train_artifact(open_dataset("generator", rows=400, seed=2), FEATURES, algorithm=algorithm)
    arrays = [Artifact.decode(each.artifact).arrays for each in (from_tables, from_data)]
    assert arrays[0].keys() == arrays[1].keys()
    assert all(np.array_equal(arrays[0][name], arrays[1][name], equal_nan=True) for name in arrays[0])


def test_trees_learn_from_every_inference_and_a_supervised_model_from_the_labelled_ones():
    source = rows()
    some = replace(source, label=np.where(np.arange(len(source)) % 2, source.label, -1))
    assert trained(some).trained.examples == len(source) // 2
    assert trained(some, "half-space-trees").trained.examples == len(source)


def test_a_child_learns_the_truths_its_parent_could_not_know_and_nothing_twice():
    """Half of the stream's truths are told when the parent is trained; the child knows the rest."""
    end_ms = int(rows().event_time_ms[-1])
    early = rows(told_until_ms=end_ms - 20 * DAY_MS)
    parent = trained(early)
    child = trained(rows(), parent=parent.artifact)
    assert parent.trained.examples + child.trained.examples == len(early)
    assert parent.trained_until_ms < end_ms - 20 * DAY_MS < child.trained_until_ms
    assert child.data["last_truth_time_ms"] > parent.data["last_truth_time_ms"]
    with pytest.raises(SettingsError, match="goes on where it stopped"):
        trained(rows(), parent=child.artifact)


def test_truths_of_old_transactions_that_were_told_late_reach_the_child():
    source = rows()
    fast = np.arange(len(source)) % 3 > 0  # most truths come with the transaction, the others a year later
    told_ms = np.where(fast, source.event_time_ms, source.event_time_ms + 365 * DAY_MS)
    now = replace(source, truth_time_ms=np.where(fast, told_ms, -1), label=np.where(fast, source.label, -1))
    parent = trained(now)
    child = trained(replace(source, truth_time_ms=told_ms), parent=parent.artifact)
    assert child.trained.examples == int((~fast).sum())
    grandchild_of = Artifact.decode(child.artifact).header
    assert not len(TableRows.of(SNAPSHOT, replace(source, truth_time_ms=told_ms), 0, None).after(grandchild_of))


def test_a_child_of_trees_learns_from_later_transactions_only():
    source = rows()
    half = source.take(np.arange(len(source)) < 200)
    parent = trained(half, "half-space-trees")
    child = trained(source, "half-space-trees", parent.artifact)
    assert child.trained.examples == int((source.event_time_ms > half.event_time_ms[-1]).sum())


def test_a_record_is_enough_to_train_the_same_bytes_again(tmp_path):
    done = trained(rows())
    rows().write(tmp_path / "rows.npz")
    record = {
        "parameters": done.parameters,
        "data": done.data,
        "feature_set": FEATURES.label,
        "algorithm": "logistic-regression",
    }
    assert train_again(record, str(tmp_path / "rows.npz"), None) == done.artifact
    rows(399).write(tmp_path / "rows.npz")
    with pytest.raises(SettingsError, match="sha256"):
        train_again(record, str(tmp_path / "rows.npz"), None)


def test_the_record_names_tables_snapshots_tag_and_what_was_learned():
    data = Artifact.decode(trained(rows()).artifact).header["training"]["data"]
    assert data["source"] == "iceberg"
    assert data["tag"] == "july"
    assert data["tables"] == {"weir.inferences": 1, "weir.truths": 2}
    assert data["rows"] == data["labelled"] == 400
