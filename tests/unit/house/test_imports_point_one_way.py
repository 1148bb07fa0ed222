"""udfs.domain <- model_store <- udfs.operators <- connectors <- jobs, and nothing heavy on TaskManagers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.house.import_rules import (
    NOT_ON_TASK_MANAGERS,
    closure,
    forbidden_on_task_managers,
    mlflow_imports,
    upward_imports,
)
from tests.unit.house.source_tree import ROOT, imports_of, is_under, shipped_modules

MODULES = shipped_modules()
SHIPPED_TO_TASK_MANAGERS = [name for name in MODULES if is_under(name, "udfs")]


def imports(module: str) -> set[str]:
    path = MODULES[module]
    return imports_of(path.read_text(), module, is_package=path.name == "__init__.py")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_nothing_above_its_layer(module):
    assert upward_imports(module, imports(module)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("udfs.domain.shards", "from model_store.artifact import Artifact"),
        ("udfs.domain.shards", "def f():\n    import udfs.operators.score"),
        ("udfs.domain.shards", "from udfs import operators"),
        ("udfs.domain.shards", "from ..operators import score"),
        ("model_store.artifact", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jobs"),
        ("udfs.operators.score", "import connectors.kafka.topics"),
        ("connectors.kafka.topics", "from jobs import settings"),
    ],
)
def test_an_import_that_points_upwards_is_found(module, source):
    assert len(upward_imports(module, imports_of(source, module))) >= 1


def test_an_import_that_points_downwards_is_allowed():
    source = "from udfs.domain import event\nimport model_store.artifact\nimport numpy"
    assert upward_imports("udfs.operators.score", imports_of(source, "udfs.operators.score")) == []


def test_only_the_registry_imports_mlflow():
    assert [fault for module in MODULES for fault in mlflow_imports(module, imports(module))] == []
    assert mlflow_imports("jobs.commands.train", {"mlflow.tracking"}) == ["jobs.commands.train imports mlflow.tracking"]


def test_nothing_that_task_managers_import_leads_to_mlflow_or_boto3():
    assert forbidden_on_task_managers(closure(SHIPPED_TO_TASK_MANAGERS, MODULES), MODULES) == []


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes a small source tree and gives its modules."""

    def write(**sources: str) -> dict[str, Path]:
        modules = {}
        for name, source in sources.items():
            path = tmp_path / f"{name}.py"
            path.write_text(source)
            modules[name.replace("__", ".")] = path
        return modules

    return write


def test_mlflow_reached_through_three_modules_is_found_with_its_chain(tree):
    modules = tree(
        udfs__operators__score="from model_store import scorer",
        model_store="",
        model_store__scorer="def load():\n    from model_store.registry import Registry",
        model_store__registry="import mlflow.client",
    )
    assert forbidden_on_task_managers(closure(["udfs.operators.score"], modules), modules) == [
        "mlflow.client <- model_store.registry <- model_store.scorer <- udfs.operators.score <- a TaskManager"
    ]


def test_what_a_package_imports_counts_for_each_module_in_it(tree):
    modules = tree(
        udfs__operators__score="import model_store.scorer", model_store="import boto3", model_store__scorer=""
    )
    assert len(forbidden_on_task_managers(closure(["udfs.operators.score"], modules), modules)) == 1


def test_an_import_for_types_only_does_not_count_on_task_managers(tree):
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mlflow\nelse:\n    import os"
    modules = tree(udfs__operators__score=source)
    reached = closure(["udfs.operators.score"], modules)
    assert forbidden_on_task_managers(reached, modules) == []
    assert "os" in reached


def test_a_fresh_interpreter_with_all_operators_imported_holds_neither_mlflow_nor_boto3():
    program = "import importlib, sys\n" + "\n".join(
        f"importlib.import_module({name!r})" for name in SHIPPED_TO_TASK_MANAGERS
    )
    program += f"\nprint([name for name in {NOT_ON_TASK_MANAGERS!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
