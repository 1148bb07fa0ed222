"""``weir compare``: two versions on the same labelled transactions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.data_options import DataOption, MappingOption, RowsOption, SeedOption, TruthDelayOption
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.comparison import ComparedVersion, Comparison

__all__ = ["compare"]


def compare(
    version_a: Annotated[str, typer.Argument(metavar="A", help="A version, for example 2.")],
    version_b: Annotated[str, typer.Argument(metavar="B", help="The version to compare it with.")],
    model: Annotated[str | None, typer.Option(help="The registered model; WEIR_MODEL by default.")] = None,
    data: DataOption = None,
    rows: RowsOption = "0:",
    truth_delay: TruthDelayOption = "6d23h",
    mapping: MappingOption = "",
    seed: SeedOption = 42,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Compare ROC AUC and average precision of two versions, with DeLong's paired 95 % interval of the difference.

    Both score the same transactions: those of the topics inferences and truths, with their recorded features, or of a data
    file. Only labelled transactions count that are later than what either version was trained on.

    Example: weir compare 2 1 --data transactions.parquet --rows 300000:400000
    """
    with errors_as_sentences():
        from jobs.comparison import compare_versions, widest
        from jobs.judged_examples import JudgedExamples
        from jobs.registry_access import metadata_store_of, registry_of
        from model_store.compiled_scorer import load_scorer
        from udfs.domain.errors import SettingsError

        settings = Settings()
        registry, store = registry_of(settings), metadata_store_of(settings)
        found = [registry.version(model or settings.model, each) for each in (version_a, version_b)]
        a, b = (load_scorer(store.load_artifact(each.digest)) for each in found)
        if (wider := widest(a, b)) is None:
            sets = [each.header["feature_set"]["label"] for each in (a, b)]
            msg = f"Version {version_a} knows the features {sets[0]}, version {version_b} {sets[1]}; compare like with like."
            raise SettingsError(msg)
        wanted = JudgedExamples(data, rows, truth_delay, mapping, seed)
        with progress_bar("compare", None, quiet=as_json) as done:
            examples, total = wanted.of(wider, settings, done)
            result = compare_versions(a, b, examples, lambda seen: done(seen, total))
        if as_json:
            print_json({"versions": [version_a, version_b], **asdict(result)})
        else:
            _say(version_a, version_b, result)


def _say(name_a: str, name_b: str, result: Comparison) -> None:
    for name, figures in ((name_a, result.a), (name_b, result.b)):
        stdout.print(f"version {name} {figures.digest[:8]}: {_figures(figures)}", highlight=False)
    if result.difference is not None:
        interval = "" if result.ci_low is None else f", 95 % interval {result.ci_low:+.4f} to {result.ci_high:+.4f}"
        chance = "" if result.p_value is None else f", p {result.p_value:.3g}"
        stdout.print(
            f"difference of ROC AUC {result.difference:+.4f}{interval}{chance} (DeLong, paired)", highlight=False
        )
    stdout.print(
        f"{result.positives:,} frauds and {result.negatives:,} genuine transactions; {result.excluded:,} left out as "
        f"known to a version, {result.unlabelled:,} without a truth.",
        highlight=False,
    )
    if result.reason is not None:
        stdout.print(f"Not everything can be said: {result.reason}.", highlight=False)


def _figures(figures: ComparedVersion) -> str:
    if figures.roc_auc is None:
        return "no ROC AUC"
    return f"ROC AUC {figures.roc_auc:.4f}, average precision {figures.average_precision:.4f}"
