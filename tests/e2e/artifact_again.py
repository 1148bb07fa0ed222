"""A version whose bytes the gate let go long ago is deployed: the database sends its rows again."""

from __future__ import annotations

import os
import time

from connectors.kafka.reader import read_topic
from tests.e2e.models import trained
from tests.e2e.scoring import Scoring

LARGE, ROOM = 4 * 1024 * 1024, 6
VERSION = "again"


def let_go_and_come_again(job: Scoring) -> None:
    """Write an artifact, larger ones than the gate has room for, and deploy the first."""
    digest = job.store.insert_artifact(trained(9))
    time.sleep(5.1)  # within five seconds nobody can tell whose transaction was committed first
    for _ in range(ROOM):
        job.store.insert_artifact(os.urandom(LARGE))
    job.store.activate(job.model, VERSION, digest, role="again", threshold=0.9)
    assert job.wait_for_event("activated", VERSION, 60)["digest"] == digest
    pending = [each for each in job.model_events("pending") if each["version"] == VERSION]
    assert pending == []  # its rows came ahead of it
    sent = [each.value for each in read_topic(job.bootstrap, "weir.metadata") if digest.encode() in (each.value or b"")]
    tables = [each.partition(b'"table":"')[2].partition(b'"')[0] for each in sent]
    assert tables.count(b"model_artifact") == 1
    assert tables.index(b"artifact_again") < tables.index(b"model_activation")
    job.store.activate(job.model, VERSION, digest, role="again", retired=True)
    job.wait_for_event("retired", VERSION, 60)
