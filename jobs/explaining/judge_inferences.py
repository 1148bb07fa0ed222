"""What made each score of a transaction, and whether the same score comes out again now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson

from connectors.kafka.topic_search import TopicSearch
from jobs.explaining.explanation import Judgement
from jobs.explaining.recorded_inferences import MOST_LOOKED_AT
from jobs.verification import verify_scores
from model_store.artifact import Artifact
from model_store.model_version import ModelVersion
from udfs.domain.errors import RegistryError

__all__ = ["Versions", "judge_inferences"]


class Versions(Protocol):
    """What is asked of the registry."""

    def version(self, model: str, version: str) -> ModelVersion:
        """Return one version."""
        ...


def judge_inferences(
    inferences: Sequence[dict[str, Any]],
    topics: TopicSearch,
    registry: Versions,
    load_artifact: Callable[[str], bytes],
) -> list[Judgement]:
    """Return what is known of each inference; all their scores are made again together, in one fresh process.

    Parameters
    ----------
    inferences
        Of one transaction, one for each role.
    topics
        Where ``model_quality`` is looked up.
    registry
        MLflow, for the commit.
    load_artifact
        Returns an artifact's bytes by digest.

    Raises
    ------
    ConnectionLostError
        If the broker or the registry does not answer.
    ArtifactError
        If an artifact's bytes are not those of its digest.
    """
    artifacts, missing = dict[str, bytes](), dict[str, str]()
    for digest in {each["digest"] for each in inferences if each["digest"] is not None}:
        try:
            artifacts[digest] = load_artifact(digest)
        except RegistryError as error:
            missing[digest] = f"cannot be scored again: {error}"
    result = verify_scores([each for each in inferences if each["digest"] in artifacts], artifacts.__getitem__)
    differing = {each.role: f"differs: recorded {each.recorded}, again {each.again}" for each in result.mismatches}

    def again(inference: dict[str, Any]) -> str:
        if inference["digest"] in missing:
            return missing[inference["digest"]]
        if inference["score"] is None:
            return f"has no score: {inference['reason']}"
        return differing.get(inference["role"], "equal")

    return [
        Judgement(each, {}, "", "nothing scored it", None)
        if each["digest"] is None
        else Judgement(
            each,
            _trained(artifacts.get(each["digest"])),
            _commit(registry, each),
            again(each),
            _whole_life_quality(topics, each),
        )
        for each in inferences
    ]


def _trained(artifact: bytes | None) -> dict[str, Any]:
    if artifact is None:
        return {}
    header = Artifact.decode(artifact).header
    return {name: header.get(name) for name in ("training", "parent", "trained_until_ms", "kind")}


def _commit(registry: Versions, inference: dict[str, Any]) -> str:
    try:
        return registry.version(inference["model"], inference["version"]).commit
    except RegistryError:
        return ""  # deployed by a row: the bytes are known all the same


def _whole_life_quality(topics: TopicSearch, inference: dict[str, Any]) -> dict[str, Any] | None:
    """Return the newest whole-life row of this version and role, by event time."""
    key = "/".join((inference["model"], inference["version"], inference["role"], "event_time", "0"))
    partition = topics.partition_of("model_quality", key)
    ends = {partition: topics.ends("model_quality")[partition]}
    for step in topics.backwards("model_quality", ends, MOST_LOOKED_AT):
        for record in reversed(step):
            if record.key == key.encode() and record.value is not None:
                row: dict[str, Any] = orjson.loads(record.value)
                return row
    return None
