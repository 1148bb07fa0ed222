"""A broker that takes nobody without TLS and a password: certificates made here, one user by SCRAM-SHA-512."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from connectors.kafka.address import Address, KafkaSecurity, client_options
from connectors.kafka.topics import create_topics
from connectors.local.component import Command
from connectors.local.jars import Jars
from connectors.local.java import java_home
from connectors.local.kafka import Kafka
from connectors.local.running_process import RunningProcess

USER, PASSWORD = "weir", "hush-7f3a91-kafka"
BROKER = "between-brokers-5d21"


class SecuredKafka(Kafka):
    """The stack's broker with one listener of SASL over TLS."""

    def __init__(self, home: Path, port: int, jars: Jars) -> None:
        super().__init__(home, port, port + 1, jars, java_home())
        self.address = Address(
            f"127.0.0.1:{port}",
            KafkaSecurity("SASL_SSL", str(home / "ca.pem"), "SCRAM-SHA-512", USER, PASSWORD),
        )
        write_certificates(home)
        self._certificates = home

    def ready(self) -> bool:
        with contextlib.suppress(OSError, KafkaError):
            admin = KafkaAdminClient(**client_options(self.address), bootstrap_timeout_ms=2_000)
            try:
                return bool(admin.describe_cluster()["brokers"])
            finally:
                admin.close()
        return False

    def set_up(self) -> None:
        create_topics(self.address)

    def _java_command(self, options: tuple[str, ...], *program: str) -> Command:
        if program[0].endswith("StorageTool"):
            program = (*program, "--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")
        return super()._java_command(options, *program)

    def _server_properties(self) -> dict[str, object]:
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return {
            **super()._server_properties(),
            "listeners": f"SASL_SSL://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"SASL_SSL://127.0.0.1:{self._port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (
                f'{plain} username="broker" password="{BROKER}" user_broker="{BROKER}";'
            ),
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._certificates / "server.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._certificates / "ca.pem",
        }


@contextmanager
def running(kafka: SecuredKafka) -> Iterator[SecuredKafka]:
    """Start the broker, create the topics, kill it at the end."""
    kafka.prepare()
    process = RunningProcess(kafka.command(), kafka.log, "secured-kafka")
    try:
        deadline = time.monotonic() + 120
        while not kafka.ready():
            assert process.exit_code() is None, kafka.log.read_text()[-2_000:]
            assert time.monotonic() < deadline, kafka.log.read_text()[-2_000:]
            time.sleep(0.3)
        kafka.set_up()
        yield kafka
    finally:
        process.kill()


def write_certificates(folder: Path) -> None:
    """Write ``ca.pem``, and ``server.pem`` with a key and a certificate for 127.0.0.1 that it signed."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Weir test CA", ca_key, ca_key, None)
    server = _certificate("127.0.0.1", server_key, ca_key, ca)
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (folder / "server.pem").touch(mode=0o600)
    (folder / "server.pem").write_bytes(key + server.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())
