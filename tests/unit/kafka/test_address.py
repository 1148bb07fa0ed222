from __future__ import annotations

import pickle

import pytest

from connectors.kafka.address import Address, KafkaSecurity, client_options
from connectors.kafka_sinks import KafkaSinks
from connectors.kafka_sources import KafkaSources
from jobs.kafka_address import job_properties, kafka_address
from jobs.settings import Settings
from udfs.domain.errors import SettingsError

SECURITY = KafkaSecurity("SASL_SSL", "/ca.pem", "SCRAM-SHA-512", "weir", "hush")


class Recorded:
    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute_sql(self, text: str) -> None:
        self.statements.append(text)


def test_an_address_is_a_string_that_never_shows_its_password():
    address = Address("k:9093", SECURITY)
    assert (address, repr(address), f"{address}") == ("k:9093", "'k:9093'", "k:9093")
    assert "hush" not in repr(SECURITY)
    again = pickle.loads(pickle.dumps(address))
    assert client_options(again) == client_options(address)
    assert client_options(address)["sasl_plain_password"] == "hush"


@pytest.mark.parametrize("shaded", [False, True])
def test_a_jvm_is_told_the_file_of_the_password(shaded):
    properties = SECURITY.java_properties("/secrets/kafka.properties", shaded=shaded)
    assert "hush" not in str(properties)
    assert 'password="${file:/secrets/kafka.properties:password}"' in properties["sasl.jaas.config"]
    assert properties["config.providers.file.param.allowed.paths"] == "/secrets"
    kafka = "org.apache.flink.kafka.shaded.org.apache.kafka" if shaded else "org.apache.kafka"
    assert properties["sasl.jaas.config"].startswith(f"{kafka}.common.security.scram.ScramLoginModule required ")
    assert properties["config.providers.file.class"].startswith(f"{kafka}.")


def test_plain_text_adds_nothing_to_a_table_and_security_does():
    for properties, expected in (({}, 0), (SECURITY.java_properties("/s/k.properties", shaded=True), 2)):
        tables = Recorded()
        KafkaSources("k:1", "g", "arrival", 0, properties).create(tables, "transactions")
        KafkaSinks("k:1", "p", properties).create(tables, "inferences")
        assert sum("'properties.security.protocol' = 'SASL_SSL'," in text for text in tables.statements) == expected
        assert sum("'properties.sasl.jaas.config'" in text for text in tables.statements) == expected
        assert not any("hush" in text for text in tables.statements)


def test_the_settings_name_a_broker_and_the_job_gets_a_file(tmp_path):
    plain = Settings(home=tmp_path)
    assert (kafka_address(plain), job_properties(plain)) == ("127.0.0.1:19092", {})
    (tmp_path / "ca.pem").touch()
    secured = Settings(
        home=tmp_path,
        kafka_bootstrap="k:9093",
        kafka_security_protocol="SASL_SSL",
        kafka_ca_file=tmp_path / "ca.pem",
        kafka_username="weir",
        kafka_password="hush",
    )
    properties = job_properties(secured)
    written = tmp_path / "flink" / "secrets" / "kafka.properties"
    assert written.read_text() == "password=hush\n"
    assert str(written) in properties["sasl.jaas.config"]
    assert "hush" not in str(properties)
    elsewhere = job_properties(secured.model_copy(update={"kafka_job_secrets": tmp_path / "there.properties"}))
    assert str(tmp_path / "there.properties") in elsewhere["sasl.jaas.config"]
    assert not (tmp_path / "there.properties").exists()


@pytest.mark.parametrize("name", ['a"b', "a\\b", "${file:/etc/passwd:x}"])
def test_a_name_that_would_end_the_login_line_is_refused(name):
    with pytest.raises(SettingsError, match="WEIR_KAFKA_USERNAME"):
        Settings(kafka_username=name)
