"""Which version was given which role, when, by whom and why: rows of the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from jobs.serving.services import Services

__all__ = ["router"]

MOST_ROWS = 1_000


def router(services: Services) -> APIRouter:
    """Return ``/v1/deployments`` and ``/v1/deployments/history``."""
    routes = APIRouter(prefix="/v1/deployments", tags=["models"])

    @routes.get("", summary="The newest activation of each role")
    def deployments() -> list[dict[str, Any]]:
        """Read the table; `live` says whether this process scores with it already."""
        live = {each.deployment_seq for each in services.live.current.live()}
        found = services.store.deployments(services.live.model)
        return [{**asdict(each), "live": each.deployment_seq in live} for each in found]

    @routes.get("/history", summary="All activations, the newest first")
    def history(limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="At most so many.")] = 100) -> Any:  # noqa: ANN401
        """Read the table; nothing in it is ever changed."""
        return [asdict(each) for each in services.store.history(services.live.model, limit)]

    @routes.get("/verdicts", summary="What the gate said here of the newest activations")
    async def verdicts() -> list[dict[str, Any]]:
        """Tell what this process's gate accepted and refused, and why; the job's own are in the topic model_events."""
        return [
            {**asdict(each.activation), "event": each.event, "reason": each.reason} for each in services.live.events
        ]

    return routes
