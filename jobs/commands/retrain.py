"""``weir retrain``: train the next version from the tables, try it beside the champion, promote it by a policy."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.progress_bar import progress_bar
from jobs.settings import Settings
from udfs.domain.errors import SettingsError, WeirError

if TYPE_CHECKING:
    from connectors.postgres.retraining_decision import RetrainingDecision
    from jobs.retraining.retraining_order import RetrainingOrder

__all__ = ["retrain"]


def retrain(
    once: Annotated[bool, typer.Option("--once", help="One round, now.")] = False,
    every: Annotated[str | None, typer.Option(help="A round now and after each time: 1d, 6h.")] = None,
    labels: Annotated[int | None, typer.Option(min=1, help="A round whenever so many truths are new.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide and write it down, change nothing.")] = False,
    model: Annotated[str | None, typer.Option(help="The registered model; WEIR_MODEL by default.")] = None,
    role: Annotated[str, typer.Option(help="Under which a new version is tried.")] = "challenger",
    algorithm: Annotated[
        str | None, typer.Option(help="half-space-trees or logistic-regression; the champion's own.")
    ] = None,
    feature_set: Annotated[
        str | None,
        typer.Option(help="A feature set: name, or name@version; the champion's own. Another is trained anew."),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="From nothing on all data, instead of the champion on.")] = False,
    confidence: Annotated[float, typer.Option(help="Of a whole trial, however often it is looked at.")] = 0.95,
    min_positives: Annotated[int, typer.Option(help="Frauds new to both versions that a verdict needs.")] = 50,
    min_scored: Annotated[int, typer.Option(help="Transactions a challenger must score before it is judged.")] = 1_000,
    max_positives: Annotated[int, typer.Option(help="Frauds after which an undecided trial ends.")] = 2_000,
    min_new: Annotated[int, typer.Option(min=1, help="Fewest transactions worth learning from.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the algorithm.")] = 42,
    alert_rate: Annotated[
        float, typer.Option(help="Share of transactions the suggested threshold lets through.")
    ] = 0.001,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON array for programs, one for each round.")
    ] = False,
) -> None:
    """Go round: judge the champion, judge the challenger, or train the next version and deploy it as challenger.

    A challenger is promoted when DeLong's paired interval of its ROC AUC less the champion's lies above zero, on the same
    transactions, new to both, with enough frauds among them; below zero, or undecided for too long, it is given up. A
    champion whose interval to its predecessor lies below zero gives way to it. Each decision is a row of
    weir.retraining_decision in PostgreSQL.

    Example: weir retrain --every 1d
    """
    with errors_as_sentences():
        from connectors.data.options import parse_duration_ms
        from jobs.retraining.retraining_order import RetrainingOrder
        from jobs.retraining.schedule import Schedule
        from udfs.domain.promotion_policy import PromotionPolicy

        if sum((once, every is not None, labels is not None)) != 1:
            msg = "Say when: one of --once, --every 1d and --labels 500."
            raise SettingsError(msg)
        interval_ms = 0 if every is None else parse_duration_ms(every)
        settings = Settings()
        order = RetrainingOrder(
            model=model or settings.model,
            feature_set=feature_set,
            role=role,
            algorithm=algorithm,
            anew=anew,
            policy=PromotionPolicy(confidence, min_positives, min_scored, max_positives),
            min_new=min_new,
            seed=seed,
            alert_rate=alert_rate,
            dry_run=dry_run,
            who=getpass.getuser(),
            first_feature_set=settings.feature_set,
        )
        go_round = _round(settings, order, as_json)
        schedule = Schedule(go_round, _told)
        if once:
            go_round()
        elif labels is None:
            schedule.every(interval_ms)
        else:
            from jobs.retraining.truth_count import TruthCount

            count = TruthCount(settings, order.model)
            schedule.each_labels(labels, count.now, count.learned())


def _round(settings: Settings, order: RetrainingOrder, as_json: bool) -> Callable[[], None]:
    """Return a round that opens what it needs each time: a component that was away is no reason to end."""
    from connectors.postgres.retraining_log import RetrainingLog
    from jobs.registry_access import dsn_of, metadata_store_of, registry_of
    from jobs.retraining.retraining_cycle import RetrainingCycle
    from jobs.retraining.table_evidence import TableEvidence
    from jobs.retraining.table_trainer import TableTrainer
    from jobs.tables.access import catalog_of

    def go_round() -> None:
        catalog, registry, store = catalog_of(settings), registry_of(settings), metadata_store_of(settings)
        with progress_bar("training", None, quiet=as_json) as done:
            cycle = RetrainingCycle(
                order,
                registry,
                store,
                RetrainingLog(dsn_of(settings)),
                TableEvidence(catalog, store),
                TableTrainer(catalog, registry, store, done),
            )
            made = cycle.run()
        if as_json:
            print_json([asdict(each) for each in made])
        else:
            for each in made:
                stdout.print(_line(each), markup=False, highlight=False)

    return go_round


def _line(decision: RetrainingDecision) -> str:
    which = "" if decision.version is None else f" version {decision.version}"
    against = "" if decision.other is None else f" (version {decision.other})"
    dry = "dry run: " if decision.dry_run else ""
    return f"{dry}{decision.action}{which}{against}: {decision.reason}."


def _told(error: WeirError) -> None:
    stderr.print(f"weir: {error} Trying again at the next round.", style="red", markup=False, highlight=False)
