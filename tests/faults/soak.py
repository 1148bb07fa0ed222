"""Runs the job for hours and says whether it grows: memory by component, size of checkpoints."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from tests.e2e.local import Local
from tests.e2e.models import trained
from tests.e2e.scoring import Scoring
from tests.faults.load import Load

__all__ = ["slope_an_hour", "soak"]

SAMPLE_S = 30.0
WARM_UP = 0.2
"""This share of the samples is not used: compilers, caches and windows fill first."""


def slope_an_hour(seconds: list[float], values: list[float]) -> float:
    """Return the slope of a straight line through the samples, by the hour.

    >>> slope_an_hour([0.0, 1_800.0, 3_600.0], [100.0, 101.0, 102.0])
    2.0
    """
    return round(float(np.polyfit(np.array(seconds) / 3_600, np.array(values), 1)[0]), 6)


def soak(local: Local, hours: float, *, seed: int, rate: float, say: Callable[[str], None]) -> Mapping[str, float]:
    """Score a stream for so long; return the growth in MB an hour of each component and of the checkpoints."""
    scoring = Scoring(local, "soak")
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1", 180)
    load = Load.of(int(rate * (hours * 3_600 + 120)), seed)
    samples: dict[str, list[float]] = defaultdict(list)
    times: list[float] = []
    started = time.monotonic()
    with scoring.producing(load, rate):  # type: ignore[arg-type]
        while time.monotonic() - started < hours * 3_600:
            time.sleep(SAMPLE_S)
            times.append(time.monotonic() - started)
            for name, mb in scoring.stack.memory_mb().items():
                samples[name].append(mb)
            latest = scoring.flink.checkpoints(scoring.job_id)["latest"]["completed"]
            samples["checkpoint"].append(latest["state_size"] / 1e6)
            say(f"{times[-1] / 60:.1f} min: {sum(scoring.stack.memory_mb().values()):,.0f} MB in all")
    total = scoring.wait_for_sum(scoring.sent(), 400)
    scoring.stop()
    assert total.holds, str(total)
    first = int(len(times) * WARM_UP)
    figures: dict[str, float] = {"minutes": round(times[-1] / 60, 1), "transactions": total.transactions}
    for name, values in samples.items():
        figures[f"{name}_mb_last"] = round(values[-1], 1)
        if len(values) - first > 1:
            figures[f"{name}_mb_an_hour"] = slope_an_hour(times[first:], values[first:])
    return figures
