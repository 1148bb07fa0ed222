"""What is written to the topic ``dead_letters``: a message that could not be used, and where it stood."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from udfs.domain.event import Position

__all__ = ["dead_letter"]

PAYLOAD_BYTES = 1_024
READ_CHARACTERS = 8_192
"""How much of a payload is looked at; more than is kept, because masking makes it shorter."""
MASK = "***"

# A customer_id is masked to the end of its string even where the payload is cut or broken inside it.
CUSTOMER = re.compile(r'("customer_id"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,}\]]+)', re.DOTALL)
# 12 digits and more, also in groups, may be a card. Not so decimals; and times are what a reader needs, in a message or in
# the sentence about it: of 13 digits and, by a mistake of unit, of 16 or 19 that begin as those of this time do and no card.
TIME_OR_CARD = re.compile(
    r'((?:_ms"\s*:|_ms is|append time)\s*-?(?:\d{1,13}|1\d{15}|1\d{18})(?!\d))|(?<![.\d])(?:\d[ -]?){11,}\d'
)
LOOSE_END = re.compile(r"[\d -]+$")


def dead_letter(
    topic: str, position: Position, reason: str, detail: str, value: str | None, time_ms: int
) -> dict[str, Any]:
    """Return the record of ``dead_letters`` for one message.

    Parameters
    ----------
    topic, position
        Where the message stood.
    reason
        One word with underscores, see ``udfs.domain.parsing``, or ``duplicate``.
    detail
        What was got and what was expected.
    value
        The message's value; the payload is its beginning with customer_id and card-like runs of digits masked.
    time_ms
        When it was set aside, epoch milliseconds.

    Examples
    --------
    >>> at = Position(partition=1, offset=9, ingestion_time_ms=0)
    >>> dead_letter("transactions", at, "not_json", "", '{"customer_id": 17, "n": 4929123412341234', 5)["payload"]
    '{"customer_id": "***", "n": ***'
    """
    text = "" if value is None else value
    raw = text.encode("utf-8", "surrogatepass")
    return {
        "topic": topic,
        "partition": position["partition"],
        "offset": position["offset"],
        "reason": reason,
        "detail": _masked(detail),
        "payload": _masked(text),
        "payload_length": len(raw),
        "payload_sha256": hashlib.sha256(raw).hexdigest(),
        "time_ms": time_ms,
    }


def _masked(text: str) -> str:
    seen = text[:READ_CHARACTERS]
    if len(text) > READ_CHARACTERS:
        seen = LOOSE_END.sub("", seen)  # a card number that the cut made too short to be known as one
    seen = CUSTOMER.sub(rf'\1"{MASK}"', seen)
    seen = TIME_OR_CARD.sub(lambda match: match[1] or MASK, seen)
    # A lone surrogate could not be written as JSON; the cut must not leave half a character either.
    return seen.encode("utf-8", "replace")[:PAYLOAD_BYTES].decode("utf-8", "ignore")
