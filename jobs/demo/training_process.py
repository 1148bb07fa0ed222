"""The process beside the demo that trains its versions: ``python -m jobs.demo.training_process``.

It reads one order a line from standard input and answers on standard output with lines of JSON: ``{"seen": n}`` while it
trains, then ``{"trained": {...}}`` or ``{"error": "sentence"}``. It ends when standard input does. A process of its own,
so that training takes neither the interpreter that sends transactions nor, being nice, the job's share of the machine.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

import orjson

from jobs.demo.training_order import TrainingOrder
from jobs.registry_access import metadata_store_of, registry_of
from jobs.settings import Settings
from jobs.training.train_version import train_version
from udfs.domain.errors import WeirError

__all__ = ["main"]


def main() -> None:
    """Answer orders until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which ends this process
    # What a library prints must not get among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin.buffer:
        try:
            _say(answers, {"trained": _train(TrainingOrder.from_json(line), answers)})
        except WeirError as error:
            _say(answers, {"error": str(error)})


def _train(order: TrainingOrder, answers: BinaryIO) -> dict[str, Any]:
    os.nice(order.nice)
    settings, dataset = Settings(), order.dataset()
    trained = train_version(
        dataset,
        registry=registry_of(settings),
        store=metadata_store_of(settings),
        model=settings.model,
        algorithm=order.algorithm,
        feature_set=dataset.feature_set,
        progress=lambda seen: _say(answers, {"seen": seen}),
    )
    return asdict(trained)


def _say(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
