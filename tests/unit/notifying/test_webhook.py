"""One call of a webhook against a real HTTP server."""

from __future__ import annotations

import socket

import pytest

from connectors.webhook.signature import Signature
from connectors.webhook.webhook import Webhook
from tests.webhook_receiver import SECRET, Receiver, receiving
from udfs.domain.errors import SettingsError

ALERT = {"alert_id": "a" * 64, "transaction_id": "t1", "score": 0.1 + 0.2}


def call(url: str, timeout_s: float = 5.0):
    webhook = Webhook(url, Signature(SECRET), timeout_s)
    try:
        return webhook.deliver("a" * 64, ALERT)
    finally:
        webhook.close()


def test_a_call_carries_the_alert_its_key_and_a_signature_that_fits():
    receiver = Receiver()
    with receiving(receiver) as url:
        assert call(url).taken
    assert receiver.headers["idempotency-key"] == receiver.headers["webhook-id"] == "a" * 64
    assert receiver.bodies == {"a" * 64: ALERT}
    assert receiver.unsigned == 0


@pytest.mark.parametrize(
    ("status", "error", "retry_after_s"),
    [(500, "answered 500", None), (404, "answered 404", None), (302, "answered 302", None), (429, "answered 429", 7.0)],
)
def test_any_answer_but_2xx_is_a_failure_and_a_redirect_is_not_followed(status, error, retry_after_s):
    receiver = Receiver(lambda call: (status, 0.0, True))
    with receiving(receiver) as url:
        outcome = call(url)
    assert not outcome.taken
    assert outcome.error.startswith(error)
    assert outcome.retry_after_s == retry_after_s
    assert len(receiver.calls) == 1


def test_a_late_answer_is_a_failure_after_the_time_out():
    with receiving(Receiver(lambda call: (200, 1.0, True))) as url:
        outcome = call(url, timeout_s=0.2)
    assert (outcome.taken, outcome.error) == (False, "no answer within 0.2 s")


def test_nobody_there_is_a_failure_that_does_not_tell_the_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = call(f"http://127.0.0.1:{unused.getsockname()[1]}/token-in-the-path")
    assert not outcome.taken
    assert "token" not in outcome.error


@pytest.mark.parametrize("url", ["ftp://host/x", "host/x", "https://", "file:///etc/passwd"])
def test_what_is_no_address_is_refused_in_a_sentence(url):
    with pytest.raises(SettingsError, match="names a host"):
        Webhook(url, Signature(SECRET), 1.0)


@pytest.mark.parametrize("secret", ["", "short", "whsec_c2hvcnQ=", "whsec_no base64"])
def test_a_weak_secret_is_refused_without_being_shown(secret):
    with pytest.raises(SettingsError, match="make one with") as raised:
        Signature(secret)
    assert not secret or secret not in str(raised.value)
