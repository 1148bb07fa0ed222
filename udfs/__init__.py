"""The streaming logic: pure functions in ``domain``, their Flink shells in ``operators``."""
