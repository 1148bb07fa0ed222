"""How this machine's own servers are asked: never through a proxy, never with the credentials of somebody's ``.netrc``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

__all__ = ["is_loopback", "keep_to_ourselves", "loopback_session", "without_netrc"]

HERE = ("127.0.0.1", "localhost", "::1")


def loopback_session() -> requests.Session:
    """Return a session that takes nothing from the environment: no proxy, no credentials, no certificates."""
    import requests  # here: the command line names this module before it knows whether it asks anybody

    session = requests.Session()
    session.trust_env = False
    return session


def without_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate in no way; where a session has an authentication of its own, ``.netrc`` is not looked at."""
    return request


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3", "10.0.0.1", "localhost.example.com")]
    [True, True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def keep_to_ourselves(environ: MutableMapping[str, str] = os.environ) -> None:
    """Tell libraries and child processes that loopback has no proxy, and that there is no file of credentials.

    For clients that are not ours to set up: MLflow's, and what it brings. Proxies for other hosts stay in force.

    Parameters
    ----------
    environ
        What is changed.

    Examples
    --------
    >>> environ = {"HTTP_PROXY": "http://proxy:3128", "no_proxy": "example.com"}
    >>> keep_to_ourselves(environ)
    >>> environ["no_proxy"], environ["NO_PROXY"] == environ["no_proxy"], environ["HTTP_PROXY"]
    ('example.com,127.0.0.1,localhost,::1', True, 'http://proxy:3128')
    """
    # Libraries read the lower case first, or only one of the two.
    told = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [each.strip() for each in told.split(",") if each.strip()]
    if "*" not in hosts:
        hosts += [each for each in HERE if each not in hosts]
    environ["no_proxy"] = environ["NO_PROXY"] = ",".join(hosts)
    environ["NETRC"] = os.devnull
