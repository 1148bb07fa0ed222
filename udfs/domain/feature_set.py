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
from typing import Any

from udfs.domain.errors import SettingsError
from udfs.domain.event import Transaction
from udfs.domain.event_transform import EventTransform
from udfs.domain.handbook_windows import HANDBOOK_CUSTOMER, HANDBOOK_TERMINAL
from udfs.domain.window_feature import Entity, WindowFeature
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
        Those among them that are fields of the message itself, and those that transforms read. In a stream of this set a
        message without them is a dead letter; in a stream of another it has no score of this set's versions.
    windows
        Definitions of those that are neither the handbook's nor fields of the message.
    strings
        Those required fields that are strings; among the features a model encodes them itself (one-hot, hashing).
    transforms
        Definitions of features of a transaction alone.

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
    windows: tuple[WindowFeature, ...] = ()
    strings: tuple[str, ...] = ()
    transforms: tuple[EventTransform, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, as published: ``handbook@1``."""
        return f"{self.name}@{self.version}"

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the set as JSON with sorted keys and no spaces."""
        content: dict[str, Any] = {
            "features": self.features,
            "name": self.name,
            "required_fields": self.required_fields,
            "version": self.version,
        }
        if self.windows:  # without, the hashes of version 0.1.0 hold
            content["windows"] = {window.name: window.to_json() for window in self.windows}
        if self.strings:
            content["strings"] = self.strings
        if self.transforms:
            content["transforms"] = {each.name: each.to_json() for each in self.transforms}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def windows_of(self, entity: Entity) -> tuple[WindowFeature, ...]:
        """Return the handbook's windows of an entity, and the set's own."""
        handbook = HANDBOOK_CUSTOMER if entity == "customer" else HANDBOOK_TERMINAL
        return (*handbook, *(window for window in self.windows if window.entity == entity))

    def definition(self) -> dict[str, Any]:
        """Return what a row of ``feature_definition`` holds beside name, version and hash."""
        found: dict[str, Any] = {"features": list(self.features), "required_fields": list(self.required_fields)}
        found |= {"strings": list(self.strings)} if self.strings else {}
        found |= {"transforms": {each.name: each.to_json() for each in self.transforms}} if self.transforms else {}
        return found | ({"windows": {w.name: w.to_json() for w in self.windows}} if self.windows else {})

    @classmethod
    def of_row(cls, name: str, version: int, definition: Mapping[str, Any]) -> FeatureSet:
        """Read a row of ``feature_definition``.

        Raises
        ------
        SettingsError
            If it defines no feature set, or a feature that nothing defines.
        """
        try:
            features, fields = tuple(definition["features"]), tuple(definition["required_fields"])
            windows = tuple(WindowFeature.from_json(n, each) for n, each in definition.get("windows", {}).items())
            strings = tuple(definition.get("strings", ()))
            transforms = tuple(
                EventTransform.from_json(n, each) for n, each in definition.get("transforms", {}).items()
            )
        except (KeyError, TypeError, AttributeError) as error:
            msg = f"The row {name}@{version} of feature_definition defines no feature set: {error!s:.80}."
            raise SettingsError(msg) from error
        known = {*_HANDBOOK, *fields, *(each.name for each in windows), *(each.name for each in transforms)}
        unknown = [each for each in features if each not in known]
        unknown += [each for each in strings if each not in fields]
        unknown += [each.reads for each in transforms if each.reads and each.reads not in fields]
        if not features or unknown or len(set(features)) < len(features):
            what = f"nothing defines {unknown[0]!s:.60}" if unknown else "its features are none, or one comes twice"
            msg = (
                f"The feature set {name}@{version} cannot be: {what}. Give each feature a definition of its own, once."
            )
            raise SettingsError(msg)
        return cls(name, version, features, fields, windows, strings, transforms)

    def vector(self, event: Transaction) -> dict[str, Any]:
        """Return the features of one transaction by name, all of them, in order.

        What a stage computed comes first, then the field of the message. A feature that neither has is 0: a transaction
        without a terminal has no transactions and no frauds in its terminal's windows.
        """
        features, fields = event["features"], event["fields"]
        return {
            name: features[name] if name in features else str(fields[name]) if name in self.strings
            else float(fields.get(name, 0.0))
            for name in self.features
        }  # fmt: skip


_V_FIELDS = tuple(f"V{number}" for number in range(1, 29))
_CREDITCARD = ("Time", *_V_FIELDS, "Amount")
_HANDBOOK = (*TRANSACTION_FEATURES, *CUSTOMER_FEATURES, *TERMINAL_FEATURES)

FEATURE_SETS: Mapping[str, FeatureSet] = MappingProxyType(
    {
        "handbook": FeatureSet("handbook", 1, _HANDBOOK, ()),
        "creditcard": FeatureSet("creditcard", 1, _CREDITCARD, _CREDITCARD),
    }
)
"""Every feature set a job can be started with, by name; asked for by :mod:`udfs.domain.feature_catalog` alone."""
