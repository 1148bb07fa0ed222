"""The passwords of the database's roles: made from the owner's, so that one secret is given and four are in use."""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["role_password"]

OWNER = "weir"


def role_password(owner_password: str, role: str) -> str:
    """Return the password of a role; the owner's cannot be found from it, nor another role's.

    Parameters
    ----------
    owner_password
        Of the role ``weir``, which owns the database.
    role
        ``weir`` itself, or one of those in :mod:`connectors.postgres.migrations`.

    Examples
    --------
    >>> role_password("secret", "weir")
    'secret'
    >>> role_password("secret", "debezium")[:8], role_password("secret", "mlflow")[:8]
    ('2cb1ee0c', '1b0666ce')
    """
    if role == OWNER:
        return owner_password
    return hmac.new(owner_password.encode(), f"weir role {role}".encode(), hashlib.sha256).hexdigest()[:40]
