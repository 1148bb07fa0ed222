"""The logging configuration of the stack's JVMs: to standard output, which the supervisor writes to one file each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_log4j"]

_FORMAT = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
"""


def write_log4j(path: Path, levels: Mapping[str, str]) -> None:
    """Write log4j 2 properties.

    Parameters
    ----------
    path
        The file; its folder is made.
    levels
        Levels that differ from INFO, by logger name.
    """
    lines = [_FORMAT]
    for number, (logger, level) in enumerate(levels.items()):
        lines.append(f"logger.l{number}.name = {logger}\nlogger.l{number}.level = {level}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
