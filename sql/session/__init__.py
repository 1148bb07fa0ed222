"""How a session of Flink's SQL client begins."""
