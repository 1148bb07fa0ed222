"""Whether a savepoint is there and fits the job, asked before Flink is: Flink's own refusal leaves a trace behind.

A job whose state cannot be restored fails while its JobMaster starts. Flink 2.3 keeps the result of such a job without its
application, and a JobManager that is started again later does not come up over it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from urllib.parse import unquote, urlsplit

from udfs.domain.errors import JobError
from udfs.operators.ids import CUSTOMER

__all__ = ["check_savepoint"]

OTHER_SHARDS = (
    "the savepoint is of a job with another number of shards, which is fixed for a deployment: set WEIR_SHARDS to what it "
    "was then, or start from the topics with weir submit (no --savepoint)"
)
METADATA = "_metadata"
PARALLELISM = struct.Struct(">16xii")
"""What stands behind an operator's uid in Flink's metadata: its id, parallelism, and max parallelism."""


def check_savepoint(savepoint: str, shards: int) -> None:
    """Refuse a savepoint or retained checkpoint that the job cannot go on from.

    Parameters
    ----------
    savepoint
        Path or URI of its folder, or of the file ``_metadata`` in it. What is not on this machine is left to Flink.
    shards
        Of the job that is to go on from it.

    Raises
    ------
    JobError
        When there is none, or it is of another number of shards.
    """
    address = urlsplit(savepoint)
    if address.scheme not in ("", "file"):
        return
    folder = Path(unquote(address.path) if address.scheme else savepoint)
    file = folder if folder.name == METADATA else folder / METADATA
    try:
        metadata = file.read_bytes()
    except OSError as error:
        told = f"got {savepoint} ({error.strerror} for {file})"
        msg = f"there is no savepoint to go on from: {told}; weir stop prints the path of one"
        raise JobError(msg) from error
    uid = CUSTOMER.encode()
    at = metadata.rfind(struct.pack(">H", len(uid)) + uid)
    if at < 0:
        return  # Flink knows what it lacks
    _, found = PARALLELISM.unpack_from(metadata, at + 2 + len(uid))
    if found != shards:
        msg = f"{OTHER_SHARDS}; it was {found}, WEIR_SHARDS is {shards}"
        raise JobError(msg)
