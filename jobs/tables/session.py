"""A session of Flink's SQL client over the tables, the topics and the views."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from connectors.iceberg.newest_tag import newest_tag
from connectors.local.stack import LocalStack
from jobs.kafka_address import job_properties, kafka_address
from jobs.settings import Settings
from jobs.tables.access import catalog_of, warehouse_of
from jobs.tables.script import session_script
from jobs.tables.sql_client import FAILED, sql_client_command

__all__ = ["open_session", "run_file", "write_session_script"]


def write_session_script(stack: LocalStack, settings: Settings, training_tag: str | None = None) -> Path:
    """Write the script a session begins with, and return where it is.

    Parameters
    ----------
    training_tag
        Snapshot of ``inferences`` to measure drift against; by default the newest one with a tag.

    Raises
    ------
    ConnectionLostError
        When PostgreSQL or S3 does not answer.
    TablesError
        When there is no such tag.
    """
    tag = newest_tag(catalog_of(settings), "inferences", training_tag)
    script = stack.home / "flink" / "session.sql"
    kafka, security = str(kafka_address(settings)), job_properties(settings)
    begin = session_script(warehouse_of(settings), kafka, tag, security=security, avro=settings.avro)
    script.write_text(begin, encoding="utf-8")
    return script


def open_session(stack: LocalStack, begin: Path) -> int:
    """Hand the terminal to the client and return its exit code."""
    command, environment, empty = sql_client_command(stack, "-i", str(begin))
    return subprocess.run(command, env={**environment, "TERM": "xterm"}, cwd=empty, check=False).returncode


def run_file(stack: LocalStack, begin: Path, file: Path, show: Callable[[str], object]) -> bool:
    """Run the statements of a file, show what the client prints as it comes, and return whether all went well.

    The client ends with 0 whatever happens; that a statement failed is in what it prints.
    """
    command, environment, empty = sql_client_command(stack, "-i", str(begin), "-f", str(file.absolute()))
    well = True
    with subprocess.Popen(
        command, env=environment, cwd=empty, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as client:
        assert client.stdout is not None
        for line in client.stdout:
            show(line)
            well = well and FAILED not in line
    return well and client.returncode == 0
