"""One call of a webhook against a real HTTP server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

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


DRIPS = {
    "headers": [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 200],
    "the status line": [bytes([each]) for each in b"HTTP/1.1 200 OK\r\n" * 20],
    "one endless header": [b"HTTP/1.1 200 OK\r\nX-A: ", *[b"b"] * 200],
    "interim answers": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200,
    "nothing": [],
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_call_ends_at_its_deadline_however_slowly_the_answer_comes(drip):
    gone = threading.Event()

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            try:
                for piece in DRIPS[drip]:
                    connection.sendall(piece)
                    time.sleep(0.05)
                while connection.recv(65_536):
                    pass
            except OSError:
                pass
            gone.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        began = time.monotonic()
        outcome = call(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_s=0.5)
        assert time.monotonic() - began < 2
        assert (outcome.taken, outcome.error) == (False, "no answer within 0.5 s")
        assert gone.wait(5), "the connection was not cut"


def test_a_body_that_never_ends_keeps_nobody_waiting():
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"1\r\na\r\n")
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        began = time.monotonic()
        assert call(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_s=2).taken
        assert time.monotonic() - began < 1


def test_the_call_after_one_that_was_cut_is_like_any_other():
    receiver = Receiver(lambda call: (200, 0.0 if call else 1.0, True))
    with receiving(receiver) as url:
        webhook = Webhook(url, Signature(SECRET), 0.3)
        assert not webhook.deliver("a" * 64, ALERT).taken
        assert webhook.deliver("a" * 64, ALERT).taken
        webhook.close()
