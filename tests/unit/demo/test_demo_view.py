"""What a person sees of a demo: lines without a terminal, one table on it, and at the end the figures."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from jobs.demo.check import Check
from jobs.demo.demo_result import DemoResult, SwapResult, VersionResult
from jobs.demo.demo_summary import print_summary
from jobs.demo.demo_view import DemoView
from jobs.transaction_sum import TransactionSum


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=140, color_system=None, legacy_windows=False)


def test_without_a_terminal_each_step_is_a_line_and_progress_is_rare():
    out = console(terminal=False)
    with DemoView(out, "Weir demo", {"stack": "stack", "job": "job"}) as view:
        view.tell("stack", "1 of 8 ready", 0.1)
        for ready in range(2, 8):
            view.tell("stack", f"{ready} of 8 ready", ready / 8)
        view.done("stack", "up")
    lines = out.file.getvalue().splitlines()
    assert [line.partition(" s  ")[2] for line in lines[1:]] == ["stack: 1 of 8 ready", "ok stack: up"]


def test_without_a_terminal_news_is_told_at_once():
    out = console(terminal=False)
    with DemoView(out, "Weir demo", {"stack": "stack"}) as view:
        view.tell("stack", "making room")
        view.tell("stack", "removing what the last demo left", news=True)
        view.done("stack", "up")
    assert "removing what the last demo left" in out.file.getvalue()


def test_a_step_that_was_running_when_something_broke_has_failed():
    out = console(terminal=False)
    with DemoView(out, "Weir demo", {"job": "job", "stream": "stream"}) as view:
        view.tell("job", "submitting to Flink")
    assert out.file.getvalue().splitlines()[-1].endswith("FAILED job: submitting to Flink")


def test_on_a_terminal_all_steps_are_shown_with_their_state():
    out = console(terminal=True)
    with DemoView(out, "Weir demo", {"stack": "stack", "job": "job", "stream": "stream"}) as view:
        view.done("stack", "up")
        view.tell("job", "submitting", 0.5)
        view.done("job", "runs")
    last = out.file.getvalue().replace("\r", "\n").splitlines()
    assert any("✓" in line and "runs" in line for line in last)
    assert any("·" in line and "stream" in line for line in last)


def version(name="1", roc_auc=0.75, bound=0.0, theirs=0.75, scored=60, excluded=0) -> VersionResult:
    return VersionResult(
        "fraud", name, "champion", "half-space-trees", "d", scored, 5, 55, roc_auc, bound, 0.7, 0.8, excluded, theirs
    )


def result(*checks: Check, **other) -> DemoResult:
    values = {
        "account": TransactionSum(104, 100, 0, 0, 0, 4, 0, 0, 0), "restarts": 0, "job_state": "RUNNING",
        "versions": [version(), version("2", scored=40)], "swaps": [SwapResult("1", "2", 143, 5)],
        "rejected": {"reason": "probes: 48 of 48 differ"}, "events_per_s": 1_599.6, "compared": 100, "mismatched": 0,
        "latency_ms": {"p50": 38.0, "p99": 140.0, "committed_p50": 1_100.0, "committed_p99": 2_200.0,
                       "warm_p50": 37.0, "warm_p99": None},
        "checks": list(checks), "picture": "demo/roc_auc.png", "seconds": 200.0, "memory_mb": 4_200.0,
        "addresses": dict.fromkeys(("flink", "mlflow", "kafka", "postgres", "connect", "s3"), "here"), **other,
    }  # fmt: skip
    return DemoResult(**values)


@pytest.mark.parametrize(
    ("roc_auc", "bound", "theirs", "agrees"),
    [
        (0.75, 0.0, 0.75 + 5e-10, True),
        (0.75, 0.0, 0.75 + 2e-9, False),
        (0.75, 1e-4, 0.75009, True),
        (0.75, 1e-4, 0.7502, False),
        (None, None, None, True),
        (None, None, 0.75, False),
        (0.75, 0.0, None, False),
    ],
)
def test_scikit_learn_agrees_within_the_published_bound(roc_auc, bound, theirs, agrees):
    assert version(roc_auc=roc_auc, bound=bound, theirs=theirs).agrees is agrees


def test_the_document_for_programs_keeps_the_contract():
    document = result(Check("the sum holds", True, "")).to_json()
    assert (document["transactions"], document["dead_letters"], document["duplicates"]) == (100, 0, 0)
    assert {
        "model",
        "version",
        "role",
        "scored",
        "positives",
        "negatives",
        "roc_auc",
        "error_bound",
        "excluded",
    } <= set(document["versions"][0])
    assert {"from": "1", "to": "2", "commit_to_first_score_ms": 143} | document["swaps"][0] == document["swaps"][0]
    assert {"p50", "p99", "committed_p50", "committed_p99"} <= set(document["latency_ms"])
    assert document["verified"] == {"compared": 100, "mismatched": 0}
    assert (document["restarts"], document["events_per_s"], document["ok"]) == (0, 1_599.6, True)


def summary(shown: DemoResult, *, kept: bool = False, tmp_path) -> str:
    out = console(terminal=False)
    print_summary(out, shown, home=tmp_path, kept=kept)
    return out.file.getvalue()


def test_the_summary_says_what_holds(tmp_path):
    text = summary(result(Check("the sum holds", True, "")), tmp_path=tmp_path)
    for part in ("143 ms after the", "p99 140 ms", "0 differ", "demo/roc_auc.png", "60 (60%)", "all 1 checks hold"):
        assert part in text, part
    assert "excluded" not in text
    assert all(len(line) <= 140 for line in text.splitlines())


def test_the_summary_says_what_does_not_hold_and_what_was_excluded(tmp_path):
    shown = result(Check("the sum holds", False, "3 missing"), versions=[version(excluded=500)])
    text = summary(shown, tmp_path=tmp_path)
    assert not shown.ok
    assert "✗ the sum holds: 3 missing" in text
    assert "excluded" in text
    assert "checks hold" not in text


def test_a_stack_that_is_kept_is_shown_with_three_things_to_try(tmp_path):
    text = summary(result(Check("", True, "")), kept=True, tmp_path=tmp_path)
    assert all(f" {verb} " in text for verb in ("produce", "promote", "status"))
