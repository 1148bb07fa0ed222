"""``weir status``: each component's state and address, the job, the sum, and how much truth has come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.table import Table

from connectors.kafka.reader import read_topic
from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from connectors.local.stack_state import StackState
from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.deployment_sums import deployment_sums
from jobs.job_figures import job_figures
from jobs.local_stack import local_stack
from jobs.report.figure_lines import figure_lines
from jobs.report.quality_summary import QualitySummary, quality_summary
from jobs.report.truth_lines import truth_lines
from jobs.serving.serving_mark import ServingMark
from jobs.settings import Settings
from jobs.stack_view import COLOURS
from jobs.submission import running_job
from jobs.tables.figures import tables_figures, tables_line

__all__ = ["status"]

TABLES_STAND_ON = {"iceberg_catalog": "postgres", "warehouse": "s3"}
"""What is no process of its own is as well as the component that carries it."""


def status(
    sums: Annotated[
        bool, typer.Option(help="Read the topics: whether the sum of offsets holds, how much truth has come.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show each component's state, address and memory, how the job keeps up, and whether each transaction was answered once.

    Per version also how much of the truth has come, how long it took, and what was set aside.

    Exit code 0 if all components are ready and no sum is off, else 1.

    Example: weir status --no-sums --json
    """
    with errors_as_sentences():
        stack = local_stack(Settings())
        document = status_document(stack)
        truth = None
        if sums and document["state"] == "ready":
            with stderr.status("reading the topics"):
                document["sums"] = deployment_sums(stack)
                truth = _truth(stack)
                document["truth"] = truth.to_json()
        if document["state"] == "ready" and (job_id := running_job(stack)):
            document["job"] = job_figures(FlinkRest(stack.ports.addresses()["flink"]), job_id)
        if document["state"] == "ready":
            document["tables"] = tables_figures(stack)
        if json:
            print_json(document)
        else:
            _print_table(document, truth_lines(truth) if truth else [])
    if document["state"] != "ready" or document.get("sums", {}).get("verdict") == "off":
        raise typer.Exit(1)


def status_document(stack: LocalStack) -> dict[str, Any]:
    """Return what ``weir status --json`` prints.

    Parameters
    ----------
    stack
        The stack to describe.

    Returns
    -------
    dict
        ``state``, ``home``, ``memory_mb``, and ``components`` with state, address, pid, restarts, log, memory_mb and
        sentence each; ``flink`` there stands for the JobManager and all TaskManagers together, ``api`` for ``weir serve``,
        ``iceberg_catalog`` and ``warehouse`` for what the tables stand on.
    """
    state = stack.status()
    memory = stack.memory_mb()
    addresses = stack.ports.addresses()
    components: dict[str, dict[str, Any]] = {}
    for name, each in state.components.items() if state is not None else ():
        components[name] = {
            "state": each.state,
            "address": addresses.get(name),
            "pid": each.pid or None,
            "restarts": each.restarts,
            "memory_mb": memory.get(name),
            "log": each.log,
            "sentence": each.sentence,
        }
    if state is not None and "jobmanager" in components:
        components["flink"] = {"state": _flink_state(state), "address": addresses["flink"]}
    components["api"] = _api(stack)
    for name, carrier in TABLES_STAND_ON.items():
        if carrier in components:
            components[name] = {"state": components[carrier]["state"], "address": addresses[name]}
    overall = state.state if state is not None else "stopped"
    return {
        "state": overall,
        "home": str(stack.home),
        "memory_mb": round(sum(memory.values()), 1),
        "components": components,
    }


def _api(stack: LocalStack) -> dict[str, Any]:
    """Return what is known of ``weir serve``, which nobody has to run: it never makes the stack less than ready."""
    mark = ServingMark.read(stack.home)
    if mark is None or (state := mark.state) == "stopped":
        return {"state": "stopped", "address": stack.ports.addresses()["api"], "pid": None}
    return {"state": state, "address": mark.address, "pid": mark.pid}


def _truth(stack: LocalStack) -> QualitySummary:
    def values(topic: str) -> Iterator[dict[str, Any]]:
        for record in read_topic(stack.ports.addresses()["kafka"], topic):
            if record.value:
                yield orjson.loads(record.value)

    return quality_summary(values("model_quality"), values("dead_letters"))


def _flink_state(state: StackState) -> str:
    """Return the state of the worst of Flink's processes."""
    states = {each.state for name, each in state.components.items() if name.startswith(("jobmanager", "taskmanager"))}
    return next(word for word in ("failed", "stopped", "restarting", "starting", "ready") if word in states)


def _print_table(document: dict[str, Any], truths: list[str]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "state", "address", "process", "restarts", "memory", "what happened"):
        justify: Literal["left", "right"] = "right" if heading in ("process", "restarts", "memory") else "left"
        table.add_column(heading, justify=justify, overflow="fold")
    for name, each in document["components"].items():
        table.add_row(
            name,
            f"[{COLOURS[each['state']]}]{each['state']}[/]",
            each["address"] or "",
            str(each.get("pid") or ""),
            str(each.get("restarts") or ""),
            f"{each['memory_mb']:.0f} MB" if each.get("memory_mb") else "",
            each.get("sentence", ""),
        )
    console = stdout if stdout.is_terminal else Console(width=200)  # a pipe has no width of its own
    console.print(table)
    stdout.print(f"{document['state']}; {document['memory_mb']:.0f} MB; home {document['home']}", highlight=False)
    if "job" in document:
        for line in figure_lines(document["job"]):
            stdout.print(line, highlight=False)
    if "tables" in document:
        stdout.print(tables_line(document["tables"]), highlight=False)
    if "sums" in document:
        total = document["sums"]
        stdout.print(f"job {total['job_id'] or 'not running: weir submit'}", highlight=False)
        stdout.print(f"sum {total['verdict']}: {total['text']}", highlight=False)
    for line in truths:
        stdout.print(line, highlight=False)
