"""Secrets from files: ``WEIR_POSTGRES_PASSWORD_FILE=/run/secrets/postgres`` instead of the password itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource

from jobs.wrong_settings import is_secret
from udfs.domain.errors import SettingsError

__all__ = ["SecretFiles"]


class SecretFiles(EnvSettingsSource):
    """For each secret among the settings, the content of the file that ``WEIR_<NAME>_FILE`` names.

    A line feed at its end is not part of the secret. A file that cannot be read is an error, never an empty secret, and
    so is a secret given in both ways: nobody could tell which one holds.

    Raises
    ------
    SettingsError
        When called, in these cases; the text never holds a secret.
    """

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that files hold, by the setting's name."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            variable = f"{self.env_prefix}{name}_file"
            named = self.env_vars.get(variable.lower())
            if named is not None and is_secret(field):
                if variable.lower().removesuffix("_file") in self.env_vars:
                    msg = f"{variable.upper()} and {variable.upper()[:-5]} are both set; unset one of them."
                    raise SettingsError(msg)
                found[name] = _read(Path(named), variable.upper())
        return found


def _read(path: Path, variable: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{variable} names {path}, which cannot be read as text: got {type(error).__name__}. Correct the path."
        raise SettingsError(msg) from None  # the cause would show what the file holds
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        msg = f"{variable} names {path}, which is empty. Write the secret into it, in one line."
        raise SettingsError(msg)
    return secret
