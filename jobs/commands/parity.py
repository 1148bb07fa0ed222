"""``weir parity``: compute recorded features again and compare them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

__all__ = ["parity"]


def parity(
    sample: Annotated[int, typer.Option(min=1, help="So many inferences of the champion, drawn at random.")] = 1_000,
    since: Annotated[str | None, typer.Option(help="Scored at or after this time: ISO 8601 (UTC) or epoch ms.")] = None,
    until: Annotated[str | None, typer.Option(help="Scored before this time.")] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="So many may differ without reason; above, the exit code is 1.")
    ] = 0,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, host:port; the local stack's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Compute the features of a sample of inferences again, from the topics and as a backfill would, and compare.

    Told apart: those that agree; those that differ only because something earlier was taken later (WEIR_ORDER=arrival),
    where what had been taken gives the same numbers; those that differ for no such reason; those that cannot be compared.
    Exit code 1 above the limit.

    Example: weir parity --sample 2000
    """
    with errors_as_sentences():
        from dataclasses import asdict

        from connectors.data.options import parse_time_ms
        from connectors.kafka.reader import end_offsets, read_topic
        from connectors.local.ports import Ports
        from jobs.features.feature_rows import feature_catalog
        from jobs.parity.compare_features import compare_features
        from jobs.parity.recorded_events import RecordedEvents
        from jobs.registry_access import metadata_store_of
        from jobs.verification import Selection

        settings = Settings()
        address = bootstrap or Ports(settings.port_base).addresses()["kafka"]
        since_ms, until_ms = (None if each is None else parse_time_ms(each) for each in (since, until))
        by_arrival = settings.order == "arrival"
        topics = ("inferences", "transactions", "transactions", "truths", *(("inferences",) if by_arrival else ()))
        ends = {topic: end_offsets(address, topic) for topic in dict.fromkeys(topics)}
        total, seen = sum(sum(ends[topic].values()) for topic in topics), 0
        with progress_bar("records", total, quiet=as_json) as done:

            def read(topic: str):  # type: ignore[no-untyped-def] # noqa: ANN202
                nonlocal seen
                for record in read_topic(address, topic, until=ends[topic]):
                    seen += 1
                    if seen % 1_000 == 0:
                        done(seen, total)
                    yield record

            recorded = RecordedEvents.read(
                read,
                Selection(since_ms, until_ms, None, sample).of,
                lambda: feature_catalog(metadata_store_of(settings).feature_rows()),
                scoring_times=by_arrival,
            )
            result = compare_features(recorded, lateness_ms=settings.allowed_lateness_ms, by_arrival=by_arrival)
        if as_json:
            print_json(asdict(result))
        else:
            stdout.print(
                f"{result.compared:,} inferences compared: {result.matched:,} agree, {result.arrival:,} differ by order of "
                f"arrival, {result.mismatched:,} mismatch; {result.missing:,} missing.",
                highlight=False,
            )
            table = Table("feature", "largest difference", box=box.SIMPLE_HEAD, padding=0)
            for name, difference in result.largest.items():
                table.add_row(name, f"{difference:.3g}")
            stdout.print(table)
            for each in result.examples:
                stdout.print(
                    f"  {each['transaction_id']} {each['feature']}: recorded {each['recorded']}, again {each['again']}",
                    highlight=False,
                    markup=False,
                )
    if result.mismatched + result.missing > limit:
        raise typer.Exit(1)
