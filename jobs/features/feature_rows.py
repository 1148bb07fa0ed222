"""The feature sets that rows of ``feature_definition`` define, and how people and versions name one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from udfs.domain.errors import SettingsError
from udfs.domain.feature_catalog import CODE_LABELS, FeatureCatalog
from udfs.domain.feature_set import FeatureSet

__all__ = ["FeatureRow", "feature_catalog", "feature_set_named", "feature_set_of_version", "retired_labels"]

FeatureRow = tuple[str, int, dict[str, Any], int]
"""Name, version, definition, time of creation in epoch milliseconds."""
_Rows = Callable[[], Iterable[FeatureRow]]


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
    passed_over = retired_labels(rows) | CODE_LABELS
    catalog = FeatureCatalog()
    for name, version, definition, _ in rows:
        if f"{name}@{version}" in passed_over or definition.get("retired"):
            continue
        try:
            catalog = FeatureCatalog((*catalog.of_rows, FeatureSet.of_row(name, version, definition)))
        except SettingsError:
            continue  # rows cannot be taken back: one that was written by hand must not stop every job
    return catalog


def feature_set_named(name: str, rows: _Rows) -> FeatureSet:
    """Return a set by name or label; the rows are only read for one that is not the code's.

    Raises
    ------
    SettingsError
        If there is none.
    """
    code = FeatureCatalog()
    of_code = [each for each in code.sets.values() if name in (each.name, each.label)]
    return of_code[0] if of_code else feature_catalog(rows()).named(name)


def feature_set_of_version(header: Mapping[str, Any], rows: _Rows) -> FeatureSet:
    """Return the set a version was trained on, whether it is retired by now or not; the rows are only read if need be.

    Parameters
    ----------
    header
        Of the version's artifact.

    Raises
    ------
    SettingsError
        If neither this code nor a row defines it, or not as the version knew it.
    """
    label, recorded = (str(header["feature_set"][name]) for name in ("label", "hash"))
    found = FeatureCatalog().sets.get(label)
    if found is None:
        row = next((each for each in rows() if f"{each[0]}@{each[1]}" == label), None)
        found = None if row is None else FeatureSet.of_row(*row[:3])
    if found is None:
        msg = f"Nothing defines the feature set {label!r:.80} of the version: neither this code nor weir features list."
        raise SettingsError(msg)
    if found.hash != recorded:
        msg = (
            f"The version was trained on another {label} (hash {recorded:.12}) than is defined now ({found.hash:.12})."
        )
        raise SettingsError(msg)
    return found
