"""Whether the process lives, whether it can answer, and what Prometheus reads: never behind the token."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from jobs.serving.problem import Problem
from jobs.serving.services import Services

__all__ = ["router"]


def router(services: Services) -> APIRouter:
    """Return ``/v1/health``, ``/v1/ready`` and ``/metrics``."""
    routes = APIRouter(tags=["health"])

    @routes.get("/v1/health", summary="The process lives")
    async def health() -> dict[str, Any]:
        """Answer 200 for as long as the process can answer at all; `troubles` says what it waits for."""
        return {"status": "alive", "troubles": services.troubles()}

    @routes.get("/v1/ready", summary="Predictions can be answered")
    async def ready() -> dict[str, Any]:
        """Answer 200 when kernels are compiled and the deployments were read to the end the topic had at the start."""
        reason = services.not_ready_because()
        if reason is not None:
            raise Problem(reason="not_ready", detail=reason, headers={"Retry-After": "1"})
        deployment = services.live.current.deployment
        champion = deployment.active("champion")
        return {
            "status": "ready",
            "deployment_seq": deployment.seen_seq,
            "champion": champion.version if champion else None,
        }

    @routes.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        services.metrics.deployment_seq.set(services.live.current.deployment.seen_seq)
        return Response(services.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
