"""``weir demo``: the whole system in a few minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.settings import Settings

__all__ = ["demo"]


def demo(
    data: Annotated[str, typer.Option(help="A parquet or CSV file, or generator.")] = "generator",
    rows: Annotated[
        int | None, typer.Option(min=1, help="Transactions to stream, at least 2000; 100000, or what the file has.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="Transactions a second; 1600, or fewer so that it takes a minute.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack and the job running at the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Show the whole system at work: start it, stream, swap the model, refuse a bad one, and check every figure.

    It uses the stack's own home and ports (WEIR_HOME, WEIR_PORT_BASE). What it wrote is kept until weir down --purge,
    or until the next demo, which says so and begins by removing what the last one left. A home with data that are not
    a demo's is left alone. Only a stack that ran before, or --keep, leaves anything running.

    Exit code 1 if the sum is off, a score differs, a version scored nothing, a poisoned version was not refused, or
    scikit-learn finds another ROC AUC.

    Example: weir demo --data creditcard.parquet --keep
    """
    with errors_as_sentences():
        from jobs.demo.demo_summary import print_summary
        from jobs.demo.demo_view import DemoView
        from jobs.demo.plan import plan_demo
        from jobs.demo.run_demo import STEPS, run_demo

        settings = Settings()
        plan = plan_demo(data, rows, rate)
        with DemoView(stderr, f"Weir demo: {plan.told()}", STEPS) as view:
            result = run_demo(settings, plan, view, keep=keep)
        if as_json:
            print_json(result.to_json())
        else:
            print_summary(stdout, result, home=Path(settings.home).absolute(), kept=keep)
    if not result.ok:
        raise typer.Exit(1)
