"""The progress bar of long work, on stderr, so that what a verb prints stays clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from jobs.console import stderr

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Show a bar while the block runs, where there is a terminal.

    Parameters
    ----------
    what
        Said in front of the bar.
    total
        How much there is to do; None while that is not known.
    quiet
        Show nothing, for ``--json``.

    Yields
    ------
    callable
        To be called with how much is done and, where it was not known before, how much there is to do.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    shown = not quiet and stderr.is_terminal
    with Progress(*columns, *times, console=stderr, disable=not shown, transient=True) as progress:
        task = progress.add_task(what, total=total, speed="")

        def done(count: int, total: int | None = None) -> None:
            elapsed = progress.tasks[0].elapsed
            speed = f"{count / elapsed:,.0f}/s" if elapsed else ""
            progress.update(task, completed=count, total=total, speed=speed)

        yield done
