"""``weir backfill``: the features of recorded transactions, as the stream would have computed them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.data_options import MappingOption, TruthDelayOption
from jobs.progress_bar import progress_bar

__all__ = ["backfill"]


def backfill(
    data: Annotated[str, typer.Option(help="A parquet or CSV file, or generator.")],
    out: Annotated[Path, typer.Option(help="The parquet file to write; one that is there is replaced.")],
    features: Annotated[str, typer.Option(help="A feature set: name, or name@version.")] = "handbook",
    rows: Annotated[int | None, typer.Option(min=1, help="Only the first transactions, in event order.")] = None,
    truth_delay: TruthDelayOption = "6d23h",
    mapping: MappingOption = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the generator.")] = 42,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes at once; one per core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Compute a feature set for every transaction, point in time, by the very functions of the stream.

    The file has TRANSACTION_ID and one column per feature, in event order. A truth counts from its own time on, a
    repeated transaction_id of a customer once. Training, parity and the stream share these numbers.

    Example: weir backfill --data transactions.parquet --features handbook --out features.parquet
    """
    with errors_as_sentences():
        from connectors.data.dataset import open_dataset
        from connectors.data.options import parse_duration_ms, parse_mapping
        from jobs.backfill.run_backfill import run_backfill
        from jobs.backfill.write_backfill import check_writable, write_backfill
        from jobs.features.feature_rows import feature_set_named
        from jobs.registry_access import metadata_store_of
        from jobs.settings import Settings

        check_writable(out)
        settings = Settings()
        wanted = feature_set_named(features, lambda: metadata_store_of(settings).feature_rows())
        dataset = open_dataset(
            data,
            rows=rows,
            mapping=parse_mapping(mapping),
            truth_delay_ms=parse_duration_ms(truth_delay),
            seed=seed,
        )
        with progress_bar("windows", None, quiet=as_json) as done:
            found = run_backfill(dataset, wanted, processes=processes, progress=done)
        write_backfill(out, dataset, wanted, found)
        result = {
            "feature_set": wanted.label,
            "hash": wanted.hash,
            "rows": len(found.rows),
            "duplicates": found.duplicates,
            "out": str(out),
        }
        if as_json:
            print_json(result)
        else:
            left_out = f"; {found.duplicates:,} repeated ones left out" if found.duplicates else ""
            stdout.print(f"{len(found.rows):,} transactions with {wanted.label} in {out}{left_out}.", highlight=False)
