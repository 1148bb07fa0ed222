"""The feature sets a job computes: those of the code, and those that rows define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from udfs.domain.customer_windows import CUSTOMER_RETENTION_MS
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.terminal_windows import TERMINAL_RETENTION_MS
from udfs.domain.window_feature import Entity, WindowFeature
from udfs.domain.window_plan import WindowPlan

__all__ = ["FeatureCatalog"]

RETENTION_MS: Mapping[Entity, int] = {"customer": CUSTOMER_RETENTION_MS, "terminal": TERMINAL_RETENTION_MS}


class FeatureCatalog:
    """Feature sets, and the windows that all of them together need.

    Parameters
    ----------
    rows
        Feature sets that rows define.

    Attributes
    ----------
    sets
        Every set by its label.

    Raises
    ------
    SettingsError
        If two sets define one name differently, or a window reaches further back than histories are kept.

    Examples
    --------
    >>> sorted(FeatureCatalog().hashes)
    ['creditcard@1', 'handbook@1']
    """

    def __init__(self, rows: Iterable[FeatureSet] = ()) -> None:
        self.sets: dict[str, FeatureSet] = {each.label: each for each in (*FEATURE_SETS.values(), *rows)}
        self._windows: dict[str, WindowFeature] = {}
        for each in self.sets.values():
            for window in (*each.windows_of("customer"), *each.windows_of("terminal")):
                window.check_retention(RETENTION_MS[window.entity])
                if self._windows.setdefault(window.name, window) != window:
                    msg = (
                        f"The feature {window.name!s:.80} of {each.label} is defined differently elsewhere; "
                        "a name has one meaning. Choose another name."
                    )
                    raise SettingsError(msg)

    @classmethod
    def from_json(cls, texts: Iterable[str]) -> FeatureCatalog:
        """Read what :meth:`to_json` wrote of each set."""
        values = (orjson.loads(text) for text in texts)
        return cls(FeatureSet.of_row(each["name"], each["version"], each["definition"]) for each in values)

    def to_json(self) -> tuple[str, ...]:
        """Write the sets that rows define, for the job's arguments."""
        return tuple(
            orjson.dumps({"name": s.name, "version": s.version, "definition": s.definition()}).decode()
            for s in self.sets.values()
            if s not in FEATURE_SETS.values()
        )

    @property
    def hashes(self) -> dict[str, str]:
        """Hash by label."""
        return {label: each.hash for label, each in self.sets.items()}

    def plan(self, entity: Entity) -> WindowPlan:
        """Return the windows of an entity that all sets need, prepared."""
        return WindowPlan(window for window in self._windows.values() if window.entity == entity)

    def named(self, name: str) -> FeatureSet:
        """Return a set by label, or the newest version by name.

        Raises
        ------
        SettingsError
            If there is none.
        """
        found = [each for each in self.sets.values() if name in (each.label, each.name)]
        if not found:
            msg = f"There is no feature set {name!r:.80}; choose one of {', '.join(self.sets)}."
            raise SettingsError(msg)
        return max(found, key=lambda each: each.version)
