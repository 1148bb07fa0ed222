"""How the stack looks to a person while it starts or stops: a table on a terminal, a line per change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from connectors.local.stack_state import StackState
from jobs.console import stderr

__all__ = ["StackView", "download_progress"]

COLOURS = {"ready": "green", "starting": "yellow", "restarting": "yellow", "failed": "red", "stopped": "dim"}


class StackView:
    """Shows the states a stack goes through; a context manager whose :meth:`show` is called with each.

    Parameters
    ----------
    quiet
        Show nothing, for ``--json``.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._begun = time.monotonic()
        self._seen: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self._quiet = quiet
        self._live = (
            None if quiet or not stderr.is_terminal else Live(console=stderr, refresh_per_second=8, transient=True)
        )

    def __enter__(self) -> StackView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, state: StackState) -> None:
        """Show a state; cheap to call again with the same."""
        elapsed = time.monotonic() - self._begun
        for name, each in state.components.items():
            word = each.state if each.state == "ready" else f"{each.state} {each.doing}".strip()
            if self._seen.get(name) == word:
                continue
            news = name in self._seen or each.state != "ready"  # that a running stack is ready is none
            self._seen[name] = word
            self._seconds[name] = elapsed
            if news and self._live is None and not self._quiet:
                stderr.print(f"{elapsed:5.1f} s  {name}: {word}", highlight=False, markup=False)
        if self._live is not None:
            self._live.update(self._table(state, elapsed))

    def _table(self, state: StackState, elapsed: float) -> Table:
        table = Table(box=None, show_header=False, caption=f"{elapsed:.0f} s", caption_justify="left")
        for name, each in state.components.items():
            colour = COLOURS[each.state]
            since = f"{self._seconds[name]:.1f} s" if each.state == "ready" else ""
            table.add_row(name, f"[{colour}]{each.state}[/]", each.doing, since)
        return table


@contextmanager
def download_progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Show one bar for all downloads, only on a terminal and only once something is downloaded."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bars:
        yield bars
