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
    from jobs.training.train_version import TrainedVersion

__all__ = ["train"]


def train(
    data: Annotated[str, typer.Option(help="A parquet or CSV file, or generator.")] = "generator",
    algorithm: Annotated[
        str | None, typer.Option(help="half-space-trees (default) or logistic-regression; a parent's own.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The registered model; WEIR_MODEL by default.")] = None,
    rows: Annotated[
        str, typer.Option(help="FROM:TO, counted in event order from 0; rows before FROM only fill the windows.")
    ] = "0:",
    feature_set: Annotated[str | None, typer.Option(help="handbook or creditcard; what the data allows.")] = None,
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

    With --parent the version continues another: its model goes on learning where that one stopped.

    Example: weir train --data transactions.parquet --algorithm logistic-regression --rows 200000:300000
    """
    with errors_as_sentences():
        from connectors.data.dataset import GENERATOR, open_dataset
        from connectors.data.options import parse_duration_ms, parse_mapping
        from jobs.registry_access import metadata_store_of, registry_of
        from jobs.training.train_version import train_version

        settings, wanted = Settings(), RowRange.parse(rows)
        if algorithm is not None:
            algorithm_of(algorithm)
        dataset = open_dataset(
            data,
            rows=wanted.last,
            mapping=parse_mapping(mapping),
            truth_delay_ms=parse_duration_ms(truth_delay),
            seed=seed,
        )
        with _bar(max(len(dataset) - wanted.first, 0), quiet=as_json) as progress:
            trained = train_version(
                dataset,
                registry=registry_of(settings),
                store=metadata_store_of(settings),
                model=model or settings.model,
                algorithm=algorithm,
                feature_set=feature_set or dataset.feature_set,
                first_row=wanted.first,
                seed=seed,
                alert_rate=alert_rate,
                parent=parent,
                data_path=None if data == GENERATOR else str(Path(data).resolve()),
                progress=progress,
            )
        if as_json:
            print_json(asdict(trained))
        else:
            _say(trained)


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
