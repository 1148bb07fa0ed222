-- The topics, read from their beginning to their present end: kafka.topics.inferences and so on.
CREATE CATALOG `kafka` WITH ('type' = 'generic_in_memory', 'default-database' = 'topics');
