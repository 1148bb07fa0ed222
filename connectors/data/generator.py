"""Makes up transactions in the manner of the Fraud Detection Handbook's simulation, of any size and from a seed.

Customers and terminals lie on a square, one terminal to a unit of area; a customer pays at terminals nearer than 5, a
Poisson number of times a day, amounts around a mean of its own. Frauds come by the book's three scenarios. Rows are
drawn conditionally on their number: independent Poisson counts given their sum are multinomial, so exactly as many come
out as are wanted, and every draw is one numpy call.

References
----------
Le Borgne, Siblini, Lebichot, Bontempi: Reproducible Machine Learning for Credit Card Fraud Detection - Practical
Handbook, Universite Libre de Bruxelles, 2022, chapter 3.2 (transaction data simulator).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.data.columns import Columns
from connectors.data.nearby_terminals import NearbyTerminals
from udfs.domain.errors import SettingsError

__all__ = ["DEFAULT_START_MS", "Generator"]

DEFAULT_START_MS = 1_522_540_800_000
"""2018-04-01T00:00:00Z, the first day of the book's own simulation."""
DAY_MS = 86_400_000
TRANSACTIONS_PER_DAY = 1.92
"""Of a customer on average: the mean of U(0, 4), less those whose time falls outside the day."""
BOOK_CUSTOMERS, BOOK_TERMINALS = 5_000, 10_000
LARGE_AMOUNT = 220.0
TERMINAL_DAYS, CUSTOMER_DAYS = 28, 14
TERMINALS_A_DAY, CUSTOMERS_A_DAY = 2.0, 3.0

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Generator:
    """A simulation with its parameters; the same parameters make the same rows.

    Parameters
    ----------
    rows
        Number of transactions.
    days
        Event days they are spread over.
    seed
        Of every random number in it.
    start_ms
        Midnight at which the first day begins, epoch milliseconds.

    Examples
    --------
    >>> rows = Generator(rows=2_000, days=60, seed=1).columns()
    >>> len(rows), len(set(rows.transaction_id)), 0 < float(rows.label.mean()) < 0.1
    (2000, 2000, True)
    """

    rows: int
    days: int = 60
    seed: int = 42
    start_ms: int = DEFAULT_START_MS

    def __post_init__(self) -> None:
        """Refuse numbers that no simulation can have.

        Raises
        ------
        SettingsError
            If rows, days or seed is out of its range.
        """
        if self.rows < 1 or self.days < 1 or self.seed < 0:
            msg = f"The generator needs rows and days of at least 1 and a seed of at least 0, got {asdict(self)}."
            raise SettingsError(msg)

    @property
    def customers(self) -> int:
        """Number of customers: what gives each about two transactions a day."""
        return max(5, round(self.rows / (TRANSACTIONS_PER_DAY * self.days)))

    @property
    def terminals(self) -> int:
        """Number of terminals: two for each customer, as in the book."""
        return self.customers * BOOK_TERMINALS // BOOK_CUSTOMERS

    def describe(self) -> dict[str, Any]:
        """Return the parameters, JSON-able."""
        # Its own name for the rows drawn: a part of them has "rows" of its own, and all depend on the whole number.
        sizes = {"customers": self.customers, "terminals": self.terminals, "generated_rows": self.rows}
        return {"source": "generator", "generator": "handbook-like@1", **asdict(self), **sizes}

    def columns(self) -> Columns:
        """Return all rows in event order; identifiers carry the seed, so that two streams share no transaction."""
        random = np.random.default_rng(self.seed)
        rate = random.uniform(0, 4, self.customers)
        mean = random.uniform(5, 100, self.customers)
        terminals = NearbyTerminals.scattered(self.customers, self.terminals, random)
        time_ms = random.integers(0, self.days, self.rows) * DAY_MS + _time_of_day_ms(random, self.rows)
        time_ms.sort()
        customer = random.choice(self.customers, self.rows, p=rate / rate.sum())
        terminal = terminals.draw(customer, random)
        amount = _amounts(random, mean[customer])
        label, amount = self._frauds(random, time_ms // DAY_MS, customer, terminal, amount)
        width = len(str(self.rows - 1))
        return Columns(
            # Of equal width, so that they have one order as text and as numbers.
            transaction_id=np.array([f"{self.seed}-{row:0{width}d}" for row in range(self.rows)], dtype=object),
            event_time_ms=self.start_ms + time_ms,
            customer_id=customer,
            amount=amount,
            terminal_id=terminal,
            label=label,
        )

    def _frauds(
        self, random: np.random.Generator, day: _Ints, customer: _Ints, terminal: _Ints, amount: _Floats
    ) -> tuple[npt.NDArray[np.int8], _Floats]:
        """Return labels and amounts after the book's scenarios: large amounts, bad terminals, stolen cards."""
        fraud = amount > LARGE_AMOUNT
        # The book's numbers a day, for as many as there are here; a small set still has one of each at any time.
        terminal_rate = max(TERMINALS_A_DAY * self.terminals / BOOK_TERMINALS, 1 / TERMINAL_DAYS)
        customer_rate = max(CUSTOMERS_A_DAY * self.customers / BOOK_CUSTOMERS, 1 / CUSTOMER_DAYS)
        fraud |= _compromised(random, self.terminals, self.days, terminal_rate, TERMINAL_DAYS)[terminal, day]
        stolen = _compromised(random, self.customers, self.days, customer_rate, CUSTOMER_DAYS)[customer, day]
        stolen &= random.random(len(day)) < 1 / 3
        fraud |= stolen
        return fraud.astype(np.int8), np.where(stolen, np.round(amount * 5, 2), amount)


def _time_of_day_ms(random: np.random.Generator, count: int) -> _Ints:
    """Return times of day, Normal(12 h, 20,000 s); those outside the day are drawn again."""
    seconds = random.normal(43_200, 20_000, count)
    while (outside := (seconds <= 0) | (seconds >= 86_400)).any():
        seconds[outside] = random.normal(43_200, 20_000, int(outside.sum()))
    return (seconds * 1_000).astype(np.int64)


def _amounts(random: np.random.Generator, mean: _Floats) -> _Floats:
    """Return amounts, Normal(mean, mean / 2) to the cent; negative ones are drawn again from U(0, 2 mean)."""
    amount = random.normal(mean, mean / 2)
    return np.round(np.where(amount < 0, random.uniform(0, 2 * mean), amount), 2)


def _compromised(
    random: np.random.Generator, count: int, days: int, a_day: float, lasting: int
) -> npt.NDArray[np.bool_]:
    """Return for each entity and day whether it is compromised; ``a_day`` fall, each for ``lasting`` days."""
    bad = np.zeros((count, days), dtype=np.bool_)
    for day in range(days):
        # Rates below one a day: they fall when the running total passes a whole number, the first on the first day.
        falling = int((day + 1) * a_day + 1 - 1e-9) - int(day * a_day + 1 - 1e-9)
        bad[random.choice(count, falling, replace=False), day : day + lasting] = True
    return bad
