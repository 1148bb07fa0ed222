"""The files of sql: each table, its topic and the INSERT between them say the same columns; every view is explained."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest

from connectors.iceberg.warehouse import TABLES, Warehouse
from connectors.kafka.topics import TOPICS
from jobs.settings import Settings
from jobs.tables.access import warehouse_of
from jobs.tables.fill_options import FillOptions
from jobs.tables.script import fill_script, session_script
from tests.unit.house.source_tree import ROOT
from udfs.domain.dead_letter import dead_letter
from udfs.domain.inference import alert_of, inference_of
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_window import QualityWindow
from udfs.domain.window import Window

WAREHOUSE = Warehouse("127.0.0.1:5432", "http://127.0.0.1:9000")
JDBC = "connectTimeout=5&socketTimeout=30&tcpKeepAlive=true"
POSITION = ["topic_partition", "topic_offset", "append_time_ms", "event_date"]


def text(path: str) -> str:
    return (ROOT / "sql" / path).read_text()


def columns(path: str) -> list[str]:
    return re.findall(r"^  `?(\w+)`? (?:[A-Z]+[ ,(<\n]|AS )", text(path), re.MULTILINE)


def fields_of(topic: str) -> set[str]:
    """Return the fields that the job writes, from the functions that write them."""
    transaction = dict.fromkeys(
        ("transaction_id", "event_time_ms", "warming_up", "late", "partition", "offset", "ingestion_time_ms")
    )
    inference = inference_of(
        transaction,  # type: ignore[arg-type]
        **dict.fromkeys(("activation", "digest", "score", "reason", "watermark_ms")),
        role="champion",
        feature_set="f@1",
        features={},
        excluded=False,
        deployment_seq=1,
        prediction_time_ms=1,
    )
    if topic == "inferences":
        return set(inference)
    if topic == "alerts":
        return set(alert_of({**inference, "score": 1.0}, 0.5) or ())
    if topic == "dead_letters":
        return set(dead_letter("t", {"partition": 0, "offset": 0, "ingestion_time_ms": 0}, "empty", "", None, 1))
    window = Window("event_time", 0, 10)
    return set(QualityWindow().publish(("m", "1", "champion"), window, QualityRules(10, 0), watermark_ms=0))


@pytest.mark.parametrize("topic", ["inferences", "alerts", "dead_letters", "model_quality"])
def test_a_table_has_every_field_that_the_job_writes_and_its_position(topic):
    assert set(columns(f"tables/{topic}.sql")) == fields_of(topic) | set(POSITION)


@pytest.mark.parametrize("table", TABLES)
def test_table_topic_and_insert_name_the_same_columns_in_the_same_order(table):
    of_table = columns(f"tables/{table}.sql")
    assert of_table[-4:] == POSITION
    into, _, rest = text(f"fill/{table}.sql").partition("SELECT")
    selected = re.findall(r"`(\w+)`", rest.split("topic_partition")[0])
    assert selected == re.findall(r"`(\w+)`", into.partition("(")[2]) == of_table[:-4]
    assert set(selected) <= set(columns(f"topics/{table}.sql"))


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_filled_from_the_topic_of_its_name(table):
    assert table in TOPICS
    assert f"INSERT INTO `iceberg`.`weir`.`{table}`" in text(f"fill/{table}.sql")
    assert f"FROM `kafka`.`topics`.`{table}`" in text(f"fill/{table}.sql")


@pytest.mark.parametrize("path", sorted((ROOT / "sql").rglob("*.sql")), ids=lambda path: path.name)
def test_every_sql_file_of_the_tables_says_what_it_is(path):
    if path.parent.name in ("catalog", "fill", "session", "tables", "topics", "views"):
        assert path.read_text().startswith("-- "), "a file begins with a comment"
    if path.parent.name == "views":
        name = path.stem.partition("_")[2]
        assert f"CREATE TEMPORARY VIEW `iceberg`.`weir`.`{name}`\nCOMMENT '" in path.read_text()


def test_a_view_asks_only_views_before_it():
    made = set(TABLES)
    for path in sorted((ROOT / "sql/views").glob("*.sql")):
        name = path.stem.partition("_")[2]
        asked = set(re.findall(r"(?:FROM|JOIN) `iceberg`\.`weir`\.`(\w+)`", path.read_text()))
        assert asked <= made, name
        made.add(name)


def test_the_scripts_leave_no_placeholder_open_and_hold_no_secret():
    scripts = [
        fill_script(WAREHOUSE, "kafka:9092", {"truths": {1: 7}}, FillOptions(), {}),
        session_script(WAREHOUSE, "kafka:9092", None, security={"security.protocol": "SSL"}),
        session_script(WAREHOUSE, "kafka:9092", "trained@7", security={}),
    ]
    for script in scripts:
        assert "{{" not in script
        assert "password" not in re.sub(r"--.*", "", script).lower()
    assert "'partition:1,offset:7'" in scripts[0]
    assert "'properties.security.protocol' = 'SSL'" in scripts[1]
    assert "OPTIONS('tag' = 'trained@7')" in scripts[2]


def test_the_tables_elsewhere_are_reached_as_the_settings_say(tmp_path):
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    here, there = (
        warehouse_of(Settings(port_base=19_000)),
        warehouse_of(
            Settings(
                postgres_host="db.example",
                postgres_port=5_433,
                postgres_sslmode="verify-full",
                postgres_root_cert=certificate,
                s3_endpoint="https://s3.example",
            )
        ),
    )
    assert (here.postgres, here.s3) == ("127.0.0.1:19032", "http://127.0.0.1:19090")
    script = session_script(there, "127.0.0.1:9092", None, security={})
    assert f"jdbc:postgresql://db.example:5433/weir?{JDBC}&{there.tls}'" in script
    assert parse_qs(there.tls) == {"sslmode": ["verify-full"], "sslrootcert": [str(certificate)]}
    assert "'s3.endpoint' = 'https://s3.example'" in script
