from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from connectors.data.generator import DEFAULT_START_MS, Generator
from connectors.data.nearby_terminals import RADIUS, NearbyTerminals
from udfs.domain.errors import SettingsError

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def book():
    """Return rows in the book's own density: 100 days of 2,000 customers."""
    return Generator(rows=384_000, days=100, seed=3).columns()


def test_the_same_seed_makes_the_same_rows_and_another_seed_shares_none():
    first, again, other = (list(Generator(rows=500, seed=seed).columns().transactions()) for seed in (1, 1, 2))
    assert first == again
    assert not {each["transaction_id"] for each in first} & {each["transaction_id"] for each in other}


@pytest.mark.parametrize("rows", [1, 2, 99, 3_000])
def test_exactly_the_wanted_rows_come_out_in_event_order_within_the_days(rows):
    made = Generator(rows=rows, days=60, start_ms=5 * DAY_MS).columns()
    times = made.event_time_ms.tolist()
    assert len(made) == rows
    assert all(before <= after for before, after in pairwise(times))
    assert 5 * DAY_MS < times[0]
    assert times[-1] < 65 * DAY_MS
    ids = made.transaction_id.tolist()
    assert ids == sorted(ids)


def test_all_days_are_filled_and_a_customer_pays_about_twice_a_day(book):
    days = Counter((book.event_time_ms - DEFAULT_START_MS) // DAY_MS)
    assert set(days) == set(range(100))
    assert max(days.values()) < 1.1 * min(days.values())
    assert len(set(book.customer_id.tolist())) == pytest.approx(2_000, rel=0.01)


def test_amounts_are_to_the_cent_and_not_negative(book):
    assert book.amount.min() >= 0
    assert np.array_equal(book.amount, np.round(book.amount, 2))
    assert 45 < float(book.amount.mean()) < 65


def test_frauds_are_as_rare_as_the_books_and_of_all_three_scenarios(book):
    label = book.label == 1
    assert 0.006 < label.mean() < 0.011  # the book has 0.0084
    assert label[book.amount > 220].all()
    small = label & (book.amount < 20)  # neither large nor five times more: of a bad terminal, most of them
    assert small.sum() > 100
    # On a bad terminal everything is fraud for 28 days: such terminals have far more of them than chance allows.
    per_terminal = np.bincount(book.terminal_id[label])
    assert per_terminal.max() > 20


def test_small_sets_have_frauds_of_both_kinds_of_victim_too():
    assert 0 < Generator(rows=1_000, seed=9).columns().label.sum() < 200


def test_a_customer_pays_only_at_terminals_nearer_than_the_radius():
    random = np.random.default_rng(1)
    terminals = NearbyTerminals.scattered(400, 800, random)
    customers = random.integers(0, 400, 20_000)
    drawn = terminals.draw(customers, random)
    apart = np.linalg.norm(terminals.terminals[drawn] - terminals.customers[customers], axis=1)
    assert apart.max() < RADIUS


def test_all_near_terminals_are_drawn_and_equally_often():
    random = np.random.default_rng(2)
    terminals = NearbyTerminals.scattered(3, 400, random)
    drawn = Counter(terminals.draw(np.zeros(60_000, dtype=np.int64), random).tolist())
    apart = np.linalg.norm(terminals.terminals - terminals.customers[0], axis=1)
    near = set(np.flatnonzero(apart < RADIUS).tolist())
    assert set(drawn) == near
    expected = 60_000 / len(near)
    assert all(abs(count - expected) < 6 * expected**0.5 for count in drawn.values())


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"rows": 5, "days": 0}, {"rows": 5, "seed": -1}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(SettingsError, match="at least"):
        Generator(**wrong)
