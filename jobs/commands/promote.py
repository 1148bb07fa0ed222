"""``weir promote``: give a version a role, which deploys it."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.registry_access import registry_of
from jobs.settings import Settings
from model_store.registry import Registry

__all__ = ["promote", "promote_version"]


def promote(
    model: Annotated[str, typer.Argument(help="The registered model, for example fraud.")],
    version: Annotated[str, typer.Argument(help="Its version, for example 2.")],
    role: Annotated[
        str, typer.Option(help="champion, or the name of a challenger that scores beside it.")
    ] = "champion",
    threshold: Annotated[float | None, typer.Option(help="Score from which on the champion raises alerts.")] = None,
    effective_from_ms: Annotated[
        int | None, typer.Option(help="Event time from which it counts, for activation = event_time.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Score at once, also while the windows of its feature set are not full.")
    ] = False,
    why: Annotated[str, typer.Option(help="The reason, kept with the deployment.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Deploy a version while the stream runs: write its tags in MLflow, then the alias.

    Where the stream is younger than a window of the version's feature set, its predecessor goes on until the window is full
    in event time; with --force it scores at once, and its inferences carry warming_up.

    Example: weir promote fraud 2 --threshold 0.9 --why "trained on July"
    """
    with errors_as_sentences():
        registry = registry_of(Settings())
        promote_version(
            registry,
            model,
            version,
            role,
            threshold=threshold,
            effective_from_ms=effective_from_ms,
            why=why,
            force=force,
        )
        if as_json:
            print_json({"model": model, "version": version, "role": role})
        else:
            stdout.print(f"{model} version {version} is {role}.", highlight=False)


def promote_version(
    registry: Registry,
    model: str,
    version: str,
    role: str = "champion",
    *,
    threshold: float | None = None,
    effective_from_ms: int | None = None,
    why: str = "",
    force: bool = False,
) -> None:
    """Write the tags of a deployment, then the alias; the trigger in MLflow's tables does the rest.

    Parameters
    ----------
    registry
        MLflow.
    model, version, role
        What gets which role.
    threshold
        Replaces the version's own; None keeps it.
    effective_from_ms
        Event time from which it counts; None keeps what the version has.
    why
        The reason, kept with the deployment.
    force
        Score at once, also while the windows of its feature set are not full.

    Raises
    ------
    RegistryError
        When there is no such version, or it has no artifact.
    """
    # always written: a promotion without it takes an earlier one's word back
    tags = {"weir.who": getpass.getuser(), "weir.why": why, "weir.forced": str(force).lower()}
    if threshold is not None:
        tags["weir.threshold"] = repr(threshold)
    if effective_from_ms is not None:
        tags["weir.effective_from_ms"] = str(effective_from_ms)
    registry.set_tags(model, version, tags)
    registry.set_alias(model, role, version)
