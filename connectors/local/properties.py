"""Java properties files, as Kafka and Connect read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_properties"]


def write_properties(path: Path, values: Mapping[str, object]) -> None:
    r"""Write a properties file that only its owner reads; booleans become ``true`` and ``false``.

    Parameters
    ----------
    path
        The file; its folder is made.
    values
        Keys and values; backslashes and line ends are escaped.
    """

    def text(value: object) -> str:
        plain = str(value).lower() if isinstance(value, bool) else str(value)
        return plain.replace("\\", "\\\\").replace("\n", "\\n")

    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{key}={text(value)}\n" for key, value in values.items()), encoding="utf-8")
