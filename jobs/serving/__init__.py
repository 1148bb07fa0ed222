"""The interactive API: the same versions answer a person or a program at once."""
