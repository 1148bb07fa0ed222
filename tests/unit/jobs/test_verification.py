from __future__ import annotations

import random

import orjson
import pytest
from river import anomaly, compose, linear_model, preprocessing

from jobs.score_again import Scored, score_again
from jobs.verification import Selection, verify_scores
from model_store.artifact import digest
from model_store.export import export_artifact
from model_store.river_score import river_score
from udfs.domain.errors import ArtifactError
from udfs.domain.feature_set import FEATURE_SETS

HANDBOOK = FEATURE_SETS["handbook"]


def vectors(count):
    draw = random.Random(4)
    return [{name: round(draw.expovariate(0.01), 2) for name in HANDBOOK.features} for _ in range(count)]


@pytest.fixture(scope="module")
def recorded():
    """Return inferences of two versions as they come from Kafka, and the artifacts by digest."""
    trees = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(n_trees=3, height=4, window_size=50))
    line = compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    artifacts, inferences = {}, []
    for version, model in enumerate((trees, line), start=1):
        for number, vector in enumerate(vectors(200)):
            model.learn_one(vector, number % 9 == 0) if version == 2 else model.learn_one(vector)
        data = export_artifact(model, HANDBOOK)
        artifacts[digest(data)] = data
        inferences += [
            {
                "transaction_id": f"{version}-{number}",
                "role": "champion",
                "version": str(version),
                "digest": digest(data),
                # Another order than the model's: a map in Kafka or a table keeps none.
                "features": dict(sorted(vector.items(), reverse=True)),
                "score": river_score(model, vector, HANDBOOK.features),
                "prediction_time_ms": number,
            }
            for number, vector in enumerate(vectors(300))
        ]
    return orjson.loads(orjson.dumps(inferences)), artifacts


@pytest.mark.parametrize("fast", [False, True])
def test_every_score_comes_out_again_in_fresh_processes(recorded, fast):
    inferences, artifacts = recorded
    null = {**inferences[0], "score": None, "digest": None}
    result = verify_scores([*inferences, null], artifacts.__getitem__, fast=fast)
    assert (result.compared, result.mismatched, result.skipped) == (600, 0, 1)


def test_a_score_wrong_in_its_last_bit_is_found_and_shown(recorded, tmp_path):
    inferences, artifacts = recorded
    said = inferences[-1]
    (tmp_path / "a").write_bytes(artifacts[said["digest"]])
    wrong = said["score"] * (1 + 2**-52)
    batch = [
        Scored(said["transaction_id"], "champion", "2", said["features"], score) for score in (said["score"], wrong)
    ]
    (mismatch,) = score_again(tmp_path / "a", said["digest"], batch, fast=False)
    assert mismatch.recorded == wrong.hex()
    assert mismatch.again == said["score"].hex()
    assert mismatch.transaction_id == said["transaction_id"]


def test_bytes_that_are_not_those_of_the_digest_are_refused(recorded, tmp_path):
    inferences, artifacts = recorded
    first, second = artifacts
    with pytest.raises(ArtifactError) as error:
        verify_scores(inferences, {first: artifacts[second], second: artifacts[first]}.__getitem__)
    assert error.value.reason == "wrong_digest"


def test_a_sample_is_as_large_as_wanted_and_of_what_is_selected():
    said = [{"version": str(n % 3), "prediction_time_ms": n} for n in range(900)]
    drawn = list(Selection(since_ms=100, version="1", sample=50).of(said))
    assert len(drawn) == 50
    assert all(each["version"] == "1" and each["prediction_time_ms"] >= 100 for each in drawn)
    assert len({each["prediction_time_ms"] for each in drawn}) == 50
    assert len(list(Selection(sample=5_000).of(said))) == 900


def test_all_are_equally_likely_in_a_sample():
    said = [{"version": "1", "prediction_time_ms": n} for n in range(10)]
    counts = [0] * 10
    for _ in range(3_000):
        for each in Selection(sample=3).of(said):
            counts[each["prediction_time_ms"]] += 1
    assert all(750 < count < 1_050 for count in counts)
