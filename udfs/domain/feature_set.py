"""The named lists of features that models are trained on and scored with.

A feature set's hash travels in the artifact of every model trained on it: a model whose hash differs is never scored
with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from udfs.domain.errors import SettingsError
from udfs.domain.event import Transaction
from udfs.domain.window_names import CUSTOMER_FEATURES, TERMINAL_FEATURES, TRANSACTION_FEATURES

__all__ = ["FEATURE_SETS", "FeatureSet"]


@dataclass(frozen=True)
class FeatureSet:
    """A named, versioned list of features, in the order in which a model's arrays hold them.

    Parameters
    ----------
    name, version
        Together the label, for example ``handbook@1``. A changed list is a new version, never a new meaning.
    features
        Names of the numbers a model gets.
    required_fields
        Those among them that are fields of the message itself; a message without them is a dead letter.

    Examples
    --------
    >>> FEATURE_SETS["handbook"].label, len(FEATURE_SETS["handbook"].features)
    ('handbook@1', 15)
    >>> FEATURE_SETS["creditcard"].required_fields[:3]
    ('Time', 'V1', 'V2')
    """

    name: str
    version: int
    features: tuple[str, ...]
    required_fields: tuple[str, ...]

    @staticmethod
    def named(name: str) -> FeatureSet:
        """Return a feature set of this code by its name.

        Raises
        ------
        SettingsError
            If there is none.
        """
        if name not in FEATURE_SETS:
            msg = f"There is no feature set {name!r}; choose one of {', '.join(FEATURE_SETS)}."
            raise SettingsError(msg)
        return FEATURE_SETS[name]

    @property
    def label(self) -> str:
        """Name and version, as published: ``handbook@1``."""
        return f"{self.name}@{self.version}"

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the set as JSON with sorted keys and no spaces."""
        content = {
            "features": self.features,
            "name": self.name,
            "required_fields": self.required_fields,
            "version": self.version,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def vector(self, event: Transaction) -> dict[str, float]:
        """Return the features of one transaction by name, all of them, in order.

        What a stage computed comes first, then the field of the message. A feature that neither has is 0: a transaction
        without a terminal has no transactions and no frauds in its terminal's windows.
        """
        features, fields = event["features"], event["fields"]
        return {name: features[name] if name in features else float(fields.get(name, 0.0)) for name in self.features}


_V_FIELDS = tuple(f"V{number}" for number in range(1, 29))
_CREDITCARD = ("Time", *_V_FIELDS, "Amount")
_HANDBOOK = (*TRANSACTION_FEATURES, *CUSTOMER_FEATURES, *TERMINAL_FEATURES)

FEATURE_SETS: Mapping[str, FeatureSet] = MappingProxyType(
    {
        "handbook": FeatureSet("handbook", 1, _HANDBOOK, ()),
        "creditcard": FeatureSet("creditcard", 1, _CREDITCARD, _CREDITCARD),
    }
)
"""Every feature set a job can be started with, by name."""
