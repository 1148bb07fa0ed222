"""Which code this is: the build id of the bundle it was imported from.

``jobs.bundle`` writes ``build_id.txt`` beside this file inside the bundle. A TaskManager keeps the modules of earlier
jobs in its interpreter, so operators compare this id with the one the job was submitted with and refuse other code.
"""

from __future__ import annotations

from importlib import resources

__all__ = ["BUILD_ID", "BUILD_ID_FILE", "SOURCE_TREE"]

BUILD_ID_FILE = "build_id.txt"
SOURCE_TREE = "source tree"


def _read_build_id() -> str:
    try:
        return resources.files(__package__).joinpath(BUILD_ID_FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return SOURCE_TREE


BUILD_ID = _read_build_id()
"""sha256 of what the bundle holds, in hex; ``"source tree"`` where the code was not imported from a bundle."""
