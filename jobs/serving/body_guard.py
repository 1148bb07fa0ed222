"""Reads the body of a request before anything else does: JSON only, not too large, not too slow."""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.serving.content_encoding import check_encoding, decoded
from jobs.serving.limits import Limits
from jobs.serving.problem import Problem

__all__ = ["BodyGuard"]

_JSON_LIKE = re.compile(r"application/[a-z0-9!#$&^_.+-]+\+json")


class BodyGuard:
    """ASGI middleware that holds clients to :class:`~jobs.serving.limits.Limits`.

    A body that is announced too large is refused unread; one that turns out too large, or does not come in time, is
    refused where it stands. One that is packed (gzip, deflate) is unpacked, within the same bound. Nothing behind this
    has seen any of it.

    Parameters
    ----------
    app
        What answers.
    limits
        The bounds.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            _check_type(headers.get(b"content-type", b"").decode("latin-1"))
            encodings = check_encoding(headers.get(b"content-encoding", b"").decode("latin-1"))
            announced = headers.get(b"content-length", b"0")
            if announced.isdigit() and int(announced) > self._limits.max_body_bytes:
                raise self._too_large(int(announced))
            async with asyncio.timeout(self._limits.body_timeout_s):
                body = await self._read(receive)
            if body and encodings:
                body = decoded(body, encodings, self._limits.max_body_bytes)
                if body is None:
                    raise self._too_large(self._limits.max_body_bytes + 1)
        except (Problem, TimeoutError) as error:
            problem = error if isinstance(error, Problem) else self._too_slow()
            await problem.response(scope["path"])(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the whole body, or None when the client went away before its end."""
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limits.max_body_bytes:
                raise self._too_large(size)
            more = message.get("more_body", False)
        return b"".join(chunks)

    def _too_large(self, size: int) -> Problem:
        detail = f"The body has {size} bytes or more; the limit is {self._limits.max_body_bytes}. Send less at once."
        return Problem("body_too_large", detail, headers={"Connection": "close"}, limit=self._limits.max_body_bytes)

    def _too_slow(self) -> Problem:
        seconds = self._limits.body_timeout_s
        detail = f"The body was not complete after {seconds:g} s; nothing of it was taken. Send it again, faster."
        return Problem("body_too_slow", detail, headers={"Connection": "close"})


def _check_type(content_type: str) -> None:
    """Refuse what a browser sends for any page without asking first: only JSON is asked for, and so cannot be forged."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not _JSON_LIKE.fullmatch(kind):
        got = content_type[:80] or "none"
        detail = f"The body must be sent with Content-Type: application/json (or application/...+json), got {got!r}."
        raise Problem(reason="unsupported_media_type", detail=detail, headers={"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the body once and then what else the client says."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
