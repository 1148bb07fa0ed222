"""The model registry: MLflow, talked to over HTTP. The only module that imports mlflow.

A version's bytes are an artifact file of a run, never a pickle; what scores is the same bytes in PostgreSQL. A role is
an alias: setting one is a deployment, by a trigger in MLflow's own tables. Never shipped to TaskManagers.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from model_store.model_version import ModelVersion
from model_store.training_record import TrainingRecord
from model_store.version_tags import version_of_tags
from udfs.domain.errors import ConnectionLostError, RegistryError

__all__ = ["ARTIFACT_PATH", "RECORD_PATH", "SOURCE_PATH", "Registry"]

ARTIFACT_PATH = "model/artifact.weir"
RECORD_PATH = "training.json"
SOURCE_PATH = "source.zip"
# Set before mlflow is imported, which reads some at once. A server that is down is said to be so within seconds.
_CLIENT_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_MAX_VERSIONS = 1_000
_PARAMETER_LENGTH = 500


class Registry:
    """Registered models, their versions and the roles they play.

    Every method raises :class:`ConnectionLostError` when MLflow does not answer, and :class:`RegistryError` when it
    refuses what it was asked.

    Parameters
    ----------
    tracking_uri
        MLflow's address, ``http://127.0.0.1:19050``.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._uri = tracking_uri
        self._cached: Any = None

    def register(self, model: str, record: TrainingRecord) -> ModelVersion:
        """Record a training run and make a version of it; to be deployed, its artifact must be in PostgreSQL, too.

        Parameters
        ----------
        model
            The registered model; made if it is not there.
        record
            What to keep.

        Returns
        -------
        ModelVersion
            The new version, without a role.
        """
        with self._client(f"register a version of {model}") as client:
            run = client.create_run(self._experiment(client, model), run_name=f"{model} {record.algorithm}")
            run_id = run.info.run_id
            try:
                self._log(client, run_id, record)
                self._make_model(client, model)
                version = client.create_model_version(
                    model,
                    source=f"{run.info.artifact_uri}/{Path(ARTIFACT_PATH).parent}",
                    run_id=run_id,
                    tags=_tags(record),
                    await_creation_for=0,  # it is ready at once; waiting would be announced on the console
                )
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id, "FINISHED")
        return self.version(model, str(version.version))

    def set_tags(self, model: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version; ``weir.threshold``, ``weir.why`` and their like are read when an alias is set."""
        with self._client(f"find {model} version {version}") as client:
            for key, value in tags.items():
                client.set_model_version_tag(model, version, key, value)

    def set_alias(self, model: str, role: str, version: str) -> None:
        """Give a role to a version, which deploys it.

        MLflow writes nothing when the alias points there already, so a changed threshold would not be seen: then the
        alias is taken away first. For a challenger that is a retirement and a new start; the champion stays.

        Raises
        ------
        RegistryError
            With the trigger's sentence, when the version has no artifact or no usable tags.
        """
        with self._client(f"give {model} version {version} the role {role}") as client:
            if str(client.get_registered_model(model).aliases.get(role)) == version:
                client.delete_registered_model_alias(model, role)
            client.set_registered_model_alias(model, role, version)

    def remove_alias(self, model: str, role: str) -> None:
        """Take a role away; a challenger retires, the champion stays until there is another."""
        with self._client(f"take the role {role} of {model} away") as client:
            client.delete_registered_model_alias(model, role)

    def version(self, model: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._client(f"read {model} version {version}") as client:
            found = client.get_model_version(model, version)
            return _model_version(client, found, tuple(found.aliases))

    def versions(self, model: str) -> list[ModelVersion]:
        """Return the versions of a model, the newest first; none for a model that is not there."""
        with self._client(f"list the versions of {model}") as client:
            quoted = model.replace("'", "\\'")
            found = client.search_model_versions(f"name='{quoted}'", max_results=_MAX_VERSIONS)
            if not found:
                return []
            aliases = client.get_registered_model(model).aliases
            ordered = sorted(found, key=lambda each: -int(each.version))
            roles = {each.version: [a for a, v in aliases.items() if str(v) == str(each.version)] for each in ordered}
            return [_model_version(client, each, tuple(sorted(roles[each.version]))) for each in ordered]

    def load_file(self, run_id: str, path: str) -> bytes:
        """Return a file of a training run: :data:`ARTIFACT_PATH`, :data:`RECORD_PATH` or :data:`SOURCE_PATH`."""
        with self._client(f"read {path} of run {run_id}") as client, tempfile.TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, path, folder)).read_bytes()

    def check_experiment(self, model: str) -> None:
        """Make sure that versions of a model can be registered, before one is trained.

        Raises
        ------
        RegistryError
            If its experiment was deleted in MLflow, with the way to restore it; MLflow gives its name to no other.
        ConnectionLostError
            If MLflow does not answer.
        """
        with self._client(f"find the experiment {model}") as client:
            self._experiment(client, model)

    def _experiment(self, client: Any, model: str) -> str:  # noqa: ANN401 - mlflow is untyped here
        found = client.get_experiment_by_name(model)
        if found is not None and found.lifecycle_stage == "deleted":
            msg = (
                f"The experiment {model} was deleted in MLflow, so no version of {model} can be registered. Restore it "
                f"with: MLFLOW_TRACKING_URI={self._uri} mlflow experiments restore --experiment-id {found.experiment_id}"
            )
            raise RegistryError(msg)
        return str(client.create_experiment(model) if found is None else found.experiment_id)

    def _make_model(self, client: Any, model: str) -> None:  # noqa: ANN401
        from mlflow.exceptions import MlflowException

        try:
            client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _log(self, client: Any, run_id: str, record: TrainingRecord) -> None:  # noqa: ANN401
        from mlflow.entities import Metric, Param, RunTag

        parameters = {
            "algorithm": record.algorithm,
            "feature_set": record.feature_set,
            **record.parameters,
            **{f"data.{key}": value for key, value in record.data.items()},
        }
        metrics = [Metric(name, value, 0, 0) for name, value in record.metrics.items() if math.isfinite(value)]
        tags = {**_tags(record), **{f"weir.code.{key}": str(value) for key, value in record.code.items()}}
        client.log_batch(
            run_id,
            metrics=metrics,
            params=[Param(name, str(value)[:_PARAMETER_LENGTH]) for name, value in parameters.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        files = {
            ARTIFACT_PATH: record.artifact,
            RECORD_PATH: orjson.dumps(record.described(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS),
            SOURCE_PATH: record.source,
        }
        with tempfile.TemporaryDirectory() as folder:
            for path, data in files.items():
                (Path(folder) / path).parent.mkdir(exist_ok=True)
                (Path(folder) / path).write_bytes(data)
            client.log_artifacts(run_id, folder)

    @contextmanager
    def _client(self, doing: str) -> Iterator[Any]:
        """Lend the client, made at first use, and translate what it raises."""
        if self._cached is None:
            for key, value in _CLIENT_SETTINGS.items():
                os.environ.setdefault(key, value)
            from mlflow import MlflowClient

            self._cached = MlflowClient(self._uri, self._uri)
        from mlflow.exceptions import MlflowException

        try:
            yield self._cached
        except MlflowException as error:
            text = _first_sentence(str(error)).removeprefix(f"{error.error_code}: ")
            if error.error_code == "INTERNAL_ERROR" and "API request to" in text:
                msg = f"Could not {doing}: MLflow at {self._uri} does not answer. Is the stack up? See weir status."
                raise ConnectionLostError(msg) from error
            msg = (
                text
                if "Weir: " in str(error)
                else f"Could not {doing}: MLflow said: {text.rstrip('.')}. See weir models."
            )
            raise RegistryError(msg) from error


def _tags(record: TrainingRecord) -> dict[str, str]:
    tags = {
        "weir.digest": record.digest,
        "weir.algorithm": record.algorithm,
        "weir.feature_set": record.feature_set,
        "weir.trained_until_ms": str(record.trained_until_ms),
        "weir.commit": str(record.code.get("commit", "unknown")) + ("+changes" if record.code.get("dirty") else ""),
        "weir.data": _data_label(record.data),
    }
    if record.parent is not None:
        tags |= {"weir.parent": record.parent["version"], "weir.parent_digest": record.parent["digest"]}
    return tags if record.threshold is None else {**tags, "weir.threshold": repr(record.threshold)}


def _data_label(data: Mapping[str, Any]) -> str:
    """Name the rows in a few words.

    Examples
    --------
    >>> _data_label({"source": "file", "file": "a.csv", "sha256": "e3b0c44298fc", "first_row": 5, "rows": 10})
    'a.csv e3b0c442 rows 5:15'
    >>> _data_label({"source": "generator", "seed": 42, "first_row": 0, "rows": 600})
    'generator seed 42 rows 0:600'
    >>> _data_label({"source": "iceberg", "tag": "july", "rows": 600})
    'tables july: 600 rows'
    """
    if data.get("source") == "iceberg":
        return f"tables {data.get('tag')}: {data.get('rows')} rows"
    first = int(data.get("first_row", 0))
    which = f"seed {data.get('seed')}" if data.get("source") == "generator" else str(data.get("sha256", ""))[:8]
    return f"{data.get('file') or data.get('source')} {which} rows {first}:{first + int(data.get('rows', 0))}"


def _model_version(client: Any, found: Any, roles: tuple[str, ...]) -> ModelVersion:  # noqa: ANN401
    return version_of_tags(found, roles, _metrics(client, found.run_id) if found.run_id else {})


def _metrics(client: Any, run_id: str) -> Mapping[str, float] | None:  # noqa: ANN401
    """Return the figures of a run; None where there is no such run (any more), which is no reason to hide its version."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_run(run_id).data.metrics)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _first_sentence(text: str) -> str:
    r"""Return what the trigger said, without SQLAlchemy's wrapping; or the first line of anything else.

    Examples
    --------
    >>> _first_sentence("(psycopg.errors.X) Weir: no artifact. Train it.\nCONTEXT:  PL/pgSQL function")
    'no artifact. Train it.'
    """
    _, mark, said = text.partition("Weir: ")
    return (said if mark else text).strip().splitlines()[0].strip()
