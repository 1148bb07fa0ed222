"""The table of bad input: status, reason, and that the API answers the next request as if nothing had been."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from itertools import count

import pytest

from jobs.serving.problem_kinds import PROBLEM_KINDS
from tests.unit.serving.conftest import LIMITS
from tests.unit.serving.test_predict import JSON, NAMES, ROW

FEATURES = ", ".join(f'"{name}": 1' for name in NAMES[1:])
AMOUNT = NAMES[0]
GOOD = '"transaction_id": "t", "event_time_ms": 1, "customer_id": "c", "amount": 1'
TRUTH = '"transaction_id": "t", "label": 1, "revision": 0, "truth_time_ms": 1, "event_time_ms": 1, "customer_id": "c"'
TABLE = [
    # path, body, status, reason
    ("/v1/predict", "", 422, "missing_field"),
    ("/v1/predict", "{", 400, "not_json"),
    ("/v1/predict", b'{"rows": [{"\xff": 1}]}', 400, "not_json"),
    ("/v1/predict", "[" * 5_000, 400, "not_json"),
    ("/v1/predict", "[]", 422, "not_an_object"),
    ("/v1/predict", "{}", 422, "missing_field"),
    ("/v1/predict", '{"rows": []}', 422, "out_of_range"),
    ("/v1/predict", '{"rows": {}}', 422, "wrong_type"),
    ("/v1/predict", '{"rows": [5]}', 422, "not_an_object"),
    ("/v1/predict", '{"rows": [{}], "version": "1"}', 422, "unknown_field"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": NaN, {FEATURES}}}]}}', 422, "not_finite"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": -Infinity, {FEATURES}}}]}}', 422, "not_finite"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": 1e999, {FEATURES}}}]}}', 422, "not_finite"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": "1", {FEATURES}}}]}}', 422, "wrong_type"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": true, {FEATURES}}}]}}', 422, "wrong_type"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": 1, {FEATURES}}}], "versions": ["99"]}}', 404, "unknown_version"),
    ("/v1/predict", f'{{"rows": [{{"{AMOUNT}": 1, {FEATURES}}}], "roles": ["nobody"]}}', 404, "unknown_role"),
    ("/v1/predict", '{"rows": [' + ", ".join(["{}"] * (LIMITS.max_batch + 1)) + "]}", 413, "batch_too_large"),
    ("/v1/predict", '{"rows": [' + " " * LIMITS.max_body_bytes + "]}", 413, "body_too_large"),
    ("/v1/transactions", "", 400, "empty"),
    ("/v1/transactions", "{", 400, "not_json"),
    ("/v1/transactions", b'{"transaction_id": "\xff"}', 400, "bad_utf8"),
    ("/v1/transactions", "[1]", 422, "not_an_object"),
    ("/v1/transactions", '{"transaction_id": "t"}', 422, "missing_field"),
    ("/v1/transactions", f'{{{GOOD}, "amount": NaN}}', 422, "not_finite"),
    ("/v1/transactions", f'{{{GOOD}, "amount": "1"}}', 422, "wrong_type"),
    ("/v1/transactions", f'{{{GOOD}, "amount": 1e16}}', 422, "out_of_range"),
    ("/v1/transactions", f'{{{GOOD}, "event_time_ms": -1}}', 422, "negative_time"),
    ("/v1/transactions", f'{{{GOOD}, "event_time_ms": 99999999999999}}', 422, "future_time"),
    ("/v1/transactions", '{"control": "close", "event_time_ms": 1}', 422, "control_record"),
    ("/v1/transactions?timeout_ms=0", f"{{{GOOD}}}", 422, "out_of_range"),
    ("/v1/transactions?roles=all", f"{{{GOOD}}}", 422, "out_of_range"),
    ("/v1/truths", "[", 400, "not_json"),
    ("/v1/truths", f'{{{TRUTH}, "label": 2}}', 422, "out_of_range"),
    ("/v1/truths", f'[{{{TRUTH}}}, {{{TRUTH}, "revision": NaN}}]', 422, "not_finite"),
    ("/v1/truths", "[" + ", ".join([f"{{{TRUTH}}}"] * (LIMITS.max_batch + 1)) + "]", 413, "batch_too_large"),
    ("/v1/truths", '{"control": "close", "event_time_ms": 1}', 422, "control_record"),
]


@pytest.mark.parametrize(("path", "body", "status", "reason"), TABLE)
def test_bad_input_is_answered_with_its_status_and_reason(client, path, body, status, reason):
    answer = client.post(path, content=body, headers=JSON)
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (status, reason), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["title"]) == (status, PROBLEM_KINDS[reason][1])
    assert problem["detail"].endswith(".")
    assert client.post("/v1/predict", json={"rows": [ROW]}).status_code == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_what_a_browser_sends_for_any_page_is_refused(client, content_type):
    answer = client.post("/v1/truths", content=f"{{{TRUTH}}}", headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["reason"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/vnd.acme+json", "Application/JSON; charset=utf-8", "application/a.b-c+json"]
)
def test_every_kind_of_json_is_taken(client, kind):
    answer = client.post("/v1/predict", content=json.dumps({"rows": [ROW]}), headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text


BODY = json.dumps({"rows": [ROW]}).encode()
RAW = zlib.compress(BODY)[2:-4]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZip", gzip.compress(BODY[:9]) + gzip.compress(BODY[9:])),
        ("x-gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate, gzip", gzip.compress(zlib.compress(BODY))),
        ("identity", BODY),
        ("", BODY),
    ],
    ids=count(),
)
def test_a_packed_body_is_unpacked(client, encoding, body):
    answer = client.post("/v1/predict", content=body, headers={**JSON, "Content-Encoding": encoding})
    assert answer.status_code == 200, answer.text
    assert answer.json() == client.post("/v1/predict", content=BODY, headers=JSON).json()


@pytest.mark.parametrize(
    ("encoding", "body", "status", "reason", "said"),
    [
        ("br", BODY, 415, "unsupported_encoding", "'br'"),
        ("gzip, zstd", BODY, 415, "unsupported_encoding", "'zstd'"),
        ("gzip, gzip, gzip", BODY, 415, "unsupported_encoding", "gzip, gzip, gzip"),
        ("gzip", BODY, 400, "bad_encoding", "cannot be unpacked"),
        ("gzip", gzip.compress(BODY)[:-9], 400, "bad_encoding", "its end is missing"),
        ("deflate", zlib.compress(BODY) + b"more", 400, "bad_encoding", "follows its end"),
        ("deflate", RAW, 400, "bad_encoding", "cannot be unpacked"),
        ("gzip", gzip.compress(b" " * LIMITS.max_body_bytes + BODY), 413, "body_too_large", str(LIMITS.max_body_bytes)),
        ("gzip, gzip", gzip.compress(gzip.compress(b" " * 50_000_000)), 413, "body_too_large", ""),
        ("gzip", gzip.compress(b"{"), 400, "not_json", ""),
    ],
    ids=count(),
)
def test_a_body_packed_badly_is_refused_by_name(client, encoding, body, status, reason, said):
    answer = client.post("/v1/predict", content=body, headers={**JSON, "Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert said in answer.json()["detail"]
    assert ("accept-encoding" in answer.headers) == (status == 415)


@pytest.mark.parametrize("path", ["/v1/health", "/v1/ready", "/v1/models", "/v1/nothing", "/v1/predict", "/metrics"])
def test_head_is_answered_as_get_without_a_body(client, path):
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.content == b""
    assert client.get("/v1/health").status_code == 200


def test_an_unknown_version_is_told_which_there_are(client):
    problem = client.post("/v1/predict", json={"rows": [ROW], "versions": ["99"]}).json()
    assert problem["known"] == ["1", "2", "3"]


def test_the_second_of_two_truths_is_pointed_at_and_none_is_written(client):
    problem = client.post("/v1/truths", content=f'[{{{TRUTH}}}, {{{TRUTH}, "label": true}}]', headers=JSON).json()
    assert (problem["reason"], problem["errors"][0]["pointer"]) == ("wrong_type", "/1")


@pytest.mark.parametrize(("path", "body"), [("/v1/transactions", f"{{{GOOD}}}"), ("/v1/truths", f"{{{TRUTH}}}")])
def test_a_broker_that_is_down_is_said_within_the_time_out_of_its_client(client, monkeypatch, path, body):
    monkeypatch.setattr("connectors.kafka.sender.BLOCK_MS", 200)
    answer = client.post(
        f"{path}?timeout_ms=5000" if path.endswith("transactions") else path, content=body, headers=JSON
    )
    assert (answer.status_code, answer.json()["reason"]) == (503, "unreachable")
    assert "Kafka 127.0.0.1:9" in answer.json()["detail"]


def test_an_inference_cannot_be_looked_up_while_the_broker_is_down(client, monkeypatch):
    monkeypatch.setattr("connectors.kafka.consumer.CONNECT_MS", 200)
    assert client.get("/v1/inferences/t").json()["reason"] == "unreachable"


def raw(client, *pieces: bytes, pause_s: float = 0) -> tuple[bytes, float]:
    """Send bytes as they are, with pauses; return what comes back until the server hangs up, and the seconds."""
    host, port = client.base_url.host, client.base_url.port
    started = time.monotonic()
    with socket.create_connection((host, port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer, time.monotonic() - started


def test_a_slow_client_is_let_go_after_the_time_for_a_body(client):
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
    answer, seconds = raw(client, head, b'{"rows": [', pause_s=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"reason":"body_too_slow"' in answer
    assert LIMITS.body_timeout_s <= seconds < LIMITS.body_timeout_s + 5
    assert client.post("/v1/predict", json={"rows": [ROW]}).status_code == 200


def test_a_body_without_length_is_refused_where_it_grows_too_large(client):
    head = (
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    answer, _ = raw(client, head, chunk, chunk)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"reason":"body_too_large"' in answer


def test_a_client_that_goes_away_in_mid_body_leaves_nothing_behind(client):
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head)
    assert client.post("/v1/predict", json={"rows": [ROW]}).status_code == 200
