"""One line of ``jars.lock``: a file from a Maven repository, by coordinate and checksum, and who needs it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

__all__ = ["LockedJar", "read_lock"]


@dataclass(frozen=True, slots=True, order=True)
class LockedJar:
    """A file that is fetched as it was when the lock was written, or not at all.

    Parameters
    ----------
    coordinate
        ``group:artifact:version[:packaging[:classifier]]``.
    sha256
        Its checksum, hexadecimal.
    size
        Its length in bytes.
    groups
        The components whose class path holds it: kafka, connect, debezium, flink, s3.

    Examples
    --------
    >>> checksum = "0" * 64
    >>> jar = LockedJar.parse(f"io.debezium:debezium:3.6.1.Final:tar.gz:plugin {checksum} 7 debezium")
    >>> jar.packaging, jar.classifier, jar.groups
    ('tar.gz', 'plugin', ('debezium',))
    >>> jar.file_name
    'debezium-3.6.1.Final-plugin.tar.gz'
    """

    coordinate: str
    sha256: str
    size: int
    groups: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> LockedJar:
        """Read one line of the lock.

        Raises
        ------
        ValueError
            If the line does not hold a coordinate, a sha256, a size and the groups.
        """
        coordinate, sha256, size, groups = line.split()
        if not 3 <= len(coordinate.split(":")) <= 5 or len(sha256) != 64:
            msg = f"a line of jars.lock is not 'coordinate sha256 size groups': {line!r}"
            raise ValueError(msg)
        return cls(coordinate, sha256, int(size), tuple(groups.split(",")))

    def line(self) -> str:
        """Return the line as the lock holds it; the inverse of :meth:`parse`."""
        return f"{self.coordinate} {self.sha256} {self.size} {','.join(self.groups)}"

    @property
    def packaging(self) -> str:
        """The kind of file, ``jar`` unless the coordinate says otherwise."""
        parts = self.coordinate.split(":")
        return parts[3] if len(parts) > 3 else "jar"

    @property
    def classifier(self) -> str:
        """The classifier, empty where there is none."""
        parts = self.coordinate.split(":")
        return parts[4] if len(parts) > 4 else ""

    @property
    def file_name(self) -> str:
        """The name of the file in a class path."""
        _, artifact, version, *_ = self.coordinate.split(":")
        return f"{artifact}-{version}{'-' + self.classifier if self.classifier else ''}.{self.packaging}"


def read_lock() -> tuple[LockedJar, ...]:
    """Return the lock that this package carries; lines that start with # are comments."""
    text = files("connectors.local").joinpath("jars.lock").read_text(encoding="utf-8")
    return tuple(LockedJar.parse(line) for line in text.splitlines() if line and not line.startswith("#"))
