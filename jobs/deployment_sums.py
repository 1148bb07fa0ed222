"""The sum as ``weir status`` shows it: records still on their way are not called lost."""

from __future__ import annotations

import time
from typing import Any

from connectors.local.stack import LocalStack
from jobs.accounting import Accounting
from jobs.submission import running_job

__all__ = ["deployment_sums"]

SECOND_LOOK_S = 3.0


def deployment_sums(stack: LocalStack) -> dict[str, Any]:
    """Read the topics and return the sum, with the scoring job's id (None when it does not run) and a verdict.

    ``verdict`` is ``holds``, ``off``, or ``waiting``: some transactions have no answer yet, but the job is still working
    through them, or does not run. A record counts as missing only when a second look finds the same number of answers.

    Raises
    ------
    ConnectionLostError
        If Kafka or Flink does not answer.
    """
    job_id = running_job(stack)
    accounting = Accounting.of_broker(stack.ports.addresses()["kafka"])
    total = accounting.update()
    moving = False
    if total.missing and job_id:
        answered = total.inferences + total.dead_letters
        time.sleep(SECOND_LOOK_S)
        total = accounting.update()
        moving = total.inferences + total.dead_letters > answered
    verdict = "holds" if total.holds else "off"
    if verdict == "off" and not (total.doubled or total.unknown) and (moving or not job_id):
        verdict = "waiting"
    return {**total.to_json(), "job_id": job_id, "verdict": verdict, "text": str(total)}
