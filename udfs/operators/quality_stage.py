"""Last stage: ROC AUC per model version and window, revised while truth arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.payload import encode
from udfs.domain.quality_stage import finish_windows, refresh_windows
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import QUALITY_WAITING, QUALITY_WINDOWS
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["QualityStage"]


class QualityStage(KeyedProcessFunction):
    """Folds count changes into windows and publishes rows of ``model_quality``.

    Keyed by
        Model, version and role.
    State kept
        ``quality-windows``: counts per window; ``quality-waiting``: changes since the last revision.
    Timers
        A processing-time timer publishes early revisions, at most one per window and interval. Event-time timers at
        window end + truth retention publish the final row.
    Emits
        Rows of ``model_quality`` with a growing revision.
    Restart, late or repeated event
        Waiting changes are state, so a restart publishes them again with the same counts; readers keep the highest revision.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._windows = StateEntries(ctx.get_map_state(QUALITY_WINDOWS))
        self._waiting = StateEntries(ctx.get_map_state(QUALITY_WAITING))

    def process_element(self, changes: str, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Keep a batch of changes for the next revision."""
        count = int(self._waiting.get("count", b"0"))
        self._waiting[str(count)] = changes.encode()
        self._waiting["count"] = str(count + 1).encode()
        if count == 0:
            ctx.timer_service().register_processing_time_timer(now_ms() + self._settings.quality_interval_ms)
        return iter(())

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Publish a revision of every window that changed, and the final row of windows that are over."""
        version_key = ctx.get_current_key()
        watermark_ms = ctx.timer_service().current_watermark()
        retention_ms = self._settings.truth_retention_ms
        count = int(self._waiting.get("count", b"0"))
        if count:
            payloads = [self._waiting[str(index)].decode() for index in range(count)]
            self._waiting.clear()
            rows = refresh_windows(
                version_key,
                payloads,
                self._windows,
                window_ms=self._settings.quality_window_ms,
                retention_ms=retention_ms,
                watermark_ms=watermark_ms,
            )
            for row in rows:
                yield self._record(row)
                if (
                    not row["final"]
                    and row["window_end_ms"] - row["window_start_ms"] == self._settings.quality_window_ms
                ):
                    ctx.timer_service().register_event_time_timer(row["window_end_ms"] + retention_ms)
        for row in finish_windows(version_key, self._windows, retention_ms=retention_ms, watermark_ms=watermark_ms):
            yield self._record(row)

    def _record(self, row: dict[str, Any]) -> Any:  # noqa: ANN401
        key = "/".join(str(row[name]) for name in ("model", "version", "role", "series", "window_start_ms"))
        return Row(key, encode(row))
