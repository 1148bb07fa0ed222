"""When two features are the same number."""

from __future__ import annotations

import math

__all__ = ["agree"]

TOLERANCE = 1e-9


def agree(one: float, other: float) -> bool:
    """Whether two features agree within 1e-9, relative or absolute.

    Examples
    --------
    >>> agree(0.1 + 0.2, 0.3), agree(1.0, 2.0)
    (True, False)
    """
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
