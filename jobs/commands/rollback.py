"""``weir rollback``: give a role back to the version that had it before."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from connectors.postgres.activation_record import ActivationRecord
from jobs.commands.promote import promote_version
from jobs.console import errors_as_sentences, print_json, stdout
from jobs.registry_access import metadata_store_of, registry_of
from jobs.settings import Settings
from udfs.domain.errors import RegistryError

__all__ = ["previous_activation", "rollback"]


def rollback(
    model: Annotated[str, typer.Argument(help="The registered model, for example fraud.")],
    role: Annotated[str, typer.Option(help="champion, or the name of a challenger.")] = "champion",
    why: Annotated[str, typer.Option(help="The reason, kept with the deployment.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Deploy the version before the present one again, with the threshold it had; twice is back where you were.

    Example: weir rollback fraud --why "too many alerts"
    """
    with errors_as_sentences():
        settings = Settings()
        registry = registry_of(settings)
        known = {version.version for version in registry.versions(model)}
        present, before = previous_activation(metadata_store_of(settings).history(model), model, role, known)
        promote_version(
            registry,
            model,
            before.version,
            role,
            threshold=before.threshold,
            why=why or f"rollback of version {present.version}",
        )
        if as_json:
            print_json({"model": model, "role": role, "from": present.version, "to": before.version})
        else:
            stdout.print(f"{model} version {before.version} is {role} again, {present.version} was.", highlight=False)


def previous_activation(
    history: list[ActivationRecord], model: str, role: str, known: Collection[str]
) -> tuple[ActivationRecord, ActivationRecord]:
    """Return a role's present activation, and the newest one before it of another version.

    Parameters
    ----------
    history
        Activations, the newest first.
    model, role
        Whose.
    known
        Versions that MLflow has; a version that was deployed by a row alone cannot be given an alias again.

    Raises
    ------
    RegistryError
        When the role has had fewer than two versions, or MLflow has none of the others any more.
    """
    active = [row for row in history if row.model == model and row.role == role and not row.retired]
    for row in active[1:]:
        if row.version != active[0].version and row.version in known:
            return active[0], row
    gone = list(dict.fromkeys(row.version for row in active if row.version != active[0].version))
    if gone:
        had = f"MLflow has none of the versions that were {role} of {model} before ({', '.join(gone)}) any more"
    else:
        had = f"{model} has had {f'only version {active[0].version}' if active else 'none'} as {role}"
    msg = f"There is no version to go back to: {had}. See weir models {model}."
    raise RegistryError(msg)
