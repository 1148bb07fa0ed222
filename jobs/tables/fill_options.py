"""What people may set about the tables job."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FillOptions"]


@dataclass(frozen=True, slots=True)
class FillOptions:
    """Options of the tables job.

    Parameters
    ----------
    name
        Of the job, and of its consumer group.
    checkpoint_interval_ms
        Every so often the tables get what came since.
    compaction_s
        Every so often small files become larger ones and old snapshots go; 0 for never.
    snapshot_age_s
        Snapshots without a tag go when they are so old.
    """

    name: str = "weir-tables"
    checkpoint_interval_ms: int = 30_000
    compaction_s: int = 0
    snapshot_age_s: int = 5 * 86_400

    def placeholders(self) -> dict[str, object]:
        """Return the values for ``sql/fill/settings.sql``.

        Examples
        --------
        >>> FillOptions(compaction_s=0).placeholders()["compaction"]
        'false'
        """
        return {
            "name": self.name,
            "checkpoint_interval_ms": self.checkpoint_interval_ms,
            "compaction": str(self.compaction_s > 0).lower(),
            "compaction_s": max(self.compaction_s, 1),
            "snapshot_age_s": self.snapshot_age_s,
        }
