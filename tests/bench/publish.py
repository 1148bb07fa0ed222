"""What a benchmark does with its figures: one flat JSON file for programs, one table for people.

A benchmark is a script, ``tests/bench/bench_NAME.py`` with a ``main()``, that ``make bench ONLY=NAME`` runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parents[2] / "build" / "bench"


def publish(name: str, figures: Mapping[str, float | int | str]) -> None:
    """Write ``build/bench/NAME.json`` and print the same figures."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_bytes(orjson.dumps(dict(figures), option=orjson.OPT_INDENT_2) + b"\n")
    table = Table("figure", "value", title=name, title_justify="left")
    for figure, value in figures.items():
        table.add_row(figure, f"{value:,.6g}" if isinstance(value, float) else str(value))
    Console().print(table)
