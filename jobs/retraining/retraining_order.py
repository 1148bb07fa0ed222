"""What ``weir retrain`` was asked to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from udfs.domain.errors import SettingsError
from udfs.domain.promotion_policy import PromotionPolicy

__all__ = ["RetrainingOrder"]

ROLE = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class RetrainingOrder:
    """How to train the next version, and how to judge it.

    Parameters
    ----------
    model
        The registered model.
    feature_set
        Name or label of a set of the code or of rows; None for the champion's own.
    role
        The challenger's: where a new version is tried.
    algorithm
        None for the champion's own.
    anew
        Train from nothing on all that the tables hold, instead of going on from the champion.
    policy
        When a version is promoted, given up or rolled back.
    min_new
        Fewest transactions that a version must learn from.
    seed, alert_rate
        As for ``weir train``.
    dry_run
        Decide and write the decision down, but change nothing.
    who
        For the decision's row.
    first_feature_set
        Name of the set of the first version, which has no champion before it.

    Raises
    ------
    SettingsError
        For a role that cannot be one.
    """

    model: str
    feature_set: str | None = None
    role: str = "challenger"
    algorithm: str | None = None
    anew: bool = False
    policy: PromotionPolicy = field(default_factory=PromotionPolicy)
    min_new: int = 1
    seed: int = 42
    alert_rate: float = 0.001
    dry_run: bool = False
    who: str = ""
    first_feature_set: str = "handbook"

    def __post_init__(self) -> None:
        if not ROLE.fullmatch(self.role) or self.role == "champion":
            msg = f"{self.role!r} is no role for a challenger; use letters, digits, dots and dashes, and not champion."
            raise SettingsError(msg)
