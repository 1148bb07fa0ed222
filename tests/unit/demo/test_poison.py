"""A poisoned version looks right in every way but one: it does not score as it should."""

from __future__ import annotations

import pytest
from river import anomaly, compose, linear_model, preprocessing

from jobs.demo.poison import POISONED_VERSION, deploy_poison, poisoned
from model_store.admission import admit
from model_store.artifact import Artifact, digest
from model_store.export import export_artifact
from udfs.domain.errors import ArtifactError
from udfs.domain.feature_set import FEATURE_SETS

FEATURES = FEATURE_SETS["handbook"]
KNOWN = {FEATURES.label: FEATURES}


def trees():
    return compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(window_size=50, seed=1))


def regression():
    return compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())


@pytest.fixture(params=[trees, regression])
def artifact(request) -> bytes:
    model = request.param()
    for row in range(120):
        vector = {name: float((row * 7 + place * 3) % 11) for place, name in enumerate(FEATURES.features)}
        if request.param is trees:
            model.learn_one(vector)
        else:
            model.learn_one(vector, row % 5 == 0)
    return export_artifact(model, FEATURES, seed=1)


def test_only_the_probes_find_it(artifact):
    admit(artifact, digest(artifact), feature_sets=KNOWN)
    spoiled = poisoned(artifact)
    with pytest.raises(ArtifactError, match=r"^probes: \d+ of \d+ differ; probe 0 scores 0\.\d+, recorded") as refused:
        admit(spoiled, digest(spoiled), feature_sets=KNOWN)
    assert refused.value.reason == "probes"
    assert Artifact.decode(spoiled).header == Artifact.decode(artifact).header


def test_it_is_deployed_as_rows_that_keep_the_contract(artifact):
    class Store:
        def insert_artifact(self, data):
            self.data = data
            return digest(data)

        def activate(self, *where, **how):
            self.row = (where, how)

    store = Store()
    name = deploy_poison(store, "fraud", artifact)
    assert name == digest(store.data) != digest(artifact)
    assert store.row[0] == ("fraud", POISONED_VERSION, name)
    assert store.row[1]["role"] == "champion"
