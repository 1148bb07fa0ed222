"""The topics as SQL tables: one file each, and what connects them to Kafka."""
