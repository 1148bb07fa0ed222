from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.postgres.activation_record import ActivationRecord
from jobs.commands.promote import promote_version
from jobs.commands.rollback import previous_activation
from udfs.domain.errors import RegistryError

KNOWN = {"1", "2", "3"}


class Registry:
    """Writes down what is asked of MLflow."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def set_tags(self, model: str, version: str, tags: Mapping[str, str]) -> None:
        self.asked.append(("tags", model, version, dict(tags)))

    def set_alias(self, model: str, role: str, version: str) -> None:
        self.asked.append(("alias", model, role, version))


def row(seq: int, version: str, role: str = "champion", *, retired: bool = False, model: str = "m") -> ActivationRecord:
    return ActivationRecord(seq, model, role, version, "0" * 64, float(seq), 0, retired, "", "", 0)


def test_a_promotion_writes_tags_then_the_alias_and_no_more() -> None:
    registry = Registry()
    promote_version(registry, "m", "2", "shadow", threshold=0.1, effective_from_ms=5, why="try", force=True)
    (_, _, _, tags), alias = registry.asked
    assert isinstance(tags, dict)
    assert tags.pop("weir.who")
    assert tags == {
        "weir.why": "try", "weir.threshold": "0.1", "weir.effective_from_ms": "5", "weir.forced": "true",
    }  # fmt: skip
    assert alias == ("alias", "m", "shadow", "2")


def test_a_promotion_without_threshold_keeps_the_versions_own() -> None:
    registry = Registry()
    promote_version(registry, "m", "2")
    tags = registry.asked[0][3]
    assert isinstance(tags, dict)
    assert tags.pop("weir.forced") == "false", "it takes an earlier promotion's word back"
    assert set(tags) == {"weir.who", "weir.why"}


def test_going_back_finds_the_version_before_with_its_threshold() -> None:
    history = [row(5, "3"), row(4, "3"), row(3, "9", "shadow"), row(2, "2", model="other"), row(1, "1")]
    present, before = previous_activation(history, "m", "champion", KNOWN)
    assert (present.deployment_seq, before.deployment_seq, before.threshold) == (5, 1, 1.0)


def test_a_version_deployed_by_a_row_alone_is_skipped_because_no_alias_can_name_it() -> None:
    history = [row(3, "2"), row(2, "by-row"), row(1, "1")]
    assert previous_activation(history, "m", "champion", KNOWN)[1].version == "1"


def test_a_retirement_is_nothing_to_go_back_to() -> None:
    history = [row(3, "2", "shadow"), row(2, "1", "shadow", retired=True), row(1, "1", "shadow")]
    assert previous_activation(history, "m", "shadow", KNOWN)[1].deployment_seq == 1


@pytest.mark.parametrize(("history", "got"), [([], "none"), ([row(1, "1")], "only version 1")])
def test_without_a_version_before_going_back_is_a_sentence(history: list[ActivationRecord], got: str) -> None:
    with pytest.raises(RegistryError, match=f"m has had {got} as champion"):
        previous_activation(history, "m", "champion", KNOWN)
