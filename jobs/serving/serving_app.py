"""The whole app of a plan: what uvicorn serves, and what each Ray replica makes for itself."""

from __future__ import annotations

from fastapi import FastAPI

from jobs.serving.build_app import build_app
from jobs.serving.services import build_services
from jobs.serving.serving_plan import ServingPlan

__all__ = ["serving_app"]


def serving_app(plan: ServingPlan) -> FastAPI:
    """Return the app with all its routers; nothing is connected before it starts."""
    return build_app(build_services(plan), plan.limits, token=plan.token)
