from __future__ import annotations

from functools import partial

import pytest

from tests.unit.kafka.fake_kafka import FakeBroker, FakeConsumer, FakeProducer


@pytest.fixture
def broker(monkeypatch):
    """Return a broker in memory that the connectors' clients reach."""
    made = FakeBroker()
    monkeypatch.setattr("connectors.kafka.consumer.KafkaConsumer", partial(FakeConsumer, made))
    monkeypatch.setattr("connectors.kafka.producer.KafkaProducer", partial(FakeProducer, made))
    return made
