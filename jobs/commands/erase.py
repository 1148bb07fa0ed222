"""``weir erase``: remove a customer from the tables."""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.iceberg.erasure import Erasure
from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.progress_bar import progress_bar
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.tables.access import catalog_of
from jobs.tables.fill_job import start_tables, stop_tables

__all__ = ["erase"]


def erase(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER", help="the customer_id")],
    yes: Annotated[bool, typer.Option("--yes", help="erase; without it only say what would be erased")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Remove a customer's rows from the tables on S3, with the old snapshots and the tags that still hold them.

    The tables job is stopped meanwhile. Versions trained from a removed tag cannot be reproduced from it any more. Topics
    forget by their retention, the scoring job's state within 32 days of the customer's last transaction.

    Example: weir erase 4711 --yes
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        catalog = catalog_of(settings)
        with stderr.status("looking for the customer"):
            erasure = Erasure.find(catalog, customer_id)
        if yes:
            with stderr.status("stopping the tables job"):
                ran = stop_tables(stack)
            try:
                with stderr.status("looking again"):
                    erasure = Erasure.find(catalog, customer_id)
                with progress_bar("erasing", len(erasure.rows), quiet=as_json) as done:
                    erasure.carry_out(catalog, done)
            finally:
                if ran:
                    with stderr.status("starting the tables job"):
                        start_tables(stack, settings)
        _tell(erasure, erased=yes, as_json=as_json)


def _tell(erasure: Erasure, *, erased: bool, as_json: bool) -> None:
    tags = sorted({tag for tags in erasure.tags.values() for tag in tags})
    if as_json:
        print_json({"erased": erased, "rows": erasure.rows, "tags": tags, "files": erasure.files})
        return
    rows = ", ".join(f"{count} of {table}" for table, count in erasure.rows.items())
    stdout.print(f"{'erased' if erased else 'would be erased'}: {rows}", highlight=False)
    lost = f"{'removed' if erased else 'would be removed'}: {', '.join(tags) or 'none'}"
    stdout.print(f"tags {lost}; versions trained from them cannot be reproduced then", highlight=False)
    if erased:
        stdout.print(f"{erasure.files} files removed; the topics forget by their retention", highlight=False)
