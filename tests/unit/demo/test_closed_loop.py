"""The demo's stream finds the rate a job keeps up with, and its answers stay quick meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.demo.closed_loop import FIRST_RATE, LOWEST_RATE, ClosedLoop

TICK_S, COMMIT_S = 0.1, 2.0


def simulate(loop, capacity, seconds):
    """A job with a queue, which answers so many a second at a time; answers are seen when they are committed."""
    waiting, seen, latencies, rates, sent = 0.0, [], [], [], 0.0
    for tick in range(int(seconds / TICK_S)):
        now_s = tick * TICK_S
        able = capacity(now_s)
        waiting = max(0.0, waiting + (loop.rate if loop.rate < loop.limit else loop.limit) * TICK_S - able * TICK_S)
        latency_ms = int(40 + 1_000 * waiting / able)
        latencies.append(latency_ms)
        seen.append(latency_ms)
        new = []
        if tick % int(COMMIT_S / TICK_S) == 0:
            new, seen = seen, []
        rate = loop.look(now_s, new)
        rates.append(rate)
        sent += rate * TICK_S
    return np.array(latencies), np.array(rates), sent


def test_a_job_that_is_cold_at_first_is_not_flooded_and_a_warm_one_gets_all_it_can_take():
    latencies, rates, sent = simulate(ClosedLoop(1_600), lambda now_s: 300 if now_s < 25 else 4_000, 100)
    assert np.percentile(latencies, 99) < 1_000
    assert rates[-1] == 1_600
    assert sent > 60_000


def test_it_settles_near_what_the_job_can_take():
    latencies, rates, _ = simulate(ClosedLoop(1_600), lambda _: 700, 200)
    assert np.percentile(latencies, 99) < 1_500
    assert 350 < rates[-600:].mean() < 700


@given(st.floats(60, 5_000), st.floats(10, 3_000))
@settings(deadline=None, max_examples=30)
def test_it_never_exceeds_its_limit(able, limit):
    _, rates, _ = simulate(ClosedLoop(limit), lambda _: able, 40)
    assert rates.max() <= limit
    assert rates.min() >= min(limit, LOWEST_RATE)


def test_silence_slows_it_down_and_answers_speed_it_up_again():
    loop = ClosedLoop(1_600)
    for second in range(1, 30):
        loop.look(float(second), [])
    assert loop.rate < FIRST_RATE
    for second in range(30, 80):
        loop.look(float(second), [50] * 10)
    assert loop.rate == pytest.approx(1_600)
