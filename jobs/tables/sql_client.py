"""Flink's own SQL client as a process."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from connectors.local.stack import LocalStack
from udfs.domain.errors import TablesError

__all__ = ["FAILED", "run_script", "sql_client_command"]

FAILED = "[ERROR]"
"""The client's mark of a statement that failed."""


def sql_client_command(stack: LocalStack, *arguments: str) -> tuple[list[str], dict[str, str], Path]:
    """Return the client's command, its environment, and an empty folder to start it in."""
    flink, environment, empty = stack.flink_environment()
    return ["/bin/bash", str(flink.with_name("sql-client.sh")), *arguments], environment, empty


def run_script(stack: LocalStack, script: Path, *, begin: Path | None = None, timeout_s: float = 300) -> str:
    """Run a script to its end and return what the client printed.

    Parameters
    ----------
    begin
        A script to run before it.

    Raises
    ------
    TablesError
        When a statement fails; the message is Flink's.
    """
    command, environment, empty = sql_client_command(
        stack, *(["-i", str(begin)] if begin else []), "-f", str(script.absolute())
    )
    done = subprocess.run(
        command, env=environment, cwd=empty, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    said = done.stdout + done.stderr
    if done.returncode or FAILED in said:
        msg = f"Flink's SQL client refused a statement of {script.name}: {_why(said)}"
        raise TablesError(msg)
    return said


def _why(said: str) -> str:
    r"""Return the line behind the client's error mark.

    Examples
    --------
    >>> _why("...\n[ERROR] Could not execute SQL statement. Reason:\norg.x.ValidationException: No table t\n")
    'org.x.ValidationException: No table t'
    """
    _, _, behind = said.partition(FAILED)
    lines = [line.strip() for line in behind.splitlines() if line.strip()]
    telling = next((line for line in lines if re.match(r"[\w.$]+(Exception|Error)\b", line)), "")
    return (telling or " ".join(lines) or "no reason was given")[:600]
