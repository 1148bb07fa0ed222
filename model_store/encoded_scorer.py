"""Scores a linear model whose strings are one-hot encoded or hashed, with River's bits, at a part of River's time.

River makes a dictionary of every category it ever saw for each event. Here a string is one lookup, and only what is not
zero is added, in River's order. It is plain Python: the dictionary of an event has a few dozen entries that are not zero.

In a matrix a string is a number: its place among the categories the model knows, one past the last for any other; its
bucket where strings are hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import utils

from model_store.artifact import Artifact
from model_store.encoder_state import HASHER, decode_union, is_text
from model_store.linear_state import decode_linear, is_regression
from model_store.reason import Reason
from model_store.river_model import MISFITS, steps_of
from model_store.river_parts import RiverModel
from model_store.scaler_state import scale_of
from udfs.domain.errors import ArtifactError

__all__ = ["EncodedScorer"]

_Terms = Callable[[list[float], list[tuple[int, float]]], int]
"""Appends (position of the weight, product) of a row's entries; returns how many entries River's dictionary has."""
_MISSING = float("nan")
_UNKNOWN = -1
MOST_HASHES = 65_536
"""Hashes of strings that are remembered; then they are forgotten all at once."""


class EncodedScorer:
    """A linear model behind an encoder of strings; see :class:`model_store.scorer.Scorer`.

    Parameters
    ----------
    artifact
        A decoded artifact of kind ``linear`` whose first step is a union.
    artifact_digest
        The sha256 of the bytes it was decoded from.

    Raises
    ------
    ArtifactError
        ``unknown_kind``, ``malformed`` or ``not_finite``.
    """

    kind = "linear"
    warm = True

    def __init__(self, artifact: Artifact, artifact_digest: str) -> None:
        self.digest, self.header = artifact_digest, artifact.header
        try:
            self.features, (union, linear) = steps_of(artifact)
            strings = set(artifact.header["feature_set"].get("strings", ()))
            self._codes: list[Callable[[str], float] | None] = [None] * len(self.features)
            self._texts = [at for at, name in enumerate(self.features) if name in strings]
            self._read_weights(linear, artifact.arrays)
            # Of a ChainMap, as River's union is, the last mapping's keys come first.
            self._branches = [
                self._strings(branch, f"0.{number}", artifact.arrays)
                if is_text(branch)
                else self._numbers(branch, f"0.{number}", artifact.arrays)
                for number, branch in reversed(list(enumerate(union["branches"])))
            ]
        except MISFITS as error:
            detail = f"the model does not fit its description: {error!r:.200}"
            raise ArtifactError(Reason.MALFORMED, detail) from error

    def matrix(self, vectors: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        """Lay vectors out as rows; what a vector lacks becomes NaN, strings become codes."""
        rows = [self._row(vector) for vector in vectors]
        return np.array(rows, dtype=np.float64).reshape(len(vectors), len(self.features))

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Score rows as :meth:`matrix` makes them."""
        return np.array([self._score(row) for row in matrix.tolist()], dtype=np.float64)

    def score_one(self, vector: Mapping[str, Any]) -> float:
        """Score one vector; names the model does not know are ignored, features it lacks are missing."""
        return self._score(self._row(vector))

    def reasons(self, vector: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """Give none: attributions are not built for encoded strings."""
        return "none", []

    def _read_weights(self, linear: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        model = decode_linear(linear, "1", arrays)
        weights = dict(model.weights if hasattr(model, "weights") else model.w)
        self._weights = {key: (position, float(weight)) for position, (key, weight) in enumerate(weights.items())}
        self._intercept = float(getattr(model, "intercept", 0.0))
        if not np.isfinite(self._intercept):
            raise ArtifactError(Reason.NOT_FINITE, "the intercept is NaN or infinite")
        self._skips_unknown = not hasattr(model, "_weights")
        self._sigmoid = not is_regression(model)

    def _numbers(self, branch: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> _Terms:
        scales = [
            scale_of(step, f"{prefix}.{at}", arrays, self.features)
            for at, step in enumerate(branch["steps"][1:], start=1)
        ]
        columns = [
            (at, *self._weights.get(name, (_UNKNOWN, 0.0)), [(float(o[at]), float(d[at])) for o, d in scales])
            for at, name in enumerate(self.features)
            if at not in self._texts
        ]
        skips = self._skips_unknown

        def terms(row: list[float], out: list[tuple[int, float]]) -> int:
            present = 0
            for at, position, weight, scaled in columns:
                x = row[at]
                if x != x:
                    continue
                present += 1
                for offset, divisor in scaled:
                    x = (x - offset) / divisor if divisor != 0.0 else 0.0  # River's safe_div
                if position >= 0 or not skips:
                    out.append((position, x * weight))
            return present

        return terms

    def _strings(self, branch: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> _Terms:
        union = decode_union({"branches": [branch]}, prefix.rpartition(".")[0], arrays)
        encoder = list(next(iter(union.transformers.values())).steps.values())[-1]
        hashed = branch["steps"][-1]["type"] == HASHER
        return self._hashed(encoder) if hashed else self._one_hot(encoder)

    def _hashed(self, hasher: RiverModel) -> _Terms:
        for at in self._texts:
            self._codes[at] = _bucket(hasher, self.features[at])

        def terms(row: list[float], out: list[tuple[int, float]]) -> int:
            counts: dict[int, int] = {}
            for at in self._texts:
                if row[at] == row[at]:
                    bucket = int(row[at])
                    counts[bucket] = counts.get(bucket, 0) + 1
            for bucket, count in counts.items():
                position, weight = self._weights.get(bucket, (_UNKNOWN, 0.0))
                out.append((position, count * weight))
            return len(counts)

        return terms

    def _one_hot(self, encoder: RiverModel) -> _Terms:
        strangers = [name for name in encoder.values if name not in {self.features[at] for at in self._texts}]
        if strangers:
            raise ArtifactError(Reason.MALFORMED, f"the encoder knows {strangers[0]!r:.60}, which is no string feature")
        tables: dict[int, list[tuple[int, float, bool]]] = {}
        for at in self._texts:
            name = self.features[at]
            seen = sorted(encoder.values.get(name, ()))
            more = [key.removeprefix(f"{name}_") for key in self._weights if str(key).startswith(f"{name}_")]
            known = list(dict.fromkeys([*seen, *more]))
            tables[at] = [
                (*self._weights.get(f"{name}_{text}", (_UNKNOWN, 0.0)), index < len(seen))
                for index, text in enumerate(known)
            ]
            tables[at].append((_UNKNOWN, 0.0, False))
            self._codes[at] = _place({text: float(index) for index, text in enumerate(known)})
        place = {name: at for at, name in enumerate(self.features)}
        in_order_of_sight = [place[name] for name in encoder.values]
        always = sum(len(seen) for seen in encoder.values.values())

        def terms(row: list[float], out: list[tuple[int, float]]) -> int:
            # The dictionary begins with all that was ever seen, by feature; what never was comes behind it.
            for at in in_order_of_sight:
                if row[at] == row[at] and (entry := tables[at][int(row[at])])[2]:
                    out.append(entry[:2])
            present = always
            for at in self._texts:
                if row[at] == row[at] and not (entry := tables[at][int(row[at])])[2]:
                    present += 1
                    out.append(entry[:2])
            return present

        return terms

    def _row(self, vector: Mapping[str, Any]) -> list[float]:
        row = []
        for name, code in zip(self.features, self._codes, strict=True):
            value = vector.get(name)
            if code is None:
                row.append(_MISSING if value is None else float(value))
            else:
                row.append(code(value) if isinstance(value, str) else _MISSING)
        return row

    def _score(self, row: list[float]) -> float:
        terms: list[tuple[int, float]] = []
        present = sum(branch(row, terms) for branch in self._branches)
        if present >= len(self._weights):  # River walks the shorter dictionary, the weights' when they are as many
            terms = sorted(term for term in terms if term[0] >= 0)
        total = 0.0
        for _, product in terms:
            total += product
        total += self._intercept
        return float(utils.math.sigmoid(total)) if self._sigmoid else total


def _bucket(hasher: RiverModel, name: str) -> Callable[[str], float]:
    """Return River's hash of a feature's strings, remembered."""
    known: dict[str, float] = {}

    def code(text: str) -> float:
        found = known.get(text)
        if found is None:
            if len(known) >= MOST_HASHES:
                known.clear()
            found = known[text] = float(hasher._hash(f"{name}={text}") % hasher.n_features)  # noqa: SLF001
        return found

    return code


def _place(known: Mapping[str, float]) -> Callable[[str], float]:
    """Return the place of a string among the known ones, one past the last for any other."""
    other = float(len(known))
    return lambda text: known.get(text, other)
