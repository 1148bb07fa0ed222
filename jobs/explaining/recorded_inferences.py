"""The committed inferences of one transaction, found from the end of the topic without reading more of it than needed."""

from __future__ import annotations

from typing import Any

import orjson

from connectors.kafka.topic_search import TopicSearch
from udfs.domain.deployment import CHAMPION

__all__ = ["MOST_LOOKED_AT", "recorded_inferences"]

MOST_LOOKED_AT = 400_000
"""Records of a partition: so long a search for something that is not there may take."""


def recorded_inferences(topics: TopicSearch, transaction_id: str) -> list[dict[str, Any]]:
    """Return the inferences of a transaction, the champion's first; none where there is none.

    One for each role, the newest: a stream that was scored again from its beginning has older ones, too.

    Parameters
    ----------
    topics
        Where to look; the job writes a transaction's inferences to the partition of its id.
    transaction_id
        Which.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer.
    """
    partition = topics.partition_of("inferences", transaction_id)
    ends = {partition: topics.ends("inferences")[partition]}
    found: list[dict[str, Any]] = []
    for step in topics.backwards("inferences", ends, MOST_LOOKED_AT):
        # All roles are written in one batch, which may lie across the border of two steps.
        whole = bool(found)
        found = [
            orjson.loads(each.value) for each in step if each.value and each.key == transaction_id.encode()
        ] + found
        if whole:
            break
    newest = {each["role"]: each for each in found}
    return sorted(newest.values(), key=lambda each: (each["role"] != CHAMPION, each["role"]))
