"""Bytes of keyed state as each version wrote them: they are in savepoints, so they must be read for ever."""

from pathlib import Path
from unittest.mock import patch

import orjson
import pytest

from udfs.domain import entity_histories
from udfs.domain.customer_windows import update_customers
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet
from udfs.domain.shard_features import ShardFeatures
from udfs.domain.terminal_windows import terminal_histories, update_terminals
from udfs.domain.window_feature import WindowFeature

DAY_MS = 86_400_000
CUSTOMERS = {
    "": "010000000000b84c0a00000000",
    "c": (
        "010000000200000000b84c0a00000000005c26050000000000b84c0a0000000000000000000000000000000000000000"
        "0000000000000000000000000000000000cccccccccccc5000cccccccccccc3c27c35e6e9373877f29e562464e46497e"
        "96172b4c53372cd10faddc821bfe0318"
    ),
}
TERMINALS = {
    "k": (
        "01000000020000000014730f000000000400000001000000005c26050000000000b84c0a0000000027c35e6e9373877f"
        "29e562464e46497e96172b4c53372cd10faddc821bfe031827c35e6e9373877f29e562464e46497e005c260500000000"
        "00e0322900000000000000000101000096172b4c53372cd10faddc821bfe031800b84c0a00000000003c592e00000000"
        "000000000101000096172b4c53372cd10faddc821bfe031800b84c0a000000000050cc3d000000000100000000010000"
        "a111b1ed9416c15933925febc757211d0014730f0000000000987f3300000000000000000100000002000000005c2605"
        "0000000000b84c0a0000000000e0322900000000003c592e00000000ffffffffffffff7f0050cc3d00000000"
    )
}


def transaction(name, time_ms, amount):
    return {
        "kind": "transaction",
        "partition": 0,
        "offset": 0,
        "ingestion_time_ms": 0,
        "transaction_id": name,
        "event_time_ms": time_ms,
        "customer_id": "c",
        "terminal_id": "k",
        "amount": amount,
        "fields": {},
        "features": {},
        "late": False,
        "warming_up": False,
    }


def truth(name, time_ms, truth_time_ms, label, revision):
    return {
        "kind": "truth",
        "partition": 0,
        "offset": 0,
        "ingestion_time_ms": 0,
        "transaction_id": name,
        "label": label,
        "revision": revision,
        "truth_time_ms": truth_time_ms,
        "event_time_ms": time_ms,
        "customer_id": "c",
        "terminal_id": "k",
        "intervened": False,
    }


def state(recorded):
    return {key: bytes.fromhex(value) for key, value in recorded.items()}


HISTORY = [transaction("a", DAY_MS, 10.1), transaction("b", 2 * DAY_MS, -2.5)]
TRUTHS = [
    truth("a", DAY_MS, 8 * DAY_MS, 1, 0),
    truth("b", 2 * DAY_MS, 9 * DAY_MS, 1, 0),
    truth("b", 2 * DAY_MS, 12 * DAY_MS, 0, 1),
    truth("waits", 3 * DAY_MS, 10 * DAY_MS, 1, 0),
]


def test_the_customer_state_of_schema_1_is_read():
    update = update_customers([HISTORY[0], transaction("new", 3 * DAY_MS, 1.0)], state(CUSTOMERS), lateness_ms=0)
    assert [event["transaction_id"] for event in update.duplicates] == ["a"]
    assert update.events[0]["features"]["CUSTOMER_ID_NB_TX_7DAY_WINDOW"] == 3
    assert abs(update.events[0]["features"]["CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW"] - 8.6 / 3) < 1e-12


def test_the_terminal_state_of_schema_1_is_read_without_amounts():
    check_terminal(state(TERMINALS))
    count, mean = (WindowFeature(a, "terminal", a, DAY_MS, field=f) for a, f in (("count", None), ("mean", "amount")))
    sets = FeatureCatalog(FeatureSet(w.name, 1, (w.name,), (), (w,)) for w in (count, mean))
    old = state(TERMINALS)
    shard = ShardFeatures("terminal", sets, {}, terminal_histories(old, old, 0), old)
    newest_ms = 3 * DAY_MS  # a truth told of it
    for time_ms, warming in ((newest_ms, True), (newest_ms + DAY_MS, True), (newest_ms + DAY_MS + 1, False)):
        event = {"event_time_ms": time_ms, "sets": {"count@1": False, "mean@1": False}}
        shard.mark([event])
        assert event["sets"] == {"count@1": False, "mean@1": warming}, "amounts are known from the migration on"


def check_terminal(recorded):
    later = [
        transaction("waits", 3 * DAY_MS, 1.0),
        transaction("x", 11 * DAY_MS, 1.0),
        transaction("y", 13 * DAY_MS, 1.0),
    ]
    x, y = update_terminals(later, recorded, lateness_ms=0)[1:]
    assert (x["features"]["TERMINAL_ID_NB_TX_7DAY_WINDOW"], x["features"]["TERMINAL_ID_RISK_7DAY_WINDOW"]) == (3, 1.0)
    assert abs(y["features"]["TERMINAL_ID_RISK_7DAY_WINDOW"] - 2 / 3) < 1e-12


@pytest.mark.parametrize("limit", [512, 1])
def test_schema_2_is_written_and_read_small_and_large(limit):
    with patch.object(entity_histories, "SMALL_EVENTS", limit):
        customers, terminals = {}, {}
        update_customers(HISTORY, customers, lateness_ms=0)
        update_terminals([*HISTORY, *TRUTHS], terminals, lateness_ms=0)
    written = {
        key: value.hex() for key, value in {**customers, **{f"terminal {k}": v for k, v in terminals.items()}}.items()
    }
    # When these bytes were recorded, a truth moved a terminal's greatest time; since then only transactions do.
    recorded = GOLDEN[limit]
    told, taken = ((days * DAY_MS).to_bytes(8, "little").hex() for days in (3, 2))
    now = recorded | {"terminal k": recorded["terminal k"].replace(told, taken, 1)}
    assert written == now != recorded
    update = update_customers([HISTORY[0], transaction("new", 3 * DAY_MS, 1.0)], dict(customers), lateness_ms=0)
    assert [event["transaction_id"] for event in update.duplicates] == ["a"]
    assert abs(update.events[0]["features"]["CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW"] - 8.6 / 3) < 1e-12
    check_terminal(dict(terminals))
    check_terminal({key[9:]: bytes.fromhex(value) for key, value in recorded.items() if key.startswith("terminal ")})


GOLDEN = orjson.loads((Path(__file__).parents[2] / "data/window_state_2.json").read_bytes())
GOLDEN = {int(limit): entries for limit, entries in GOLDEN.items()}
