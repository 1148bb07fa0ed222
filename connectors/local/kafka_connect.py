"""Kafka Connect, a distributed worker of one, with Debezium's PostgreSQL connector as its only plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import requests

from connectors.local.component import Command
from connectors.local.jars import Jars
from connectors.local.kafka import MAX_MESSAGE_BYTES
from connectors.local.log4j import write_log4j
from connectors.local.properties import write_properties
from connectors.loopback import loopback_session

__all__ = ["KafkaConnect"]

SECRETS, KAFKA_SECRETS = "debezium.properties", "kafka.properties"
_DEBEZIUM = "io.debezium:debezium-connector-postgres"
_JSON = "org.apache.kafka.connect.json.JsonConverter"


class KafkaConnect:
    """The Connect worker of the local stack.

    Parameters
    ----------
    home
        The stack's folder.
    port
        Its REST interface, on 127.0.0.1.
    bootstrap
        Kafka's address; a :class:`connectors.kafka.address.Address` where it takes more than that to reach it.
    jars
        The archives, groups ``connect`` and ``debezium``.
    java_home
        The Java runtime.
    database_password
        Of the role ``debezium``. It is written to a file of its owner that the connector's configuration names, so that it
        lies neither in Connect's topics nor in its REST answers; the worker may read files of that folder and no others.
    register
        What registers the connectors once the worker answers; it is told the file of the password.
    """

    name = "connect"
    depends_on: tuple[str, ...] = ("kafka", "postgres")

    def __init__(
        self,
        home: Path,
        port: int,
        bootstrap: str,
        jars: Jars,
        java_home: Path,
        database_password: str,
        register: Callable[[Path], None],
    ) -> None:
        self._folder, self._port, self._bootstrap, self._register = home / "connect", port, bootstrap, register
        self._jars, self._java, self._password = jars, java_home / "bin" / "java", database_password
        self._secrets = self._folder.absolute() / "secrets"
        self.ports: tuple[int, ...] = (port,)
        self.log = home / "logs" / "connect.log"

    def prepare(self) -> None:
        """Unpack Debezium and write the configuration."""
        (self._folder / "empty").mkdir(parents=True, exist_ok=True)
        write_log4j(
            self._folder / "log4j2.properties",
            {
                "org.apache.kafka.connect.runtime.rest": "WARN",
                "org.reflections": "ERROR",
                "org.apache.kafka.clients": "WARN",
            },
        )
        write_properties(self._folder / "worker.properties", self._worker_properties())
        self._secrets.mkdir(mode=0o700, exist_ok=True)
        write_properties(self._secrets / SECRETS, {"password": self._password})
        if security := getattr(self._bootstrap, "security", None):
            write_properties(self._secrets / KAFKA_SECRETS, {"password": security.password})

    def command(self) -> Command:
        """Return the worker's process."""
        # Only the first compiler: a few rows a minute pass here, and a quick start matters more.
        options = ("-Xms128m", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        main = ("org.apache.kafka.connect.cli.ConnectDistributed", str(self._folder / "worker.properties"))
        argv = (str(self._java), *options, log4j, "-cp", self._jars.class_path("connect"), *main)
        return Command(argv, self._folder / "empty", {"LANG": "C.UTF-8"})

    def ready(self) -> bool:
        """Tell whether the worker has joined its group: only then does it list connectors."""
        try:
            with loopback_session() as session:
                return session.get(f"http://127.0.0.1:{self._port}/connectors", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def set_up(self) -> None:
        """Register the connectors."""
        self._register(self._secrets / SECRETS)

    def _worker_properties(self) -> dict[str, object]:
        values: dict[str, object] = {
            "bootstrap.servers": self._bootstrap,
            "group.id": "weir-connect",
            "listeners": f"http://127.0.0.1:{self._port}",
            "rest.advertised.host.name": "127.0.0.1",
            "rest.advertised.port": self._port,
            "plugin.path": self._jars.unpacked(_DEBEZIUM),
            "plugin.discovery": "service_load",
            "connector.client.config.override.policy": "All",
            "config.providers": "file",
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            "config.providers.file.param.allowed.paths": self._secrets,
            "offset.flush.interval.ms": 1_000,
            # With the default, while Kafka is away, the shared admin client begins anew without a pause: it fills the log
            # with tens of megabytes a minute. There is one broker, so beginning anew finds nobody else.
            "metadata.recovery.strategy": "none",
            # A worker that was killed must not be waited for longer than it takes to start the next.
            "session.timeout.ms": 6_000,
            "heartbeat.interval.ms": 1_500,
            "scheduled.rebalance.max.delay.ms": 0,
            "producer.max.request.size": MAX_MESSAGE_BYTES,
            "producer.linger.ms": 0,
            "consumer.max.partition.fetch.bytes": MAX_MESSAGE_BYTES,
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
        }
        for side in ("key", "value"):
            values |= {f"{side}.converter": _JSON, f"{side}.converter.schemas.enable": False}
        for kind in ("config", "offset", "status"):
            topic = {f"{kind}.storage.topic": f"weir.connect.{kind}", f"{kind}.storage.replication.factor": 1}
            values |= topic
        return values | self._security()

    def _security(self) -> dict[str, object]:
        """Return how Kafka is reached: by the worker itself, and by the clients of its connectors."""
        security = getattr(self._bootstrap, "security", None)
        if security is None:
            return {}
        properties = security.java_properties(str(self._secrets / KAFKA_SECRETS))
        told = {name: value for name, value in properties.items() if not name.startswith("config.providers")}
        return {f"{client}{name}": x for client in ("", "producer.", "consumer.", "admin.") for name, x in told.items()}
