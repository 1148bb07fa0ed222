"""Checks a request's body with the parser of the job: what is refused here would be a dead letter there."""

from __future__ import annotations

import json
from typing import Any

import orjson

from jobs.serving.problem import Problem
from udfs.domain.control import Control
from udfs.domain.event import Position, Transaction, Truth
from udfs.domain.feature_set import FeatureSet
from udfs.domain.parsing import parse_transaction, parse_truth
from udfs.domain.rejection import Rejection

__all__ = ["transaction_in", "truths_in"]


def transaction_in(body: bytes, feature_set: FeatureSet, now_ms: int) -> Transaction:
    """Return the transaction that a body is.

    Raises
    ------
    Problem
        With the reason of the dead letter that the job would write, or ``control_record``.

    Examples
    --------
    >>> from udfs.domain.feature_catalog import FeatureCatalog
    >>> transaction_in(b'{"transaction_id": 1, "amount": NaN}', FeatureCatalog.of_code("handbook"), 0)
    Traceback (most recent call last):
    jobs.serving.problem.Problem: not_finite: the value holds NaN, an infinity or a number too large for a double.
    """
    parsed = parse_transaction(_text(body), _at(now_ms), feature_set.required_fields)
    if isinstance(parsed, dict):
        return parsed
    raise _refused(parsed, "")


def truths_in(body: bytes, most: int, now_ms: int) -> list[tuple[Truth, bytes]]:
    """Return the truths of a body, one object or a list, each with the message to be written.

    Raises
    ------
    Problem
        As :func:`transaction_in`, with the place of the first that is refused; or ``batch_too_large``. None of them is to
        be written then.
    """
    text = _text(body)
    values: list[str] = [text]
    listed = text.lstrip().startswith("[")
    if listed:
        try:
            # The lenient parser keeps NaN, so that each value is refused with its own reason by the strict one below.
            values = [json.dumps(each) for each in json.loads(text)]
        except (ValueError, RecursionError) as error:
            raise Problem(reason="not_json", detail=f"the body is not JSON: {error!s:.200}.") from error
    if len(values) > most:
        detail = f"The body has {len(values)} truths; the limit is {most}. Send them in parts."
        raise Problem(reason="batch_too_large", detail=detail, limit=most)
    found = []
    for number, value in enumerate(values):
        parsed = parse_truth(value, _at(now_ms))
        if not isinstance(parsed, dict):
            raise _refused(parsed, f"/{number}" if listed else "")
        found.append((parsed, orjson.dumps(orjson.loads(value))))
    return found


def _text(body: bytes) -> str:
    return body.decode(errors="replace")  # what is no UTF-8 the parser tells by the replacement


def _at(now_ms: int) -> Position:
    return Position(partition=-1, offset=-1, ingestion_time_ms=now_ms)


def _refused(parsed: Rejection | Control, pointer: str) -> Problem:
    if isinstance(parsed, Control):
        detail = "Control records move the event time of the whole stream; a producer writes them to Kafka itself."
        return Problem(reason="control_record", detail=detail)
    extra: dict[str, Any] = {"errors": [{"reason": parsed.reason, "pointer": pointer, "detail": parsed.detail}]}
    return Problem(
        reason=parsed.reason, detail=f"{pointer}: {parsed.detail}." if pointer else f"{parsed.detail}.", **extra
    )
