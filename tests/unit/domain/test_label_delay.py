"""The histogram of label delays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.label_delay import LabelDelays


@given(delays=st.lists(st.integers(-1000, 2 * 365 * 86_400_000), min_size=1, max_size=200), share=st.floats(0.01, 1.0))
def test_a_quantile_is_within_a_twentieth_and_a_second_of_the_true_one(delays, share):
    made = LabelDelays()
    for part in np.array_split(np.array(delays), 3):
        made.update_many(part)
    true = max(0, sorted(delays)[max(0, int(np.ceil(share * len(delays) - 1e-9)) - 1)])
    got = LabelDelays.decode(made.encode()).quantile(share)
    assert got == made.quantile(share)
    assert abs(got - true) <= 0.045 * true + 1_000  # 4.5 % and a second


def test_two_years_of_delays_take_little_room():
    made = LabelDelays()
    made.update_many(np.arange(0, 2 * 365 * 86_400_000, 60_000))
    assert len(made.encode()) < 2300


def test_without_delays_there_is_no_quantile():
    assert LabelDelays().quantile(0.5) is None
    assert LabelDelays().encode() == b""
