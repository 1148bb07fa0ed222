"""What the stages are told at submission; a plain value that travels in the job graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet

__all__ = ["StageSettings"]


@dataclass(frozen=True, slots=True)
class StageSettings:
    """Settings of the stages; times in milliseconds.

    Parameters
    ----------
    build_id
        Build of the submitted bundle; each stage compares it with the code it really runs.
    model, feature_set
        The stream's registered model and the label-less name of the feature set whose fields every transaction must have.
    order
        ``arrival``: a transaction is scored when it comes. ``event_time``: stages hold events back until the watermark.
    activation
        ``arrival``: the newest accepted activation. ``event_time``: the one in force at the event's time.
    shards
        Number of keys, equal to the job's max parallelism.
    first_deployment_seq
        At a start without savepoint transactions wait until the gate has judged metadata up to here.
    label_maturity_ms
        Age at which a transaction without truth is presumed genuine; 0 is never.
    quality_rolling_ms
        Length of the rolling windows of model_quality; 0 is none.
    quality_false_positive_rate
        At which model_quality tells the recall.
    trusted_keys
        Public Ed25519 keys in hex, separated by commas: the gate takes artifacts that one of them signed. Empty: all.
    feature_rows
        Feature sets that rows define, as :class:`udfs.domain.feature_catalog.FeatureCatalog` writes them.
    payload
        How inferences are written; transactions come as JSON whatever it is, SQL sees to that.
    quiet_shard_ms
        After so long without predictions a shard of the truth join ages by the watermark alone: longer than anything that
        the watermark has overtaken is held in a batching window or on its way.
    event_time_batch_ms
        Window in which the source releases events when order is event_time; the stages align their timers to it.
    """

    build_id: str
    model: str
    feature_set: str
    order: Literal["arrival", "event_time"]
    activation: Literal["arrival", "event_time"]
    shards: int
    first_deployment_seq: int
    emit_features: bool
    parallelism: int
    lateness_ms: int
    event_time_batch_ms: int
    quality_window_ms: int
    quality_interval_ms: int
    truth_retention_ms: int
    gate_patience_ms: int = 10_000
    label_maturity_ms: int = 0
    quality_rolling_ms: int = 0
    quality_false_positive_rate: float = 0.01
    trusted_keys: str = ""
    feature_rows: tuple[str, ...] = ()
    payload: Literal["json", "avro"] = "json"
    quiet_shard_ms: int = 60_000

    def stream_features(self) -> FeatureSet:
        """Return the feature set whose fields every transaction must have."""
        return FeatureCatalog.of_code(self.feature_set)

    def release_time_ms(self, time_ms: int) -> int:
        """Return the watermark from which on every event of ``time_ms``'s source window has reached the stage.

        Examples
        --------
        >>> who, how = ("build", "model", "handbook", "event_time", "arrival"), (32, 0, False, 2, 0)
        >>> StageSettings(*who, *how, 60_000, 1, 1, 1).release_time_ms(60_001)
        119999
        """
        return (time_ms // self.event_time_batch_ms + 1) * self.event_time_batch_ms - 1
