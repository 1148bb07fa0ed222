"""The API on a real socket, asked by a real client; its versions come as metadata records, as Debezium writes them."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import orjson
import pytest
import uvicorn

from connectors.kafka.sender import Sender
from connectors.kafka.topic_search import TopicSearch
from connectors.postgres.metadata_store import MetadataStore
from jobs.explaining.recorded_inferences import recorded_inferences
from jobs.serving.answer_desk import AnswerDesk
from jobs.serving.build_app import build_app
from jobs.serving.limits import Limits
from jobs.serving.services import Services
from jobs.serving.stream_scorer import StreamScorer
from model_store.artifact import digest as digest_of
from model_store.live_versions import LiveVersions
from model_store.registry import Registry
from tests.e2e.models import trained
from udfs.domain.feature_catalog import FeatureCatalog

MODEL = "fraud"
LIMITS = Limits(max_body_bytes=20_000, max_batch=5, body_timeout_s=0.5, answer_timeout_ms=300)
NOBODY = 9
"""A port nobody listens on."""


def artifact_row(artifact: bytes) -> str:
    row = {
        "digest": digest_of(artifact),
        "part": 0,
        "parts": 1,
        "bytes": base64.b64encode(artifact).decode(),
    }
    return orjson.dumps({"op": "c", "source": {"table": "model_artifact"}, "after": row}).decode()


def activation_row(seq: int, version: str, artifact: bytes, role: str = "champion", **changed: object) -> str:
    row = {
        "deployment_seq": seq,
        "model": MODEL,
        "role": role,
        "version": version,
        "digest": digest_of(artifact),
        "threshold": 0.9,
        "effective_from_ms": 0,
        "retired": False,
        **changed,
    }
    return orjson.dumps({"op": "c", "source": {"table": "model_activation"}, "after": row}).decode()


@pytest.fixture
def live() -> LiveVersions:
    """Return versions 1 (a champion before), 2 (champion) and 3 (challenger)."""
    live = LiveVersions(MODEL)
    for seq, (version, role) in enumerate([("1", "champion"), ("2", "champion"), ("3", "shadow")], start=1):
        live.take(artifact_row(trained(seq)), 0)
        live.take(activation_row(seq, version, trained(seq), role), 0)
    return live


@pytest.fixture
def services(live) -> Services:
    """Return services whose database, registry and broker are down."""
    broker = f"127.0.0.1:{NOBODY}"

    def look_up(transaction_id: str) -> list[dict[str, object]]:
        with TopicSearch(broker) as topics:
            return recorded_inferences(topics, transaction_id)

    desk, sender = AnswerDesk(), Sender(broker)
    return Services(
        feature_set=FeatureCatalog.of_code("handbook"),
        live=live,
        store=MetadataStore(f"host=127.0.0.1 port={NOBODY} user=weir password=secret dbname=weir connect_timeout=2"),
        registry=Registry(f"http://127.0.0.1:{NOBODY}"),
        sender=sender,
        stream=StreamScorer(sender, desk, LIMITS.max_waiting),
        inferences=look_up,
    )


@contextlib.contextmanager
def serving(services: Services, **options: object) -> Iterator[str]:
    """Serve on a port of this machine; give the address."""
    app = build_app(services, LIMITS, **options)  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def client(services) -> Iterator[httpx.Client]:
    with serving(services) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        yield client
