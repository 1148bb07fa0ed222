"""What each problem means: where the ``type`` of a problem document leads."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from jobs.serving.problem import Problem
from jobs.serving.problem_kinds import PROBLEM_KINDS

__all__ = ["router"]


def router() -> APIRouter:
    """Return ``/v1/problems`` and ``/v1/problems/{reason}``."""
    routes = APIRouter(prefix="/v1/problems", tags=["health"])

    @routes.get("", summary="All problems")
    async def problems() -> list[dict[str, Any]]:
        """List every reason with its status and title."""
        return [_described(reason) for reason in PROBLEM_KINDS]

    @routes.get("/{reason}", summary="One problem")
    async def problem(reason: str) -> dict[str, Any]:
        """Say what a problem's `type` means."""
        if reason not in PROBLEM_KINDS:
            raise Problem(
                reason="unknown_problem", detail=f"There is no problem {reason[:80]!r}; /v1/problems lists all of them."
            )
        return _described(reason)

    return routes


def _described(reason: str) -> dict[str, Any]:
    status, title = PROBLEM_KINDS[reason]
    return {"type": f"/v1/problems/{reason}", "reason": reason, "status": int(status), "title": title}
