"""Packs what Flink ships to TaskManagers: one zip whose root holds our packages, with their SQL and JSON files.

The same sources give the same bytes, so that a changed build id means changed code. Libraries are not in it:
TaskManagers have them installed from the same lock.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from udfs.build_id import BUILD_ID_FILE

__all__ = ["build_bundle", "build_id_of"]

PACKAGES = ("connectors", "jobs", "model_store", "sql", "udfs")
SHIPPED_SUFFIXES = (".json", ".lock", ".properties", ".py", ".sql", ".typed", ".yaml")
BUILD_ID_PATH = f"udfs/{BUILD_ID_FILE}"
# The oldest time a zip can hold: real times would make each bundle differ.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE_READABLE_BY_ALL = 0o100644


def build_bundle(path: Path) -> str:
    """Write the bundle and return its build id.

    Parameters
    ----------
    path
        The zip to write; its folder is made, an older bundle is replaced whole or not at all.

    Returns
    -------
    str
        sha256, in hex, over names and contents; ``udfs.build_id.BUILD_ID`` of what is imported from the bundle.
    """
    contents = dict(sorted(_contents()))
    build_id = _digest(contents)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    with zipfile.ZipFile(unfinished, "w") as bundle:
        for name, data in {**contents, BUILD_ID_PATH: f"{build_id}\n".encode()}.items():
            # Stored, not deflated: the bytes of a deflated file depend on the version of zlib.
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.external_attr = REGULAR_FILE_READABLE_BY_ALL << 16
            entry.create_system = 3  # Unix, wherever it is made
            bundle.writestr(entry, data)
    unfinished.replace(path)
    return build_id


def build_id_of(bundle: bytes) -> str:
    """Return the build id of a bundle's contents as they are now, whatever the bundle says of itself.

    Raises
    ------
    zipfile.BadZipFile
        If the bytes are no zip.
    """
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        names = sorted(name for name in archive.namelist() if name != BUILD_ID_PATH)
        return _digest({name: archive.read(name) for name in names})


def _contents() -> Iterator[tuple[str, bytes]]:
    # Through importlib.resources, so that a checkout, an installed package and a bundle itself can all be packed.
    for package in PACKAGES:
        yield from _files(resources.files(package), package)


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        name = f"{prefix}/{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _files(item, name)
        elif item.name.endswith(SHIPPED_SUFFIXES):
            yield name, item.read_bytes()


def _digest(contents: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in contents.items():
        # Lengths keep the end of one file and the name of the next apart.
        digest.update(f"{len(name)} {len(data)} {name}".encode())
        digest.update(data)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(f"{build_bundle(Path(sys.argv[1]))}\n")
