"""Every reason for which a test may be skipped; ``tests/conftest.py`` fails a skip for any other."""

from __future__ import annotations

NOT_ROOT = "only root has to hand PostgreSQL to another account"
NO_CHROMIUM = "no chromium and chromedriver here; on Debian: apt-get install chromium chromium-driver"
NO_SECOND_BROKER = "starts a second broker, which is much for two cores; WEIR_SECURED_KAFKA=1 runs it"

ALLOWED_SKIPS = frozenset({NOT_ROOT, NO_CHROMIUM, NO_SECOND_BROKER})


def is_allowed(longrepr: object) -> bool:
    """Tell whether what pytest says of a skipped test (file, line, "Skipped: REASON") names an allowed reason.

    >>> is_allowed(("t.py", 1, f"Skipped: {NO_CHROMIUM}")), is_allowed(("t.py", 1, "Skipped: too slow today"))
    (True, False)
    """
    said = longrepr[-1] if isinstance(longrepr, tuple) else str(longrepr)
    return str(said).removeprefix("Skipped: ") in ALLOWED_SKIPS
