"""Prints what came of a demo for people: a table of the versions, the figures, and what does not hold."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.demo.demo_result import DemoResult, VersionResult

__all__ = ["print_summary"]

CELLS = (
    "algorithm",
    "scored",
    "excluded",
    "frauds",
    "genuine",
    "ROC AUC",
    "± error bound",
    "95 % interval",
    "scikit-learn",
)
"""Excluded: scored, but trained on, so not counted below."""


def print_summary(console: Console, result: DemoResult, *, home: Path, kept: bool) -> None:
    """Print everything that was measured.

    Parameters
    ----------
    console
        Where to.
    result
        What to print.
    home
        Where the data are.
    kept
        Whether the stack still runs.
    """
    console.print()
    console.print(_versions(result))
    console.print(_figures(result, home))
    for check in result.checks:
        if not check.ok:
            console.print(Text(f"✗ {check.name}: {check.told}", "bold red"))
    if result.ok:
        console.print(Text(f"✓ all {len(result.checks)} checks hold", "bold green"))
    console.print()
    if kept:
        _print_what_to_try(console, result)
    else:
        command = _command()
        console.print(
            f"The stack is stopped, its data are kept: `{command} up` starts it again, `{command} down --purge` "
            f"removes them.",
            highlight=False,
        )


def _versions(result: DemoResult) -> Table:
    """Lay each version out as a column: so it fits the narrowest terminal."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("as champion", style="bold", no_wrap=True)
    for version in result.versions:
        table.add_column(f"version {version.version}", justify="right", no_wrap=True)
    total = sum(version.scored for version in result.versions)
    columns = [_cells(version, total) for version in result.versions]
    for name in CELLS:
        if name != "excluded" or any(version.excluded for version in result.versions):
            table.add_row(name, *(column[name] for column in columns))
    return table


def _cells(each: VersionResult, total: int) -> dict[str, str | Text]:
    interval = "" if each.ci_low is None or each.ci_high is None else f"{each.ci_low:.4f} - {each.ci_high:.4f}"
    cells: tuple[str | Text, ...] = (
        each.algorithm,
        f"{each.scored:,} ({each.scored / max(total, 1):.0%})",
        f"{each.excluded:,}",
        f"{each.positives:,}",
        f"{each.negatives:,}",
        "none" if each.roc_auc is None else f"{each.roc_auc:.6f}",
        "" if each.error_bound is None else "0 (exact)" if each.error_bound == 0 else f"{each.error_bound:.1e}",
        interval,
        _agreement(each),
    )
    return dict(zip(CELLS, cells, strict=True))


def _agreement(each: VersionResult) -> Text:
    if each.scikit_learn_roc_auc is None:
        return Text("a class is missing", "dim")
    return Text(f"{each.scikit_learn_roc_auc:.6f} {'✓' if each.agrees else '✗'}", "green" if each.agrees else "red")


def _figures(result: DemoResult, home: Path) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    account = result.account
    for swap in result.swaps:
        table.add_row(
            "swap",
            f"{swap.from_version} → {swap.to_version}: first score {swap.commit_to_first_score_ms:,} ms after the "
            f"commit of its row" + ("" if result.restarts else "; nothing restarted"),
        )
    if result.rejected is not None:
        table.add_row("poisoned", f"refused: {result.rejected['reason'].partition(':')[0]}; {_of_checks(result)}")
    table.add_row("latency", _latency(result.latency_ms))
    table.add_row("throughput", f"{result.events_per_s:,.0f} transactions a second, beside all of the above")
    table.add_row("restarts", f"{result.restarts}; the job was {result.job_state} when the sum was read")
    table.add_row("in = out", Text(str(account), "" if account.holds else "red"))
    table.add_row(
        "made again", f"{result.compared:,} scores made again by River in fresh processes: {result.mismatched:,} differ"
    )
    table.add_row("memory", f"{result.memory_mb / 1_000:.1f} GB, the whole stack")
    table.add_row("picture", result.picture)
    table.add_row("data", str(home))
    table.add_row("took", f"{result.seconds:.0f} s")
    return table


def _latency(latency_ms: Mapping[str, float | None]) -> str:
    said = {name: "-" if value is None else f"{value:,.0f} ms" for name, value in latency_ms.items()}
    return (
        f"p50 {said['p50']}, p99 {said['p99']} from append to append (after the first 10 s: p50 {said['warm_p50']}, "
        f"p99 {said['warm_p99']}); as committed records p50 {said['committed_p50']}, p99 {said['committed_p99']}"
    )


def _of_checks(result: DemoResult) -> str:
    return next((check.told for check in result.checks if check.name == "the poisoned version is refused"), "")


def _print_what_to_try(console: Console, result: DemoResult) -> None:
    console.print("The stack runs on:", highlight=False)
    for name in ("flink", "mlflow", "kafka", "postgres", "connect", "s3"):
        console.print(f"  {name:<9}{result.addresses[name]}", highlight=False)
    command, model = _command(), result.versions[-1].model if result.versions else "fraud"
    console.print("Three things to try:", highlight=False)
    for line, why in (
        (f"{command} produce --rows 30000 --rate 500 --seed 7 --restamp --no-close", "new transactions, as if now"),
        (f"{command} promote {model} 1", "meanwhile, from another terminal: swap the champion back"),
        (f"{command} status", "every component, and whether the sum holds"),
    ):
        console.print(f"  {line}  [dim]# {why}[/]", highlight=False)
    console.print(f"`{command} down` stops it and keeps the data.", highlight=False)


def _command() -> str:
    """Return how the person at the terminal calls this program."""
    if shutil.which("weir"):
        return "weir"
    beside = Path(sys.executable).with_name("weir")
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)
