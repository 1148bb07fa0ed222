"""Names and lengths of the handbook's features.

They are those of Le Borgne, Siblini, Lebichot, Bontempi, "Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook", ULB 2022, chapter 3 (baseline feature transformation).
"""

from __future__ import annotations

__all__ = [
    "CUSTOMER_FEATURES",
    "CUSTOMER_WINDOWS",
    "DAY_MS",
    "TERMINAL_FEATURES",
    "TERMINAL_WINDOWS",
    "TRANSACTION_FEATURES",
    "WINDOW_DAYS",
]

DAY_MS = 86_400_000
WINDOW_DAYS = (1, 7, 30)

TRANSACTION_FEATURES = ("TX_AMOUNT", "TX_DURING_WEEKEND", "TX_DURING_NIGHT")

CUSTOMER_WINDOWS = tuple(
    (n * DAY_MS, f"CUSTOMER_ID_NB_TX_{n}DAY_WINDOW", f"CUSTOMER_ID_AVG_AMOUNT_{n}DAY_WINDOW") for n in WINDOW_DAYS
)
"""Length in milliseconds, name of the count, name of the mean amount."""
CUSTOMER_FEATURES = tuple(name for _, count, mean in CUSTOMER_WINDOWS for name in (count, mean))

TERMINAL_WINDOWS = tuple(
    (n * DAY_MS, f"TERMINAL_ID_NB_TX_{n}DAY_WINDOW", f"TERMINAL_ID_RISK_{n}DAY_WINDOW") for n in WINDOW_DAYS
)
"""Length in milliseconds, name of the count, name of the share of frauds."""
TERMINAL_FEATURES = tuple(name for _, count, risk in TERMINAL_WINDOWS for name in (count, risk))
