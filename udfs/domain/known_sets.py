"""The feature sets a running job knows: those at its submission, and those that rows have defined since.

The gate and every shard of the window stages take the same rows in the same order, by this class, so all come to the
same sets; between them lies only the moment in which each reads a row.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import orjson

from udfs.domain.errors import SettingsError
from udfs.domain.feature_catalog import CODE_LABELS, FeatureCatalog
from udfs.domain.feature_set import FeatureSet
from udfs.domain.metadata import FeatureDefinition

__all__ = ["KnownSets", "Uptake"]

PREFIX = "feature-set/"
_RETIRED, _REFUSED = {"retired": True}, {"refused": True}


@dataclass(frozen=True, slots=True)
class Uptake:
    """What became of a row: the set is computed from now on, or is not and why, or no more."""

    label: str
    hash: str
    event: Literal["feature_set_taken_up", "feature_set_refused", "feature_set_retired"]
    reason: str | None = None


class KnownSets:
    """Feature sets by rows.

    Parameters
    ----------
    state
        What is remembered of rows, under keys that begin with ``feature-set/``.
    base
        The sets at the job's submission.

    Notes
    -----
    The state is not read before it is needed: keyed state has no key while an operator opens.
    """

    def __init__(self, state: MutableMapping[str, bytes], base: FeatureCatalog) -> None:
        self._state, self._base = state, base
        self._catalog: FeatureCatalog | None = None

    @property
    def catalog(self) -> FeatureCatalog:
        """The sets now."""
        if self._catalog is None:
            self._catalog = self._base
            for key in sorted(key for key in self._state if key.startswith(PREFIX)):
                row = orjson.loads(self._state[key])
                if row.get("retired"):
                    self._without(key.removeprefix(PREFIX))
                elif not row.get("refused"):
                    # those at submission may say otherwise, by rows of the database alone: they hold
                    with suppress(SettingsError):
                        self._with(FeatureSet.of_row(row["name"], row["version"], row["definition"]))
        return self._catalog

    def take(self, row: FeatureDefinition) -> Uptake | None:
        """Take a row; None for one that says nothing new (the code's own sets, rows that come again)."""
        label, key = row.label, f"{PREFIX}{row.label}"
        if label in CODE_LABELS:
            return None
        known = orjson.loads(self._state.get(key, b"{}"))
        if row.retires:
            if known.get("retired"):
                return None
            self._state[key] = orjson.dumps(_RETIRED)
            self._without(label)
            return Uptake(label, row.hash, "feature_set_retired")
        if known:
            return None
        try:
            made = FeatureSet.of_row(row.name, row.version, row.definition)
            if made.hash != row.hash:
                msg = f"The row of {label} names the hash {row.hash:.64}, its definition has {made.hash}."
                raise SettingsError(msg)
            self._with(made)
        except SettingsError as error:
            self._state[key] = orjson.dumps(_REFUSED)
            return Uptake(label, row.hash, "feature_set_refused", str(error))
        told = {"name": row.name, "version": row.version, "definition": row.definition}
        self._state[key] = orjson.dumps(told)
        return Uptake(label, row.hash, "feature_set_taken_up")

    def _with(self, made: FeatureSet) -> None:
        others = (each for each in self.catalog.of_rows if each.label != made.label)
        self._catalog = FeatureCatalog((*others, made))

    def _without(self, label: str) -> None:
        self._catalog = FeatureCatalog(each for each in self.catalog.of_rows if each.label != label)
