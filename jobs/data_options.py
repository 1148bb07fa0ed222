"""The options of verbs that judge versions on recorded transactions or on a data file; typer reads them as annotations."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["DataOption", "MappingOption", "RowsOption", "SeedOption", "TruthDelayOption"]

DataOption = Annotated[
    str | None, typer.Option(help="A parquet or CSV file, or generator; by default what the stream recorded.")
]
RowsOption = Annotated[str, typer.Option(help="FROM:TO of the data; rows before FROM only fill the windows.")]
TruthDelayOption = Annotated[str, typer.Option(help="When a label is known after its event: 6d23h, 90m.")]
MappingOption = Annotated[str, typer.Option("--map", help="field=column,... for other files.")]
SeedOption = Annotated[int, typer.Option(help="Of the generator.")]
