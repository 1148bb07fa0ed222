"""Everything known about one transaction, looked up where its key, its place or its time says."""
