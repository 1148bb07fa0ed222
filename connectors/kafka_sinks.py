"""The topics the job writes, as SQL tables over Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kafka_options import kafka_options
from connectors.statement import statement

__all__ = ["KafkaSinks"]

# At once and at least once: an alert must not wait for a checkpoint, a dead letter is de-duplicated by its position.
AT_LEAST_ONCE = frozenset({"alerts", "dead_letters"})


@dataclass(frozen=True, slots=True)
class KafkaSinks:
    """Creates the table ``sink_<topic>`` of each topic the job writes.

    Parameters
    ----------
    bootstrap
        Kafka's bootstrap servers.
    transactional_id_prefix
        Stable for a job, so that a restart aborts the transactions its predecessor left open.
    properties
        Further properties of the client: TLS and SASL.
    """

    bootstrap: str
    transactional_id_prefix: str
    properties: Mapping[str, str] = field(default_factory=dict)

    def create(self, tables: Any, topic: str) -> str:  # noqa: ANN401
        """Create the table and return its name."""
        tables.execute_sql(
            statement(
                "job/kafka_sink.sql",
                topic=topic,
                bootstrap=self.bootstrap,
                security=kafka_options(self.properties),
                guarantee="at-least-once" if topic in AT_LEAST_ONCE else "exactly-once",
                prefix=self.transactional_id_prefix,
            )
        )
        return f"sink_{topic}"
