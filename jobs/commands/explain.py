"""``weir explain``: everything about one transaction on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout
from jobs.kafka_address import kafka_address
from jobs.settings import Settings

__all__ = ["explain"]


def explain(
    transaction_id: Annotated[str, typer.Argument(help="Of the transaction, as the topic has it.")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, host:port; the local stack's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Show a transaction: event, features, version, digest, commit, training data, alert, truth; and score it again now.

    It looks its records up by key, place and time. Exit code 1 if the score comes out differently in any bit.

    Example: weir explain 42-000017
    """
    with errors_as_sentences():
        from connectors.kafka.topic_search import TopicSearch
        from jobs.explaining.explain_transaction import explain_transaction
        from jobs.registry_access import metadata_store_of, registry_of
        from jobs.report.explanation_lines import explanation_lines

        settings = Settings()
        address = bootstrap or kafka_address(settings)
        with TopicSearch(address) as topics:
            found = explain_transaction(
                transaction_id, topics, registry_of(settings), metadata_store_of(settings).load_artifact
            )
        if as_json:
            print_json({**asdict(found), "equal": found.equal})
        else:
            for line in explanation_lines(found):
                stdout.print(line, highlight=False, markup=False)
        if not found.equal:
            raise typer.Exit(1)
