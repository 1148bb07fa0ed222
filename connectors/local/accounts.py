"""Which account a process of the stack runs as when the supervisor is root, and what that account can reach."""

from __future__ import annotations

import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from udfs.domain.errors import StackError

__all__ = ["Account", "reachable_by", "unprivileged_account"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine.

    Parameters
    ----------
    name, uid, gid
        As in the password file.
    """

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account:
    """Return the account for programs that refuse root: ``postgres`` if this machine has it, else ``nobody``.

    Raises
    ------
    StackError
        When neither exists.
    """
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    msg = "PostgreSQL refuses to run as root, and this machine has no account postgres or nobody. Start weir as a user."
    raise StackError(msg)


def reachable_by(path: Path, account: Account) -> bool:
    """Tell whether the account may enter every folder above ``path`` and read it (and enter or run it).

    Only mode bits are read, no access lists; a wrong "no" costs a copy, nothing else.
    """
    full = path.resolve()
    return all(_allows(folder, account, 1) for folder in full.parents) and _allows(full, account, 5)


def _allows(path: Path, account: Account, bits: int) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    if status.st_uid == account.uid:
        shift = 6
    elif status.st_gid == account.gid:
        shift = 3
    else:
        shift = 0
    return (stat.S_IMODE(status.st_mode) >> shift) & bits == bits
