"""What the gate has accepted, ready to score, outside the job: the API follows ``weir.metadata`` with it.

It runs the same gate over the same rows as the job does, so both come to the same verdicts. One thread feeds it; any
thread may read :attr:`LiveVersions.current`, which is a value that is replaced and never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model_store.admission import admit
from model_store.gate import Gate, ModelEvent, Ruling
from model_store.loaded_version import LoadedVersion
from model_store.obey_verdict import obey_verdict
from udfs.domain.deployment import Deployment
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import Activation, ArtifactPart, FeatureDefinition, parse_metadata

__all__ = ["LiveVersions", "Loaded"]

PATIENCE_MS = 10_000
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Loaded:
    """A deployment with everything it names.

    Parameters
    ----------
    deployment
        Which activation holds which role, and the accepted ones before it.
    versions
        The loaded version of each of its activations, by digest.
    """

    deployment: Deployment = field(default_factory=Deployment)
    versions: Mapping[str, LoadedVersion] = field(default_factory=dict)

    def activations(self) -> list[Activation]:
        """Return all accepted activations whose version is loaded, the newest first."""
        found = [each for history in self.deployment.roles.values() for each in history]
        return sorted(found, key=lambda each: -each.deployment_seq)

    def live(self) -> list[Activation]:
        """Return the activation of each live role, the champion's first."""
        active = (self.deployment.active(role) for role in self.deployment.live_roles)
        return [each for each in active if each is not None]


class LiveVersions:
    """Follows metadata records and keeps the accepted versions loaded.

    Parameters
    ----------
    model
        The one registered model of this stream.
    patience_ms
        How long an activation may wait for its artifact; the job's own value.
    trusted_keys
        Public keys one of which must have signed an artifact; the job's own value, too.

    Attributes
    ----------
    current
        The newest deployment with its versions.
    events
        The newest hundred things the gate said, oldest first.
    """

    def __init__(self, model: str, patience_ms: int = PATIENCE_MS, trusted_keys: str = "") -> None:
        self.model = model
        self.current = Loaded()
        self.events: tuple[ModelEvent, ...] = ()
        self._gate = Gate(
            {},
            model=model,
            feature_sets=FeatureCatalog(),
            admit=admit,
            patience_ms=patience_ms,
            trusted_keys=trusted_keys,
        )

    def take(self, value: str | None, now_ms: int) -> None:
        """Judge one record of ``weir.metadata``; one that is none changes nothing (the job reports it)."""
        row = parse_metadata(value)
        if isinstance(row, ArtifactPart):
            self._obey(self._gate.part_arrived(row))
        elif isinstance(row, Activation):
            self._obey(self._gate.activation_arrived(row, now_ms))
        elif isinstance(row, FeatureDefinition):
            self._obey(self._gate.definition_arrived(row))

    def time_passed(self, now_ms: int) -> None:
        """Give up on artifacts that did not come in time."""
        if self._gate.waits:
            self._obey(self._gate.time_passed(now_ms))

    def _obey(self, ruling: Ruling) -> None:
        deployment, versions = self.current.deployment, dict(self.current.versions)
        for verdict in ruling.verdicts:
            deployment, artifact, unneeded = obey_verdict(deployment, verdict)
            digest = verdict.activation.digest
            if artifact is not None and digest not in versions:
                versions[digest] = LoadedVersion.load(artifact)
            for each in unneeded:
                del versions[each]
        if ruling.verdicts:
            self.current = Loaded(deployment, versions)
        self.events = (*self.events, *ruling.events)[-MOST_EVENTS:]
