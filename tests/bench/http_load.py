"""Puts load on an HTTP server with as little work of its own as Python allows: plain sockets, requests made beforehand."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

__all__ = ["Load", "closed_loop", "request_bytes", "steady"]


@dataclass
class Load:
    """What came back.

    Parameters
    ----------
    seconds
        From the first request to the last answer.
    latencies_ms
        Of each request; at a steady rate from the moment it was due, so that a stall is not left out.
    statuses
        How often each HTTP status came.
    """

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_s(self) -> float:
        return len(self.latencies_ms) / self.seconds

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.latencies_ms, percent))


def request_bytes(address: str, path: str, body: bytes) -> bytes:
    """Return a whole POST request."""
    head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def closed_loop(address: str, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Let so many connections send one request after the other for so long."""
    load, started = Load(), time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await _connect(address)
        at = number
        while time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            load.statuses[await _ask(reader, writer, requests[at % len(requests)])] += 1
            load.latencies_ms.append((time.perf_counter() - begun) * 1_000)
            at += connections
        writer.close()

    await asyncio.gather(*map(client, range(connections)))
    load.seconds = time.perf_counter() - started
    return load


async def steady(address: str, requests: Iterable[bytes], rate: float, connections: int) -> Load:
    """Send requests at a rate, each by the next connection that is free."""
    load, started, due = Load(), time.perf_counter(), enumerate(requests)

    async def client() -> None:
        reader, writer = await _connect(address)
        for number, request in _shared(due):
            moment = started + number / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            load.statuses[await _ask(reader, writer, request)] += 1
            load.latencies_ms.append((time.perf_counter() - moment) * 1_000)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    load.seconds = time.perf_counter() - started
    return load


def _shared(due: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    yield from due


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(address)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Send a request and read its answer to the end; return the status."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
    else:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])
