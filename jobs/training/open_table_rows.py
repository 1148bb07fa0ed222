"""Opens the tables as training data: now, tagging what is read, or as an earlier tag names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.training.table_rows import TABLES, TableRows
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FeatureSet

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["open_table_rows", "parse_source"]


def open_table_rows(
    catalog: Catalog,
    features: FeatureSet,
    *,
    tag: str | None = None,
    since_ms: int = 0,
    until_ms: int | None = None,
    keep: bool = True,
) -> TableRows:
    """Return what the stream recorded, from a snapshot that carries a tag.

    Parameters
    ----------
    features
        Which features; of what the stream recorded only numbers come to the tables.
    tag
        Of an earlier training set; None for the tables as they are now.
    since_ms, until_ms
        Event times, [since, until).
    keep
        Tag the snapshot, so that it outlives expiry; not for a dry run.

    Raises
    ------
    SettingsError
        For an unknown tag, features that are strings, empty tables, and when no transaction is in that time.
    ConnectionLostError, TablesError
        If the catalog or S3 does not answer or a table is not there.
    """
    texts = [name for name in features.features if name in features.strings]
    if texts:
        msg = f"The tables hold numbers only, {features.label} has the string {texts[0]}; train it from a file."
        raise SettingsError(msg)
    snapshot = TrainingSnapshot.newest(catalog) if tag is None else TrainingSnapshot.tagged(catalog, tag)
    rows = read_labelled_rows(
        catalog, snapshot, features.label, features.features, since_ms=since_ms, until_ms=until_ms
    )
    if not len(rows):
        msg = f"The tables hold no transaction on the features {features.label} in that time; choose another."
        raise SettingsError(msg)
    # Not before they were read: an empty training set leaves no tag behind.
    return TableRows.of(snapshot.tag_it(catalog) if keep else snapshot, rows, since_ms, until_ms)


def parse_source(text: str) -> str | None:
    """Return the tag of ``iceberg@TAG``, None for ``iceberg``.

    Raises
    ------
    SettingsError
        For anything else.

    Examples
    --------
    >>> parse_source("iceberg"), parse_source("iceberg@training-8ad9ee7ea36a")
    (None, 'training-8ad9ee7ea36a')
    """
    name, mark, tag = text.partition("@")
    if name != TABLES or (mark and not tag):
        msg = f"{text!r} is nothing to train from; write {TABLES} or {TABLES}@TAG."
        raise SettingsError(msg)
    return tag or None
