"""MLflow of the local stack: one worker, tables in PostgreSQL, and artifacts passed on to S3: clients need no keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg

from connectors.local.component import Command
from connectors.local.http_probe import answers
from connectors.local.postgres import Postgres
from connectors.local.s3 import S3Proxy
from connectors.postgres.migrations import install_alias_trigger

__all__ = ["Mlflow"]


class Mlflow:
    """The tracking server and model registry, as a component of the local stack.

    Setting an alias in it is a deployment: ``set_up`` installs the trigger that says so, after MLflow made its tables.

    Parameters
    ----------
    home
        The stack's home.
    port
        TCP port on 127.0.0.1.
    postgres
        Where its tables are; it logs in as the role ``mlflow``.
    s3
        Where its artifacts are, in the bucket ``mlflow``.
    """

    def __init__(self, home: Path, port: int, postgres: Postgres, s3: S3Proxy) -> None:
        self.name = "mlflow"
        # S3 is needed when the first artifact comes, not at the start; starting beside it saves seconds.
        self.depends_on: tuple[str, ...] = (postgres.name,)
        self.ports: tuple[int, ...] = (port,)
        self.log = home / "logs" / "mlflow.log"
        self.address = f"http://127.0.0.1:{port}"
        self._port = port
        self._folder = home.absolute() / "mlflow"
        self._postgres = postgres
        self._s3 = s3

    def prepare(self) -> None:
        """Create its working folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """Return the server in the foreground; the address that holds the password is in its environment only."""
        options = {
            "host": "127.0.0.1",
            "port": str(self._port),
            "workers": "1",  # four by default, each a quarter of a gigabyte
            "artifacts-destination": "s3://mlflow",
        }
        return Command(
            argv=(
                *(sys.executable, "-m", "mlflow", "server"),
                *(part for name, value in options.items() for part in (f"--{name}", value)),
            ),
            cwd=self._folder,
            env={
                **self._s3.client_env,
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "HOME": str(self._folder),
                "TZ": "UTC",
                "MLFLOW_BACKEND_STORE_URI": self._backend(),
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "DO_NOT_TRACK": "true",
                "GIT_PYTHON_REFRESH": "quiet",
            },
        )

    def ready(self) -> bool:
        """Tell whether ``/health`` answers."""
        return answers(f"{self.address}/health")

    def set_up(self) -> None:
        """Make the setting of an alias a deployment; needs MLflow's tables, so it runs only now."""
        install_alias_trigger(self._postgres.dsn)

    def _backend(self) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(self._postgres.dsn_for("mlflow"))
        password = quote(str(parts["password"]), safe="")
        return f"postgresql+psycopg://mlflow:{password}@127.0.0.1:{parts['port']}/{parts['dbname']}"
