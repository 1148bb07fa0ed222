"""10,000 alerts of a job killed five times, sent by notifiers killed five times: ``make bench ONLY=notify``.

The receiver fails one call in three and answers late, one in 75 after the time-out; it honours the key. Each alert must
be acted upon once, none may be left, and there may be no more deliveries than alerts, crashes, and failed calls.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

from connectors.postgres.notification_queue import NotificationQueue
from jobs.registry_access import dsn_of
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.notifiers import failed_or_timed_out, notifying, unreliable
from tests.e2e.scoring import Scoring, wait_for
from tests.webhook_receiver import Receiver, receiving

ROWS, RATE, KILLS, NOTIFIERS = 10_000, 60, 5, 4


def kill_task_managers(scoring: Scoring, killed: list[int]) -> None:
    """Kill a TaskManager that runs the job, again and again; each time wait until it runs and has completed a checkpoint."""
    for each in range(KILLS):
        done = scoring.completed_checkpoints()
        wait_for("a checkpoint", lambda done=done: scoring.completed_checkpoints() > done, 600)  # type: ignore[misc]
        restarts = scoring.restarts()
        state = scoring.stack.status()
        assert state is not None
        workers = scoring.workers()  # one of the others would be no failure of the job, and no restart would come
        victim = state.components[workers[each % len(workers)]].pid
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)
        wait_for("a restart", lambda restarts=restarts: scoring.restarts() > restarts, 600)  # type: ignore[misc]
        wait_for("the job runs", lambda: scoring.flink.all_run(scoring.job_id), 900)


def story(local: Local, folder: Path) -> dict[str, float | int | str]:
    """Run the stream, the kills and the notifiers; return the figures."""
    scoring = Scoring(local, "notify")
    digest = scoring.store.insert_artifact(trained(1))
    scoring.store.activate("notify", "1", digest, threshold=0.0, who="bench", why="every transaction raises an alert")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    receiver, began = Receiver(unreliable), time.monotonic()
    killed: list[int] = []
    with receiving(receiver) as url, notifying(local, url, folder / "log", NOTIFIERS) as notifiers:
        producer = threading.Thread(target=scoring.produce, args=(stream(ROWS), RATE), kwargs={"close": True})
        killer = threading.Thread(target=kill_task_managers, args=(scoring, killed))
        producer.start()
        killer.start()
        for each in range(1, KILLS + 1):
            wait_for("calls", lambda each=each: len(receiver.calls) > each * ROWS // 8, 1_800)  # type: ignore[misc]
            notifiers.kill()
        producer.join()
        killer.join()
        total = scoring.wait_for_sum(ROWS + 4, 300)
        queue = NotificationQueue(dsn_of(scoring.settings, "notifier"))
        wait_for("nothing unsent", lambda: len(receiver.acted) >= ROWS and not queue.unfinished(), 900)
        seconds = time.monotonic() - began
        codes = notifiers.stop()
    counts = queue.counts()
    queue.close()
    written = [each["alert_id"] for each in scoring.messages("alerts")]
    raw, failed = len(receiver.calls), failed_or_timed_out(receiver)
    assert total.holds, str(total)
    assert codes == [0] * NOTIFIERS, codes
    return {
        "alerts": len(set(written)),
        "alert_records": len(written),
        "job_kills": len(killed),
        "job_restarts": scoring.restarts(),
        "notifier_kills": notifiers.kills,
        "raw_deliveries": raw,
        "failed_or_timed_out_calls": failed,
        "most_deliveries_explained": len(set(written)) + notifiers.kills + failed,
        "acted_upon": len(receiver.acted),
        "acted_upon_twice": sum(times > 1 for times in receiver.acted.values()),
        "never_acted_upon": len(set(written) - set(receiver.acted)),
        "unsent": counts["queued"] + counts["sending"] + counts["dead"],
        "sent_per_s": ROWS / seconds,
        "calls_per_s": raw / seconds,
    }


def main() -> None:
    """Run the story on a stack of its own, publish its figures, and fail if one is off."""
    with tempfile.TemporaryDirectory(prefix="weir-notify-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            figures = story(local, Path(folder))
        finally:
            local.stack.down(purge=True)
    publish("notify", figures)
    wrong = (figures["acted_upon_twice"], figures["never_acted_upon"], figures["unsent"])
    short = figures["alerts"] != ROWS or figures["job_kills"] < KILLS
    if any(wrong) or short or figures["raw_deliveries"] > figures["most_deliveries_explained"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
