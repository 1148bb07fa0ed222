"""How a verb talks to a person or a program: one console, one way to print JSON, one way to fail."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console

from udfs.domain.errors import WeirError

__all__ = ["errors_as_sentences", "print_json", "stderr", "stdout", "steps"]

stdout = Console(soft_wrap=True)
stderr = Console(stderr=True, soft_wrap=True)


def print_json(value: Any) -> None:  # noqa: ANN401
    """Print one JSON document for programs, nothing else on the same stream."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()  # a verb that goes on running would keep it in a pipe's buffer


@contextmanager
def steps(first: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done, one step at a time: in place on a terminal, elsewhere a line each with the seconds so far."""
    if stderr.is_terminal:
        with stderr.status(first) as status:
            yield status.update
        return
    begun = time.monotonic()
    last = ""

    def line(step: str) -> None:
        nonlocal last
        if step != last:
            last = step
            stderr.print(f"{time.monotonic() - begun:5.1f} s  {step}", markup=False, highlight=False)

    line(first)
    yield line


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn a :class:`WeirError` into its sentence and exit code 2, and Ctrl-C into exit code 130."""
    try:
        yield
    except WeirError as error:
        stderr.print(f"weir: {error}", style="red", markup=False, highlight=False)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        stderr.print("weir: interrupted")
        raise SystemExit(130) from None
