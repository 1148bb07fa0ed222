"""Turns everything that can go wrong in a request into problem details; nothing leaves as a stack trace or as HTML."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jobs.serving.problem import Problem
from udfs.domain.errors import ConnectionLostError, WeirError

__all__ = ["install_problem_handlers"]

MOST_ERRORS = 10
_BY_STATUS = {400: "not_json", 404: "not_found", 405: "method_not_allowed"}
# What pydantic calls it: what the job calls it.
_REASONS = {
    "json_invalid": "not_json",
    "finite_number": "not_finite",
    "missing": "missing_field",
    "too_long": "batch_too_large",
    "extra_forbidden": "unknown_field",
    "dict_type": "not_an_object",
    "model_attributes_type": "not_an_object",
}
_OUT_OF_RANGE = (
    "less_than",
    "greater_than",
    "too_short",
    "string_too",
    "value_error",
    "literal_error",
    "string_pattern",
)
logger = logging.getLogger(__name__)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app as ``application/problem+json``."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> JSONResponse:
        return problem.response(request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return _problem_of(error.errors()).response(request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        reason = _BY_STATUS.get(error.status_code, "internal")
        return Problem(reason, f"{request.method} {request.url.path}: {error.detail}.").response(request.url.path)

    @app.exception_handler(WeirError)
    async def _weir(request: Request, error: WeirError) -> JSONResponse:
        reason = "unreachable" if isinstance(error, ConnectionLostError) else "internal"
        return Problem(reason, str(error)).response(request.url.path)

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        detail = f"The request could not be answered ({type(error).__name__}); the API's log says more."
        return Problem("internal", detail).response(request.url.path)


def _problem_of(errors: Sequence[Any]) -> Problem:
    """Return the problem of what pydantic found: the first finding gives the reason, all are listed."""
    findings = [
        {"reason": _reason(each["type"]), "pointer": _pointer(each["loc"]), "detail": each["msg"]}
        for each in errors[:MOST_ERRORS]
    ]
    first = findings[0]
    where = first["pointer"] or "the body"
    return Problem(first["reason"], f"{where}: {first['detail']}.", errors=findings)


def _reason(kind: str) -> str:
    return _REASONS.get(kind) or ("out_of_range" if kind.startswith(_OUT_OF_RANGE) else "wrong_type")


def _pointer(location: Sequence[str | int]) -> str:
    """Return a JSON pointer (RFC 6901) into the body, or the name of a parameter."""
    kind, *path = location
    if kind != "body":
        return f"{kind} parameter {'.'.join(map(str, path))}"
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
