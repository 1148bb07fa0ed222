"""What a scoring job was submitted as: its bundle and its arguments, kept so that an upgrade can go back to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from jobs.job_arguments import JobArguments

__all__ = ["JobVersion"]

FILE = Path("flink") / "submitted.json"


@dataclass(frozen=True, slots=True)
class JobVersion:
    """One version of the job.

    Parameters
    ----------
    bundle
        The zip that is shipped; its name is the beginning of its build id, so that older ones stay beside it.
    arguments
        What the job is told.
    """

    bundle: Path
    arguments: JobArguments

    @property
    def build_id(self) -> str:
        """Build of the bundle."""
        return self.arguments.stages.build_id

    @property
    def parallelism(self) -> int:
        """Subtasks of each stage."""
        return self.arguments.parallelism

    def with_parallelism(self, parallelism: int) -> JobVersion:
        """Return the same code and settings with other parallelism."""
        stages = replace(self.arguments.stages, parallelism=parallelism)
        return replace(self, arguments=replace(self.arguments, parallelism=parallelism, stages=stages))

    def from_savepoint(self) -> JobVersion:
        """Return the version for a start from a savepoint: no transaction waits for the first metadata."""
        stages = replace(self.arguments.stages, first_deployment_seq=0)
        return replace(self, arguments=replace(self.arguments, stages=stages))

    def record(self, home: Path, job_id: str) -> None:
        """Note in the stack's folder that this is what the job runs."""
        file = home / FILE
        partial = file.with_name(f"{file.name}.unfinished")
        document = {"job_id": job_id, "bundle": str(self.bundle), "arguments": orjson.loads(self.arguments.to_json())}
        partial.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        partial.replace(file)

    @classmethod
    def recorded(cls, home: Path, job_id: str) -> JobVersion | None:
        """Return what a job was submitted as, None when it is not known: by hand, or by another release."""
        try:
            document = orjson.loads((home / FILE).read_bytes())
            arguments = JobArguments.from_json(orjson.dumps(document["arguments"]).decode())
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            return None
        return cls(Path(document["bundle"]), arguments) if document["job_id"] == job_id else None
