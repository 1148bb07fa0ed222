"""Pure streaming logic: no Flink, no Kafka, no clock, no environment."""
