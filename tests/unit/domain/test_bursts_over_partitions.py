"""A history in bursts, over four partitions read at paces of their own, by definitions that share no code."""

import random

import pytest

from tests.unit.domain import window_oracle as oracle
from tests.unit.domain.test_window_oracle import DAYS, agree, terminals

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
BURSTS, EACH, DAYS_EACH = 7, 170, 6


def history(seed, *, partitions=4, terminals=12):
    """1,190 transactions in the order they were taken; truths of seven in ten, early, at once or late, some corrected."""
    chance = random.Random(seed)
    rows, late, number = [], [], 0
    for burst in range(BURSTS):
        queues, told = [[] for _ in range(partitions)], []
        times = sorted(
            chance.randrange(burst * DAYS_EACH * DAY_MS, (burst + 1) * DAYS_EACH * DAY_MS) for _ in range(EACH)
        )
        for time_ms in times:
            who = f"t{number}", f"k{chance.randrange(terminals)}", time_ms
            number += 1
            queues[chance.randrange(partitions)].append(("transaction", *who, 1.0))
            if chance.random() < 0.7:
                label = int(chance.random() < 0.3)
                told.append(("truth", *who, time_ms + chance.choice([0, 1, 5, 7]) * DAY_MS, label, 0))
                if chance.random() < 0.3:
                    told.append(("truth", *who, time_ms + chance.choice([8, 10, 12]) * DAY_MS, 1 - label, 1))
        taken = []
        while any(queues):
            queue = chance.choice([each for each in queues if each])
            run = chance.randrange(1, 60)
            taken += queue[:run]
            del queue[:run]
        for truth in told:
            when = chance.choice(["early", "at once", "late"])
            if when == "late":
                late.append((len(rows) + chance.randrange(600), truth))
            else:
                into = rows if when == "early" else taken
                into.insert(chance.randrange(len(into) + 1), truth)
        rows += taken
    for at, truth in sorted(late, key=lambda each: -each[0]):
        rows.insert(at, truth)
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_bursts_over_partitions_at_their_own_paces_give_what_the_definition_says(seed):
    rows = history(seed)
    assert sum(row[0] == "transaction" for row in rows) == BURSTS * EACH
    taken = terminals(rows, range(0, len(rows), 37), HOUR_MS)
    agree(taken, oracle.terminals(rows, windows=DAYS), "fraud_rate")
