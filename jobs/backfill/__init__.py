"""Features of recorded transactions, made by the same functions as in the stream, point in time and in parallel."""
