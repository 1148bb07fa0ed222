"""Decodes the body of a request as its ``Content-Encoding`` says, within the bound of an undecoded one."""

from __future__ import annotations

import zlib

from jobs.serving.problem import Problem

__all__ = ["check_encoding", "decoded"]

# What zlib is told to expect.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_TAKEN = ", ".join(name for name in _WINDOWS if not name.startswith("x-"))
MOST_ENCODINGS = 2


def check_encoding(header: str) -> list[str]:
    """Return the encodings that a header names, in the order in which they were applied.

    Raises
    ------
    Problem
        ``unsupported_encoding``, which names the one that is not known.

    Examples
    --------
    >>> check_encoding("GZIP"), check_encoding("identity"), check_encoding("")
    (['gzip'], [], [])
    """
    names = [each for each in (part.strip().lower() for part in header.split(",")) if each not in ("", "identity")]
    unknown = next((each for each in names if each not in _WINDOWS), None)
    if unknown is not None or len(names) > MOST_ENCODINGS:
        detail = f"The body is sent with Content-Encoding: {(unknown or header)[:80]!r}; taken are {_TAKEN}, or none."
        raise Problem(
            reason="unsupported_encoding", detail=detail, headers={"Accept-Encoding": _TAKEN, "Connection": "close"}
        )
    return names


def decoded(body: bytes, encodings: list[str], limit: int) -> bytes | None:
    """Return the decoded body, or None where it would be longer than ``limit`` bytes.

    Raises
    ------
    Problem
        ``bad_encoding``, for a body that is not what the header says, or not whole.
    """
    for name in reversed(encodings):
        unpacked = _unpacked(body, name, limit)
        if unpacked is None:
            return None
        body = unpacked
    return body


def _unpacked(body: bytes, name: str, limit: int) -> bytes | None:
    parts, size = [], 0
    while True:  # gzip may consist of several members
        unpacker = zlib.decompressobj(_WINDOWS[name])
        try:
            parts.append(unpacker.decompress(body, limit - size + 1))
        except zlib.error:
            raise _bad(name, "it cannot be unpacked") from None
        size += len(parts[-1])
        if size > limit:
            return None
        if not unpacker.eof:
            raise _bad(name, "its end is missing")
        body = unpacker.unused_data
        if not body:
            return b"".join(parts)
        if name == "deflate":
            raise _bad(name, "something follows its end")


def _bad(name: str, why: str) -> Problem:
    return Problem("bad_encoding", f"The body is not what Content-Encoding: {name} says: {why}. Send it again.")
