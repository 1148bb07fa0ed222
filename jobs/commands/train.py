"""``weir train``: train a version on a data file or on generated history, and register it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.row_range import RowRange
from jobs.settings import Settings
from jobs.training.algorithms import algorithm_of

if TYPE_CHECKING:
    from connectors.data.dataset import Dataset
    from jobs.training.table_rows import TableRows
    from jobs.training.train_version import TrainedVersion
    from udfs.domain.feature_set import FeatureSet

__all__ = ["train"]


def train(
    source: Annotated[
        str | None, typer.Option("--from", metavar="iceberg[@TAG]", help="The stream's tables, now or as tagged.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="With --from: events at or after this time, ISO 8601 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(help="With --from: events before this time.")] = None,
    data: Annotated[str, typer.Option(help="A parquet or CSV file, or generator.")] = "generator",
    algorithm: Annotated[
        str | None, typer.Option(help="half-space-trees (default) or logistic-regression; a parent's own.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The registered model; WEIR_MODEL by default.")] = None,
    rows: Annotated[
        str, typer.Option(help="FROM:TO, counted in event order from 0; rows before FROM only fill the windows.")
    ] = "0:",
    feature_set: Annotated[
        str | None,
        typer.Option(help="A feature set: name, or name@version; else the parent's, or what the data allows."),
    ] = None,
    truth_delay: Annotated[str, typer.Option(help="When a label is known after its event: 6d23h, 90m.")] = "6d23h",
    mapping: Annotated[
        str, typer.Option("--map", help="field=column,... for other files: customer_id=card,amount=value")
    ] = "",
    parent: Annotated[
        str | None, typer.Option(help="Go on from this version: learn from the rows after its last one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the algorithm, and of the generator.")] = 42,
    alert_rate: Annotated[
        float, typer.Option(help="Share of transactions the suggested threshold lets through.")
    ] = 0.001,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Train a version in event order, scoring each transaction before learning from it, and register it in MLflow.

    With --parent the version continues another: its model goes on learning where that one stopped. With --from iceberg it
    learns from what the stream recorded, features and truths as they came; the snapshot is tagged, so it can be read again.

    Example: weir train --from iceberg --algorithm logistic-regression
    """
    with errors_as_sentences():
        from connectors.data.dataset import GENERATOR
        from jobs.features.feature_rows import feature_set_named
        from jobs.registry_access import metadata_store_of, registry_of
        from jobs.training.train_version import train_version

        settings, wanted = Settings(), RowRange.parse(rows)
        registry, store = registry_of(settings), metadata_store_of(settings)
        model = model or settings.model
        if algorithm is not None:
            algorithm_of(algorithm)
        if feature_set is None and parent is not None:
            feature_set = registry.version(model, parent).feature_set or None
        opened: Dataset | TableRows
        if source is None:
            opened = _dataset(data, wanted, mapping, truth_delay, seed)
            feature_set = feature_set or opened.feature_set
        else:
            features = feature_set_named(feature_set or settings.feature_set, store.feature_rows)
            feature_set = features.label
            opened = _table_rows(settings, source, features, (since, until))
        with _bar(max(len(opened) - wanted.first, 0), quiet=as_json) as progress:
            trained = train_version(
                opened,
                registry=registry,
                store=store,
                model=model,
                algorithm=algorithm,
                feature_set=feature_set,
                first_row=wanted.first,
                seed=seed,
                alert_rate=alert_rate,
                parent=parent,
                data_path=None if data == GENERATOR or source else str(Path(data).resolve()),
                progress=progress,
            )
        if as_json:
            print_json(asdict(trained))
        else:
            _say(trained)


def _dataset(data: str, rows: RowRange, mapping: str, truth_delay: str, seed: int) -> Dataset:
    from connectors.data.dataset import open_dataset
    from connectors.data.options import parse_duration_ms, parse_mapping

    delay_ms = parse_duration_ms(truth_delay)
    return open_dataset(data, rows=rows.last, mapping=parse_mapping(mapping), truth_delay_ms=delay_ms, seed=seed)


def _table_rows(
    settings: Settings, source: str, features: FeatureSet, window: tuple[str | None, str | None]
) -> TableRows:
    from connectors.data.options import parse_time_ms
    from jobs.tables.access import catalog_of
    from jobs.training.open_table_rows import open_table_rows, parse_source

    since_ms, until_ms = (None if each is None else parse_time_ms(each) for each in window)
    tag = parse_source(source)
    return open_table_rows(catalog_of(settings), features, tag=tag, since_ms=since_ms or 0, until_ms=until_ms)


def _say(trained: TrainedVersion) -> None:
    roc_auc = "no ROC AUC (a class is missing)" if trained.roc_auc is None else f"ROC AUC {trained.roc_auc:.4f}"
    continues = "" if trained.parent is None else f" continues version {trained.parent},"
    stdout.print(
        f"{trained.model} version {trained.version}:{continues} {trained.algorithm} on {trained.examples:,} transactions, "
        f"{trained.frauds:,} frauds; {roc_auc}, each scored before it was learned from.\n"
        f"Deploy it with: weir promote {trained.model} {trained.version}",
        highlight=False,
    )


@contextmanager
def _bar(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show progress on a terminal's stderr; nothing where programs read."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, disable=quiet or not stderr.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda seen: bar.update(task, completed=seen)
