"""Who needs a feature set asks the catalog or is handed one: a look into the code's own list misses the sets of rows."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.house.source_tree import shipped_modules

THE_LIST, THE_RESOLVER = "udfs.domain.feature_set", "udfs.domain.feature_catalog"
READERS_OF_ROWS = {
    THE_LIST,
    THE_RESOLVER,
    "udfs.domain.known_sets",  # rows that come while the job runs
    "jobs.features.feature_rows",  # rows of the database
    "jobs.features.feature_changes",  # a row that is about to be written
    "jobs.train_again",  # the row in a training record, read by a process without a database
    "jobs.training.recorded_version",  # the same, held against the artifact
}
MAKERS = {THE_LIST, "jobs.features.feature_changes"}


def second_ways(modules: Mapping[str, Path]) -> list[str]:
    """Name the places where a module takes a feature set from elsewhere."""
    faults = set()
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if "FEATURE_SETS" in _names(node) and module not in {THE_LIST, THE_RESOLVER}:
                faults.add(f"{module} looks into FEATURE_SETS")
            if "of_row" in _names(node) and module not in READERS_OF_ROWS:
                faults.add(f"{module} reads a row of feature_definition by itself")
            if isinstance(node, ast.Call) and "FeatureSet" in _names(node.func) and module not in MAKERS:
                faults.add(f"{module} makes a FeatureSet by itself")
    return sorted(faults)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.Name):
        return [node.id]
    return [node.attr] if isinstance(node, ast.Attribute) else []


def test_no_module_but_the_resolver_knows_where_feature_sets_come_from():
    assert second_ways(shipped_modules()) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("from udfs.domain.feature_set import FEATURE_SETS", "looks into FEATURE_SETS"),
        ("from udfs.domain import feature_set\nfeature_set.FEATURE_SETS", "looks into FEATURE_SETS"),
        ("FeatureSet.of_row('mine', 1, {})", "reads a row of feature_definition by itself"),
        ("FeatureSet('mine', 1, (), ())", "makes a FeatureSet by itself"),
    ],
)
def test_a_second_way_is_found(tmp_path, source, fault):
    path = tmp_path / "second.py"
    path.write_text(source)
    assert second_ways({"jobs.second": path}) == [f"jobs.second {fault}"]
