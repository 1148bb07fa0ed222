"""Whoever asks over HTTP says how: functions of ``requests`` take proxies and ``.netrc`` from the environment unasked."""

from __future__ import annotations

import ast

import pytest

from tests.unit.house.source_tree import ROOT

SHIPPED = ("udfs", "model_store", "connectors", "jobs", "docker")
MAY_MAKE_SESSIONS = {"connectors/loopback.py", "connectors/webhook/webhook.py"}
SENDS = {"get", "post", "put", "delete", "patch", "head", "request", "urlopen"}


def faults_of(source: str, *, may_make_sessions: bool = False) -> list[str]:
    """Return the calls that would ask with what the environment says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = ast.unparse(node.func)
        module, _, name = called.rpartition(".")
        if module in ("requests", "httpx", "urllib.request") and name in SENDS:
            found.append(called)
        if called == "requests.Session" and not may_make_sessions:
            found.append(called)
    return found


@pytest.mark.parametrize("path", [path for top in SHIPPED for path in sorted((ROOT / top).rglob("*.py"))], ids=str)
def test_nobody_asks_with_what_the_environment_says(path):
    name = str(path.relative_to(ROOT))
    assert faults_of(path.read_text(encoding="utf-8"), may_make_sessions=name in MAY_MAKE_SESSIONS) == []


def test_such_calls_are_found():
    assert faults_of("import requests\nrequests.get('http://127.0.0.1')") == ["requests.get"]
    assert faults_of("import urllib.request as u\nimport urllib\nurllib.request.urlopen('x')") == [
        "urllib.request.urlopen"
    ]
    assert faults_of("requests.Session()") == ["requests.Session"]
