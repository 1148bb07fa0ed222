"""What making a version again asks of the registry."""

from __future__ import annotations

from typing import Protocol

from model_store.model_version import ModelVersion

__all__ = ["VersionRecords"]


class VersionRecords(Protocol):
    """What is asked of the registry."""

    def version(self, model: str, version: str) -> ModelVersion:
        """Return one version."""
        ...

    def load_file(self, run_id: str, path: str) -> bytes:
        """Return a file of a training run."""
        ...
