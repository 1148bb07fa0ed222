"""Where transactions come from before Kafka: data files and the generator, as one kind of dataset."""

from connectors.data.dataset import DEFAULT_TRUTH_DELAY_MS, Dataset, open_dataset

__all__ = ["DEFAULT_TRUTH_DELAY_MS", "Dataset", "open_dataset"]
