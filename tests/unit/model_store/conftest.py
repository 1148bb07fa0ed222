"""Factories: feature sets, vectors, trained models, and artifacts that were tampered with."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from river import anomaly, linear_model, optim, preprocessing

from model_store.artifact import Artifact
from model_store.export import export_artifact

FEATURES = ("amount", "hour", "count", "mean", "risk")
OPTIMIZERS = {
    "SGD": lambda: optim.SGD(0.05),
    "SGD with a falling rate": lambda: optim.SGD(optim.schedulers.InverseScaling(0.3)),
    "SGD with Optimal": lambda: optim.SGD(optim.schedulers.Optimal(optim.losses.Log())),
    "Momentum": lambda: optim.Momentum(0.05),
    "Nesterov": lambda: optim.NesterovMomentum(0.05),
    "AdaGrad": lambda: optim.AdaGrad(0.05),
    "AdaDelta": lambda: optim.AdaDelta(),
    "RMSProp": lambda: optim.RMSProp(0.05),
    "Adam": lambda: optim.Adam(0.05),
    "AdaMax": lambda: optim.AdaMax(0.05),
    "Nadam": lambda: optim.Nadam(0.05),
    "AMSGrad": lambda: optim.AMSGrad(0.05),
    "FTRL": lambda: optim.FTRLProximal(),
}
LAST_STEPS = {
    "trees": lambda: anomaly.HalfSpaceTrees(n_trees=4, height=4, window_size=20, seed=7),
    "low trees": lambda: anomaly.HalfSpaceTrees(n_trees=3, height=1, window_size=5, seed=1),
    "trees with limits": lambda: anomaly.HalfSpaceTrees(
        n_trees=5, height=3, window_size=10, seed=3, limits={"amount": (-2, 5), "hour": (-1.0, 1.0)}
    ),
    "perceptron": lambda: linear_model.Perceptron(l2=0.01),
    "linear regression": lambda: linear_model.LinearRegression(loss=optim.losses.Huber(), intercept_lr=0.1),
    "L1": lambda: linear_model.LogisticRegression(l1=0.01),
    "L2 and weights": lambda: linear_model.LogisticRegression(l2=0.1, loss=optim.losses.Log(weight_pos=5.0)),
    "passive-aggressive classifier": lambda: linear_model.PAClassifier(C=0.1, mode=2),
    "passive-aggressive regressor": lambda: linear_model.PARegressor(eps=0.05),
    "ALMA": lambda: linear_model.ALMAClassifier(),
} | {name: lambda make=make: linear_model.LogisticRegression(make()) for name, make in OPTIMIZERS.items()}
SCALERS = {
    "none": list,
    "min-max": lambda: [preprocessing.MinMaxScaler()],
    "standard": lambda: [preprocessing.StandardScaler()],
    "centred": lambda: [preprocessing.StandardScaler(with_std=False)],
    "max-abs": lambda: [preprocessing.MaxAbsScaler()],
    "standard, min-max": lambda: [preprocessing.StandardScaler(), preprocessing.MinMaxScaler()],
}


def make_model(last, scaler="none"):
    """An untrained model by the names above."""
    model = LAST_STEPS[last]()
    for step in reversed(SCALERS[scaler]()):
        model = step | model
    return model


def vectors(count, seed, missing=0.0, features=FEATURES):
    """Vectors like those of transactions: some values big, some constant, some repeated, some missing."""
    rng = random.Random(seed)
    drawn = {
        "amount": lambda: rng.expovariate(0.01),
        "hour": lambda: float(rng.randrange(24)),
        "count": lambda: 3.0,
        "mean": lambda: rng.gauss(0.0, 1e-3),
        "risk": lambda: rng.choice([0.0, -0.0, 0.5, 1.0]),
    }
    return [{name: drawn.get(name, rng.random)() for name in features if rng.random() >= missing} for _ in range(count)]


def learn(model, xs, seed=0):
    """Learn each vector with a label that follows from the seed."""
    rng = random.Random(seed)
    for x in xs:
        if "HalfSpaceTrees" in str(model):
            model.learn_one(x)
        else:
            model.learn_one(x, rng.random() < 0.3)
    return model


@pytest.fixture
def feature_set():
    return SimpleNamespace(name="test", label="test@1", hash="ab" * 32, features=FEATURES)


@pytest.fixture
def trees(feature_set):
    """The artifact of warm half-space trees behind a scaler."""
    model = learn(make_model("trees", "min-max"), vectors(50, seed=1))
    return export_artifact(model, feature_set, seed=7, trained_until_ms=1000)


@pytest.fixture
def linear(feature_set):
    """The artifact of a logistic regression behind a scaler."""
    return export_artifact(learn(make_model("Adam", "standard"), vectors(50, seed=1)), feature_set)


@pytest.fixture
def tampered():
    """Change a decoded artifact and encode it again, as an attacker or a bug would: checksum and digest fit."""

    def change(data, edit):
        artifact = Artifact.decode(data)
        copy = Artifact(artifact.header, {name: array.copy() for name, array in artifact.arrays.items()})
        edit(copy.header, copy.arrays)
        return copy.encode()

    return change


@pytest.fixture
def factory():
    """The functions and tables of this file, for tests that make models of their own."""
    return SimpleNamespace(
        make_model=make_model, vectors=vectors, learn=learn, last_steps=LAST_STEPS, scalers=SCALERS, features=FEATURES
    )
