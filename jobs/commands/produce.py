"""``weir produce``: send a data file, or generated transactions, and their truths to Kafka."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from connectors.kafka.produced import Produced
from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.kafka_address import kafka_address
from jobs.progress_bar import progress_bar
from jobs.settings import Settings
from udfs.domain.errors import SettingsError

__all__ = ["produce"]

INTERRUPTED = 130


def produce(
    data: Annotated[str, typer.Option(help="A parquet or CSV file, or generator.")] = "generator",
    truths: Annotated[
        Path | None,
        typer.Option(
            help="Send the truths of this file (JSON Lines, CSV or parquet) and nothing else; closes nothing."
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="At most so many transactions; generator: 100000.")] = None,
    rate: Annotated[str, typer.Option(help="Transactions a second, evenly spread, or max.")] = "max",
    truth_delay: Annotated[str, typer.Option(help="When a truth is known after its event: 6d23h, 90m.")] = "6d23h",
    restamp: Annotated[bool, typer.Option("--restamp", help="Move the events so that the stream starts now.")] = False,
    speed: Annotated[
        float | None,
        typer.Option(help="With --restamp: divide all gaps, the truth delay too; else by what fits --rate, or by 1."),
    ] = None,
    mapping: Annotated[
        str, typer.Option("--map", help="field=column,... for other files: customer_id=card,amount=value")
    ] = "",
    no_close: Annotated[
        bool, typer.Option("--no-close", help="Do not end with closing records: more follows.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the generator; the same seed sends the same stream.")] = 42,
    days: Annotated[int, typer.Option(min=1, help="Event days of the generator.")] = 60,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, host:port; the local stack's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Send transactions in event order, each truth when it is known, and a closing record per partition at the end.

    Events keep their own times; with --restamp each is sent when its new time has come, or at --rate if that is given
    without --speed. Ctrl-C and SIGTERM stop at once and say how many records Kafka has acknowledged.

    With --truths only the truths of a file are sent, in its order: a chargeback report, corrections (a higher revision),
    reversals. Its fields are those of the topic truths; all are checked before the first is sent.

    Example: weir produce --data generator --rows 100000 --rate 1500
    """
    if truths is not None:
        _produce_truths(truths, bootstrap, as_json=as_json)
        return
    with errors_as_sentences():
        from connectors.data.dataset import open_dataset
        from connectors.data.options import parse_duration_ms, parse_mapping, parse_rate
        from connectors.kafka.producer import Producer

        if speed is not None and not restamp:
            msg = f"--speed {speed:g} needs --restamp: events that keep their own times keep their gaps; use --rate."
            raise SettingsError(msg)
        limit = parse_rate(rate)
        dataset = open_dataset(
            data,
            rows=rows,
            mapping=parse_mapping(mapping),
            truth_delay_ms=parse_duration_ms(truth_delay),
            seed=seed,
            days=days,
        )
        live = restamp and (speed is not None or limit is None)
        if restamp:
            fitting = _speed_of(dataset.last_event_ms - dataset.first_event_ms, len(dataset), limit)
            dataset = dataset.restamped(time.time_ns() // 1_000_000, fitting if speed is None else speed)
        settings = Settings()
        address = bootstrap or kafka_address(settings)
        total = len(dataset) + dataset.truth_count
        with _stop_on_interrupt() as stop, progress_bar(f"produce {data}", total, quiet=as_json) as done:
            producer = Producer(
                address,
                rate=limit,
                live=live,
                close=not no_close,
                progress=lambda *sent: done(sum(sent)),
                stop=stop,
                payload=settings.payload,
            )
            produced = producer.run(dataset)
        _tell(produced, as_json=as_json)


def _tell(produced: Produced, *, as_json: bool) -> None:
    if as_json:
        print_json(produced.to_json())
    else:
        stdout.print(str(produced), highlight=False)
    if produced.interrupted:
        raise typer.Exit(INTERRUPTED)


def _produce_truths(path: Path, bootstrap: str | None, *, as_json: bool) -> None:
    with errors_as_sentences():
        from connectors.data.truth_file import TruthFile
        from connectors.kafka.producer import Producer

        file = TruthFile(path)
        address = bootstrap or kafka_address(Settings())
        with (
            _stop_on_interrupt() as stop,
            progress_bar(f"produce {path.name}", file.truth_count, quiet=as_json) as done,
        ):
            producer = Producer(address, close=False, progress=lambda *sent: done(sum(sent)), stop=stop)
            produced = producer.run(file)
        _tell(produced, as_json=as_json)


def _speed_of(span_ms: int, transactions: int, rate: float | None) -> float:
    """Return the speed at which the events' own mean rate is the wanted rate; 1 without one."""
    return max(span_ms * rate / (transactions * 1_000), 1e-9) if rate else 1.0


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C, or SIGTERM, sets; a second Ctrl-C interrupts as usual."""
    stop = threading.Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()
        stderr.print("weir: stopping; waiting for what was sent to be acknowledged", highlight=False)

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
