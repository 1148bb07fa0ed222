"""Files as people have them: units and forms of time, separators, signs, yes and no, ids and truths in every form."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.data.cell_values import as_flags, as_numbers, as_texts, as_times_ms
from connectors.data.dataset import open_dataset
from connectors.data.truth_file import TruthFile
from udfs.domain.errors import DataFileError

HEADER = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD"
ROW = "1,2018-04-01 00:00:31,7,3,57.16,0"
NEW_YEAR_MS = 1_704_067_231_000
MAPPED = {"transaction_id": "id", "event_time_ms": "at", "customer_id": "card", "amount": "amt"}


def opened(tmp_path, text, mapping=None):
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    return open_dataset(path, mapping=mapping)


def parquet(tmp_path, **columns):
    path = tmp_path / "data.parquet"
    pa_parquet.write_table(pa.table({"id": ["a"], "at": [NEW_YEAR_MS], "card": ["c"], "amt": [1.0]} | columns), path)
    return open_dataset(path, mapping=MAPPED)


@pytest.mark.parametrize(
    "count", ["1546300818", "1546300818000", "1546300818000000", "1546300818000000000", "1546300818.0"]
)
def test_a_count_since_1970_is_known_by_its_size(tmp_path, count):
    text = f"trans_num,unix_time,cc_num,amt,is_fraud\nt1,{count},2703186189652095,4.97,0\n"
    mapping = dict(
        transaction_id="trans_num", event_time_ms="unix_time", customer_id="cc_num", amount="amt", label="is_fraud"
    )
    (message,) = opened(tmp_path, text, mapping).transactions()
    assert message["event_time_ms"] == 1_546_300_818_000
    assert message["customer_id"] == "2703186189652095"


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2024-01-01T00:00:31.123456", NEW_YEAR_MS + 123),
        ("2024-01-01 00:00:31+00", NEW_YEAR_MS),
        ("2024-01-01T01:00:31+01:00", NEW_YEAR_MS),
        ("2024-01-01T00:00:31Z", NEW_YEAR_MS),
        ("2024-01-01 00:00", NEW_YEAR_MS - 31_000),
        ("2024-01-01", NEW_YEAR_MS - 31_000),
    ],
)
def test_a_time_as_text_is_read_with_or_without_fractions_and_zone(tmp_path, text, time_ms):
    assert [each["event_time_ms"] for each in parquet(tmp_path, at=[text]).transactions()] == [time_ms]


def test_other_kinds_of_time_in_parquet(tmp_path):
    moment = datetime(2024, 1, 1, 0, 0, 31, tzinfo=UTC)
    for kind in (pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", tz="Europe/Vienna")):
        (message,) = parquet(tmp_path, at=pa.array([moment], pa.timestamp("s", tz="UTC")).cast(kind)).transactions()
        assert message["event_time_ms"] == NEW_YEAR_MS


def test_a_time_that_is_none_and_one_before_1970_are_sentences(tmp_path):
    with pytest.raises(DataFileError, match="the column at is of type string; times are needed"):
        parquet(tmp_path, at=["yesterday"])
    with pytest.raises(DataFileError, match="holds a time before 1970, first in row 1"):
        parquet(tmp_path, at=[-5])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_recognised(tmp_path, separator):
    text = f"{HEADER}\n{ROW}\n".replace(",", separator)
    (message,) = opened(tmp_path, text).transactions()
    assert (message["customer_id"], message["amount"]) == ("7", 57.16)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("$134.09", 134.09),
        ("57,16", 57.16),
        ("1.234,50", 1_234.5),
        ('"1,234,567.5"', 1_234_567.5),
        ("€ 5", 5.0),
        ("-$3.20", -3.2),
    ],
)
def test_an_amount_is_read_with_signs_thousands_and_decimal_commas(tmp_path, written, amount):
    text = f"{HEADER}\n{ROW}\n".replace(",", ";").replace("57.16", written)
    (message,) = opened(tmp_path, text).transactions()
    assert message["amount"] == amount


def test_an_amount_that_is_none_is_a_sentence(tmp_path):
    for wrong in ("much", "1,2,3", "12,34.5"):
        with pytest.raises(DataFileError, match="the column TX_AMOUNT is of type string; numbers are needed"):
            opened(tmp_path, f"{HEADER}\n{ROW}\n".replace(",", ";").replace("57.16", wrong))


@pytest.mark.parametrize(
    ("word", "label"), [("Yes", 1), ("no", 0), ("TRUE", 1), ("f", 0), (" y ", 1), ("1", 1), ("0", 0)]
)
def test_yes_and_no_are_labels(tmp_path, word, label):
    (truth,) = opened(tmp_path, f"{HEADER}\n{ROW[:-1]}{word}\n").truths()
    assert truth["label"] == label


def test_a_label_that_is_none_is_a_sentence(tmp_path):
    with pytest.raises(DataFileError, match="labels \\(0 or 1, yes or no\\) are needed"):
        opened(tmp_path, f"{HEADER}\n{ROW[:-1]}maybe\n")


def test_an_empty_customer_is_refused_with_its_row_and_an_empty_terminal_is_none(tmp_path):
    rows = "1,2018-04-01 00:00:31,7,3,10,0\n2,2018-04-01 00:01:31,{},3,11,0\n3,2018-04-01 00:02:31,8,,12,1\n"
    with pytest.raises(DataFileError, match="CUSTOMER_ID is empty in 1 rows, first in row 2"):
        opened(tmp_path, f"{HEADER}\n{rows.format('')}")
    messages = list(opened(tmp_path, f"{HEADER}\n{rows.format('9')}").transactions())
    assert [each["terminal_id"] for each in messages] == ["3", "3", None]


def test_ids_in_single_quotes_lose_them_where_all_have_them(tmp_path):
    (message,) = opened(tmp_path, f"{HEADER}\n1,2018-04-01 00:00:31,'C1093826151','M1',3,0\n").transactions()
    assert (message["customer_id"], message["terminal_id"]) == ("C1093826151", "M1")
    assert as_texts(pa.array(["'a'", "o'b"])).to_pylist() == ["'a'", "o'b"]


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([12345678901.0, 123.0]), ["12345678901", "123"]),
        (pa.array([decimal.Decimal("7.00")]), ["7"]),
        (pa.array([7], pa.uint8()), ["7"]),
        (pa.array([b"t1"]), ["t1"]),
        (pa.array(["x"]).dictionary_encode().cast(pa.string()), ["x"]),
        (pa.array([" 007 "]), ["007"]),
    ],
)
def test_an_id_of_any_type_is_the_text_a_person_would_write(column, texts):
    assert as_texts(column).to_pylist() == texts


@pytest.mark.parametrize("wrong", [[0.5], [2.0**60], [float("inf")]])
def test_an_id_that_a_float_cannot_hold_is_a_sentence(tmp_path, wrong):
    with pytest.raises(DataFileError, match="the column card holds identifiers that are no whole numbers and no text"):
        parquet(tmp_path, card=wrong)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_plain_numbers_are_what_python_reads(numbers):
    assert as_numbers(pa.array(list(map(repr, numbers)))).to_pylist() == numbers


@given(st.lists(st.integers(10**12, 4 * 10**12), min_size=1))
def test_milliseconds_stay_what_they_are(times):
    assert as_times_ms(pa.array(times)).to_pylist() == times


def test_flags_as_numbers_stay_numbers():
    assert as_flags(pa.array([0, 1, 2])).to_pylist() == [0.0, 1.0, 2.0]


TRUTH = {"transaction_id": "t1", "label": 1, "revision": 0, "truth_time_ms": 1, "event_time_ms": 1, "customer_id": "c"}


@pytest.mark.parametrize(
    "text",
    [
        orjson.dumps([TRUTH]),
        orjson.dumps([TRUTH], option=orjson.OPT_INDENT_2),
        b"\xef\xbb\xbf" + orjson.dumps(TRUTH) + b"\n",
        b"\xef\xbb\xbf  " + orjson.dumps([TRUTH]),
    ],
)
def test_truths_in_an_array_or_behind_a_byte_order_mark_are_read(tmp_path, text):
    path = tmp_path / "truths.json"
    path.write_bytes(text)
    assert [message for _, message in TruthFile(path).interleaved()] == [TRUTH]


@pytest.mark.parametrize(("text", "complaint"), [(b"[1]", "truth 1 is no JSON object"), (b"[{", "is no JSON")])
def test_a_broken_array_of_truths_is_a_sentence(tmp_path, text, complaint):
    path = tmp_path / "truths.json"
    path.write_bytes(text)
    with pytest.raises(DataFileError, match=complaint):
        TruthFile(path)


def test_truths_with_decimals_times_and_bytes_are_written_as_the_job_reads_them(tmp_path):
    columns = {name: [value] for name, value in TRUTH.items()} | {
        "transaction_id": pa.array([b"t1"]),
        "label": pa.array([decimal.Decimal("1.00")]),
        "truth_time_ms": pa.array([datetime(2024, 1, 1, 0, 0, 31, tzinfo=UTC)], pa.timestamp("us")),
        "chargeback": pa.array([decimal.Decimal("12.50")]),
    }
    path = tmp_path / "truths.parquet"
    pa_parquet.write_table(pa.table(columns), path)
    ((_, message),) = TruthFile(path).interleaved()
    assert message == TRUTH | {"truth_time_ms": NEW_YEAR_MS, "chargeback": 12.5}
    assert orjson.loads(orjson.dumps(message)) == message
