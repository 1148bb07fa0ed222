"""Every setting of the project, read once from ``WEIR_*`` environment variables and passed down as values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.local.flink_home import TASKMANAGER_MEMORY_MB
from jobs import setting_rules
from jobs.secret_files import SecretFiles
from jobs.wrong_settings import wrong_settings
from udfs.domain.errors import SettingsError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet

__all__ = ["DAY_MS", "Settings"]

DAY_MS = 86_400_000
LONGEST_MS = 36_525 * DAY_MS
"""A century: longer than anybody waits, and short enough for the clocks of all that is told of it."""
LATEST_MATURITY = 0.9
"""Of the retention: labels mature a 64th of it at a time, and must do so before their windows are final."""


class Settings(BaseSettings):
    """Settings of the stack and of the job; units are in the names.

    Environment variables have the prefix ``WEIR_``, for example ``WEIR_HOME=/data/weir`` or ``WEIR_PARALLELISM=4``. A
    secret may stand in a file instead: ``WEIR_POSTGRES_PASSWORD_FILE=/run/secrets/postgres``.
    """

    model_config = SettingsConfigDict(
        env_prefix="WEIR_", frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    home: Annotated[Path, AfterValidator(setting_rules.folder)] = Field(
        Path(".weir"), description="data, logs and state of the local stack"
    )
    cache: Annotated[Path, AfterValidator(setting_rules.folder)] = Field(
        default_factory=setting_rules.cache_folder, description="downloaded jars, shared by all stacks of this user"
    )
    port_base: int = Field(19_000, ge=1_024, le=64_000, description="the stack listens on port_base .. port_base + 99")
    prometheus: bool = Field(
        False, description="Flink offers metrics on port_base + 62 and up, on every interface; read at weir up"
    )
    postgres_password: Annotated[SecretStr, AfterValidator(setting_rules.usable_secret)] = Field(
        SecretStr("weir-local"), description="of the database's owner; the other roles' passwords are made from it"
    )
    postgres_host: str = Field("127.0.0.1", pattern=r"^[^\s,@]+$")
    postgres_port: int | None = Field(None, ge=1, le=65_535, description="the local stack's, unless it is named")
    postgres_sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    postgres_root_cert: Annotated[Path, AfterValidator(setting_rules.existing_file)] | None = Field(
        None, description="PEM certificates that signed PostgreSQL's"
    )
    s3_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^\s'/?#@]+/?)?$",
        description="URL of an S3 for the tables that is not the local stack's; https:// for TLS",
    )
    s3_access_key: str = Field("weir", pattern=r"^\S+$")
    s3_secret_key: Annotated[SecretStr, AfterValidator(setting_rules.usable_secret)] = SecretStr("weir-local-secret")
    kafka_bootstrap: str = Field(
        "",
        pattern=r"^([^\s,;@/]+:\d{1,5}(,[^\s,;@/]+:\d{1,5})*)?$",
        description="a Kafka that is not the local stack's, host:port",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca_file: Annotated[Path, AfterValidator(setting_rules.existing_file)] | None = Field(
        None, description="PEM certificates that signed the broker's; same path everywhere"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str = Field("", pattern=r'^[^"\\$]*$')
    kafka_password: Annotated[SecretStr, AfterValidator(setting_rules.usable_secret)] | None = None
    kafka_job_secrets: Path | None = Field(
        None, description="properties file with `password` on the TaskManagers; without it weir submit writes one"
    )

    signing_key: Annotated[SecretStr, AfterValidator(setting_rules.signing_key)] | None = Field(
        None, description="Ed25519 key in PEM; weir train signs artifacts with it"
    )
    trusted_keys: str = Field(
        "",
        pattern=r"^([0-9a-f]{64}(,[0-9a-f]{64})*)?$",
        description="public Ed25519 keys in hex, by commas: the gate takes only artifacts one of them signed",
    )

    webhook_secret: Annotated[SecretStr, AfterValidator(setting_rules.webhook_secret)] = Field(
        SecretStr(""), description="signs what weir notify sends: whsec_ and base64, or any text of 24 bytes and more"
    )
    notify_timeout_ms: int = Field(10_000, ge=50, le=300_000, description="how long a webhook may take to answer")
    notify_attempts: int = Field(
        20, ge=1, le=1_000_000, description="calls per alert, then it is dead; 20 last about two hours"
    )
    notify_backoff_ms: int = Field(
        1_000, ge=1, le=DAY_MS, description="longest wait before the second call; doubles each time"
    )
    notify_daily_budget: int = Field(
        0, ge=0, le=10**12, description="alerts begun a day, in UTC; the rest wait; 0 for no limit"
    )

    model: str = Field(
        "fraud",
        pattern=r"^[^\s/:][^\x00-\x1f/:]{0,249}$",
        description="the registered model of this stream; its versions are what roles point to",
    )
    feature_set: Literal["handbook", "creditcard"] = "handbook"
    order: Literal["arrival", "event_time"] = "arrival"
    activation: Literal["arrival", "event_time"] = "arrival"
    payload: Literal["json", "avro"] = Field(
        "json", description="how transactions come and inferences are written; one for all who read and write a stream"
    )
    emit_features: bool = Field(False, description="also write the features topic")

    parallelism: int = Field(2, ge=1, le=32)
    shards: int = Field(8, ge=1, le=32_768, description="fixed for a deployment: Flink's max parallelism")
    batch_ms: int = Field(20, ge=1, le=10_000, description="how long the source collects events per shard")
    buffer_timeout_ms: int = Field(5, ge=0, le=DAY_MS)
    checkpoint_interval_ms: int = Field(2_000, ge=100, le=DAY_MS)
    tables_checkpoint_interval_ms: int = Field(
        30_000, ge=1_000, le=DAY_MS, description="how often the tables job commits what came to the tables on S3"
    )
    tables_compaction_s: int = Field(
        0, ge=0, le=10**9, description="how often the tables job makes larger files of small ones; 0 for never"
    )
    tables_snapshot_days: float = Field(
        5, gt=0, le=36_525, description="age at which a snapshot of a table without a tag goes"
    )
    optimizing_compiler: bool = Field(
        False,
        description="TaskManagers compile with C2, too: less CPU time a transaction, after minutes of more; read at weir up",
    )
    taskmanager_memory_mb: int = Field(
        TASKMANAGER_MEMORY_MB,
        ge=1_000,
        le=1_000_000,
        description="of a TaskManager's process, 768 less for its heap; RocksDB gets 256 on top; read at weir up",
    )
    state_backend: Literal["hashmap", "rocksdb"] = Field(
        "hashmap",
        description="where stages keep state: on the heap, or on disk through RocksDB; read at weir up, for the memory "
        "of TaskManagers, and at weir submit and upgrade",
    )
    event_time_batch_ms: int = Field(
        3_600_000, ge=1_000, le=LONGEST_MS, description="window of the source when order is event_time"
    )
    allowed_lateness_ms: int = Field(
        3_600_000, ge=0, le=LONGEST_MS, description="how far out of order an event may be and not be late"
    )

    quality_window_ms: int = Field(DAY_MS, ge=1_000, le=LONGEST_MS, description="tumbling window of model_quality")
    quality_rolling_ms: int = Field(
        0,
        ge=0,
        le=LONGEST_MS,
        description="length of the rolling windows of model_quality, a multiple of quality_window_ms; 0 for none",
    )
    quality_false_positive_rate: float = Field(0.01, ge=0, le=1, description="at which model_quality tells the recall")
    quality_interval_ms: int = Field(
        1_000, ge=200, le=LONGEST_MS, description="shortest time between early revisions of a window"
    )
    truth_retention_ms: int = Field(
        120 * DAY_MS, ge=0, le=LONGEST_MS, description="how long an open transaction waits for its truth"
    )
    label_maturity_days: float = Field(
        0, ge=0, description="age at which a transaction without truth is presumed genuine; 0 for never"
    )

    api_token: Annotated[SecretStr, AfterValidator(setting_rules.token)] | None = Field(
        None, description="bearer token of the API; none asks for nothing"
    )
    api_max_body_bytes: int = Field(1_048_576, ge=1_024, le=2**30, description="largest body of a request to the API")
    api_max_batch: int = Field(1_000, ge=1, le=100_000, description="rows of features, or truths, in one request")
    api_body_timeout_s: float = Field(10, gt=0, le=86_400, description="how long a client may take to send a body")
    api_answer_timeout_ms: int = Field(5_000, ge=1, le=60_000, description="how long the API waits for the stream")

    def __init__(self, **values: Any) -> None:  # noqa: ANN401
        """Read the settings; :class:`SettingsError` names each that is wrong, and shows no secret."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            refused = wrong_settings(error, type(self).model_fields, "weir_")
        else:
            return
        raise SettingsError(refused)  # here, not above: pydantic's error knows every value and is left behind

    @property
    def avro(self) -> FeatureSet | None:
        """The feature set whose fields transactions in Avro have; None where the payload is JSON."""
        return FeatureCatalog.of_code(self.feature_set) if self.payload == "avro" else None

    @model_validator(mode="after")
    def _shards_suffice(self) -> Settings:
        if self.parallelism > self.shards:
            msg = (
                f"WEIR_PARALLELISM is {self.parallelism}, but WEIR_SHARDS is {self.shards}: a stage has at most as many "
                "subtasks as shards. Lower the one, or raise the other before the deployment's first weir submit."
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _kafka_login_is_whole(self) -> Settings:
        sasl = self.kafka_security_protocol.startswith("SASL")
        if sasl and not (self.kafka_username and self.kafka_password is not None):
            msg = (
                f"WEIR_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}, but WEIR_KAFKA_USERNAME or "
                "WEIR_KAFKA_PASSWORD (or WEIR_KAFKA_PASSWORD_FILE) is missing; set both."
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _quality_settings_fit(self) -> Settings:
        if self.quality_rolling_ms % self.quality_window_ms:
            msg = (
                f"WEIR_QUALITY_ROLLING_MS is {self.quality_rolling_ms}, which is no multiple of WEIR_QUALITY_WINDOW_MS "
                f"({self.quality_window_ms}); set it to one, or to 0 for no rolling windows."
            )
            raise ValueError(msg)
        most_days = LATEST_MATURITY * self.truth_retention_ms / DAY_MS
        if self.label_maturity_days > most_days:
            msg = (
                f"WEIR_LABEL_MATURITY_DAYS is {self.label_maturity_days:g}, but truth is only waited for "
                f"{self.truth_retention_ms / DAY_MS:g} days (WEIR_TRUTH_RETENTION_MS); set it to at most {most_days:g}."
            )
            raise ValueError(msg)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the files it names; there is no ``.env``."""
        return init_settings, env_settings, SecretFiles(settings_cls)
