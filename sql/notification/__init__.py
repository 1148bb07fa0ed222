"""Statements of the notifier on its queue, ``weir.notification``."""
