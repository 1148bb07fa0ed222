"""The page on a real stream: its document, a real browser, an explanation, and the same as a report."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.browser import browsing, complaints, look
from tests.e2e.models import stream, trained
from tests.e2e.scoring import wait_for

ROWS, TOKEN = 3_000, "token of the end-to-end tests"
GIVE_TOKEN = """
  document.getElementById("asked-input").value = arguments[0];
  document.getElementById("asked-yes").click();"""


@pytest.fixture(scope="module")
def page(scoring, local, tmp_path_factory):
    """Champion, challenger, alerts and a swap; then the server, asked by a client that carries the token."""
    store = scoring.store
    first, second = (store.insert_artifact(trained(seed)) for seed in (1, 2))
    store.activate(scoring.model, "1", first, threshold=0.9, who="e2e", why="the first")
    store.activate(scoring.model, "2", second, role="shadow", who="e2e")
    scoring.submit()
    scoring.wait_for_event("activated", "2")
    scoring.produce(stream(ROWS, days=6).part(0, ROWS // 2))
    scoring.wait_for_sum(ROWS // 2)
    store.activate(scoring.model, "2", second, threshold=0.9, who="e2e", why="better")
    wait_for("the swap", lambda: len(scoring.model_events("activated")) >= 3)
    scoring.produce(stream(ROWS, days=6).part(ROWS // 2), close=True)
    scoring.wait_for_sum(ROWS + 4)
    log = tmp_path_factory.mktemp("serve") / "log"
    server = local.start("serve", "--json", log=log, api_token=TOKEN, model=scoring.model)
    address = f"http://127.0.0.1:{scoring.stack.ports.api}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=120) as client:
            wait_for("the server", lambda: _answers(client), 90)
            yield client
    finally:
        server.terminate()
        began = time.monotonic()
        code = server.wait(60)
        print(f"the server ended with {code} after {time.monotonic() - began:.1f} s")
    assert code == 0, log.read_text()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def document(page):
    """Return the document, once it has read everything and a ROC AUC is there."""

    def whole():
        found = page.get("/page/document").json()
        judged = any(line["lifetime"] and line["lifetime"]["roc_auc"] for line in found["quality"])
        return found if found["reading"]["caught_up"] and judged and found.get("job") else None

    return wait_for("the whole document", whole, 90)


def test_the_document_says_what_the_topics_say(scoring, document):
    alerts = {each["alert_id"] for each in scoring.messages("alerts")}
    assert document["totals"]["scored"] == ROWS
    assert document["totals"]["alerts"] == len(alerts) > 0
    assert [(swap["from"], swap["to"]) for swap in document["swaps"]] == [("1", "2")]
    assert {(line["version"], line["role"]) for line in document["scores"]["lines"]} == {
        ("1", "champion"),
        ("2", "shadow"),
        ("2", "champion"),
    }
    assert document["reading"]["troubles"] == []
    assert document["job"]["consumer_lag"] == {"transactions": 0, "truths": 0}


def test_alerts_say_why(document):
    newest = document["alerts"][0]
    assert newest["reason_method"] == "tree_path"
    assert newest["reasons"]
    parts = [each["contribution"] for each in newest["reasons"]]
    assert parts == sorted(parts, reverse=True)


def test_a_transaction_is_explained_with_its_reasons_and_scored_again(page, document):
    said = page.get(f"/page/explain/{document['alerts'][0]['transaction_id']}").json()
    assert said["equal"] is True
    assert any(line.startswith("because") for line in said["lines"])
    assert any("scored again now: equal" in line for line in said["lines"])


def test_a_browser_shows_it_and_follows(page, document):
    with browsing() as window:
        look(window, str(page.base_url))
        wait_for("the question", lambda: window.execute_script("return document.getElementById('asked').open"))
        window.execute_script(GIVE_TOKEN, TOKEN)
        state = "return document.getElementById('state').textContent"
        wait_for("the live page", lambda: window.execute_script(state) == "live", 60)
        shown = window.execute_script("return document.body.innerText")
        assert f"{ROWS:,}" in shown
        assert "1 → 2" in window.execute_script("return document.getElementById('quality').textContent")
        assert document["alerts"][0]["transaction_id"] in shown
        assert all("401" in each for each in complaints(window))


def test_the_report_is_the_same_without_a_server(local, scoring, document, tmp_path):
    done = local.weir_json("report", str(tmp_path / "report"), model=scoring.model)
    assert done["troubles"] == []
    assert done["totals"] == document["totals"]
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names >= {"index.html", "quality.png", "scores.png", "transactions.png", "latency.png"}
