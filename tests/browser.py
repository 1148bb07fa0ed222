"""A real browser without a window: Debian's chromium, driven by selenium; nothing is downloaded."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.allowed_skips import NO_CHROMIUM


@contextmanager
def browsing() -> Iterator:
    """Open a window; skip the test where there is no chromium."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip(NO_CHROMIUM)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"):
        options.add_argument(argument)
    if os.geteuid() == 0:  # chromium refuses its sandbox to root
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()


def look(window, address: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
    """Open a page as a screen of that size shows it, to somebody who likes it light or dark."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    window.get(address)


def photograph(window, path: Path) -> None:
    """Keep the whole page as a picture, not only what the screen shows of it."""
    picture = window.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    path.write_bytes(base64.b64decode(picture["data"]))


def asked_for(window) -> set[str]:
    """Return the address of everything the browser has asked for since the last call."""
    events = [json.loads(each["message"])["message"] for each in window.get_log("performance")]
    return {each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"}


def complaints(window) -> list[str]:
    """Return what the browser's console says that is wrong: errors of the script, refused styles, failed requests."""
    return [each["message"] for each in window.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
