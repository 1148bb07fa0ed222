"""The demo from its first step to its last, in the order in which a person sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from connectors.kafka.produced import Produced
from jobs.commands.promote import promote_version
from jobs.demo.check import Check
from jobs.demo.demo_context import DemoContext
from jobs.demo.demo_home import DemoHome
from jobs.demo.demo_result import DemoResult
from jobs.demo.demo_stack import demo_stack
from jobs.demo.demo_stream import DemoStream
from jobs.demo.demo_view import DemoView
from jobs.demo.findings import latencies, settle_quality, settle_sum, swaps_of, versions_of
from jobs.demo.plan import DemoPlan
from jobs.demo.poison import POISONED_VERSION
from jobs.demo.score_watch import ScoreWatch
from jobs.demo.story import tell_story
from jobs.demo.tally import Tally, tally_of
from jobs.demo.trainer import Trainer
from jobs.local_stack import local_stack
from jobs.report.quality_chart import draw_quality
from jobs.settings import Settings
from jobs.submission import running_job, submit_job
from jobs.verification import Verification, verify_topic
from udfs.domain.errors import WeirError

__all__ = ["STEPS", "run_demo"]

STEPS = {
    "stack": "stack",
    "first": "version 1",
    "job": "job",
    "stream": "stream",
    "second": "version 2",
    "poison": "poisoned version",
    "sum": "sum",
    "quality": "quality",
    "verify": "scores again",
    "end": "end",
}
PICTURE = "roc_auc.png"
TICK_S = 0.1
CHECKPOINT_PATIENCE_S = 30.0


def run_demo(settings: Settings, plan: DemoPlan, view: DemoView, *, keep: bool) -> DemoResult:
    """Run a demo; whatever happens, it leaves nothing running that did not run before, unless it is to keep it.

    Parameters
    ----------
    settings
        Of the stack, as the user gave them.
    plan
        What to do.
    view
        Where to tell what is being done.
    keep
        Leave the stack and the job running after a demo that came to its end.

    Raises
    ------
    WeirError
        When a component fails, or the home holds data that are not a demo's.
    """
    fitted = plan.settings(settings, _now_ms())
    stack = local_stack(fitted)
    home = DemoHome(stack)
    context = DemoContext(plan, fitted, stack, view)
    with (
        demo_stack(stack, home, view, keep=keep) as ran_before,
        Trainer(stack.home / "logs" / "demo-training.log") as trainer,
    ):
        _train_first(context, trainer)
        with _job(context, stays=keep or not ran_before) as job_id:
            return _stream_and_check(context, trainer, home, job_id)


def _train_first(context: DemoContext, trainer: Trainer) -> None:
    view, order = context.view, context.plan.first
    view.tell("first", f"training {order.algorithm} on {context.plan.first_told}")
    trainer.order(order)
    trained = trainer.wait(lambda seen: view.tell("first", f"training {order.algorithm}: {seen:,} transactions so far"))
    context.trained[trained.version] = trained
    promote_version(context.registry, trained.model, trained.version, why="the demo's first version")
    view.done(
        "first", f"{trained.algorithm} on {trained.examples:,} transactions ({context.plan.first_told}); champion"
    )


@contextmanager
def _job(context: DemoContext, *, stays: bool) -> Iterator[str]:
    """Submit the job; cancel it at the end if its stack goes on without it, and whenever something went wrong."""
    view, finished = context.view, False
    try:
        job_id = submit_job(
            context.stack, context.settings, progress=lambda sentence: view.tell("job", sentence, news=True)
        )
        # The first checkpoint is the sign that every part of the job has come to rest after its start.
        deadline = time.monotonic() + CHECKPOINT_PATIENCE_S
        while not context.flink.checkpoints(job_id)["counts"]["completed"] and time.monotonic() < deadline:
            view.tell("job", "waiting for its first checkpoint", news=True)
            time.sleep(TICK_S)
        view.done("job", f"runs, unbounded, on {context.settings.parallelism} TaskManagers: {job_id}")
        yield job_id
        finished = True
    finally:
        if not (stays and finished):
            with suppress(WeirError):
                running = running_job(context.stack)
                if running is not None:
                    context.flink.cancel(running)


def _stream_and_check(context: DemoContext, trainer: Trainer, home: DemoHome, job_id: str) -> DemoResult:
    plan, view = context.plan, context.view
    second = None
    if not plan.train_at:
        view.tell("second", f"training {plan.second.algorithm} before a stream this short")
        trainer.order(plan.second)
        second = trainer.wait()
    with ScoreWatch(context.bootstrap) as watch:
        with DemoStream(context.bootstrap, plan.stream, plan.rate, context.settings.payload) as stream:
            story = tell_story(context, trainer, watch, stream, second)
            produced = _drive(context, stream, watch, story)
        memory_mb = round(sum(context.stack.memory_mb().values()), 1)
        account, sum_holds = settle_sum(context, produced.transactions)
        # Read at this moment: the job is unbounded and running while the sum holds.
        job_state, restarts = context.flink.state(job_id), context.flink.restarts(job_id)
        _end(view, "sum", sum_holds)
    running = Check("the job runs on", job_state == "RUNNING", f"{job_state}, {restarts} restarts")
    view.tell("quality", "reading scores and truths")
    tally = tally_of(context.read)
    closes = plan.windows_close(context.settings, _now_ms())
    rows, settled = settle_quality(context, tally, closes)
    _end(view, "quality", settled)
    versions, version_checks = versions_of(context, tally, rows)
    swaps = swaps_of(context, tally)
    rejected = watch.event_of(POISONED_VERSION, "rejected")
    picture = home.folder / PICTURE
    draw_quality(rows.rows(), [swap.to_json() for swap in swaps], picture)
    verified, again = _verify(context, tally)
    _end(view, "verify", again)
    return DemoResult(
        account=account,
        restarts=restarts,
        job_state=job_state,
        versions=versions,
        swaps=swaps,
        rejected=rejected,
        latency_ms=latencies(tally, watch),
        events_per_s=tally.events_per_s,
        compared=verified.compared,
        mismatched=verified.mismatched,
        checks=[sum_holds, running, settled, *version_checks, _refused(context, tally, rejected), again],
        picture=str(picture),
        seconds=view.seconds,
        memory_mb=memory_mb,
        addresses=context.stack.ports.addresses(),
    )


def _drive(context: DemoContext, stream: DemoStream, watch: ScoreWatch, story: Iterator[None]) -> Produced:
    """Show the stream and drive the story until both are over."""
    told = False
    while True:
        produced = stream.poll()
        watch.check()
        stream.keep_up(watch.new_latencies_ms())
        text = _streaming(stream, watch)
        if produced is None:
            context.view.tell("stream", text, stream.share)
        elif not told:
            context.view.done("stream", f"{produced}")
            told = True
        over = next(story, StopIteration) is StopIteration
        if produced is not None and over:
            return produced
        time.sleep(TICK_S)


def _streaming(stream: DemoStream, watch: ScoreWatch) -> str:
    scored = ", ".join(f"{count:,} by version {version}" for version, count in watch.scored.items()) or "none yet"
    p50 = watch.recent_p50_ms()
    latency = "" if p50 is None else f"; p50 {p50:,.0f} ms"
    sent = f"{stream.transactions:,} sent at {stream.rate:,.0f}/s, {stream.truths:,} truths"
    return f"{sent}; scored: {scored}{latency}"


def _refused(context: DemoContext, tally: Tally, rejected: dict[str, object] | None) -> Check:
    name = "the poisoned version is refused"
    if rejected is None:
        return Check(name, False, "no record of model_events says so")
    good = list(context.trained)[-1]
    after = tally.scored_after(int(str(rejected["time_ms"])))
    right = set(after) <= {good} and not any(rejected["digest"] in each.digests for each in tally.versions.values())
    told = ", ".join(f"{count:,} by version {version}" for version, count in after.items()) or "none"
    return Check(name, right, f"scores since: {told}")


def _verify(context: DemoContext, tally: Tally) -> tuple[Verification, Check]:
    view = context.view

    def progress(done: int, total: int) -> None:
        view.tell("verify", f"{done:,} inferences read, scored again by River in fresh processes", done / max(total, 1))

    progress(0, 1)
    verified = verify_topic(context.bootstrap, context.store.load_artifact, progress=progress)
    scored = sum(each.scored for each in tally.versions.values())
    whole = verified.mismatched == 0 and verified.compared == scored
    told = f"{verified.compared:,} of {scored:,} scores made again: {verified.mismatched:,} differ"
    return verified, Check("every score comes out again, bit for bit", whole, told)


def _end(view: DemoView, key: str, check: Check) -> None:
    (view.done if check.ok else view.fail)(key, check.told)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
