"""The page on a real socket, with the document of a made-up week behind it; the registry takes notes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from connectors.postgres.activation_record import ActivationRecord
from jobs.explaining.explanation import Explanation
from jobs.watching.page_routes import PageParts, page_router
from tests.unit.serving.conftest import live, services, serving
from tests.unit.watching import story
from udfs.domain.errors import RegistryError, SettingsError

__all__ = ["live", "services"]

TOKEN = "a token of this test"


class Watched:
    """A watch whose document is given; a new one is a new revision."""

    def __init__(self, document):
        self.held, self.revision, self.started, self.stopped = document, 1, 0, 0

    def document(self):
        return self.held

    def replace(self, document):
        self.held, self.revision = document, self.revision + 1

    def start(self):
        self.started += 1

    def stop(self):
        self.stopped += 1


class Noted:
    """MLflow and the registry's tables, as far as the page asks them: what is deployed is noted."""

    def __init__(self):
        self.tags, self.aliases = [], []

    def versions(self, model):
        return [SimpleNamespace(version=version) for version in ("1", "2")]

    def set_tags(self, model, version, tags):
        if version not in ("1", "2"):
            raise RegistryError(f"There is no version {version} of {model}.")
        self.tags.append((version, tags))

    def set_alias(self, model, role, version):
        self.aliases.append((model, role, version))

    def history(self, model):
        rows = [(3, "2", 0.95), (1, "1", 0.8)]
        return [
            ActivationRecord(seq, model, "champion", version, "d", threshold, 0, False, "ana", "", 0)
            for seq, version, threshold in rows
        ]


def explained(transaction_id):
    if transaction_id == "unknown":
        raise SettingsError("No topic holds the transaction 'unknown'; is it the whole identifier? See weir status.")
    event = {"partition": 1, "offset": 2, "event_time_ms": 1, "customer_id": "<b>c</b>", "amount": 3.5}
    return Explanation(transaction_id, event)


@pytest.fixture
def noted():
    return Noted()


@pytest.fixture
def watched():
    return Watched(story.document())


@pytest.fixture
def page(services, watched, noted):
    """Return a function that serves the page, with a token or without."""

    def serve(token=None):
        parts = PageParts(watched, noted, noted, story.MODEL, explained, token)
        return serving(services, token=token, routers=[page_router(parts)])

    return serve
