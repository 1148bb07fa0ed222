"""The command ``weir``: one verb, one job, one file in ``jobs/commands``."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from connectors.loopback import keep_to_ourselves

__all__ = ["main"]

# Verb: what it is for, in the order of a first tour. The module of a verb is imported only when it is asked for.
VERBS = {
    "demo": "the whole system in a few minutes, on this machine",
    "up": "start the local stack",
    "down": "stop the local stack",
    "status": "what runs, where, and whether the sum holds",
    "submit": "start the scoring job",
    "upgrade": "bring changed code or settings to run, by savepoint",
    "scale": "run the scoring job on more or fewer TaskManagers",
    "stop": "stop the scoring job with a savepoint",
    "produce": "send transactions and truths to Kafka",
    "features": "feature sets, and what is in them",
    "backfill": "features of recorded transactions, as the stream makes them",
    "parity": "recorded features against recomputed ones",
    "train": "train and register a model version",
    "retrain": "train, try and promote versions from the tables, by a policy",
    "promote": "give a role to a version",
    "rollback": "give a role back to the version before",
    "models": "list versions and roles",
    "compare": "two versions on the same transactions",
    "backtest": "replay recorded events through a version",
    "threshold": "what thresholds catch, for so many alerts a day",
    "reproduce": "train a version again from its record",
    "serve": "answer over HTTP: the interactive API",
    "verify": "make scores again and compare them",
    "explain": "everything about one transaction",
    "report": "the page as one static file, and its charts",
    "notify": "send alerts to a webhook, each once for its receiver",
    "sql": "ask the tables in Flink's SQL client",
    "erase": "remove a customer from the tables",
}

# Tracebacks of faults of ours are Python's own: typer's show local variables, and those may hold secrets.
PLAIN: Any = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


class LazyVerbs(TyperGroup):
    """A group whose commands are imported when they are used, so that ``weir --help`` answers at once."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the verbs in the order of the tour."""
        return list(VERBS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ANN401
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"jobs.commands.{cmd_name}")
        app = typer.Typer(**PLAIN)
        app.command(cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: object, formatter: object) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):  # type: ignore[attr-defined]
            formatter.write_dl(list(VERBS.items()))  # type: ignore[attr-defined]


app = typer.Typer(cls=LazyVerbs, no_args_is_help=True, **PLAIN)


@app.callback()
def weir() -> None:
    """Score a stream of card transactions with models that change while it runs.

    Every verb has --help with an example and --json for programs. Exit codes: 0 done, 1 a check failed, 2 a mistake or a
    component that is down.
    """


def main() -> None:
    """Run the command line."""
    keep_to_ourselves()
    app(args=sys.argv[1:], prog_name="weir")
