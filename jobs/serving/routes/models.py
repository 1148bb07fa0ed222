"""The model of this stream: its live versions, and all that were ever registered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from jobs.serving.problem import Problem
from jobs.serving.services import Services
from model_store.model_version import ModelVersion
from udfs.domain.errors import RegistryError

__all__ = ["router"]


def router(services: Services) -> APIRouter:
    """Return ``/v1/models`` and, from MLflow, ``/v1/models/{model}/versions``."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("", summary="Models and their live roles")
    async def models() -> list[dict[str, Any]]:
        """Tell which version holds which role, from memory: what `/v1/predict` scores with at this moment."""
        loaded = services.live.current
        feature_set = services.feature_set
        roles = [
            {
                "role": each.role,
                "version": each.version,
                "digest": each.digest,
                "threshold": each.threshold,
                "deployment_seq": each.deployment_seq,
            }
            for each in loaded.live()
        ]
        return [
            {
                "model": services.live.model,
                "feature_set": feature_set.label,
                "features": list(feature_set.features),
                "roles": roles,
                "loaded_versions": sorted({each.version for each in loaded.activations()}),
            }
        ]

    @routes.get("/{model}/versions", summary="Registered versions, the newest first")
    def versions(model: str) -> list[dict[str, Any]]:
        """List what MLflow knows: digest, roles, training, metrics."""
        found = services.registry.versions(model)
        if not found:
            raise Problem(reason="unknown_model", detail=f"The registry has no version of a model {model[:80]!r}.")
        return [_described(each) for each in found]

    @routes.get("/{model}/versions/{version}", summary="One registered version")
    def version(model: str, version: str) -> dict[str, Any]:
        """Tell what MLflow knows of one version."""
        try:
            return _described(services.registry.version(model, version))
        except RegistryError as error:
            raise Problem(reason="unknown_version", detail=str(error)) from error

    return routes


def _described(version: ModelVersion) -> dict[str, Any]:
    return {**asdict(version), "roles": list(version.roles), "metrics": dict(version.metrics)}
