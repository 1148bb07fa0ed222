"""The gate stage remembers the transactions' watermark, also over a restart, where activation = event_time."""

from __future__ import annotations

import base64
from dataclasses import replace

import orjson
import pytest

from model_store.artifact import digest
from tests.e2e.models import trained
from tests.integration.test_pipeline import stage_settings
from tests.unit.operators.fakes import NO_WATERMARK, FakeFlink
from udfs.operators.gate_stage import GateStage

SETTINGS = replace(stage_settings("event_time", first_seq=0), activation="event_time")
ARTIFACT = trained(1, 600)


def row(table: str, **after: object) -> tuple[str, int, int, int]:
    return orjson.dumps({"op": "c", "source": {"table": table}, "after": after}).decode(), 0, 0, 0


WHOLE = row(
    "model_artifact", digest=digest(ARTIFACT), part=0, parts=1, bytes=base64.b64encode(ARTIFACT).decode()
)  # fmt: skip


def deploy(flink: FakeFlink, seq: int, effective_from_ms: int) -> tuple[str, str | None]:
    """Send an activation; return the event and the first word of its reason."""
    flink.send(
        "gate",
        row(
            "model_activation", deployment_seq=seq, model="fraud", role="champion", version=str(seq),
            digest=digest(ARTIFACT), threshold=None, effective_from_ms=effective_from_ms, retired=False,
        ),
    )  # fmt: skip
    said = orjson.loads(flink.aside["model-events"][-1][1])
    assert said["deployment_seq"] == seq
    return said["event"], said["reason"] and said["reason"].partition(":")[0]


@pytest.fixture
def flink():
    flink = FakeFlink(GateStage(SETTINGS))
    flink.send("gate", WHOLE)
    return flink


def test_what_is_effective_behind_the_watermark_is_refused(flink):
    assert deploy(flink, 1, 1_000) == ("activated", None)
    flink.advance_watermark(5_000)
    assert deploy(flink, 2, 5_000) == ("rejected", "effective_from_behind_watermark")
    assert deploy(flink, 3, 5_001) == ("activated", None)


def test_a_restart_does_not_forget_the_watermark_though_flink_does(flink):
    flink.advance_watermark(4_000)
    flink.advance_watermark(5_000)
    flink.watermark_ms = NO_WATERMARK
    flink.restart(GateStage(SETTINGS))
    assert deploy(flink, 1, 5_000) == ("rejected", "effective_from_behind_watermark")


def test_at_the_end_of_the_input_no_timer_lies_beyond_what_can_be(flink):
    flink.advance_watermark(2**63 - 1)
    assert deploy(flink, 1, 5_000)[0] == "rejected"
    assert all(time_ms < 2**63 for time_ms, _ in flink.event_timers)


def test_with_activation_on_arrival_event_time_does_not_matter():
    flink = FakeFlink(GateStage(replace(SETTINGS, activation="arrival")))
    flink.send("gate", WHOLE)
    flink.advance_watermark(5_000)
    assert deploy(flink, 1, 0) == ("activated", None)
    assert not flink.event_timers
