"""The feature sets there are: those of the code, and those that rows define. The only way to either.

Who needs a set by its name or label asks here, or is handed one; a house test holds that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from udfs.domain.customer_windows import CUSTOMER_REACH_MS
from udfs.domain.errors import SettingsError
from udfs.domain.event_transform import EventTransform
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.terminal_windows import TERMINAL_REACH_MS
from udfs.domain.window_feature import Entity, WindowFeature
from udfs.domain.window_plan import WindowPlan

__all__ = ["CODE_LABELS", "FeatureCatalog"]

CODE_LABELS = frozenset(each.label for each in FEATURE_SETS.values())
"""What every job of this code computes, whatever rows say."""
REACH_MS: Mapping[Entity, int] = {"customer": CUSTOMER_REACH_MS, "terminal": TERMINAL_REACH_MS}


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
        If two sets define one name differently, or a window reaches further back than it may.

    Examples
    --------
    >>> sorted(FeatureCatalog().hashes)
    ['creditcard@1', 'handbook@1']
    """

    def __init__(self, rows: Iterable[FeatureSet] = ()) -> None:
        self.sets: dict[str, FeatureSet] = {each.label: each for each in (*FEATURE_SETS.values(), *rows)}
        self._defined: dict[str, WindowFeature | EventTransform] = {}
        for each in self.sets.values():
            windows = (*each.windows_of("customer"), *each.windows_of("terminal"))
            defined: tuple[WindowFeature | EventTransform, ...] = (*windows, *each.transforms)
            for one in defined:
                if isinstance(one, WindowFeature):
                    one.check_reach(REACH_MS[one.entity])
                if self._defined.setdefault(one.name, one) != one:
                    msg = (
                        f"The feature {one.name!s:.80} of {each.label} is defined differently elsewhere; "
                        "a name has one meaning. Choose another name."
                    )
                    raise SettingsError(msg)

    @staticmethod
    def of_code(name: str) -> FeatureSet:
        """Return a set of the code by its name, as a stream is started with one.

        Raises
        ------
        SettingsError
            If there is none.

        Examples
        --------
        >>> FeatureCatalog.of_code("handbook").label
        'handbook@1'
        """
        if name not in FEATURE_SETS:
            msg = f"There is no feature set {name!r:.80}; choose one of {', '.join(FEATURE_SETS)}."
            raise SettingsError(msg)
        return FEATURE_SETS[name]

    @classmethod
    def from_json(cls, texts: Iterable[str]) -> FeatureCatalog:
        """Read what :meth:`to_json` wrote of each set."""
        values = (orjson.loads(text) for text in texts)
        return cls(FeatureSet.of_row(each["name"], each["version"], each["definition"]) for each in values)

    def to_json(self) -> tuple[str, ...]:
        """Write the sets that rows define, for the job's arguments."""
        return tuple(
            orjson.dumps({"name": s.name, "version": s.version, "definition": s.definition()}).decode()
            for s in self.of_rows
        )

    @property
    def of_rows(self) -> tuple[FeatureSet, ...]:
        """The sets that rows define."""
        return tuple(each for each in self.sets.values() if each.label not in CODE_LABELS)

    @property
    def hashes(self) -> dict[str, str]:
        """Hash by label."""
        return {label: each.hash for label, each in self.sets.items()}

    def plan(self, entity: Entity) -> WindowPlan:
        """Return the windows of an entity that all sets need, prepared; with the transforms for the customer stage."""
        windows = (one for one in self._defined.values() if isinstance(one, WindowFeature) and one.entity == entity)
        transforms = (one for one in self._defined.values() if isinstance(one, EventTransform) and entity == "customer")
        return WindowPlan(windows, transforms)

    @property
    def optional_fields(self) -> dict[str, bool]:
        """Fields of the message that sets by rows read, and whether each is a string."""
        return {name: name in each.strings for each in self.of_rows for name in each.required_fields}

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
