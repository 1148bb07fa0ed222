"""Everything that talks to other systems: Kafka, Kafka Connect, PostgreSQL, files, and the local stack."""
