"""The scoring job on the tests' stack: empty topics, a model of its own, and what came out of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psutil
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from connectors.data.dataset import Dataset
from connectors.kafka.producer import Producer
from connectors.kafka.reader import end_offsets, read_topic
from connectors.kafka.record import Record
from connectors.kafka.topics import TOPICS
from connectors.local.flink_rest import FlinkRest
from connectors.postgres.metadata_store import MetadataStore
from jobs.accounting import Accounting
from jobs.registry_access import dsn_of
from jobs.submission import running_job, stop_job, submit_job
from jobs.transaction_sum import TransactionSum
from tests.e2e.local import Local


class Scoring:
    """One story: topics without records, a model nobody deployed before, one job."""

    def __init__(self, local: Local, model: str, **settings: Any) -> None:
        self.local, self.model = local, model
        self.settings = local.settings(model=model, **settings)
        self.stack = local.stack
        self.bootstrap = self.stack.ports.addresses()["kafka"]
        self.flink = FlinkRest(self.stack.ports.addresses()["flink"])
        self.dsn = dsn_of(self.settings)
        self.store = MetadataStore(self.dsn)
        self.job_id = ""
        self._begun = self.empty_topics()
        self._accounting = Accounting.of_broker(self.bootstrap)

    def empty_topics(self, keep: Iterable[str] = ()) -> int:
        """Remove the records of the story before, but for some topics; return how many transactions there were.

        The registry's rows stay: they are another model's.
        """
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        ends = {
            TopicPartition(topic, partition): end
            for topic in set(TOPICS) - {"weir.metadata", *keep}
            for partition, end in end_offsets(self.bootstrap, topic, committed=False).items()
            if end
        }
        if ends:
            admin.delete_records(ends)
        admin.close()
        return sum(end for at, end in ends.items() if at.topic == "transactions")

    def submit(self, savepoint: str | None = None) -> None:
        self.job_id = submit_job(self.stack, self.settings, savepoint=savepoint)

    def stop(self) -> None:
        """Stop the job if it runs; with a savepoint, so that no transaction stays open."""
        if running_job(self.stack):
            stop_job(self.stack)

    def deploy(self, artifact: bytes, version: str, role: str = "champion", threshold: float = 0.9) -> str:
        """Deploy by a row: the artifact, then the activation; return the digest."""
        digest = self.store.insert_artifact(artifact)
        self.store.activate(self.model, version, digest, role=role, threshold=threshold, who="e2e", why="test")
        return digest

    def produce(self, dataset: Dataset, rate: float | None = None, *, close: bool = False) -> None:
        produced = Producer(self.bootstrap, rate=rate, close=close, payload=self.settings.payload).run(dataset)
        assert produced.transactions == len(dataset)

    @contextmanager
    def producing(self, dataset: Dataset, rate: float) -> Iterator[None]:
        """Send a dataset beside what is done here, to its end at most; leaving waits for what was sent."""
        stop, failures = threading.Event(), []

        def run() -> None:
            try:
                Producer(self.bootstrap, rate=rate, close=False, stop=stop, payload=self.settings.payload).run(dataset)
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)
        assert not thread.is_alive()
        assert failures == []

    def sent(self) -> int:
        """Return how many transactions and control records have come since the topics were emptied."""
        return sum(end_offsets(self.bootstrap, "transactions", committed=False).values()) - self._begun

    def send(self, values: Iterable[tuple[bytes | None, bytes | None]], topic: str = "transactions") -> list[Any]:
        """Send raw (key, value) pairs, one after the other; return where each came to stand."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=17_000_000, acks="all")
        try:
            return [producer.send(topic, key=key, value=value).get(30) for key, value in values]
        finally:
            producer.close()

    def records(self, topic: str, *, committed: bool = True) -> list[Record]:
        return list(read_topic(self.bootstrap, topic, committed=committed))

    def raw_values(self, topic: str, count: int) -> list[bytes]:
        """Return the first committed values of a topic as they lie in Kafka; waits until there are so many."""
        found: list[bytes] = []
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        try:
            consumer.assign([TopicPartition(topic, each) for each in end_offsets(self.bootstrap, topic)])
            consumer.seek_to_beginning()
            deadline = time.monotonic() + 30
            while len(found) < count:
                assert time.monotonic() < deadline, f"{topic} has {len(found)} values, not {count}"
                found += [record.value for batch in consumer.poll(timeout_ms=1_000).values() for record in batch]
        finally:
            consumer.close()
        return found[:count]

    def messages(self, topic: str) -> list[dict[str, Any]]:
        return [orjson.loads(record.value or b"null") for record in self.records(topic)]

    def model_events(self, event: str) -> list[dict[str, Any]]:
        """Return this model's events of a kind, in order of their deployment."""
        found = [
            each for each in self.messages("model_events") if (each["model"], each["event"]) == (self.model, event)
        ]
        return sorted(found, key=lambda each: each["deployment_seq"] or 0)  # those of feature sets have none

    def wait_for_event(self, event: str, version: str, timeout_s: float = 30) -> dict[str, Any]:
        """Wait until the gate has said so about a version."""

        def said() -> dict[str, Any] | None:
            return next((each for each in self.model_events(event) if each["version"] == version), None)

        return wait_for(f"version {version} is {event}", said, timeout_s)

    def sum(self) -> TransactionSum:
        return self._accounting.update()

    def wait_for_sum(self, transactions: int, timeout_s: float = 90) -> TransactionSum:
        """Wait until so many records of the topic are all answered; a sum that is off in the end is returned, too."""
        last: list[TransactionSum] = []

        def settled() -> bool:
            last[:] = [self.sum()]
            return last[0].transactions >= transactions and last[0].missing == 0

        try:
            wait_for("the sum", settled, timeout_s)
        except AssertionError as error:
            msg = f"{error}: {last}; {self.trouble()}"
            raise AssertionError(msg) from None
        return last[0]

    def trouble(self) -> list[str]:
        """Return the first lines of the job's exceptions."""
        return [str(each["stacktrace"])[:2_000] for each in self.flink.exceptions(self.job_id)]

    def restarts(self) -> int:
        """Return how often Flink restarted the job."""
        return self.flink.restarts(self.job_id)

    def workers(self) -> list[str]:
        """Return the TaskManagers that run the job, as components of the stack; others wait for tables and SQL."""
        return sorted({each["taskmanager-id"].partition(".")[0] for each in self.flink.subtasks(self.job_id)})

    def kill(self, component: str) -> None:
        """Kill a component with SIGKILL, as a machine that fails would; the supervisor starts it again."""
        state = self.stack.status()
        assert state is not None
        process = psutil.Process(state.components[component].pid)
        assert "java" in process.name()
        os.kill(process.pid, signal.SIGKILL)

    def completed_checkpoints(self) -> int:
        return int(self.flink.checkpoints(self.job_id)["counts"]["completed"])


def wait_for(what: str, done: Callable[[], Any], timeout_s: float = 60, pause_s: float = 0.3) -> Any:
    """Return the first true answer; fail after so many seconds."""
    deadline = time.monotonic() + timeout_s
    while not (answer := done()):
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain until {what}"
        time.sleep(pause_s)
    return answer
