"""Ends the job where a restart would only meet the same error again: another build's code, state of an unknown schema.

Flink restarts a job after every failure unless its cause is a ``SuppressRestartsException``. Python cannot raise one, so
the task is told to fail with one through its environment, which the runtime context of thread mode holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

from udfs.domain.errors import JobError

__all__ = ["ends_job_for_good"]

Stage = TypeVar("Stage", bound=type)
CALLED_BY_FLINK = ("process_element", "process_element1", "process_element2", "process_broadcast_element", "on_timer")


def ends_job_for_good(stage: Stage) -> Stage:
    """Make a :class:`JobError` raised by a stage the end of its job: FAILED, with no restart.

    A class decorator. Any other error restarts the job as before.
    """
    opened = stage.open  # type: ignore[attr-defined]

    @wraps(opened)
    def open_stage(self: Any, ctx: Any) -> None:  # noqa: ANN401
        self.fail_for_good = lambda error: _fail_task(ctx, error)
        try:
            opened(self, ctx)
        except JobError as error:
            self.fail_for_good(error)
            raise

    stage.open = open_stage  # type: ignore[attr-defined]
    for name in CALLED_BY_FLINK:
        if name in vars(stage):
            setattr(stage, name, _guarded(vars(stage)[name]))
    return stage


def _guarded(method: Callable[..., Iterable[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(method)
    def guarded(self: Any, *arguments: Any) -> Iterator[Any]:  # noqa: ANN401
        try:
            yield from method(self, *arguments)
        except JobError as error:
            self.fail_for_good(error)
            raise

    return guarded


def _fail_task(ctx: Any, error: JobError) -> None:  # noqa: ANN401
    runtime_context = getattr(ctx, "_runtime_context", None)
    if runtime_context is None:
        return  # not in thread mode: the error alone has to do
    from pemja import findClass

    field = runtime_context.getClass().getDeclaredField("taskEnvironment")
    field.setAccessible(True)
    final = findClass("org.apache.flink.runtime.execution.SuppressRestartsException")
    cause = findClass("java.lang.RuntimeException")
    field.get(runtime_context).failExternally(final(cause(str(error))))
