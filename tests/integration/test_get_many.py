"""Reading many entries of a real map state in one call gives what reading them one by one gives."""

from __future__ import annotations

import pytest
from pyflink.common import Types

from tests.bench.fed_job import FedJob
from tests.integration.get_many_stage import GetManyStage
from udfs.operators.descriptors import RECORD

pytestmark = pytest.mark.integration

LINES = [
    ("x", "a b c"),
    ("x", "a b c d"),
    ("y", "a"),
    ("x", "-b c ünïcode"),
    ("x", "a b ünïcode"),
    ("y", "a b"),
    ("x", "z"),
]


@pytest.mark.parametrize("backend", ["hashmap", "rocksdb"])
def test_many_at_once_are_what_they_are_one_by_one(tmp_path, backend):
    job = FedJob(tmp_path, "STRING", shards=1, checkpoint_ms=300, state_backend=backend)
    said = job.stage(job.rows(Types.STRING()), Types.STRING(), GetManyStage(), RECORD, "get-many")
    job.start({"said": said})
    try:
        for number, (key, names) in enumerate(LINES, 1):  # one file each, so that their order is theirs
            job.feed([{"k": key, "v": names}])
            job.wait(lambda: len(job.sinks.read("said")), number, timeout_s=60)
    finally:
        job.close()
    oracle: dict[tuple[str, str], str] = {}
    expected = []
    for key, names in LINES:
        keys = sorted({name.removeprefix("-") for name in names.split()})
        held = [oracle.get((key, name)) for name in keys]
        expected.append({"one_by_one": held, "at_once": held, "key": key})
        for name in names.split():
            if name.startswith("-"):
                oracle.pop((key, name[1:]), None)
            else:
                oracle[key, name] = f"{key}-{name}".encode().hex()
    found = job.sinks.read("said")
    assert sorted(map(str, found)) == sorted(map(str, expected))
