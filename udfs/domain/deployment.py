"""Which version holds which role, as the scorers see it: a pure value that verdicts of the gate change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from udfs.domain.metadata import Activation
from udfs.domain.state_schema import check_schema

__all__ = ["CHAMPION", "Deployment"]

CHAMPION = "champion"
HISTORY = 16  # activations kept per role, for activation by event time and for a previous champion


@dataclass(frozen=True, slots=True)
class Deployment:
    """The accepted activations of each role, oldest first, and how far the metadata has been read.

    Parameters
    ----------
    seen_seq
        The greatest deployment_seq the gate has judged; scorers wait for it at a cold start.
    roles
        Role name to its accepted activations. A retired challenger has none; the champion is never retired to nothing.

    Examples
    --------
    >>> first = Activation(1, "fraud", "champion", "1", "d1", None, 0, False)
    >>> later = Activation(2, "fraud", "champion", "2", "d2", None, 5_000, False)
    >>> deployment = Deployment().accept(first).accept(later)
    >>> deployment.active("champion").version
    '2'
    >>> deployment.active_at("champion", 4_999).version
    '1'
    """

    seen_seq: int = 0
    roles: Mapping[str, tuple[Activation, ...]] = field(default_factory=dict)

    def saw(self, deployment_seq: int) -> Deployment:
        """Return the same roles with ``seen_seq`` moved forward, never back."""
        return replace(self, seen_seq=max(self.seen_seq, deployment_seq))

    def accept(self, activation: Activation) -> Deployment:
        """Return the deployment after a verdict of the gate; an older or replayed row changes nothing."""
        history = self.roles.get(activation.role, ())
        if history and activation.deployment_seq <= history[-1].deployment_seq:
            return self.saw(activation.deployment_seq)
        roles = dict(self.roles)
        if not activation.retired:
            roles[activation.role] = (*history, activation)[-HISTORY:]
        elif activation.role != CHAMPION:
            roles.pop(activation.role, None)
        return replace(self.saw(activation.deployment_seq), roles=roles)

    def active(self, role: str) -> Activation | None:
        """Return the newest activation of a role."""
        history = self.roles.get(role, ())
        return history[-1] if history else None

    def active_at(self, role: str, event_time_ms: int) -> Activation | None:
        """Return the activation with the greatest ``effective_from_ms`` not after the event (for replays)."""
        best: Activation | None = None
        for activation in self.roles.get(role, ()):
            if activation.effective_from_ms <= event_time_ms and (
                best is None or activation.effective_from_ms >= best.effective_from_ms
            ):
                best = activation
        return best

    def newest_first(self, role: str, event_time_ms: int | None = None) -> list[Activation]:
        """Return a role's activations, the one to be asked first; with a time, those in force then, in their order."""
        history = list(reversed(self.roles.get(role, ())))
        if event_time_ms is None:
            return history
        due = [each for each in history if each.effective_from_ms <= event_time_ms]
        return sorted(due, key=lambda each: -each.effective_from_ms)

    @property
    def live_roles(self) -> tuple[str, ...]:
        """Roles with a version: the champion first, then the challengers by name."""
        return tuple(sorted(self.roles, key=lambda role: (role != CHAMPION, role)))

    @property
    def digests(self) -> frozenset[str]:
        """Digests of all artifacts that may still be asked to score."""
        return frozenset(activation.digest for history in self.roles.values() for activation in history)

    def to_json(self) -> bytes:
        """Write the deployment for broadcast state."""
        roles = {role: [a.to_json().decode() for a in history] for role, history in self.roles.items()}
        return orjson.dumps({"schema": 1, "seen_seq": self.seen_seq, "roles": roles})

    @classmethod
    def from_json(cls, data: bytes) -> Deployment:
        """Read what :meth:`to_json` wrote; raises JobError for another schema."""
        value = orjson.loads(data)
        check_schema(value["schema"], 1, "the deployment")
        roles = {role: tuple(Activation.from_json(a) for a in history) for role, history in value["roles"].items()}
        return cls(value["seen_seq"], roles)
