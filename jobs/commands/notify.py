"""``weir notify``: send alerts to a webhook, each once for its receiver."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

__all__ = ["notify"]


def notify(
    webhook: Annotated[str, typer.Option(help="Where each alert is sent by POST, https://... or http://...")],
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when all alerts there are have been sent or are dead.")
    ] = False,
    revive: Annotated[bool, typer.Option("--revive", help="First queue the dead ones again.")] = False,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, host:port; the local stack's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs, at the end.")] = False,
) -> None:
    """Take alerts from their topic into a queue in PostgreSQL, and send each to the webhook until it answers 2xx.

    A call carries the alert as JSON, its id as Idempotency-Key, and a signature made with WEIR_WEBHOOK_SECRET (headers
    webhook-id, webhook-timestamp, webhook-signature of the Standard Webhooks specification). A call that fails is tried
    again, later each time; after WEIR_NOTIFY_ATTEMPTS the alert is dead. Several may run at once. Ctrl-C ends it after the
    call under way. Exit code 1 if an alert died.

    Example: WEIR_WEBHOOK_SECRET=whsec_... weir notify --webhook https://alerts.example.com/weir
    """
    with errors_as_sentences():
        from connectors.postgres.notification_queue import NotificationQueue
        from connectors.webhook.signature import Signature
        from connectors.webhook.webhook import Webhook
        from jobs.kafka_address import kafka_address
        from jobs.notifying.alert_intake import AlertIntake
        from jobs.notifying.notifier import Notified, Notifier
        from jobs.registry_access import dsn_of

        settings = Settings()
        signature = Signature(settings.webhook_secret.get_secret_value())
        receiver = Webhook(webhook, signature, settings.notify_timeout_ms / 1_000)
        queue = NotificationQueue(dsn_of(settings, "notifier"))
        intake = AlertIntake(bootstrap or kafka_address(settings), queue)
        notifier = Notifier(
            queue,
            intake,
            receiver,
            timeout_ms=settings.notify_timeout_ms,
            attempts=settings.notify_attempts,
            backoff_ms=settings.notify_backoff_ms,
            daily_budget=settings.notify_daily_budget,
            tell=lambda sentence: stderr.print(f"weir: {sentence}", markup=False, highlight=False),
        )
        try:
            queue.counts()  # a database that is down now is a mistake; later it is waited for
            if revive:
                queue.revive()
            with _until_told() as stop, progress_bar("alerts sent", None, quiet=as_json) as done:

                def show(each: Notified) -> None:
                    done(each.sent)

                notified = notifier.run(stop, until_empty=until_empty, progress=show)
            counts = queue.counts()
        finally:
            intake.close()
            queue.close()
            receiver.close()
        if as_json:
            print_json({**notified.to_json(), "queue": counts})
        else:
            stdout.print(
                f"{notified.sent:,} alerts sent in {notified.calls:,} calls, {notified.failed:,} failed; the queue holds "
                f"{counts['queued'] + counts['sending']:,} to send, {counts['sent']:,} sent, {counts['dead']:,} dead.",
                highlight=False,
            )
        if notified.dead:
            raise typer.Exit(1)


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; a second Ctrl-C interrupts as usual."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
