"""``weir features``: feature sets, and the definitions of what is in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.settings import Settings

__all__ = ["features"]

Action = Literal["list", "add", "show", "retire"]


def features(
    action: Annotated[Action, typer.Argument(help="list, add, show or retire.")] = "list",
    name: Annotated[str | None, typer.Argument(help="The set: a name, or name@version.")] = None,
    based_on: Annotated[str, typer.Option("--from", help="add: the set whose features come first.")] = "handbook",
    feature: Annotated[
        list[str] | None,
        typer.Option(
            help="add: NAME=customer.mean(amount) 3d, NAME=terminal.count 1d delay 7d, NAME=hour, NAME=log(amount), "
            "NAME=one_hot(FIELD=VALUE), NAME=hash(FIELD) 32; give it once for each."
        ),
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="add: a feature of the other set to leave out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """List feature sets, define a new version of one, show its definitions, or retire it.

    Aggregates: count, sum, mean, min, max, std, distinct, time_since_last, fraud_rate; of the customer or the terminal. Of a
    transaction alone: weekend, night (hour at most 6), hour, log, one_hot, hash. A set is a row of weir.feature_definition:
    insert-only and versioned, its hash in every model trained on it. A running job takes it up within a second, from the
    transactions it has kept; model_events says so (feature_set_taken_up).

    Example: weir features add mine --from handbook --feature "SPENT_3D=customer.sum(amount) 3d"
    """
    with errors_as_sentences():
        from jobs.features.feature_changes import add_features, retire_features
        from jobs.features.feature_rows import feature_catalog, retired_labels
        from jobs.registry_access import metadata_store_of
        from udfs.domain.errors import SettingsError

        store = metadata_store_of(Settings())
        if action == "list":
            rows = store.feature_rows()
            _list(feature_catalog(rows).sets.values(), retired_labels(rows), as_json=as_json)
            return
        if name is None:
            msg = f"weir features {action} needs the name of a feature set; weir features list shows them."
            raise SettingsError(msg)
        if action == "add":
            made = add_features(store, name, based_on=based_on, features=feature or [], without=without or [])
        elif action == "show":
            made = feature_catalog(store.feature_rows()).named(name)
        else:
            made = retire_features(store, name)
        _show(made, action, as_json=as_json)


def _list(sets: Any, retired: set[str], *, as_json: bool) -> None:  # noqa: ANN401
    found = [{"label": s.label, "features": len(s.features), "hash": s.hash} for s in sets]
    if as_json:
        print_json({"sets": found, "retired": sorted(retired)})
        return
    table = Table("set", "features", "hash", box=None, pad_edge=False)
    for each in found:
        table.add_row(each["label"], str(each["features"]), each["hash"][:12])
    stdout.print(table)
    if retired:
        stdout.print(f"retired: {', '.join(sorted(retired))}", highlight=False)


def _show(made: Any, action: Action, *, as_json: bool) -> None:  # noqa: ANN401
    from jobs.features.definition_text import definition_text

    known = (*made.windows_of("customer"), *made.windows_of("terminal"), *made.transforms)
    texts = {each.name: definition_text(each) for each in known}
    defined = {each: texts.get(each, "of the transaction") for each in made.features}
    if as_json:
        print_json({"label": made.label, "hash": made.hash, "action": action, "features": defined})
        return
    done = {"add": "added", "retire": "retired", "show": made.hash[:12]}[action]
    stdout.print(f"{made.label}: {done}", highlight=False)
    for each, text in defined.items():
        stdout.print(f"  {each}: {text}", highlight=False, markup=False)
