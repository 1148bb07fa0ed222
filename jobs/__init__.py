"""What runs: the Flink job, its settings, the command line and the tools behind it."""
