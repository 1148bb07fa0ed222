"""The gate in the job: one instance, off the data path, that judges every deployment before scorers hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from model_store.admission import admit
from model_store.compiled_scorer import warm_up
from model_store.gate import Gate, Ruling
from udfs.domain.dead_letter import dead_letter
from udfs.domain.event import Position
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import Activation, ArtifactPart, FeatureDefinition, MalformedRow, parse_metadata
from udfs.domain.payload import encode
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import DEAD_LETTERS, GATE_STATE, MODEL_EVENTS
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["GateStage"]

TIMER_MS = 1_000
WATERMARK = "watermark"
END_OF_TIME_MS = 2**62


@ends_job_for_good
class GateStage(KeyedProcessFunction):
    """Judges metadata rows in commit order (see :class:`model_store.gate.Gate`).

    Keyed by
        One constant key: there is one gate, and ``weir.metadata`` has one partition.
    State kept
        ``gate``: parts of artifacts, pending activations, feature sets by rows, the last judged sequence number of each
        role; with activation = event_time also the transactions' watermark, which a restart would forget.
    Timers
        A processing-time timer every second while an activation waits for its artifact or feature set. With activation =
        event_time an event-time timer that fires whenever the watermark moves.
    Emits
        Verdicts (broadcast to all scorers, with the artifact's bytes); model events and dead letters (side outputs).
    Restart, late or repeated event
        State and offset come from one checkpoint. A row that was judged before, replayed or older, changes nothing.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, compile the kernels the probes run on, get state."""
        check_build(self._settings.build_id)
        warm_up()
        self._state = StateEntries(ctx.get_map_state(GATE_STATE))
        self._gate = Gate(
            self._state,
            model=self._settings.model,
            feature_sets=FeatureCatalog.from_json(self._settings.feature_rows),
            admit=admit,
            patience_ms=self._settings.gate_patience_ms,
            trusted_keys=self._settings.trusted_keys,
            first_seq=self._settings.first_deployment_seq,
        )

    def process_element(self, record: Any, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Judge one metadata record."""
        self._note_watermark(ctx)
        value, partition, offset, append_ms = record
        row = parse_metadata(value)
        if isinstance(row, MalformedRow):
            position = Position(partition=partition, offset=offset, ingestion_time_ms=append_ms)
            letter = dead_letter("weir.metadata", position, row.reason, row.detail, value, now_ms())
            yield DEAD_LETTERS, Row(f"weir.metadata-{partition}-{offset}", encode(letter))
        elif isinstance(row, ArtifactPart):
            yield from self._publish(self._gate.part_arrived(row))
        elif isinstance(row, FeatureDefinition):
            yield from self._publish(self._gate.definition_arrived(row), f"row {offset} of weir.metadata")
        elif isinstance(row, Activation):
            yield from self._publish(self._gate.activation_arrived(row, now_ms()))
            if self._gate.waits:
                ctx.timer_service().register_processing_time_timer(now_ms() + TIMER_MS)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Give up on artifacts that did not come, or look again in a second; keep the watermark that moved."""
        self._note_watermark(ctx)
        yield from self._publish(self._gate.time_passed(now_ms()))
        if self._gate.waits:
            ctx.timer_service().register_processing_time_timer(now_ms() + TIMER_MS)

    def _note_watermark(self, ctx: Any) -> None:  # noqa: ANN401
        if self._settings.activation != "event_time":
            return
        known_ms = int(self._state.get(WATERMARK, b"-1"))
        watermark_ms = max(known_ms, min(ctx.timer_service().current_watermark(), END_OF_TIME_MS))
        if watermark_ms > known_ms:
            self._state[WATERMARK] = str(watermark_ms).encode()
        self._gate.watermark_ms = watermark_ms
        if watermark_ms < END_OF_TIME_MS:
            ctx.timer_service().register_event_time_timer(watermark_ms + 1)

    def _publish(self, ruling: Ruling, place: str = "") -> Iterator[Any]:
        # Before the verdicts leave: a scorer may obey while this generator is still here, and no score may be older
        # than the word that its version is active.
        said_ms = now_ms()
        for verdict in ruling.verdicts:
            yield verdict.to_json()
        for event in ruling.events:
            activation = event.activation
            yield self._model_event(
                event.event,
                event.reason,
                said_ms,
                model=activation.model,
                version=activation.version,
                role=activation.role,
                digest=activation.digest,
                deployment_seq=activation.deployment_seq,
            )
        for uptake in ruling.uptakes:
            yield self._model_event(
                uptake.event,
                f"{uptake.label}: {uptake.reason or place}",
                said_ms,
                model=self._settings.model,
                version=None,
                role=None,
                digest=uptake.hash,
                deployment_seq=None,
                feature_set=uptake.label,
            )

    def _model_event(self, event: str, reason: str | None, time_ms: int, *, model: str, **about: Any) -> Any:  # noqa: ANN401
        record = {
            "model": model,
            **about,
            "event": event,
            "reason": reason,
            "subtask_count": self._settings.parallelism,
            "time_ms": time_ms,
        }
        return MODEL_EVENTS, Row(model, encode(record))
