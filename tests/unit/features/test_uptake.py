"""A feature set defined while the job runs: from when on each stage computes it, and who scores in the meantime."""

from __future__ import annotations

import orjson
import pytest
from pyflink.common import Row
from river import compose, linear_model, preprocessing

from jobs.features.feature_changes import add_features, retire_features
from model_store.artifact import digest
from model_store.export import export_artifact
from model_store.loaded_version import LoadedVersion
from model_store.role_scorer import RoleScorer
from tests.unit.features.test_feature_sets import Rows
from tests.unit.operators.fakes import FakeFlink
from tests.unit.operators.test_truth_join_stage import stage as truth_join
from tests.unit.operators.test_window_stages import batch
from udfs.domain.deployment import Deployment
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.metadata import Activation
from udfs.domain.payload import decode
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.terminal_stage import TerminalStage

DAY_MS = 86_400_000
START_MS = 1_522_540_800_000
SETTINGS = truth_join()._settings
SPENT, BUSY = "SPENT_3D=customer.sum(amount) 3d", "BUSY=terminal.count 1d"


class Stages:
    """Both window stages of one shard."""

    def __init__(self, settings=SETTINGS):
        self.customers, self.terminals = FakeFlink(CustomerStage(settings)), FakeFlink(TerminalStage(settings))
        self.count = 0

    def transaction(self, day: float, *, terminal: bool = True):
        """Send one, ten of amount, and return it as it reaches the score stage."""
        self.count += 1
        message = {
            "transaction_id": f"t{self.count}", "event_time_ms": START_MS + int(day * DAY_MS), "customer_id": "c",
            "terminal_id": "k" if terminal else None, "amount": 10.0,
        }  # fmt: skip
        self.customers.send("s", batch("transactions", [message]))
        self.pass_on()
        (event,) = decode(self.terminals.out[-1][1])
        return event

    def rows(self, store: Rows):
        """Send all rows to the customer stage; the terminal stage gets them with the next ``pass_on``."""
        values = [
            orjson.dumps(
                {"op": "c", "source": {"table": "feature_definition"},
                 "after": {"name": name, "version": version, "definition": orjson.dumps(definition).decode(),
                           "hash": "" if "@" in name else FeatureSet.of_row(name, version, definition).hash}}
            ).decode()
            for name, version, definition, _ in store.rows
        ]  # fmt: skip
        nothing = [0] * len(values)
        self.customers.send("s", Row("weir.metadata", values, nothing, nothing, nothing))

    def pass_on(self):
        for row in self.customers.out:
            self.terminals.send("s", row[1])
        self.customers.out.clear()


def defined(*features: str, store: Rows | None = None, name: str = "mine") -> Rows:
    store = store or Rows()
    add_features(store, name, based_on="handbook", features=features, without=[])
    return store


def test_a_set_is_computed_from_its_row_on_and_full_at_once_where_what_is_kept_reaches_back():
    stages = Stages()
    for day in (0, 5, 6):
        assert "sets" not in stages.transaction(day)
    stages.rows(defined(SPENT, BUSY))
    event = stages.transaction(6.5)
    assert event["sets"] == {"mine@1": False}
    assert (event["features"]["SPENT_3D"], event["features"]["BUSY"]) == (30.0, 2.0)
    assert stages.transaction(6.6, terminal=False)["sets"] == {"mine@1": False}


def test_a_set_that_only_one_stage_knows_is_not_there():
    stages = Stages()
    stages.transaction(0)
    stages.rows(defined(SPENT))
    held, stages.customers.out = list(stages.customers.out), []
    assert not stages.transaction(5).get("sets")
    stages.customers.out = held
    assert stages.transaction(6)["sets"] == {"mine@1": False}


@pytest.mark.parametrize(
    ("features", "full"), [((SPENT,), 3), ((BUSY,), 1), ((SPENT, "LONG=terminal.count 1d delay 7d"), 8)]
)
def test_windows_longer_than_the_stage_is_old_warm_up_until_event_time_has_come_so_far(features, full):
    stages = Stages()
    stages.transaction(0)
    stages.rows(defined(*features))
    for day, warming in ((0.5, True), (full - 0.001, True), (full, False), (full - 0.5, True), (full + 9, False)):
        assert stages.transaction(day)["sets"] == {"mine@1": warming}, day


def test_before_the_first_transaction_nothing_is_known_and_the_first_one_starts_the_clock():
    stages = Stages()
    stages.rows(defined(SPENT))
    assert [stages.transaction(day)["sets"]["mine@1"] for day in (2, 4.9, 5)] == [True, True, False]


def test_sets_survive_a_restart_and_a_row_that_comes_again_changes_nothing():
    stages, store = Stages(), defined(SPENT)
    stages.transaction(0)
    stages.rows(store)
    stages.transaction(1)
    for flink, stage in ((stages.customers, CustomerStage), (stages.terminals, TerminalStage)):
        flink.restart(stage(SETTINGS))
    stages.rows(store)
    assert [stages.transaction(day)["sets"]["mine@1"] for day in (2.9, 3)] == [True, False]
    assert stages.transaction(3.5)["features"]["SPENT_3D"] == 40.0  # of days 1, 2.9, 3, 3.5


def test_a_set_of_the_submission_is_there_from_the_first_transaction_on():
    rows = FeatureCatalog([FeatureSet.of_row(*row[:3]) for row in defined(SPENT).rows]).to_json()
    stages = Stages(truth_join(feature_rows=rows)._settings)
    assert stages.transaction(0)["sets"] == {"mine@1": True}
    assert stages.transaction(3)["sets"] == {"mine@1": False}


def test_a_retired_set_is_gone_for_good():
    stages, store = Stages(), defined(SPENT)
    stages.rows(store)
    assert stages.transaction(0)["sets"]
    retire_features(store, "mine")
    stages.rows(store)
    assert "sets" not in stages.transaction(1)
    assert "SPENT_3D" not in stages.transaction(2)["features"]


def test_a_thousand_transactions_of_one_customer_show_how_far_back_he_reaches():
    stages = Stages()
    for first in range(0, 1_000, 100):
        rows = [
            {"transaction_id": f"x{n}", "event_time_ms": START_MS + n * 600_000, "customer_id": "c", "amount": 1.0}
            for n in range(first, first + 100)
        ]
        stages.customers.send("s", batch("transactions", rows))
    stages.pass_on()
    stages.rows(defined(SPENT))
    assert stages.transaction(999 * 600_000 / DAY_MS)["sets"] == {"mine@1": False}


def version(features: FeatureSet) -> bytes:
    model = compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    for n in range(50):
        model.learn_one(dict.fromkeys(features.features, float(n % 7)), n % 2 == 0)
    return export_artifact(model, features, seed=len(features.features))


@pytest.fixture(scope="module")
def mine() -> FeatureSet:
    return FeatureSet.of_row(*defined(SPENT).rows[0][:3])


@pytest.fixture(scope="module")
def versions(mine) -> dict[str, bytes]:
    return {"handbook": version(FEATURE_SETS["handbook"]), "mine": version(mine)}


def scorer(
    versions, *names: str, role: str = "champion", forced: bool = False, by_event_time: bool = False
) -> RoleScorer:
    deployment = Deployment()
    for seq, name in enumerate(names, start=1):
        row = Activation(seq, "fraud", role, str(seq), digest(versions[name]), None, 10 * seq, False, forced)
        deployment = deployment.accept(row)
    loaded = {digest(data): LoadedVersion.load(data) for data in versions.values()}
    return RoleScorer(deployment, loaded, feature_set=FEATURE_SETS["handbook"], by_event_time=by_event_time)


def event(name: str, sets: dict[str, bool] | None, mine: FeatureSet) -> dict:
    known = mine.features if sets else FEATURE_SETS["handbook"].features
    return {
        "kind": "transaction", "transaction_id": name, "event_time_ms": START_MS, "customer_id": "c", "terminal_id": "k",
        "amount": 1.0, "fields": {}, "features": dict.fromkeys(known, 1.0), "late": False, "warming_up": False,
        "partition": 0, "offset": 0, "ingestion_time_ms": 0, **({} if sets is None else {"sets": sets}),
    }  # fmt: skip


FULL, WARM = {"mine@1": False}, {"mine@1": True}


@pytest.mark.parametrize("by_event_time", [False, True])
@pytest.mark.parametrize(
    ("names", "forced", "sets", "said"),
    [
        (("handbook", "mine"), False, FULL, ("2", False, None)),
        (("handbook", "mine"), False, None, ("1", False, None)),
        (("handbook", "mine"), False, {}, ("1", False, None)),
        (("handbook", "mine"), False, WARM, ("1", False, None)),
        (("handbook", "mine"), True, WARM, ("2", True, None)),
        (("handbook", "mine", "mine"), False, None, ("1", False, None)),
        (("mine",), False, WARM, ("1", True, None)),
        (("mine",), False, None, ("1", False, "feature_set_not_taken_up")),
        (("mine", "handbook"), False, FULL, ("2", False, None)),
    ],
)
def test_the_newest_version_scores_whose_whole_set_is_there(versions, mine, names, forced, sets, said, by_event_time):
    one = scorer(versions, *names, forced=forced, by_event_time=by_event_time)
    (inference,) = one.score([event("a", sets, mine)], None, 0)
    assert (inference["version"], inference["warming_up"], inference["reason"]) == said
    assert (inference["score"] is None) == (said[2] is not None)
    assert inference["digest"] == digest(versions[names[int(inference["version"]) - 1]])


def test_in_one_batch_each_transaction_is_scored_on_what_its_stages_knew(versions, mine):
    batch_of = [event("old", None, mine), event("new", FULL, mine), event("old too", {}, mine)]
    inferences = scorer(versions, "handbook", "mine").score(batch_of, None, 0)
    assert {i["transaction_id"]: (i["version"], i["feature_set"], len(i["features"])) for i in inferences} == {
        "old": ("1", "handbook@1", 15), "new": ("2", "mine@1", 16), "old too": ("1", "handbook@1", 15),
    }  # fmt: skip


def test_a_challenger_whose_set_is_not_there_is_counted_with_its_reason(versions, mine):
    one = scorer(versions, "mine", role="shadow")
    answers = {i["role"]: (i["score"], i["reason"]) for i in one.score([event("a", None, mine)], None, 0)}
    assert answers == {"champion": (None, "no_champion"), "shadow": (None, "feature_set_not_taken_up")}
