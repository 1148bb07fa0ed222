"""What the supervisor and ``weir submit`` do in the local stack, for compose.yaml: ``python set_up.py before|after|tables``.

Before MLflow and Connect start: the topics, the buckets, PostgreSQL's roles and tables. After: the alias trigger and the
connector. For the tables: the script that Flink's SQL client submits as the tables job, from where the tables are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
from botocore.config import Config

from connectors.connect import register_connector
from connectors.iceberg.next_offsets import next_offsets
from connectors.iceberg.open_catalog import open_catalog
from connectors.iceberg.warehouse import TABLES, Warehouse
from connectors.kafka.topics import create_topics
from connectors.postgres.migrations import install_alias_trigger, migrate
from connectors.postgres.role_password import role_password
from jobs.tables.fill_options import FillOptions
from jobs.tables.script import fill_script

__all__ = ["set_up"]

PASSWORD = "weir-local"  # noqa: S105 - compose.yaml is for trying things out
ADMIN = f"host=postgres user=weir password={PASSWORD} dbname=postgres"
REGISTRY = f"host=postgres user=weir password={PASSWORD} dbname=weir"


def set_up(when: str) -> None:
    """Do what belongs ``before`` or ``after`` the start of MLflow and Connect, or before the tables job; twice is safe."""
    if when == "before":
        create_topics("kafka:9092")
        _make_buckets()
        migrate(ADMIN, REGISTRY, PASSWORD)
    elif when == "tables":
        _write_script(Path("/state/tables.sql"))
    else:
        install_alias_trigger(REGISTRY)
        register_connector("http://connect:8083", 5432, "/run/secrets/debezium", database_host="postgres", limit_s=180)


def _make_buckets() -> None:
    # An S3 endpoint that is not Amazon's may not know the newer checksums.
    config = Config(request_checksum_calculation="when_required", retries={"max_attempts": 10})
    keys = {"aws_access_key_id": "weir", "aws_secret_access_key": "weir-local-secret", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url="http://s3:80", config=config, **keys)
    there = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in {"mlflow", "warehouse"} - there:
        s3.create_bucket(Bucket=bucket)


def _write_script(path: Path) -> None:
    warehouse = Warehouse("postgres:5432", "http://s3:80")
    catalog = open_catalog(warehouse, role_password(PASSWORD, "iceberg"), "weir", "weir-local-secret")
    starts = {table: next_offsets(catalog, table) for table in TABLES}
    script = fill_script(warehouse, "kafka:9092", starts, FillOptions(), {})
    path.write_text(script, encoding="utf-8")


if __name__ == "__main__":
    set_up(sys.argv[1])
