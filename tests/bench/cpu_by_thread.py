"""CPU time of the scoring TaskManagers and the broker, by the threads that used it."""

from __future__ import annotations

from collections import Counter

import psutil

from connectors.local.stack import LocalStack

__all__ = ["CpuByThread"]

# Linux keeps the first 15 characters of a thread's name; Flink names a task's thread after its first operator.
STAGES = {
    "customer-window": "customers",
    "terminal-window": "terminals",
    "score -> (DataS": "score_and_sinks",
    "truth-join (": "truth_join",
    "model-quality (": "quality",
    "Source": "sources",
    "WindowAggregate": "batches",
}


class CpuByThread:
    """Counts from its making on.

    Parameters
    ----------
    stack
        A running stack.
    """

    def __init__(self, stack: LocalStack) -> None:
        state = stack.status()
        components = state.components if state is not None else {}
        self._pids = {name: each.pid for name, each in components.items() if name.startswith(("taskmanager", "kafka"))}
        self._before = self._now()

    def seconds(self) -> dict[str, float]:
        """Return CPU seconds used since then: by stage, by the rest of the TaskManagers, and by the broker."""
        used = self._now()
        used.subtract(self._before)
        return dict(used)

    def _now(self) -> Counter[str]:
        used: Counter[str] = Counter()
        for component, pid in self._pids.items():
            for thread in psutil.Process(pid).threads() if pid else ():
                seconds = thread.user_time + thread.system_time
                used["broker" if component == "kafka" else _stage(_name(pid, thread.id))] += seconds
        return used


def _name(pid: int | None, thread: int) -> str:
    try:
        with open(f"/proc/{pid}/task/{thread}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def _stage(name: str) -> str:
    return next((stage for start, stage in STAGES.items() if name.startswith(start)), "other_threads")
