"""Trains a registered version again from its record alone, and compares digests.

From the root parent down to the version, each in a fresh process that imports the code the record holds, not the working
copy. What is found wrong is told, not raised: a record that does not fit itself is the finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.iceberg.labelled_rows import LabelledRows
from jobs.training.recorded_version import RecordedVersion
from jobs.training.training_again import train_in_fresh_process
from jobs.training.version_records import VersionRecords

__all__ = ["Reproduction", "Step", "reproduce_version"]

ReadTables = Callable[[RecordedVersion], LabelledRows]


@dataclass(frozen=True, slots=True)
class Step:
    """One version, trained again.

    Parameters
    ----------
    version
        Which.
    digest
        What the registry says its artifact is.
    again
        The digest that came out; empty where it could not be trained.
    problem
        What is wrong, in a sentence; None when both digests are equal.
    """

    version: str
    digest: str
    again: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of it.

    Parameters
    ----------
    model, version
        What was to be reproduced.
    equal
        Whether it and all its parents came out with the digests on record.
    steps
        The root parent first; ends at the first that did not come out.
    """

    model: str
    version: str
    equal: bool
    steps: tuple[Step, ...]

    @property
    def problem(self) -> str | None:
        """What is wrong, in a sentence."""
        return self.steps[-1].problem


def reproduce_version(
    registry: VersionRecords,
    model: str,
    version: str,
    *,
    data: Sequence[Path] = (),
    read_tables: ReadTables | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reproduction:
    """Train a version and its parents again and compare.

    Parameters
    ----------
    registry
        MLflow.
    model, version
        What to reproduce.
    data
        Files to look for the data in besides where it lay; the one with the recorded sha256 is taken.
    read_tables
        Reads the rows a record names from the tables; needed for versions trained from them.
    progress
        Called with transactions trained on and how many there are, over all steps.

    Raises
    ------
    RegistryError, ConnectionLostError
        If there is no such version, it has no record, or the registry does not answer.
    SettingsError
        If a data file is nowhere to be found, or the libraries are others than those on record.
    TablesError
        If a snapshot it was trained on has expired.
    """
    chain, problem = _chain(registry, model, version)
    if problem is not None:
        return Reproduction(model, version, False, (Step(version, chain[-1].digest, "", problem),))
    total, before = sum(each.rows for each in chain), 0
    steps: list[Step] = []
    parent: bytes | None = None
    for recorded in chain:

        def told(seen: int, before: int = before) -> None:
            if progress is not None:
                progress(before + seen, total)

        step, parent = _train(recorded, steps, parent, (data, read_tables), told)
        steps.append(step)
        if step.problem is not None:
            break
        before += recorded.rows
    return Reproduction(model, version, steps[-1].problem is None, tuple(steps))


def _chain(registry: VersionRecords, model: str, version: str) -> tuple[list[RecordedVersion], str | None]:
    """Return the version and its parents, the root first; and what is wrong with their order."""
    chain: list[RecordedVersion] = []
    wanted: str | None = version
    while wanted is not None:
        if any(each.version == wanted for each in chain):
            return chain[::-1], f"Version {wanted} of {model} is on record as its own ancestor."
        chain.append(RecordedVersion.load(registry, model, wanted))
        wanted = chain[-1].parent_version
    return chain[::-1], None


def _train(
    recorded: RecordedVersion,
    before: Sequence[Step],
    parent: bytes | None,
    sources: tuple[Sequence[Path], ReadTables | None],
    told: Callable[[int], None],
) -> tuple[Step, bytes | None]:
    """Train one version again; return what is to be said of it, and its bytes."""

    def step(problem: str | None, again: str = "") -> Step:
        return Step(recorded.version, recorded.digest, again, problem)

    problem = recorded.fault() or _wrong_parent(recorded, before)
    if problem is not None:
        return step(problem), None
    files, read_tables = sources
    file, problem = recorded.data_file(files)
    if problem is not None:
        return step(problem), None
    recorded.check_libraries()
    with TemporaryDirectory(prefix="weir-rows-") as folder:
        if recorded.tables is not None and read_tables is not None:
            file = Path(folder) / "rows.npz"
            read_tables(recorded).write(file)
        artifact, problem = train_in_fresh_process(recorded, file, parent, told)
    if artifact is None:
        return step(problem), None
    again = hashlib.sha256(artifact).hexdigest()
    if again != recorded.digest:
        problem = f"Version {recorded.version} came out as {again}, on record is {recorded.digest}."
    return step(problem, again), artifact


def _wrong_parent(recorded: RecordedVersion, steps: Sequence[Step]) -> str | None:
    trained = steps[-1].again if steps else None
    if recorded.parent_digest != trained:
        return (
            f"Version {recorded.version} is on record as a child of {recorded.parent_digest}, its parent version is "
            f"{trained}."
        )
    return None
