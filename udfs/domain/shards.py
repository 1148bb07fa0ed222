"""Which shard an entity lives in, and the key that carries the shard to one certain Flink key group.

A stage's stream is keyed by shard, not by entity, so a batch of many entities is one record. With as many shards as key
groups, and one key found for every group, the shards spread over subtasks as evenly as Flink itself spreads key groups,
and stay whole when the job is rescaled. Pure arithmetic: the JVM is not asked.
"""

from __future__ import annotations

import zlib

from udfs.domain.errors import SettingsError

__all__ = ["Shards"]

MASK_32 = 0xFFFF_FFFF
MOST_KEY_GROUPS = 32_768
"""Flink's upper bound of max parallelism."""
ROW_HASH_BEFORE_FIELD = 62
"""``Row.of(key).hashCode()`` minus ``key.hashCode()``: kind INSERT (byte 0) and one field by position."""


class Shards:
    """The shards of a deployment: one per Flink key group.

    Parameters
    ----------
    count
        Number of shards; equal to the job's max parallelism, 1 to 32,768, and fixed for a deployment: state is kept
        under these keys.

    Attributes
    ----------
    keys
        One short string per key group: a stream keyed in the JVM by ``KeyByKeySelector`` puts ``keys[i]`` into key
        group i.

    Raises
    ------
    SettingsError
        If the count is outside Flink's bounds.

    Notes
    -----
    Flink assigns ``murmurHash(key.hashCode()) % count`` (``KeyGroupRangeAssignment.assignToKeyGroup``), where the key
    is the ``Row`` of one string that ``org.apache.flink.streaming.api.utils.KeyByKeySelector`` makes.
    ``Row.hashCode`` is that of ``RowUtils.deepHashCodeRow``. Compared with the JVM of Flink 2.3.0 for 1, 7, 32, 128
    and 1,000 shards.

    Examples
    --------
    >>> shards = Shards(4)
    >>> shards.keys
    ('s13', 's1', 's5', 's0')
    >>> shards.of("customer 17") in shards.keys
    True
    """

    __slots__ = ("keys",)

    def __init__(self, count: int) -> None:
        if not 1 <= count <= MOST_KEY_GROUPS:
            msg = f"The number of shards must be between 1 and {MOST_KEY_GROUPS}, got {count}; set WEIR_SHARDS."
            raise SettingsError(msg)
        self.keys: tuple[str, ...] = _keys(count)

    def of(self, entity: str) -> str:
        """Return the key of the shard that holds an entity (a customer, a terminal, a transaction)."""
        # CRC-32 and not hash(): Python salts the hash of a string anew in every process.
        return self.keys[zlib.crc32(entity.encode()) % len(self.keys)]


def _keys(count: int) -> tuple[str, ...]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < count:
        key = f"s{number}"
        found.setdefault(_murmur_hash(_row_hash(key)) % count, key)
        number += 1
    return tuple(found[group] for group in range(count))


def _row_hash(key: str) -> int:
    """Return ``Row.of(key).hashCode()`` as an unsigned 32-bit number, for a key of ASCII characters."""
    result = 0
    for character in key.encode("ascii"):
        result = (31 * result + character) & MASK_32
    return (result + ROW_HASH_BEFORE_FIELD) & MASK_32


def _murmur_hash(code: int) -> int:
    """Return Flink's ``MathUtils.murmurHash``: MurmurHash3 (Appleby) of one 32-bit word, made non-negative."""
    code = (code * 0xCC9E2D51) & MASK_32
    code = _rotate_left(code, 15)
    code = (code * 0x1B873593) & MASK_32
    code = _rotate_left(code, 13)
    code = ((code * 5 + 0xE6546B64) & MASK_32) ^ 4
    code = ((code ^ (code >> 16)) * 0x85EBCA6B) & MASK_32
    code = ((code ^ (code >> 13)) * 0xC2B2AE35) & MASK_32
    code ^= code >> 16
    if code < 0x8000_0000:
        return code
    # Java's code is negative here: it returns -code, and 0 for the smallest integer, which has no positive twin.
    return (0x1_0000_0000 - code) & 0x7FFF_FFFF


def _rotate_left(code: int, distance: int) -> int:
    return ((code << distance) | (code >> (32 - distance))) & MASK_32
