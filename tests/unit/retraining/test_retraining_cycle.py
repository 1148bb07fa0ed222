"""Rounds of the loop over real tables and a real registry's rows: what is trained, tried, promoted, and taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.data.dataset import open_dataset
from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.features.feature_changes import add_features
from jobs.training.reproduction import reproduce_version
from jobs.training.train_version import train_version
from jobs.training.training_examples import examples_of
from tests.unit.retraining.conftest import FEATURES, POLICY, Loop
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FeatureSet

CREDITCARD = Path(__file__).parents[2] / "data" / "creditcard_2500.parquet"


def said(decisions) -> list[tuple[str, str | None, str | None]]:
    return [(each.action, each.version, each.other) for each in decisions]


def test_versions_are_trained_tried_promoted_and_made_again_from_their_records(loop: Loop):
    loop.stream(150)
    loop.stream(150)
    assert said(loop.round()) == [("train", "1", None)]
    assert loop.roles() == {"champion": "1"}
    loop.stream(2_500)
    assert said(loop.round()) == [("train", "2", "1")]
    assert loop.roles() == {"champion": "1", "challenger": "2"}
    loop.stream(100)
    (waits,) = loop.round()
    assert (waits.action, waits.version) == ("wait", "2")
    assert "not warm: it scored 100 of 200" in waits.reason
    loop.stream(6_000)
    (promoted,) = loop.round()
    assert said([promoted]) == [("promote", "2", "1")]
    assert promoted.ci_low is not None
    assert promoted.ci_low > 0
    assert promoted.positives is not None
    assert promoted.positives >= POLICY.min_positives
    assert loop.roles() == {"champion": "2"}
    judged, trained = loop.round()
    assert said([judged, trained]) == [("keep", "2", "1"), ("train", "3", "2")]
    assert loop.log.decisions("fraud")[0] == trained

    assert made_again(loop, "3") == ["1", "2", "3"]


def made_again(loop: Loop, version: str) -> list[str]:
    """Train a version again from its record, which must succeed; return it and its parents."""

    def read_tables(recorded):
        data = recorded.tables
        snapshot = TrainingSnapshot.tagged(loop.tables.catalog, data["tag"])
        assert snapshot.tables == data["tables"]
        return read_labelled_rows(loop.tables.catalog, snapshot, recorded.record["feature_set"], recorded.features)

    result = reproduce_version(loop.registry, "fraud", version, read_tables=read_tables)
    assert result.equal, result.problem
    return [step.version for step in result.steps]


def test_a_champion_that_falls_below_its_predecessor_gives_way(loop: Loop):
    loop.stream(2_500)
    loop.round()  # version 1
    loop.stream(10)
    # What a swapped label column does: version 2 learns the contrary.
    loop.tell(loop.examples[:2_000], revision=1, flip=True)
    loop.round(anew=True)
    loop.tell(loop.examples[:2_000], revision=2)
    loop.registry.set_alias("fraud", "champion", "2")  # by hand, past the policy
    loop.registry.remove_alias("fraud", "challenger")
    loop.stream(2_500)
    (decision,) = loop.round()
    assert said([decision]) == [("rollback", "2", "1")]
    assert decision.ci_high is not None
    assert decision.ci_high < 0
    assert loop.roles() == {"champion": "1"}


def test_a_challenger_that_is_worse_is_given_up_and_another_is_trained(loop: Loop):
    loop.stream(2_500)
    loop.round()
    loop.tell(loop.examples[:2_000], revision=1, flip=True)
    loop.round(anew=True)
    loop.tell(loop.examples[:2_000], revision=2)
    loop.stream(6_000)
    decided = loop.round()
    assert said(decided) == [("retire", "2", "1"), ("train", "3", "1")]
    assert loop.roles() == {"champion": "1", "challenger": "3"}


def test_a_dry_run_writes_its_decision_and_changes_nothing(loop: Loop):
    loop.stream(500)
    (planned,) = loop.round(dry_run=True)
    assert (planned.action, planned.version, planned.dry_run) == ("train", None, True)
    assert "would learn from" in planned.reason
    assert loop.roles() == {}
    assert not loop.registry.records
    assert set(loop.tables.catalog.load_table("weir.truths").metadata.refs) == {"main"}
    assert loop.log.decisions("fraud") == [planned]


def test_without_new_labels_there_is_nothing_to_train(loop: Loop):
    loop.stream(500)
    loop.round()
    (skipped,) = loop.round()
    assert skipped.action == "skip"
    assert "0 labelled transactions that version 1 does not know" in skipped.reason
    loop.stream(100)
    assert loop.round(min_new=5_000)[0].action == "skip"


def test_each_look_at_a_trial_narrows_what_the_next_may_decide_by(loop: Loop):
    loop.stream(2_500)
    loop.round()
    loop.stream(2_500)
    loop.round(anew=True)
    loop.stream(1_500)
    never = replace(POLICY, max_positives=10_000)
    widths = []
    for _ in range(3):
        decision = loop.round(policy=never)[-1]
        if decision.action != "wait":
            break
        assert decision.ci_low is not None
        assert decision.ci_high is not None
        widths.append(decision.ci_high - decision.ci_low)
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)


def test_versions_on_other_features_are_not_compared(loop: Loop):
    loop.stream(500)
    loop.round()
    dataset = open_dataset(CREDITCARD, rows=300, truth_delay_ms=0)
    train_version(dataset, registry=loop.registry, store=loop.store, model="fraud", feature_set="creditcard")
    loop.registry.set_tags("fraud", "2", {})
    loop.registry.set_alias("fraud", "challenger", "2")
    with pytest.raises(SettingsError, match="cannot be compared"):
        loop.round()


def defined_by_rows(loop: Loop) -> FeatureSet:
    """Let the stream carry the handbook's features and one more, which a row defines."""
    spent = "SPENT_3D=customer.sum(amount) 3d"
    made = add_features(loop.store, "mine", based_on="handbook", features=[spent], without=[])
    dataset = open_dataset("generator", rows=4_000, seed=4, truth_delay_ms=86_400_000)
    loop.examples, loop.features = list(examples_of(dataset, made)), made
    return made


def test_the_loop_goes_round_on_a_feature_set_that_a_row_defines(loop: Loop):
    mine = defined_by_rows(loop)
    loop.stream(150)
    loop.stream(150)
    assert said(loop.round(feature_set="mine")) == [("train", "1", None)]
    loop.stream(1_500)
    assert said(loop.round(feature_set=None)) == [("train", "2", "1")]  # the champion's own set
    assert [each.feature_set for each in loop.registry.records] == [mine.label] * 2
    loop.stream(1_000)
    (judged,) = loop.round(feature_set=None)
    assert (judged.version, judged.other) == ("2", "1")
    assert judged.positives
    assert made_again(loop, "2") == ["1", "2"]


def test_a_version_on_more_features_is_tried_against_a_champion_that_knows_some_of_them(loop: Loop):
    defined_by_rows(loop)
    loop.features = FEATURES
    loop.stream(500)
    assert said(loop.round(feature_set=None)) == [("train", "1", None)]
    loop.features = loop.registry.features("1")
    dataset = open_dataset("generator", rows=4_000, seed=4, truth_delay_ms=0)
    train_version(dataset.part(0, 300), registry=loop.registry, store=loop.store, model="fraud", feature_set="mine")
    loop.registry.set_tags("fraud", "2", {})
    loop.registry.set_alias("fraud", "challenger", "2")
    loop.stream(1_500)
    (judged,) = loop.round(feature_set=None)
    assert (judged.version, judged.other) == ("2", "1")
    assert judged.difference is not None
