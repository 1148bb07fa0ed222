"""Whether the features the stream recorded are those a backfill gives."""
