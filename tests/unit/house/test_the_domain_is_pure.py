"""udfs.domain is plain computation on stdlib, numpy, River and orjson: no clock, no environment, no files."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.unit.house.source_tree import imports_of, is_under, shipped_modules

DOMAIN = {name: path for name, path in shipped_modules().items() if is_under(name, "udfs.domain")}
LIBRARIES = {"numpy", "orjson", "river", "udfs"}
# What would let the world in: clocks, the environment, files, processes, the network, chance without a seed.
WORLD = {"asyncio", "io", "os", "pathlib", "secrets", "socket", "subprocess", "threading", "time", "urllib", "uuid"}
CLOCKS = {"now", "today", "utcnow", "time_ns", "perf_counter", "monotonic"}


def impurities(source: str, module: str) -> list[str]:
    """Name what a domain module imports or calls that is not plain computation."""
    faults = []
    for name in sorted(imports_of(source, module)):
        top = name.split(".")[0]
        if top in WORLD or (top not in LIBRARIES and top not in sys.stdlib_module_names):
            faults.append(f"imports {name}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.split(".")[-1] in CLOCKS or called in {"open", "input", "print"}:
                faults.append(f"calls {called}")
    return faults


@pytest.mark.parametrize("module", DOMAIN)
def test_a_domain_module_reads_no_clock_and_no_environment(module):
    assert impurities(DOMAIN[module].read_text(), module) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from os import environ",
        "import pyflink.datastream",
        "from kafka import KafkaConsumer",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.date.today()",
        "def f():\n    return open('x')",
        "from mlflow import log_metric",
        "import pathlib",
    ],
)
def test_an_impure_line_is_found(source):
    assert len(impurities(source, "udfs.domain.sample")) >= 1


def test_plain_computation_is_allowed():
    source = "import math, numpy as np\nfrom datetime import UTC, datetime\nx = datetime.fromtimestamp(0, tz=UTC)"
    assert impurities(source, "udfs.domain.sample") == []
