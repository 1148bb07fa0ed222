"""The desk where transactions wait: the right answer to the right one, whatever order records come in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import orjson
import pytest

from connectors.kafka.record import Record
from jobs.serving.answer_desk import AnswerDesk
from jobs.serving.problem import Problem
from jobs.serving.stream_scorer import StreamScorer


def inference(transaction_id: str, at: tuple[int, int], role: str = "champion", score: float = 0.5) -> Record:
    value = {
        "transaction_id": transaction_id,
        "role": role,
        "score": score,
        "source_partition": at[0],
        "source_offset": at[1],
    }
    return Record(0, 0, 0, transaction_id.encode(), orjson.dumps(value))


def letter(at: tuple[int, int], reason: str = "duplicate", topic: str = "transactions") -> Record:
    value = {"topic": topic, "partition": at[0], "offset": at[1], "reason": reason, "detail": "was scored before"}
    return Record(0, 0, 0, b"k", orjson.dumps(value))


class Broker:
    """Takes a transaction, puts it at a place, and lets the story go on before or after it says so."""

    def __init__(self, at, before=lambda: None, after=None):
        self._at, self._before, self._after = at, before, after

    def send(self, topic, key, value):
        assert (topic, key) == ("transactions", "c")
        self._before()
        answer: Future = Future()
        answer.set_result(self._at)
        if self._after:
            threading.Timer(0.05, self._after).start()
        return answer


def score(desk, broker, roles=("champion",), timeout_s=5.0, most=10):
    scorer = StreamScorer(broker, desk, most)
    return asyncio.run(scorer.score({"transaction_id": "t", "customer_id": "c"}, b"{}", roles, timeout_s))


def test_an_answer_that_comes_before_the_broker_has_said_where_the_record_stands_is_taken():
    desk = AnswerDesk()
    answer = score(desk, Broker((1, 7), before=lambda: desk.take_inference(inference("t", (1, 7)))))
    assert (answer["provisional"], answer["complete"]) == (True, True)
    assert [each["score"] for each in answer["inferences"]] == [0.5]
    assert desk.waiting == 0


def test_the_inference_of_another_record_with_this_transaction_id_is_not_its_answer():
    desk = AnswerDesk()

    def others():
        desk.take_inference(inference("t", (1, 6), score=0.1))
        desk.take_inference(inference("u", (1, 7), score=0.2))
        desk.take_inference(inference("t", (1, 7), score=0.9))

    answer = score(desk, Broker((1, 7), before=others))
    assert [each["score"] for each in answer["inferences"]] == [0.9]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_repeat_is_told_with_the_reason_of_its_dead_letter(when):
    desk = AnswerDesk()
    with pytest.raises(Problem) as caught:
        score(desk, Broker((1, 7), **{when: lambda: desk.take_dead_letter(letter((1, 7)))}))
    problem = caught.value
    assert (problem.reason, int(problem.status)) == ("duplicate", 409)
    assert problem.extra["inference"] == "/v1/inferences/t"


def test_dead_letters_of_truths_and_unknown_reasons_do_no_harm():
    desk = AnswerDesk()

    def letters():
        desk.take_dead_letter(letter((1, 7), topic="truths"))
        desk.take_dead_letter(letter((1, 7), reason="a_word_of_a_later_version"))

    with pytest.raises(Problem) as caught:
        score(desk, Broker((1, 7), before=letters))
    assert caught.value.reason == "rejected"


def test_without_an_answer_the_time_out_says_where_the_transaction_is():
    with pytest.raises(Problem) as caught:
        score(AnswerDesk(), Broker((1, 7)), timeout_s=0.1)
    problem = caught.value
    assert (problem.reason, int(problem.status)) == ("still_scoring", 504)
    assert (problem.extra["partition"], problem.extra["offset"]) == (1, 7)
    assert "still being scored" in problem.detail


def test_a_challenger_that_is_too_slow_is_left_out_and_the_champion_answers():
    desk = AnswerDesk()
    broker = Broker((1, 7), before=lambda: desk.take_inference(inference("t", (1, 7))))
    answer = score(desk, broker, roles=("champion", "shadow"), timeout_s=0.1)
    assert (answer["complete"], [each["role"] for each in answer["inferences"]]) == (False, ["champion"])


def test_too_many_who_wait_are_sent_away_and_nothing_is_written():
    broker = Broker((1, 7), before=lambda: pytest.fail("it was sent"))
    with pytest.raises(Problem) as caught:
        score(AnswerDesk(), broker, most=0)
    assert caught.value.reason == "too_many_waiting"
