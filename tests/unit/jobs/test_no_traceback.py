"""A verb that finds no stack says so in a sentence: no traceback, and an exit code that means what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PORTS_OF_NOBODY = "61000"
VERBS_WITHOUT_A_STACK = [
    ["submit"],
    ["upgrade"],
    ["scale", "2"],
    ["stop"],
    ["produce", "/nope.csv"],
    ["backfill", "/nope.csv"],
    ["parity"],
    ["train", "--data", "/nope"],
    ["retrain"],
    ["promote", "nobody", "99"],
    ["rollback", "nobody"],
    ["models", "nobody"],
    ["compare", "98", "99"],
    ["backtest", "99"],
    ["threshold", "99"],
    ["reproduce", "99"],
    ["verify"],
    ["explain", "nobody"],
    ["report"],
    ["sql"],
    ["erase", "nobody"],
    ["features", "nobody"],
    ["nonsense"],
]


@pytest.mark.parametrize("words", VERBS_WITHOUT_A_STACK, ids=" ".join)
def test_a_verb_with_the_stack_down_or_an_unknown_name_ends_with_a_sentence(words: list[str], tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    ended = subprocess.run(
        [sys.executable, "-c", "from jobs.cli import main; main()", *words],
        env=kept | {"WEIR_HOME": str(tmp_path / "home"), "WEIR_PORT_BASE": PORTS_OF_NOBODY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    assert ended.returncode in (1, 2), said
    assert said.strip()
