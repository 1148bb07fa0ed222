"""Reports: what a person looks at when a stream has run."""
