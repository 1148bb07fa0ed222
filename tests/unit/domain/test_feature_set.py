import pytest

from udfs.domain.feature_set import FEATURE_SETS, FeatureSet


def event(features=None, fields=None):
    return {"features": features or {}, "fields": fields or {}}


def test_handbook_has_the_fifteen_inputs_of_the_book_in_its_order():
    handbook = FEATURE_SETS["handbook"]
    assert handbook.features[:5] == (
        "TX_AMOUNT",
        "TX_DURING_WEEKEND",
        "TX_DURING_NIGHT",
        "CUSTOMER_ID_NB_TX_1DAY_WINDOW",
        "CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW",
    )
    assert handbook.features[-2:] == ("TERMINAL_ID_NB_TX_30DAY_WINDOW", "TERMINAL_ID_RISK_30DAY_WINDOW")
    assert len(set(handbook.features)) == 15
    assert handbook.required_fields == ()


def test_creditcard_takes_all_of_its_thirty_features_from_the_message():
    creditcard = FEATURE_SETS["creditcard"]
    assert creditcard.features == ("Time", *(f"V{n}" for n in range(1, 29)), "Amount") == creditcard.required_fields


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("handbook", "7886c818b7c79b2ee088ef10035a07a5e2d8e1da8025a1effdf14a503953a95b"),
        ("creditcard", "75b81368bd3d0adf0b528e5562c17b1a3477594b8171be188787c9445406f7b5"),
    ],
)
def test_a_released_feature_set_keeps_its_hash(name, digest):
    # Artifacts carry it: a changed list must be a new version with a new entry here.
    assert FEATURE_SETS[name].hash == digest


def test_another_order_or_another_version_is_another_hash():
    sets = [FeatureSet("s", 1, ("a", "b"), ()), FeatureSet("s", 1, ("b", "a"), ()), FeatureSet("s", 2, ("a", "b"), ())]
    assert len({one.hash for one in sets}) == 3


def test_a_vector_holds_every_feature_in_order_computed_ones_before_fields_and_zero_for_none():
    one = FeatureSet("s", 1, ("b", "a", "c"), ())
    vector = one.vector(event({"a": 1.0}, {"a": 5.0, "b": 2, "x": "text"}))
    assert list(vector.items()) == [("b", 2.0), ("a", 1.0), ("c", 0.0)]
