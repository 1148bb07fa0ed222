"""The 16 bytes that stand for a transaction's identifier in keyed state."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["DIGEST_BYTES", "find_digest", "transaction_digest"]

DIGEST_BYTES = 16


def transaction_digest(transaction_id: str) -> bytes:
    """Return the BLAKE2b hash of an identifier: 128 bits, so that two of a customer's never meet by chance.

    Examples
    --------
    >>> transaction_digest("t1").hex()
    '391bbc3f95fd0429aba4ead7026fc4c0'
    """
    return blake2b(transaction_id.encode(), digest_size=DIGEST_BYTES).digest()


def find_digest(table: bytearray, digest: bytes, start: int, width: int) -> int:
    """Return where a record that begins with the digest stands in a table of records ``width`` bytes wide, or -1.

    ``start`` is a multiple of the width. The search is the C library's; a match across two records is passed over.
    """
    at = table.find(digest, start)
    while at >= 0 and at % width:
        at = table.find(digest, at + 1)
    return at
