"""Defines a new version of a feature set, or retires one; rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.postgres.metadata_store import MetadataStore
from jobs.features.definition_text import parse_definition
from jobs.features.feature_rows import feature_catalog
from udfs.domain.errors import SettingsError
from udfs.domain.event_transform import EventTransform
from udfs.domain.feature_catalog import CODE_LABELS, FeatureCatalog
from udfs.domain.feature_set import FeatureSet
from udfs.domain.window_feature import WindowFeature

__all__ = ["add_features", "retire_features"]


def add_features(
    store: MetadataStore, name: str, *, based_on: str, features: Sequence[str], without: Sequence[str]
) -> FeatureSet:
    """Define the next version of a feature set.

    Parameters
    ----------
    store
        The registry's tables.
    name
        The set's name, without version.
    based_on
        The set whose features come first, in its order; the same name for a new version of it.
    features
        Further features, as :func:`jobs.features.definition_text.parse_definition` reads them.
    without
        Features of the other set to leave out.

    Raises
    ------
    SettingsError
        If a definition is refused: it is none, needs more than what is recorded or kept (an upgrade), or gives a name
        another meaning.
    ConnectionLostError, RegistryError
        As the tables raise them.
    """
    if "@" in name or not name.isidentifier():
        msg = f"{name!r:.60} is no name for a feature set; use letters, digits and underscores, the version is given."
        raise SettingsError(msg)
    rows = store.feature_rows()
    catalog = feature_catalog(rows)
    base = catalog.named(based_on)
    unknown = [each for each in without if each not in base.features]
    if unknown:
        msg = (
            f"{base.label} has no feature {unknown[0]!r:.60} to leave out; weir features show {base.label} lists them."
        )
        raise SettingsError(msg)
    added = tuple(parse_definition(text) for text in features)
    kept = tuple(each for each in base.features if each not in without)
    before: tuple[WindowFeature | EventTransform, ...] = (*base.windows, *base.transforms)
    defined = (*(each for each in before if each.name in kept), *added)
    transforms = tuple(each for each in defined if isinstance(each, EventTransform))
    read = {each.reads: each.reads_string for each in transforms if each.reads}
    fields = dict.fromkeys((*(field for field in base.required_fields if field in kept), *read))
    taken = [version for known, version, _, _ in rows if known == name]
    taken += [each.version for each in FeatureCatalog().sets.values() if each.name == name]
    definition = FeatureSet(
        name,
        max(taken, default=0) + 1,
        (*kept, *(each.name for each in added)),
        tuple(fields),
        tuple(each for each in defined if isinstance(each, WindowFeature)),
        tuple(field for field in fields if read.get(field, field in base.strings)),
        transforms,
    )
    made = FeatureSet.of_row(name, definition.version, definition.definition())
    FeatureCatalog((*catalog.of_rows, made))
    store.define_features(made.name, made.version, made.hash, made.definition())
    return made


def retire_features(store: MetadataStore, name: str) -> FeatureSet:
    """Retire a feature set, so that no job computes it for its own sake any more.

    Raises
    ------
    SettingsError
        If there is no such set, or it is one of the code's.
    RegistryError
        When a version that plays a role needs it.
    """
    found = feature_catalog(store.feature_rows()).named(name)
    if found.label in CODE_LABELS:
        msg = f"{found.label} belongs to the code and cannot be retired; only sets that rows define can."
        raise SettingsError(msg)
    store.retire_features(found.name, found.version)
    return found
