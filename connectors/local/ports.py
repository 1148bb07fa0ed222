"""Which component listens where: every port of a local stack follows from one number."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Ports"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a stack, all within ``base .. base + 99`` on 127.0.0.1.

    Parameters
    ----------
    base
        The first port of the stack's hundred.

    Examples
    --------
    >>> Ports(19_000).kafka
    19092
    >>> Ports(19_000).addresses()["flink"]
    'http://127.0.0.1:19081'
    """

    base: int

    @property
    def kafka(self) -> int:
        """Kafka's listener for clients."""
        return self.base + 92

    @property
    def kafka_controller(self) -> int:
        """Kafka's KRaft controller listener."""
        return self.base + 93

    @property
    def postgres(self) -> int:
        """PostgreSQL."""
        return self.base + 32

    @property
    def connect(self) -> int:
        """Kafka Connect's REST interface."""
        return self.base + 83

    @property
    def flink(self) -> int:
        """Flink's REST interface and web page."""
        return self.base + 81

    @property
    def flink_rpc(self) -> int:
        """The JobManager's port for TaskManagers."""
        return self.base + 61

    @property
    def zookeeper(self) -> int:
        """ZooKeeper, for Flink's JobManager."""
        return self.base + 21

    @property
    def metrics(self) -> str:
        """Where Flink's processes offer their metrics, the first free port each; nowhere unless that is turned on."""
        return f"{self.base + 62}-{self.base + 79}"

    @property
    def s3(self) -> int:
        """The S3 endpoint."""
        return self.base + 90

    @property
    def mlflow(self) -> int:
        """MLflow's page and interface."""
        return self.base + 50

    @property
    def api(self) -> int:
        """The REST interface of ``weir serve``."""
        return self.base + 80

    def addresses(self) -> dict[str, str]:
        """Return the address people and programs use, by component."""
        return {
            "postgres": f"postgresql://weir@127.0.0.1:{self.postgres}/weir",
            "kafka": f"127.0.0.1:{self.kafka}",
            "connect": f"http://127.0.0.1:{self.connect}",
            "s3": f"http://127.0.0.1:{self.s3}",
            "mlflow": f"http://127.0.0.1:{self.mlflow}",
            "zookeeper": f"127.0.0.1:{self.zookeeper}",
            "flink": f"http://127.0.0.1:{self.flink}",
            "api": f"http://127.0.0.1:{self.api}",
            "jobmanager": f"http://127.0.0.1:{self.flink}",
            "iceberg_catalog": f"postgresql://iceberg@127.0.0.1:{self.postgres}/weir",
            "warehouse": "s3://warehouse",
        }
