"""Reads a version out of MLflow's tags, which anybody may edit: what cannot be read is left out and said in a note."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from model_store.model_version import ModelVersion

__all__ = ["version_of_tags"]

LATEST_MS = 253_402_300_799_999
"""The last moment that has a date with a year of four digits."""


def version_of_tags(found: Any, roles: tuple[str, ...], metrics: Mapping[str, float] | None) -> ModelVersion:  # noqa: ANN401
    """Return a version as far as it can be read.

    Parameters
    ----------
    found
        MLflow's model version.
    roles
        The aliases that point to it.
    metrics
        Figures of its run; None where the run is gone.
    """
    notes: list[str] = []
    if metrics is None:
        notes.append(f"its run {found.run_id} is gone")
    figures = {name: value for name, value in (metrics or {}).items() if math.isfinite(value)}
    if len(figures) < len(metrics or {}):
        notes.append(f"metrics that are no numbers: {', '.join(sorted(set(metrics or {}) - set(figures)))}")
    text = {name: str(value) for name, value in found.tags.items()}
    return ModelVersion(
        model=found.name,
        version=str(found.version),
        digest=text.get("weir.digest", ""),
        threshold=_threshold(text, notes),
        algorithm=text.get("weir.algorithm", ""),
        feature_set=text.get("weir.feature_set", ""),
        roles=roles,
        run_id=found.run_id or "",
        created_ms=int(found.creation_timestamp or 0),
        metrics=figures,
        parent=text.get("weir.parent", ""),
        commit=text.get("weir.commit", ""),
        data=text.get("weir.data", ""),
        trained_until_ms=_trained_until_ms(text, notes),
        note="; ".join(notes),
    )


def _threshold(tags: Mapping[str, str], notes: list[str]) -> float | None:
    text = tags.get("weir.threshold")
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    notes.append(f"the tag weir.threshold is no number: {text[:40]!r}")
    return None


def _trained_until_ms(tags: Mapping[str, str], notes: list[str]) -> int:
    text = tags.get("weir.trained_until_ms") or "0"
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LATEST_MS)) else -1
    if 0 <= value <= LATEST_MS:
        return value
    notes.append(f"the tag weir.trained_until_ms is no time in milliseconds: {text[:40]!r}")
    return 0
