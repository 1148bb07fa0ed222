from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from connectors.data.dataset import Dataset, open_dataset
from jobs.backfill.run_backfill import run_backfill
from jobs.cli import app
from jobs.training.training_examples import examples_of
from tests.unit.backfill.handbook_oracle import handbook_features
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS

HANDBOOK = FEATURE_SETS["handbook"]


def frame(rows: int = 900, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    seconds = np.sort(random.choice(60 * 86_400, rows, replace=False))
    return pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(rows),
            "TX_DATETIME": pd.to_datetime(seconds, unit="s"),
            "CUSTOMER_ID": random.integers(0, 12, rows),
            "TERMINAL_ID": random.integers(0, 9, rows),
            "TX_AMOUNT": random.integers(1, 30_000, rows) / 100,
            "TX_FRAUD": (random.random(rows) < 0.1).astype(int),
        }
    )


def backfilled(data: pd.DataFrame, folder: Path, *arguments: str) -> pd.DataFrame:
    source, out = folder / "in.parquet", folder / "out.parquet"
    data.to_parquet(source)
    # a process of its own, as its helpers' processes outlive a pool
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "backfill", "--json"]
    command += ["--data", str(source), "--out", str(out), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return pq.read_table(out).to_pandas()


def test_the_verb_gives_the_books_features_whatever_order_the_file_is_in(tmp_path: Path) -> None:
    data = frame()
    found = backfilled(data.sample(frac=1, random_state=1), tmp_path)
    assert list(found.columns) == ["TRANSACTION_ID", *HANDBOOK.features]
    assert found["TRANSACTION_ID"].tolist() == data["TRANSACTION_ID"].tolist(), "in event order"
    expected = handbook_features(data)
    for name in HANDBOOK.features:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9, err_msg=name)


def test_a_transaction_without_terminal_has_empty_terminal_windows(tmp_path: Path) -> None:
    data = frame(200)
    data["TERMINAL_ID"] = data["TERMINAL_ID"].astype(str)
    data.loc[data.index % 5 == 0, "TERMINAL_ID"] = None
    found = backfilled(data, tmp_path, "--processes", "1").set_index("TRANSACTION_ID")
    expected = handbook_features(data)
    for name in HANDBOOK.features:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9, err_msg=name)
    assert found.loc[0, "TERMINAL_ID_NB_TX_30DAY_WINDOW"] == 0


def test_a_repeated_transaction_is_left_out_and_counts_in_no_window(tmp_path: Path) -> None:
    data = frame(300)
    again = data.iloc[[10, 20, 250]].assign(TX_DATETIME=lambda rows: rows["TX_DATETIME"] + pd.Timedelta(hours=1))
    once = backfilled(data, tmp_path, "--processes", "1")
    twice = backfilled(pd.concat([data, again]), tmp_path, "--processes", "1")
    pd.testing.assert_frame_equal(once, twice)


def test_a_later_truth_counts_later() -> None:
    dataset = open_dataset("generator", rows=2_000, seed=5, days=50, truth_delay_ms=10 * 86_400_000)
    examples = [example.vector for example in examples_of(dataset, HANDBOOK)]
    found = run_backfill(dataset, HANDBOOK, processes=1)
    assert [dict(zip(HANDBOOK.features, row, strict=True)) for row in found.values.tolist()] == examples


def test_a_set_of_message_fields_is_filled_from_them(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "data/creditcard_2500.parquet"
    dataset = open_dataset(path)
    found = run_backfill(dataset, FEATURE_SETS["creditcard"], processes=1)
    expected = pd.read_parquet(path)[list(FEATURE_SETS["creditcard"].features)]
    np.testing.assert_array_equal(found.values, expected.to_numpy())


def test_missing_fields_are_one_sentence() -> None:
    dataset: Dataset = open_dataset("generator", rows=10)
    with pytest.raises(SettingsError, match="The data has no Time, V1"):
        run_backfill(dataset, FEATURE_SETS["creditcard"], processes=1)


@pytest.mark.parametrize("arguments", [["--features", "none"], ["--out", "/no/such/folder/f.parquet"]])
def test_mistakes_are_told_before_the_work(tmp_path: Path, arguments: list[str]) -> None:
    out = ["--out", str(tmp_path / "f.parquet")]
    ran = CliRunner().invoke(app, ["backfill", "--data", "generator", *out, *arguments])
    assert ran.exit_code == 2
    assert not list(tmp_path.iterdir())
