"""Scores a batch of transactions with every live role, and says which bytes scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from model_store.loaded_version import LoadedVersion
from model_store.score_vectors import score_vectors, vector_of
from udfs.domain.deployment import CHAMPION, Deployment
from udfs.domain.event import Transaction
from udfs.domain.feature_catalog import CODE_LABELS
from udfs.domain.feature_set import FeatureSet
from udfs.domain.inference import inference_of
from udfs.domain.metadata import Activation

__all__ = ["RoleScorer"]

Vectors = dict[tuple[str, ...], list[dict[str, float]]]
"""The vectors of some transactions, by the names they hold."""


class RoleScorer:
    """The scorers of a deployment, applied to lists of transactions.

    Parameters
    ----------
    deployment
        Which activation holds which role.
    versions
        Loaded versions by the digest their activation names.
    feature_set
        The stream's, recorded where no version scored.
    by_event_time
        Take the activation in force at the event's time instead of the newest.
    """

    def __init__(
        self,
        deployment: Deployment,
        versions: Mapping[str, LoadedVersion],
        *,
        feature_set: FeatureSet,
        by_event_time: bool = False,
    ) -> None:
        self.deployment = deployment
        self.versions = versions
        self._feature_set = feature_set
        self._by_event_time = by_event_time

    def score(self, batch: Sequence[Transaction], watermark_ms: int | None, now_ms: int) -> list[dict[str, Any]]:
        """Return the inferences of a batch: one per transaction and live role, in the order of the batch per role.

        A missing or non-finite feature gives a null score with reason ``missing_feature``; a missing champion a null score
        with reason ``no_champion``; a version whose feature set the stages did not all know, where the role has no other,
        one with reason ``feature_set_not_taken_up``.
        """
        inferences = []
        vectors: Vectors = {}
        for role in dict.fromkeys((CHAMPION, *self.deployment.live_roles)):
            for activation, transactions in self._by_activation(role, batch):
                known = vectors if len(transactions) == len(batch) else {}
                inferences.extend(self._score_role(role, activation, transactions, known, watermark_ms, now_ms))
        return inferences

    def threshold(self, inference: Mapping[str, Any]) -> float | None:
        """Return the alert threshold of the activation that made a champion's inference."""
        for activation in reversed(self.deployment.roles.get(inference["role"], ())):
            if activation.deployment_seq == inference["deployment_seq"]:
                return activation.threshold
        return None

    def reasons(self, inference: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """Return why an inference's score is as high as it is: the method, and the features that raised it most."""
        return self.versions[inference["digest"]].scorer.reasons(inference["features"])

    def features_record(self, transaction: Transaction) -> dict[str, Any]:
        """Build a record of the ``features`` topic."""
        strings = self._feature_set.strings
        return {
            "transaction_id": transaction["transaction_id"],
            "event_time_ms": transaction["event_time_ms"],
            "feature_set": self._feature_set.label,
            "values": vector_of(self._feature_set.features, transaction["features"], transaction["fields"], strings),
        }

    def _by_activation(
        self, role: str, batch: Sequence[Transaction]
    ) -> list[tuple[Activation | None, list[Transaction]]]:
        """Group a batch by who scores it: mostly the newest activation all of it."""
        if not self._by_event_time:
            active = self.deployment.active(role)
            if active is None or self._label(active) in CODE_LABELS:
                return [(active, list(batch))]
        groups: dict[Activation | None, list[Transaction]] = defaultdict(list)
        candidates = self.deployment.newest_first(role)
        for transaction in batch:
            if self._by_event_time:
                candidates = self.deployment.newest_first(role, transaction["event_time_ms"])
            activation, warming_up = self._choose(candidates, transaction)
            groups[activation].append({**transaction, "warming_up": True} if warming_up else transaction)
        return list(groups.items())

    def _choose(self, candidates: Sequence[Activation], transaction: Transaction) -> tuple[Activation | None, bool]:
        """Return the newest activation whose set is there and full, or may be used as it is; and whether it warms up."""
        first_warm: Activation | None = None
        sets = transaction.get("sets", {})
        for activation in candidates:
            label = self._label(activation)
            warm = False if label in CODE_LABELS else sets.get(label)
            if warm is False or (warm and activation.forced):
                return activation, bool(warm)
            if warm and first_warm is None:
                first_warm = activation
        # better the newest on windows that are not full, marked, than no score at all
        return (first_warm, True) if first_warm else (candidates[0] if candidates else None, False)

    def _reason(self, activation: Activation | None, transaction: Transaction) -> str:
        """Say why nothing scored."""
        if activation is None:
            return "no_champion"
        known = CODE_LABELS | transaction.get("sets", {}).keys()
        return "missing_feature" if self._label(activation) in known else "feature_set_not_taken_up"

    def _label(self, activation: Activation) -> str:
        return str(self.versions[activation.digest].scorer.header["feature_set"]["label"])

    def _score_role(
        self,
        role: str,
        activation: Activation | None,
        transactions: Sequence[Transaction],
        known: Vectors,
        watermark_ms: int | None,
        now_ms: int,
    ) -> list[dict[str, Any]]:
        if activation is None and role != CHAMPION:
            return []
        digest, scorer = self.versions[activation.digest] if activation else (None, None)
        names = scorer.features if scorer else self._feature_set.features
        # Two versions of one feature set share their vectors: picking them costs more than scoring them.
        vectors = known.get(names)
        if vectors is None:
            strings = scorer.header["feature_set"].get("strings", ()) if scorer else self._feature_set.strings
            vectors = [vector_of(names, each["features"], each["fields"], strings) for each in transactions]
            known[names] = vectors
        scores = score_vectors(scorer, names, vectors)
        trained_until_ms = int(scorer.header.get("trained_until_ms", 0)) if scorer else 0
        return [
            inference_of(
                transaction,
                role=role,
                activation=activation,
                digest=digest,
                score=score,
                reason=None if score is not None else self._reason(activation, transaction),
                feature_set=scorer.header["feature_set"]["label"] if scorer else self._feature_set.label,
                features=vector,
                excluded=transaction["event_time_ms"] <= trained_until_ms,
                deployment_seq=activation.deployment_seq if activation else self.deployment.seen_seq,
                watermark_ms=watermark_ms,
                prediction_time_ms=now_ms,
            )
            for transaction, vector, score in zip(transactions, vectors, scores, strict=True)
        ]
