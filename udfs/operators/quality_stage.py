"""Last stage: ROC AUC per model version and window, revised while truth arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.payload import encode
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import QualityUpdate, finish_windows, refresh_windows
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import QUALITY_WAITING, QUALITY_WINDOWS
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["QualityStage"]

COUNT, PUBLISH_AT = "count", "publish-at"


@ends_job_for_good
class QualityStage(KeyedProcessFunction):
    """Folds count changes into windows and publishes rows of ``model_quality``.

    Keyed by
        Model, version and role.
    State kept
        ``quality-windows``: counts per window; ``quality-waiting``: changes since the last revision, and when the next
        one is due.
    Timers
        One processing-time timer at a time publishes early revisions, at most one per window and interval. An
        event-time timer where the next window becomes final publishes its final row.
    Emits
        Rows of ``model_quality`` with a growing revision.
    Restart, late or repeated event
        Waiting changes are state, so a restart publishes them again with the same counts; readers keep the highest
        revision.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings
        self._rules = QualityRules(
            settings.quality_window_ms,
            settings.truth_retention_ms,
            settings.quality_rolling_ms,
            settings.quality_false_positive_rate,
        )

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._windows = StateEntries(ctx.get_map_state(QUALITY_WINDOWS))
        self._waiting = StateEntries(ctx.get_map_state(QUALITY_WAITING))

    def process_element(self, changes: bytes, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Keep a batch of changes for the next revision."""
        with self._waiting.batch((COUNT, PUBLISH_AT)) as waiting:
            count = int(waiting.get(COUNT, b"0"))
            waiting[str(count)] = changes
            waiting[COUNT] = str(count + 1).encode()
            # A final row may have taken what waited before; its timer still stands, a second one would come too soon.
            if PUBLISH_AT not in waiting:
                publish_at_ms = now_ms() + self._settings.quality_interval_ms
                waiting[PUBLISH_AT] = str(publish_at_ms).encode()
                ctx.timer_service().register_processing_time_timer(publish_at_ms)
        return iter(())

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Publish a revision of every window that changed, or the final rows of windows that are over."""
        watermark_ms = ctx.timer_service().current_watermark()
        payloads, publish_at_ms = self._take()
        step = refresh_windows if timestamp == publish_at_ms else finish_windows
        if step is finish_windows and publish_at_ms is not None:
            self._waiting[PUBLISH_AT] = str(publish_at_ms).encode()
        update: QualityUpdate = step(
            ctx.get_current_key(), payloads, self._windows, self._rules, watermark_ms=watermark_ms
        )
        if update.next_due_ms is not None:
            ctx.timer_service().register_event_time_timer(update.next_due_ms)
        for row in update.rows:
            yield self._record(row)

    def _take(self) -> tuple[list[bytes], int | None]:
        """Return what waits and when it was to be published, and forget both."""
        head = self._waiting.batch((COUNT, PUBLISH_AT))
        names = [str(index) for index in range(int(head.get(COUNT, b"0")))]
        held = self._waiting.batch(names)
        payloads = [held[name] for name in names]
        publish_at_ms = int(head[PUBLISH_AT]) if PUBLISH_AT in head else None
        self._waiting.clear()
        return payloads, publish_at_ms

    def _record(self, row: dict[str, Any]) -> Any:  # noqa: ANN401
        window = str(row["window_start_ms"])
        if row["window"] == "rolling":
            window = f"{window}-{row['window_end_ms']}"
        return Row("/".join((row["model"], row["version"], row["role"], row["series"], window)), encode(row))
