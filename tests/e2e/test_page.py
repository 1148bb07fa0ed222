"""The page of ``weir serve`` beside a running job, in a real browser: data in every part, and deployments made from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from jobs.commands.promote import promote_version
from jobs.registry_access import registry_of
from jobs.training.train_version import train_version
from tests.browser import asked_for, browsing, complaints, look, photograph
from tests.e2e.models import history, stream
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.serving import serving

ROWS, SWAP_AT = 15_000, 4_000
LATE, MALFORMED = 5, 3
LATE_BY_MS = 40 * 86_400_000
TOKEN = "a token of this test"
PLOTS = ("quality", "scores", "flow", "latency")
PHONE = 390


@dataclass
class Story:
    """A window that has been let in, and what stands behind it."""

    job: Scoring
    window: Any
    address: str

    def text(self, part: str) -> str:
        return self.window.execute_script(f"return document.getElementById('{part}').textContent")

    def wait(self, condition: str, timeout_s: float = 60) -> None:
        wait_for(condition, lambda: self.window.execute_script(f"return {condition}"), timeout_s)

    def show(self, width: int = 1280, *, dark: bool = False) -> None:
        """Open the page anew; the tab keeps its token."""
        look(self.window, self.address, width, 844, dark=dark)
        self.wait("document.querySelectorAll('.plot svg').length === 4")
        self.wait("document.getElementById('state').textContent === 'live'")


@pytest.fixture(scope="module")
def window():
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def story(window, scoring):
    """Version 1, then 2, which has challenged it; truths, alerts, late and malformed records; the page is open."""
    registry = registry_of(scoring.settings)
    for seed in (1, 2):
        known = history(seed)
        train_version(known, registry=registry, store=scoring.store, model=scoring.model, seed=seed, alert_rate=0.02)
    promote_version(registry, scoring.model, "1", why="the first")
    promote_version(registry, scoring.model, "2", "shadow")
    scoring.submit()
    scoring.wait_for_event("activated", "2")
    sent = stream(ROWS)
    scoring.produce(sent.part(0, SWAP_AT))
    scoring.wait_for_sum(SWAP_AT)
    promote_version(registry, scoring.model, "2", why="better on April")
    wait_for("version 2 is champion", lambda: len(scoring.model_events("activated")) == 3)
    scoring.produce(sent.part(SWAP_AT))
    late = [each for each, _ in zip(sent.part(ROWS - LATE).transactions(), range(LATE), strict=True)]
    for each in late:
        each |= {
            "transaction_id": f"late-{each['transaction_id']}",
            "event_time_ms": each["event_time_ms"] - LATE_BY_MS,
        }
    scoring.send((each["customer_id"].encode(), json.dumps(each).encode()) for each in late)
    scoring.send([(b"c", b"{")] * MALFORMED)
    scoring.wait_for_sum(ROWS + LATE + MALFORMED)
    with serving(scoring, api_token=TOKEN) as client:
        story = Story(scoring, window, f"{client.base_url}/")
        look(window, story.address)
        story.wait("document.getElementById('asked').open")
        from selenium.webdriver.common.keys import Keys

        window.switch_to.active_element.send_keys(TOKEN, Keys.ENTER)
        story.wait("document.getElementById('state').textContent === 'live'")
        story.wait(r"/\d d \d+ h/.test(document.getElementById('truth').textContent)")
        yield story
        # The server waits for its clients, and a page that is left may be kept.
        window.execute_script("window.stop()")
        window.get("about:blank")


def test_every_part_shows_what_the_job_has_written(story, tmp_path_factory):
    story.show()
    photograph(story.window, tmp_path_factory.mktemp("page") / "light.png")
    assert story.window.execute_script("return document.querySelectorAll('.empty').length") == 0
    assert "1 → 2" in story.text("quality")
    assert "version 2 (shadow)" in story.text("quality")
    assert story.window.execute_script("return document.querySelectorAll('#quality path.band').length") >= 2
    assert story.window.execute_script("return document.querySelectorAll('#scores path.line').length") == 3
    assert f"scored{ROWS + LATE:,}" in story.text("flow")
    assert f"late{LATE}" in story.text("flow")
    assert f"{MALFORMED} not json" in story.text("flow")
    # Flink asks its sources every few seconds.
    story.wait("document.getElementById('latency').textContent.includes('Waiting in Kafka: 0 transactions, 0 truths.')")
    assert "version 2" in story.text("truth")
    assert "TX_AMOUNT" in story.text("drift")
    assert "better on April" in story.text("roles")
    assert "gate: version 2 as champion activated" in story.text("history")
    newest = {each["alert_id"]: each for each in story.job.messages("alerts")}
    assert f"{len(newest)} alerts" in story.text("alerts").replace(",", "")
    reasons = "return [...document.querySelectorAll('#alerts .chips')].map((each) => each.children.length)"
    assert min(story.window.execute_script(reasons)) >= 1


def test_no_other_host_is_asked_and_the_console_is_silent(story):
    assert all(each.startswith((story.address, "data:")) for each in asked_for(story.window))
    assert complaints(story.window) == []


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (PHONE, False), (PHONE, True)])
def test_it_fits_a_phone_and_likes_the_dark(story, width, dark, tmp_path_factory):
    story.show(width, dark=dark)
    photograph(story.window, tmp_path_factory.mktemp("page") / f"{width}-{'dark' if dark else 'light'}.png")
    assert story.window.execute_script("return document.documentElement.scrollWidth") <= width
    ground = story.window.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(17, 19, 21)") is dark


def test_a_transaction_is_explained_by_keyboard_alone(story):
    from selenium.webdriver.common.keys import Keys

    story.show()
    # one of a customer's later transactions: the first has nothing before it
    alerted = {each["transaction_id"] for each in story.job.messages("alerts")}
    wanted = next(
        each["transaction_id"]
        for each in story.job.messages("inferences")
        if each["transaction_id"] in alerted and each["features"]["CUSTOMER_ID_NB_TX_30DAY_WINDOW"] > 1
    )
    here = story.window.find_element("tag name", "body")
    for _ in range(80):
        here.send_keys(Keys.TAB)
        here = story.window.switch_to.active_element
        if here.get_attribute("name") == "id":
            break
    here.send_keys(wanted, Keys.ENTER)
    story.wait("document.getElementById('shown-text').textContent.includes('scored again now')")
    told = story.text("shown-text")
    assert told.startswith(f"transaction {wanted}: ")
    assert "differs" not in told
    for part in ("event ", "before ", "trained ", "ROC AUC ", "alert ", "because ", "truth "):
        assert f"\n{part}" in told, told
    story.window.switch_to.active_element.send_keys(Keys.ESCAPE)


def test_a_version_is_deployed_and_taken_back_from_the_page(story):
    from selenium.webdriver.common.keys import Keys

    story.show()
    story.window.find_element("css selector", "#promote select[name=version]").send_keys("1")
    story.window.find_element("css selector", "#promote input[name=why]").send_keys("by hand", Keys.ENTER)
    story.wait("document.getElementById('asked').open")
    story.window.find_element("id", "asked-yes").send_keys(Keys.ENTER)
    story.wait("document.getElementById('shown-title').textContent === 'Deployed'")
    story.window.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for("the job has it", lambda: len(story.job.model_events("activated")) == 4, 30)
    story.wait("document.getElementById('roles').textContent.includes('by hand')")
    story.window.find_element("css selector", "[data-key=back-champion]").send_keys(Keys.ENTER)
    story.wait("document.getElementById('asked').open")
    story.window.find_element("id", "asked-yes").send_keys(Keys.ENTER)
    story.wait("document.getElementById('shown-title').textContent === 'Rolled back'")
    wait_for("the job has the one before", lambda: len(story.job.model_events("activated")) == 5, 30)
    assert [each["version"] for each in story.job.model_events("activated")][-2:] == ["1", "2"]
    assert complaints(story.window) == []
