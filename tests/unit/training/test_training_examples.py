from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import pytest

from connectors.data.dataset import Dataset, open_dataset
from jobs.training import training_examples
from jobs.training.training_examples import examples_of
from udfs.domain.feature_set import FEATURE_SETS

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def generated() -> Dataset:
    return open_dataset("generator", rows=1_200, seed=5, days=60)


def oracle(dataset: Dataset) -> list[dict[str, float]]:
    """The book's definitions over the whole history, quadratic and without state."""
    rows = list(dataset.transactions())
    labels = dataset.columns.label.tolist()
    vectors = []
    for row in rows:
        now = row["event_time_ms"]
        vector = {"TX_AMOUNT": row["amount"]}
        for days in (1, 7, 30):
            amounts = [
                other["amount"]
                for other in rows
                if other["customer_id"] == row["customer_id"] and now - days * DAY_MS < other["event_time_ms"] <= now
            ]
            vector[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = len(amounts)
            vector[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = sum(amounts) / len(amounts)
            frauds = [
                label
                for other, label in zip(rows, labels, strict=True)
                if other["terminal_id"] == row["terminal_id"]
                and now - (7 + days) * DAY_MS < other["event_time_ms"] <= now - 7 * DAY_MS
            ]
            vector[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = len(frauds)
            vector[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = sum(frauds) / len(frauds) if frauds else 0
        vectors.append(vector)
    return vectors


def test_features_in_training_are_the_books_by_brute_force(generated: Dataset) -> None:
    examples = list(examples_of(generated, FEATURE_SETS["handbook"]))
    assert len(examples) == len(generated)
    times = [example.event_time_ms for example in examples]
    assert len(set(times)) > 0.99 * len(times)
    for example, expected in zip(examples, oracle(generated), strict=True):
        for name, value in expected.items():
            if times.count(example.event_time_ms) == 1:
                assert example.vector[name] == pytest.approx(value, rel=1e-12), (name, example.event_time_ms)


def test_the_size_of_a_batch_changes_nothing(generated: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(examples_of(generated, FEATURE_SETS["handbook"]))
    monkeypatch.setattr(training_examples, "BATCH_EVENTS", 7)
    assert list(examples_of(generated, FEATURE_SETS["handbook"])) == whole


def test_rows_before_the_first_only_fill_the_windows(generated: Dataset) -> None:
    whole = list(examples_of(generated, FEATURE_SETS["handbook"]))
    assert list(examples_of(generated, FEATURE_SETS["handbook"], first_row=800)) == whole[800:]


def test_labels_are_those_of_the_transaction_and_known_after_the_delay(generated: Dataset) -> None:
    labels = generated.columns.label.tolist()
    times = generated.columns.event_time_ms.tolist()
    for example in examples_of(generated, FEATURE_SETS["handbook"]):
        row = bisect_right(times, example.event_time_ms) - 1
        assert example.truth_time_ms == example.event_time_ms + generated.truth_delay_ms
        if times.count(example.event_time_ms) == 1:
            assert example.label == labels[row]


def test_a_repeated_transaction_is_learned_from_once() -> None:
    dataset = open_dataset("generator", rows=50, seed=5)
    columns = dataset.columns.take([0, *range(50)])  # the first row twice
    twice = Dataset(columns, "handbook", dataset.truth_delay_ms)
    assert len(list(examples_of(twice, FEATURE_SETS["handbook"]))) == 50


def test_the_credit_card_set_needs_no_windows(creditcard_extract: Path) -> None:
    dataset = open_dataset(creditcard_extract, rows=10)
    examples = list(examples_of(dataset, FEATURE_SETS["creditcard"]))
    first = next(dataset.transactions())
    assert examples[0].vector == {name: first[name] for name in FEATURE_SETS["creditcard"].features}
