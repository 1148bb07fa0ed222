"""Lays out FLINK_HOME inside an image: Flink as the Python package carries it, and the Java archives of ``jars.lock``.

Run while the image is built: ``python lay_out_flink.py /opt/flink``. Flink's own archives are links into site-packages,
so that they are in the image once; ``conf`` and ``bin`` are copies, because people mount and edit configuration.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pyflink

from connectors.local.jars import Jars
from connectors.local.locked_jar import read_lock

__all__ = ["lay_out_flink"]

FOLDER_OF_GROUP = {"flink": "lib", "iceberg": "lib", "sql-client": "opt"}


def lay_out_flink(home: Path) -> None:
    """Make ``home`` a FLINK_HOME; everything in it belongs to the image, nothing to a running cluster."""
    source = Path(pyflink.__file__).parent
    for folder in ("bin", "conf"):
        shutil.copytree(source / folder, home / folder)
    for script in (home / "bin").iterdir():
        script.chmod(0o755)
    for folder in ("lib", "opt", "plugins"):
        (home / folder).mkdir()
        for item in (source / folder).iterdir():
            (home / folder / item.name).symlink_to(item)
    # flink-python belongs in lib, not only in opt: else the second job on a TaskManager dies (NoSuchFieldException).
    for archive in (source / "opt").glob("flink-python-*.jar"):
        (home / "lib" / archive.name).symlink_to(archive)
    jars = Jars(home / "downloads", [jar for jar in read_lock() if FOLDER_OF_GROUP.keys() & set(jar.groups)])
    jars.fetch()
    for group, folder in FOLDER_OF_GROUP.items():
        for archive in jars.group(group):
            shutil.move(archive, home / folder / archive.name)
    shutil.rmtree(home / "downloads")


if __name__ == "__main__":
    lay_out_flink(Path(sys.argv[1]))
