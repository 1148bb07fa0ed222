"""The tables job: one INSERT for each table, from the topic of its name."""
