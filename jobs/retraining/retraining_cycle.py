"""One round of ``weir retrain``: judge the champion, judge the challenger, train the next one.

A version is on trial at a time. Nothing here restarts the job: to deploy, promote and roll back is to write a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from connectors.postgres.activation_record import ActivationRecord
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.retraining_decision import RetrainingDecision
from connectors.postgres.retraining_log import RetrainingLog
from jobs.commands.promote import promote_version
from jobs.retraining.deployed import Deployed
from jobs.retraining.retraining_order import RetrainingOrder
from jobs.retraining.table_evidence import TableEvidence
from jobs.retraining.table_trainer import TableTrainer
from model_store.registry import Registry
from udfs.domain.evidence import Evidence
from udfs.domain.promotion_policy import Verdict

__all__ = ["RetrainingCycle"]


class RetrainingCycle:
    """Decides, acts, and writes each decision down before it acts on it.

    Parameters
    ----------
    order
        What was asked for.
    registry, store, log
        MLflow, its tables, and where decisions are written.
    evidence, trainer
        How versions are compared and made.
    """

    def __init__(
        self,
        order: RetrainingOrder,
        registry: Registry,
        store: MetadataStore,
        log: RetrainingLog,
        evidence: TableEvidence,
        trainer: TableTrainer,
    ) -> None:
        self._order, self._registry, self._store, self._log = order, registry, store, log
        self._evidence, self._trainer = evidence, trainer

    def run(self) -> list[RetrainingDecision]:
        """Go round once and return what was decided, in order.

        Raises
        ------
        WeirError
            If a component does not answer or refuses; what was decided until then stands.
        """
        order = self._order
        now = Deployed.of(self._registry, self._store, order.model, order.role)
        made: list[RetrainingDecision] = []
        if now.champion is not None and now.predecessor is not None:
            made.append(self._judge(now.champion, now.predecessor, order.policy.judge_champion))
            if made[-1].action == "rollback":
                self._act(lambda: self._deploy(now.predecessor, "champion", made[-1].reason))
                return made
        if now.champion is not None and now.challenger is not None:
            made.append(self._judge(now.challenger, now.champion, order.policy.judge_challenger))
            if made[-1].action == "promote":
                self._act(lambda: self._deploy(now.challenger, "champion", made[-1].reason))
            if made[-1].action in ("promote", "retire"):
                self._act(lambda: self._registry.remove_alias(order.model, order.role))
            if made[-1].action != "retire":
                return made
        made.append(self._train(now.champion))
        return made

    def _judge(
        self, judged: ActivationRecord, other: ActivationRecord, rule: Callable[[Evidence], Verdict]
    ) -> RetrainingDecision:
        look = 1 + self._looks(judged, other)
        found = self._evidence.of(judged, other, self._order.policy.confidence_at(look))
        verdict = rule(found)
        return self._write(
            RetrainingDecision(
                model=self._order.model,
                action=verdict.action,
                version=judged.version,
                other=other.version,
                reason=verdict.reason,
                difference=found.difference,
                ci_low=found.low,
                ci_high=found.high,
                positives=found.positives,
                negatives=found.negatives,
            )
        )

    def _looks(self, judged: ActivationRecord, other: ActivationRecord) -> int:
        """How often these two were compared in earnest; with too little to go by, nothing could go wrong."""
        champion = judged.role == "champion"
        actions = ("keep", "rollback") if champion else ("wait", "promote", "retire")
        return sum(
            1
            for each in self._log.decisions(self._order.model)
            if (each.version, each.other) == (judged.version, other.version)
            and each.action in actions
            and each.ci_low is not None
            and (each.positives or 0) >= self._order.policy.min_positives
            and not each.dry_run
        )

    def _train(self, champion: ActivationRecord | None) -> RetrainingDecision:
        order = self._order
        plan = self._trainer.plan(order, champion)
        if plan.reason_to_skip is not None:
            return self._write(RetrainingDecision(order.model, "skip", None, plan.parent, plan.reason_to_skip))
        if order.dry_run:
            said = f"would learn from {plan.new:,} transactions, {plan.frauds:,} frauds"
            return self._write(RetrainingDecision(order.model, "train", None, plan.parent, said, tag=plan.tag))
        done = self._trainer.train(order, plan)
        role = order.role if champion is not None else "champion"
        said = (
            f"{done.algorithm} learned from {done.examples:,} transactions, {done.frauds:,} frauds; deployed as {role}"
        )
        made = self._write(RetrainingDecision(order.model, "train", done.version, plan.parent, said, tag=plan.tag))
        promote_version(self._registry, order.model, done.version, role, why=f"weir retrain: {said}")
        return made

    def _deploy(self, version: ActivationRecord | None, role: str, why: str) -> None:
        assert version is not None
        threshold = version.threshold
        promote_version(
            self._registry, self._order.model, version.version, role, threshold=threshold, why=f"weir retrain: {why}"
        )

    def _act(self, action: Callable[[], None]) -> None:
        if not self._order.dry_run:
            action()

    def _write(self, decision: RetrainingDecision) -> RetrainingDecision:
        signed = replace(decision, dry_run=self._order.dry_run, who=self._order.who)
        self._log.write(signed)
        return signed
