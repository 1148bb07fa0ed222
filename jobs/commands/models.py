"""``weir models``: the versions of a model, and what is deployed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from connectors.postgres.activation_record import ActivationRecord
from jobs.console import errors_as_sentences, print_json, stdout
from jobs.registry_access import metadata_store_of, registry_of
from jobs.settings import Settings
from model_store.model_version import ModelVersion

__all__ = ["models", "not_in_mlflow"]

_COLUMNS = ("version", "roles", "algorithm", "features", "AUC*", "threshold", "digest")
_NUMBERS = ("version", "AUC*", "threshold")
_COMMIT_LENGTH = 8


def models(
    model: Annotated[str | None, typer.Argument(help="The registered model; WEIR_MODEL by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """List a model's versions: the roles they play, what they were trained on and by which commit, figures, digests.

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
            gone = [{"role": row.role, "version": row.version} for row in not_in_mlflow(versions, deployed)]
            deployments = [asdict(row) for row in deployed]
            print_json({"model": name, "versions": rows, "deployments": deployments, "not_in_mlflow": gone})
        elif versions:
            stdout.print(_table(name, versions, deployed))
            for each in versions:
                stdout.print(_trained(each), highlight=False, markup=False)
            stdout.print(
                "* ROC AUC in training, each transaction scored before it was learned from. + after a commit: the work "
                "tree had changes, which the record holds.",
                highlight=False,
            )
        elif not deployed:
            stdout.print(f"{name} has no version yet; train one with: weir train", highlight=False)
        if not as_json:
            for row in not_in_mlflow(versions, deployed):
                stdout.print(_gone(row), highlight=False, markup=False)


def not_in_mlflow(versions: list[ModelVersion], deployed: list[ActivationRecord]) -> list[ActivationRecord]:
    """Return the deployments of versions that MLflow does not have: deleted there, or their model renamed."""
    return [row for row in deployed if not any(row.role in _roles(each, [row]) for each in versions)]


def _gone(row: ActivationRecord) -> str:
    return (
        f"Version {row.version} is {row.role} and goes on scoring, but MLflow does not have it (any more) under this name: "
        f"it was deleted, or its model renamed. Give the role to another version: weir promote {row.model} VERSION"
        + ("" if row.role == "champion" else f" --role {row.role}")
    )


def _roles(version: ModelVersion, deployed: list[ActivationRecord]) -> list[str]:
    return [row.role for row in deployed if row.version == version.version and row.digest == version.digest]


def _table(name: str, versions: list[ModelVersion], deployed: list[ActivationRecord]) -> Table:
    table = Table(title=f"{escape(name)}: versions", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in _NUMBERS else "left")
    for each in versions:
        roc_auc = each.metrics.get("roc_auc")
        table.add_row(
            each.version,
            ", ".join(_roles(each, deployed)),
            escape(each.algorithm),
            escape(each.feature_set),
            "" if roc_auc is None else f"{roc_auc:.4f}",
            "" if each.threshold is None else f"{each.threshold:.6g}",
            escape(each.digest[:8]),
        )
    return table


def _trained(version: ModelVersion) -> str:
    """Say where a version comes from, as far as that is on record."""
    parts = [
        f"continues {version.parent}" if version.parent else "",
        f"trained on {version.data}" if version.data else "no training on record",
        f"until {_until(version.trained_until_ms)}" if version.trained_until_ms else "",
        f"by commit {_short(version.commit)}" if version.commit else "",
    ]
    noted = f". Note: {version.note}" if version.note else ""
    return f"{version.version}: " + ", ".join(part for part in parts if part) + noted


def _until(time_ms: int) -> str:
    """Return the day of the last event learned from, where it is known.

    Examples
    --------
    >>> _until(1_522_540_800_000), _until(0)
    ('2018-04-01', '')
    """
    return datetime.fromtimestamp(time_ms / 1_000, UTC).date().isoformat() if time_ms else ""


def _short(commit: str) -> str:
    """Cut a commit, not the mark that the work tree differed from it.

    Examples
    --------
    >>> _short("10f8652a5d2c+changes"), _short("unknown")
    ('10f8652a+', 'unknown')
    """
    name, changed, _ = commit.partition("+")
    return name[:_COMMIT_LENGTH] + changed
