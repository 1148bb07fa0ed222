"""An answer that says what is wrong: RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse

from jobs.serving.problem_kinds import PROBLEM_KINDS

__all__ = ["Problem"]

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Raised by a route; answered as ``application/problem+json``.

    Parameters
    ----------
    reason
        One of :data:`~jobs.serving.problem_kinds.PROBLEM_KINDS`.
    detail
        What happened, what was got, what to do.
    headers
        Further headers of the answer.
    extra
        Further members of the document.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.status, self.title = PROBLEM_KINDS[reason]
        self.reason, self.detail, self.extra = reason, detail, extra
        self.headers = dict(headers or {})

    def document(self, instance: str) -> dict[str, Any]:
        """Return the problem as RFC 9457 words it, of a request to the path ``instance``."""
        return {
            "type": f"/v1/problems/{self.reason}",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
            "instance": instance,
            "reason": self.reason,
            **self.extra,
        }

    def response(self, instance: str) -> JSONResponse:
        """Return the problem as an HTTP answer."""
        return JSONResponse(
            self.document(instance), status_code=int(self.status), headers=self.headers, media_type=MEDIA_TYPE
        )
