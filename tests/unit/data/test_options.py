from __future__ import annotations

import pytest

from connectors.data.options import parse_duration_ms, parse_mapping, parse_rate, parse_time_ms
from udfs.domain.errors import SettingsError


@pytest.mark.parametrize(
    ("parse", "wrong"),
    [
        *((parse_duration_ms, text) for text in ("", "6", "6x", "d6", "-1d", "6d 23", "1h-")),
        *((parse_rate, text) for text in ("", "0", "-5", "nan", "inf", "fast")),
        *((parse_mapping, text) for text in ("a", "a=", "=b", "a=b,a=c")),
        *((parse_time_ms, text) for text in ("", "yesterday", "2018-13-01")),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(parse, wrong):
    with pytest.raises(SettingsError, match=r"write |such as"):
        parse(wrong)


def test_eight_digits_are_a_date_and_thirteen_are_milliseconds():
    assert parse_time_ms("20180401") == 1_522_540_800_000
    assert parse_time_ms("1522540800000") == 1_522_540_800_000
