"""Scores of features, at once: nothing is written anywhere and the stream sees none of it."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Response

from jobs.serving.limits import Limits
from jobs.serving.predict_messages import PREDICT_EXAMPLES, PredictAnswer, PredictRequest
from jobs.serving.predictor import Predictor, Wanted
from jobs.serving.problem import Problem
from jobs.serving.services import Services
from jobs.serving.version_comparison import compare_versions

__all__ = ["router"]


def router(services: Services, limits: Limits) -> APIRouter:
    """Return ``/v1/predict``."""
    routes = APIRouter(prefix="/v1/predict", tags=["scores"])
    feature_set = services.feature_set

    @routes.post("", summary="Score features", response_model=PredictAnswer)
    async def predict(
        request: Annotated[PredictRequest, Body(openapi_examples=PREDICT_EXAMPLES)],
    ) -> Response:
        """Score rows with the champion, with named versions or roles, or with all live versions, and compare them.

        A row that lacks a feature gets a null score with the reason `missing_feature`, as in the stream.
        """
        if len(request.rows) > limits.max_batch:
            detail = f"/rows has {len(request.rows)} rows; the limit is {limits.max_batch}. Send them in parts."
            raise Problem(reason="batch_too_large", detail=detail, limit=limits.max_batch)
        if (reason := services.not_ready_because()) is not None:
            raise Problem(reason="not_ready", detail=reason, headers={"Retry-After": "1"})
        wanted = Wanted(request.versions, request.roles, request.live)
        results = Predictor(services.live.current, feature_set).predict(request.rows, wanted)
        for result in results:
            for reason, count in Counter(each["reason"] or "scored" for each in result["scores"]).items():
                services.metrics.scores.labels(result["version"], reason).inc(count)
        answer = {"model": services.live.model, "results": results, "comparison": compare_versions(results)}
        # orjson writes a double so that it reads back with the same bits, and takes a tenth of the time.
        return Response(orjson.dumps(answer), media_type="application/json")

    return routes
