"""Computes the features of recorded transactions again and compares them with what the stream recorded.

Each is computed by the stream's own functions with all events in event order, which is what a backfill or a training set
holds. With ``order = arrival`` a transaction is scored on what had arrived: one that differs is counted apart if what the
job had taken by then gives exactly what was recorded.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from jobs.parity.agree import agree
from jobs.parity.computed_features import computed_features
from jobs.parity.known_when_scored import KnownWhenScored
from jobs.parity.recorded_events import RecordedEvents
from udfs.domain.event_order import in_event_order

__all__ = ["Parity", "compare_features"]

EXAMPLES = 5


@dataclass(slots=True)
class Parity:
    """What came out.

    Parameters
    ----------
    compared
        Inferences compared.
    matched
        Those whose features all agree with event order.
    arrival
        Those that differ only because an earlier event was taken later: what had been taken gives the same numbers.
    mismatched
        Those that differ for no such reason.
    missing
        Those whose transaction, or one of whose features, is not there to be compared.
    largest
        Largest difference by feature, over all that were compared.
    examples
        A few mismatches: transaction_id, feature, recorded, again.
    """

    compared: int = 0
    matched: int = 0
    arrival: int = 0
    mismatched: int = 0
    missing: int = 0
    largest: dict[str, float] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)


def compare_features(recorded: RecordedEvents, *, lateness_ms: int, by_arrival: bool) -> Parity:
    """Compare every inference of the sample.

    Parameters
    ----------
    recorded
        The sample and its history.
    lateness_ms
        As the job was told.
    by_arrival
        Whether the job took events as they arrived; with ``order = event_time`` that explains nothing.
    """
    wanted, catalog = recorded.inferences, recorded.catalog
    in_order = computed_features(in_event_order(recorded.events), wanted, lateness_ms=lateness_ms, catalog=catalog)
    known = KnownWhenScored(recorded.events, recorded.scored_ms, lateness_ms=lateness_ms, catalog=catalog)
    transactions = {each["transaction_id"]: each for each in recorded.events if each["kind"] == "transaction"}
    result = Parity()
    largest: dict[str, float] = defaultdict(float)
    for name, inference in wanted.items():
        again, said = in_order.get(name, {}), inference["features"]
        defined = catalog.sets.get(inference["feature_set"])
        features = defined.features if defined else tuple(said)
        # a transaction without terminal has no terminal features, in neither
        if not again or any((each in said) != (each in again) for each in features):
            result.missing += 1
            continue
        result.compared += 1
        features = tuple(each for each in features if each in said)
        for each in features:
            largest[each] = max(largest[each], abs(said[each] - again[each]))
        differ = [each for each in features if not agree(said[each], again[each])]
        if not differ:
            result.matched += 1
        elif by_arrival and known.explains(transactions[name], inference):
            result.arrival += 1
        else:
            result.mismatched += 1
            pair = {"recorded": said[differ[0]], "again": again[differ[0]]}
            if len(result.examples) < EXAMPLES:
                result.examples.append({"transaction_id": name, "feature": differ[0], **pair})
    result.largest = dict(largest)
    return result
