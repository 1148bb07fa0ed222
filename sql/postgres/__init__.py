"""The registry's tables as migrations: numbered files run once, in order; ``repeat_*.sql`` at every ``weir up``."""
