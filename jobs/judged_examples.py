"""Where ``weir compare`` and ``weir backtest`` take their transactions from: a dataset, or the stream's own record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connectors.data.dataset import open_dataset
from connectors.data.options import parse_duration_ms, parse_mapping
from jobs.features.feature_rows import feature_set_of_version
from jobs.kafka_address import kafka_address
from jobs.recorded_examples import recorded_examples
from jobs.registry_access import metadata_store_of
from jobs.row_range import RowRange
from jobs.settings import Settings
from jobs.tables.access import catalog_of
from jobs.training.open_table_rows import open_table_rows, parse_source
from jobs.training.training_course import Example
from jobs.training.training_examples import examples_of
from model_store.scorer import Scorer
from udfs.domain.errors import SettingsError

__all__ = ["JudgedExamples"]


@dataclass(frozen=True, slots=True)
class JudgedExamples:
    """What a person asked for.

    Parameters
    ----------
    data
        A file or ``generator``; None for the topics ``inferences`` and ``truths``.
    rows
        ``FROM:TO`` of the dataset.
    truth_delay
        When a label is known after its event: ``6d23h``.
    mapping
        ``field=column,...`` for other files.
    seed
        Of the generator.
    tables
        ``iceberg`` or ``iceberg@TAG``: the tables instead of the topics.
    """

    data: str | None
    rows: str = "0:"
    truth_delay: str = "6d23h"
    mapping: str = ""
    seed: int = 42
    tables: str | None = None

    def of(
        self, scorer: Scorer, settings: Settings, progress: Callable[..., None]
    ) -> tuple[Iterable[Example], int | None]:
        """Return examples on a version's features, in event order, and how many there are about.

        Raises
        ------
        SettingsError, DataFileError, ConnectionLostError
            If the data does not have the features, cannot be read, or the broker does not answer.
        """
        features = feature_set_of_version(scorer.header, lambda: metadata_store_of(settings).feature_rows())
        label = features.label
        if self.tables is not None:
            opened = open_table_rows(catalog_of(settings), features, tag=parse_source(self.tables), keep=False)
            return opened.examples(features), len(opened)
        if self.data is None:
            address = kafka_address(settings)
            found = recorded_examples(address, label, features.features, progress=progress)
            return found, len(found)
        wanted = RowRange.parse(self.rows)
        dataset = open_dataset(
            self.data,
            rows=wanted.last,
            mapping=parse_mapping(self.mapping),
            truth_delay_ms=parse_duration_ms(self.truth_delay),
            seed=self.seed,
        )
        missing = [name for name in features.required_fields if name not in dataset.columns.fields]
        if missing:
            msg = f"The data has no {', '.join(missing)}, which the version's features {label} need; give other data."
            raise SettingsError(msg)
        return examples_of(dataset, features, wanted.first), max(len(dataset) - wanted.first, 0)
