"""The files that PostgreSQL's and Amazon's clients read their secrets from, so that no SQL and no job holds one."""

from __future__ import annotations

__all__ = ["aws_credentials", "postgres_password_file"]


def aws_credentials(access_key: str, secret_key: str) -> str:
    r"""Return the text of a shared credentials file.

    Examples
    --------
    >>> aws_credentials("weir", "s3cret")
    '[default]\naws_access_key_id = weir\naws_secret_access_key = s3cret\n'
    """
    return f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"


def postgres_password_file(port: int, user: str, password: str) -> str:
    r"""Return the text of a password file for the database ``weir`` on this machine.

    Examples
    --------
    >>> postgres_password_file(5432, "iceberg", "a:b")
    '127.0.0.1:5432:weir:iceberg:a\\:b\n'
    """
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"127.0.0.1:{port}:weir:{user}:{escaped}\n"
