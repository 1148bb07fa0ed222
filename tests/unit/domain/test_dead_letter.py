import hashlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.dead_letter import dead_letter

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
