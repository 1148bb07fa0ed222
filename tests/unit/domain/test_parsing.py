import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.parsing import Control, Rejection, parse_transaction, parse_truth

DAY_MS = 86_400_000
NOW = 1_700_000_000_000
AT = {"partition": 2, "offset": 5, "ingestion_time_ms": NOW}
GOOD = {"transaction_id": "t", "event_time_ms": NOW, "customer_id": "c", "amount": 10.5}
TRUTH = {
    "transaction_id": "t",
    "label": 1,
    "revision": 0,
    "truth_time_ms": NOW,
    "event_time_ms": NOW - 7 * DAY_MS,
    "customer_id": "c",
}


def parse(changes=None, without=(), required=(), base=GOOD, parser=parse_transaction):
    message = {key: value for key, value in (base | (changes or {})).items() if key not in without}
    text = json.dumps(message)
    return parser(text, AT, required) if parser is parse_transaction else parser(text, AT)


def reason(*args, **kwargs):
    parsed = parse(*args, **kwargs)
    assert isinstance(parsed, Rejection), parsed
    return parsed.reason


def test_a_good_transaction_has_every_field_its_type_promises():
    assert parse({"terminal_id": 12, "V1": 3, "extra": {"nested": [None]}}, required=["V1"]) == {
        "kind": "transaction",
        "partition": 2,
        "offset": 5,
        "ingestion_time_ms": NOW,
        "transaction_id": "t",
        "event_time_ms": NOW,
        "customer_id": "c",
        "terminal_id": "12",
        "amount": 10.5,
        "fields": {"V1": 3.0},
        "features": {},
        "late": False,
        "warming_up": False,
    }


def test_a_good_truth_has_every_field_its_type_promises():
    assert parse({"intervened": True, "terminal_id": "k"}, base=TRUTH, parser=parse_truth) == {
        "kind": "truth",
        "partition": 2,
        "offset": 5,
        "ingestion_time_ms": NOW,
        "transaction_id": "t",
        "label": 1,
        "revision": 0,
        "truth_time_ms": NOW,
        "event_time_ms": NOW - 7 * DAY_MS,
        "customer_id": "c",
        "terminal_id": "k",
        "intervened": True,
    }


@pytest.mark.parametrize("parser", [parse_transaction, parse_truth])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "empty"),
        ("", "empty"),
        (" \n\t", "empty"),
        ("{", "not_json"),
        ("hello", "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"a": "\\ud800"}', "not_json"),
        ('{"a": "\ud800"}', "not_json"),
        ('{"a": 1} {"b": 2}', "not_json"),
        ('{"a": "\ufffd"}', "bad_utf8"),
        ("\ufffd\ufffd", "bad_utf8"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ('"text"', "not_an_object"),
        ("17", "not_an_object"),
        ('{"a": NaN}', "not_finite"),
        ('{"a": -Infinity}', "not_finite"),
        ('{"a": 1e999}', "not_finite"),
        ('{"a": NaN', "not_json"),
    ],
)
def test_a_value_that_is_no_json_object_says_why(parser, value, expected):
    assert parser(value, AT).reason == expected


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_or_null_field_is_named(name):
    for parsed in (parse(without=[name]), parse({name: None})):
        assert parsed.reason == "missing_field"
        assert name in parsed.detail


@pytest.mark.parametrize("name", TRUTH)
def test_a_missing_or_null_field_of_a_truth_is_named(name):
    for parsed in (
        parse(without=[name], base=TRUTH, parser=parse_truth),
        parse({name: None}, (), (), TRUTH, parse_truth),
    ):
        assert parsed.reason == "missing_field"
        assert name in parsed.detail


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("transaction_id", [True, 1.5, [], {}]),
        ("customer_id", [False, 1.0, ["c"], {}]),
        ("terminal_id", [True, 2.5, [], {}]),
        ("amount", ["10.5", True, [], {}]),
        ("event_time_ms", ["1", True, 1.0, 1e30, []]),
    ],
)
def test_a_field_of_a_wrong_type_is_named_with_what_was_got(name, values):
    for value in values:
        parsed = parse({name: value})
        assert parsed.reason == "wrong_type"
        assert name in parsed.detail


@pytest.mark.parametrize("value", [10**30, -(10**30), 2**64, 1e30])
@pytest.mark.parametrize("name", ["transaction_id", "customer_id", "terminal_id"])
def test_an_id_beyond_64_bits_is_told_what_is_wrong_with_it(name, value):
    refused = parse({name: value})
    assert refused.reason == "wrong_type"
    assert refused.detail == (
        f"{name} is a number beyond 64 bits; it must be a string or an integer that fits into 64 bits"
    )
    assert parse({name: str(value)})[name] == str(value)


def test_the_greatest_integers_are_ids_by_their_digits():
    assert parse({"customer_id": 2**64 - 1, "terminal_id": -(2**63)})["customer_id"] == "18446744073709551615"


def test_ids_may_be_numbers_and_an_empty_id_is_a_missing_one():
    assert parse({"transaction_id": 0, "customer_id": -7})["customer_id"] == "-7"
    assert reason({"customer_id": ""}) == "missing_field"
    assert reason({"transaction_id": ""}) == "missing_field"
    assert parse({"terminal_id": ""})["terminal_id"] is None
    assert parse({"terminal_id": None})["terminal_id"] is None


def test_the_day_after_the_append_time_is_the_last_one():
    assert parse({"event_time_ms": NOW + DAY_MS})["event_time_ms"] == NOW + DAY_MS
    assert reason({"event_time_ms": NOW + DAY_MS + 1}) == "future_time"
    assert reason({"event_time_ms": 2**64 - 1}) == "future_time"
    assert parse({"event_time_ms": 0})["event_time_ms"] == 0
    assert reason({"event_time_ms": -1}) == "negative_time"
    for name in ("truth_time_ms", "event_time_ms"):
        assert reason({name: NOW + DAY_MS + 1}, base=TRUTH, parser=parse_truth) == "future_time"
        assert reason({name: -1}, base=TRUTH, parser=parse_truth) == "negative_time"


def test_amounts_keep_to_a_size_that_exact_sums_can_hold():
    assert parse({"amount": -3})["amount"] == -3.0
    assert parse({"amount": 1e15})["amount"] == 1e15
    assert reason({"amount": 1.1e15}) == "out_of_range"
    assert reason({"amount": 2**63}) == "out_of_range"


def test_fields_of_the_feature_set_are_required_numbers():
    assert reason(required=["V1"]) == "missing_field"
    assert reason({"V1": "x"}, required=["V1"]) == "wrong_type"
    assert reason({"V1": True}, required=["V1"]) == "wrong_type"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("label", 2, "out_of_range"),
        ("label", -1, "out_of_range"),
        ("label", True, "wrong_type"),
        ("label", 1.0, "wrong_type"),
        ("label", "1", "wrong_type"),
        ("revision", -1, "out_of_range"),
        ("revision", 2**31, "out_of_range"),
        ("revision", 2**64 - 1, "out_of_range"),
        ("revision", 0.5, "wrong_type"),
        ("intervened", 1, "wrong_type"),
        ("intervened", "no", "wrong_type"),
    ],
)
def test_what_a_truth_says_is_checked(name, value, expected):
    assert reason({name: value}, base=TRUTH, parser=parse_truth) == expected


@pytest.mark.parametrize("where", ["customer_id", "extra"])
def test_a_string_above_64_kib_is_too_large_wherever_it_is(where):
    assert parse({where: "x" * 65_536})["transaction_id"] == "t"
    assert reason({where: "x" * 65_537}) == "too_large"
    assert reason({where: "é" * 40_000}) == "too_large"
    assert reason({"extra": {"deep": [1, {"x" * 70_000: 1}]}}) == "too_large"


def test_a_long_message_of_short_strings_is_not_too_large():
    assert parse({"extra": ["x" * 1_000] * 1_000})["transaction_id"] == "t"


def test_ten_megabytes_are_refused_without_being_shown():
    parsed = parse({"customer_id": "x" * 10_000_000})
    assert parsed.reason == "too_large"
    assert len(parsed.detail) < 200


@pytest.mark.parametrize("parser", [parse_transaction, parse_truth])
def test_a_closing_record_is_control_and_may_lie_ahead(parser):
    far = NOW + 400 * DAY_MS
    assert parser(json.dumps({"control": "close", "event_time_ms": far}), AT) == Control("close", far)
    assert parser('{"control": "open", "event_time_ms": 1}', AT).reason == "unknown_control"
    assert parser('{"control": "close"}', AT).reason == "missing_field"
    assert parser('{"control": "close", "event_time_ms": -5}', AT).reason == "negative_time"


def test_an_extra_field_named_control_does_not_hide_a_transaction():
    assert parse({"control": "close"})["kind"] == "transaction"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, *TRUTH, "control"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.text() | JSON.map(json.dumps), st.sampled_from([parse_transaction, parse_truth]))
def test_nothing_makes_the_parser_raise_and_what_it_takes_can_be_written_again(value, parser):
    parsed = parser(value, AT)
    if not isinstance(parsed, Rejection | Control):
        assert orjson.loads(orjson.dumps(parsed)) == parsed


@given(st.dictionaries(st.sampled_from(["terminal_id", *GOOD]), JSON))
def test_one_wild_field_in_a_good_transaction_is_taken_rightly_or_refused_with_a_reason(changes):
    parsed = parse_transaction(json.dumps(GOOD | changes), AT)
    if isinstance(parsed, Rejection):
        assert parsed.reason.isidentifier()
        assert parsed.detail
    else:
        assert isinstance(parsed["amount"], float)
        assert isinstance(parsed["customer_id"], str)
        assert parsed["customer_id"]
        assert 0 <= parsed["event_time_ms"] <= NOW + DAY_MS
