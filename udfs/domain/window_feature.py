"""A feature over a window of one entity's transactions, as a row defines it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from udfs.domain.defined_feature import defined_feature
from udfs.domain.errors import SettingsError

__all__ = ["Aggregate", "Entity", "WindowFeature"]

Entity = Literal["customer", "terminal"]
Aggregate = Literal["count", "sum", "mean", "time_since_last", "fraud_rate", "min", "max", "std", "distinct"]
WITHOUT_FIELD = ("count", "time_since_last", "fraud_rate")
RECORDED_FIELDS = ("amount",)
"""What a history records of each transaction; anything else needs code that records it, an upgrade."""


@dataclass(frozen=True, slots=True)
class WindowFeature:
    """A number computed from the transactions of an entity in the window (t - delay - window, t - delay].

    Parameters
    ----------
    name
        Name of the feature.
    entity
        Whose transactions.
    aggregate
        ``count``; ``sum``, ``mean``, ``min``, ``max``, ``std`` (of the sample) and ``distinct`` (number of values) of a
        field; ``time_since_last`` in seconds since the one before, the window's length where there is none;
        ``fraud_rate``, the share of those known as fraud at t. All are 0 for a window without transactions.
    window_ms, delay_ms
        Milliseconds. Without delay the transaction itself is in the window.
    field
        A recorded field; None for aggregates that need none.

    Raises
    ------
    SettingsError
        If the parts do not make a feature.
    """

    name: str
    entity: Entity
    aggregate: Aggregate
    window_ms: int
    delay_ms: int = 0
    field: str | None = None

    def __post_init__(self) -> None:
        """Check the parts."""
        for what, got, known in (
            ("entity", self.entity, get_args(Entity)),
            ("aggregate", self.aggregate, get_args(Aggregate)),
        ):
            if got not in known:
                msg = f"The feature {self.name!s:.80} has the {what} {got!r:.40}; choose one of {', '.join(known)}."
                raise SettingsError(msg)
        numbers = (self.window_ms, self.delay_ms)
        if any(isinstance(each, bool) or not isinstance(each, int) for each in numbers) or not (
            self.window_ms > 0 <= self.delay_ms
        ):
            msg = f"The feature {self.name!s:.80} needs a window above 0 and a delay of 0 or more, in milliseconds."
            raise SettingsError(msg)
        if self.aggregate in WITHOUT_FIELD:
            if self.field is not None:
                msg = f"The feature {self.name!s:.80} is a {self.aggregate}, which has no field; leave {self.field!r} out."
                raise SettingsError(msg)
        elif self.field not in RECORDED_FIELDS:
            msg = (
                f"The feature {self.name!s:.80} needs the field {self.field!r:.40}, of transactions only "
                f"{', '.join(RECORDED_FIELDS)} is recorded; another field needs an upgrade of the job."
            )
            raise SettingsError(msg)

    def check_reach(self, reach_ms: int) -> None:
        """Refuse a window that reaches further back than histories are kept for.

        Raises
        ------
        SettingsError
            If it does.
        """
        if self.window_ms + self.delay_ms > reach_ms:
            msg = (
                f"The feature {self.name!s:.80} reaches {(self.window_ms + self.delay_ms) / 86_400_000:g} days back, that "
                f"of a {self.entity} may reach {reach_ms / 86_400_000:g} days; more needs an upgrade of the job."
            )
            raise SettingsError(msg)

    def to_json(self) -> dict[str, Any]:
        """Return the definition without its name, as a row holds it."""
        parts = {"entity": self.entity, "aggregate": self.aggregate, "window_ms": self.window_ms}
        parts |= {"delay_ms": self.delay_ms} if self.delay_ms else {}
        return parts | ({"field": self.field} if self.field else {})

    @classmethod
    def from_json(cls, name: str, value: dict[str, Any]) -> WindowFeature:
        """Read what :meth:`to_json` returned.

        Raises
        ------
        SettingsError
            If parts are missing, unknown or impossible.
        """
        return defined_feature(cls, name, value, "window feature")
