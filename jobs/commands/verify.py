"""``weir verify``: make recorded scores again and compare them, bit for bit."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.kafka_address import kafka_address
from jobs.progress_bar import progress_bar
from jobs.settings import Settings
from jobs.verification import Selection, Verification, verify_topic

__all__ = ["verify"]


def verify(
    since: Annotated[str | None, typer.Option(help="Scored at or after this time: ISO 8601 (UTC) or epoch ms.")] = None,
    until: Annotated[str | None, typer.Option(help="Scored before this time.")] = None,
    version: Annotated[str | None, typer.Option(help="Only the scores of this version.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="At most so many, drawn at random.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="With the compiled scorer instead of River's objects.")] = False,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, host:port; the local stack's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Make each score in the topic inferences again, from its recorded features and the artifact its digest names.

    A fresh process rebuilds River's own objects from the artifact. Exit code 1 if any score differs in any bit.

    Example: weir verify --since 2026-01-01 --version 2
    """
    with errors_as_sentences():
        from connectors.data.options import parse_time_ms
        from jobs.registry_access import metadata_store_of

        settings = Settings()
        selection = Selection(
            None if since is None else parse_time_ms(since),
            None if until is None else parse_time_ms(until),
            version,
            sample,
        )
        address = bootstrap or kafka_address(settings)
        with progress_bar("verify", None, quiet=as_json) as done:
            result = verify_topic(
                address,
                metadata_store_of(settings).load_artifact,
                selection=selection,
                fast=fast,
                progress=done,
            )
        if as_json:
            print_json({"compared": result.compared, "mismatched": result.mismatched, "skipped": result.skipped})
        else:
            _say(result)
    if result.mismatched:
        raise typer.Exit(1)


def _say(result: Verification) -> None:
    skipped = f"; {result.skipped:,} inferences have no score" if result.skipped else ""
    stdout.print(f"{result.compared:,} scores made again: {result.mismatched:,} differ{skipped}.", highlight=False)
    for each in result.mismatches:
        stdout.print(
            f"  transaction {each.transaction_id} {each.role} version {each.version} artifact {each.digest[:12]}: "
            f"recorded {each.recorded}, again {each.again}",
            highlight=False,
            markup=False,
        )
