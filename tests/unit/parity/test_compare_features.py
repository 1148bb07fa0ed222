from __future__ import annotations

import orjson
import pytest

from connectors.data.dataset import open_dataset
from connectors.kafka.record import Record
from jobs.parity.compare_features import compare_features
from jobs.parity.recorded_events import RecordedEvents
from jobs.training.training_examples import examples_of
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.window_feature import WindowFeature

HANDBOOK = FEATURE_SETS["handbook"]
HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def topics() -> dict[str, list[Record]]:
    """A stream of 600 transactions with their truths, and the inferences of a job that made no mistake."""
    dataset = open_dataset("generator", rows=600, seed=5, days=40)
    vectors = [example.vector for example in examples_of(dataset, HANDBOOK)]
    made: dict[str, list[Record]] = {"transactions": [], "truths": [], "inferences": []}
    for arrived, (topic, message) in enumerate(dataset.interleaved()):
        made[topic].append(record(message, len(made[topic]), NOW_MS + arrived * 10_000))
    for number, (message, vector) in enumerate(zip(dataset.transactions(), vectors, strict=True)):
        said = {"transaction_id": message["transaction_id"], "role": "champion", "feature_set": HANDBOOK.label}
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


def test_what_arrived_after_it_explains_a_difference_with_order_arrival_only(topics):
    # the first transaction of a customer with several arrives last: those scored before did not count it
    rows = [orjson.loads(each.value) for each in topics["transactions"]]
    customer = next(row["customer_id"] for row in rows if sum(r["customer_id"] == row["customer_id"] for r in rows) > 3)
    mine = [number for number, row in enumerate(rows) if row["customer_id"] == customer]
    late = topics["transactions"][mine[0]]
    moved = [each for each in topics["transactions"] if each is not late]
    scored_without = compared_vectors(moved, topics)
    moved.append(late._replace(timestamp_ms=NOW_MS + 10**9, offset=10**6))
    second = rows[mine[1]]["transaction_id"]
    said = orjson.loads(topics["inferences"][2 * mine[1]].value) | {"features": scored_without[second]}
    stream = topics | {"transactions": moved, "inferences": [record(said, 0, 0)]}
    first_ms, second_ms = rows[mine[0]]["event_time_ms"], rows[mine[1]]["event_time_ms"]
    if second_ms - first_ms >= 30 * 24 * HOUR_MS:
        pytest.skip("the generator left too long a gap")
    assert (compared(stream, by_arrival=True).arrival, compared(stream, by_arrival=True).mismatched) == (1, 0)
    assert compared(stream).mismatched == 1


def compared_vectors(transactions, topics):
    recorded = RecordedEvents.read(
        lambda topic: transactions if topic == "transactions" else topics[topic], lambda said: list(said)
    )
    from jobs.parity.compare_features import _computed
    from udfs.domain.event_order import in_event_order

    return _computed(in_event_order(recorded.events), recorded.inferences, HOUR_MS, recorded.catalog)


def test_an_inference_whose_transaction_is_gone_is_missing(topics):
    gone = topics | {"transactions": topics["transactions"][:-1]}
    assert compared(gone).missing == 1
