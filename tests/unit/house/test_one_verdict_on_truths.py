"""What the job refuses counts nowhere: whoever reads a truth reads the job's verdict, or runs the job's parser."""

from __future__ import annotations

import ast
import re

import pytest

from tests.unit.house.source_tree import ROOT

VIEWS = {path.name: path.read_text() for path in sorted((ROOT / "sql/views").glob("*.sql"))}
WRITERS = {
    "connectors/data/columns.py",
    "connectors/data/dataset.py",
    "connectors/data/truth_file.py",
    "jobs/serving/stream_messages.py",
    "jobs/training/training_examples.py",
}
"""They make truths, or read a file of them; none of the stream."""
CODE = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for folder in ("connectors", "jobs", "model_store", "udfs")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def constants(tree: ast.AST) -> set[object]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def imported(tree: ast.AST) -> set[str]:
    return {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}


def statement_of(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def test_one_view_alone_reads_the_table_of_truths_and_it_reads_the_verdicts():
    readers = [name for name, text in VIEWS.items() if re.search(r"`weir`\.`truths`", statement_of(text))]
    assert readers == ["00_taken_truth.sql"]
    assert "`weir`.`dead_letters`" in statement_of(VIEWS["00_taken_truth.sql"])


@pytest.mark.parametrize("view", ["00_taken_truth.sql", "01_newest_truth.sql"])
def test_no_view_judges_a_truth_by_its_fields(view):
    judged = re.findall(r"\b(?:TRY_CAST|CAST|BETWEEN|IN)\b|<>|`label`\s*=", statement_of(VIEWS[view]))
    assert judged == []


def test_no_view_reads_a_topic_anybody_may_write_to():
    assert [name for name, text in VIEWS.items() if "`topics`" in statement_of(text)] == []


def test_whoever_reads_labels_of_truths_reads_the_verdict_or_runs_the_parser():
    readers = {
        name
        for name, tree in CODE.items()
        if constants(tree) & {"truths", "weir.truths"} and "label" in constants(tree) and name not in WRITERS
    }
    assert {"jobs/recorded_examples.py", "jobs/demo/tally.py"} <= readers, "the test looks at something"
    assert [name for name in readers if not imported(CODE[name]) & {"parse_truth", "taken_truths"}] == []


def test_whoever_reads_the_table_of_truths_asks_for_those_that_were_taken():
    """By the name of the table, or by the fields of its rows."""
    readers = {
        name
        for name, tree in CODE.items()
        if "weir.truths" in constants(tree) or imported(tree) & {"TRUTH_FIELDS", "newest_truths"}
    }
    readers -= {"connectors/iceberg/training_snapshot.py"}  # names snapshots
    assert readers == {"connectors/iceberg/read_labelled_rows.py", "jobs/retraining/truth_count.py"}
    assert [name for name in readers if "taken_truths" not in imported(CODE[name])] == []
