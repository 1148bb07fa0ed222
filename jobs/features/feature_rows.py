"""The feature sets that rows of ``feature_definition`` define, and how people name one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from udfs.domain.errors import SettingsError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet

__all__ = ["FeatureRow", "feature_catalog", "feature_set_named", "retired_labels"]

FeatureRow = tuple[str, int, dict[str, Any], int]
"""Name, version, definition, time of creation in epoch milliseconds."""


def retired_labels(rows: Iterable[FeatureRow]) -> set[str]:
    """Return the labels of the sets that are retired."""
    return {name for name, _, definition, _ in rows if definition.get("retired")}


def feature_catalog(rows: Iterable[FeatureRow]) -> FeatureCatalog:
    """Return the sets of the code and those that rows define, without the retired ones.

    A row that defines no feature set, or gives a name a second meaning, is passed over: the gate then refuses a version
    trained on it. ``weir features add`` writes no such row.

    Examples
    --------
    >>> window = {"entity": "customer", "aggregate": "count", "window_ms": 3_600_000}
    >>> row = ("mine", 1, {"features": ["N"], "required_fields": [], "windows": {"N": window}}, 0)
    >>> sorted(feature_catalog([row]).sets), sorted(feature_catalog([row, ("mine@1", 1, {"retired": True}, 1)]).sets)
    (['creditcard@1', 'handbook@1', 'mine@1'], ['creditcard@1', 'handbook@1'])
    """
    rows = list(rows)
    retired = retired_labels(rows)
    built_in = {each.label for each in FEATURE_SETS.values()}
    found: list[FeatureSet] = []
    for name, version, definition, _ in rows:
        if f"{name}@{version}" in retired | built_in or definition.get("retired"):
            continue
        try:
            found = list(FeatureCatalog([*found, FeatureSet.of_row(name, version, definition)]).sets.values())
        except SettingsError:
            continue  # rows cannot be taken back: one that was written by hand must not stop every job
        found = [each for each in found if each.label not in built_in]
    return FeatureCatalog(found)


def feature_set_named(name: str, rows: Callable[[], Iterable[FeatureRow]]) -> FeatureSet:
    """Return a set by name or label; the rows are only read for one that is not the code's.

    Raises
    ------
    SettingsError
        If there is none.
    """
    return FeatureSet.named(name) if name in FEATURE_SETS else feature_catalog(rows()).named(name)
