"""Third stage: every live version scores every transaction, and each score names the bytes that made it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedBroadcastProcessFunction

from model_store.compiled_scorer import warm_up
from model_store.gate import Verdict
from model_store.loaded_version import LoadedVersion
from model_store.obey_verdict import obey_verdict
from model_store.role_scorer import RoleScorer
from udfs.domain.deployment import CHAMPION, Deployment
from udfs.domain.event import Prediction, Transaction
from udfs.domain.inference import alert_of, prediction_of
from udfs.domain.payload import decode, encode
from udfs.domain.shards import Shards
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import BROADCAST, HELD_FOR_MODEL
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.records import Records
from udfs.operators.score_metrics import ScoreMetrics
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["ScoreStage"]

DEPLOYMENT = "deployment"
RETRY_MS = 100


@ends_job_for_good
class ScoreStage(KeyedBroadcastProcessFunction):
    """Scores transactions with the champion and all challengers held in broadcast state.

    Keyed by
        The shard the transaction came from.
    State kept
        Broadcast: the accepted deployment and the artifacts it names. Keyed: transactions that came, at a start without
        savepoint, before the metadata was read up to the deployment in force at submission.
    Timers
        A processing-time timer every 100 ms while a shard waits for that first metadata; none afterwards.
    Emits
        One kind of record (side outputs from a broadcast function's timers are not reliable in thread mode): key and
        payload for the truth join, with the inferences, alerts and features to be written.
    Restart, late or repeated event
        The scorer is built again from broadcast state at the first element. No champion gives an inference with a null
        score. A transaction is scored by exactly the versions accepted when it is here; nothing waits for a version.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, compile the kernels before the first event, get state."""
        check_build(self._settings.build_id)
        warm_up()
        self._held = StateEntries(ctx.get_map_state(HELD_FOR_MODEL))
        self._shards = Shards(self._settings.shards)
        self._metrics = ScoreMetrics(ctx.get_metrics_group())
        self._scorer: RoleScorer | None = None

    def process_broadcast_element(self, message: str, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Obey a verdict: the same bytes in, the same state out, on every subtask."""
        verdict = Verdict.from_json(message)
        state = ctx.get_broadcast_state(BROADCAST)
        before = Deployment.from_json(state.get(DEPLOYMENT)) if state.contains(DEPLOYMENT) else Deployment()
        after, artifact, unneeded = obey_verdict(before, verdict)
        if artifact is not None:
            state.put(verdict.activation.digest, artifact)
        for digest in unneeded:
            state.remove(digest)
        state.put(DEPLOYMENT, after.to_json())
        self._scorer = self._build(state)
        return iter(())

    def process_element(self, payload: bytes, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Score a batch, or keep it until the first deployment is known."""
        scorer = self._ready_scorer(ctx)
        if scorer is None:
            self._held[str(len(self._held))] = payload
            ctx.timer_service().register_processing_time_timer(now_ms() + RETRY_MS)
            return
        # Only a job that started without savepoint can have held anything back.
        waiting = self._release() if self._settings.first_deployment_seq and "0" in self._held else []
        for batch in (*waiting, decode(payload)):
            yield from self._score(scorer, batch, ctx)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Score what waited, if the first deployment has come."""
        scorer = self._ready_scorer(ctx)
        if scorer is None:
            ctx.timer_service().register_processing_time_timer(now_ms() + RETRY_MS)
            return
        for batch in self._release():
            yield from self._score(scorer, batch, ctx)

    def _ready_scorer(self, ctx: Any) -> RoleScorer | None:  # noqa: ANN401
        if self._scorer is None:
            state = ctx.get_broadcast_state(BROADCAST)
            if state.contains(DEPLOYMENT):
                self._scorer = self._build(state)
            elif self._settings.first_deployment_seq == 0:
                self._scorer = RoleScorer(Deployment(), {}, feature_set=self._settings.stream_features())
        if self._scorer is None or self._scorer.deployment.seen_seq < self._settings.first_deployment_seq:
            return None
        return self._scorer

    def _build(self, state: Any) -> RoleScorer:  # noqa: ANN401
        deployment = Deployment.from_json(bytes(state.get(DEPLOYMENT)))
        known = self._scorer.versions if self._scorer else {}
        versions = {d: known.get(d) or LoadedVersion.load(bytes(state.get(d))) for d in deployment.digests}
        return RoleScorer(
            deployment,
            versions,
            feature_set=self._settings.stream_features(),
            by_event_time=self._settings.activation == "event_time",
        )

    def _release(self) -> list[list[Transaction]]:
        batches = [decode(self._held[key]) for key in sorted(self._held, key=int)]
        self._held.clear()
        return batches

    def _score(self, scorer: RoleScorer, batch: list[Transaction], ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        watermark_ms = ctx.timer_service().current_watermark()
        inferences = scorer.score(batch, watermark_ms if watermark_ms > 0 else None, now_ms())
        self._metrics.count(inferences)
        predictions: dict[str, list[Prediction]] = defaultdict(list)
        records = Records(self._settings.payload)
        for inference in inferences:
            key = inference["transaction_id"]
            records.add("inferences", key, inference)
            prediction = prediction_of(inference)
            if prediction is not None:
                predictions[self._shards.of(key)].append(prediction)
            if inference["role"] == CHAMPION:
                alert = alert_of(inference, scorer.threshold(inference), scorer.reasons)
                if alert is not None:
                    records.add("alerts", key, alert)
        if self._settings.emit_features:
            for transaction in batch:
                records.add("features", transaction["transaction_id"], scorer.features_record(transaction))
        # The records of the batch go with its first payload.
        for key, group in predictions.items() or [(self._shards.keys[0], [])]:
            yield Row(key, encode(group), *records.take())
