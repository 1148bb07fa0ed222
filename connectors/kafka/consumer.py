"""Opens the Kafka client that tools read with: no consumer group, nothing committed, no trace left on the broker."""

from __future__ import annotations

from kafka import KafkaConsumer

from connectors.kafka.address import client_options

__all__ = ["open_consumer"]

CONNECT_MS = 10_000


def open_consumer(bootstrap: str, *, committed: bool) -> KafkaConsumer:
    """Return a client without partitions; it raises KafkaError when no broker answers within ten seconds.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    committed
        Leave out records of transactions that are open or aborted.
    """
    return KafkaConsumer(
        **client_options(bootstrap),
        client_id="weir-reader",
        isolation_level="read_committed" if committed else "read_uncommitted",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=CONNECT_MS,
        # The broker checked it on arrival, TCP on the way; the client's pure Python sum would take most of the time.
        check_crcs=False,
        max_poll_records=2_000,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=100,
        reconnect_backoff_max_ms=1_000,
        metrics_enabled=False,
    )
