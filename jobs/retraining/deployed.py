"""Who plays which role when ``weir retrain`` looks."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.postgres.activation_record import ActivationRecord
from connectors.postgres.metadata_store import MetadataStore
from jobs.commands.rollback import previous_activation
from model_store.registry import Registry
from udfs.domain.errors import RegistryError

__all__ = ["Deployed"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The activations that count.

    Parameters
    ----------
    champion, predecessor, challenger
        None where there is none; the predecessor was champion before.
    """

    champion: ActivationRecord | None
    predecessor: ActivationRecord | None
    challenger: ActivationRecord | None

    @staticmethod
    def of(registry: Registry, store: MetadataStore, model: str, role: str) -> Deployed:
        """Read them.

        Raises
        ------
        RegistryError, ConnectionLostError
            As the registry and its tables raise them.
        """
        roles = {each.role: each for each in store.deployments(model) if not each.retired}
        champion = roles.get("champion")
        predecessor = None
        if champion is not None:
            known = {each.version for each in registry.versions(model)}
            try:
                predecessor = previous_activation(store.history(model), model, "champion", known)[1]
            except RegistryError:
                predecessor = None  # it is the first
        challenger = roles.get(role)
        if champion is not None and challenger is not None and challenger.version == champion.version:
            challenger = None  # promoted by hand; the alias was left where it was
        return Deployed(champion, predecessor, challenger)
