"""SQL of the scoring job: its sources, batches and sinks."""
