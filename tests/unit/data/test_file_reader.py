from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from connectors.data.dataset import open_dataset
from udfs.domain.errors import DataFileError

CREDITCARD = ["Time", *(f"V{n}" for n in range(1, 29)), "Amount", "Class"]


def handbook(**changes) -> pd.DataFrame:
    """Return three rows as the book's simulator writes them, not in event order."""
    columns = {
        "TRANSACTION_ID": [10, 9, 2],
        "TX_DATETIME": pd.to_datetime(["2018-04-01 00:00:31", "2018-04-01 00:00:31", "2018-04-01 00:00:30"]),
        "CUSTOMER_ID": [596, 4961, 2],
        "TERMINAL_ID": [3156, 3412, 1365],
        "TX_AMOUNT": [57.16, 81.51, 146.0],
        "TX_FRAUD": [0, 1, 0],
    }
    return pd.DataFrame({**columns, **changes})


def written(folder: Path, frame: pd.DataFrame, kind: str) -> str:
    path = folder / f"data.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_handbooks_columns_are_recognised_and_put_in_event_order(tmp_path, kind):
    dataset = open_dataset(written(tmp_path, handbook(), kind))
    assert dataset.feature_set == "handbook"
    first, second, third = dataset.transactions()
    assert first == {
        "transaction_id": "2",
        "event_time_ms": 1_522_540_830_000,
        "customer_id": "2",
        "terminal_id": "1365",
        "amount": 146.0,
    }
    # Of one second, by number: as text, 10 would come before 9.
    assert (second["transaction_id"], third["transaction_id"]) == ("9", "10")
    assert [truth["label"] for truth in dataset.truths()] == [0, 1, 0]


def test_parquet_and_csv_give_the_same_messages(tmp_path, creditcard_extract):
    frame = pd.read_parquet(creditcard_extract).head(300)
    from_csv = open_dataset(written(tmp_path, frame, "csv"))
    from_parquet = open_dataset(written(tmp_path, frame, "parquet"))
    assert list(from_csv.interleaved()) == list(from_parquet.interleaved())


def test_the_credit_card_set_gets_row_numbers_and_a_thousand_customers(creditcard_extract):
    dataset = open_dataset(str(creditcard_extract))
    messages = list(dataset.transactions())
    assert dataset.feature_set == "creditcard"
    assert len(messages) == len(dataset) == 2_500
    assert messages[1_234]["transaction_id"] == "1234"
    assert messages[1_234]["customer_id"] == "234"
    assert "terminal_id" not in messages[0]
    assert {"Time", "V1", "V28", "Amount"} <= set(messages[0])
    frame = pd.read_parquet(creditcard_extract)
    assert messages[7]["event_time_ms"] == 1_377_993_600_000 + round(frame["Time"][7] * 1_000)
    assert messages[7]["V17"] == frame["V17"][7]
    assert messages[7]["amount"] == messages[7]["Amount"] == frame["Amount"][7]


def test_any_other_file_is_read_by_a_mapping(tmp_path):
    frame = pd.DataFrame(
        {
            "id": ["b", "a"],
            "at": [2_000, 1_000],
            "card": ["007", "08"],
            "value": [1, 2],
            "bad": [1, 0],
            "hue": ["x", "y"],
        }
    )
    path = written(tmp_path, frame, "csv")
    names = {"transaction_id": "id", "event_time_ms": "at", "customer_id": "card", "amount": "value"}
    dataset = open_dataset(path, mapping={**names, "label": "bad", "colour": "hue"})
    first, second = dataset.transactions()
    assert first == {"transaction_id": "a", "event_time_ms": 1_000, "customer_id": "08", "amount": 2.0, "colour": "y"}
    assert second["customer_id"] == "007"
    assert [truth["label"] for truth in dataset.truths()] == [0, 1]
    assert open_dataset(path, mapping=names).truth_count == 0


def test_what_is_mapped_wins_over_what_is_recognised(tmp_path, creditcard_extract):
    frame = pd.read_parquet(creditcard_extract).head(3).assign(card=["x", "y", "z"])
    dataset = open_dataset(written(tmp_path, frame, "parquet"), mapping={"customer_id": "card"})
    assert [each["customer_id"] for each in dataset.transactions()] == ["x", "y", "z"]
    assert dataset.feature_set == "creditcard"


def test_times_with_a_zone_and_as_text_become_utc(tmp_path):
    zoned = handbook(TX_DATETIME=pd.to_datetime(["2018-04-01T02:00:31+02:00"] * 3))
    text = handbook(TX_DATETIME=["2018-04-01T00:00:31Z"] * 3)
    for number, frame in enumerate((zoned, text)):
        (tmp_path / str(number)).mkdir()
        dataset = open_dataset(written(tmp_path / str(number), frame, "parquet"))
        assert dataset.first_event_ms == 1_522_540_831_000


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (handbook().drop(columns=["TERMINAL_ID"]), "lacks the column TERMINAL_ID of the handbook set"),
        (
            handbook().drop(columns=["TERMINAL_ID", "TX_FRAUD"]),
            "lacks the columns TERMINAL_ID, TX_FRAUD of the handbook set",
        ),
        (
            pd.DataFrame({name: [1.0] for name in CREDITCARD if name not in ("V7", "Class")}),
            "lacks the columns Class, V7 of the creditcard set",
        ),
        (pd.DataFrame({"a": [1], "b": [2]}), "lacks columns for transaction_id, event_time_ms, customer_id, amount"),
        (handbook(TX_FRAUD=[0, 2, 1]), "TX_FRAUD holds 2; a label is 0 or 1"),
        (handbook(TX_AMOUNT=[1.0, float("inf"), 2.0]), "TX_AMOUNT holds NaN or infinity"),
        (handbook(TX_AMOUNT=["a", "b", "c"]), "TX_AMOUNT is of type string; numbers are needed"),
        (handbook(TX_DATETIME=["soon", "later", "never"]), "TX_DATETIME is of type string; times are needed"),
        (handbook(CUSTOMER_ID=["a", None, "b"]), "CUSTOMER_ID is empty in 1 rows, first in row 2"),
        (handbook().head(0), "holds no rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_that_says_why(tmp_path, frame, complaint):
    with pytest.raises(DataFileError) as error:
        open_dataset(written(tmp_path, frame, "parquet"))
    assert complaint in str(error.value)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mapped_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFileError, match="lacks the column card; it has TRANSACTION_ID"):
        open_dataset(written(tmp_path, handbook(), "csv"), mapping={"customer_id": "card"})


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more", b"\x00\xff\x00\xff", b'a,b\n1,"2\n'])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match="broken"):
        open_dataset(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataFileError, match="No such file"):
        open_dataset(str(tmp_path / "nothing.csv"))


def test_transactions_without_a_terminal_have_none(tmp_path):
    dataset = open_dataset(written(tmp_path, handbook(TERMINAL_ID=["t", None, "u"]), "parquet"))
    assert sorted(each["terminal_id"] or "" for each in dataset.transactions()) == ["", "t", "u"]
