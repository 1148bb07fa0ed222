from __future__ import annotations

from collections import Counter

import orjson
import pytest

from connectors.data.dataset import open_dataset
from connectors.kafka.record import Record
from jobs.parity.compare_features import compare_features
from jobs.parity.computed_features import computed_features
from jobs.parity.recorded_events import RecordedEvents
from jobs.training.training_examples import examples_of
from udfs.domain.event_order import in_event_order
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.window_feature import WindowFeature

HANDBOOK = FEATURE_SETS["handbook"]
HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000
WAITED_MS = 40


@pytest.fixture(scope="module")
def topics() -> dict[str, list[Record]]:
    """A stream of 600 transactions with their truths, and the inferences of a job that made no mistake."""
    dataset = open_dataset("generator", rows=600, seed=5, days=40)
    vectors = [example.vector for example in examples_of(dataset, HANDBOOK)]
    made: dict[str, list[Record]] = {"transactions": [], "truths": [], "inferences": []}
    for arrived, (topic, message) in enumerate(dataset.interleaved()):
        made[topic].append(record(message, len(made[topic]), NOW_MS + arrived * 10_000))
    for number, (message, vector) in enumerate(zip(dataset.transactions(), vectors, strict=True)):
        scored_ms = made["transactions"][number].timestamp_ms + WAITED_MS
        said = {"transaction_id": message["transaction_id"], "role": "champion", "feature_set": HANDBOOK.label}
        said |= {"prediction_time_ms": scored_ms}
        made["inferences"].append(record(said | {"features": vector}, number, 0))
        made["inferences"].append(record(said | {"role": "challenger", "features": {}}, number, 0))
    return made


def record(value: dict, offset: int, timestamp_ms: int) -> Record:
    return Record(0, offset, timestamp_ms, None, orjson.dumps(value))


def compared(topics, *, by_arrival=False, only=None):
    recorded = RecordedEvents.read(
        lambda topic: topics[topic], lambda said: [s for s in said if only is None or s["transaction_id"] in only]
    )
    return compare_features(recorded, lateness_ms=HOUR_MS, by_arrival=by_arrival)


@pytest.mark.parametrize("by_arrival", [False, True])
def test_a_faithful_stream_agrees_in_all_features(topics, by_arrival):
    result = compared(topics, by_arrival=by_arrival)
    assert (result.compared, result.matched, result.mismatched, result.missing) == (600, 600, 0, 0)
    assert set(result.largest) == set(HANDBOOK.features)
    assert max(result.largest.values()) < 1e-9


def test_a_set_that_rows_define_is_computed_by_its_definition(topics):
    window = WindowFeature("SPENT", "customer", "sum", 30 * 24 * HOUR_MS, field="amount")
    mine = FeatureSet("mine", 1, ("TX_AMOUNT", "SPENT"), (), (window,))
    spent: dict[str, list[dict]] = {}
    inferences = []
    for number, row in enumerate(orjson.loads(each.value) for each in topics["transactions"]):
        before = spent.setdefault(row["customer_id"], [])
        before.append(row)
        since_ms = row["event_time_ms"] - window.window_ms
        total = sum(each["amount"] for each in before if each["event_time_ms"] > since_ms)
        said = {"transaction_id": row["transaction_id"], "role": "champion", "feature_set": mine.label}
        said |= {"prediction_time_ms": 0}
        inferences.append(record(said | {"features": {"TX_AMOUNT": row["amount"], "SPENT": total}}, number, 0))
    stream = topics | {"inferences": inferences}
    recorded = RecordedEvents.read(lambda topic: stream[topic], list, lambda: FeatureCatalog([mine]))
    result = compare_features(recorded, lateness_ms=HOUR_MS, by_arrival=False)
    assert (result.matched, result.mismatched, result.missing) == (600, 0, 0)
    assert set(result.largest) == set(mine.features)


def test_a_sample_needs_the_events_of_its_entities_only(topics):
    names = {orjson.loads(topics["transactions"][row].value)["transaction_id"] for row in (100, 500)}
    result = compared(topics, only=names)
    assert (result.compared, result.matched) == (2, 2)


def test_a_wrong_feature_is_found_and_named(topics):
    said = orjson.loads(topics["inferences"][800].value)
    said["features"]["CUSTOMER_ID_NB_TX_7DAY_WINDOW"] += 1
    wrong = topics | {"inferences": [*topics["inferences"][:800], record(said, 0, 0), *topics["inferences"][801:]]}
    result = compared(wrong)
    assert (result.mismatched, result.matched) == (1, 599)
    assert result.examples[0]["feature"] == "CUSTOMER_ID_NB_TX_7DAY_WINDOW"
    assert result.largest["CUSTOMER_ID_NB_TX_7DAY_WINDOW"] == 1
    assert compared(wrong, by_arrival=True).mismatched == 1


def said_of(each: Record) -> str:
    return orjson.loads(each.value)["transaction_id"]


def of_one(stream, name, *, by_arrival):
    result = compared(stream, by_arrival=by_arrival, only={name})
    return result.matched, result.arrival, result.mismatched


def busy(topics, entity):
    """The numbers of the rows of the entity with most transactions, and all rows."""
    rows = [orjson.loads(each.value) for each in topics["transactions"]]
    (most, _) = Counter(row[entity] for row in rows).most_common(1)[0]
    return [number for number, row in enumerate(rows) if row[entity] == most], rows


def test_a_terminals_transaction_that_was_scored_later_explains_a_difference_with_order_arrival_only(topics):
    window = WindowFeature("BUSY", "terminal", "count", 30 * 24 * HOUR_MS)
    mine = FeatureSet("mine", 1, ("BUSY",), (), (window,))
    numbers, rows = busy(topics, "terminal_id")
    first, second = numbers[-2:]
    name = rows[second]["transaction_id"]

    def result(features, *, by_arrival, first_scored_ms):
        inferences = []
        for number, row in enumerate(rows):
            said = {"transaction_id": row["transaction_id"], "role": "champion", "feature_set": mine.label}
            scored_ms = first_scored_ms if number == first else topics["transactions"][number].timestamp_ms + WAITED_MS
            inferences.append(record(said | {"features": features, "prediction_time_ms": scored_ms}, number, 0))
        stream = topics | {"inferences": inferences}
        recorded = RecordedEvents.read(
            lambda topic: stream[topic],
            lambda said: [each for each in said if each["transaction_id"] == name],
            lambda: FeatureCatalog([mine]),
        )
        found = compare_features(recorded, lateness_ms=HOUR_MS, by_arrival=by_arrival)
        return found.matched, found.arrival, found.mismatched

    scored_ms = topics["transactions"][second].timestamp_ms + WAITED_MS
    window_ms = rows[second]["event_time_ms"] - window.window_ms
    count = sum(rows[number]["event_time_ms"] > window_ms for number in numbers if number <= second)
    whole, without_first = {"BUSY": float(count)}, {"BUSY": float(count - 1)}
    assert result(whole, by_arrival=True, first_scored_ms=scored_ms - 60_000) == (1, 0, 0)
    assert result(without_first, by_arrival=True, first_scored_ms=scored_ms + 60_000) == (0, 1, 0)
    assert result(without_first, by_arrival=False, first_scored_ms=scored_ms + 60_000) == (0, 0, 1)
    # it had been scored long before: no order explains that it was not counted
    assert result(without_first, by_arrival=True, first_scored_ms=scored_ms - 60_000) == (0, 0, 1)
    # something did come later, but that is not what was recorded
    assert result({"BUSY": count - 2.0}, by_arrival=True, first_scored_ms=scored_ms + 60_000) == (0, 0, 1)


def test_a_customers_transaction_that_kafka_got_later_explains_a_difference(topics):
    numbers, rows = busy(topics, "customer_id")
    first, second = numbers[-2:]
    name = rows[second]["transaction_id"]
    late = topics["transactions"][first]._replace(timestamp_ms=topics["transactions"][second].timestamp_ms + 60_000)
    without = [each for number, each in enumerate(topics["transactions"]) if number != first]
    features = features_of(topics | {"transactions": without}, name)
    said = orjson.loads(topics["inferences"][2 * second].value) | {"features": features}
    stream = topics | {"transactions": [*without, late], "inferences": [*topics["inferences"], record(said, 0, 0)]}
    assert of_one(stream, name, by_arrival=True) == (0, 1, 0)
    assert of_one(stream, name, by_arrival=False) == (0, 0, 1)


def test_a_truth_may_have_waited_as_long_as_the_longest_of_the_transactions(topics):
    found = [number for number, each in enumerate(topics["inferences"]) if fraud_rate(each) > 0]
    said = orjson.loads(topics["inferences"][found[-1]].value)
    name = said["transaction_id"]
    transaction = next(each for each in topics["transactions"] if said_of(each) == name)
    terminal = orjson.loads(transaction.value)["terminal_id"]
    of_terminal = [each for each in topics["truths"] if orjson.loads(each.value)["terminal_id"] == terminal]
    without = [each for each in topics["truths"] if each not in of_terminal]
    said |= {"features": features_of(topics | {"truths": without}, name)}

    def stream(arrived_ms):
        arrived = [each._replace(timestamp_ms=arrived_ms) for each in of_terminal]
        return topics | {"truths": [*without, *arrived], "inferences": [*topics["inferences"], record(said, 0, 0)]}

    scored_ms = said["prediction_time_ms"]
    assert of_one(stream(scored_ms - WAITED_MS), name, by_arrival=True) == (0, 1, 0)
    assert of_one(stream(scored_ms - WAITED_MS - 10_000), name, by_arrival=True) == (0, 0, 1)


def fraud_rate(each: Record) -> float:
    return orjson.loads(each.value)["features"].get("TERMINAL_ID_RISK_30DAY_WINDOW", 0)


def features_of(stream, name):
    recorded = RecordedEvents.read(
        lambda topic: stream[topic], lambda said: [each for each in said if each["transaction_id"] == name]
    )
    events = in_event_order(recorded.events)
    computed = computed_features(events, (name,), lateness_ms=HOUR_MS, catalog=recorded.catalog)[name]
    return {each: computed[each] for each in HANDBOOK.features}


def test_an_inference_whose_transaction_is_gone_is_missing(topics):
    gone = topics | {"transactions": topics["transactions"][:-1]}
    assert compared(gone).missing == 1
