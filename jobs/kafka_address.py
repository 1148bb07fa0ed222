"""Kafka as the settings describe it: the local stack's, or one elsewhere with TLS and SASL."""

from __future__ import annotations

from connectors.kafka.address import Address, KafkaSecurity
from connectors.local.ports import Ports
from connectors.local.properties import write_properties
from jobs.settings import Settings

__all__ = ["job_properties", "kafka_address"]


def kafka_address(settings: Settings) -> Address:
    """Return where Kafka is and how it is reached; nothing is asked."""
    password = settings.kafka_password
    security = KafkaSecurity(
        settings.kafka_security_protocol,
        str(settings.kafka_ca_file.absolute()) if settings.kafka_ca_file else "",
        settings.kafka_sasl_mechanism,
        settings.kafka_username,
        "" if password is None else password.get_secret_value(),
    )
    return Address(settings.kafka_bootstrap or Ports(settings.port_base).addresses()["kafka"], security)


def job_properties(settings: Settings) -> dict[str, str]:
    """Return what the job's Kafka clients are told; writes the password where only they find it.

    The job's arguments are shown on Flink's page. They name a file on the TaskManagers' machines: the one of
    ``WEIR_KAFKA_JOB_SECRETS``, or else one below ``WEIR_HOME`` that is written here.
    """
    security = kafka_address(settings).security
    if not security.password:
        return security.java_properties("", shaded=True)
    named = settings.kafka_job_secrets
    if named is None:
        named = settings.home.absolute() / "flink" / "secrets" / "kafka.properties"
        named.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        write_properties(named, {"password": security.password})
    return security.java_properties(str(named), shaded=True)
