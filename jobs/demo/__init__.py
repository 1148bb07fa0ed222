"""The demo: the whole system once, from an empty folder to figures that were checked."""
