"""Lets pyiceberg write Parquet with the pyarrow that PyFlink allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

__all__ = ["parquet_writing"]


class _Parquet:
    """``pyarrow.parquet``, but its writer is not asked for what it does not know."""

    def __init__(self, module: Any) -> None:  # noqa: ANN401
        self._module = module

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._module, name)

    def ParquetWriter(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        options.pop("store_decimal_as_integer", None)
        return self._module.ParquetWriter(*arguments, **options)


@contextmanager
def parquet_writing() -> Iterator[None]:
    """Let pyiceberg write within the block.

    It asks for decimals as integers, which pyarrow 16 cannot do; the tables hold no decimals, so nothing is lost.
    """
    module: Any = import_module("pyiceberg.io.pyarrow")
    original = module.pq
    module.pq = _Parquet(original)
    try:
        yield
    finally:
        module.pq = original
