"""How good each version really is, as the job measures it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from jobs.serving.services import Services

__all__ = ["router"]

MOST_ROWS = 10_000
Time = Annotated[int | None, Query(description="Of a window's beginning, epoch milliseconds.")]


SERIES = (
    "Only this series: event_time has each transaction once, with its newest truth; truth_time each truth as it was told, "
    "a correction as one more, in the window in which it was told."
)


def router(services: Services) -> APIRouter:
    """Return ``/v1/quality``."""
    routes = APIRouter(prefix="/v1/quality", tags=["models"])

    @routes.get("", summary="ROC AUC of each version by window")
    async def quality(
        version: Annotated[str | None, Query(description="Only this version.")] = None,
        role: Annotated[str | None, Query(description="Only this role.")] = None,
        series: Annotated[Literal["event_time", "truth_time"] | None, Query(description=SERIES)] = None,
        since_ms: Time = None,
        until_ms: Time = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="The last so many windows.")] = 1_000,
    ) -> dict[str, Any]:
        """Return the newest row of each window of the topic `model_quality`; a window that begins at 0 is the whole life."""
        follower = services.followers.get("model_quality")
        rows = services.quality.rows(
            since_ms, until_ms, model=services.live.model, version=version, role=role, series=series
        )
        return {"complete": follower is None or follower.caught_up, "rows": rows[-limit:]}

    return routes
