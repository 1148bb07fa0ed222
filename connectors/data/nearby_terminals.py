"""Where the generator's customers and terminals lie, and at which terminal a customer pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NearbyTerminals"]

RADIUS = 5.0
"""A customer uses the terminals nearer than this; there is one terminal to a unit of area."""
ROUNDS = 60
"""A third of the candidates are near enough: so many draws miss all of them once in 10^11."""

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NearbyTerminals:
    """Customers and terminals scattered on a square.

    Terminals are numbered along cells of the radius' width, row by row, so all that may be near a customer are three
    runs of numbers. A terminal is drawn from these and kept when it is near enough: uniform among the near ones,
    without a list of them for each customer.

    Parameters
    ----------
    customers, terminals
        Coordinates, shape (n, 2).
    cells
        Cells to a side of the square.
    starts
        For each cell, row by row, the number of its first terminal; one more at the end.
    """

    customers: _Floats
    terminals: _Floats
    cells: int
    starts: _Ints

    @staticmethod
    def scattered(customers: int, terminals: int, random: np.random.Generator) -> NearbyTerminals:
        """Scatter so many customers and terminals uniformly; the square grows with the number of terminals."""
        side = terminals**0.5
        cells = max(1, int(side / RADIUS))
        places = random.uniform(0, side, (terminals, 2))
        cell = _cell_of(places, side, cells)
        order = np.argsort(cell, kind="stable")
        starts = np.searchsorted(cell[order], np.arange(cells * cells + 1))
        return NearbyTerminals(random.uniform(0, side, (customers, 2)), places[order], cells, starts.astype(np.int64))

    def draw(self, customer: _Ints, random: np.random.Generator) -> _Ints:
        """Return a terminal for each transaction of these customers, uniform among those near the customer."""
        first, length = self._runs()
        chosen = np.zeros(len(customer), dtype=np.int64)
        open_rows = np.arange(len(customer))
        for _ in range(ROUNDS):
            who = customer[open_rows]
            lengths = length[who]
            pick = (random.random(len(who)) * np.maximum(lengths.sum(axis=1), 1)).astype(np.int64)
            ends = lengths.cumsum(axis=1)
            run = np.minimum((pick[:, None] >= ends).sum(axis=1), 2)
            row = np.arange(len(who))
            candidate = first[who, run] + pick - (ends[row, run] - lengths[row, run])
            candidate = np.minimum(candidate, len(self.terminals) - 1)
            chosen[open_rows] = candidate
            apart = ((self.terminals[candidate] - self.customers[who]) ** 2).sum(axis=1)
            open_rows = open_rows[apart >= RADIUS**2]
            if not len(open_rows):
                break
        # A customer in an empty corner keeps the last candidate, somewhat too far away.
        return chosen

    def _runs(self) -> tuple[_Ints, _Ints]:
        """Return for each customer the first numbers and lengths of the three runs of terminals around its cell."""
        side = len(self.terminals) ** 0.5
        cell = _cell_of(self.customers, side, self.cells)
        row, column = cell // self.cells, cell % self.cells
        rows = row[:, None] + np.array([-1, 0, 1])
        inside = (rows >= 0) & (rows < self.cells)
        base = np.clip(rows, 0, self.cells - 1) * self.cells
        first = self.starts[base + np.maximum(column - 1, 0)[:, None]]
        last = self.starts[base + np.minimum(column + 1, self.cells - 1)[:, None] + 1]
        return first, np.where(inside, last - first, 0)


def _cell_of(places: _Floats, side: float, cells: int) -> _Ints:
    grid = np.minimum((places / side * cells).astype(np.int64), cells - 1)
    return grid[:, 0] * cells + grid[:, 1]
