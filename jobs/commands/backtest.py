"""``weir backtest``: replay recorded events through a version, day by day."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.data_options import DataOption, MappingOption, RowsOption, SeedOption, TruthDelayOption
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.backtest import Backtest, DayFigures

__all__ = ["backtest"]


def backtest(
    model: Annotated[str, typer.Argument(help="The registered model, for example fraud.")],
    version: Annotated[str, typer.Argument(help="Its version, for example 2.")],
    since: Annotated[str | None, typer.Option(help="Events at or after this time: ISO 8601 (UTC) or epoch ms.")] = None,
    until: Annotated[str | None, typer.Option(help="Events before this time.")] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Go on learning after each score; the job never does.")
    ] = False,
    threshold: Annotated[float | None, typer.Option(help="Count alerts from this score on; the version's own.")] = None,
    data: DataOption = None,
    rows: RowsOption = "0:",
    truth_delay: TruthDelayOption = "6d23h",
    mapping: MappingOption = "",
    seed: SeedOption = 42,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Replay events through a version and print its figures per day; each is scored before it could be learned from.

    The events are those of the topics inferences and truths, with their recorded features, or of a data file. What the
    version was trained on does not count.

    Example: weir backtest fraud 2 --since 2018-07-25 --data transactions.parquet
    """
    with errors_as_sentences():
        from connectors.data.options import parse_time_ms
        from jobs.backtest import run_backtest
        from jobs.judged_examples import JudgedExamples
        from jobs.registry_access import metadata_store_of, registry_of
        from model_store.compiled_scorer import load_scorer

        settings = Settings()
        since_ms, until_ms = (None if each is None else parse_time_ms(each) for each in (since, until))
        found = registry_of(settings).version(model, version)
        artifact = metadata_store_of(settings).load_artifact(found.digest)
        wanted = JudgedExamples(data, rows, truth_delay, mapping, seed)
        with progress_bar("backtest", None, quiet=as_json) as done:
            examples, total = wanted.of(load_scorer(artifact), settings, done)
            result = run_backtest(
                artifact,
                examples,
                since_ms=since_ms,
                until_ms=until_ms,
                threshold=found.threshold if threshold is None else threshold,
                learn=learn,
                progress=lambda seen: done(seen, total),
            )
        if as_json:
            print_json({"model": model, "version": version, **asdict(result)})
        else:
            stdout.print(_table(model, version, result))
            if result.excluded:
                stdout.print(f"{result.excluded:,} transactions left out: the version knows them.", highlight=False)


def _table(model: str, version: str, result: Backtest) -> Table:
    title = f"{model} version {version} {result.digest[:8]}" + (", learning on" if result.learning else "")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    for column in (
        "day",
        "scored",
        "labelled",
        "frauds",
        "AUC",
        "95 % interval",
        "AP",
        "alerts",
        "caught",
    ):
        table.add_column(column, justify="left" if column == "day" else "right", no_wrap=True)
    for each in (*result.days, result.total):
        table.add_row(*_row(each))
    return table


def _row(each: DayFigures) -> list[str]:
    interval = "" if each.ci_low is None else f"{each.ci_low:.3f}-{each.ci_high:.3f}"
    roc_auc, precision = (
        "" if figure is None else f"{figure:.4f}" for figure in (each.roc_auc, each.average_precision)
    )
    counts = [f"{count:,}" for count in (each.scored, each.labelled, each.positives)]
    alerts = ["" if count is None else f"{count:,}" for count in (each.alerts, each.caught)]
    return [each.day, *counts, roc_auc, interval, precision, *alerts]
