"""The Java archives of the stack: fetched as ``jars.lock`` says, checked, and found again by name or group."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from connectors.local.locked_jar import LockedJar, read_lock
from connectors.local.maven import download, sha256_of
from udfs.domain.errors import StackError

__all__ = ["Jars"]

_DOWNLOADS_AT_ONCE = 8


class Jars:
    """The locked archives in a cache that all stacks of a user share.

    Parameters
    ----------
    cache
        The cache folder; archives lie in its ``jars``, unpacked ones in its ``plugins``.
    locked
        The lock; by default the one this package carries.
    """

    def __init__(self, cache: Path, locked: Sequence[LockedJar] | None = None) -> None:
        self._cache = cache.absolute()
        self._locked = {jar.coordinate: jar for jar in (read_lock() if locked is None else locked)}

    def path(self, coordinate: str) -> Path:
        """Return where an archive lies once it is fetched.

        Parameters
        ----------
        coordinate
            As in the lock; ``group:artifact`` is enough where the lock has one of that name.

        Raises
        ------
        StackError
            If the lock does not have it.
        """
        matches = [jar for name, jar in self._locked.items() if name == coordinate or name.startswith(coordinate + ":")]
        if len(matches) != 1:
            msg = f"{len(matches)} archives in jars.lock are called {coordinate!r}; run `make lock` after adding one."
            raise StackError(msg)
        return self._place(matches[0])

    def group(self, name: str) -> tuple[Path, ...]:
        """Return the archives of a component, in the order of the lock; empty for an unknown name."""
        return tuple(self._place(jar) for jar in self._locked.values() if name in jar.groups)

    def class_path(self, name: str) -> str:
        """Return a group's archives as Java's ``-cp`` takes them."""
        return ":".join(str(path) for path in self.group(name))

    def missing(self) -> tuple[LockedJar, ...]:
        """Return what must still be fetched; a file with the wrong content is deleted and counts as missing."""

        def sound(jar: LockedJar) -> bool:
            path = self._place(jar)
            if not path.is_file():
                return False
            if path.stat().st_size == jar.size and sha256_of(path) == jar.sha256:
                return True
            path.unlink(missing_ok=True)
            return False

        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            jars = tuple(self._locked.values())
            return tuple(jar for jar, is_sound in zip(jars, pool.map(sound, jars), strict=True) if not is_sound)

    def fetch(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """Download what is missing, several at once, and check it.

        Parameters
        ----------
        progress
            Called after each file with its name, the bytes that are there and the bytes in all.

        Raises
        ------
        StackError
            If one cannot be had; the others that were under way are kept.
        """
        missing = self.missing()
        done, total = 0, sum(jar.size for jar in missing)
        pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
        try:
            # The largest first: the last file then is a small one.
            ordered = sorted(missing, key=lambda jar: -jar.size)
            work = {pool.submit(download, jar.coordinate, self._place(jar), jar.sha256): jar for jar in ordered}
            for future in as_completed(work):
                future.result()
                done += work[future].size
                if progress is not None:
                    progress(work[future].file_name, done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def unpacked(self, coordinate: str) -> Path:
        """Return the folder with the content of a ``tar.gz`` archive, unpacking it at first use."""
        archive = self.path(coordinate)
        folder = self._cache / "plugins" / archive.name.removesuffix(".tar.gz")
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
        try:
            with tarfile.open(archive) as tar:
                # older than 3.11.4 Python has no filters and asks for none; the archive is the locked one, by its sha256
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(partial)  # noqa: S202
            partial.chmod(0o755)
            partial.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # otherwise another process was quicker, with the same content
                msg = f"{archive} could not be unpacked: got {error}. Is there room in {self._cache}?"
                raise StackError(msg) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder

    def _place(self, jar: LockedJar) -> Path:
        # The checksum in the folder's name: two versions of weir with different locks share a cache in peace.
        return self._cache / "jars" / jar.sha256[:12] / jar.file_name
