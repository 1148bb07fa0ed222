"""The watch reads every topic once, goes on with what comes, and says what does not answer."""

from __future__ import annotations

import time
from functools import partial

import orjson
import pytest

from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.notification_queue import NotificationQueue
from jobs.watching.registry_view import RegistryView
from jobs.watching.watch import Watch
from jobs.watching.write_report import write_report
from model_store.registry import Registry
from tests.unit.kafka.fake_kafka import FakeBroker, FakeConsumer
from tests.unit.watching import story
from udfs.domain.errors import ConnectionLostError, SettingsError


class View:
    """A registry that answers."""

    def document(self):
        made = story.around()
        made.pop("job")
        return made, []

    def close(self):
        pass


@pytest.fixture
def broker(monkeypatch):
    made = FakeBroker()
    monkeypatch.setattr("connectors.kafka.consumer.KafkaConsumer", partial(FakeConsumer, made))
    return made


def fill(broker, messages):
    for number, (topic, message) in enumerate(messages):
        broker.append(topic, number % 4, orjson.dumps(message))


def wait_for(done):
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_report_is_made_of_everything_there_is(broker, tmp_path):
    fill(broker, list(story.messages())[:3_000])
    fill(broker, [each for each in story.messages() if each[0] == "model_quality"])
    watch, told = Watch("b", story.MODEL, View(), lambda: story.around()["job"]), []
    document = watch.read_all(lambda done, total: told.append((done, total)))
    assert document["reading"] == {"caught_up": True, "behind": 0, "troubles": []}
    assert document["totals"]["scored"] == sum(
        topic == "inferences" and each["role"] == "champion" for topic, each in list(story.messages())[:3_000]
    )
    assert told[-1][0] == told[-1][1]
    files = write_report(document, watch.quality_rows(), tmp_path / "report")
    assert {path.name for path in files} >= {
        "index.html",
        "quality.png",
        "scores.png",
        "transactions.png",
        "latency.png",
    }
    assert all(path.stat().st_size > 5_000 for path in files)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_report(story.document(), [], tmp_path / "file" / "report")


def test_it_goes_on_with_what_comes_and_counts_its_documents(broker):
    fill(broker, list(story.messages())[:100])
    watch = Watch("b", story.MODEL, View(), lambda: None)
    assert watch.document()["reading"]["caught_up"] is False
    assert {*watch.document(), "may_deploy"} == set(story.document())
    watch.start()
    watch.start()
    try:
        wait_for(lambda: watch.document()["reading"]["caught_up"])
        before, seen = watch.document()["totals"]["scored"], watch.revision
        fill(broker, [("inferences", story.inference(9_000, "champion", "1", 1, 0.5))])
        wait_for(lambda: watch.document()["totals"]["scored"] == before + 1)
        assert watch.revision > seen
        fill(broker, [("inferences", {"role": "champion"})])
        wait_for(lambda: watch.document()["reading"]["troubles"])
        assert "was not understood" in watch.document()["reading"]["troubles"][0]
    finally:
        watch.stop()


def test_what_is_down_is_named_and_the_rest_is_shown(broker):
    dsn = "host=127.0.0.1 port=9 user=weir password=secret dbname=weir connect_timeout=2"
    view = RegistryView(story.MODEL, MetadataStore(dsn), Registry("http://127.0.0.1:9"), NotificationQueue(dsn))

    def no_flink():
        raise ConnectionLostError("Flink does not answer.")

    fill(broker, list(story.messages())[:50])
    document = Watch("b", story.MODEL, view, no_flink).read_all()
    troubles = document["reading"]["troubles"]
    assert any("PostgreSQL does not answer" in each for each in troubles)
    assert "Flink does not answer." in troubles
    assert not any("secret" in each for each in troubles)
    assert (document["deployments"], document["job"]) == ([], None)
    assert document["totals"]["scored"] > 0
