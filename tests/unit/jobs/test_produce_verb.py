from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import orjson
import pytest
import typer
from typer.testing import CliRunner

from jobs.commands.produce import produce
from jobs.console import steps
from tests.unit.kafka.fake_kafka import FakeBroker, FakeProducer

app = typer.Typer()
app.command()(produce)


@pytest.fixture
def broker(monkeypatch):
    made = FakeBroker()
    monkeypatch.setattr("connectors.kafka.producer.KafkaProducer", partial(FakeProducer, made))
    return made


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def test_the_counts_are_one_json_object(broker):
    result = run("--rows", "70", "--json")
    assert result.exit_code == 0
    said = orjson.loads(result.stdout)
    assert (said["transactions"], said["truths"], said["controls"], said["interrupted"]) == (70, 70, 8, False)


def test_restamping_to_a_rate_makes_the_events_as_frequent_as_they_are_sent(broker):
    assert run("--rows", "100", "--restamp", "--rate", "1000", "--no-close").exit_code == 0
    times = [orjson.loads(value)["event_time_ms"] for value in broker.values("transactions")]
    assert max(times) - min(times) == pytest.approx(100, abs=2)


def test_a_file_can_be_mapped(broker, tmp_path):
    path = tmp_path / "cards.csv"
    path.write_text("id,at,card,value\n1,2018-04-01T00:00:05,x,3.5\n")
    mapping = "transaction_id=id,event_time_ms=at,customer_id=card,amount=value"
    assert run("--data", str(path), "--map", mapping, "--no-close").exit_code == 0
    assert [orjson.loads(value) for value in broker.values("transactions")] == [
        {"transaction_id": "1", "event_time_ms": 1_522_540_805_000, "customer_id": "x", "amount": 3.5}
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--speed", "3"), "--speed 3 needs --restamp"),
        (("--rate", "quick"), "'quick' is no rate"),
        (("--truth-delay", "soon"), "'soon' is no duration"),
        (("--data", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("--restamp", "--speed", "0"), "speed must be above 0"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(broker, arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not broker.logs


def test_a_file_of_truths_is_sent_alone_and_closes_nothing(broker, tmp_path):
    path = tmp_path / "chargebacks.csv"
    path.write_text("transaction_id,label,revision,truth_time_ms,event_time_ms,customer_id\n17,1,0,9,5,c1\n")
    result = run("--truths", str(path), "--json")
    assert result.exit_code == 0, result.output
    said = orjson.loads(result.stdout)
    assert (said["transactions"], said["truths"], said["controls"]) == (0, 1, 0)
    [truth] = [orjson.loads(value) for value in broker.values("truths")]
    assert (truth["transaction_id"], truth["label"], truth["truth_time_ms"]) == ("17", 1, 9)


def test_a_wrong_file_of_truths_is_one_sentence_and_nothing_is_sent(broker, tmp_path):
    path = tmp_path / "chargebacks.csv"
    path.write_text("transaction_id,label\n17,1\n")
    result = run("--truths", str(path))
    assert result.exit_code == 2
    assert not broker.values("truths")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("file", [False, True])
def test_ended_by_a_signal_it_says_what_was_sent(broker, tmp_path, number, file):
    path = tmp_path / "truths.csv"
    lines = "".join(f"{row},1,0,9,5,c1\n" for row in range(50_000))
    path.write_text(f"transaction_id,label,revision,truth_time_ms,event_time_ms,customer_id\n{lines}")

    def end_it() -> None:
        while not broker.values("truths" if file else "transactions"):
            time.sleep(0.001)
        os.kill(os.getpid(), number)

    ending = threading.Thread(target=end_it)
    ending.start()
    result = run("--json", *(["--truths", str(path)] if file else ["--rows", "2000", "--rate", "50"]))
    ending.join()
    assert result.exit_code == 130, result.output
    said = orjson.loads(result.stdout)
    assert said["interrupted"]
    sent = {name: len(broker.values(name)) for name in ("transactions", "truths")}
    assert sent == {name: said[name] for name in sent}
    assert 0 < sum(sent.values()) < (50_000 if file else 4_000)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_away_from_a_terminal_each_step_is_a_line_and_none_is_said_twice(capsys):
    with steps("submitting") as step:
        for each in ("packing", "packing", "waiting [for it]"):
            step(each)
    assert [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()] == [
        "submitting",
        "packing",
        "waiting [for it]",
    ]
