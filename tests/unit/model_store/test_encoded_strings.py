"""One-hot encoded and hashed strings: ours = River bit for bit, also after export, load, export and in another process."""

from __future__ import annotations

import json
import numbers
import os
import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from river import anomaly, compose, linear_model, optim, preprocessing

from model_store.admission import admit
from model_store.artifact import Artifact, digest
from model_store.compiled_scorer import load_scorer
from model_store.encoded_scorer import EncodedScorer
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from model_store.river_score import river_score
from udfs.domain.errors import ArtifactError
from udfs.domain.feature_set import FeatureSet

NUMBERS, STRINGS = ("amount", "hour", "risk"), ("country", "mcc")
OURS = FeatureSet(
    "shop", 1, ("amount", "country", "hour", "mcc", "risk"), ("amount", "country", "mcc"), strings=STRINGS
)
CATEGORIES = ["5411", "4829", "", "a b", "é", "never"]
VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 0.1, 1e16, 1e-300]))
VECTOR = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(NUMBERS, VALUES) | dict.fromkeys(STRINGS, st.sampled_from(CATEGORIES))
)
ENCODERS = {
    "one-hot": preprocessing.OneHotEncoder,
    "one-hot without zeros": lambda: preprocessing.OneHotEncoder(drop_zeros=True),
    "hashed": lambda: preprocessing.FeatureHasher(n_features=5, seed=3),
    "hashed without seed": lambda: preprocessing.FeatureHasher(n_features=1000),
}
NUMERIC = {
    "scaled": lambda: compose.SelectType(float) | preprocessing.StandardScaler(),
    "twice scaled": lambda: (
        compose.SelectType(numbers.Number) | preprocessing.StandardScaler() | preprocessing.MinMaxScaler()
    ),
    "bare": lambda: compose.SelectType(int, float),
    "none": lambda: None,
}
LAST = {
    "logistic": linear_model.LogisticRegression,
    "Adam": lambda: linear_model.LogisticRegression(optim.Adam(0.01)),
    "L1": lambda: linear_model.LogisticRegression(l1=0.01),
    "linear": linear_model.LinearRegression,
    "passive-aggressive": linear_model.PAClassifier,
    "ALMA": linear_model.ALMAClassifier,
}


def make(encoder: str, numeric: str, last: str, *, strings_first: bool = False):
    text, number = compose.SelectType(str) | ENCODERS[encoder](), NUMERIC[numeric]()
    if number is None:
        union = compose.TransformerUnion(text)
    else:
        union = compose.TransformerUnion(text, number) if strings_first else compose.TransformerUnion(number, text)
    return union | LAST[last]()


def ordered(vector):
    return {name: vector[name] for name in OURS.features if name in vector}


def bits(score):
    """The 64 bits; all NaN are one."""
    return "nan" if score != score else struct.pack("<d", score).hex()


def assert_same(model, data, xs):
    scorer, again = load_scorer(data), rebuild(data)
    assert isinstance(scorer, EncodedScorer)
    wanted = [bits(river_score(model, x, OURS.features)) for x in xs]
    assert [bits(score) for score in scorer.score(scorer.matrix(xs)).tolist()] == wanted
    assert [bits(scorer.score_one(x)) for x in xs] == wanted
    assert [bits(river_score(again, x, OURS.features)) for x in xs] == wanted


def exported(model):
    """Export; a model that River itself scores as NaN is refused and never deployed, so it is no example."""
    try:
        return export_artifact(model, OURS)
    except ArtifactError as refused:
        assume(refused.reason != "not_finite")
        raise


@settings(max_examples=300, deadline=None)
@given(
    encoder=st.sampled_from(list(ENCODERS)),
    numeric=st.sampled_from(list(NUMERIC)),
    last=st.sampled_from(list(LAST)),
    strings_first=st.booleans(),
    learned=st.lists(st.tuples(VECTOR, st.booleans()), max_size=25),
    scored=st.lists(VECTOR, max_size=15),
)
def test_any_model_on_strings_scores_and_learns_on_as_rivers(encoder, numeric, last, strings_first, learned, scored):
    model = make(encoder, numeric, last, strings_first=strings_first and not encoder.startswith("hashed"))
    for x, y in learned:
        model.learn_one({name: x[name] / 1e6 if name in NUMBERS else x[name] for name in ordered(x)}, y)
    data = exported(model)
    assert_same(model, data, scored)
    again = rebuild(data)
    assert digest(exported(again)) == digest(data)
    for x, y in learned[:5]:
        for each in (model, again):
            each.learn_one({name: x[name] / 1e6 if name in NUMBERS else x[name] for name in ordered(x)}, not y)
    assert digest(exported(again)) == digest(exported(model))
    assert_same(model, exported(model), scored)


def trained(encoder="one-hot", numeric="scaled", last="logistic", count=60):
    model = make(encoder, numeric, last)
    for at in range(count):
        model.learn_one(
            {"amount": at % 7 / 3, "country": "CH" if at % 3 else "DE", "hour": at % 24 / 24, "mcc": f"{at % 11}",
             "risk": 0.1}, at % 5 == 0,
        )  # fmt: skip
    return model


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_gate_admits_it_with_probes_on_known_and_unknown_strings(encoder):
    data = export_artifact(trained(encoder), OURS, probes=[{"amount": 1.0, "country": "FR", "mcc": "1"}])
    scorer = admit(data, digest(data), feature_sets={OURS.label: OURS.hash})
    assert scorer.features == OURS.features
    header = Artifact.decode(data).header
    assert header["feature_set"]["strings"] == list(STRINGS)
    assert {"FR", "never seen"} <= set(header["probe_texts"]["country"])
    assert header["cost_us"] < 100


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_with_another_hash_seed_trains_to_the_same_digest_and_scores_the_same(tmp_path, seed):
    script = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from tests.unit.model_store.test_encoded_strings import OURS, STRINGS, trained
from model_store.artifact import digest
from model_store.compiled_scorer import load_scorer
from model_store.export import export_artifact
found = {}
for encoder in ("one-hot", "one-hot without zeros", "hashed"):
    data = export_artifact(trained(encoder), OURS)
    found[encoder] = [digest(data), load_scorer(data).score_one({"amount": 3.0, "country": "CH", "mcc": "4"}).hex()]
print(json.dumps(found))
"""
    command = [sys.executable, "-c", script, json.dumps([os.getcwd(), *sys.path])]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    found = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    for encoder, said in found.items():
        data = export_artifact(trained(encoder), OURS)
        assert said == [digest(data), load_scorer(data).score_one({"amount": 3.0, "country": "CH", "mcc": "4"}).hex()]


REFUSED = {
    "Select, whose order is that of a set": lambda: (
        compose.Select("amount", "hour") + (compose.SelectType(str) | preprocessing.OneHotEncoder())
    ) | linear_model.LogisticRegression(),
    "a scaler behind the encoder": lambda: (
        (compose.SelectType(str) | preprocessing.OneHotEncoder()) + compose.SelectType(float)
    ) | preprocessing.StandardScaler() | linear_model.LogisticRegression(),
    "trees behind the encoder": lambda: (
        (compose.SelectType(str) | preprocessing.OneHotEncoder()) + compose.SelectType(float)
    ) | anomaly.HalfSpaceTrees(),
    "a dropped first category": lambda: (
        (compose.SelectType(str) | preprocessing.OneHotEncoder(drop_first=True)) + compose.SelectType(float)
    ) | linear_model.LogisticRegression(),
    "hashed strings in front of the numbers": lambda: make("hashed", "scaled", "logistic", strings_first=True),
    "encoded numbers": lambda: (
        (compose.SelectType(float) | preprocessing.OneHotEncoder())
        + (compose.SelectType(str) | preprocessing.OneHotEncoder())
    ) | linear_model.LogisticRegression(),
    "no encoder at all": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_form_as_data_is_refused_in_a_sentence(what):
    with pytest.raises(ArtifactError) as refused:
        export_artifact(REFUSED[what](), OURS)
    assert refused.value.reason == "unsupported_model"


def test_names_from_which_one_column_could_come_twice_are_refused():
    twins = SimpleNamespace(label="x@1", hash="00", features=("mcc", "mcc_1"), strings=("mcc",))
    with pytest.raises(ArtifactError, match="could give one column"):
        export_artifact(trained(), twins)


def edit(data, change):
    artifact = Artifact.decode(data)
    header = json.loads(json.dumps(artifact.header))
    change(header, header["model"]["steps"][0]["branches"])
    return Artifact(header, artifact.arrays).encode()


@pytest.mark.parametrize(
    ("encoder", "change"),
    [
        ("one-hot", lambda _, branches: branches[1]["steps"][1]["values"].append([5, ["x"]])),
        ("one-hot", lambda _, branches: branches[1]["steps"][1]["values"].append(["stranger", ["x"]])),
        ("one-hot", lambda _, branches: branches[0]["steps"].append(branches[1]["steps"][1])),
        ("one-hot", lambda _, branches: branches.append(branches[0])),
        ("one-hot", lambda _, branches: branches[1]["steps"][0].update(types=["float"])),
        ("one-hot", lambda _, branches: branches[1]["steps"][1].update(type="Imputer")),
        ("hashed", lambda _, branches: branches[1]["steps"][1].update(salt="zz")),
        ("hashed", lambda _, branches: branches[1]["steps"][1].update(n_features=0)),
        ("hashed", lambda header, _: header["model"]["steps"][1]["weights"].update(buckets=[99])),
        ("hashed", lambda header, _: header["probe_texts"].update(mcc=[])),
        ("hashed", lambda header, _: header["feature_set"].update(strings=["mcc"])),
    ],
)
def test_a_description_that_does_not_fit_is_refused_and_never_raises_anything_else(encoder, change):
    data = edit(export_artifact(trained(encoder), OURS), change)
    with pytest.raises(ArtifactError) as refused:
        admit(data, digest(data), feature_sets={OURS.label: OURS.hash})
    assert refused.value.reason in ("malformed", "unsupported_model", "unknown_kind", "probes")
