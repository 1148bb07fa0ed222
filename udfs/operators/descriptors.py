"""Every state descriptor, side-output tag and record type of the job, in one place.

Names of state never change their meaning: a new meaning gets a new name. Values are versioned bytes (see the codecs in
``udfs/domain``); ``PICKLED_BYTE_ARRAY`` holds plain bytes and is Flink's fast way to keep them.
"""

from __future__ import annotations

from pyflink.common import Types
from pyflink.datastream import OutputTag
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor

__all__ = [
    "BATCH",
    "BROADCAST",
    "CUSTOMERS",
    "CUSTOMER_PARTS",
    "CUSTOMER_SETS",
    "DEAD_LETTERS",
    "GATE_STATE",
    "HELD_AS_TEXT",
    "HELD_BACK",
    "HELD_FOR_MODEL",
    "HELD_FOR_WATERMARK",
    "JOINED",
    "KEYED_PAYLOAD",
    "METADATA",
    "MODEL_EVENTS",
    "OPEN_TRANSACTIONS",
    "PAYLOAD",
    "QUALITY_WAITING",
    "QUALITY_WINDOWS",
    "RECORD",
    "SCORED",
    "SCORED_TOPICS",
    "TERMINALS",
    "TERMINAL_PARTS",
    "TERMINAL_SETS",
    "TRUTHS",
    "VERDICT",
    "WATERMARKS",
]

STRING, BYTES = Types.STRING(), Types.PICKLED_BYTE_ARRAY()
# On the way between operators: copied as a block, where text is read and written character by character.
PAYLOAD = Types.PRIMITIVE_ARRAY(Types.BYTE())
STRINGS = Types.OBJECT_ARRAY(STRING)
LONGS = Types.OBJECT_ARRAY(Types.LONG())

# What SQL hands to the customer stage: topic, values, partitions, offsets, append times.
BATCH = Types.ROW([STRING, STRINGS, Types.OBJECT_ARRAY(Types.INT()), LONGS, LONGS])
METADATA = Types.ROW([STRING, Types.INT(), Types.LONG(), Types.LONG()])
# Between two Python stages: the shard's key and a payload (udfs/domain/payload.py).
KEYED_PAYLOAD = Types.ROW_NAMED(["k", "v"], [STRING, PAYLOAD])
# One record for a topic: its Kafka key and value.
RECORD = KEYED_PAYLOAD
# The score stage's only output, because side outputs from a broadcast function's timers are not reliable in thread mode:
# key and payload for the truth join, then for each topic its records, each a pair of key and value.
SCORED_TOPICS = ("inferences", "alerts", "features")
RECORDS = Types.OBJECT_ARRAY(Types.OBJECT_ARRAY(PAYLOAD))
SCORED = Types.ROW_NAMED(["k", "v", *SCORED_TOPICS], [STRING, PAYLOAD, *[RECORDS] * len(SCORED_TOPICS)])
JOINED = KEYED_PAYLOAD
VERDICT = STRING

DEAD_LETTERS = OutputTag("dead-letters", RECORD)
TRUTHS = OutputTag("truths", KEYED_PAYLOAD)
MODEL_EVENTS = OutputTag("model-events", RECORD)
# Nothing is ever written to it: it carries the transactions' watermark to the gate, among the metadata's records.
WATERMARKS = OutputTag("watermarks", Types.ROW([STRING, METADATA]))

CUSTOMERS = MapStateDescriptor("customers", STRING, BYTES)
TERMINALS = MapStateDescriptor("terminals", STRING, BYTES)
# Chunks and buckets of entities too large for one entry there (udfs/domain/large_history.py).
CUSTOMER_PARTS = MapStateDescriptor("customer-parts", STRING, BYTES)
TERMINAL_PARTS = MapStateDescriptor("terminal-parts", STRING, BYTES)
# Feature sets by rows, as the shard read them, and from when on their windows are full (udfs/domain/shard_features.py).
CUSTOMER_SETS = MapStateDescriptor("customer-feature-sets", STRING, BYTES)
TERMINAL_SETS = MapStateDescriptor("terminal-feature-sets", STRING, BYTES)
HELD_BACK = MapStateDescriptor("held-back-for-watermark", STRING, BYTES)
HELD_FOR_MODEL = MapStateDescriptor("held-for-first-model", STRING, BYTES)
GATE_STATE = MapStateDescriptor("gate", STRING, BYTES)
BROADCAST = MapStateDescriptor("deployment-and-artifacts", STRING, BYTES)
HELD_FOR_WATERMARK = ListStateDescriptor("held-payloads-for-watermark", BYTES)
# What earlier versions held, as text; still released.
HELD_AS_TEXT = ListStateDescriptor("held-for-watermark", STRING)
OPEN_TRANSACTIONS = MapStateDescriptor("open-transactions", STRING, BYTES)
QUALITY_WINDOWS = MapStateDescriptor("quality-windows", STRING, BYTES)
QUALITY_WAITING = MapStateDescriptor("quality-waiting", STRING, BYTES)
