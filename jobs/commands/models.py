"""``weir models``: the versions of a model, and what is deployed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from connectors.postgres.activation_record import ActivationRecord
from jobs.console import errors_as_sentences, print_json, stdout
from jobs.registry_access import metadata_store_of, registry_of
from jobs.settings import Settings
from model_store.model_version import ModelVersion

__all__ = ["models"]


def models(
    model: Annotated[str | None, typer.Argument(help="The registered model; WEIR_MODEL by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """List a model's versions with the roles they play, their figures of training and their digests.

    Roles are read from the deployments, which are what the job obeys, not from MLflow's page.

    Example: weir models fraud
    """
    with errors_as_sentences():
        settings = Settings()
        name = model or settings.model
        deployed = [row for row in metadata_store_of(settings).deployments(name) if not row.retired]
        versions = registry_of(settings).versions(name)
        if as_json:
            rows = [{**asdict(each), "roles": _roles(each, deployed)} for each in versions]
            print_json({"model": name, "versions": rows, "deployments": [asdict(row) for row in deployed]})
        elif versions:
            stdout.print(_table(name, versions, deployed))
            stdout.print("* ROC AUC in training, each transaction scored before it was learned from.", highlight=False)
        else:
            stdout.print(f"{name} has no version yet; train one with: weir train", highlight=False)


def _roles(version: ModelVersion, deployed: list[ActivationRecord]) -> list[str]:
    return [row.role for row in deployed if row.version == version.version and row.digest == version.digest]


def _table(name: str, versions: list[ModelVersion], deployed: list[ActivationRecord]) -> Table:
    table = Table(title=f"{name}: versions", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("version", "roles", "algorithm", "features", "AUC*", "threshold", "digest"):
        table.add_column(column, justify="right" if column in ("version", "AUC*", "threshold") else "left")
    for each in versions:
        roc_auc = each.metrics.get("roc_auc")
        table.add_row(
            each.version,
            ", ".join(_roles(each, deployed)),
            each.algorithm,
            each.feature_set,
            "" if roc_auc is None else f"{roc_auc:.4f}",
            "" if each.threshold is None else f"{each.threshold:.6g}",
            each.digest[:8],
        )
    return table
