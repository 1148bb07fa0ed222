"""Kafka as a single KRaft node: broker and controller in one JVM."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from connectors.kafka.topics import create_topics
from connectors.local.component import Command
from connectors.local.jars import Jars
from connectors.local.log4j import write_log4j
from connectors.local.properties import write_properties
from udfs.domain.errors import StackError

__all__ = ["MAX_MESSAGE_BYTES", "Kafka"]

MAX_MESSAGE_BYTES = 17 * 1024 * 1024
"""16 MB messages and what a record batch adds to them."""

_HEAP = ("-Xms256m", "-Xmx512m")


class Kafka:
    """The broker of the local stack.

    Parameters
    ----------
    home
        The stack's folder; data lie in ``kafka/data``.
    port, controller_port
        Where clients and the controller listen, on 127.0.0.1.
    jars
        The archives, group ``kafka``.
    java_home
        The Java runtime.
    """

    name = "kafka"
    depends_on: tuple[str, ...] = ()

    def __init__(self, home: Path, port: int, controller_port: int, jars: Jars, java_home: Path) -> None:
        self._folder, self._port, self._controller_port = home / "kafka", port, controller_port
        self._jars, self._java = jars, java_home / "bin" / "java"
        self.ports: tuple[int, ...] = (port, controller_port)
        self.log = home / "logs" / "kafka.log"

    def prepare(self) -> None:
        """Write the configuration and, the first time, format the storage.

        Raises
        ------
        StackError
            If the storage tool refuses.
        """
        (self._folder / "empty").mkdir(parents=True, exist_ok=True)
        write_log4j(self._folder / "log4j2.properties", {"org.apache.kafka.common.config": "WARN"})
        write_properties(self._folder / "server.properties", self._server_properties())
        if not (self._folder / "data" / "meta.properties").exists():
            self._format()

    def command(self) -> Command:
        """Return the broker's process."""
        # The quick compiler only, as for TaskManagers: the broker has the same two cores.
        collector = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
        options = (*_HEAP, *collector, "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=128m")
        return self._java_command(options, "kafka.Kafka", str(self._folder / "server.properties"))

    def ready(self) -> bool:
        """Tell whether the broker is registered with its controller: only then does it list itself."""
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        address = f"127.0.0.1:{self._port}"
        with contextlib.suppress(OSError, KafkaError):
            socket.create_connection(("127.0.0.1", self._port), timeout=0.5).close()  # the client would wait
            admin = KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=1_000, request_timeout_ms=1_000)
            try:
                return bool(admin.describe_cluster()["brokers"])
            finally:
                admin.close()
        return False

    def set_up(self) -> None:
        """Create the topics of the public contract."""
        create_topics(f"127.0.0.1:{self._port}")

    def _java_command(self, options: tuple[str, ...], *program: str) -> Command:
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        argv = (str(self._java), *options, "-Djava.awt.headless=true", log4j, "-cp", self._jars.class_path("kafka"))
        return Command((*argv, *program), self._folder / "empty", {"LANG": "C.UTF-8"})

    def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", "--cluster-id", cluster, "--config", str(self._folder / "server.properties"))
        options = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        command = self._java_command(options, "kafka.tools.StorageTool", *arguments, "--ignore-formatted")
        got = subprocess.run(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if got.returncode != 0:
            lines = [line for line in (got.stderr + got.stdout).splitlines() if line.strip()] or ["nothing"]
            msg = f"Kafka's storage {self._folder / 'data'} could not be formatted: got {lines[-1][:300]}."
            raise StackError(msg)

    def _server_properties(self) -> dict[str, object]:
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self._folder / "data",
            # A misspelt topic is an error, not a new topic.
            "auto.create.topics.enable": False,
            "num.partitions": 4,
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "transaction.max.timeout.ms": 900_000,
            "message.max.bytes": MAX_MESSAGE_BYTES,
            "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
            # Groups of one machine need not wait for members from elsewhere.
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 3_000,
            # The default buffer alone would be a quarter of the heap.
            "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
            "log.segment.bytes": 256 * 1024 * 1024,
            "num.network.threads": 3,
            "num.io.threads": 4,
            "background.threads": 4,
        }
