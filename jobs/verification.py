"""Makes every recorded score again from its recorded features and the bytes its digest names, and compares.

The scores are made by fresh processes, started for this and sharing no memory with anything that scored: by default
with River's own objects rebuilt from the artifact, the reference the compiled scorer must equal bit for bit.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from connectors.kafka.reader import end_offsets, read_topic
from jobs.score_again import Mismatch, Scored, answer, ignore_interrupts
from udfs.domain.errors import ArtifactError

__all__ = ["Selection", "Verification", "verify_scores", "verify_topic"]

BATCH = 500
MOST_WORKERS = 2
WAITING_BATCHES = 8
"""Batches handed out and not yet answered: keeps the workers busy and memory small."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it.

    Parameters
    ----------
    compared
        Scores that were made again.
    mismatched
        Those that came out differently.
    skipped
        Inferences without a score: no champion, or a feature missing.
    mismatches
        The first few that differ.
    """

    compared: int
    mismatched: int
    skipped: int
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which inferences to verify; all, unless something is said.

    Parameters
    ----------
    since_ms, until_ms
        Scored (``prediction_time_ms``) in [since, until), epoch milliseconds.
    version
        Only this version's.
    sample
        At most so many, each equally likely.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    version: str | None = None
    sample: int | None = None

    def of(self, inferences: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yield those that are selected; a sample only after all have been seen.

        Examples
        --------
        >>> said = [{"version": str(n % 2), "prediction_time_ms": n} for n in range(10)]
        >>> [each["prediction_time_ms"] for each in Selection(since_ms=3, until_ms=8, version="1").of(said)]
        [3, 5, 7]
        >>> len(list(Selection(sample=4).of(said)))
        4
        """
        chosen = (each for each in inferences if self._has(each))
        if self.sample is None:
            yield from chosen
            return
        kept: list[Mapping[str, Any]] = []
        for seen, inference in enumerate(chosen):
            # Reservoir sampling (Vitter 1985, algorithm R).
            place = seen if seen < self.sample else random.randrange(seen + 1)
            if place < self.sample:
                kept[place : place + 1] = [inference]
        yield from kept

    def _has(self, inference: Mapping[str, Any]) -> bool:
        time_ms = inference["prediction_time_ms"]
        return (
            (self.since_ms is None or time_ms >= self.since_ms)
            and (self.until_ms is None or time_ms < self.until_ms)
            and (self.version is None or inference["version"] == self.version)
        )


def verify_topic(
    bootstrap: str,
    load_artifact: Callable[[str], bytes],
    *,
    selection: Selection | None = None,
    fast: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Verify the committed records of the topic ``inferences``.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    load_artifact
        Returns an artifact's bytes by digest.
    selection
        Which inferences; all by default.
    fast
        Score with the compiled scorer instead of River's objects.
    progress
        Called with the records read so far and about how many there are.

    Raises
    ------
    ConnectionLostError, RegistryError
        If the broker or the registry does not answer, or an artifact is not there.
    ArtifactError
        If an artifact's bytes do not load.
    """
    ends = end_offsets(bootstrap, "inferences")
    total = sum(ends.values())

    def inferences() -> Iterator[Mapping[str, Any]]:
        for seen, record in enumerate(read_topic(bootstrap, "inferences", until=ends), start=1):
            if progress is not None and not seen % BATCH:
                progress(seen, total)
            yield orjson.loads(record.value or b"null")
        if progress is not None:
            progress(total, total)

    return verify_scores((selection or Selection()).of(inferences()), load_artifact, fast=fast)


def verify_scores(
    inferences: Iterable[Mapping[str, Any]], load_artifact: Callable[[str], bytes], *, fast: bool = False
) -> Verification:
    """Make the scores of inferences again, in fresh processes, and compare them bit for bit.

    Parameters
    ----------
    inferences
        Records of the topic ``inferences``.
    load_artifact
        Returns an artifact's bytes by digest; called once for each.
    fast
        Score with the compiled scorer instead of River's objects.

    Raises
    ------
    ArtifactError
        If an artifact's bytes are not those of its digest, or do not load.
    """
    workers = max(1, min(MOST_WORKERS, os.cpu_count() or 1))
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=ignore_interrupts)
    try:
        with TemporaryDirectory(prefix="weir-verify-") as folder:
            return _Comparison(pool, Path(folder), load_artifact, fast).run(inferences)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Comparison:
    """One verification under way: batches by digest go out, mismatches come back."""

    def __init__(
        self, pool: ProcessPoolExecutor, folder: Path, load_artifact: Callable[[str], bytes], fast: bool
    ) -> None:
        self._pool, self._folder, self._load, self._fast = pool, folder, load_artifact, fast
        self._waiting: set[Future[list[Mismatch] | tuple[str, str]]] = set()
        self._compared = self._mismatched = self._skipped = 0
        self._mismatches: list[Mismatch] = []

    def run(self, inferences: Iterable[Mapping[str, Any]]) -> Verification:
        """Hand out all inferences and wait for all answers."""
        batches: dict[str, list[Scored]] = defaultdict(list)
        for inference in inferences:
            if inference["score"] is None:
                self._skipped += 1
                continue
            digest = inference["digest"]
            batches[digest].append(_scored(inference))
            if len(batches[digest]) >= BATCH:
                self._hand_out(digest, batches.pop(digest))
        for digest, batch in batches.items():
            self._hand_out(digest, batch)
        self._collect(down_to=0)
        return Verification(self._compared, self._mismatched, self._skipped, tuple(self._mismatches))

    def _hand_out(self, digest: str, batch: list[Scored]) -> None:
        self._collect(down_to=WAITING_BATCHES - 1)
        self._compared += len(batch)
        self._waiting.add(self._pool.submit(answer, self._file(digest), digest, batch, self._fast))

    def _file(self, digest: str) -> Path:
        """Return the artifact as a file, so that its bytes travel once and not with every batch."""
        path = self._folder / digest
        if not path.exists():
            path.write_bytes(self._load(digest))
        return path

    def _collect(self, down_to: int) -> None:
        while len(self._waiting) > down_to:
            done, self._waiting = wait(self._waiting, return_when=FIRST_COMPLETED)
            for future in done:
                found = future.result()
                if isinstance(found, tuple):
                    raise ArtifactError(*found)
                self._mismatched += len(found)
                self._mismatches += found[: SHOWN - len(self._mismatches)]


def _scored(inference: Mapping[str, Any]) -> Scored:
    return Scored(
        str(inference["transaction_id"]),
        str(inference["role"]),
        str(inference["version"]),
        inference["features"],
        inference["score"],
    )
