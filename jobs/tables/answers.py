"""What Flink's SQL client printed, as columns and rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from connectors.local.stack import LocalStack
from jobs.tables.sql_client import run_script

__all__ = ["answers", "parse_answers"]

LONGEST_S = 3_600.0
BORDER = re.compile(r"\+(-+\+)+$")
"""Where a line ends: the client's prompt, or the statement it read, may stand before a table's first one."""


def answers(stack: LocalStack, begin: Path, file: Path) -> list[dict[str, Any]]:
    """Run a file of statements and return the answer of each that has one.

    Raises
    ------
    TablesError
        When a statement fails.
    """
    return parse_answers(run_script(stack, file, begin=begin, timeout_s=LONGEST_S))


def parse_answers(text: str) -> list[dict[str, Any]]:
    r"""Return the tables in what the client printed: ``columns``, and ``rows`` of texts, None for null.

    Examples
    --------
    >>> border = "+---+--------+"
    >>> parse_answers(f"Flink SQL> {border}\n| n |   note |\n{border}\n| 1 | <NULL> |\n{border}\n1 row in set")
    [{'columns': ['n', 'note'], 'rows': [['1', None]]}]
    >>> parse_answers("Flink SQL> Empty set")
    [{'columns': [], 'rows': []}]
    """
    found: list[dict[str, Any]] = []
    borders = 0
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("|"):
            if borders == 1:
                found.append({"columns": _cells(line), "rows": []})
            elif borders == 2:
                found[-1]["rows"].append([None if cell == "<NULL>" else cell for cell in _cells(line)])
        elif BORDER.search(line):
            borders += 1
        else:
            borders = 0  # behind a table, or not in one yet
            if line.endswith("Empty set"):
                found.append({"columns": [], "rows": []})
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" |")]
