"""The uid of every operator, source and sink of the job. A released uid never changes: state is found by it."""

from __future__ import annotations

__all__ = ["CUSTOMER", "DEFINITIONS", "GATE", "QUALITY", "SCORE", "SQL_PREFIX", "TERMINAL", "TRUTH_JOIN"]

CUSTOMER = "customer-windows"
TERMINAL = "terminal-windows"
GATE = "model-gate"
SCORE = "score"
TRUTH_JOIN = "truth-join"
QUALITY = "model-quality"
# Transformations that SQL makes (sources, batches, sinks) are numbered in the order of the graph under this prefix.
SQL_PREFIX = "sql"
# The same below this one for the rows of feature sets on their way to the window stages.
DEFINITIONS = "definitions"
