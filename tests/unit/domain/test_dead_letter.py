import hashlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.dead_letter import dead_letter
from udfs.domain.parsing import parse_truth

AT = {"partition": 3, "offset": 41, "ingestion_time_ms": 9}


def payload(value):
    return dead_letter("transactions", AT, "wrong_type", "a detail", value, 77)["payload"]


def test_a_dead_letter_says_where_the_message_stood_why_and_how_much_it_was():
    value = '{"amount": "ü"}'
    assert dead_letter("transactions", AT, "wrong_type", "amount is a JSON string", value, 77) == {
        "topic": "transactions",
        "partition": 3,
        "offset": 41,
        "reason": "wrong_type",
        "detail": "amount is a JSON string",
        "payload": value,
        "payload_length": len(value.encode()),
        "payload_sha256": hashlib.sha256(value.encode()).hexdigest(),
        "time_ms": 77,
    }


def test_a_message_without_value_has_an_empty_payload():
    letter = dead_letter("truths", AT, "empty", "", None, 0)
    assert (letter["payload"], letter["payload_length"]) == ("", 0)


@pytest.mark.parametrize(
    "customer",
    ['"secret"', '"se\\"cret', '"secret', "424242", " \n 424242", "-42.42", '"secret\\'],
    ids=["string", "escaped quote", "cut off", "number", "spaces", "negative", "cut in an escape"],
)
def test_a_customer_id_is_masked_even_where_the_json_is_broken(customer):
    masked = payload('{"transaction_id":"t1","customer_id":' + customer)
    assert masked.replace(" \n ", "") == '{"transaction_id":"t1","customer_id":"***"'


@pytest.mark.parametrize("card", ["4929123412341234", "4929 1234 1234 1234", "4929-1234-1234-1234", "378282246310005"])
def test_runs_of_digits_like_a_card_are_masked_anywhere(card):
    for text in (card, f'{{"note":"paid with {card}, ok"}}', f'{{"{card}":1}}'):
        assert card not in payload(text)
        assert "***" in payload(text)


def test_times_and_decimals_stay_readable():
    text = '{"event_time_ms":1533340800000,"V1":-1.3598071336738,"amount":12.5}'
    assert payload(text) == text


def detail_of(parse, message, append_ms=1_700_000_000_000):
    position = {"partition": 0, "offset": 0, "ingestion_time_ms": append_ms}
    refused = parse(json.dumps(message), position)
    return dead_letter("truths", position, refused.reason, refused.detail, "", 0)["detail"]


@pytest.mark.parametrize("name", ["event_time_ms", "truth_time_ms"])
@pytest.mark.parametrize(
    "time", [4_070_908_800_000, 1_533_340_800_000_000, 1_533_340_800_000_000_000, -1_533_340_800_000, 9_999_999_999_999]
)
def test_a_time_stays_readable_in_the_sentence_about_it(name, time):
    truth = {
        "transaction_id": "t", "label": 1, "revision": 0, "truth_time_ms": 5, "event_time_ms": 5, "customer_id": "c"
    }  # fmt: skip
    detail = detail_of(parse_truth, truth | {name: time})
    assert detail.startswith(f"{name} is {time}")
    assert time < 0 or detail.endswith("the append time 1700000000000")


@pytest.mark.parametrize("card", [4_929_123_412_341_234, 378_282_246_310_005, 6_304_000_000_000_000_000])
def test_a_card_is_masked_in_the_sentence_about_it_even_in_place_of_a_time(card):
    for name in ("event_time_ms", "amount", "label"):
        text = f"{name} is {card}; it must be another"
        letter = dead_letter("transactions", AT, "out_of_range", text, f'{{"{name}": {card}}}', 77)
        assert str(card) not in letter["detail"] + letter["payload"]
        assert "***" in letter["detail"]
        assert "***" in letter["payload"]


def test_what_is_too_long_is_cut_at_a_kibibyte_of_whole_characters():
    assert len(payload("x" * 10_000_000)) == 1_024
    assert len(payload("é" * 2_000 + "x").encode()) == 1_024
    assert payload("x" + "é" * 2_000)[-1] == "é"


def test_a_card_that_the_cut_splits_does_not_show():
    for before in range(8_170, 8_200):
        text = '{"customer_id":"' + "x" * before + '","n":"4929123412341234 and more' + "y" * 9_000
        assert "49291" not in payload(text)


@given(st.text(max_size=300) | st.text(alphabet='0123456789 -."\\_ms:customer_id', max_size=300))
def test_any_text_gives_a_letter_that_can_be_written_as_json(text):
    letter = dead_letter("transactions", AT, "not_json", text, text, 0)
    assert (
        json.loads(orjson.dumps(letter))["payload_sha256"]
        == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    )


def test_a_hostile_text_is_masked_in_no_time():
    for text in (
        "1 " * 5_000_000,
        '"customer_id":"' + "\\" * 10_000_000,
        "12345678901x" * 800_000,
        '"customer_id"' * 700_000,
    ):
        assert len(payload(text).encode()) <= 1_024
