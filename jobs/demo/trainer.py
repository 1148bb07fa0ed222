"""Has versions trained in a process of its own, and says how far it is without ever making its caller wait."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from jobs.demo.training_order import TrainingOrder
from jobs.training.train_version import TrainedVersion
from udfs.domain.errors import JobError

__all__ = ["Trainer"]

COMMAND = (sys.executable, "-m", "jobs.demo.training_process")


class Trainer:
    """The training process, started at once so that its imports are over when the first order comes.

    Parameters
    ----------
    log
        File for what the process writes to standard error.
    command
        What to start.
    """

    def __init__(self, log: Path, command: Sequence[str] = COMMAND) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, start_new_session=True
            )
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.seen = 0
        """How many transactions the version under way has learned from."""
        threading.Thread(target=self._listen, daemon=True, name="trainer").start()

    def __enter__(self) -> Trainer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # what it has written is written; a version that is half trained is none
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def order(self, order: TrainingOrder) -> None:
        """Have a version trained; one at a time."""
        assert self._process.stdin is not None
        self.seen = 0
        try:
            self._process.stdin.write(order.to_json() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def poll(self) -> TrainedVersion | None:
        """Return the version if it is trained, None while it is not.

        Raises
        ------
        JobError
            If it could not be trained; the text says why.
        """
        while not self._answers.empty():
            answer = self._answers.get()
            if answer is None:
                raise self._ended()
            if "error" in answer:
                raise JobError(answer["error"])
            if "trained" in answer:
                return TrainedVersion(**answer["trained"])
            self.seen = answer["seen"]
        return None

    def wait(self, told: Callable[[int], None] = lambda seen: None) -> TrainedVersion:
        """Wait for the version; ``told`` is called now and then with what it has learned from so far."""
        while (trained := self.poll()) is None:
            told(self.seen)
            time.sleep(0.05)
        return trained

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._answers.put(orjson.loads(line))
        except ValueError:
            pass  # closed on the way out
        self._answers.put(None)

    def _ended(self) -> JobError:
        return JobError(f"the process that trains ended before it had trained a version; its output is in {self._log}")
