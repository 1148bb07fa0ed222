"""Write ``jars.lock``: resolve what the components need, fetch it once, note sizes and checksums (``make lock``)."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectors.local.locked_jar import LockedJar
from connectors.local.maven import closure, download, sha256_of

__all__ = ["lock_jars"]

_KAFKA = "4.3.1"
_CLOSURES = {
    # kafka-tools has the console producer and StorageTool's friends; both closures go into one broker class path.
    "kafka": (f"org.apache.kafka:kafka_2.13:{_KAFKA}", f"org.apache.kafka:kafka-tools:{_KAFKA}"),
    "connect": (f"org.apache.kafka:connect-runtime:{_KAFKA}",),
}
_LOG4J = "2.25.3"
_SINGLE = {
    # Flink's connectors are taken without their dependencies: those are Flink itself, of another version.
    "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2": ("flink",),
    "org.apache.flink:flink-sql-avro:2.3.0": ("flink",),
    "org.apache.flink:flink-sql-gateway:2.3.0": ("sql-client",),
    # Iceberg writes to S3 by its own client; Hadoop's classes are only on its way in.
    "org.apache.iceberg:iceberg-flink-runtime-2.1:1.11.0": ("iceberg",),
    "org.apache.iceberg:iceberg-aws-bundle:1.11.0": ("iceberg",),
    "org.apache.hadoop:hadoop-client-api:3.4.2": ("iceberg",),
    "org.apache.hadoop:hadoop-client-runtime:3.4.2": ("iceberg",),
    "org.postgresql:postgresql:42.7.8": ("iceberg",),
    "io.debezium:debezium-connector-postgres:3.6.1.Final:tar.gz:plugin": ("debezium",),
    "org.gaul:s3proxy:3.0.0:jar:jar-with-dependencies": ("s3",),
    **{
        f"org.apache.logging.log4j:{name}:{_LOG4J}": ("kafka", "connect")
        for name in ("log4j-slf4j-impl", "log4j-api", "log4j-core", "log4j-1.2-api")
    },
}
_HEADER = """\
# The Java archives of the local stack: coordinate sha256 size groups. Written by `make lock`; do not edit.
# Where they come from is jgo's configuration; that they are what they were is checked here.
"""


def lock_jars(target: Path) -> int:
    """Write the lock and return how many archives it holds.

    Parameters
    ----------
    target
        The file to write.

    Raises
    ------
    StackError
        If an archive cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="weir-lock-") as scratch:
        groups: dict[str, tuple[str, ...]] = dict(_SINGLE)
        for group, coordinates in _CLOSURES.items():
            for coordinate in closure(coordinates, Path(scratch) / "poms"):
                if not coordinate.startswith("org.apache.logging.log4j:"):  # one version of it for all, listed above
                    groups[coordinate] = (*groups.get(coordinate, ()), group)

        def lock(coordinate: str) -> LockedJar:
            file = Path(scratch) / "files" / coordinate.replace(":", "_") / "file"
            download(coordinate, file, None)
            return LockedJar(coordinate, sha256_of(file), file.stat().st_size, groups[coordinate])

        with ThreadPoolExecutor(8) as pool:
            locked = sorted(pool.map(lock, groups))
    target.write_text(_HEADER + "".join(jar.line() + "\n" for jar in locked), encoding="utf-8")
    return len(locked)


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("jars.lock")
    sys.stdout.write(f"{place}: {lock_jars(place)} archives\n")
