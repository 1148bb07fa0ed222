"""A small process that outlives a killed supervisor for a moment: it kills what the kernel did not kill with it.

The kernel kills the components themselves (see ``guard.py``), not their children, and MLflow has one. Run as
``python -m connectors.local.undertaker MARK`` with a pipe on standard input whose other end only the supervisor holds.
"""

from __future__ import annotations

import subprocess
import sys

from connectors.local.leftovers import kill_marked

__all__ = ["start_undertaker"]


def start_undertaker(mark: str) -> None:
    """Start the process from the supervisor; it ends by itself when the supervisor does, however that happens.

    Parameters
    ----------
    mark
        What the supervisor's components carry in :data:`connectors.local.running_process.STACK_MARK`.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "connectors.local.undertaker", mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    _held.append(process)  # the pipe stays open as long as this process lives


_held: list[subprocess.Popen[bytes]] = []


if __name__ == "__main__":
    sys.stdin.buffer.read()  # returns when the supervisor is gone
    kill_marked(lambda carried: carried == sys.argv[1])
