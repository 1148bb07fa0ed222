"""The judge of every deployment: which activation may reach the scorers, and why not.

A pure function over metadata rows in commit order and a mapping that holds what it must remember. The Flink operator
around it (``udfs/operators/gate_stage.py``) runs once, off the data path, so all scorers obey the same verdicts.

A version becomes active only when all parts of its artifact are here, their sha256 matches, they load, the probes score as
recorded, and the job computes its feature set. Otherwise the old version goes on and a model event says why. For its
artifact, and for the row of its feature set, an activation waits a while: a snapshot of the tables may carry it first.
Rows come again after a restart of Connect, a re-snapshot or a replay: a ``deployment_seq`` that was judged for its role
is never judged again.

With activation = event_time an activation is refused whose ``effective_from_ms`` does not lie ahead of the transactions'
watermark (:attr:`Gate.watermark_ms`): events from that time on may have been scored without it. Those in force when the
job was submitted are exempt, because no transaction is scored before they are judged. Between the gate's word and a
scorer's obedience the watermark goes on; who wants every event from a time on to be scored by a version names a time
further ahead than that.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from model_store.kept_artifacts import KeptArtifacts
from model_store.reason import Reason
from model_store.signature import check_signature
from udfs.domain.deployment import CHAMPION, Deployment
from udfs.domain.errors import ArtifactError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.known_sets import KnownSets, Uptake
from udfs.domain.metadata import Activation, ArtifactPart, FeatureDefinition

__all__ = ["Gate", "ModelEvent", "Ruling", "Verdict"]

PENDING = "pending"
DEPLOYMENT = "deployment"
REMEMBERED = 2
"""Activations of a role whose artifacts are kept: the present one's and the one's before, to roll back to."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scorers are told: obey this activation with these bytes, or only note that it was judged."""

    activation: Activation
    accepted: bool
    artifact: bytes | None = None

    def to_json(self) -> str:
        """Write the verdict for the broadcast."""
        artifact = None if self.artifact is None else base64.b64encode(self.artifact).decode()
        value = {"activation": self.activation.to_json().decode(), "accepted": self.accepted, "artifact": artifact}
        return orjson.dumps(value).decode()

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read what :meth:`to_json` wrote."""
        value = orjson.loads(text)
        artifact = None if value["artifact"] is None else base64.b64decode(value["artifact"])
        return cls(Activation.from_json(value["activation"]), value["accepted"], artifact)


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """A record of ``model_events``, without the time, which the operator adds."""

    activation: Activation
    event: str
    reason: str | None


@dataclass(slots=True)
class Ruling:
    """Everything one metadata row, or the passing of time, led to."""

    verdicts: list[Verdict] = field(default_factory=list)
    events: list[ModelEvent] = field(default_factory=list)
    uptakes: list[Uptake] = field(default_factory=list)

    def add(self, activation: Activation, event: str, reason: str | None = None, artifact: bytes | None = None) -> None:
        """Add an event and, unless the activation is still pending, the verdict that goes with it."""
        self.events.append(ModelEvent(activation, event, reason))
        if event != "pending":
            self.verdicts.append(Verdict(activation, event in ("activated", "retired"), artifact))


class Gate:
    """Judges metadata rows.

    Parameters
    ----------
    state
        What is remembered, by name: parts of artifacts, pending activations, roles, the last judged sequence number of each.
    model
        The one registered model of this stream; rows of other models are noted and otherwise ignored.
    feature_sets
        The feature sets at the job's submission; rows add to them.
    admit
        ``admit(data, digest, feature_sets=...)`` raises :class:`ArtifactError` for bytes that must not score.
    patience_ms
        How long an activation may wait for its artifact before it is rejected. A snapshot of the tables may carry the
        activation first; a stream never does, because the trigger asks for the artifact.
    trusted_keys
        Public keys one of which must have signed an artifact; empty for no such wish.
    first_seq
        Greatest ``deployment_seq`` at submission: up to it ``effective_from_ms`` may be any time.

    Attributes
    ----------
    watermark_ms
        The transactions' watermark that ``effective_from_ms`` must lie ahead of; None when it does not matter. The caller
        keeps it up to date.
    """

    def __init__(
        self,
        state: MutableMapping[str, bytes],
        *,
        model: str,
        feature_sets: FeatureCatalog,
        admit: Callable[..., object],
        patience_ms: int,
        trusted_keys: str = "",
        first_seq: int = 0,
    ) -> None:
        self._state = state
        self._artifacts = KeptArtifacts(state)
        self._model = model
        self._sets = KnownSets(state, feature_sets)
        self._admit = admit
        self._patience_ms = patience_ms
        self._trusted_keys = trusted_keys
        self._first_seq = first_seq
        self.watermark_ms: int | None = None

    def part_arrived(self, part: ArtifactPart) -> Ruling:
        """Keep a part of an artifact and judge the activations that waited for it."""
        ruling = Ruling()
        self._artifacts.take(part)
        if self.waits and not isinstance(self._artifacts.whole(part.digest), str):
            self._examine_pending(ruling, lambda activation: activation.digest == part.digest)
        if not part.snapshot:
            self._artifacts.let_go({part.digest, *self._needed()})
        return ruling

    def definition_arrived(self, row: FeatureDefinition) -> Ruling:
        """Take a feature set up, and judge the activations that waited for it."""
        ruling = Ruling()
        uptake = self._sets.take(row)
        if uptake is not None:
            ruling.uptakes.append(uptake)
            self._examine_pending(ruling, lambda each: not isinstance(self._artifacts.whole(each.digest), str))
        return ruling

    def activation_arrived(self, activation: Activation, now_ms: int) -> Ruling:
        """Judge an activation, or let it wait for its artifact; one that was judged before changes nothing."""
        ruling = Ruling()
        if activation.model != self._model:
            ruling.verdicts.append(Verdict(activation, accepted=False))
            return ruling
        if activation.deployment_seq <= self._judged(activation.role):
            return ruling
        self._state[f"judged/{activation.role}"] = str(activation.deployment_seq).encode()
        self._artifacts.use(activation.digest)
        if activation.retired:
            if activation.role == CHAMPION:
                ruling.add(activation, "rejected", "champion_is_never_retired_to_nothing")
            else:
                ruling.add(activation, "retired")
                self._remember(activation)
            return ruling
        missing = self._artifacts.whole(activation.digest)
        if isinstance(missing, str) and missing != "oversized":
            self._wait(activation, now_ms, missing)
            ruling.add(activation, "pending", missing)
        else:
            self._examine(activation, ruling, since_ms=now_ms)
        return ruling

    def time_passed(self, now_ms: int) -> Ruling:
        """Reject the activations whose artifact or feature set did not come in time."""
        ruling = Ruling()
        for key, waiting in self._pending():
            if now_ms - waiting["since_ms"] >= self._patience_ms:
                self._wait_no_more(key)
                activation = Activation.from_json(waiting["activation"])
                if activation.deployment_seq < self._judged(activation.role):
                    # A newer one was judged meanwhile; what this one lacks is still the better answer.
                    missing = self._artifacts.whole(activation.digest)
                    lacks = missing if isinstance(missing, str) else waiting.get("reason", "superseded")
                    ruling.add(activation, "rejected", lacks)
                else:
                    self._examine(activation, ruling)
        return ruling

    @property
    def waits(self) -> bool:
        """Whether some activation is pending, so that time matters."""
        return bool(self._pending_keys())

    def _pending_keys(self) -> list[str]:
        if (found := self._state.get(PENDING)) is not None:
            keys: list[str] = orjson.loads(found)
            return keys
        # State of before there was a list: looked through once.
        keys = sorted(key for key in self._state if key.startswith("pending/"))
        self._state[PENDING] = orjson.dumps(keys)
        return keys

    def _pending(self) -> list[tuple[str, dict[str, Any]]]:
        return [(key, orjson.loads(self._state[key])) for key in self._pending_keys()]

    def _wait(self, activation: Activation, since_ms: int, reason: str) -> None:
        since = {"activation": activation.to_json().decode(), "since_ms": since_ms, "reason": reason}
        key = f"pending/{activation.deployment_seq:020d}"
        self._state[PENDING] = orjson.dumps(sorted({*self._pending_keys(), key}))
        self._state[key] = orjson.dumps(since)

    def _wait_no_more(self, key: str) -> None:
        self._state[PENDING] = orjson.dumps([each for each in self._pending_keys() if each != key])
        del self._state[key]

    def _needed(self) -> set[str]:
        """Return the digests that roles, the way back and pending activations need."""
        histories = self._deployment().roles.values()
        waiting = {Activation.from_json(each["activation"]).digest for _, each in self._pending()}
        return waiting | {each.digest for history in histories for each in history[-REMEMBERED:]}

    def _deployment(self) -> Deployment:
        found = self._state.get(DEPLOYMENT)
        return Deployment() if found is None else Deployment.from_json(bytes(found))

    def _remember(self, accepted: Activation) -> None:
        self._state[DEPLOYMENT] = self._deployment().accept(accepted).to_json()

    def _examine_pending(self, ruling: Ruling, concerns: Callable[[Activation], bool]) -> None:
        for key, waiting in self._pending():
            activation = Activation.from_json(waiting["activation"])
            if not concerns(activation):
                continue
            self._wait_no_more(key)
            if activation.deployment_seq < self._judged(activation.role):
                ruling.add(activation, "rejected", "superseded")
            else:
                self._examine(activation, ruling, since_ms=waiting["since_ms"], again=True)

    def _examine(
        self, activation: Activation, ruling: Ruling, *, since_ms: int | None = None, again: bool = False
    ) -> None:
        """Judge; with ``since_ms`` an activation may wait from then on for a feature set, silently if it does already."""
        data = self._artifacts.whole(activation.digest)
        if isinstance(data, str):
            ruling.add(activation, "rejected", data)
            return
        if self._comes_late(activation):
            late = (
                f"effective_from_ms is {activation.effective_from_ms}, the transactions' watermark {self.watermark_ms}"
            )
            ruling.add(activation, "rejected", f"effective_from_behind_watermark: {late}; name a later time")
            return
        try:
            check_signature(self._artifacts.signature(activation.digest), activation.digest, self._trusted_keys)
            self._admit(data, activation.digest, feature_sets=self._sets.catalog.hashes)
        except ArtifactError as error:
            reason = f"{error.reason}: {error.detail}"
            if since_ms is None or error.reason != Reason.UNKNOWN_FEATURE_SET:
                ruling.add(activation, "rejected", reason)
                return
            self._wait(activation, since_ms, reason)
            if not again:
                ruling.add(activation, "pending", reason)
        else:
            ruling.add(activation, "activated", artifact=data)
            self._remember(activation)

    def _comes_late(self, activation: Activation) -> bool:
        if self.watermark_ms is None or activation.deployment_seq <= self._first_seq:
            return False
        return activation.effective_from_ms <= self.watermark_ms

    def _judged(self, role: str) -> int:
        return int(self._state.get(f"judged/{role}", b"0"))
