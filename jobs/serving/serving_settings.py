"""What the settings say of the API, as plain values."""

from __future__ import annotations

import ipaddress

from connectors.local.ports import Ports
from jobs.kafka_address import kafka_address
from jobs.registry_access import dsn_of
from jobs.serving.limits import Limits
from jobs.serving.serving_plan import ServingPlan
from jobs.settings import Settings
from udfs.domain.errors import SettingsError

__all__ = ["check_host", "plan_of", "port_of"]


def plan_of(settings: Settings) -> ServingPlan:
    """Return what the API is made from."""
    addresses = Ports(settings.port_base).addresses()
    return ServingPlan(
        model=settings.model,
        feature_set=settings.feature_set,
        bootstrap=kafka_address(settings),
        dsn=dsn_of(settings),
        mlflow=addresses["mlflow"],
        flink=addresses["flink"],
        trusted_keys=settings.trusted_keys,
        payload=settings.payload,
        token=None if settings.api_token is None else settings.api_token.get_secret_value(),
        limits=Limits(
            max_body_bytes=settings.api_max_body_bytes,
            max_batch=settings.api_max_batch,
            body_timeout_s=settings.api_body_timeout_s,
            answer_timeout_ms=settings.api_answer_timeout_ms,
        ),
    )


def port_of(settings: Settings) -> int:
    """Return the port the API listens on unless it is told another."""
    return Ports(settings.port_base).api


def check_host(host: str, settings: Settings) -> None:
    """Raise :class:`SettingsError` when others could reach the API and nothing keeps them out."""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if not here and settings.api_token is None:
        msg = (
            f"On {host} anyone who reaches this machine could score and tell truths; set WEIR_API_TOKEN, or listen on "
            f"127.0.0.1."
        )
        raise SettingsError(msg)
