"""A problem as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PROBLEM_RESPONSES", "ProblemDocument"]


class Finding(BaseModel):
    """One thing that is wrong with a body."""

    reason: str
    pointer: str = Field(description="JSON pointer (RFC 6901) into the body; empty for all of it.")
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Leads to the meaning of the reason.")
    title: str
    status: int
    detail: str = Field(description="What happened, what was got, what to do.")
    instance: str
    reason: str = Field(description="One word for programs; the job uses the same words.")
    errors: list[Finding] | None = None


_PROBLEM: dict[str, Any] = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": ProblemDocument.model_json_schema()}},
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {422: _PROBLEM, "default": _PROBLEM}
"""For the app: the answers of every path but the good ones."""
