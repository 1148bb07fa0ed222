"""Flink's processes: one JobManager, and TaskManagers with one slot each, because each has one GIL."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import requests

from connectors.local.component import Command
from connectors.local.flink_home import FlinkHome
from connectors.loopback import loopback_session

__all__ = ["JobManager", "TaskManager", "flink_environment"]


def flink_environment(flink_home: FlinkHome) -> tuple[Path, dict[str, str], Path]:
    """Return what ``flink run`` needs: the program ``flink``, its environment, and an empty folder to start it in."""
    return flink_home.dist / "bin" / "flink", flink_home.environment(), flink_home.empty


class JobManager:
    """The JobManager of a session cluster.

    Parameters
    ----------
    home
        The stack's folder.
    rest_port, rpc_port
        Its ports, on 127.0.0.1.
    flink_home
        The overlay it runs from.
    """

    name = "jobmanager"
    depends_on: tuple[str, ...] = ("zookeeper",)

    def __init__(self, home: Path, rest_port: int, rpc_port: int, flink_home: FlinkHome) -> None:
        self._flink_home, self._rest = flink_home, f"http://127.0.0.1:{rest_port}"
        self.ports: tuple[int, ...] = (rest_port, rpc_port)
        self.log = home / "logs" / "jobmanager.log"

    def prepare(self) -> None:
        """Lay out the overlay, and forget jobs that never began: over such a result no JobManager comes up."""
        self._flink_home.write()
        _forget_results_without_application(self._flink_home.folder / "high-availability" / "job-result-store")

    def command(self) -> Command:
        """Return the JobManager's process; Flink's script becomes it."""
        script = str(self._flink_home.dist / "bin" / "jobmanager.sh")
        return Command(
            ("/bin/bash", script, "start-foreground"), self._flink_home.empty, self._flink_home.environment()
        )

    def ready(self) -> bool:
        """Tell whether the REST interface gives an overview."""
        try:
            with loopback_session() as session:
                return session.get(f"{self._rest}/overview", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def set_up(self) -> None:
        """Nothing: jobs come later."""


def _forget_results_without_application(store: Path) -> None:
    """Remove results of jobs whose JobMaster could not start (a savepoint that did not fit).

    Flink 2.3 writes them without the application they belong to, and a JobManager that finds one ends at once: "Application
    ID is missing in the recovered job result".
    """
    for file in store.rglob("*_DIRTY.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if "application-id" not in json.loads(file.read_bytes())["result"]:
                file.unlink()


class TaskManager:
    """One TaskManager with one slot.

    Parameters
    ----------
    home
        The stack's folder.
    index
        Its number, from 1.
    rest_port
        The JobManager's REST interface, asked whether this one has registered.
    flink_home
        The overlay it runs from.
    """

    depends_on: tuple[str, ...] = ("jobmanager",)
    ports: tuple[int, ...] = ()

    def __init__(self, home: Path, index: int, rest_port: int, flink_home: FlinkHome) -> None:
        self.name = f"taskmanager-{index}"
        self.log = home / "logs" / f"{self.name}.log"
        self._flink_home, self._rest = flink_home, f"http://127.0.0.1:{rest_port}"
        self._identity = ""

    def prepare(self) -> None:
        """Take away what a killed predecessor left in its working folder."""
        shutil.rmtree(self._working_folder, ignore_errors=True)
        self._working_folder.mkdir(parents=True)

    def command(self) -> Command:
        """Return the TaskManager's process; each start has a new identity, never taken for the one that died."""
        self._identity = uuid4().hex[:8]
        script = str(self._flink_home.dist / "bin" / "taskmanager.sh")
        options = (
            f"-Dtaskmanager.resource-id={self._resource_id}",
            f"-Dprocess.taskmanager.working-dir={self._working_folder}",
        )
        argv = ("/bin/bash", script, "start-foreground", *options)
        return Command(argv, self._flink_home.empty, self._flink_home.environment())

    def ready(self) -> bool:
        """Tell whether this process, and not its predecessor, is registered with the JobManager."""
        try:
            with loopback_session() as session:
                answer = session.get(f"{self._rest}/taskmanagers", timeout=1)
            return any(each["id"] == self._resource_id for each in answer.json()["taskmanagers"])
        except (requests.RequestException, ValueError, KeyError):
            return False

    def set_up(self) -> None:
        """Nothing: it takes tasks as soon as it is registered."""

    @property
    def _resource_id(self) -> str:
        return f"{self.name}.{self._identity}"

    @property
    def _working_folder(self) -> Path:
        return self._flink_home.folder / "tmp" / self.name
