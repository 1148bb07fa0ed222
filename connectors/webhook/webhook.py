"""Calls a webhook: one POST per alert, signed, with the alert's id as idempotency key."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from connectors.loopback import is_loopback, loopback_session, without_netrc
from connectors.webhook.cut_connections import CutAdapter
from connectors.webhook.signature import Signature
from udfs.domain.errors import SettingsError

__all__ = ["Delivery", "Webhook"]

LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one call.

    Parameters
    ----------
    taken
        The receiver answered 2xx.
    error
        Why not, else empty; never holds the address, which may hold a secret.
    retry_after_s
        What the receiver asked for, seconds; None where it did not.
    """

    taken: bool
    error: str = ""
    retry_after_s: float | None = None


class Webhook:
    """One receiver.

    Parameters
    ----------
    url
        ``https://...``, or ``http://...`` within a network that one trusts.
    signature
        Signs each call.
    timeout_s
        Of a whole call, from looking up the name to the head of the answer, however slowly it comes.

    Raises
    ------
    SettingsError
        When the address is no such address.
    """

    def __init__(self, url: str, signature: Signature, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = f"A webhook's address begins with https:// or http:// and names a host; got {parts.scheme or 'none'}."
            raise SettingsError(msg)
        self._url, self._signature, self._timeout_s = url, signature, timeout_s
        self._session = loopback_session() if is_loopback(parts.hostname) else requests.Session()
        self._session.auth = without_netrc
        self._adapter = CutAdapter()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def deliver(self, alert_id: str, alert: Mapping[str, Any]) -> Delivery:
        """POST an alert; never raises for what the receiver or the network does.

        Redirects are not followed: an alert goes where it was told to go, or nowhere.
        """
        body, now_s = orjson.dumps(alert), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "weir-notify",
            "Idempotency-Key": alert_id,
            "webhook-id": alert_id,
            "webhook-timestamp": str(now_s),
            "webhook-signature": self._signature.of(alert_id, now_s, body),
        }
        answered: SimpleQueue[Delivery] = SimpleQueue()
        threading.Thread(target=lambda: answered.put(self._call(body, headers)), daemon=True).start()
        try:
            return answered.get(timeout=self._timeout_s)
        except Empty:
            # Also where each byte came in time. What the thread still holds is cut, and ends it.
            self._adapter.cut()
            return self._too_late()

    def _too_late(self) -> Delivery:
        return Delivery(taken=False, error=f"no answer within {self._timeout_s:g} s")

    def _call(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        try:
            # The answer's body is nobody's business here: not read, so it cannot be long.
            with self._session.post(
                self._url, data=body, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True
            ) as answer:
                if 200 <= answer.status_code < 300:
                    return Delivery(taken=True)
                return Delivery(
                    taken=False, error=f"answered {answer.status_code} {answer.reason}", retry_after_s=_wished(answer)
                )
        except requests.Timeout:
            return self._too_late()
        except requests.RequestException as error:
            return Delivery(taken=False, error=f"{type(error).__name__} while calling the webhook")


def _wished(answer: requests.Response) -> float | None:
    """Return what the header Retry-After says, seconds or a date; None where it says nothing sensible."""
    try:
        return min(Retry().parse_retry_after(answer.headers["Retry-After"]), LONGEST_RETRY_AFTER_S)
    except (KeyError, InvalidHeader):
        return None
