"""The topics the job reads, as SQL tables over Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.avro_table import avro_columns, message_expression
from connectors.interval import interval
from connectors.kafka_options import kafka_options
from connectors.rowtime import rowtime_expression
from connectors.statement import statement
from udfs.domain.feature_catalog import FeatureCatalog

__all__ = ["KafkaSources"]

APPEND_MS = "EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)"

# Else the broker answers every waiting fetch with one record each, which costs it and the client more than the rest of the
# record's way. How long a fetch waits for company, in milliseconds: what is not said at once need not be fetched at once.
FETCH_WAIT_MS = {"transactions": 20, "truths": 200}
FETCH_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class KafkaSources:
    """Creates the tables ``transactions``, ``truths`` and ``weir.metadata``.

    Parameters
    ----------
    bootstrap
        Kafka's bootstrap servers.
    group
        Consumer group whose offsets show how far checkpoints have come; the job itself restores from its state.
    order
        With ``arrival`` a silent topic is idle after 30 s and holds nothing back. With ``event_time`` nothing is ever
        idle, because a pause would make all that follows late: the producer closes each partition with a last record; and
        sources are aligned, so that none runs ahead while another catches up.
    watermark_delay_ms
        How far out of order records of a partition may be, in milliseconds.
    properties
        Further properties of the client: TLS and SASL.
    payload
        How ``transactions`` are written; the other topics are JSON.
    feature_set
        Name of the feature set whose fields are taken from a transaction in Avro.
    """

    bootstrap: str
    group: str
    order: Literal["arrival", "event_time"]
    watermark_delay_ms: int
    properties: Mapping[str, str] = field(default_factory=dict)
    payload: Literal["json", "avro"] = "json"
    feature_set: str = "handbook"

    def create(self, tables: Any, topic: str) -> None:  # noqa: ANN401
        """Create the table of a topic in a ``StreamTableEnvironment``."""
        is_avro = self.payload == "avro" and topic == "transactions"
        tables.execute_sql(
            statement(
                "job/kafka_source.sql",
                topic=topic,
                value=self._avro_value() if is_avro else statement("job/value_json.sql").rstrip("\n"),
                format="avro" if is_avro else "raw",
                append_ms=APPEND_MS,
                rowtime=rowtime_expression(topic, f"({APPEND_MS})", in_columns=is_avro),
                delay=interval(0 if topic == "weir.metadata" else self.watermark_delay_ms),
                bootstrap=self.bootstrap,
                security=kafka_options(self.properties),
                group=self.group,
                options=self._options(topic),
            )
        )

    def _avro_value(self) -> str:
        message = message_expression(FeatureCatalog.of_code(self.feature_set))
        return statement("job/value_avro.sql", columns=avro_columns("transactions"), message=message).rstrip("\n")

    def _options(self, topic: str) -> str:
        if topic == "weir.metadata":
            return "'scan.watermark.idle-timeout' = '1s',"
        options: dict[str, str | int] = {
            "properties.fetch.min.bytes": FETCH_BYTES,
            "properties.fetch.max.wait.ms": FETCH_WAIT_MS[topic],
        }
        if self.order == "arrival":
            options |= {"scan.watermark.idle-timeout": "30s"}
        else:
            options |= {"scan.watermark.alignment.group": "weir", "scan.watermark.alignment.max-drift": "1d"}
        return " ".join(f"'{name}' = '{value}'," for name, value in options.items())
