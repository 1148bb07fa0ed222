"""The whole app of a plan: what uvicorn serves, and what each Ray replica makes for itself."""

from __future__ import annotations

from fastapi import FastAPI

from connectors.kafka.topic_search import TopicSearch
from jobs.explaining.explain_transaction import explain_transaction
from jobs.explaining.explanation import Explanation
from jobs.serving.build_app import build_app
from jobs.serving.services import build_services
from jobs.serving.serving_plan import ServingPlan
from jobs.watching.open_watch import open_watch
from jobs.watching.page_routes import PageParts, page_router

__all__ = ["serving_app"]


def serving_app(plan: ServingPlan) -> FastAPI:
    """Return the app with all its routers, the page's too; nothing is connected before it starts."""
    services = build_services(plan)

    def explain(transaction_id: str) -> Explanation:
        with TopicSearch(plan.bootstrap) as topics:
            return explain_transaction(transaction_id, topics, services.registry, services.store.load_artifact)

    watch = open_watch(plan.model, plan.bootstrap, plan.dsn, plan.mlflow, plan.flink)
    parts = PageParts(watch, services.store, services.registry, plan.model, explain, plan.token)
    return build_app(services, plan.limits, token=plan.token, routers=[page_router(parts)])
