"""Asks a local HTTP service whether it is there, for the components' ``ready``."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

__all__ = ["answers"]


def answers(url: str, *, any_status: bool = False, timeout_s: float = 1.0) -> bool:
    """Tell whether an HTTP GET succeeds.

    Parameters
    ----------
    url
        The address; proxies of the environment are not asked.
    any_status
        Whether an error status (401, 403, ...) also counts as an answer.
    timeout_s
        Seconds to wait.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s):
            return True
    except urllib.error.HTTPError:
        return any_status
    except (OSError, http.client.HTTPException):
        return False
