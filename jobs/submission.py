"""Starting and stopping the scoring job on a running stack, around ``flink run``."""

from __future__ import annotations

from collections.abc import Callable

from connectors.kafka.first_values import first_values
from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from jobs.bundle import build_bundle
from jobs.features.feature_rows import feature_catalog
from jobs.job_arguments import JobArguments
from jobs.job_version import JobVersion
from jobs.kafka_address import job_properties, kafka_address
from jobs.launch import START_TIMEOUT_S, launch
from jobs.registry_access import metadata_store_of
from jobs.savepoint_fit import check_savepoint
from jobs.settings import DAY_MS, Settings
from udfs.domain.errors import JobError, SettingsError
from udfs.operators.stage_settings import StageSettings
from udfs.wire.avro_codec import AvroCodec

__all__ = ["JOB_NAME", "pack_job", "running_job", "stop_job", "submit_job"]

JOB_NAME = "weir-scoring"
ACTIVE = frozenset({"CREATED", "RUNNING", "RESTARTING", "INITIALIZING", "RECONCILING"})


def running_job(stack: LocalStack, name: str = JOB_NAME) -> str | None:
    """Return the id of the scoring job, or of another one by its name, None when it does not run."""
    for job in FlinkRest(stack.ports.addresses()["flink"]).jobs():
        if job["name"] == name and job["state"] in ACTIVE:
            return str(job["jid"])
    return None


def submit_job(
    stack: LocalStack,
    settings: Settings,
    *,
    savepoint: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
    timeout_s: float = START_TIMEOUT_S,
) -> str:
    """Submit the scoring job and wait until every task runs.

    Parameters
    ----------
    savepoint
        Start from this savepoint; without it from the beginning of the topics, and then transactions wait until the
        metadata is read up to the newest deployment.
    progress
        Told what is being done, one short sentence at a time.

    Returns
    -------
    str
        The job's id.

    Raises
    ------
    JobError
        When a job runs already, the savepoint does not fit, Flink refuses the job, or it does not come to run in
        ``timeout_s`` seconds.
    SettingsError
        When the job would read Avro and the topic begins with something else: Flink would restart it there for ever.
    """
    already = running_job(stack)
    if already:
        msg = f"the scoring job runs already (job {already}); stop it first with: weir stop"
        raise JobError(msg)
    if savepoint is None:
        _check_payload(settings)
    else:
        check_savepoint(savepoint, settings.shards)
    progress("packing the bundle")
    version = pack_job(stack, settings, savepoint=savepoint)
    return launch(stack, version, savepoint=savepoint, progress=progress, timeout_s=timeout_s)


def pack_job(stack: LocalStack, settings: Settings, *, savepoint: str | None) -> JobVersion:
    """Pack the code at hand and say what the job is told.

    Parameters
    ----------
    savepoint
        Where the job will go on from. At a start without one transactions wait until the metadata is read up to the newest
        deployment.
    """
    unnamed = stack.home / "bundles" / "bundle.zip"
    build_id = build_bundle(unnamed)
    bundle = unnamed.rename(unnamed.with_name(f"{build_id[:16]}.zip"))
    return JobVersion(bundle, _arguments(stack, settings, build_id, savepoint))


def stop_job(stack: LocalStack, *, timeout_s: float = 120.0) -> str:
    """Stop the scoring job with a savepoint and return the savepoint's path."""
    job_id = running_job(stack)
    if job_id is None:
        msg = "the scoring job does not run; nothing to stop (start it with: weir submit)"
        raise JobError(msg)
    return FlinkRest(stack.ports.addresses()["flink"]).stop(job_id, timeout_s=timeout_s)


def _check_payload(settings: Settings) -> None:
    if settings.payload == "json":
        return  # what is no JSON becomes a dead letter
    for partition, value in first_values(str(kafka_address(settings)), "transactions").items():
        if value is None or not AvroCodec.reads(value):
            msg = (
                f"partition {partition} of transactions begins with {(value or b'')[:20]!r}, which is not Avro: "
                "set WEIR_PAYLOAD=json, or go on from a savepoint that lies behind such records"
            )
            raise SettingsError(msg)


def _arguments(stack: LocalStack, settings: Settings, build_id: str, savepoint: str | None) -> JobArguments:
    store = metadata_store_of(settings)
    first_seq = 0 if savepoint else store.last_deployment_seq()
    stages = StageSettings(
        build_id=build_id,
        model=settings.model,
        feature_set=settings.feature_set,
        order=settings.order,
        activation=settings.activation,
        shards=settings.shards,
        first_deployment_seq=first_seq,
        emit_features=settings.emit_features,
        parallelism=settings.parallelism,
        lateness_ms=settings.allowed_lateness_ms,
        event_time_batch_ms=settings.event_time_batch_ms,
        quality_window_ms=settings.quality_window_ms,
        quality_interval_ms=settings.quality_interval_ms,
        truth_retention_ms=settings.truth_retention_ms,
        label_maturity_ms=round(settings.label_maturity_days * DAY_MS),
        quality_rolling_ms=settings.quality_rolling_ms,
        quality_false_positive_rate=settings.quality_false_positive_rate,
        trusted_keys=settings.trusted_keys,
        payload=settings.payload,
        feature_rows=feature_catalog(store.feature_rows()).to_json(),
    )
    return JobArguments(
        name=JOB_NAME,
        bootstrap=str(kafka_address(settings)),
        checkpoints=(stack.home / "flink" / "checkpoints").as_uri(),
        parallelism=settings.parallelism,
        batch_ms=settings.batch_ms,
        buffer_timeout_ms=settings.buffer_timeout_ms,
        checkpoint_interval_ms=settings.checkpoint_interval_ms,
        stages=stages,
        kafka=job_properties(settings),
        state_backend=settings.state_backend,
    )
