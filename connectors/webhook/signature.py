"""Signs a webhook's message as the Standard Webhooks specification (version 1) has it, so that receivers find libraries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from udfs.domain.errors import SettingsError

__all__ = ["Signature"]

PREFIX = "whsec_"
SHORTEST = 24
_HOW = "echo whsec_$(openssl rand -base64 32)"


class Signature:
    """Makes the header ``webhook-signature``.

    Parameters
    ----------
    secret
        ``whsec_`` and base64, as the specification writes keys; or any text of at least 24 bytes.

    Raises
    ------
    SettingsError
        When the secret is shorter, or no base64 follows the prefix. The message does not hold it.

    Examples
    --------
    The specification's own example:

    >>> signature = Signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature.of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """

    def __init__(self, secret: str) -> None:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
        except binascii.Error:
            msg = f"WEIR_WEBHOOK_SECRET begins with {PREFIX} but no base64 follows; make one with: {_HOW}"
            raise SettingsError(msg) from None
        self._key = key or secret.encode()
        if len(self._key) < SHORTEST:
            msg = (
                f"WEIR_WEBHOOK_SECRET has {len(self._key)} bytes, at least {SHORTEST} sign an alert safely; "
                f"make one with: {_HOW}"
            )
            raise SettingsError(msg)

    def of(self, message_id: str, timestamp_s: int, body: bytes) -> str:
        """Return the signature of a message sent at a time, in seconds since 1970."""
        signed = f"{message_id}.{timestamp_s}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
