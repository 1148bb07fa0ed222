"""Feature sets that rows define: made, refused, computed alike by backfill, training and the stages."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from connectors.data.dataset import open_dataset
from jobs.backfill.run_backfill import run_backfill
from jobs.features.definition_text import definition_text, parse_definition
from jobs.features.feature_changes import add_features, retire_features
from jobs.features.feature_rows import feature_catalog, feature_set_named, feature_set_of_version
from jobs.training.training_examples import examples_of
from tests.unit.operators.fakes import FakeFlink
from tests.unit.operators.test_truth_join_stage import stage as truth_join
from tests.unit.operators.test_window_stages import batch
from udfs.domain.errors import SettingsError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.payload import decode
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.terminal_stage import TerminalStage

SPENT, BUSY = "SPENT_3D=customer.sum(amount) 3d", "BUSY=terminal.max(amount) 12h"


class Rows:
    """The registry's table, in memory."""

    def __init__(self):
        self.rows = []

    def feature_rows(self):
        return list(self.rows)

    def define_features(self, name, version, definition_hash, definition):
        self.rows.append((name, version, definition, len(self.rows)))

    def retire_features(self, name, version):
        self.define_features(f"{name}@{version}", 1, "", {"retired": True})


def add(store, name="mine", *, based_on="handbook", features=(SPENT, BUSY), without=()):
    return add_features(store, name, based_on=based_on, features=features, without=without)


def test_a_set_is_the_other_ones_features_in_order_and_then_its_own():
    store = Rows()
    made = add(store, without=["TX_DURING_NIGHT"])
    handbook = FEATURE_SETS["handbook"].features
    assert made.features == (*(n for n in handbook if n != "TX_DURING_NIGHT"), "SPENT_3D", "BUSY")
    assert (made.label, feature_catalog(store.rows).named("mine")) == ("mine@1", made)
    again = add(store, based_on="mine", features=["LAST=customer.time_since_last 30d"])
    assert (again.label, again.features[-1]) == ("mine@2", "LAST")
    assert feature_catalog(store.rows).named("mine") == again
    assert feature_catalog(store.rows).named("mine@1") == made
    assert len({made.hash, again.hash, FEATURE_SETS["handbook"].hash}) == 3
    assert add(store, "handbook", features=[SPENT]).label == "handbook@2"


def test_a_version_finds_its_set_also_when_it_is_retired_and_only_the_very_one():
    store = Rows()
    made = add(store)
    header = {"feature_set": {"label": made.label, "hash": made.hash}}
    retire_features(store, "mine")
    assert feature_set_of_version(header, store.feature_rows) == made
    with pytest.raises(SettingsError, match="trained on another mine@1"):
        feature_set_of_version({"feature_set": {"label": made.label, "hash": "00"}}, store.feature_rows)
    with pytest.raises(SettingsError, match="Nothing defines the feature set 'mine@9'"):
        feature_set_of_version({"feature_set": {"label": "mine@9", "hash": "00"}}, store.feature_rows)


def test_the_rows_are_only_read_for_a_set_that_is_not_of_the_code():
    def nobody():
        raise AssertionError

    handbook = FEATURE_SETS["handbook"]
    assert feature_set_named("handbook", nobody) == feature_set_named("handbook@1", nobody) == handbook
    header = {"feature_set": {"label": handbook.label, "hash": handbook.hash}}
    assert feature_set_of_version(header, nobody) == handbook


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "mine@1"}, "no name for a feature set"),
        ({"based_on": "theirs"}, "no feature set 'theirs'"),
        ({"without": ["AGE"]}, "has no feature 'AGE' to leave out"),
        ({"features": ["X=customer.mean(V1) 3d"]}, "needs an upgrade"),
        ({"features": ["X=customer.count 32d"]}, "may reach 31 days; more needs an upgrade"),
        ({"features": ["X=terminal.count 32d delay 7d"]}, "may reach 38 days"),
        ({"features": ["X=customer.median(amount) 3d"]}, "has the aggregate 'median'"),
        ({"features": ["X=3d"]}, "is no feature; write"),
        ({"features": ["X=customer.count 3 days"]}, "is no feature"),
        ({"features": [SPENT, SPENT]}, "comes twice"),
        ({"features": ["X=hour(amount)"]}, "needs no field"),
        ({"features": ["X=log"]}, "needs a field"),
        ({"features": ["X=sqrt(amount)"]}, "has the function 'sqrt'"),
        ({"features": ["X=one_hot(channel)"]}, "needs the value that is 1"),
        ({"features": ["X=hash(channel)"]}, "needs a number of buckets"),
        ({"features": ["X=hash(channel) 1"]}, "it must be 2 to"),
        ({"features": ["X=one_hot(amount=5)"]}, "which is a number"),
        ({"features": ["TX_AMOUNT=customer.count 3d"]}, "comes twice"),
        ({"features": ["SPENT_3D=customer.sum(amount) 4d"], "taken": [SPENT]}, "a name has one meaning"),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(wrong, said):
    store = Rows()
    if wrong.get("taken"):
        add(store, "theirs", features=wrong.pop("taken"))
    before = store.feature_rows()
    with pytest.raises(SettingsError, match=said):
        add(store, **wrong)
    assert store.rows == before


def test_a_retired_set_is_gone_and_its_number_is_never_used_again():
    store = Rows()
    add(store)
    assert retire_features(store, "mine").label == "mine@1"
    with pytest.raises(SettingsError, match="no feature set 'mine'"):
        feature_set_named("mine", store.feature_rows)
    assert add(store).label == "mine@2"
    with pytest.raises(SettingsError, match="belongs to the code"):
        retire_features(store, "handbook")


@pytest.mark.parametrize(
    "text",
    [
        *("customer.count 1d12h", "terminal.fraud_rate 1h delay 7d", "customer.std(amount) 250ms", "weekend", "night"),
        *("hour", "log(amount)", "log(V1)", "one_hot(channel=in shop)", "one_hot(channel=)", "hash(channel) 32"),
    ],
)
def test_a_definition_is_read_as_it_is_written(text):
    assert definition_text(parse_definition(f"NAME = {text}")) == text


def test_the_codes_sets_keep_their_hashes():
    assert FeatureSet.of_row("handbook", 1, FEATURE_SETS["handbook"].definition()) == FEATURE_SETS["handbook"]


def test_backfill_training_and_stages_compute_the_same():
    store = Rows()
    made = add(store)
    dataset = open_dataset("generator", rows=600, seed=9, days=20)
    found = run_backfill(dataset, made, processes=1)
    trained = [list(example.vector.values()) for example in examples_of(dataset, made)]
    np.testing.assert_array_equal(found.values, trained)
    settings = truth_join(feature_rows=feature_catalog(store.rows).to_json())._settings
    customers, terminals = FakeFlink(CustomerStage(settings)), FakeFlink(TerminalStage(settings))
    streamed = {}
    for message in dataset.transactions():
        customers.send("s", batch("transactions", [message]))
        terminals.send("s", customers.out[-1][1])
        (event,) = decode(terminals.out[-1][1])
        streamed[event["transaction_id"]] = event["features"]
    order = [m["transaction_id"] for m in dataset.transactions()]
    for name in ("SPENT_3D", "BUSY", "CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW", "TERMINAL_ID_NB_TX_7DAY_WINDOW"):
        column = found.values[:, made.features.index(name)].tolist()
        assert column == [streamed[each][name] for each in order], name
        assert len(set(column)) > 3


def test_the_catalog_travels_in_the_jobs_arguments():
    store = Rows()
    made = add(store)
    catalog = feature_catalog(store.rows)
    again = FeatureCatalog.from_json(catalog.to_json())
    assert again.hashes == catalog.hashes
    assert again.hashes["mine@1"] == made.hash
    assert FeatureCatalog.from_json([]).to_json() == ()


TRANSFORMS = (
    "WEEKEND=weekend", "NIGHT=night", "HOUR=hour", "LOG=log(amount)", "LOG_V1=log(V1)", "WEB=one_hot(channel=web)",
    "CHANNEL=hash(channel) 16",
)  # fmt: skip
V1 = (-2.0, 0.0, 5.0)
CHANNELS = ("web", "shop", "web")


def channelled():
    """Return generated transactions with a number and a string more."""
    made = open_dataset("generator", rows=300, seed=9, days=20)
    fields = {"V1": np.resize(V1, len(made)), "channel": np.resize(np.array(CHANNELS, dtype=object), len(made))}
    return replace(made, columns=replace(made.columns, fields=fields))


def test_transforms_are_computed_alike_by_backfill_training_and_stages():
    store = Rows()
    made = add(store, features=(*TRANSFORMS, SPENT))
    assert (made.required_fields, made.strings) == (("V1", "channel"), ("channel",))
    again = add(store, based_on="mine", features=(), without=["LOG_V1", "SPENT_3D"])
    assert (again.required_fields, [each.name for each in again.transforms][-1]) == (("channel",), "CHANNEL")
    dataset = channelled()
    found = run_backfill(dataset, made, processes=1)
    trained = [list(example.vector.values()) for example in examples_of(dataset, made)]
    np.testing.assert_array_equal(found.values, trained)
    settings = truth_join(feature_rows=feature_catalog(store.rows).to_json())._settings
    customers, names = FakeFlink(CustomerStage(settings)), made.features[-8:]
    for row, message in enumerate(dataset.transactions()):
        customers.send("s", batch("transactions", [message | {"V1": V1[row % 3], "channel": CHANNELS[row % 3]}]))
        (event,) = decode(customers.out[-1][1])
        computed = [event["features"][name] for name in names]
        assert computed == found.values[row, -8:].tolist()
        at = datetime.fromtimestamp(message["event_time_ms"] / 1_000, UTC)
        assert computed[:4] == [
            at.weekday() >= 5,
            at.hour <= 6,
            at.hour,
            pytest.approx(math.log(1 + message["amount"])),
        ]
        assert computed[4] == pytest.approx((-math.log(3), 0.0, math.log(6))[row % 3])
        assert computed[5] == (CHANNELS[row % 3] == "web")
        assert 0 <= computed[6] < 16


def test_a_message_without_the_field_lacks_the_feature_and_is_no_dead_letter():
    store = Rows()
    add(store, features=TRANSFORMS)
    settings = truth_join(feature_rows=feature_catalog(store.rows).to_json())._settings
    customers = FakeFlink(CustomerStage(settings))
    (message,) = list(open_dataset("generator", rows=1, seed=9).transactions())
    for changes, missing in (({}, {"LOG_V1", "WEB", "CHANNEL"}), ({"V1": "text", "channel": "web"}, {"LOG_V1"})):
        customers.send("s", batch("transactions", [message | {"transaction_id": str(changes)} | changes]))
        (event,) = decode(customers.out[-1][1])
        assert {"LOG_V1", "WEB", "CHANNEL", "HOUR"} - set(event["features"]) == missing
    assert not customers.aside["dead-letters"]
