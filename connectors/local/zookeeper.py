"""ZooKeeper, the one inside Flink's own distribution: where a JobManager finds the jobs of the one that died."""

from __future__ import annotations

import socket
from pathlib import Path

from connectors.local.component import Command
from connectors.local.log4j import write_log4j
from connectors.local.properties import write_properties

__all__ = ["ZooKeeper"]

TICK_MS = 2_000
"""Sessions may be from two ticks to twenty long; Flink asks for six."""


class ZooKeeper:
    """A ZooKeeper of one, as a component of the local stack; it holds pointers only, states are in Flink's folder.

    Parameters
    ----------
    home
        The stack's folder; data lie in ``zookeeper/data``.
    port
        Where Flink finds it, on 127.0.0.1.
    java_home
        The Java runtime.
    """

    name = "zookeeper"
    depends_on: tuple[str, ...] = ()

    def __init__(self, home: Path, port: int, java_home: Path) -> None:
        self._folder, self._port, self._java = home.absolute() / "zookeeper", port, java_home / "bin" / "java"
        self.ports: tuple[int, ...] = (port,)
        self.log = home / "logs" / "zookeeper.log"

    def prepare(self) -> None:
        """Write the configuration."""
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        (self._folder / "empty").mkdir(exist_ok=True)
        write_log4j(self._folder / "log4j2.properties", {"org.apache.flink.shaded.zookeeper3": "WARN"})
        write_properties(
            self._folder / "zoo.cfg",
            {
                "tickTime": TICK_MS,
                "dataDir": self._folder / "data",
                "clientPort": self._port,
                "clientPortAddress": "127.0.0.1",
                "server.1": "127.0.0.1",
                "admin.enableServer": False,
                # Snapshots and logs are removed by the hour; a job writes a few hundred bytes a checkpoint.
                "autopurge.purgeInterval": 1,
                "autopurge.snapRetainCount": 3,
            },
        )

    def command(self) -> Command:
        """Return the server's process."""
        import pyflink

        libraries = Path(pyflink.__file__).parent / "lib"
        jars = [*libraries.glob("flink-dist-*.jar"), *libraries.glob("log4j-*.jar")]
        options = ("-Xms16m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=64m")
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        program = "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer"
        class_path = ":".join(str(jar) for jar in sorted(jars))
        main = (program, "--zkConfigFile", str(self._folder / "zoo.cfg"), "--peerId", "1")
        argv = (str(self._java), *options, "-Dzookeeper.jmx.log4j.disable=true", log4j, "-cp", class_path, *main)
        return Command(argv, self._folder / "empty", {"LANG": "C.UTF-8"})

    def ready(self) -> bool:
        """Tell whether it says of itself that it serves (its four-letter word ``srvr``)."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(b"srvr")
                return b"Mode: standalone" in connection.makefile("rb").read()
        except OSError:
            return False

    def set_up(self) -> None:
        """Nothing: Flink makes its own nodes."""
