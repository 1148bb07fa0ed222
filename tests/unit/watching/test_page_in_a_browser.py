"""The page in a real browser: on a desk and a phone, light and dark, by keyboard alone; skipped without chromium."""

from __future__ import annotations

import pytest

from jobs.watching.page_file import page_with
from tests.browser import browsing, complaints, look
from tests.unit.watching import story
from tests.unit.watching.conftest import TOKEN

CHARTS = ("quality", "scores", "flow", "latency")


def wait(window, script, seconds=20):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(window, seconds, poll_frequency=0.1).until(
        lambda each: each.execute_script(f"return {script}")
    )


def text(window, identity):
    return window.execute_script("return document.getElementById(arguments[0]).textContent", identity)


@pytest.fixture(scope="module")
def window():
    with browsing() as opened:
        yield opened


@pytest.fixture
def report(tmp_path):
    """Return a function that writes a report and gives its address."""

    def write(document):
        path = tmp_path / "index.html"
        path.write_text(page_with(document), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_a_report_shows_everything_and_fits_the_width(window, report, width, height, dark):
    look(window, report(story.document()), width, height, dark=dark)
    wait(window, "document.querySelectorAll('.plot svg').length === 4")
    assert window.execute_script("return document.documentElement.scrollWidth") <= width
    ground = window.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(17, 19, 21)") is dark
    assert "1 → 2" in text(window, "quality")
    assert "7,000" in text(window, "figures")
    assert "42-" in text(window, "alerts")
    assert "TX_AMOUNT" in text(window, "drift")
    assert "better on July" in text(window, "roles")
    assert "6 d 23 h" in text(window, "truth")
    assert window.execute_script("return getComputedStyle(document.getElementById('explain')).display") == "flex"
    assert not window.execute_script("return document.getElementById('explain').checkVisibility()")
    assert complaints(window) == []


def test_a_stream_that_has_not_begun_says_what_is_missing(window, report):
    empty = {**story.document(), **story.StreamTally(story.MODEL).document()}
    empty |= {"deployments": [], "history": [], "versions": [], "notifications": None, "job": None}
    look(window, report(empty), 390, 844)
    wait(window, "document.querySelectorAll('.empty').length === 8")
    assert "weir produce" in text(window, "flow")
    assert "weir promote" in text(window, "roles")
    assert "weir promote --threshold" in text(window, "alerts")
    assert window.execute_script("return document.documentElement.scrollWidth") == 390
    assert complaints(window) == []


def test_every_control_and_chart_has_a_name(window, report):
    nameless = """
      return [...document.querySelectorAll('button, input, select, [tabindex="0"], section, dl')].filter((each) =>
        !(each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') || each.textContent.trim() ||
          (each.labels && each.labels.length))).map((each) => each.outerHTML.slice(0, 80))"""
    look(window, report(story.document()))
    wait(window, "document.querySelectorAll('.plot svg').length === 4")
    assert window.execute_script(nameless) == []
    for chart in CHARTS:
        label = window.execute_script(f"return document.querySelector('#{chart} .plot').getAttribute('aria-label')")
        assert len(label) > 40


def test_arrow_keys_read_a_chart_out(window, report):
    from selenium.webdriver.common.keys import Keys

    look(window, report(story.document()))
    wait(window, "document.querySelectorAll('.plot svg').length === 4")
    chart = window.find_element("css selector", "#quality .plot")
    chart.send_keys(Keys.HOME)
    assert "1 May: version 1" in text(window, "quality")
    chart.send_keys(Keys.ARROW_RIGHT)
    assert "2 May: version 1" in text(window, "quality")
    assert window.execute_script("return getComputedStyle(arguments[0]).outlineStyle", chart) == "solid"


def test_it_follows_explains_and_deploys_by_keyboard_behind_the_token(window, page, watched, noted):
    from selenium.webdriver.common.keys import Keys

    with page(TOKEN) as address:
        look(window, address)
        wait(window, "document.getElementById('asked').open")
        window.switch_to.active_element.send_keys(TOKEN, Keys.ENTER)
        wait(window, "document.getElementById('state').textContent === 'live'")
        watched.replace({**watched.document(), "model": "renamed"})
        wait(window, "document.title === 'Weir: renamed'")

        field = window.find_element("css selector", "#explain input")
        field.send_keys("t-77", Keys.ENTER)
        wait(window, "document.getElementById('shown-text').textContent.includes('transaction t-77')")
        assert "<b>c</b>" in text(window, "shown-text")
        window.switch_to.active_element.send_keys(Keys.ESCAPE)

        why = window.find_element("css selector", "#promote input[name=why]")
        why.send_keys("by keyboard", Keys.ENTER)
        wait(window, "document.getElementById('asked').open")
        window.find_element("id", "asked-yes").send_keys(Keys.ENTER)
        wait(window, "document.getElementById('shown-title').textContent === 'Deployed'")
        assert noted.aliases == [("fraud", "champion", "2")]
        assert noted.tags[0][1]["weir.why"] == "by keyboard"
        assert complaints(window) == []
        # The test's server waits for its clients, weir serve only for seconds; and a page that is left may be kept.
        window.execute_script("window.stop()")
        window.get("about:blank")


def test_the_first_tab_leads_to_the_figures(window, report):
    from selenium.webdriver.common.keys import Keys

    look(window, report(story.document()))
    wait(window, "document.querySelectorAll('.plot svg').length === 4")
    window.find_element("tag name", "body").send_keys(Keys.TAB)
    assert window.switch_to.active_element.text == "Skip to the figures"
    window.switch_to.active_element.send_keys(Keys.ENTER, Keys.TAB)
    assert window.execute_script("return document.activeElement.className") == "plot"
