"""A seeded fuzzer for the topics the job reads: good records, mutated so that none of them can be good any more.

Every mutation breaks the contract by construction, so each record must come back as a dead letter with a reason. Times
never lie ahead of the good record's unless they lie in a year that the job refuses: a fuzzer must not move event time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["TOPICS", "FuzzedRecord", "Fuzzer"]

TOPICS = ("transactions", "truths", "weir.metadata")
REQUIRED = {
    "transactions": ("transaction_id", "event_time_ms", "customer_id", "amount"),
    "truths": ("transaction_id", "label", "revision", "truth_time_ms", "event_time_ms", "customer_id"),
}
TIMES, IDS = ("event_time_ms", "truth_time_ms"), ("transaction_id", "customer_id", "terminal_id")
IN_2099 = 4_080_000_000_000
RAW = "\x00raw\x00"
"""Stands in a document for text that no JSON writer would write."""

Document = dict[str, Any]


class FuzzedRecord(NamedTuple):
    """A record to send."""

    topic: str
    key: bytes | None
    value: bytes
    mutation: str


class Fuzzer:
    """Makes malformed records.

    Parameters
    ----------
    seed
        The same seed makes the same records.
    transactions
        Good messages to start from.
    model
        For rows of the registry.
    """

    def __init__(self, seed: int, transactions: list[Document], model: str) -> None:
        self._random = random.Random(seed)
        self._good, self._model = transactions, model

    def records(self, count: int) -> Iterator[FuzzedRecord]:
        """Yield so many records, over all topics."""
        for _ in range(count):
            topic = self._random.choice(TOPICS)
            good = self._good_record(topic)
            mutations = TEXT_MUTATIONS + (ROW_MUTATIONS if topic == "weir.metadata" else MESSAGE_MUTATIONS)
            mutate = self._random.choice(mutations)
            yield FuzzedRecord(topic, self._key(good), mutate(self._random, good, topic), mutate.__name__.strip("_"))

    def _good_record(self, topic: str) -> Document:
        message = dict(self._random.choice(self._good))
        if topic == "transactions":
            return message
        if topic == "truths":
            del message["amount"]
            return {**message, "label": 0, "revision": 0, "truth_time_ms": message["event_time_ms"]}
        digest = hashlib.sha256(self._random.randbytes(8)).hexdigest()
        if self._random.random() < 0.5:
            row: Document = {"digest": digest, "part": 0, "parts": 1, "bytes": base64.b64encode(b"x" * 40).decode()}
            return {"op": "c", "source": {"table": "model_artifact"}, "after": row}
        row = {"deployment_seq": 1, "model": self._model, "role": "champion", "version": "9", "digest": digest}
        row |= {"threshold": 0.5, "effective_from_ms": 0, "retired": False}
        return {"op": "c", "source": {"table": "model_activation"}, "after": row}

    def _key(self, good: Document) -> bytes | None:
        keys = (None, b"", b"\xff\xfe\x00", self._random.randbytes(9), str(good.get("customer_id", "k")).encode())
        return self._random.choice(keys)


def text_of(document: Any) -> bytes:
    """Write a document; raw text in it stands without quotes."""
    text = json.dumps(document)
    while (start := text.find(json.dumps(RAW)[1:-1])) >= 0:
        end = text.index('"', start)
        raw = text[start + len(json.dumps(RAW)[1:-1]) : end]
        text = text[: start - 1] + raw + text[end + 1 :]
    return text.encode()


def _cut(random: random.Random, good: Document, topic: str) -> bytes:
    text = text_of(good)
    return text[: random.randrange(1, len(text))]


def _trailing(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of(good) + random.choice([b"}", b"x", b"{}", b"\x00", b",", b'"'])


def _noise(random: random.Random, good: Document, topic: str) -> bytes:
    return b"\xff" + random.randbytes(random.randrange(1, 400))


def _not_utf8(random: random.Random, good: Document, topic: str) -> bytes:
    text = text_of(good)
    at = text.index(b'":') + 1
    where = text.index(b'"') + 1 if random.random() < 0.5 else text.index(b'"', at) + 1 if b'"' in text[at:] else 2
    return text[:where] + random.choice([b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88"]) + text[where:]


def _not_an_object(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of(random.choice([[good], "text", 17, -0.0, True, None, [], [[good]], json.dumps(good)]))


def _raw_control_character(random: random.Random, good: Document, topic: str) -> bytes:
    text = text_of(good)
    return text[:2] + random.choice([b"\n", b"\x00", b"\x1f", b"\t"]) + text[2:]


def _swapped_bytes(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of(good).replace(b":", random.choice([b"=", b";", b"::", b""]), 1)


def _nested(random: random.Random, good: Document, topic: str) -> bytes:
    depth = 100_000 if random.random() < 0.02 else random.choice([900, 1_100, 5_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    whole = random.random() < 0.5 and opening == b"["
    return opening * depth + (closing * depth if whole else b"")


def _lone_surrogate(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of({**good, "note": RAW + '"'}).replace(b'"note": ', rb'"note": "\ud800x') + b""


def _not_a_number(random: random.Random, good: Document, topic: str) -> bytes:
    token = random.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "+1", ".5", "1.", "0x10", "1_000"])
    return text_of({**good, "extra": RAW + token})


def _unheard_of_number(random: random.Random, good: Document, topic: str) -> bytes:
    # Harmless to a parser of doubles; whoever makes a whole number of it counts digits until the memory ends.
    tokens = [
        "1e999999999",
        "1E+2147483647",
        "1e-999999999",
        "9" * 400,
        "0." + "0" * 400 + "1",
        "1e400",
        "-" + "9" * 30,
    ]
    return _with(random, good, topic, RAW + random.choice(tokens), TIMES)


def _missing(random: random.Random, good: Document, topic: str) -> bytes:
    name = random.choice(REQUIRED[topic])
    return text_of({field: value for field, value in good.items() if field != name})


def _null(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of({**good, random.choice(REQUIRED[topic]): None})


def _wrong_type(random: random.Random, good: Document, topic: str) -> bytes:
    return _with(random, good, topic, random.choice([True, False, [], [1], {}, {"a": 1}, [None]]), REQUIRED[topic])


def _text_for_number(random: random.Random, good: Document, topic: str) -> bytes:
    names = [name for name in REQUIRED[topic] if name not in IDS]
    return _with(random, good, topic, random.choice(["", "1", "NaN", "null", "' OR 1=1 --", "\u0000", "😀"]), names)


def _time_with_fraction(random: random.Random, good: Document, topic: str) -> bytes:
    return _with(random, good, topic, random.choice([1.5, 1e12, -0.5, 1e300]), TIMES)


def _impossible_time(random: random.Random, good: Document, topic: str) -> bytes:
    times = [-1, -(2**63), IN_2099, 2**62, 2**63 - 1, 2**63, 2**64, -(2**70)]
    return _with(random, good, topic, random.choice(times), TIMES)


def _no_id(random: random.Random, good: Document, topic: str) -> bytes:
    return _with(random, good, topic, random.choice(["", 1.5, None]), ("transaction_id", "customer_id"))


def _long_id(random: random.Random, good: Document, topic: str) -> bytes:
    return _with(random, good, topic, "x" * (300_000 if random.random() < 0.02 else 65_537), IDS)


def _impossible_value(random: random.Random, good: Document, topic: str) -> bytes:
    if topic == "transactions":
        return text_of({**good, "amount": random.choice([1e16, -1e16, 1.7e308, 10**17])})
    name, values = random.choice([("label", [2, -1, 10**9, 0.5]), ("revision", [-1, 2**31, 2**63, 0.5])])
    return text_of({**good, name: random.choice(values)})


def _unknown_control(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of({"control": random.choice(["open", "", None, 1, ["close"]]), "event_time_ms": good["event_time_ms"]})


def _row_without(random: random.Random, good: Document, topic: str) -> bytes:
    row = dict(good["after"])
    del row[random.choice([name for name in row if name not in ("threshold", "effective_from_ms", "retired")])]
    return text_of({**good, "after": row})


def _row_of_wrong_types(random: random.Random, good: Document, topic: str) -> bytes:
    names = [name for name in good["after"] if name not in ("threshold", "effective_from_ms", "retired")]
    value = random.choice([None, True, [], {}, 1.5, [1]])
    return text_of({**good, "after": {**good["after"], random.choice(names): value}})


def _impossible_row(random: random.Random, good: Document, topic: str) -> bytes:
    bad: list[tuple[str, Any]] = [("threshold", "NaN"), ("threshold", True), ("threshold", []), ("threshold", "high")]
    bad += [("effective_from_ms", "x"), ("effective_from_ms", 1.5), ("deployment_seq", RAW + "9" * 30)]
    if good["source"]["table"] == "model_artifact":
        bad = [("bytes", "no base64!"), ("bytes", "QUJ"), ("part", 1), ("part", -1), ("parts", 0), ("parts", 65)]
        bad += [("parts", RAW + "9" * 30), ("signature", "no base64!"), ("signature", [])]
    name, value = random.choice(bad)
    return text_of({**good, "after": {**good["after"], name: value}})


def _no_envelope(random: random.Random, good: Document, topic: str) -> bytes:
    return text_of(
        random.choice([good["after"], {}, {"after": good["after"]}, {**good, "after": [1]}, {**good, "after": 1}])
    )


def _with(random: random.Random, good: Document, topic: str, value: Any, names: Any) -> bytes:
    if topic == "weir.metadata":
        names = tuple(good["after"])
    present = [name for name in names if name in good]
    return text_of({**good, random.choice(present): value})


Mutation = Callable[[random.Random, Document, str], bytes]
TEXT_MUTATIONS: tuple[Mutation, ...] = (
    *(_cut, _trailing, _noise, _not_utf8, _not_an_object, _raw_control_character, _swapped_bytes),
    *(_nested, _lone_surrogate, _not_a_number),
)
MESSAGE_MUTATIONS: tuple[Mutation, ...] = (
    *(
        _unheard_of_number,
        _missing,
        _null,
        _wrong_type,
        _text_for_number,
        _time_with_fraction,
        _impossible_time,
        _no_id,
    ),
    *(_long_id, _impossible_value, _unknown_control),
)
ROW_MUTATIONS: tuple[Mutation, ...] = (_row_without, _row_of_wrong_types, _impossible_row, _no_envelope)
