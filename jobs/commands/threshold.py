"""``weir threshold``: what thresholds catch, for so many alerts a day."""

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
    from jobs.threshold_rows import ThresholdRows

__all__ = ["threshold"]

AROUND = (0.25, 0.5, 1.0, 2.0, 4.0)


def threshold(
    model: Annotated[str, typer.Argument(help="The registered model, for example fraud.")],
    version: Annotated[str, typer.Argument(help="Its version, for example 2.")],
    alerts_per_day: Annotated[float, typer.Option(min=0.001, help="How many alerts a day people can look at.")] = 100,
    source: Annotated[
        str | None, typer.Option("--from", metavar="iceberg[@TAG]", help="The stream's tables instead of its topics.")
    ] = None,
    data: DataOption = None,
    rows: RowsOption = "0:",
    truth_delay: TruthDelayOption = "6d23h",
    mapping: MappingOption = "",
    seed: SeedOption = 42,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Tell the threshold that raises so many alerts a day, and the frauds and fraud value caught at it and around it.

    The transactions are those of the topics inferences and truths, of the tables, or of a data file; those the version was
    trained on do not count.

    Example: weir threshold fraud 2 --alerts-per-day 50
    """
    with errors_as_sentences():
        from jobs.judged_examples import JudgedExamples
        from jobs.registry_access import metadata_store_of, registry_of
        from jobs.threshold_rows import ThresholdRows
        from model_store.compiled_scorer import load_scorer

        settings = Settings()
        found = registry_of(settings).version(model, version)
        scorer = load_scorer(metadata_store_of(settings).load_artifact(found.digest))
        wanted = JudgedExamples(data, rows, truth_delay, mapping, seed, tables=source)
        with progress_bar("threshold", None, quiet=as_json) as done:
            examples, total = wanted.of(scorer, settings, done)
            result = ThresholdRows.of(
                scorer, examples, [alerts_per_day * each for each in AROUND], lambda seen: done(seen, total)
            )
        if as_json:
            print_json({"model": model, "version": version, **asdict(result)})
        else:
            _say(model, version, result)


def _say(model: str, version: str, result: ThresholdRows) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for column in (
        "alerts/day",
        "threshold",
        "alerts",
        "frauds caught",
        "missed",
        "value caught",
        "missed",
        "precision",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for each in result.rows:
        table.add_row(
            f"{each.alerts_per_day:g}",
            "none" if each.threshold is None else f"{each.threshold:.6g}",
            f"{each.alerts:,}",
            f"{each.caught:,}",
            f"{each.missed:,}",
            f"{each.value_caught:,.2f}",
            f"{each.value_missed:,.2f}",
            "" if each.precision is None else f"{each.precision:.3f}",
        )
    stdout.print(table)
    stdout.print(
        f"{result.scored:,} transactions of {result.days:,.1f} days, {result.frauds:,} known frauds; "
        f"{result.excluded:,} left out as known to the version.",
        highlight=False,
    )
    middle = result.rows[len(result.rows) // 2]
    if middle.threshold is not None:
        stdout.print(
            f"Deploy it with: weir promote {model} {version} --threshold {middle.threshold!r}", highlight=False
        )
