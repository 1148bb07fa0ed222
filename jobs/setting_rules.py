"""What a setting must be beyond its type: rules that raise ``ValueError`` with half a sentence, never with a secret."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from connectors.webhook.signature import Signature
from model_store.signature import sign_digest
from udfs.domain.errors import SettingsError

__all__ = [
    "cache_folder",
    "existing_file",
    "folder",
    "signing_key",
    "token",
    "usable_secret",
    "webhook_secret",
]


def cache_folder() -> Path:
    """Return where downloads lie by default.

    Raises
    ------
    SettingsError
        If this account has no home.
    """
    try:
        return Path.home() / ".cache" / "weir"
    except RuntimeError:
        msg = "This account has no home folder to keep downloads in; name one: WEIR_CACHE=FOLDER."
        raise SettingsError(msg) from None


def folder(path: Path) -> Path:
    """Refuse a path that names no folder of its own, or one that programs of the stack could not be told of."""
    text = str(path)
    if text in (".", ""):
        msg = "a folder of its own is needed"
        raise ValueError(msg)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        msg = "it holds a control character"
        raise ValueError(msg)
    if path.exists() and not path.is_dir():
        msg = "it is a file, not a folder"
        raise ValueError(msg)
    return path


def existing_file(path: Path) -> Path:
    """Refuse a path that names no file here."""
    if not path.is_file():
        msg = "there is no such file"
        raise ValueError(msg)
    return path


def usable_secret(secret: SecretStr) -> SecretStr:
    """Refuse a secret that cannot be written into the files that clients read: it is one line, and not empty."""
    text = secret.get_secret_value()
    if not text:
        msg = "it is empty"
        raise ValueError(msg)
    if any(ord(letter) < 32 for letter in text):
        msg = "it holds a line end or another control character"
        raise ValueError(msg)
    return secret


def token(secret: SecretStr) -> SecretStr:
    """Refuse a token that no client could send in a header, or that everybody sends: the empty one."""
    text = secret.get_secret_value()
    if not text:
        msg = "it is empty, which would let everybody in; unset it to ask for nothing"
        raise ValueError(msg)
    if not all(33 <= ord(letter) <= 126 for letter in text):
        msg = "a header takes visible ASCII characters only"
        raise ValueError(msg)
    return secret


def signing_key(secret: SecretStr) -> SecretStr:
    """Refuse a key that could not sign, before anything is trained."""
    try:
        sign_digest(secret.get_secret_value(), "0" * 64)
    except SettingsError as error:
        raise ValueError(str(error)) from None
    return secret


def webhook_secret(secret: SecretStr) -> SecretStr:
    """Refuse a secret that could not sign; the empty one is none, and only ``weir notify`` needs one."""
    if text := secret.get_secret_value():
        try:
            Signature(text)
        except SettingsError as error:
            raise ValueError(str(error)) from None
    return secret
