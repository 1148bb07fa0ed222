"""Watching: one document about the stream and its models, for the page, its events and the report."""
