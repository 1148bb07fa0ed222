"""Scores rows of features with the versions a request asks for: the job's scorer, the job's rule, the job's reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.serving.problem import Problem
from model_store.live_versions import Loaded
from model_store.score_vectors import score_vectors, vector_of
from udfs.domain.deployment import CHAMPION
from udfs.domain.feature_set import FeatureSet
from udfs.domain.metadata import Activation

__all__ = ["Predictor", "Wanted"]

Row = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which versions are to score; the champion when nothing is said.

    Parameters
    ----------
    versions
        By their number in the registry.
    roles
        By the role they hold now.
    live
        Every version that holds a role now.
    """

    versions: Sequence[str] = ()
    roles: Sequence[str] = ()
    live: bool = False


class Predictor:
    """Scores rows with one deployment; made anew for each request, so that all its scores are of one moment.

    Parameters
    ----------
    loaded
        The deployment and its versions.
    feature_set
        The stream's: a row must name its required fields, as a message of the stream must.
    """

    def __init__(self, loaded: Loaded, feature_set: FeatureSet) -> None:
        self._loaded, self._feature_set = loaded, feature_set

    def predict(self, rows: Sequence[Row], wanted: Wanted) -> list[dict[str, Any]]:
        """Return one result for each wanted version, each with a score or a reason for every row.

        Raises
        ------
        Problem
            ``unknown_version``, ``unknown_role``, or ``missing_field`` where a row lacks a field that the stream requires.
        """
        chosen = self._chosen(wanted)
        self._check(rows)
        if not chosen:
            return [self._scored_by(None, [CHAMPION], rows)]
        return [self._scored_by(activation, roles, rows) for activation, roles in chosen]

    def _chosen(self, wanted: Wanted) -> list[tuple[Activation, list[str]]]:
        """Return each wanted version once, with the roles it holds; empty when only a missing champion is wanted."""
        deployment = self._loaded.deployment
        live = self._loaded.live()
        by_role = {each.role: each for each in live}
        known = {each.version: each for each in reversed(self._loaded.activations())}
        chosen: dict[str, Activation] = {}
        for version in wanted.versions:
            if version not in known:
                names = ", ".join(sorted(known)) or "none"
                detail = f"Version {version[:80]!r} is not loaded; accepted by the gate are: {names}."
                raise Problem(reason="unknown_version", detail=detail, known=sorted(known))
            chosen.setdefault(version, known[version])
        roles = list(wanted.roles) + (list(deployment.live_roles) if wanted.live else [])
        for role in roles or ([] if wanted.versions else [CHAMPION]):
            if role in by_role:
                chosen.setdefault(by_role[role].version, by_role[role])
            elif role != CHAMPION:
                names = ", ".join(by_role) or "none"
                detail = f"No version holds the role {role[:80]!r}; live roles are: {names}."
                raise Problem(reason="unknown_role", detail=detail, known=list(by_role))
        return [(each, [live_.role for live_ in live if live_.version == each.version]) for each in chosen.values()]

    def _check(self, rows: Sequence[Row]) -> None:
        for number, row in enumerate(rows):
            for name in self._feature_set.required_fields:
                if row.get(name) is None:
                    detail = f"/rows/{number}/{name}: missing or null; it must be a number."
                    finding = {"reason": "missing_field", "pointer": f"/rows/{number}/{name}", "detail": detail}
                    raise Problem(reason="missing_field", detail=detail, errors=[finding])

    def _scored_by(self, activation: Activation | None, roles: list[str], rows: Sequence[Row]) -> dict[str, Any]:
        digest, scorer = self._loaded.versions[activation.digest] if activation else (None, None)
        names = scorer.features if scorer else self._feature_set.features
        vectors = [vector_of(names, row, {}) for row in rows]
        reason = "missing_feature" if scorer else "no_champion"
        return {
            "version": activation.version if activation else None,
            "roles": roles,
            "digest": digest,
            "feature_set": scorer.header["feature_set"]["label"] if scorer else self._feature_set.label,
            "threshold": activation.threshold if activation else None,
            "deployment_seq": activation.deployment_seq if activation else self._loaded.deployment.seen_seq,
            "scores": [
                {
                    "score": score,
                    "reason": reason if score is None else None,
                    "missing": [name for name in names if name not in vector] if score is None and scorer else [],
                }
                for score, vector in zip(score_vectors(scorer, names, vectors), vectors, strict=True)
            ],
        }
