"""The handbook's windows as definitions: what rows of ``feature_definition`` would say of them."""

from __future__ import annotations

from udfs.domain.window_feature import WindowFeature
from udfs.domain.window_names import CUSTOMER_WINDOWS, DAY_MS, TERMINAL_WINDOWS

__all__ = ["HANDBOOK_CUSTOMER", "HANDBOOK_TERMINAL"]

TRUTH_DELAY_MS = 7 * DAY_MS
"""The book's time until the truth is known."""

HANDBOOK_CUSTOMER = tuple(
    feature
    for length_ms, count, mean in CUSTOMER_WINDOWS
    for feature in (
        WindowFeature(count, "customer", "count", length_ms),
        WindowFeature(mean, "customer", "mean", length_ms, field="amount"),
    )
)
HANDBOOK_TERMINAL = tuple(
    feature
    for length_ms, count, risk in TERMINAL_WINDOWS
    for feature in (
        WindowFeature(count, "terminal", "count", length_ms, TRUTH_DELAY_MS),
        WindowFeature(risk, "terminal", "fraud_rate", length_ms, TRUTH_DELAY_MS),
    )
)
