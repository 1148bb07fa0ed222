"""Where Kafka is and how to reach it: TLS and SASL, said once and told to Python clients and to the JVM's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Address", "KafkaSecurity", "client_options"]

_LOGIN = {"PLAIN": "plain.PlainLoginModule"}
_SCRAM = "scram.ScramLoginModule"


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How a client proves whom it talks to and who it is.

    Parameters
    ----------
    protocol
        As Kafka names it.
    ca_file
        Certificates in PEM that signed the broker's; empty for those the machine trusts.
    mechanism, username, password
        For the SASL protocols.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ca_file: str = ""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"KafkaSecurity({self.protocol!r}, {self.ca_file!r}, {self.mechanism!r}, {self.username!r})"

    def java_properties(self, secrets_file: str, *, shaded: bool = False) -> dict[str, str]:
        r"""Return properties for a JVM's client. They hold no secret: the client itself reads the file they name.

        Parameters
        ----------
        secrets_file
            A properties file with ``password`` on the client's machine; its folder is all the client may read.
        shaded
            For Flink's connector, which carries Kafka's classes under another name.

        Examples
        --------
        >>> KafkaSecurity("SSL", "/ca.pem").java_properties("")["ssl.truststore.type"]
        'PEM'
        """
        if self.protocol == "PLAINTEXT":
            return {}
        kafka = ("org.apache.flink.kafka.shaded." if shaded else "") + "org.apache.kafka.common"
        properties: dict[str, str] = {"security.protocol": self.protocol}
        if self.ca_file and self.protocol.endswith("SSL"):
            properties |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca_file}
        if self.protocol.startswith("SASL"):
            login = f"{kafka}.security.{_LOGIN.get(self.mechanism, _SCRAM)}"
            properties |= {
                "sasl.mechanism": self.mechanism,
                "sasl.jaas.config": (
                    f'{login} required username="{self.username}" password="${{file:{secrets_file}:password}}";'
                ),
                "config.providers": "file",
                "config.providers.file.class": f"{kafka}.config.provider.FileConfigProvider",
                "config.providers.file.param.allowed.paths": secrets_file.rpartition("/")[0],
            }
        return properties


class Address(str):
    """Bootstrap servers, ``host:port``, that carry how to reach them; printed, they are an address and nothing else.

    A plain ``str`` in its place is a broker that asks for nothing, as the local stack's.

    Parameters
    ----------
    bootstrap
        The servers.
    security
        How they are reached.

    Examples
    --------
    >>> address = Address("k:9093", KafkaSecurity("SASL_SSL", "/ca.pem", "PLAIN", "weir", "hush"))
    >>> f"{address}", client_options(address)["sasl_plain_username"]
    ('k:9093', 'weir')
    >>> client_options("k:9092")
    {'bootstrap_servers': 'k:9092'}
    """

    __slots__ = ("security",)

    security: KafkaSecurity

    def __new__(cls, bootstrap: str, security: KafkaSecurity) -> Address:
        """Make the string and keep beside it what it is reached by."""
        address = super().__new__(cls, bootstrap)
        address.security = security
        return address

    def __reduce__(self) -> tuple[type[Address], tuple[str, KafkaSecurity]]:
        """Keep both halves together where an address is pickled."""
        return Address, (str(self), self.security)


def client_options(bootstrap: str) -> dict[str, Any]:
    """Return what a client of kafka-python is told to reach an address."""
    options: dict[str, Any] = {"bootstrap_servers": str(bootstrap)}
    security = getattr(bootstrap, "security", None)
    if security is None or security.protocol == "PLAINTEXT":
        return options
    options["security_protocol"] = security.protocol
    if security.protocol.endswith("SSL") and security.ca_file:
        options["ssl_cafile"] = security.ca_file
    if security.protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": security.mechanism,
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
    return options
