"""The API beside the job: the same bits, the job's own answers, deployments followed, and a database that is down."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
import psutil
import pytest

from connectors.kafka.reader import end_offsets
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.serving import serving

TRANSACTIONS = 1_000
AT_ONCE = 50
TIMEOUT_MS = 30_000


@dataclass
class Story:
    """The job and the API, with the answers to a thousand transactions."""

    job: Scoring
    client: httpx.Client
    digests: dict[str, str]
    sent: list[dict[str, Any]]
    answers: list[dict[str, Any]]

    def inferences(self, version: str) -> list[dict[str, Any]]:
        return [each for answer in self.answers for each in answer["inferences"] if each["version"] == version]


async def send_all(address: httpx.URL, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send transactions through the stream, so many at once; return the answers in the same order."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=90) as client:

        async def send(message: dict[str, Any]) -> dict[str, Any]:
            async with gate:
                path = f"/v1/transactions?roles=live&timeout_ms={TIMEOUT_MS}"
                answer = await client.post(path, json=message)
                assert answer.status_code == 200, answer.text
                return answer.json()

        return await asyncio.gather(*map(send, messages))


@pytest.fixture(scope="module")
def story(scoring):
    """Versions 1 and 2 as champions, 3 as a challenger; then a thousand transactions through the API."""
    digests = {version: scoring.deploy(trained(int(version)), version) for version in ("1", "2")}
    digests["3"] = scoring.deploy(trained(3), "3", role="shadow")
    scoring.submit()
    scoring.wait_for_event("activated", "3")
    messages = [message for _, message in without_truths(stream(TRANSACTIONS, seed=9, first_id="api/")).interleaved()]
    with serving(scoring, api_body_timeout_s="1") as client:
        answers = asyncio.run(send_all(client.base_url, messages))
        yield Story(scoring, client, digests, messages, answers)


def bits(score: float) -> bytes:
    return struct.pack("<d", score)


def test_the_stream_and_predict_give_equal_bits_for_every_live_version(story):
    for version in ("2", "3"):
        mine = story.inferences(version)
        assert len(mine) == TRANSACTIONS
        answer = story.client.post(
            "/v1/predict", json={"rows": [each["features"] for each in mine], "versions": [version]}
        )
        (result,) = answer.json()["results"]
        assert result["digest"] == story.digests[version] == mine[0]["digest"]
        assert [bits(each["score"]) for each in result["scores"]] == [bits(each["score"]) for each in mine]


def test_weir_verify_makes_the_same_scores_again_and_what_was_provisional_is_committed(story):
    total = story.job.wait_for_sum(TRANSACTIONS)
    assert total.holds, str(total)
    verified = story.job.local.weir_json("verify")
    assert (verified["compared"], verified["mismatched"]) == (2 * TRANSACTIONS, 0)
    committed = {(each["transaction_id"], each["role"]): each for each in story.job.messages("inferences")}
    provisional = [each for answer in story.answers for each in answer["inferences"]]
    assert [committed[each["transaction_id"], each["role"]] for each in provisional] == provisional
    assert all(answer["provisional"] and answer["complete"] for answer in story.answers)


def test_an_inference_can_be_looked_up_with_all_that_makes_it_again(story):
    wanted = story.answers[TRANSACTIONS // 2]["transaction_id"]
    path = f"/v1/inferences/{wanted.replace('/', '%2F')}"
    found = wait_for("it is committed", lambda: _found(story.client.get(path)), 30)
    assert [each["role"] for each in found["inferences"]] == ["champion", "shadow"]
    champion = found["inferences"][0]
    artifact = story.client.get(champion["artifact"]["href"])
    assert sha256(artifact.content).hexdigest() == champion["digest"] == story.digests["2"]
    assert champion["artifact"]["feature_set"]["label"] == champion["feature_set"]
    proof = story.client.get(f"{path}/verification").json()
    assert (proof["equal"], proof["compared"], proof["mismatched"]) == (True, 2, 0)


def _found(answer: httpx.Response) -> dict[str, Any] | None:
    return answer.json() if answer.status_code == 200 else None


BAD = [
    # what, path, body, status, reason; as docs/api.md has it
    ("malformed JSON", "/v1/predict", b'{"rows": [', 400, "not_json"),
    ("malformed JSON", "/v1/transactions", b'{"transaction_id": "bad', 400, "not_json"),
    ("an unknown version", "/v1/predict", b'{"rows": [{"TX_AMOUNT": 1}], "versions": ["99"]}', 404, "unknown_version"),
    ("a missing feature", "/v1/predict", b'{"rows": [{"TX_AMOUNT": 1}]}', 200, "missing_feature"),
    ("a missing amount", "/v1/transactions", b'{"transaction_id": "bad", "event_time_ms": 1}', 422, "missing_field"),
    ("NaN", "/v1/predict", b'{"rows": [{"TX_AMOUNT": NaN}]}', 422, "not_finite"),
    ("NaN", "/v1/truths", b'[{"transaction_id": "bad", "label": NaN}]', 422, "not_finite"),
    ("too many rows", "/v1/predict", b'{"rows": [' + b"{}," * 1_000 + b"{}]}", 413, "batch_too_large"),
    ("too many truths", "/v1/truths", b"[" + b"{}," * 1_000 + b"{}]", 413, "batch_too_large"),
    ("too many bytes", "/v1/transactions", b" " * 1_048_577, 413, "body_too_large"),
]


def written(job: Scoring) -> dict[str, dict[int, int]]:
    return {topic: end_offsets(job.bootstrap, topic, committed=False) for topic in ("transactions", "truths")}


@pytest.mark.parametrize(("what", "path", "body", "status", "reason"), BAD)
def test_bad_input_is_answered_with_a_problem_and_nothing_of_it_is_written(story, what, path, body, status, reason):
    before = written(story.job)
    answer = story.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    found = answer.json()
    if status == 200:
        assert (found["results"][0]["scores"][0]["score"], found["results"][0]["scores"][0]["reason"]) == (None, reason)
    else:
        assert (found["reason"], found["status"]) == (reason, status)
        assert answer.headers["content-type"] == "application/problem+json"
    assert written(story.job) == before


def test_a_slow_client_is_let_go_and_nothing_of_it_is_written(story):
    before, url = written(story.job), story.client.base_url
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        head = (
            "POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        )
        connection.sendall(head.encode() + b'{"transaction_id"')
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"reason":"body_too_slow"' in answer
    assert written(story.job) == before


def test_a_repeat_is_told_as_the_job_tells_it(story):
    again = story.client.post(f"/v1/transactions?timeout_ms={TIMEOUT_MS}", json=story.sent[-3])
    assert (again.status_code, again.json()["reason"]) == (409, "duplicate"), again.text


def test_after_the_time_out_the_transaction_is_still_being_scored_and_nothing_is_lost(story):
    message = {**story.sent[-1], "transaction_id": "late"}
    answer = story.client.post("/v1/transactions?timeout_ms=1", json=message)
    assert (answer.status_code, answer.json()["reason"]) == (504, "still_scoring")
    found = wait_for("it is scored all the same", lambda: _found(story.client.get("/v1/inferences/late")), 60)
    assert found["inferences"][0]["score"] is not None


def test_truths_are_in_the_topic_and_quality_counts_them(story):
    truths = [
        {
            **{name: each[name] for name in ("transaction_id", "event_time_ms", "customer_id", "terminal_id")},
            "label": int(number % 10 == 0),
            "revision": 0,
            "truth_time_ms": each["event_time_ms"] + 1_000,
        }
        for number, each in enumerate(story.sent)
    ]
    answer = story.client.post("/v1/truths", json=truths)
    assert (answer.status_code, answer.json()["accepted"]) == (202, TRANSACTIONS), answer.text
    ids = [each["transaction_id"] for each in story.job.messages("truths")]
    assert sorted(ids) == sorted(each["transaction_id"] for each in truths)

    def counted() -> bool:
        rows = story.client.get("/v1/quality", params={"series": "event_time", "until_ms": 1}).json()["rows"]
        return {(each["version"], each["labelled"]) for each in rows} >= {("2", TRANSACTIONS), ("3", TRANSACTIONS)}

    wait_for("both versions have their quality", counted, 90)


@pytest.mark.parametrize(("path", "status"), [("/v1/transactions", 200), ("/v1/truths", 202)])
def test_every_example_of_the_openapi_document_works(story, path, status):
    operation = story.client.get("/v1/openapi.json").json()["paths"][path]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == 2
    for example in examples.values():
        answer = story.client.post(path, json=example["value"], params={"timeout_ms": TIMEOUT_MS})
        assert answer.status_code == status, answer.text


def test_a_deployment_is_followed_without_restart(story):
    digest = story.job.deploy(trained(4), "4")
    wait_for("the API has it", lambda: story.client.get("/v1/ready").json()["champion"] == "4", 30)
    row = story.inferences("2")[0]["features"]
    (result,) = story.client.post("/v1/predict", json={"rows": [row]}).json()["results"]
    assert (result["version"], result["digest"]) == ("4", digest)
    newest = {each["role"]: each for each in story.client.get("/v1/deployments").json()}
    assert (newest["champion"]["version"], newest["champion"]["live"]) == ("4", True)


def test_a_database_that_is_down_stops_only_what_needs_it_and_nothing_is_lost(story):
    state = story.job.stack.status()
    assert state is not None
    postgres = psutil.Process(state.components["postgres"].pid)
    row = story.inferences("2")[0]["features"]
    os.kill(postgres.pid, signal.SIGSTOP)
    try:
        down = story.client.get("/v1/deployments")
        assert (down.status_code, down.json()["reason"]) == (503, "unreachable")
        assert "PostgreSQL does not answer" in down.json()["detail"]
        assert story.client.post("/v1/predict", json={"rows": [row]}).status_code == 200
        message = {**story.sent[-1], "transaction_id": "while-down"}
        scored = story.client.post(f"/v1/transactions?timeout_ms={TIMEOUT_MS}", json=message)
        assert scored.status_code == 200, scored.text
    finally:
        os.kill(postgres.pid, signal.SIGCONT)
    assert story.client.get("/v1/deployments").status_code == 200
    wait_for("it is committed", lambda: _found(story.client.get("/v1/inferences/while-down")), 30)


def test_status_names_the_api_and_prometheus_reads_it(story):
    component = story.job.local.weir_json("status", "--no-sums")["components"]["api"]
    assert (component["state"], component["address"]) == ("ready", str(story.client.base_url).rstrip("/"))
    lines = story.client.get("/metrics").text.splitlines()
    assert f'weir_api_streamed_total{{outcome="scored"}} {TRANSACTIONS + 3}.0' in lines
