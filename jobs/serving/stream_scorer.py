"""Sends a transaction through the stream and waits for its score: the job's own answer, before it is committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread

from connectors.kafka.sender import Sender
from jobs.serving.answer_desk import NOWHERE, AnswerDesk, Waiter
from jobs.serving.problem import Problem
from jobs.serving.problem_kinds import PROBLEM_KINDS
from udfs.domain.deployment import CHAMPION
from udfs.domain.event import Transaction

__all__ = ["StreamScorer"]

SENDING_THREADS = 8
"""Of their own: routes that wait for a database must not keep transactions from being sent."""


class StreamScorer:
    """Scores single transactions through Kafka and the job.

    Parameters
    ----------
    sender
        Writes to ``transactions``.
    desk
        Where answers come in.
    max_waiting
        Transactions that may wait at once; above that nothing is sent.
    """

    def __init__(self, sender: Sender, desk: AnswerDesk, max_waiting: int) -> None:
        self._sender, self._desk, self._max_waiting = sender, desk, max_waiting
        self._threads = CapacityLimiter(SENDING_THREADS)
        self._under_way: set[asyncio.Task[tuple[int, int]]] = set()

    async def score(
        self, transaction: Transaction, value: bytes, roles: Sequence[str], timeout_s: float
    ) -> dict[str, Any]:
        """Write a transaction to the topic and return the inferences of the wanted roles.

        Parameters
        ----------
        transaction
            What the value says, parsed.
        value
            The message as it is to be written.
        roles
            Whose inferences are waited for. Roles that did not answer in time are left out, except the champion.
        timeout_s
            From now, for everything together.

        Raises
        ------
        Problem
            ``too_many_waiting`` (nothing was sent), ``still_scoring``, or what the job's dead letter says.
        ConnectionLostError
            The broker does not take it.
        """
        if self._desk.waiting >= self._max_waiting:
            detail = (
                f"{self._max_waiting} transactions wait for their score; this one was not sent. Send it again later."
            )
            raise Problem(reason="too_many_waiting", detail=detail, headers={"Retry-After": "1"})
        started = time.monotonic()
        with self._desk.waiter(transaction["transaction_id"]) as waiter:
            try:
                async with asyncio.timeout(timeout_s):
                    self._desk.place(waiter, await asyncio.shield(self._sending(transaction["customer_id"], value)))
                    await self._answered(waiter, roles)
            except TimeoutError:
                if not _found(waiter, [CHAMPION]):
                    raise self._late(waiter, timeout_s) from None
        return {
            "transaction_id": transaction["transaction_id"],
            "provisional": True,
            "complete": _found(waiter, roles),
            "milliseconds": round((time.monotonic() - started) * 1_000, 3),
            "inferences": sorted(_own(waiter), key=lambda each: (each["role"] != CHAMPION, each["role"])),
        }

    def _sending(self, key: str, value: bytes) -> asyncio.Task[tuple[int, int]]:
        """Send in a task of its own: a request that runs out of time says that it is in the stream, and so it must be."""
        task = asyncio.create_task(self._send(key, value))
        self._under_way.add(task)
        task.add_done_callback(self._sent)
        return task

    async def _send(self, key: str, value: bytes) -> tuple[int, int]:
        sending = await to_thread.run_sync(self._sender.send, "transactions", key, value, limiter=self._threads)
        return await asyncio.wrap_future(sending)

    def _sent(self, task: asyncio.Task[tuple[int, int]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # where nobody waits any more, nobody is told

    async def _answered(self, waiter: Waiter, roles: Sequence[str]) -> None:
        """Return when all wanted roles have answered; raise what the dead letter says, if one comes instead."""
        while not _found(waiter, roles):
            letter = self._desk.letter(waiter.at)
            if letter is not None:
                raise _refused(waiter, letter)
            await waiter.news()

    def _late(self, waiter: Waiter, timeout_s: float) -> Problem:
        if waiter.at == NOWHERE:
            detail = (
                f"Kafka has not confirmed the transaction within {timeout_s:g} s; it may still be scored. Sending the same "
                f"transaction_id again is safe: it is counted once."
            )
            return Problem(reason="still_scoring", detail=detail, transaction_id=waiter.transaction_id)
        detail = (
            f"The transaction is in the stream (partition {waiter.at[0]}, offset {waiter.at[1]}) and still being scored "
            f"after {timeout_s:g} s; nothing is lost. Ask for its inference later."
        )
        return Problem(reason="still_scoring", detail=detail, **_where(waiter))


def _refused(waiter: Waiter, letter: Mapping[str, Any]) -> Problem:
    """Return the dead letter as a problem, with its own reason."""
    reason = letter["reason"] if letter["reason"] in PROBLEM_KINDS else "rejected"
    return Problem(reason=reason, detail=f"{letter['detail']}; the record is in dead_letters.", **_where(waiter))


def _where(waiter: Waiter) -> dict[str, Any]:
    return {
        "transaction_id": waiter.transaction_id,
        "partition": waiter.at[0],
        "offset": waiter.at[1],
        "inference": f"/v1/inferences/{quote(waiter.transaction_id, safe='')}",
    }


def _own(waiter: Waiter) -> list[dict[str, Any]]:
    """Return the inferences of the very record that was sent, not those of another with its transaction_id."""
    return [each for each in waiter.inferences if (each["source_partition"], each["source_offset"]) == waiter.at]


def _found(waiter: Waiter, roles: Sequence[str]) -> bool:
    return {each["role"] for each in _own(waiter)} >= set(roles)
