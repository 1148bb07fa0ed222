from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.calendar_features import calendar_features


@given(st.integers(0, 4_102_444_800_000))
def test_weekend_and_night_are_those_of_the_calendar_in_utc(time_ms):
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    assert calendar_features(time_ms) == (float(moment.weekday() >= 5), float(moment.hour <= 6))
