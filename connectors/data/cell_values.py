"""How people write identifiers, numbers, times and yes or no in files, and what is meant.

Everything here is told by the whole column, never by one cell: a column is of one hand. What could be read in two ways is
left as it is, and the caller refuses it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["as_flags", "as_numbers", "as_texts", "as_times_ms", "delimiter_of"]

DELIMITERS = ",;\t|"
CURRENCY = "[\\s$€£¥₹'\u00a0\u202f]|USD|EUR|GBP|CHF"
THOUSANDS = r"^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$"
DECIMAL_COMMA = r"^[-+]?(\d{1,3}(\.\d{3})+|\d+),\d+$"
WHOLE_BITS = 2**53
"""Beyond it a float no longer holds every integer."""
FLAGS = {
    "1": 1, "true": 1, "t": 1, "yes": 1, "y": 1, "fraud": 1,
    "0": 0, "false": 0, "f": 0, "no": 0, "n": 0, "genuine": 0, "legit": 0,
}  # fmt: skip
UNITS = {"s": (5e8, 4.2e9, 1_000, 1), "us": (5e14, 4.2e15, 1, 1_000), "ns": (5e17, 4.2e18, 1, 1_000_000)}
"""Least and greatest count since 1970 that is taken for a unit (1985 to 2103), and what makes milliseconds of it; as
milliseconds such counts lie in January or February of 1970, or beyond any date."""


def delimiter_of(header: str) -> str:
    r"""Return what separates the columns of a CSV file, by its header: what is in it most often.

    Examples
    --------
    >>> delimiter_of("id;at;amount"), delimiter_of('"a,b"\tc\td'), delimiter_of("one")
    (';', '\t', ',')
    """
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def as_texts(column: Any) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Return identifiers as text, null where there is none: whole numbers without a point, no quotes around all of them.

    Raises
    ------
    pa.ArrowException
        Where a number is not whole, or too large for a float to hold; where bytes are not UTF-8.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        if pc.any(pc.greater_equal(pc.abs(column), float(WHOLE_BITS))).as_py():
            msg = "numbers too large to be told apart as floats"
            raise pa.ArrowInvalid(msg)
        column = pc.cast(column, pa.int64())
    elif pa.types.is_decimal(kind):
        column = pc.cast(column, pa.decimal128(38, 0))
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    quoted = pc.match_substring_regex(texts, r"^'.*'$")
    if pc.all(quoted).as_py() and len(texts) > texts.null_count:
        texts = pc.utf8_slice_codeunits(texts, 1, -1)
    return pc.if_else(pc.equal(texts, ""), None, texts)


def as_numbers(column: Any) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Return numbers as float64, also those written with currency signs, thousands or a decimal comma.

    Raises
    ------
    pa.ArrowException
        Where a cell is no number.
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return pc.cast(column, pa.float64(), safe=False)
    texts = pc.replace_substring_regex(column, CURRENCY, "")
    with_comma = pc.filter(texts, pc.match_substring(texts, ","))
    if len(with_comma):
        if pc.all(pc.match_substring_regex(with_comma, THOUSANDS)).as_py():
            texts = pc.replace_substring(texts, ",", "")
        elif pc.all(pc.match_substring_regex(with_comma, DECIMAL_COMMA)).as_py():
            texts = pc.replace_substring(pc.replace_substring(texts, ".", ""), ",", ".")
    return pc.cast(texts, pa.float64(), safe=False)


def as_flags(column: Any) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Return 0 and 1 as float64, also for yes and no, true and false; what is neither is null.

    Raises
    ------
    pa.ArrowException
        Where a number cannot be read.
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return as_numbers(column)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    found = pc.index_in(words, pa.array(list(FLAGS)))
    if found.null_count:
        return as_numbers(column)
    return pc.cast(pc.take(pa.array(list(FLAGS.values())), found), pa.float64())


def as_times_ms(column: Any) -> Any:  # noqa: ANN401 - pyarrow is untyped
    """Return times as int64 epoch milliseconds: dates, ISO 8601 with or without a zone (then UTC), counts since 1970.

    Counts that all mean times from 1985 to 2103 in seconds, micro- or nanoseconds are such; others are milliseconds.

    Raises
    ------
    pa.ArrowException, ValueError
        Where a cell is no time.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pc.cast(pc.cast(column, pa.timestamp("ms"), safe=False), pa.int64())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = pc.utf8_trim_whitespace(column)
        if not pc.all(pc.match_substring_regex(texts, r"^[-+]?\d+(\.\d+)?$")).as_py():
            moments = pd.to_datetime(texts.to_pandas(), utc=True, format="ISO8601")
            return pa.array(moments.astype("datetime64[ns, UTC]").astype("int64") // 1_000_000)
        column = pc.cast(texts, pa.float64())
    counts = pc.cast(column, pa.float64(), safe=False)
    if len(counts):
        least, most = (pc.min(counts).as_py(), pc.max(counts).as_py())
        for low, high, times, parts in UNITS.values():
            if low <= least and most <= high:
                whole = column if pa.types.is_integer(column.type) else None
                if whole is not None:
                    scaled = pc.multiply(pc.cast(whole, pa.int64()), times)
                    return pc.divide(scaled, parts) if parts > 1 else scaled
                return pc.cast(pc.round(pc.divide(pc.multiply(counts, float(times)), float(parts))), pa.int64())
    return (
        pc.cast(pc.round(counts), pa.int64()) if not pa.types.is_integer(column.type) else pc.cast(column, pa.int64())
    )
