"""The columns of the topics that can be written in Avro, fixed: the schema is in no record and in no registry.

The order is the schema's. The first column may be null, so every record begins with the byte 0 or 2, which JSON never does.
Of the others, in what the job writes, only those are that can be: to tell each time that one is not takes half the time of
writing it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["AVRO_COLUMNS"]

AVRO_COLUMNS: Mapping[str, Mapping[str, str]] = {
    # Other numbers and strings of a message, which its feature set names, lie in maps: one schema for all feature sets.
    "transactions": {
        "control": "STRING",
        "transaction_id": "STRING",
        "event_time_ms": "BIGINT",
        "customer_id": "STRING",
        "terminal_id": "STRING",
        "amount": "DOUBLE",
        "numbers": "MAP<STRING, DOUBLE NOT NULL>",
        "strings": "MAP<STRING, STRING NOT NULL>",
    },
    "inferences": {
        "transaction_id": "STRING",
        "event_time_ms": "BIGINT NOT NULL",
        "model": "STRING",
        "version": "STRING",
        "role": "STRING NOT NULL",
        "digest": "STRING",
        "score": "DOUBLE",
        "reason": "STRING",
        "feature_set": "STRING NOT NULL",
        "features": "MAP<STRING, DOUBLE NOT NULL> NOT NULL",
        "warming_up": "BOOLEAN NOT NULL",
        "late": "BOOLEAN NOT NULL",
        "excluded": "BOOLEAN NOT NULL",
        "deployment_seq": "BIGINT NOT NULL",
        "source_partition": "INT NOT NULL",
        "source_offset": "BIGINT NOT NULL",
        "watermark_ms": "BIGINT",
        "ingestion_time_ms": "BIGINT NOT NULL",
        "prediction_time_ms": "BIGINT NOT NULL",
    },
}
"""By topic, the SQL type of each column, as Flink's format ``avro`` has it."""
