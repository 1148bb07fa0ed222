"""A Flink home beside the one in site-packages, which stays untouched: its scripts and jars, ours, configuration."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.local.jars import Jars
from connectors.local.java import JAVA_OPENS
from connectors.local.log4j import write_log4j

__all__ = ["TASKMANAGER_MEMORY_MB", "FlinkHome"]

TASKMANAGER_MEMORY_MB = 1_250
"""With four of these the stack stayed below 6.5 GB under the load of the end-to-end tests."""

_EXPORTS = tuple(
    f"--add-exports={module}=ALL-UNNAMED"
    for module in (
        "java.rmi/sun.rmi.registry",
        "java.security.jgss/sun.security.krb5",
    )
)


class FlinkHome:
    """The overlay FLINK_HOME and the environment of everything that runs in it.

    Parameters
    ----------
    home
        The stack's folder; the overlay lies in ``flink/dist``, checkpoints in ``flink/checkpoints``.
    rest_port, rpc_port
        The JobManager's ports, on 127.0.0.1.
    jars
        The archives, group ``flink``.
    java_home
        The Java runtime.
    metrics_ports
        Where the processes offer their metrics to Prometheus, as Flink writes a range; empty for nowhere.
    zookeeper_port
        ZooKeeper, in which a JobManager finds the jobs of the one that died; 0 for none, then jobs die with it.
    secrets
        Files that only this account may read, by name, in ``flink/secrets``: what the clients of the tables log in with.
    rocksdb
        Whether TaskManagers have memory for RocksDB.
    optimizing_compiler
        Whether TaskManagers compile with C2, too: what they do then costs less, after minutes in which they compile.
    taskmanager_memory_mb
        Of each TaskManager's process, without what RocksDB gets, in MiB.
    """

    def __init__(
        self,
        home: Path,
        rest_port: int,
        rpc_port: int,
        jars: Jars,
        java_home: Path,
        metrics_ports: str = "",
        zookeeper_port: int = 0,
        secrets: Mapping[str, str] | None = None,
        *,
        rocksdb: bool = False,
        optimizing_compiler: bool = False,
        taskmanager_memory_mb: int = TASKMANAGER_MEMORY_MB,
    ) -> None:
        self.folder = home / "flink"
        self.dist = self.folder / "dist"
        self.empty = self.folder / "empty"
        self._metrics_ports, self._zookeeper_port, self._rocksdb = metrics_ports, zookeeper_port, rocksdb
        self._memory_mb = taskmanager_memory_mb + (_ROCKSDB_MB if rocksdb else 0)
        self._tiers = "" if optimizing_compiler else " -XX:TieredStopAtLevel=1"
        self._secrets = dict(secrets or {})
        self._rest_port, self._rpc_port, self._jars, self._java_home = rest_port, rpc_port, jars, java_home

    def write(self) -> None:
        """Lay the overlay out anew; safe while Flink runs from it, as jars are links that are only added."""
        import pyflink

        source = Path(pyflink.__file__).parent
        for folder in ("checkpoints", "savepoints", "tmp", "empty", "pids", "log"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        shutil.copytree(source / "bin", self.dist / "bin", dirs_exist_ok=True)
        # flink-python in lib, not only in opt: else the second job on a TaskManager dies (NoSuchFieldException).
        # Iceberg in lib, too: as a job's own jars each restart would load its classes again.
        groups = (*self._jars.group("flink"), *self._jars.group("iceberg"))
        own = [*groups, *(source / "opt").glob("flink-python-*.jar")]
        _link([*(source / "lib").iterdir(), *own], self.dist / "lib")
        _link([*(source / "opt").iterdir(), *self._jars.group("sql-client")], self.dist / "opt")
        _link([*(source / "plugins").iterdir()], self.dist / "plugins")
        self._write_secrets()
        conf = self.dist / "conf"
        conf.mkdir(exist_ok=True)
        # JSON values are YAML values.
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in self.configuration().items()]
        (conf / "config.yaml").write_text("".join(lines), encoding="utf-8")
        loud = ("org.apache.pekko", "org.apache.kafka", "org.apache.hadoop", "org.apache.iceberg", "software.amazon")
        quiet = dict.fromkeys(loud, "WARN")
        for name in ("log4j-console", "log4j"):
            write_log4j(conf / f"{name}.properties", quiet)
        for name in ("log4j-cli", "log4j-session"):
            write_log4j(conf / f"{name}.properties", {**quiet, **dict.fromkeys((*loud, "org.apache.flink"), "ERROR")})

    def environment(self) -> dict[str, str]:
        """Return the environment of JobManager, TaskManagers and client.

        Job code is not on the path: it arrives with the job (``-pyfs``), so that an upgrade brings its own.
        """
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "USER": "weir",
            "HOME": str(self.folder),
            "HOSTNAME": "localhost",
            "JAVA_HOME": str(self._java_home),
            "FLINK_HOME": str(self.dist),
            "FLINK_CONF_DIR": str(self.dist / "conf"),
            "FLINK_LIB_DIR": str(self.dist / "lib"),
            "FLINK_OPT_DIR": str(self.dist / "opt"),
            "FLINK_PLUGINS_DIR": str(self.dist / "plugins"),
            "FLINK_LOG_DIR": str(self.folder / "log"),
            "FLINK_PID_DIR": str(self.folder / "pids"),
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            # The C library gives each of a TaskManager's many threads an arena and hardly gives back what one has freed.
            "MALLOC_ARENA_MAX": "2",
            "NUMBA_CACHE_DIR": str(self.folder / "numba"),
            "NUMBA_CACHE_LOCATOR_CLASSES": "model_store.kernel_cache.KernelCache",
            # One GIL per TaskManager: threads of BLAS would only take turns with it.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            # An S3 endpoint that is not Amazon's may not know the newer checksums.
            "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # Not in SQL, where Flink would keep them in job graphs and show them in logs.
            "AWS_SHARED_CREDENTIALS_FILE": str(self._secret_folder / "aws"),
            "PGPASSFILE": str(self._secret_folder / "pgpass"),
        }

    @property
    def _secret_folder(self) -> Path:
        return self.folder / "secrets"

    def _write_secrets(self) -> None:
        self._secret_folder.mkdir(mode=0o700, exist_ok=True)
        for name, text in self._secrets.items():
            partial = self._secret_folder / f".{name}"
            partial.touch(mode=0o600)
            partial.chmod(0o600)
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, self._secret_folder / name)

    def configuration(self) -> dict[str, Any]:
        """Return Flink's ``config.yaml`` as flat keys; checkpoint intervals and the like are the job's."""
        return {
            "env.java.opts.all": " ".join((*_EXPORTS, *JAVA_OPENS)),
            # The JobManager computes little: a quick start and a small footprint.
            "env.java.opts.jobmanager": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            # On two cores the optimizing compiler takes a third of what the whole job uses in its first minutes.
            "env.java.opts.taskmanager": f"{_G1}{self._tiers}",
            "env.java.opts.client": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto",
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": self._rpc_port,
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.memory.process.size": "700m",
            "jobmanager.memory.jvm-metaspace.size": "160m",
            "jobmanager.memory.off-heap.size": "64m",
            "jobmanager.execution.failover-strategy": "region",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": self._rest_port,
            "web.submit.enable": False,
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": 1,
            "taskmanager.memory.process.size": f"{self._memory_mb}m",
            **_TASKMANAGER_MEMORY,
            **(_ROCKSDB_MEMORY if self._rocksdb else {}),
            "parallelism.default": 1,
            "python.execution-mode": "thread",
            "python.executable": sys.executable,
            "python.client.executable": sys.executable,
            "heartbeat.interval": "1 s",
            "heartbeat.timeout": "8 s",
            "heartbeat.rpc-failure-threshold": 2,
            # A TaskManager may keep looking for a leader of before (after ZooKeeper was away); it ends and begins anew.
            "taskmanager.registration.timeout": "60 s",
            "slot.request.timeout": "120 s",
            # A job that lost a TaskManager waits for its successor; else it would fail and restart every second until then.
            "resourcemanager.standalone.start-up-time": 8_640_000_000,
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.delay": "1 s",
            "restart-strategy.fixed-delay.attempts": 1_000_000,
            "execution.checkpointing.dir": (self.folder / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (self.folder / "savepoints").as_uri(),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.num-retained": 3,
            # A question in SQL has a dozen shuffles at once; each would take a quarter of a TaskManager's network memory.
            "taskmanager.network.sort-shuffle.min-buffers": 64,
            "state.backend.type": "hashmap",
            "io.tmp.dirs": str(self.folder / "tmp"),
            **(_prometheus(self._metrics_ports) if self._metrics_ports else {}),
            **(self._high_availability() if self._zookeeper_port else {}),
        }

    def _high_availability(self) -> dict[str, Any]:
        return {
            "high-availability.type": "zookeeper",
            "high-availability.cluster-id": "/weir",
            "high-availability.storageDir": (self.folder / "high-availability").as_uri(),
            "high-availability.jobmanager.port": str(self._rpc_port),
            "high-availability.zookeeper.quorum": f"127.0.0.1:{self._zookeeper_port}",
            # So long may a dead JobManager seem alive: its successor leads when the session has ended.
            "high-availability.zookeeper.client.session-timeout": "12 s",
            "high-availability.zookeeper.client.connection-timeout": "5 s",
            "zookeeper.sasl.disable": True,  # else each client says that its authentication failed
            # ZooKeeper may be started again without the job being so.
            "high-availability.zookeeper.client.tolerate-suspended-connections": True,
        }


# A batch of transactions is half a megabyte: with G1's small regions it would be one of those objects for which it marks
# the whole heap again and again. Marking at 45 % of the heap would be all the time, too: state is a third of it.
_G1 = "-XX:+UseG1GC -XX:G1HeapRegionSize=4m -XX:InitiatingHeapOccupancyPercent=60"
# What is left of the process, 768 MiB less, is heap.
_TASKMANAGER_MEMORY = {
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "128m",
    "taskmanager.memory.jvm-overhead.max": "128m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.framework.heap.size": "96m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    # Only the windows of the SQL sources use managed memory.
    "taskmanager.memory.managed.size": "64m",
    # The Python interpreter in the TaskManager's process: numpy, River and compiled kernels allocate outside Java.
    "taskmanager.memory.task.off-heap.size": "256m",
}
# RocksDB's block cache and write buffers are managed memory, of all stages of a TaskManager together.
_ROCKSDB_MB = 256
_ROCKSDB_MEMORY = {
    "taskmanager.memory.managed.size": f"{64 + _ROCKSDB_MB}m",
    "taskmanager.memory.managed.consumer-weights": "OPERATOR:15,STATE_BACKEND:80,PYTHON:5",
}


def _prometheus(ports: str) -> dict[str, Any]:
    factory = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
    return {"metrics.reporter.prom.factory.class": factory, "metrics.reporter.prom.port": ports}


def _link(files: list[Path], folder: Path) -> None:
    """Make a folder hold links to exactly these files."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {file.name: file for file in files}
    for old in folder.iterdir():
        if old.name not in wanted or not old.is_symlink() or old.readlink() != wanted[old.name]:
            old.unlink()
    for name, file in wanted.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(file)
