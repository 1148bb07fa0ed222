"""The plain values a stack is made from; they travel as JSON to the supervisor, which makes the components of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from connectors.local.client_secrets import aws_credentials, postgres_password_file
from connectors.local.component import Component
from connectors.local.flink import JobManager, TaskManager
from connectors.local.flink_home import TASKMANAGER_MEMORY_MB, FlinkHome
from connectors.local.jars import Jars
from connectors.local.java import java_home
from connectors.local.kafka import Kafka
from connectors.local.kafka_connect import KafkaConnect
from connectors.local.ports import Ports
from connectors.local.zookeeper import ZooKeeper
from connectors.postgres.role_password import role_password

__all__ = ["COMPONENTS", "StackPlan"]

COMPONENTS = ("postgres", "kafka", "connect", "s3", "mlflow", "zookeeper", "jobmanager", "taskmanager")
"""What a whole stack consists of; ``taskmanager`` stands for all of them."""


@dataclass(frozen=True, slots=True, repr=False)
class StackPlan:
    """What to run where.

    Parameters
    ----------
    home
        Data, logs and state.
    cache
        Downloaded archives.
    port_base
        First of the stack's hundred ports.
    postgres_password
        Of the superuser ``weir``.
    s3_access_key, s3_secret_key
        The only key pair the S3 endpoint accepts.
    task_managers
        How many TaskManagers, one slot each.
    only
        Names out of :data:`COMPONENTS`; tests that need less start less.
    prometheus
        Whether Flink offers its metrics.
    rocksdb
        Whether TaskManagers have memory for RocksDB.
    optimizing_compiler
        Whether TaskManagers compile with C2, too.
    taskmanager_memory_mb
        Of each TaskManager's process, without what RocksDB gets, in MiB.
    """

    home: Path
    cache: Path
    port_base: int
    postgres_password: str
    s3_access_key: str
    s3_secret_key: str
    task_managers: int
    only: tuple[str, ...] = COMPONENTS
    prometheus: bool = False
    rocksdb: bool = False
    optimizing_compiler: bool = False
    taskmanager_memory_mb: int = TASKMANAGER_MEMORY_MB

    def to_json(self) -> bytes:
        """Return the plan for a pipe; it holds passwords, so it is never written to disk."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return orjson.dumps({**values, "home": str(self.home), "cache": str(self.cache)})

    @classmethod
    def from_json(cls, document: bytes) -> StackPlan:
        """Read a plan; the inverse of :meth:`to_json`."""
        plan = cls(**orjson.loads(document))
        return replace(plan, home=Path(plan.home), cache=Path(plan.cache), only=tuple(plan.only))

    @property
    def ports(self) -> Ports:
        """The stack's ports."""
        return Ports(self.port_base)

    def flink_home(self) -> FlinkHome:
        """Return the overlay that JobManager, TaskManagers and the client run from."""
        metrics_ports = self.ports.metrics if self.prometheus else ""
        jars = Jars(self.cache)
        zookeeper_port = self.ports.zookeeper if "zookeeper" in self.only else 0
        password = role_password(self.postgres_password, "iceberg")
        secrets = {
            "aws": aws_credentials(self.s3_access_key, self.s3_secret_key),
            "pgpass": postgres_password_file(self.ports.postgres, "iceberg", password),
        }
        ports = (self.ports.flink, self.ports.flink_rpc)
        java = java_home()
        return FlinkHome(
            self.home,
            *ports,
            jars,
            java,
            metrics_ports,
            zookeeper_port,
            secrets,
            rocksdb=self.rocksdb,
            optimizing_compiler=self.optimizing_compiler,
            taskmanager_memory_mb=self.taskmanager_memory_mb,
        )

    def components(self) -> list[Component]:
        """Return the components in the order in which people read them; who is left out is not waited for."""
        makers: dict[str, Callable[[], list[Component]]] = {
            "postgres": self._postgres,
            "kafka": self._kafka,
            "connect": self._connect,
            "s3": self._s3,
            "mlflow": self._mlflow,
            "zookeeper": self._zookeeper,
            "jobmanager": self._job_manager,
            "taskmanager": self._task_managers,
        }
        return [component for name, make in makers.items() if name in self.only for component in make()]

    def _postgres(self) -> list[Component]:
        from connectors.local.postgres import Postgres

        return [Postgres(self.home, self.ports.postgres, self.postgres_password)]

    def _kafka(self) -> list[Component]:
        ports = self.ports
        return [Kafka(self.home, ports.kafka, ports.kafka_controller, Jars(self.cache), java_home())]

    def _connect(self) -> list[Component]:
        bootstrap = f"127.0.0.1:{self.ports.kafka}"
        password = role_password(self.postgres_password, "debezium")
        return [
            KafkaConnect(
                self.home, self.ports.connect, bootstrap, Jars(self.cache), java_home(), password, self._register
            )
        ]

    def _register(self, password_file: Path) -> None:
        if "postgres" not in self.only:
            return
        from connectors.connect import register_connector

        register_connector(f"http://127.0.0.1:{self.ports.connect}", self.ports.postgres, str(password_file))

    def _s3(self) -> list[Component]:
        from connectors.local.s3 import S3Proxy

        keys = (self.s3_access_key, self.s3_secret_key)
        return [S3Proxy(self.home, self.ports.s3, *keys, Jars(self.cache), java_home())]

    def _mlflow(self) -> list[Component]:
        from connectors.local.mlflow import Mlflow
        from connectors.local.postgres import Postgres
        from connectors.local.s3 import S3Proxy

        postgres = Postgres(self.home, self.ports.postgres, self.postgres_password)
        s3 = S3Proxy(self.home, self.ports.s3, self.s3_access_key, self.s3_secret_key, Jars(self.cache), java_home())
        return [Mlflow(self.home, self.ports.mlflow, postgres, s3)]

    def _zookeeper(self) -> list[Component]:
        return [ZooKeeper(self.home, self.ports.zookeeper, java_home())]

    def _job_manager(self) -> list[Component]:
        return [JobManager(self.home, self.ports.flink, self.ports.flink_rpc, self.flink_home())]

    def _task_managers(self) -> list[Component]:
        return [self.task_manager(index) for index in range(1, self.task_managers + 1)]

    def task_manager(self, index: int) -> Component:
        """Return one TaskManager by its number, from 1; a running stack may be given more than the plan says."""
        return TaskManager(self.home, index, self.ports.flink, self.flink_home())
