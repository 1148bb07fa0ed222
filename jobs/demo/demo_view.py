"""How a demo looks while it runs: all its steps at once on a terminal, a line for each piece of news elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

__all__ = ["DemoView"]

QUIET_S = 10.0
"""Without a terminal a step tells how far it is no more often than this."""
MARKS = {"waiting": Text("·", "dim"), "done": Text("✓", "bold green"), "failed": Text("✗", "bold red")}
BAR_WIDTH = 40


@dataclass(slots=True)
class _Step:
    label: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    text: str = ""
    share: float | None = None
    begun: float = 0.0
    ended: float = 0.0
    told: float = 0.0


class DemoView:
    """The steps of a demo; a context manager.

    Parameters
    ----------
    console
        Where to show them; a live table if it is a terminal.
    title
        The line above them.
    steps
        Key and label of each, in the order in which they are shown.
    """

    def __init__(self, console: Console, title: str, steps: dict[str, str]) -> None:
        self._console, self._title = console, title
        self._steps = {key: _Step(label) for key, label in steps.items()}
        self._begun = time.monotonic()
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> DemoView:
        if self._console.is_terminal:
            self._live.start()
        else:
            self._print(self._title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key, step in self._steps.items():
            if step.state == "running":
                self.fail(key, step.text)
        if self._console.is_terminal:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._begun

    def tell(self, key: str, text: str, share: float | None = None, *, news: bool = False) -> None:
        """Say what a step does now, and which share of it is done; the first call begins it.

        Parameters
        ----------
        key
            The step.
        text
            What it does.
        share
            0 to 1; None where there is no telling.
        news
            Without a terminal, print it even if the step has just told something else.
        """
        step, now = self._steps[key], time.monotonic()
        if step.state == "waiting":
            step.state, step.begun = "running", now
        elif step.text == text or (now - step.told < QUIET_S and not news):
            step.text, step.share = text, share
            return
        step.text, step.share, step.told = text, share, now
        self._line(step, "")

    def done(self, key: str, text: str) -> None:
        """End a step, with what came of it."""
        self._end(key, text, "done")

    def fail(self, key: str, text: str) -> None:
        """End a step that went wrong."""
        self._end(key, text, "failed")

    def _end(self, key: str, text: str, state: Literal["done", "failed"]) -> None:
        step = self._steps[key]
        step.begun = step.begun or time.monotonic()
        step.state, step.text, step.share, step.ended = state, text, None, time.monotonic()
        self._line(step, "ok " if state == "done" else "FAILED ")

    def _line(self, step: _Step, mark: str) -> None:
        if not self._console.is_terminal:
            self._print(f"{self.seconds:6.1f} s  {mark}{step.label}: {step.text}")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def _render(self) -> RenderableType:
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        for step in self._steps.values():
            table.add_row(self._mark(step), Text(step.label, _style(step)), _body(step), _seconds(step))
        return Group(Text(self._title, "bold"), table, Text(f"{self.seconds:.0f} s", "dim"))

    def _mark(self, step: _Step) -> RenderableType:
        return self._spinner if step.state == "running" else MARKS[step.state]


def _style(step: _Step) -> str:
    return {"waiting": "dim", "running": "bold cyan", "failed": "bold red"}.get(step.state, "")


def _body(step: _Step) -> RenderableType:
    text = Text(step.text, "red" if step.state == "failed" else "")
    if step.share is None:
        return text
    bar = ProgressBar(total=1.0, completed=min(step.share, 1.0), width=BAR_WIDTH, complete_style="cyan")
    return Group(text, bar)


def _seconds(step: _Step) -> Text:
    if step.state == "waiting":
        return Text("")
    end = step.ended or time.monotonic()
    return Text(f"{end - step.begun:.1f} s", "dim")
