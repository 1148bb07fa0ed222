"""When activations were committed in PostgreSQL, as the change stream on ``weir.metadata`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from connectors.kafka.record import Record

__all__ = ["deployment_commits"]


def deployment_commits(read: Callable[[str], Iterator[Record]]) -> dict[int, int]:
    """Return the commit time of each activation, epoch milliseconds, by ``deployment_seq``.

    Parameters
    ----------
    read
        Called with a topic; yields its records.

    Examples
    --------
    >>> row = b'{"op": "c", "source": {"table": "model_activation", "ts_ms": 7}, "after": {"deployment_seq": 2}}'
    >>> deployment_commits(lambda topic: iter([Record(0, 0, 9, None, row), Record(0, 1, 9, None, None)]))
    {2: 7}
    """
    commits: dict[int, int] = {}
    for record in read("weir.metadata"):
        envelope = orjson.loads(record.value) if record.value else {}
        if envelope.get("source", {}).get("table") == "model_activation" and envelope.get("after"):
            # The first record counts: a snapshot after a restart of Connect repeats the row with its own time.
            commits.setdefault(int(envelope["after"]["deployment_seq"]), int(envelope["source"]["ts_ms"]))
    return commits
