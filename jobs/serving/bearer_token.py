"""Lets a request in when it carries the token; without a token set, everybody on this machine is let in."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from jobs.serving.problem import Problem

__all__ = ["BearerToken"]

_scheme = HTTPBearer(auto_error=False, description="WEIR_API_TOKEN, where the server has one.")


class BearerToken:
    """A dependency of routes: ``dependencies=[Depends(BearerToken(token))]``.

    Parameters
    ----------
    token
        What a client must send as ``Authorization: Bearer TOKEN``; None asks for nothing.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    async def __call__(
        self, request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]
    ) -> None:
        """Raise the problem ``unauthorized`` unless the token is right.

        It waits for nothing; were it no coroutine, each request would go to a thread for it and back.
        """
        if self._token is None:
            return
        # Compared in constant time: how long it takes must not tell how much of a guess was right.
        if given is None or not hmac.compare_digest(given.credentials.encode(), self._token.encode()):
            detail = "This path needs the header 'Authorization: Bearer TOKEN' with the server's WEIR_API_TOKEN."
            raise Problem(reason="unauthorized", detail=detail, headers={"WWW-Authenticate": "Bearer"})
