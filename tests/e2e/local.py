"""A local stack for tests: its own home, ports nobody has, the command ``weir`` on it, and what is left of it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from connectors.local.port_check import is_free
from connectors.local.ports import Ports
from connectors.local.running_process import STACK_MARK
from connectors.local.stack import LocalStack
from jobs.local_stack import local_stack
from jobs.settings import Settings

ROOT = Path(__file__).parents[2]
MAIN = "from jobs.cli import main; main()"


class Local:
    """A stack in a folder of its own; :meth:`weir` runs a verb on it in a fresh process, as a person would."""

    def __init__(self, home: Path, port_base: int | None = None) -> None:
        self.home = home
        self.port_base = free_port_base() if port_base is None else port_base
        self._outside = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        if "WEIR_CACHE" in os.environ:  # downloads are shared, nothing else is
            self._outside["WEIR_CACHE"] = os.environ["WEIR_CACHE"]

    def settings(self, **values: Any) -> Settings:
        """Return settings for this stack; ``values`` are those a test wants to be otherwise."""
        return Settings(home=self.home, port_base=self.port_base, **values)

    @property
    def stack(self) -> LocalStack:
        return local_stack(self.settings())

    def weir(
        self, *arguments: str, timeout_s: float = 480, code: Path = ROOT, **values: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``weir ARGUMENTS`` of the code in a folder; ``values`` are further settings, by name."""
        here = {"WEIR_HOME": str(self.home), "WEIR_PORT_BASE": str(self.port_base)}
        given = {f"WEIR_{name.upper()}": value for name, value in values.items()}
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=code,
            env={**self._outside, **here, **given},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def weir_json(self, *arguments: str, timeout_s: float = 480, code: Path = ROOT, **values: str) -> dict[str, Any]:
        """Run ``weir ARGUMENTS --json``, which must succeed, and return its document."""
        done = self.weir(*arguments, "--json", timeout_s=timeout_s, code=code, **values)
        assert done.returncode == 0, (
            f"weir {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}"
        )
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document

    def start(self, *arguments: str, log: Path, **values: str) -> subprocess.Popen[bytes]:
        """Start ``weir ARGUMENTS`` and return the process; it is the caller's to end."""
        here = {"WEIR_HOME": str(self.home), "WEIR_PORT_BASE": str(self.port_base)}
        given = {f"WEIR_{name.upper()}": value for name, value in values.items()}
        with log.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-c", MAIN, *arguments],
                cwd=ROOT,
                env={**self._outside, **here, **given},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def processes(self) -> list[str]:
        """Return the command lines of all processes that carry this stack's mark or name its folder."""
        found = []
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                marked = process.environ().get(STACK_MARK, "").rpartition("#")[0] == str(self.home)
            except (psutil.Error, OSError):
                continue
            if process.pid != os.getpid() and (marked or any(str(self.home) in word for word in words)):
                found.append(" ".join(words)[:300])
        return found

    def taken_ports(self) -> list[int]:
        """Return those of its ports that somebody listens on."""
        return [port for port in ports_of(self.port_base) if not is_free(port)]


def ports_of(base: int) -> list[int]:
    """Return every port of a stack."""
    ports = Ports(base)
    names = [name for name, value in vars(Ports).items() if isinstance(value, property)]
    return sorted(getattr(ports, name) for name in names if name != "metrics")


def free_port_base() -> int:
    """Return a base whose ports are all free now, below those the kernel hands out by itself."""
    bases = list(range(20_000, 32_000, 100))
    random.SystemRandom().shuffle(bases)
    return next(base for base in bases if all(is_free(port) for port in ports_of(base)))
