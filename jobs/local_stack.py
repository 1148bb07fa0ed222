"""Makes the local stack of the settings: the one place where both are known."""

from __future__ import annotations

from connectors.local.stack import LocalStack
from connectors.local.task_managers import RESERVED
from jobs.settings import Settings

__all__ = ["local_stack"]


def local_stack(settings: Settings) -> LocalStack:
    """Return the stack that the settings describe, a TaskManager for each unit of parallelism, and those for tables and SQL.

    Parameters
    ----------
    settings
        Where it lives, its ports and its passwords.
    """
    return LocalStack(
        home=settings.home,
        cache=settings.cache,
        port_base=settings.port_base,
        postgres_password=settings.postgres_password.get_secret_value(),
        s3_access_key=settings.s3_access_key,
        s3_secret_key=settings.s3_secret_key.get_secret_value(),
        task_managers=settings.parallelism + RESERVED,
        prometheus=settings.prometheus,
        rocksdb=settings.state_backend == "rocksdb",
        optimizing_compiler=settings.optimizing_compiler,
        taskmanager_memory_mb=settings.taskmanager_memory_mb,
    )
