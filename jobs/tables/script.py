"""Puts the files of ``sql`` together to what Flink's SQL client runs: the tables job, or the start of a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources

from connectors.avro_table import avro_columns, message_expression
from connectors.iceberg.warehouse import TABLES, Warehouse
from connectors.kafka_options import kafka_options
from connectors.statement import statement
from jobs.tables.fill_options import FillOptions
from udfs.domain.feature_set import FeatureSet
from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["fill_script", "session_script"]

TO_THE_END = "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',"


def fill_script(
    warehouse: Warehouse,
    bootstrap: str,
    starts: Mapping[str, Mapping[int, int]],
    options: FillOptions,
    security: Mapping[str, str],
    avro: FeatureSet | None = None,
) -> str:
    """Return the script that submits the tables job.

    Parameters
    ----------
    bootstrap
        Kafka's bootstrap servers.
    starts
        By topic, the offset to begin with in each partition; a partition that is not named begins at its beginning.
    options
        What people may set about the job.
    security
        Properties of Kafka's clients: TLS and SASL.
    avro
        The feature set whose fields transactions have, where the payload is Avro; None where it is JSON.
    """
    inserts = [statement(f"fill/{table}.sql") for table in TABLES]
    return _joined(
        [
            statement("fill/settings.sql", **options.placeholders()),
            *_catalogs(warehouse),
            *(_table(table) for table in TABLES),
            *(_topic(each, bootstrap, options.name, _start(starts.get(each, {})), security, avro) for each in TABLES),
            "EXECUTE STATEMENT SET BEGIN\n" + _joined(inserts) + "END",
        ]
    )


def session_script(
    warehouse: Warehouse,
    bootstrap: str,
    training_tag: str | None,
    *,
    security: Mapping[str, str],
    avro: FeatureSet | None = None,
) -> str:
    """Return the script with which a session of the SQL client begins: tables, topics and views by name.

    Parameters
    ----------
    bootstrap
        Kafka's bootstrap servers.
    training_tag
        Tag of the snapshot of ``inferences`` that drift is measured against; without one it is the table's first day.
    security
        Properties of Kafka's clients: TLS and SASL.
    avro
        As in :func:`fill_script`.
    """
    first_day = "AND i.`event_date` = (SELECT MIN(`event_date`) FROM `iceberg`.`weir`.`inferences`)"
    training = {
        "what": f"the snapshot of inferences with the tag {training_tag}" if training_tag else "the first day there is",
        "snapshot": f"/*+ OPTIONS('tag' = '{training_tag}') */" if training_tag else "",
        "restriction": "" if training_tag else first_day,
    }
    return _joined(
        [
            statement("session/settings.sql"),
            *_catalogs(warehouse),
            *(_table(table) for table in TABLES),
            *(_topic(table, bootstrap, "weir-sql", TO_THE_END, security, avro) for table in TABLES),
            *(statement(f"views/{name}", **training) for name in _views()),
            statement("session/use.sql"),
        ]
    )


def _views() -> list[str]:
    """Return the files of the views; one may ask those before it."""
    return sorted(
        file.name for file in resources.files("sql").joinpath("views").iterdir() if file.name.endswith(".sql")
    )


def _table(table: str) -> str:
    return statement(f"tables/{table}.sql", properties=statement("tables/properties.sql"))


def _catalogs(warehouse: Warehouse) -> list[str]:
    places = {"postgres": warehouse.postgres, "warehouse": warehouse.location, "s3": warehouse.s3, "tls": warehouse.tls}
    return [statement("catalog/iceberg.sql", **places), statement("catalog/kafka.sql")]


def _topic(
    topic: str, bootstrap: str, group: str, scan: str, security: Mapping[str, str], avro: FeatureSet | None
) -> str:
    client = {"bootstrap": bootstrap, "group": group, "security": kafka_options(security)}
    connector = statement("topics/connector.sql", topic=topic, range=scan, **client).rstrip("\n")
    if avro is None or topic not in AVRO_COLUMNS:
        return statement(f"topics/{topic}.sql", connector=connector)
    message = f",\nmessage AS {message_expression(avro)}" if topic == "transactions" else ""
    return statement("topics/avro.sql", topic=topic, connector=connector, columns=avro_columns(topic) + message)


def _start(offsets: Mapping[int, int]) -> str:
    """Return the options that say where a source begins.

    Examples
    --------
    >>> _start({})
    "'scan.startup.mode' = 'earliest-offset',"
    >>> _start({0: 17, 2: 5}).rpartition(" = ")[2]
    "'partition:0,offset:17;partition:2,offset:5',"
    """
    if not offsets:
        return "'scan.startup.mode' = 'earliest-offset',"
    listed = ";".join(f"partition:{partition},offset:{offset}" for partition, offset in sorted(offsets.items()))
    return f"'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = '{listed}',"


def _joined(statements: Iterable[str]) -> str:
    return "".join(f"{each.rstrip().removesuffix(';')};\n\n" for each in statements)
