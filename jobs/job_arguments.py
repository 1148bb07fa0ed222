"""What ``weir submit`` tells the job, as one JSON argument. It holds no secret: Flink shows arguments on its page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

import orjson

from udfs.operators.stage_settings import StageSettings

__all__ = ["JobArguments"]


@dataclass(frozen=True, slots=True)
class JobArguments:
    """Arguments of the scoring job; times in milliseconds.

    Parameters
    ----------
    name
        Name of the job on Flink's page, and the prefix of its consumer group and transactional ids.
    bootstrap
        Kafka's bootstrap servers.
    checkpoints
        URI of the folder for checkpoints.
    kafka
        Further properties of the Kafka clients: TLS and SASL, with the file of the password and not the password.
    state_backend
        Where stages keep state: ``hashmap`` or ``rocksdb``. A savepoint of one starts the other.
    """

    name: str
    bootstrap: str
    checkpoints: str
    parallelism: int
    batch_ms: int
    buffer_timeout_ms: int
    checkpoint_interval_ms: int
    stages: StageSettings
    kafka: dict[str, str] = field(default_factory=dict)
    state_backend: Literal["hashmap", "rocksdb"] = "hashmap"

    def to_json(self) -> str:
        """Write the arguments."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> JobArguments:
        """Read what :meth:`to_json` wrote."""
        value = orjson.loads(text)
        stages = value["stages"] | {"feature_rows": tuple(value["stages"].get("feature_rows", ()))}
        return cls(**{**value, "stages": StageSettings(**stages)})
