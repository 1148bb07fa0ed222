"""The page and what it asks for, by a real HTTP client."""

from __future__ import annotations

import json
import re
import time

import httpx
import pytest

from jobs.watching.page_file import page_html, page_with
from tests.unit.watching.conftest import TOKEN
from tests.unit.watching.story import document


def asking(address, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=20)


def test_the_page_is_one_file_that_names_no_other_host_and_runs_only_its_own_script(page, watched):
    with page() as address, asking(address) as client:
        answer = client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert len(re.findall("'sha256-[^']+'", policy)) == 2
    addresses = set(re.findall(r"https?://[^\"'\s<>]+", answer.text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name of SVG, never asked for
    assert not re.search(r"<(link|img|script|iframe)[^>]+(src|href)=\"(?!data:,)", answer.text)
    assert not re.search(r"\son\w+=|\sstyle=", answer.text)  # the policy would refuse them
    assert (watched.started, watched.stopped) == (0, 1)


def test_events_tell_each_new_document_and_the_first_at_once(page, watched):
    with page() as address, asking(address) as client, client.stream("GET", "/page/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines, found = answer.iter_lines(), []
        for line in lines:
            if line.startswith("data:"):
                found.append(json.loads(line.removeprefix("data:")))
                if len(found) == 2:
                    break
                watched.replace({**watched.document(), "model": "another"})
    assert found[0] == {**document(), "may_deploy": False}
    assert found[1]["model"] == "another"
    assert watched.started == 1


def test_with_a_token_everything_but_the_empty_page_asks_for_it(page):
    paths = ("/page/events", "/page/document", "/page/explain/t1")
    with page(TOKEN) as address:
        with asking(address) as client:
            assert client.get("/").status_code == 200
            assert [client.get(path).status_code for path in paths] == [401] * 3
            assert client.post("/page/promote", json={"version": "2"}).status_code == 401
        with asking(address, "wrong") as client:
            assert client.get("/page/document").status_code == 401
        with asking(address, TOKEN) as client:
            assert client.get("/page/document").json()["may_deploy"] is True


def test_a_version_gets_a_role_and_the_role_goes_back(page, noted):
    with page(TOKEN) as address, asking(address, TOKEN) as client:
        wanted = {"version": "1", "role": "shadow", "threshold": 0.7, "why": "to compare"}
        assert client.post("/page/promote", json=wanted).json() == {
            "model": "fraud",
            "version": "1",
            "role": "shadow",
        }
        back = client.post("/page/rollback", json={"role": "champion"}).json()
    assert back == {"model": "fraud", "role": "champion", "from": "2", "to": "1"}
    assert noted.aliases == [("fraud", "shadow", "1"), ("fraud", "champion", "1")]
    assert noted.tags[0][1]["weir.why"] == "to compare"
    assert [tags["weir.threshold"] for _, tags in noted.tags] == ["0.7", "0.8"]
    assert noted.tags[1][1]["weir.why"] == "rollback of version 2"


def test_without_a_token_nobody_deploys_from_the_page(page, noted):
    with page() as address, asking(address) as client:
        for way, body in (("promote", {"version": "1"}), ("rollback", {})):
            answer = client.post(f"/page/{way}", json=body)
            assert answer.status_code == 401
            assert "WEIR_API_TOKEN" in answer.json()["detail"]
    assert noted.aliases == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": ""},
        {"version": "1", "role": "a b"},
        {"version": "1", "threshold": "much"},
        {"version": "1", "x": 1},
    ],
)
def test_a_deployment_that_says_something_else_is_refused(page, noted, body):
    with page(TOKEN) as address, asking(address, TOKEN) as client:
        answer = client.post("/page/promote", json=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert noted.aliases == []


def test_a_version_that_is_not_there_is_one_sentence(page):
    with page(TOKEN) as address, asking(address, TOKEN) as client:
        answer = client.post("/page/promote", json={"version": "9"})
    assert answer.status_code >= 400
    assert "no version 9" in answer.json()["detail"]


def test_a_transaction_is_explained_or_nobody_knows_it(page):
    with page() as address, asking(address) as client:
        assert client.get("/page/explain/t1").json()["lines"][0].startswith("transaction t1")
        unknown = client.get("/page/explain/unknown")
    assert unknown.status_code >= 400
    assert "No topic holds" in unknown.json()["detail"]


def test_it_ends_in_time_while_somebody_looks(page):
    with page() as address:
        client = asking(address)
        request = client.build_request("GET", "/page/events")
        answer = client.send(request, stream=True)
        next(answer.iter_lines())
        answer.close()
        client.close()
        began = time.monotonic()
    assert time.monotonic() - began < 10


def test_what_a_transaction_is_called_cannot_leave_its_place_in_a_report():
    text = page_with({"model": "</script><script>alert(1)</script>"})
    assert text.count("<script") == page_html().count("<script")
