from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from connectors.data.dataset import open_dataset
from jobs.training.algorithms import ALGORITHMS, algorithm_of
from jobs.training.train_model import train_model
from jobs.training.training_course import Example
from jobs.training.training_examples import examples_of
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS


class Diary:
    """A supervised stand-in that writes down what happens to it; its score is the number of labels it knows."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, float]] = []
        self.learned = 0

    def predict_one(self, vector: dict[str, float]) -> float:
        self.entries.append(("score", vector["a"]))
        return float(self.learned)

    def learn_one(self, vector: dict[str, float], label: bool) -> None:
        self.entries.append(("learn", vector["a"]))
        self.learned += 1


def example(time_ms: int, label: int | None = 0, delay_ms: int = 10) -> Example:
    return Example(time_ms, {"a": float(time_ms)}, label, None if label is None else time_ms + delay_ms)


def test_a_label_is_learned_when_it_is_known_and_not_before() -> None:
    diary = Diary()
    train_model(diary, [example(0), example(9), example(10), example(25)], ["a"], supervised=True)
    assert diary.entries == [
        ("score", 0), ("score", 9), ("learn", 0), ("score", 10),
        ("learn", 9), ("learn", 10), ("score", 25), ("learn", 25),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0, 1, None]), st.integers(0, 30)), min_size=1))
def test_no_score_ever_knew_a_label_of_its_future(rows: list[tuple[int, int | None, int]]) -> None:
    examples = [example(time_ms, label, delay) for time_ms, label, delay in sorted(rows, key=lambda row: row[0])]
    known_later = sum(each.label is not None for each in examples)
    if not known_later:
        return
    diary = Diary()
    trained = train_model(diary, examples, ["a"], supervised=True)
    assert diary.learned == known_later
    learned_before: list[int] = []
    learned = 0
    for entry, _ in diary.entries:
        if entry == "score":
            learned_before.append(learned)
        else:
            learned += 1
    expected = [
        sum(
            earlier.truth_time_ms is not None and earlier.truth_time_ms <= each.event_time_ms
            for earlier in examples[:index]
        )
        for index, each in enumerate(examples)
    ]
    assert learned_before == expected
    assert trained.trained_until_ms == examples[-1].event_time_ms


def test_half_space_trees_on_the_credit_card_set_do_as_well_as_river_alone(creditcard_extract: Path) -> None:
    """The oracle is a bare River loop and scikit-learn; the figure is the one of data/README.md."""
    from river import anomaly, preprocessing

    dataset = open_dataset(creditcard_extract)
    features = FEATURE_SETS["creditcard"]
    kind = algorithm_of("half-space-trees")
    trained = train_model(
        kind.make(42), examples_of(dataset, features), features.features, supervised=False, alert_rate=0.01
    )
    oracle = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=42)
    scores, labels = [], dataset.columns.label.tolist()
    for message in dataset.transactions():
        vector = {name: message[name] for name in features.features}
        scores.append(oracle.score_one(vector))
        oracle.learn_one(vector)
    assert trained.roc_auc == roc_auc_score(labels, scores) == pytest.approx(0.955965, abs=1e-6)
    assert trained.average_precision == average_precision_score(labels, scores)
    assert (trained.examples, trained.frauds) == (2_500, 2)
    above = sum(score >= trained.threshold for score in scores[1_250:])
    assert 12 <= above <= 25


def test_a_missing_class_gives_no_figure_instead_of_a_wrong_one() -> None:
    trained = train_model(Diary(), [example(0), example(1)], ["a"], supervised=True)
    assert trained.roc_auc is None
    assert trained.average_precision is None
    assert trained.threshold is None


def test_training_without_transactions_or_without_labels_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="no transaction to train on"):
        train_model(Diary(), [], ["a"], supervised=True)
    with pytest.raises(SettingsError, match="needs labels"):
        train_model(Diary(), [example(0, None)], ["a"], supervised=True)
    with pytest.raises(SettingsError, match="alert rate"):
        train_model(Diary(), [example(0)], ["a"], supervised=True, alert_rate=0)


def test_the_same_seed_gives_the_same_model_and_another_seed_another() -> None:
    dataset = open_dataset("generator", rows=600, seed=3)
    features = FEATURE_SETS["handbook"]

    def scores(seed: int) -> list[float]:
        model = algorithm_of("half-space-trees").make(seed)
        trained = train_model(model, examples_of(dataset, features), features.features, supervised=False)
        return [trained.model.score_one(vector) for vector in trained.probes]

    assert scores(1) == scores(1) != scores(2)


def test_progress_ends_at_the_number_of_transactions() -> None:
    seen: list[int] = []
    examples = [example(time_ms) for time_ms in range(2_500)]
    train_model(Diary(), examples, ["a"], supervised=True, progress=seen.append)
    assert seen == [1_000, 2_000, 2_500]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_records_what_it_is_made_with(name: str) -> None:
    kind = algorithm_of(name)
    assert kind.name == name
    text = repr(kind.make(7))
    assert all(str(value) in text for value in kind.parameters.values())


def test_an_unknown_algorithm_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="half-space-trees, logistic-regression"):
        algorithm_of("forest")
