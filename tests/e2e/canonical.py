"""Makes the canonical savepoint of a version: ``python -m tests.e2e.canonical tests/data/savepoint-0.1.0``.

A small job on a stack of its own: one champion and one challenger deployed by rows, 2,000 generated transactions with their
truths, stopped with a savepoint. It is kept in the repository so that every later version can be started from it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from jobs.submission import stop_job
from model_store.artifact import digest
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring

MODEL, ROWS = "canonical", 2_000


def make(target: Path) -> None:
    """Run the job and put its savepoint, with what is known of it, into ``target``."""
    with tempfile.TemporaryDirectory(prefix="weir-canonical-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            scoring = Scoring(local, model=MODEL)
            scoring.deploy(trained(1), "1")
            scoring.deploy(trained(2), "2", role="challenger")
            scoring.submit()
            scoring.produce(stream(ROWS))
            scoring.wait_for_sum(ROWS)
            savepoint = Path(urlsplit(stop_job(scoring.stack)).path)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(savepoint, target)
        finally:
            local.stack.down(purge=True)
    known = {
        "model": MODEL,
        "rows": ROWS,
        "shards": scoring.settings.shards,
        "champion": digest(trained(1)),
        "challenger": digest(trained(2)),
        "made_by": "python -m tests.e2e.canonical",
    }
    (target / "savepoint.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
