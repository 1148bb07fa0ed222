"""What the API says of itself and of the versions it holds, and what it says when the registry is down."""

from __future__ import annotations

import httpx
import pytest

from jobs.serving.problem_kinds import PROBLEM_KINDS
from tests.e2e.models import poisoned, trained
from tests.unit.serving.conftest import activation_row, artifact_row, serving


def test_it_is_ready_with_its_champion(client):
    assert client.get("/v1/health").json() == {"status": "alive", "troubles": {}}
    assert client.get("/v1/ready").json() == {"status": "ready", "deployment_seq": 3, "champion": "2"}


def test_live_roles_name_version_and_digest(client, live):
    (model,) = client.get("/v1/models").json()
    assert [(each["role"], each["version"]) for each in model["roles"]] == [("champion", "2"), ("shadow", "3")]
    assert [each["digest"] for each in model["roles"]] == [each.digest for each in live.current.live()]
    assert model["loaded_versions"] == ["1", "2", "3"]
    assert len(model["features"]) == 15


def test_a_deployment_is_followed_without_restart_and_a_poisoned_one_is_refused(client, live):
    live.take(artifact_row(poisoned(trained(4))), 0)
    live.take(activation_row(4, "4", poisoned(trained(4))), 0)
    assert client.get("/v1/ready").json()["champion"] == "2"
    refused = client.get("/v1/deployments/verdicts").json()[-1]
    assert (refused["version"], refused["event"]) == ("4", "rejected")
    assert refused["reason"].startswith("probes")
    live.take(activation_row(5, "3", trained(3)), 0)
    assert client.get("/v1/ready").json() == {"status": "ready", "deployment_seq": 5, "champion": "3"}


def test_a_challenger_retires_and_an_old_row_never_moves_it_back(client, live):
    live.take(activation_row(4, "3", trained(3), "shadow", retired=True), 0)
    assert [each["role"] for each in client.get("/v1/models").json()[0]["roles"]] == ["champion"]
    live.take(activation_row(3, "3", trained(3), "shadow"), 0)
    live.take(activation_row(1, "1", trained(1)), 0)
    assert client.get("/v1/ready").json()["champion"] == "2"
    assert [each["role"] for each in client.get("/v1/models").json()[0]["roles"]] == ["champion"]


@pytest.mark.parametrize("path", ["/v1/deployments", "/v1/deployments/history", "/v1/models/fraud/versions"])
def test_a_database_or_registry_that_is_down_is_a_problem_of_that_path_only(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (503, "unreachable")
    assert "secret" not in answer.text
    assert client.get("/v1/ready").status_code == 200


def test_every_problem_is_a_document_whose_type_leads_to_its_meaning(client):
    answer = client.get("/v1/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["reason"]) == (404, 404, "not_found")
    assert (problem["instance"], problem["type"]) == ("/v1/nothing", "/v1/problems/not_found")
    assert client.get(problem["type"]).json()["title"] == problem["title"]
    assert {each["reason"] for each in client.get("/v1/problems").json()} == set(PROBLEM_KINDS)
    assert client.put("/v1/health", json={}).json()["reason"] == "method_not_allowed"


def test_the_openapi_document_promises_problems_and_nothing_else(client):
    document = client.get("/v1/openapi.json").json()
    for methods in document["paths"].values():
        for operation in methods.values():
            bad = [each for status, each in operation["responses"].items() if not status.startswith("2")]
            assert [list(each["content"]) for each in bad] == [["application/problem+json"]] * 2
    assert "HTTPValidationError" not in str(document)


def test_with_a_token_only_health_and_problems_are_open(services):
    with serving(services, token="s3cret") as address, httpx.Client(base_url=address, trust_env=False) as client:
        for path in ("/v1/health", "/v1/ready", "/v1/problems/unauthorized", "/metrics"):
            assert client.get(path).status_code == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
            refused = client.get("/v1/models", headers=headers)
            assert (refused.status_code, refused.json()["reason"]) == (401, "unauthorized")
            assert refused.headers["www-authenticate"] == "Bearer"
        assert client.get("/v1/models", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_prometheus_reads_requests_by_route_not_by_path(client):
    client.get("/v1/problems/not_json")
    client.get("/v1/problems/nothing-of-the-kind")
    text = client.get("/metrics").text
    assert 'weir_api_requests_total{method="GET",route="/v1/problems/{reason}",status="200"} 1.0' in text
    assert 'weir_api_requests_total{method="GET",route="/v1/problems/{reason}",status="404"} 1.0' in text
    assert "weir_api_deployment_seq 3.0" in text
