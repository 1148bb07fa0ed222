"""The local stack of the settings where a verb needs it to run."""

from __future__ import annotations

from connectors.local.stack import LocalStack
from jobs.local_stack import local_stack
from jobs.settings import Settings
from udfs.domain.errors import StackError

__all__ = ["running_stack"]


def running_stack(settings: Settings) -> LocalStack:
    """Return the stack, or raise :class:`StackError` when it is not ready."""
    stack = local_stack(settings)
    state = stack.status()
    if state is None or state.state != "ready":
        got = "was never started" if state is None else f"is {state.state}"
        msg = f"the stack at {stack.home} {got}; start it with: weir up"
        raise StackError(msg)
    return stack
