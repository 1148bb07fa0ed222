"""When to start a dead component again, and when to give up: a pure rule over the times of its deaths."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["RestartPolicy"]


@dataclass(slots=True)
class RestartPolicy:
    """At once after the first death, then with a doubling pause; too many within the window is the end.

    Parameters
    ----------
    limit
        Deaths within the window that mean: give up.
    window_s
        Seconds after which a death is forgotten.
    first_pause_s
        Pause before the second restart within a window; it doubles, up to ten seconds.

    Examples
    --------
    >>> policy = RestartPolicy(limit=3, window_s=60.0, first_pause_s=0.5)
    >>> [policy.pause_after_death(now) for now in (0.0, 1.0, 2.0)]
    [0.0, 0.5, None]
    >>> policy.pause_after_death(90.0)
    0.0
    """

    limit: int = 5
    window_s: float = 120.0
    first_pause_s: float = 0.5
    _deaths: list[float] = field(default_factory=list)

    def pause_after_death(self, now: float) -> float | None:
        """Note a death and return the seconds to wait before a new start, or None to give up.

        Parameters
        ----------
        now
            Seconds on any clock that only goes forward.
        """
        self._deaths = [*(death for death in self._deaths if now - death < self.window_s), now]
        count = len(self._deaths)
        if count >= self.limit:
            return None
        return 0.0 if count == 1 else min(self.first_pause_s * 2 ** (count - 2), 10.0)
