"""A webhook's receiver for tests and benchmarks: a real HTTP server that honours the key, and fails or is late as told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_" + base64.b64encode(b"a key that is long enough").decode()


class Receiver:
    """Takes each key once, whatever it answers.

    ``plan`` is asked for each call, by its number from 0: the status to answer, the seconds to wait before, and whether
    the alert is acted upon before that.
    """

    def __init__(self, plan: Callable[[int], tuple[int, float, bool]] = lambda call: (200, 0.0, True)) -> None:
        self.plan = plan
        self.calls: list[tuple[str, int, float]] = []
        self.seconds: dict[int, float] = {}
        self.acted: Counter[str] = Counter()
        self.bodies: dict[str, dict] = {}
        self.unsigned = 0
        self.headers: dict[str, str] = {}
        self._lock = threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, float, int]:
        key = headers["idempotency-key"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mine = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        with self._lock:
            number = len(self.calls)
            status, wait_s, acts = self.plan(number)
            self.calls.append((key, status, wait_s))
            self.headers = headers
            self.unsigned += headers["webhook-signature"] != "v1," + base64.b64encode(mine).decode()
            if acts and key not in self.acted:
                self.acted[key] += 1
                self.bodies[key] = json.loads(body)
        return status, wait_s, number


@contextmanager
def receiving(receiver: Receiver) -> Iterator[str]:
    """Serve a receiver on a free port; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            began = time.monotonic()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, wait_s, number = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            time.sleep(wait_s)
            try:
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                if status == 429:
                    self.send_header("Retry-After", "7")
                if status == 503:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
            except OSError:
                pass  # the sender has gone
            receiver.seconds[number] = time.monotonic() - began

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, request, client_address):
            pass  # a sender was killed in mid-call

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
