"""Where numba keeps compiled kernels: by what their source says, not by the folder it lies in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator

__all__ = ["KernelCache"]


class KernelCache(UserProvidedCacheLocator):
    """A place in ``NUMBA_CACHE_DIR`` that every copy of a source file shares.

    Flink unpacks the bundle into another folder each time. By numba's own rule, which goes by folder, nothing compiled
    would ever be found again, and each start would add to the cache. numba asks this class where
    ``NUMBA_CACHE_LOCATOR_CLASSES`` names it.
    """

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """Return the name of the folder for a source file: a part of its digest."""
        return f"{Path(py_file).stem}_{hashlib.sha256(Path(py_file).read_bytes()).hexdigest()[:16]}"
