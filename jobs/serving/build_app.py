"""Makes the API of its services: the same app on uvicorn, in Ray Serve replicas, and in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from jobs.serving.bearer_token import BearerToken
from jobs.serving.body_guard import BodyGuard
from jobs.serving.head_requests import HeadRequests
from jobs.serving.limits import Limits
from jobs.serving.problem_document import PROBLEM_RESPONSES
from jobs.serving.problem_handlers import install_problem_handlers
from jobs.serving.request_meter import RequestMeter
from jobs.serving.routes import deployments, health, inferences, models, predict, problems, quality, stream
from jobs.serving.services import Services

__all__ = ["build_app"]

DESCRIPTION = """The versions that score the stream, asked one transaction at a time.

The same artifacts, the same compiled scorer and the same gate as in the job: a score given here has the bits it has there.
Deployments are followed while it runs. Every error is a problem document (RFC 9457) whose `type` leads to its meaning."""


def build_app(
    services: Services, limits: Limits | None = None, *, token: str | None = None, routers: Sequence[APIRouter] = ()
) -> FastAPI:
    """Return the app; its lifespan starts and stops the services.

    Parameters
    ----------
    services
        What the routes stand on, not started.
    limits
        Bounds of a request.
    token
        What a client must carry for everything under ``/v1`` but health and the meaning of problems; None for nothing.
    routers
        Further paths, after those of the API: the page, its events. They bring their own checks of the token, a
        :class:`~jobs.serving.bearer_token.BearerToken`.
    """
    limits = limits or Limits()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(services.start)
        try:
            yield
        finally:
            await run_in_threadpool(services.stop)

    app = FastAPI(title="Weir", version=version("weir"), description=DESCRIPTION, lifespan=lifespan, docs_url=None,
                  redoc_url=None, openapi_url="/v1/openapi.json", responses=PROBLEM_RESPONSES)  # fmt: skip
    install_problem_handlers(app)
    app.add_middleware(BodyGuard, limits=limits)
    app.add_middleware(RequestMeter, metrics=services.metrics)
    app.add_middleware(HeadRequests)
    guarded = [] if token is None else [Depends(BearerToken(token))]
    for router in (
        predict.router(services, limits),  # the first is found soonest
        stream.router(services, limits),
        inferences.router(services),
        models.router(services),
        deployments.router(services),
        quality.router(services),
    ):
        app.include_router(router, dependencies=guarded)
    for router in (health.router(services), problems.router(), *routers):
        app.include_router(router)
    return app
