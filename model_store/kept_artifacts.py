"""The artifacts the gate keeps, by digest, in the parts in which they come; bounded, whatever comes.

What a role needs is kept, and of all others the newest that fit in 16 MiB together: from four of the largest to 256
small ones. One that was let go comes again when it is deployed: the database sends its rows once more, ahead of the
activation (``weir.number_activation``). Rows of a snapshot let nothing go: it carries the artifacts before the activations
that say which of them are needed, and no more than those (``weir.wanted_artifact``).
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping

import orjson

from udfs.domain.metadata import ArtifactPart

__all__ = ["MAX_ARTIFACT_BYTES", "OTHERS_BYTES", "KeptArtifacts"]

MAX_ARTIFACT_BYTES = 4 * 1024 * 1024
OTHERS_BYTES = 4 * MAX_ARTIFACT_BYTES
"""Room for the artifacts that no role needs."""
LEAST_COUNTED = 65_536
"""Bytes an artifact counts at least: those that are nothing but a name are bounded, too."""
MOST_PARTS = 64
INDEX = "artifacts"


class KeptArtifacts:
    """Parts in a mapping, and an index of them in the order of their last use.

    Parameters
    ----------
    state
        ``part/DIGEST/N``, ``parts/DIGEST`` (how many make it whole, -1 for more than there may be), ``signature/DIGEST``,
        and ``artifacts``, the index: bytes by digest, the one used last at the end.
    """

    def __init__(self, state: MutableMapping[str, bytes]) -> None:
        self._state = state

    def take(self, part: ArtifactPart) -> None:
        """Keep a part; one that comes again is kept as it came last."""
        index = self._index()
        size = index.pop(part.digest, 0)
        # More bytes than any artifact may have are not kept: their presence alone is the finding.
        before = self._state.get(_part_key(part.digest, part.part))
        size += len(part.data) - (0 if before is None else len(before))
        if size > MAX_ARTIFACT_BYTES:
            self._remove_parts(part.digest)
            size = 0
            self._state[f"parts/{part.digest}"] = b"-1"
        elif self._state.get(f"parts/{part.digest}") != b"-1":
            self._state[_part_key(part.digest, part.part)] = part.data
            self._state[f"parts/{part.digest}"] = str(part.parts).encode()
        if part.signature is not None:
            self._state[f"signature/{part.digest}"] = part.signature
        self._write(index | {part.digest: size})

    def use(self, digest: str) -> None:
        """Note that an artifact was asked for."""
        index = self._index()
        if digest in index:
            size = index.pop(digest)
            self._write({**index, digest: size})

    def let_go(self, needed: Collection[str]) -> None:
        """Forget the artifacts used longest ago, but for the needed ones, until the others fit in their room."""
        index = self._index()
        others = {digest: max(size, LEAST_COUNTED) for digest, size in index.items() if digest not in needed}
        room = OTHERS_BYTES - sum(others.values())
        for digest, size in others.items():
            if room >= 0:
                break
            room += size
            self._remove_parts(digest)
            for key in (f"parts/{digest}", f"signature/{digest}"):
                self._state.pop(key, None)
            del index[digest]
        self._write(index)

    def whole(self, digest: str) -> bytes | str:
        """Return an artifact's bytes, or the reason why they are not there."""
        parts = int(self._state.get(f"parts/{digest}", b"0"))
        if parts == 0:
            return "missing_artifact"
        if parts < 0:
            return "oversized"
        chunks = [self._state.get(_part_key(digest, number)) for number in range(parts)]
        if any(chunk is None for chunk in chunks):
            return "missing_chunk"
        return b"".join(chunk for chunk in chunks if chunk is not None)

    def signature(self, digest: str) -> bytes | None:
        """Return what an artifact was signed with; None where nobody signed it."""
        return self._state.get(f"signature/{digest}")

    def _index(self) -> dict[str, int]:
        if (found := self._state.get(INDEX)) is not None:
            index: dict[str, int] = orjson.loads(found)
            return index
        # State of before there was an index: looked through once.
        return {
            digest: sum(len(self._state.get(_part_key(digest, number), b"")) for number in range(MOST_PARTS))
            for digest in (key.removeprefix("parts/") for key in list(self._state) if key.startswith("parts/"))
        }

    def _write(self, index: dict[str, int]) -> None:
        self._state[INDEX] = orjson.dumps(index)

    def _remove_parts(self, digest: str) -> None:
        for number in range(MOST_PARTS):
            self._state.pop(_part_key(digest, number), None)


def _part_key(digest: str, part: int) -> str:
    return f"part/{digest}/{part}"
