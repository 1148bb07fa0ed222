"""What the supervisor does in the local stack, for compose.yaml: ``python set_up.py before`` and ``python set_up.py after``.

Before MLflow and Connect start: the topics, MLflow's bucket, PostgreSQL's roles and
tables. After: the alias trigger and the connector.
"""

from __future__ import annotations

import sys

import boto3
from botocore.config import Config

from connectors.connect import register_connector
from connectors.kafka.topics import create_topics
from connectors.postgres.migrations import install_alias_trigger, migrate

__all__ = ["set_up"]

PASSWORD = "weir-local"  # noqa: S105 - compose.yaml is for trying things out
ADMIN = f"host=postgres user=weir password={PASSWORD} dbname=postgres"
REGISTRY = f"host=postgres user=weir password={PASSWORD} dbname=weir"


def set_up(when: str) -> None:
    """Do what belongs ``before`` or ``after`` the start of MLflow and Connect; twice does no harm."""
    if when == "before":
        create_topics("kafka:9092")
        _make_bucket()
        migrate(ADMIN, REGISTRY, PASSWORD)
    else:
        install_alias_trigger(REGISTRY)
        register_connector("http://connect:8083", 5432, "/run/secrets/debezium", database_host="postgres", limit_s=180)


def _make_bucket() -> None:
    # An S3 endpoint that is not Amazon's may not know the newer checksums.
    config = Config(request_checksum_calculation="when_required", retries={"max_attempts": 10})
    keys = {"aws_access_key_id": "weir", "aws_secret_access_key": "weir-local-secret", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url="http://s3:80", config=config, **keys)
    if "mlflow" not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket="mlflow")


if __name__ == "__main__":
    set_up(sys.argv[1])
