"""Each verb is one file with one function of its name, and its --help says what it does and shows an example."""

from __future__ import annotations

import importlib
import inspect

import pytest
import typer
from typer.testing import CliRunner

from jobs import cli
from tests.unit.house.source_tree import ROOT

VERBS = sorted(path.stem for path in (ROOT / "jobs/commands").glob("*.py") if path.stem != "__init__")


def help_faults(verb: str, function) -> list[str]:
    """Tell what the help of a verb lacks."""
    app = typer.Typer(add_completion=False)
    app.command(verb)(function)
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"}, prog_name="weir")
    text = " ".join(shown.output.split())
    faults = [] if shown.exit_code == 0 else [f"--help ends with {shown.exit_code}"]
    _, example, after = text.partition("Example")
    if not (example and f"weir {verb}" in after):
        faults.append("its help has no example")
    faults += [f"{name} is not explained" for name in _silent_options(function)]
    return faults


def _silent_options(function) -> list[str]:
    hints = inspect.get_annotations(function, eval_str=True)
    hints.pop("return", None)
    return [
        name
        for name, hint in hints.items()
        if hint is not typer.Context
        and not any(getattr(extra, "help", None) for extra in getattr(hint, "__metadata__", ()))
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_explains_itself_with_an_example(verb):
    module = importlib.import_module(f"jobs.commands.{verb}")
    assert verb in module.__all__
    assert help_faults(verb, getattr(module, verb)) == []


def test_the_command_line_offers_the_verbs_that_there_are_and_no_others():
    command = typer.main.get_command(cli.app)
    assert set(command.list_commands(typer.Context(command))) == set(VERBS)


def test_a_verb_without_an_example_is_found():
    def stop(now: bool = False):
        """Stop it."""

    assert help_faults("stop", stop) == ["its help has no example", "now is not explained"]
