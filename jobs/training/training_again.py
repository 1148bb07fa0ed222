"""Starts the fresh process that trains a recorded version again, from the code the record holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import orjson

from jobs.training.recorded_version import RecordedVersion

__all__ = ["train_in_fresh_process"]

# -I: neither the working folder nor PYTHONPATH nor a user's packages; -B: no bytecode of another run's.
COMMAND = (sys.executable, "-I", "-B", "-c")
START = "import sys; sys.path.insert(0, sys.argv[1]); from jobs.train_again import main; main()"
KEPT_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
MOST_SAID = 400


def train_in_fresh_process(
    recorded: RecordedVersion, data: Path | None, parent: bytes | None, progress: Callable[[int], None]
) -> tuple[bytes | None, str | None]:
    """Train a version again in a process that imports the recorded code and starts with empty caches.

    Parameters
    ----------
    recorded
        The version.
    data
        Its data file; None for generated data.
    parent
        The artifact it goes on from, trained again before.
    progress
        Called with the number of transactions trained on.

    Returns
    -------
    tuple
        The artifact, or else what went wrong in a sentence.
    """
    with TemporaryDirectory(prefix="weir-reproduce-") as name:
        folder = Path(name)
        code, out, before = folder / "source.zip", folder / "artifact.weir", folder / "parent.weir"
        code.write_bytes(recorded.source)
        if parent is not None:
            before.write_bytes(parent)
        request = {
            "record": recorded.record,
            "data": None if data is None else str(data.resolve()),
            "parent": None if parent is None else str(before),
            "out": str(out),
        }
        environment = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
        with (folder / "errors").open("w+b") as errors:
            process = subprocess.Popen(
                [*COMMAND, START, str(code)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={**environment, "NUMBA_CACHE_DIR": str(folder / "numba")},
            )
            try:
                problem = _converse(process, orjson.dumps(request), str(code), progress)
            finally:
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()
            if problem is None and not out.is_file():
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines()
                problem = f"The recorded code of version {recorded.version} does not run: " + (
                    said[-1][:MOST_SAID] if said else "it said nothing."
                )
        return (out.read_bytes(), None) if problem is None else (None, problem)


def _converse(
    process: subprocess.Popen[bytes], request: bytes, code: str, progress: Callable[[int], None]
) -> str | None:
    """Ask, and listen until the process has no more to say; return what it complains about."""
    assert process.stdin is not None
    assert process.stdout is not None
    _ask(process.stdin, request)
    for line in process.stdout:
        answer = orjson.loads(line)
        if "error" in answer:
            return str(answer["error"])
        if "seen" in answer:
            progress(answer["seen"])
        elif not answer["code"].startswith(code):
            return f"The process trained with {answer['code']} instead of the recorded code."
    process.wait()
    return None


def _ask(pipe: IO[bytes], request: bytes) -> None:
    try:
        pipe.write(request)
        pipe.close()
    except BrokenPipeError:
        pass  # it ended already; what it wrote says why
