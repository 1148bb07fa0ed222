"""Files of truths: three formats, one content; every wrong one is refused before anything is sent."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from connectors.data.truth_file import TruthFile
from udfs.domain.errors import DataFileError

TRUTHS = [
    {"transaction_id": "t1", "label": 1, "revision": 0, "truth_time_ms": 9, "event_time_ms": 5, "customer_id": "007"},
    {"transaction_id": "t1", "label": 0, "revision": 1, "truth_time_ms": 12, "event_time_ms": 5, "customer_id": "007",
     "intervened": True},
]  # fmt: skip


def write(tmp_path, kind: str):
    path = tmp_path / f"truths.{kind}"
    if kind == "jsonl":
        path.write_bytes(b"\n".join(map(orjson.dumps, TRUTHS)) + b"\n\n")
    elif kind == "csv":
        path.write_text(
            "transaction_id,label,revision,truth_time_ms,event_time_ms,customer_id,intervened\n"
            "t1,1,0,9,5,007,\nt1,0,1,12,5,007,true\n"
        )
    else:
        pa_parquet.write_table(pa.Table.from_pylist([{"intervened": None} | truth for truth in TRUTHS]), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_each_format_gives_the_same_truths_in_the_files_order(tmp_path, kind):
    file = TruthFile(write(tmp_path, kind))
    assert [(topic, message) for topic, message in file.interleaved()] == [("truths", truth) for truth in TRUTHS]
    assert (len(file), file.truth_count, file.last_event_ms, file.last_time_ms) == (0, 2, 5, 12)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"transaction_id": "t1"}', r"truth 1: label .*Nothing was sent"),
        ('{"transaction_id": "t1", ', r"line 1 is no JSON"),
        ('{"a": 1}\n[1]', r"line 2 is no JSON object"),
        ("transaction_id,label\nt1,maybe\n", r"truth 1: label"),
        ('{"control": "close", "event_time_ms": 5}', r"truth 1 is a closing record"),
    ],
)
def test_a_wrong_truth_is_refused_with_its_place(tmp_path, text, sentence):
    path = tmp_path / "truths"
    path.write_text(text)
    with pytest.raises(DataFileError, match=sentence):
        TruthFile(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(DataFileError, match="No such file or directory"):
        TruthFile(tmp_path / "nowhere")
