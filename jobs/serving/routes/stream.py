"""The stream's two entrances for a person or a program: a transaction that is answered, and truths."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from jobs.serving.limits import Limits
from jobs.serving.problem import Problem
from jobs.serving.services import Services
from jobs.serving.stream_messages import TRANSACTION_BODY, TRUTHS_BODY, StreamAnswer, TruthsAnswer
from jobs.serving.stream_values import transaction_in, truths_in
from udfs.domain.deployment import CHAMPION

__all__ = ["router"]


def router(services: Services, limits: Limits) -> APIRouter:
    """Return ``/v1/transactions`` and ``/v1/truths``."""
    routes = APIRouter(prefix="/v1", tags=["stream"])
    feature_set = services.feature_set

    @routes.post(
        "/transactions",
        summary="Score a transaction through the stream",
        openapi_extra=TRANSACTION_BODY,
        response_model=StreamAnswer,
    )
    async def transactions(
        request: Request,
        roles: Annotated[Literal["champion", "live"], Query(description="Whose scores to wait for.")] = "champion",
        timeout_ms: int = Query(
            limits.answer_timeout_ms, ge=1, le=limits.max_answer_timeout_ms, description="How long to wait."
        ),
    ) -> dict[str, Any]:
        """Write a transaction to the topic and answer with the job's inference, before it is committed.

        Windows and truths count it from then on. After the time-out the answer is 504: it is in the stream and still being
        scored. The same transaction_id again is a `duplicate`.
        """
        body = await request.body()
        transaction = transaction_in(body, feature_set, _now_ms())
        if (trouble := services.stream_trouble()) is not None:
            raise Problem(reason="not_ready", detail=f"{trouble} Nothing was sent.", headers={"Retry-After": "1"})
        wanted = services.live.current.deployment.live_roles if roles == "live" else ()
        try:
            answer = await services.stream.score(
                transaction, body, list(dict.fromkeys((CHAMPION, *wanted))), timeout_ms / 1_000
            )
        except Problem as problem:
            services.metrics.streamed.labels(problem.reason).inc()
            raise
        services.metrics.streamed.labels("scored").inc()
        return answer

    @routes.post(
        "/truths", status_code=202, summary="Tell truths", openapi_extra=TRUTHS_BODY, response_model=TruthsAnswer
    )
    async def truths(request: Request) -> dict[str, Any]:
        """Write truths to the topic, all or, where one of them is refused, none.

        The answer comes when Kafka has them. After an error of the broker send them all again: repeats change nothing.
        """
        found = truths_in(await request.body(), limits.max_batch, _now_ms())

        def send() -> list[Any]:
            return [services.sender.send("truths", truth["transaction_id"], value) for truth, value in found]

        places = await asyncio.gather(*map(asyncio.wrap_future, await run_in_threadpool(send)))
        positions = [{"partition": partition, "offset": offset} for partition, offset in places]
        return {"accepted": len(positions), "positions": positions}

    return routes


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
