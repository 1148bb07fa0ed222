"""Scores over HTTP: the bits of the loaded scorer, the stream's rule, and every bad request said plainly."""

from __future__ import annotations

import json
import random
import struct

import httpx
import pytest

from jobs.serving.predict_messages import PREDICT_EXAMPLES, PredictAnswer
from model_store.artifact import Artifact
from model_store.live_versions import LiveVersions
from model_store.rebuild import rebuild
from model_store.role_scorer import RoleScorer
from tests.e2e.models import trained
from tests.unit.serving.conftest import MODEL, serving
from udfs.domain.feature_set import FEATURE_SETS
from udfs.domain.parsing import parse_transaction

JSON = {"Content-Type": "application/json"}
NAMES = FEATURE_SETS["handbook"].features
ROW = dict.fromkeys(NAMES, 1.0)


def rows_of(count: int, seed: int = 1) -> list[dict[str, float]]:
    rng = random.Random(seed)
    return [{name: rng.expovariate(0.02) for name in NAMES} for _ in range(count)]


def bits(numbers) -> bytes:
    numbers = list(numbers)
    return struct.pack(f"{len(numbers)}d", *numbers)


def predict(client: httpx.Client, rows: list, **wanted: object) -> dict:
    answer = client.post("/v1/predict", json={"rows": rows, **wanted})
    assert answer.status_code == 200, answer.text
    return PredictAnswer.model_validate_json(answer.content).model_dump()


def test_scores_have_the_bits_of_rivers_own_objects_for_every_version(client):
    rows = rows_of(5)
    answer = predict(client, rows, versions=["1", "2", "3"])
    assert [each["version"] for each in answer["results"]] == ["1", "2", "3"]
    for seed, result in enumerate(answer["results"], start=1):
        model = rebuild(trained(seed))
        assert bits(each["score"] for each in result["scores"]) == bits(model.score_one(row) for row in rows)


def test_nothing_named_means_the_champion_and_live_means_every_role(client, live):
    assert [each["version"] for each in predict(client, [ROW])["results"]] == ["2"]
    results = predict(client, [ROW], live=True)["results"]
    assert [(each["version"], each["roles"]) for each in results] == [("2", ["champion"]), ("3", ["shadow"])]
    assert [each["digest"] for each in results] == [each.digest for each in live.current.live()]
    assert [each["version"] for each in predict(client, [ROW], roles=["shadow"], versions=["1"])["results"]] == [
        "1",
        "3",
    ]


def test_versions_are_compared_on_the_rows_both_scored(client):
    answer = predict(client, [ROW, {**ROW, "TX_AMOUNT": None}, rows_of(1)[0]], live=True)
    first, second = ([each["score"] for each in result["scores"]] for result in answer["results"])
    (compared,) = answer["comparison"]
    differences = [b - a for a, b in zip(first, second, strict=True) if a is not None]
    assert compared["versions"] == ["2", "3"]
    assert (compared["rows"], compared["mean_difference"]) == (2, pytest.approx(sum(differences) / 2))
    assert abs(compared["largest_difference"]) == max(map(abs, differences))


def test_without_a_champion_the_reason_is_the_streams(services):
    services.live = LiveVersions(MODEL)
    with serving(services) as address, httpx.Client(base_url=address, trust_env=False) as client:
        (result,) = predict(client, [ROW])["results"]
    assert (result["version"], result["roles"]) == (None, ["champion"])
    assert result["scores"] == [{"score": None, "reason": "no_champion", "missing": []}]


@pytest.mark.parametrize("gap", [{"TERMINAL_ID_RISK_7DAY_WINDOW": None}, "absent"])
def test_a_feature_that_is_not_there_gives_what_the_stream_gives(client, live, gap):
    row = {name: 1.0 for name in NAMES if name != "TERMINAL_ID_RISK_7DAY_WINDOW"} | (gap if gap != "absent" else {})
    (result,) = predict(client, [row])["results"]
    at = {"partition": 0, "offset": 0, "ingestion_time_ms": 10}
    text = '{"transaction_id": "t", "event_time_ms": 1, "customer_id": "c", "amount": 1}'
    transaction = parse_transaction(text, at)
    transaction["features"] = {name: value for name, value in row.items() if value is not None}
    loaded = live.current
    stream = RoleScorer(loaded.deployment, loaded.versions, feature_set=FEATURE_SETS["handbook"]).score(
        [transaction], None, 1
    )[0]
    assert result["scores"] == [
        {"score": stream["score"], "reason": stream["reason"], "missing": ["TERMINAL_ID_RISK_7DAY_WINDOW"]}
    ]
    assert stream["reason"] == "missing_feature"


@pytest.mark.parametrize("text", ["NaN", "1e999", '"12"', "true", "[1]", "null", None])
def test_a_field_the_feature_set_requires_is_refused_with_the_reason_of_the_dead_letter(services, text):
    services.feature_set = FEATURE_SETS["creditcard"]
    required = FEATURE_SETS["creditcard"].required_fields
    fields = {name: "1.5" for name in required} | {"V3": text}
    row = ", ".join(f'"{name}": {value}' for name, value in fields.items() if value is not None)
    message = f'{{"transaction_id": "t", "event_time_ms": 1, "customer_id": "c", "amount": 1, {row}}}'
    at = {"partition": 0, "offset": 0, "ingestion_time_ms": 10}
    with serving(services) as address, httpx.Client(base_url=address, trust_env=False) as client:
        answer = client.post("/v1/predict", content=f'{{"rows": [{{{row}}}]}}', headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["reason"] == parse_transaction(message, at, required).reason
    assert answer.json()["errors"][0]["pointer"] == "/rows/0/V3"


@pytest.mark.parametrize("name", PREDICT_EXAMPLES)
def test_every_example_of_the_openapi_document_works(client, name):
    document = client.get("/v1/openapi.json").json()
    body = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    value = body["examples"][name]["value"]
    answer = predict(client, value["rows"], **{key: each for key, each in value.items() if key != "rows"})
    assert all(set(row) <= set(NAMES) for row in value["rows"])
    scored = [each["score"] is not None for result in answer["results"] for each in result["scores"]]
    assert all(scored) is (name != "missing")


def test_the_openapi_document_describes_every_path_with_an_answer(client):
    document = client.get("/v1/openapi.json").json()
    assert {"/v1/predict", "/v1/transactions", "/v1/truths", "/v1/inferences/{transaction_id}"} <= set(
        document["paths"]
    )
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], f"{method} {path}"
            assert operation["description"], f"{method} {path}"
            if method == "post":
                assert operation["requestBody"]["content"]["application/json"]["examples"], path


def test_a_number_comes_back_with_every_bit(client):
    number = 0.1 + 0.2
    answer = client.post("/v1/predict", json={"rows": [{**ROW, "TX_AMOUNT": number}]})
    model = rebuild(trained(2))
    assert json.loads(answer.text)["results"][0]["scores"][0]["score"] == model.score_one({**ROW, "TX_AMOUNT": number})
    assert Artifact.decode(trained(2)).header["feature_set"]["label"] == answer.json()["results"][0]["feature_set"]
