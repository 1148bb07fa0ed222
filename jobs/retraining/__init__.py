"""The loop that closes: versions trained from the tables, deployed as challengers, promoted or given up by a policy."""
