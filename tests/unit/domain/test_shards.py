import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.errors import SettingsError
from udfs.domain.shards import Shards


@pytest.mark.parametrize(
    ("count", "first"),
    [(1, ("s0",)), (7, ("s8", "s6", "s10", "s1")), (32, ("s47", "s22", "s9", "s31")), (128, ("s126", "s283", "s485"))],
)
def test_keys_are_those_the_jvm_of_flink_2_3_puts_into_group_0_1_2(count, first):
    # Recorded from KeyGroupRangeAssignment.assignToKeyGroup(Row.of(key), count), which agreed for every group.
    assert Shards(count).keys[: len(first)] == first


@pytest.mark.parametrize("count", [1, 2, 32, 128, 1_000])
def test_every_key_group_has_one_key_of_its_own(count):
    keys = Shards(count).keys
    assert len(keys) == count
    assert len(set(keys)) == count


@given(st.text(), st.integers(1, 64))
def test_an_entity_always_has_the_same_shard(entity, count):
    assert Shards(count).of(entity) == Shards(count).of(entity)
    assert Shards(count).of(entity) in Shards(count).keys


def test_a_shard_does_not_depend_on_the_process():
    code = "from udfs.domain.shards import Shards; print(Shards(32).of('customer 17'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == Shards(32).of("customer 17")


def test_entities_spread_over_all_shards():
    shards = Shards(32)
    sizes = dict.fromkeys(shards.keys, 0)
    for number in range(32_000):
        sizes[shards.of(f"customer {number}")] += 1
    assert min(sizes.values()) > 800
    assert max(sizes.values()) < 1_200


@pytest.mark.parametrize("count", [0, -1, 32_769])
def test_a_count_that_flink_does_not_take_is_refused_with_its_bounds(count):
    with pytest.raises(SettingsError, match=rf"between 1 and 32768, got {count}"):
        Shards(count)
