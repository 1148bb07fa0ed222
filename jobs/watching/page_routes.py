"""The page at ``/`` and what it asks for: its events, a transaction's explanation, a deployment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from connectors.postgres.metadata_store import MetadataStore
from jobs.commands.promote import promote_version
from jobs.commands.rollback import previous_activation
from jobs.explaining.explanation import Explanation
from jobs.report.explanation_lines import explanation_lines
from jobs.serving.bearer_token import BearerToken
from jobs.serving.problem import Problem
from jobs.watching.page_file import content_security_policy, page_html
from jobs.watching.watch import Watch
from model_store.registry import Registry

__all__ = ["PageParts", "page_router"]

LOOK_S = 0.5
PING_S = 15
LONGEST_ID = 256


class PageParts:
    """What the page stands on.

    Parameters
    ----------
    watch
        Its document; started when somebody first looks.
    store, registry
        Where a deployment is looked up, and made.
    model
        The registered model of the stream.
    explain
        Gathers everything about one transaction; it starts a process that scores again, so one at a time is asked.
    token
        What a client must carry; without one nobody can deploy from the page.
    """

    def __init__(
        self,
        watch: Watch,
        store: MetadataStore,
        registry: Registry,
        model: str,
        explain: Callable[[str], Explanation],
        token: str | None,
    ) -> None:
        self.watch, self.store, self.registry, self.model = watch, store, registry, model
        self.token = token
        self._explain = explain
        self._one_at_a_time = asyncio.Lock()

    async def explanation(self, transaction_id: str) -> Explanation:
        """Explain a transaction, after those who asked before."""
        async with self._one_at_a_time:
            return await run_in_threadpool(self._explain, transaction_id)


class Promotion(BaseModel):
    """What the page sends to give a version a role."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(min_length=1, max_length=100, description="the version")
    role: str = Field(
        "champion", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$", description="champion, or a challenger's name"
    )
    threshold: float | None = Field(None, allow_inf_nan=False, description="score from which on it raises alerts")
    why: str = Field("", max_length=500, description="kept with the deployment")


class Rollback(BaseModel):
    """What the page sends to give a role back."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field("champion", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$", description="whose version goes back")
    why: str = Field("", max_length=500, description="kept with the deployment")


def page_router(parts: PageParts) -> APIRouter:
    """Return ``/`` and everything below ``/page``; all but the empty page itself asks for the token, if there is one."""

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(parts.watch.stop)

    routes = APIRouter(include_in_schema=False, lifespan=lifespan)
    guarded = [Depends(BearerToken(parts.token))]
    deploying = [*guarded, Depends(_needs_token(parts.token))]

    @routes.get("/")
    def page() -> HTMLResponse:
        headers = {
            "Content-Security-Policy": content_security_policy(),
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(page_html(asks_token=parts.token is not None), headers=headers)

    @routes.get("/page/events", dependencies=guarded)
    async def events(request: Request) -> EventSourceResponse:
        await run_in_threadpool(parts.watch.start)
        return EventSourceResponse(_documents(parts, request), ping=PING_S)

    @routes.get("/page/document", dependencies=guarded)
    async def document() -> dict[str, Any]:
        await run_in_threadpool(parts.watch.start)
        return _shown(parts)

    @routes.get("/page/explain/{transaction_id}", dependencies=guarded)
    async def explain(transaction_id: Annotated[str, Path(min_length=1, max_length=LONGEST_ID)]) -> dict[str, Any]:
        found = await parts.explanation(transaction_id)
        return {**asdict(found), "equal": found.equal, "lines": explanation_lines(found)}

    @routes.post("/page/promote", dependencies=deploying)
    def promote(wanted: Promotion) -> dict[str, Any]:
        promote_version(
            parts.registry, parts.model, wanted.version, wanted.role, threshold=wanted.threshold, why=wanted.why
        )
        return {"model": parts.model, "version": wanted.version, "role": wanted.role}

    @routes.post("/page/rollback", dependencies=deploying)
    def rollback(wanted: Rollback) -> dict[str, Any]:
        known = {version.version for version in parts.registry.versions(parts.model)}
        present, before = previous_activation(parts.store.history(parts.model), parts.model, wanted.role, known)
        why = wanted.why or f"rollback of version {present.version}"
        promote_version(parts.registry, parts.model, before.version, wanted.role, threshold=before.threshold, why=why)
        return {"model": parts.model, "role": wanted.role, "from": present.version, "to": before.version}

    return routes


def _shown(parts: PageParts) -> dict[str, Any]:
    return {**parts.watch.document(), "may_deploy": parts.token is not None}


def _needs_token(token: str | None) -> Callable[[], None]:
    def check() -> None:
        if token is None:
            # Any page a browser shows could send this; only a secret it must carry tells them apart.
            detail = "Without a token nobody deploys over HTTP; set WEIR_API_TOKEN and start weir serve again."
            raise Problem(reason="unauthorized", detail=detail, headers={"WWW-Authenticate": "Bearer"})

    return check


async def _documents(parts: PageParts, request: Request) -> AsyncIterator[dict[str, str]]:
    """Yield each new document, and the present one first."""
    seen = -1
    while not await request.is_disconnected():
        revision = parts.watch.revision
        if revision != seen:
            seen = revision
            yield {"event": "document", "id": str(revision), "data": orjson.dumps(_shown(parts)).decode()}
        await asyncio.sleep(LOOK_S)
