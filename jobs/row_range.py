"""A range of rows as people write it: ``200000:300000``."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.domain.errors import SettingsError

__all__ = ["RowRange"]


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows ``first .. last - 1``, counted from 0; to the end without ``last``.

    Parameters
    ----------
    first, last
        Indices.
    """

    first: int
    last: int | None

    @staticmethod
    def parse(text: str) -> RowRange:
        """Read ``FROM:TO``, where either may be left out; a number alone is TO.

        Raises
        ------
        SettingsError
            For anything else, and for a range without rows.

        Examples
        --------
        >>> RowRange.parse("200:300"), RowRange.parse("200:"), RowRange.parse("300")
        (RowRange(first=200, last=300), RowRange(first=200, last=None), RowRange(first=0, last=300))
        """
        first, _, last = text.partition(":") if ":" in text else ("", ":", text)
        try:
            found = RowRange(int(first or 0), int(last) if last else None)
        except ValueError:
            found = RowRange(-1, None)
        if found.first < 0 or (found.last is not None and found.last <= found.first):
            msg = f"{text!r} is no range of rows; write FROM:TO with FROM below TO, counted from 0, for example 0:5000."
            raise SettingsError(msg)
        return found
