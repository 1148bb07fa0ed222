"""S3 of the local stack: S3Proxy over a folder, signatures checked; for MLflow's artifacts and Iceberg's tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from connectors.local.component import Command
from connectors.local.http_probe import answers
from connectors.local.jars import Jars
from udfs.domain.errors import StackError

__all__ = ["S3Proxy"]

BUCKETS = ("mlflow", "warehouse")
HEAP_MB = 200

# S3Proxy's own configuration logs every request; a demo would write gigabytes.
_LOGBACK = """<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{20} %msg%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="out"/></root>
</configuration>
"""


class S3Proxy:
    """An S3 endpoint on disk, as a component of the local stack.

    Parameters
    ----------
    home
        The stack's home; objects are files under ``home/s3/data``.
    port
        TCP port on 127.0.0.1.
    access_key, secret_key
        The one pair of keys it accepts, by AWS signatures version 2 or 4.
    jars
        The archives, with ``org.gaul:s3proxy``.
    java_home
        The Java runtime.
    """

    def __init__(self, home: Path, port: int, access_key: str, secret_key: str, jars: Jars, java_home: Path) -> None:
        self.name = "s3"
        self.depends_on: tuple[str, ...] = ()
        self.ports: tuple[int, ...] = (port,)
        self.log = home / "logs" / "s3.log"
        self.endpoint = f"http://127.0.0.1:{port}"
        self._folder = home.absolute() / "s3"
        self._jars = jars
        self._java_home = java_home
        self._access_key = access_key
        self._secret_key = secret_key

    @property
    def client_env(self) -> Mapping[str, str]:
        """Environment of every client (MLflow, TaskManagers, SQL client); it holds the secret key.

        The checksum settings keep new SDKs from sending CRC trailers, which S3Proxy does not take.
        """
        return {
            "AWS_ACCESS_KEY_ID": self._access_key,
            "AWS_SECRET_ACCESS_KEY": self._secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "WHEN_REQUIRED",
            "AWS_EC2_METADATA_DISABLED": "true",
            "MLFLOW_S3_ENDPOINT_URL": self.endpoint,
        }

    def prepare(self) -> None:
        """Write the configuration, which holds the secret key and is readable by its owner only."""
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / "logback.xml").write_text(_LOGBACK)
        lines = {
            "s3proxy.endpoint": self.endpoint,
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": self._access_key,
            "s3proxy.credential": self._secret_key,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.filesystem.basedir": str(self._folder / "data"),
        }
        properties = self._folder / "s3proxy.properties"
        properties.touch(mode=0o600)
        properties.chmod(0o600)
        properties.write_text("".join(f"{name}={_escaped(value)}\n" for name, value in lines.items()))

    def command(self) -> Command:
        """Return the server in the foreground."""
        return Command(
            argv=(
                str(self._java_home / "bin" / "java"),
                f"-Xmx{HEAP_MB}m",
                "-XX:+UseSerialGC",
                "-XX:MaxMetaspaceSize=128m",
                f"-Dlogback.configurationFile={self._folder / 'logback.xml'}",
                *(
                    "-jar",
                    str(self._jars.path("org.gaul:s3proxy")),
                    "--properties",
                    str(self._folder / "s3proxy.properties"),
                ),
            ),
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "JAVA_HOME": str(self._java_home), "TZ": "UTC"},
        )

    def ready(self) -> bool:
        """Tell whether it answers HTTP; that it refuses an unsigned request counts as an answer."""
        return answers(self.endpoint, any_status=True)

    def set_up(self) -> None:
        """Create the buckets ``mlflow`` and ``warehouse``.

        Raises
        ------
        StackError
            When it refuses the keys or cannot write its folder.
        """
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        checksums = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=self._secret_key,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}, **checksums),
        )
        try:
            there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            for bucket in BUCKETS:
                if bucket not in there:
                    client.create_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError) as error:
            msg = (
                f"S3 at {self.endpoint} did not make the buckets {', '.join(BUCKETS)}: {error}. Its log is {self.log}."
            )
            raise StackError(msg) from error


def _escaped(value: str) -> str:
    # A Java properties file: a backslash escapes, the rest of the line is the value.
    return value.replace("\\", "\\\\")
