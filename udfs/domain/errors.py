"""The errors this project raises on purpose.

::

    WeirError                 something a person can mend; its text is one sentence or two, shown without a stack trace
    |-- SettingsError         a setting, an argument or a combination of them
    |-- DataFileError         a data file that cannot be read or lacks columns
    |-- StackError            a component of the local stack: a port, a download, a process
    |-- ConnectionLostError   a service that should be there and does not answer
    |-- ArtifactError         a model artifact that is refused; carries the reason the gate publishes
    |-- RegistryError         a model, a version or a role that the registry does not have or refuses
    |-- TablesError           a table on S3, or a question in SQL, that cannot be had
    `-- JobError              the Flink job: submit, cancel, or a state that does not fit

A message says what happened, what was got, and what to do. Errors of libraries are translated where they are met and
chained as causes.
"""

from __future__ import annotations

__all__ = [
    "ArtifactError",
    "ConnectionLostError",
    "DataFileError",
    "JobError",
    "RegistryError",
    "SettingsError",
    "StackError",
    "TablesError",
    "WeirError",
]


class WeirError(Exception):
    """Something a person can mend; the command line prints its text and exits with 2."""


class SettingsError(WeirError):
    """A setting, an argument or a combination of them is not usable."""


class DataFileError(WeirError):
    """A data file cannot be read, or lacks columns."""


class StackError(WeirError):
    """A component of the local stack did not start, stop or download."""


class ConnectionLostError(WeirError):
    """A service that should be there does not answer."""


class RegistryError(WeirError):
    """A model, a version or a role is not in the registry, or the registry refuses it."""


class TablesError(WeirError):
    """A table on S3 is not there or cannot be changed, or SQL was refused."""


class JobError(WeirError):
    """The Flink job could not be submitted, stopped or restored."""


class ArtifactError(WeirError):
    """A model artifact is refused.

    Parameters
    ----------
    reason
        One word with underscores, as published in ``model_events``: ``wrong_digest``, ``truncated``, ...
    detail
        What was got, in a sentence.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[ArtifactError], tuple[str, str]]:
        """Travel between processes with both parts."""
        return type(self), (self.reason, self.detail)
