"""The training process, played by a few lines of Python: it answers, refuses, dies, and never makes anybody wait."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict

import orjson
import psutil
import pytest

from jobs.demo.trainer import Trainer
from jobs.demo.training_order import TrainingOrder
from jobs.training.train_version import TrainedVersion
from udfs.domain.errors import JobError

ORDER = TrainingOrder("generator", 5_000, 82, 1_200, "half-space-trees")
TRAINED = TrainedVersion("fraud", "1", "d", "half-space-trees", "handbook@1", 0.9, 7, 1_200, 3, 0.8, None, 99)


def script(*answers, then="") -> list[str]:
    """Return a command that prints these answers to each order."""
    lines = [orjson.dumps(answer).decode() for answer in answers]
    program = f"import sys, time\nfor order in sys.stdin:\n  for line in {lines!r}: print(line, flush=True)\n  {then}"
    return [sys.executable, "-c", program]


def test_a_version_is_trained_and_its_progress_is_told(tmp_path):
    told = []
    answers = ({"seen": 500}, {"seen": 1_200}, {"trained": asdict(TRAINED)})
    with Trainer(tmp_path / "logs" / "t.log", script(*answers)) as trainer:
        for _ in range(2):
            trainer.order(ORDER)
            assert trainer.wait(told.append) == TRAINED
    assert told[0] == 0


def test_asking_does_not_wait(tmp_path):
    with Trainer(tmp_path / "t.log", script({"seen": 5}, then="time.sleep(60)")) as trainer:
        trainer.order(ORDER)
        deadline = time.monotonic() + 10
        while trainer.seen != 5 and time.monotonic() < deadline:
            assert trainer.poll() is None
            time.sleep(0.01)
        assert trainer.seen == 5
        (child,) = psutil.Process().children()
    assert not child.is_running()


def test_what_the_process_refuses_is_said_in_its_words(tmp_path):
    with Trainer(tmp_path / "t.log", script({"error": "MLflow does not answer."})) as trainer:
        trainer.order(ORDER)
        with pytest.raises(JobError, match=r"^MLflow does not answer\.$"):
            trainer.wait()


def test_a_process_that_dies_is_noticed(tmp_path):
    with Trainer(tmp_path / "t.log", script({"seen": 1}, then="sys.exit(3)")) as trainer:
        trainer.order(ORDER)
        with pytest.raises(JobError, match=r"ended before it had trained a version; its output is in .*t\.log"):
            trainer.wait()
