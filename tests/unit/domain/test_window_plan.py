"""Window features against pandas, and the definitions that are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.domain.test_customer_windows import DAY_MS, transaction
from udfs.domain.customer_windows import update_customers
from udfs.domain.errors import SettingsError
from udfs.domain.window_feature import WindowFeature
from udfs.domain.window_plan import WindowPlan

PANDAS = {
    "count": len,
    "sum": np.sum,
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "std": lambda inside: np.std(inside, ddof=1) if len(inside) > 1 else 0.0,
    "distinct": lambda inside: len(set(inside)),
}


@pytest.mark.parametrize("delay", [0, 3])
@pytest.mark.parametrize("rows", [400, 1_500])
def test_every_aggregate_is_what_pandas_says(delay, rows):
    features = [
        WindowFeature(
            f"{what}{days}", "customer", what, days * DAY_MS, delay * DAY_MS, None if what == "count" else "amount"
        )
        for what in PANDAS
        for days in (1, 20)
    ] + [WindowFeature("last", "customer", "time_since_last", 2 * DAY_MS, delay * DAY_MS)]
    random = np.random.default_rng(4)
    times = np.sort(random.choice(40 * 86_400, rows, replace=False)) * 1_000
    frame = pd.DataFrame({"time": times, "amount": random.integers(-500, 30_000, rows) / 100})
    events = [transaction(f"t{n}", int(t), float(a)) for n, (t, a) in enumerate(frame.itertuples(index=False))]
    state, taken = {}, []
    for start in range(0, rows, 7):
        update = update_customers(events[start : start + 7], state, lateness_ms=0, plan=WindowPlan(features))
        taken += update.events
    assert (len(state) == 2) == (rows == 400), "few are one value beside the shard's, many are chunks"
    for row in range(0, rows, 9):
        end = times[row] - delay * DAY_MS
        for what, oracle in PANDAS.items():
            for days in (1, 20):
                inside = frame["amount"][(times > end - days * DAY_MS) & (times <= end)].to_numpy()
                expected = oracle(inside) if len(inside) else 0
                assert taken[row]["features"][f"{what}{days}"] == pytest.approx(expected, rel=1e-12, abs=1e-9), what
        before = times[(times <= end) & (times > end - 2 * DAY_MS)]
        before = before[:-1] if delay == 0 else before
        expected = (times[row] - before[-1]) / 1_000 if len(before) else 2 * 86_400
        assert taken[row]["features"]["last"] == expected


def test_a_transaction_older_than_what_is_kept_is_alone():
    plan = WindowPlan(
        [WindowFeature(w, "customer", w, DAY_MS, field="amount") for w in ("min", "std", "sum", "distinct")]
    )
    events = [transaction("new", 100 * DAY_MS, 3.0), transaction("old", 0, 7.0)]
    old = update_customers(events, {}, lateness_ms=0, plan=plan).events[1]["features"]
    assert [old[name] for name in ("min", "std", "sum", "distinct")] == [7.0, 0.0, 7.0, 1.0]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"entity": "card"}, "has the entity 'card'; choose one of customer, terminal"),
        ({"aggregate": "median"}, "has the aggregate 'median'"),
        ({"window_ms": 0}, "needs a window above 0"),
        ({"delay_ms": -1}, "needs a window above 0 and a delay"),
        ({"window_ms": "7d"}, "needs a window above 0"),
        ({"field": "V1"}, "needs an upgrade"),
        ({"field": None}, "needs the field None"),
        ({"aggregate": "count"}, "which has no field"),
        ({"speed": 1}, "has not the parts"),
    ],
)
def test_what_is_no_definition_is_refused_in_a_sentence(parts, said):
    whole = {"entity": "customer", "aggregate": "mean", "window_ms": DAY_MS, "field": "amount"}
    with pytest.raises(SettingsError, match=said):
        WindowFeature.from_json("F", whole | parts)
    assert WindowFeature.from_json("F", whole).to_json() == whole


def test_a_window_beyond_what_is_kept_needs_an_upgrade():
    feature = WindowFeature("F", "terminal", "count", 32 * DAY_MS, 7 * DAY_MS)
    with pytest.raises(
        SettingsError, match="reaches 39 days back, that of a terminal may reach 38 days; more needs an upgrade"
    ):
        feature.check_reach(38 * DAY_MS)
    feature.check_reach(39 * DAY_MS)
