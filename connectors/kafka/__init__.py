"""Kafka: the topics of the contract, a producer of datasets, and a reader of whole topics."""
