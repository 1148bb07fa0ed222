"""The champion changes again and again under load."""

from __future__ import annotations

import time

from jobs.verification import verify_topic
from tests.e2e.local import Local
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring
from tests.faults.row import Row

__all__ = ["swaps"]

PAUSE_S = 0.7


def swaps(local: Local, count: int, *, rate: float) -> Row:
    """Activate two artifacts in turns, each time as a new version; every score must name the bytes that made it."""
    scoring = Scoring(local, "swaps")
    artifacts = (trained(1), trained(2))
    digests = {str(number): scoring.deploy(artifacts[number % 2], str(number)) for number in range(1)}
    scoring.submit()
    scoring.wait_for_event("activated", "0", 180)
    rows = int(rate * (count * (PAUSE_S + 1) + 60))
    with scoring.producing(without_truths(stream(rows)), rate):
        for number in range(1, count + 1):
            digests[str(number)] = scoring.deploy(artifacts[number % 2], str(number))
            time.sleep(PAUSE_S)
        scoring.wait_for_event("activated", str(count), 180)
        time.sleep(3)
    total = scoring.wait_for_sum(scoring.sent(), 400)
    said = [each["version"] for each in scoring.model_events("activated")]
    scores = {(each["version"], each["digest"]) for each in scoring.messages("inferences")}
    verified = verify_topic(scoring.bootstrap, scoring.store.load_artifact)
    restarts = scoring.restarts()
    scoring.stop()
    wrong = len(scores - set(digests.items()))
    passed = total.holds and said == list(digests) and not (wrong or restarts or verified.mismatched)
    result = (
        f"{len(said) - 1} activations in order, {restarts} restarts, {wrong} wrong digests, {verified.mismatched} of "
        f"{verified.compared:,} scores differ when made again"
    )
    return Row(
        "the champion swapped under load", count, [], total.transactions, result if total.holds else str(total), passed
    )
