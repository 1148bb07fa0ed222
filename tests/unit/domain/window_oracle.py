"""What windows are by definition: one event at a time over a list of all that came before. Imports nothing of the project.

A transaction is ``("transaction", transaction_id, entity, event_time_ms, amount)``, a truth ``("truth", transaction_id,
entity, event_time_ms, truth_time_ms, label, revision)``. A list is the order in which they were taken.
"""

from collections import defaultdict
from fractions import Fraction

DAY_MS = 86_400_000
FOREVER_MS = 1 << 60
DAYS = (1, 7, 30)
DELAY_MS = 7 * DAY_MS


def customers(rows, keep_ms=FOREVER_MS, windows=DAYS):
    """Return ids with ``{days: (count, mean)}`` of what was taken, and the places of what was a repetition.

    ``keep_ms`` back from the entity's greatest event time transactions are known; without it all are, for ever.
    """
    results, repeated, taken, greatest = [], [], defaultdict(list), defaultdict(lambda: -FOREVER_MS)
    for place, (_, name, entity, time_ms, amount) in enumerate(rows):
        mine = [each for each in taken[entity] if each[1] >= greatest[entity] - keep_ms]
        if name in [each[0] for each in mine]:
            repeated.append(place)
            continue
        greatest[entity] = max(greatest[entity], time_ms)
        oldest_ms = greatest[entity] - keep_ms
        inside = {
            days: [a for _, at, a in mine if time_ms - days * DAY_MS < at <= time_ms and at >= oldest_ms] + [amount]
            for days in windows
        }
        results.append(
            (name, {days: (len(them), sum(map(Fraction, them)) / len(them)) for days, them in inside.items()})
        )
        taken[entity].append((name, time_ms, amount))
    return results, repeated


def terminals(rows, keep_ms=FOREVER_MS, windows=DAYS):
    """Return ids with ``{days: (count, share of frauds as known at the transaction's time)}`` of the transactions."""
    results, taken, told, greatest = [], defaultdict(list), defaultdict(list), defaultdict(lambda: -FOREVER_MS)
    for kind, name, entity, time_ms, *rest in rows:
        if kind == "truth":
            told[entity, name].append(rest)
            continue
        greatest[entity] = max(greatest[entity], time_ms)
        oldest_ms = greatest[entity] - keep_ms
        taken[entity].append((name, time_ms))
        found = {}
        for days in windows:
            end_ms = time_ms - DELAY_MS
            inside = [i for i, at in taken[entity] if end_ms - days * DAY_MS < at <= end_ms and at >= oldest_ms]
            frauds = sum(_is_fraud(told[entity, each], time_ms) for each in inside)
            found[days] = (len(inside), Fraction(frauds, len(inside)) if inside else Fraction(0))
        results.append((name, found))
    return results


def _is_fraud(truths, at_ms):
    """The highest revision told by then holds; where it was told with both labels, fraud."""
    return max(((revision, label) for told_ms, label, revision in truths if told_ms <= at_ms), default=(0, 0))[1]
