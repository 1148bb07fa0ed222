"""What the stream takes, as the OpenAPI document shows it; what is really checked is the job's own parser."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TRANSACTION_BODY", "TRUTHS_BODY", "StreamAnswer", "TruthsAnswer"]


class TransactionMessage(BaseModel):
    """A message of the topic `transactions`. Other fields are carried along; the feature set may require some of them."""

    model_config = ConfigDict(extra="allow")

    transaction_id: str | int
    event_time_ms: int = Field(description="Epoch milliseconds, UTC; at most a day ahead.")
    customer_id: str | int
    amount: float
    terminal_id: str | int | None = None


class TruthMessage(BaseModel):
    """A message of the topic `truths`."""

    model_config = ConfigDict(extra="allow")

    transaction_id: str | int
    label: int = Field(ge=0, le=1)
    revision: int = Field(ge=0, description="A higher one replaces a lower.")
    truth_time_ms: int
    event_time_ms: int
    customer_id: str | int
    terminal_id: str | int | None = None
    intervened: bool | None = Field(None, description="The transaction was blocked: its label is not comparable.")


class StreamAnswer(BaseModel):
    """What the job said, before it is committed."""

    transaction_id: str
    provisional: bool = Field(description="Always true: a restart of the job may score the transaction again.")
    complete: bool = Field(description="Whether all wanted roles have answered.")
    milliseconds: float
    inferences: list[dict[str, Any]] = Field(description="Records of the topic `inferences`, the champion's first.")


class TruthsAnswer(BaseModel):
    """Where the truths stand now, in the order in which they were sent."""

    accepted: int
    positions: list[dict[str, int]]


def _body(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
    }


_TRANSACTION = {
    "transaction_id": "t-1001",
    "event_time_ms": 1_760_000_000_000,
    "customer_id": "c-17",
    "terminal_id": "m-3",
    "amount": 57.16,
}
_TRUTH = {
    "transaction_id": "t-1001",
    "label": 1,
    "revision": 0,
    "truth_time_ms": 1_760_600_000_000,
    "event_time_ms": 1_760_000_000_000,
    "customer_id": "c-17",
    "terminal_id": "m-3",
}
TRANSACTION_BODY = _body(
    TransactionMessage.model_json_schema(),
    {
        "terminal": {"summary": "At a terminal", "value": _TRANSACTION},
        "online": {
            "summary": "Without a terminal, and a field of the sender's own",
            "value": {**_TRANSACTION, "transaction_id": "t-1002", "terminal_id": None, "channel": "web"},
        },
    },
)
TRUTHS_BODY = _body(
    {"anyOf": [TruthMessage.model_json_schema(), {"type": "array", "items": TruthMessage.model_json_schema()}]},
    {
        "fraud": {"summary": "One transaction was a fraud", "value": _TRUTH},
        "correction": {
            "summary": "Two at once, the second of them a correction",
            "value": [{**_TRUTH, "transaction_id": "t-1002", "label": 0}, {**_TRUTH, "label": 0, "revision": 1}],
        },
    },
)
