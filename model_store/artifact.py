"""The artifact format: a model as a header and arrays, never as code.

Sits below everything that stores, ships or loads a model. It knows bytes, not models: what the header means is the
matter of :mod:`model_store.river_model`. It never imports a model library, and decoding never runs what it reads.

Layout, format version 1, little-endian throughout::

    offset  size  field
    0       8     magic: 0x89 "WEIR" CR LF 0x1A
    8       2     format version (u16) = 1
    10      2     flags (u16) = 0, reserved
    12      4     H, bytes of the header (u32)
    16      8     P, bytes of all arrays (u64)
    24      8     C, bytes of the compressed arrays (u64)
    32      32    sha256 of bytes 0..32 and of everything from byte 64 on
    64      H     header: canonical JSON (UTF-8, sorted keys, no spaces, no NaN)
    64+H    C     one zlib stream: the arrays, one after the other, sorted by name, C order, no padding

The header's key ``arrays`` is the directory: ``[[name, dtype, [shape...]], ...]``. Nothing in the bytes depends on a
clock, a path or a host name, so the same model gives the same digest.

Reasons of :class:`~udfs.domain.errors.ArtifactError` raised here:

``truncated``            fewer bytes than the envelope says (no bytes at all, too)
``not_an_artifact``      the magic is not there
``unsupported_version``  another format version, or a flag this code does not know
``oversized``            more than 4 MiB compressed, 32 MiB of arrays or 1 MiB of header: refused before allocation
``corrupt``              the checksum, the compression or the JSON is broken, or bytes follow the end
``malformed``            the directory and the arrays do not fit each other
``not_finite``           a number in the header is NaN or infinite
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.reason import Reason
from udfs.domain.errors import ArtifactError

__all__ = ["MAX_BYTES", "MAX_RAW_BYTES", "ROW_BYTES", "Artifact", "check_envelope", "digest"]

MAGIC = b"\x89WEIR\r\n\x1a"
FORMAT_VERSION = 1
ROW_BYTES = 512 * 1024
"""Artifacts up to this size travel in one registry row, larger ones in chunk rows."""
MAX_BYTES = 4 * 1024 * 1024
"""The largest artifact, as stored."""
MAX_RAW_BYTES = 32 * 1024 * 1024
"""The most its arrays may take once decompressed."""
MAX_HEADER_BYTES = 1024 * 1024
_ENVELOPE = struct.Struct("<8sHHIQQ")
_BODY = _ENVELOPE.size + hashlib.sha256().digest_size
_DTYPES: dict[str, np.dtype[Any]] = {
    "<f8": np.dtype("<f8"),
    "<i8": np.dtype("<i8"),
    "<i4": np.dtype("<i4"),
    "<u4": np.dtype("<u4"),
}


def digest(data: bytes) -> str:
    """Return the name of an artifact: the sha256 of its bytes, in hex.

    Examples
    --------
    >>> digest(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A decoded artifact: what the header says, and the arrays by name.

    Parameters
    ----------
    header
        JSON-able values; the key ``arrays`` belongs to the format and is not in here.
    arrays
        Arrays of float64, int64, int32 or uint32, little-endian.

    Examples
    --------
    >>> data = Artifact({"kind": "demo"}, {"weights": np.array([0.5, 2.0])}).encode()
    >>> Artifact.decode(data).header, Artifact.decode(data).arrays["weights"].tolist()
    ({'kind': 'demo'}, [0.5, 2.0])
    """

    header: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]

    def encode(self) -> bytes:
        """Return the bytes of this artifact; equal artifacts give equal bytes.

        Raises
        ------
        ArtifactError
            ``oversized``, ``malformed`` (a dtype the format does not have) or ``not_finite`` (NaN in the header).
        """
        names = sorted(self.arrays)
        directory = [[name, _dtype_name(name, self.arrays[name]), list(self.arrays[name].shape)] for name in names]
        header = _encode_json({**self.header, "arrays": directory})
        raw = b"".join(np.ascontiguousarray(self.arrays[name]).tobytes() for name in names)
        packed = zlib.compress(raw, level=9)
        envelope = _ENVELOPE.pack(MAGIC, FORMAT_VERSION, 0, len(header), len(raw), len(packed))
        checksum = hashlib.sha256(envelope + header + packed).digest()
        data = envelope + checksum + header + packed
        check_envelope(data)
        return data

    @staticmethod
    def decode(data: bytes) -> Artifact:
        """Read an artifact; every size is checked before memory is taken.

        Raises
        ------
        ArtifactError
            For the reasons in the module's docstring, and never anything else.
        """
        header_size, raw_size = check_envelope(data)
        envelope, checksum, body = data[: _ENVELOPE.size], data[_ENVELOPE.size : _BODY], data[_BODY:]
        if hashlib.sha256(envelope + body).digest() != checksum:
            raise ArtifactError(
                Reason.CORRUPT, "the checksum inside the artifact does not fit its bytes; send it again"
            )
        header = _decode_json(body[:header_size])
        directory = _directory(header.pop("arrays", None), raw_size)
        raw = _decompress(body[header_size:], raw_size)
        arrays: dict[str, npt.NDArray[Any]] = {}
        offset = 0
        for name, dtype, shape in directory:
            count = math.prod(shape)
            arrays[name] = np.frombuffer(raw, dtype=dtype, count=count, offset=offset).reshape(shape)
            offset += count * dtype.itemsize
        return Artifact(header, arrays)


def check_envelope(data: bytes) -> tuple[int, int]:
    """Check the first 32 bytes against the length of the data; return the sizes of the header and of the arrays.

    Raises
    ------
    ArtifactError
        ``truncated``, ``not_an_artifact``, ``unsupported_version``, ``oversized`` or ``corrupt`` (bytes after the end).
    """
    if len(data) > MAX_BYTES:
        raise ArtifactError(Reason.OVERSIZED, f"an artifact may have {MAX_BYTES} bytes, this one has {len(data)}")
    start = bytes(data[: len(MAGIC)])
    if start != MAGIC[: len(start)]:
        raise ArtifactError(Reason.NOT_AN_ARTIFACT, f"the first bytes are {start!r}, an artifact begins with {MAGIC!r}")
    if len(data) < _BODY:
        raise ArtifactError(Reason.TRUNCATED, f"got {len(data)} bytes, the envelope alone has {_BODY}")
    _, version, flags, header_size, raw_size, packed_size = _ENVELOPE.unpack_from(data)
    if version != FORMAT_VERSION or flags != 0:
        detail = f"format version {version} with flags {flags:#x}; this code reads version {FORMAT_VERSION}, flags 0"
        raise ArtifactError(Reason.UNSUPPORTED_VERSION, detail)
    if header_size > MAX_HEADER_BYTES or raw_size > MAX_RAW_BYTES or _BODY + header_size + packed_size > MAX_BYTES:
        detail = f"header {header_size}, arrays {raw_size}, compressed {packed_size} bytes: above the limits"
        raise ArtifactError(Reason.OVERSIZED, detail)
    missing = _BODY + header_size + packed_size - len(data)
    if missing > 0:
        raise ArtifactError(Reason.TRUNCATED, f"{missing} bytes are missing at the end of {len(data)}")
    if missing < 0:
        raise ArtifactError(Reason.CORRUPT, f"{-missing} bytes follow the end of the artifact")
    return header_size, raw_size


def _dtype_name(name: str, array: npt.NDArray[Any]) -> str:
    """Return the format's name of an array's dtype."""
    text = array.dtype.newbyteorder("<").str if array.dtype.byteorder != ">" else array.dtype.str
    if text not in _DTYPES:
        raise ArtifactError(Reason.MALFORMED, f"array {name} is {array.dtype}; the format has {sorted(_DTYPES)}")
    return text


def _encode_json(header: dict[str, Any]) -> bytes:
    """Return the canonical JSON of a header."""
    try:
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except ValueError as error:
        raise ArtifactError(Reason.NOT_FINITE, f"the header cannot be written as JSON: {error}") from error
    except TypeError as error:
        raise ArtifactError(Reason.MALFORMED, f"the header cannot be written as JSON: {error}") from error


def _decode_json(data: bytes) -> dict[str, Any]:
    """Parse the header; NaN, infinities and anything but an object are refused."""

    def no_constant(name: str) -> float:
        raise ArtifactError(Reason.NOT_FINITE, f"the header holds {name}")

    def finite(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else no_constant(text)

    try:
        header = json.loads(data.decode(), parse_constant=no_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(Reason.CORRUPT, f"the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise ArtifactError(Reason.MALFORMED, f"the header is a {type(header).__name__}, it must be an object")
    return header


def _directory(entries: object, raw_size: int) -> list[tuple[str, np.dtype[Any], tuple[int, ...]]]:
    """Check the directory of arrays: known dtypes, sane shapes, names in order, and a sum that is the raw size."""
    if not isinstance(entries, list):
        raise ArtifactError(Reason.MALFORMED, "the header has no directory of arrays")
    directory: list[tuple[str, np.dtype[Any], tuple[int, ...]]] = []
    total = 0
    for entry in entries:
        if not (isinstance(entry, list) and len(entry) == 3):
            raise ArtifactError(Reason.MALFORMED, f"an array's entry must be [name, dtype, shape], got {entry!r:.80}")
        name, dtype, shape = entry
        known = _DTYPES.get(dtype) if isinstance(dtype, str) else None
        sized = isinstance(shape, list) and len(shape) <= 4 and all(type(size) is int for size in shape)
        if known is None or not isinstance(name, str) or not sized or any(not 0 <= n <= MAX_RAW_BYTES for n in shape):
            raise ArtifactError(Reason.MALFORMED, f"the format has no such array: {entry!r:.80}")
        directory.append((name, known, tuple(shape)))
        total += math.prod(shape) * known.itemsize
    names = [name for name, _, _ in directory]
    if names != sorted(set(names)) or total != raw_size:
        raise ArtifactError(
            Reason.MALFORMED, f"the directory describes {total} bytes of arrays, the envelope {raw_size}"
        )
    return directory


def _decompress(packed: bytes, raw_size: int) -> bytes:
    """Inflate at most the announced bytes."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, raw_size + 1)
    except zlib.error as error:
        raise ArtifactError(Reason.CORRUPT, f"the arrays do not decompress: {error}") from error
    if len(raw) > raw_size:
        raise ArtifactError(Reason.OVERSIZED, f"the arrays are larger than the {raw_size} bytes the envelope announces")
    if len(raw) != raw_size or not inflater.eof or inflater.unused_data:
        raise ArtifactError(Reason.CORRUPT, f"the arrays have {len(raw)} bytes, the envelope announces {raw_size}")
    return raw
