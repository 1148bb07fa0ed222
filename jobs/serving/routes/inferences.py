"""One recorded inference with all that is needed to make it again, and the proof that it can be."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response

from jobs.serving.problem import Problem
from jobs.serving.services import Services
from jobs.verification import verify_scores
from model_store.artifact import Artifact
from udfs.domain.errors import RegistryError

__all__ = ["router"]


def router(services: Services) -> APIRouter:
    """Return ``/v1/inferences/{transaction_id}``, its ``/verification``, and ``/v1/artifacts/{digest}``."""
    routes = APIRouter(prefix="/v1", tags=["records"])
    one_at_a_time = threading.Lock()

    # Identifiers may hold slashes; the longer path comes first, or the shorter would take it.
    @routes.get("/inferences/{transaction_id:path}/verification", summary="Score a transaction again")
    def verification(transaction_id: str) -> dict[str, Any]:
        """Make its scores again, from recorded features and bytes, in a fresh process with River's own objects.

        It takes some seconds; one at a time.
        """
        found = _found(services, transaction_id)
        with one_at_a_time:
            result = verify_scores(found, services.store.load_artifact)
        mismatches = [asdict(each) for each in result.mismatches]
        counts = {"compared": result.compared, "mismatched": result.mismatched, "skipped": result.skipped}
        return {"transaction_id": transaction_id, "equal": not mismatches, **counts, "mismatches": mismatches}

    @routes.get("/inferences/{transaction_id:path}", summary="The inferences of a transaction")
    def inference(transaction_id: str) -> dict[str, Any]:
        """Return each role's committed record, with the artifact that scored: its header, and where its bytes are."""
        found = _found(services, transaction_id)
        return {
            "transaction_id": transaction_id,
            "inferences": [{**each, "artifact": _artifact(services, each["digest"])} for each in found],
            "verification": f"/v1/inferences/{quote(transaction_id, safe='')}/verification",
        }

    @routes.get("/artifacts/{digest}", summary="The bytes that score", response_class=Response)
    def artifact(digest: str) -> Response:
        """Return an artifact; the sha256 of the body is the digest."""
        return Response(_load(services, digest), media_type="application/octet-stream")

    return routes


def _found(services: Services, transaction_id: str) -> list[dict[str, Any]]:
    found = services.inferences(transaction_id)
    if not found:
        detail = (
            f"The topic inferences has no committed record of transaction {transaction_id[:80]!r}; one that was just scored "
            f"is committed within seconds."
        )
        raise Problem(reason="unknown_inference", detail=detail)
    return found


def _artifact(services: Services, digest: str | None) -> dict[str, Any] | None:
    """Return what an artifact says of itself, from memory where it is loaded."""
    if digest is None:
        return None
    loaded = services.live.current.versions.get(digest)
    header = loaded.scorer.header if loaded else Artifact.decode(_load(services, digest)).header
    names = ("kind", "feature_set", "training", "parent", "trained_until_ms", "libraries")
    return {"digest": digest, "href": f"/v1/artifacts/{digest}", **{name: header.get(name) for name in names}}


def _load(services: Services, digest: str) -> bytes:
    try:
        return services.store.load_artifact(digest)
    except RegistryError as error:
        raise Problem(reason="unknown_artifact", detail=str(error)) from error
