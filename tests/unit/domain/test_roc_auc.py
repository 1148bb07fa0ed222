"""The ROC AUC accumulator against scikit-learn: exact where it says so, within its published bound elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from udfs.domain.auc_interval import auc_interval, auc_variance
from udfs.domain.errors import JobError
from udfs.domain.roc_auc import AucResult, RocAuc

NEGATIVES, POSITIVES = 100_000, 200
EXACT_1 = (
    "0100004000000008000004000000010100009a9999999999b93f666666666666d63f9a9999999999d93f9a9999999999e93f0001"
    "010101000100"
)
MERGED_1 = (
    "0101040000000300000003000000010100009a9999999999b93f333333333333d33f000000000000e03f9a9999999999c93f9a9999999999d93f"
    "333333333333e33f000102020100"
)


def _calibrated(rng):
    """Probabilities of rare fraud: nearly all scores close to zero."""
    return rng.beta(0.5, 200, NEGATIVES), rng.beta(1.0, 30, POSITIVES)


def _spread(rng):
    return rng.random(NEGATIVES), rng.beta(3, 1.5, POSITIVES)


def _half_space_trees(rng):
    """A whole number of masses over a fixed maximum: few distinct values, one of them very common."""
    negatives = np.minimum(rng.poisson(40, NEGATIVES) ** 2, 2500) * (rng.random(NEGATIVES) < 0.7)
    return 1 - negatives / 25_000, 1 - rng.poisson(20, POSITIVES) ** 2 / 25_000


def _sample(make, seed=7):
    rng = np.random.default_rng(seed)
    negatives, positives = make(rng)
    scores = np.concatenate((negatives, positives))
    labels = np.concatenate((np.zeros(NEGATIVES, np.int64), np.ones(POSITIVES, np.int64)))
    order = rng.permutation(len(scores))
    return scores[order], labels[order]


KINDS = pytest.mark.parametrize("make", [_calibrated, _spread, _half_space_trees])


@KINDS
def test_it_is_scikit_learns_within_1e_12_while_exact(make):
    scores, labels = _sample(make)
    auc = RocAuc(limit=10**6)
    for part in np.array_split(np.arange(len(scores)), 37):
        auc.update_many(scores[part], labels[part])
    result = auc.get()
    assert auc.exact
    assert result.error_bound == 0.0
    assert result.roc_auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert (result.positives, result.negatives) == (POSITIVES, NEGATIVES)


@KINDS
@pytest.mark.parametrize("parts", [1, 40, 2000])
@pytest.mark.parametrize("order", ["shuffled", "positives last", "rising scores"])
def test_merged_it_is_scikit_learns_within_its_bound_and_the_bound_is_small(make, parts, order):
    scores, labels = _sample(make)
    if order != "shuffled":
        by = np.argsort(labels if order == "positives last" else scores, kind="stable")
        scores, labels = scores[by], labels[by]
    auc = RocAuc()
    for part in np.array_split(np.arange(len(scores)), parts):
        auc.update_many(scores[part], labels[part])
    result = auc.get()
    true = roc_auc_score(labels, scores)
    assert abs(result.roc_auc - true) <= result.error_bound + 1e-12
    assert result.error_bound < 0.001
    assert auc.exact == (len(np.unique(scores)) <= 16384)
    assert auc.exact or len(auc) <= 2048
    assert result.ci_low < true < result.ci_high


def test_labels_that_come_late_and_are_corrected_leave_the_bound_small():
    scores, labels = _sample(_spread)
    wrong = np.where(np.random.default_rng(1).random(len(labels)) < 0.05, 1 - labels, labels)
    auc = RocAuc()
    auc.update_many(scores, wrong)
    changed = wrong != labels
    auc.update_many(scores[changed], wrong[changed], -np.ones(changed.sum()))
    auc.update_many(scores[changed], labels[changed])
    result = auc.get()
    assert (result.positives, result.negatives) == (POSITIVES, NEGATIVES)
    assert abs(result.roc_auc - roc_auc_score(labels, scores)) <= result.error_bound < 0.001


def test_a_million_distinct_scores_take_a_bounded_state():
    rng = np.random.default_rng(3)
    auc = RocAuc()
    most = 0
    for _ in range(100):
        scores = rng.random(10_000)
        auc.update_many(scores, rng.random(10_000) < 0.002 + 0.01 * scores)
        most = max(most, len(auc.encode()))
    assert not auc.exact
    assert len(auc.encode()) < 64 * 1024
    assert most < 400 * 1024
    assert auc.get().error_bound < 0.001


def test_the_fullest_exact_state_is_under_400_kib():
    auc = RocAuc()
    auc.update_many(np.arange(16384.0), np.arange(16384) % 2, np.full(16384, 2**40))
    assert auc.exact
    assert len(auc.encode()) < 400 * 1024


CHANGES = st.lists(
    st.tuples(st.sampled_from([0.0, -0.0, 0.1, 0.1 + 1e-17, 0.5, 1.0, -3.5, 1e300]), st.booleans()), max_size=40
)


@given(added=CHANGES, removed=CHANGES, seed=st.integers(0, 2**32 - 1))
def test_taking_scores_back_leaves_exactly_what_is_left(added, removed, seed):
    """Also the bytes: an accumulator remembers nothing of what was taken back."""
    changes = [(score, label, 1) for score, label in added + removed] + [(score, label, -1) for score, label in removed]
    order = np.random.default_rng(seed).permutation(len(changes))
    auc, plain = RocAuc(), RocAuc()
    for at in order:
        auc.update(*changes[at])
    if added:
        plain.update_many(*zip(*added, strict=True))
    assert auc.encode() == plain.encode()
    assert auc.get() == plain.get()


@given(pairs=st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()), min_size=1, max_size=60), bins=st.integers(1, 8))
def test_the_bound_holds_for_any_scores_however_few_bins(pairs, bins):
    auc = RocAuc(limit=bins, bins=bins)
    for score, label in pairs:
        auc.update(score, label)
    result = RocAuc.decode(auc.encode()).get()
    assert result == auc.get()
    positives = [score for score, label in pairs if label]
    negatives = [score for score, label in pairs if not label]
    if not positives or not negatives:
        assert result.roc_auc is None
        return
    wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    assert abs(result.roc_auc - wins / len(positives) / len(negatives)) <= result.error_bound + 1e-12
    assert auc.exact or len(auc) <= bins


@pytest.mark.parametrize(
    ("labels", "reason"), [([], "no_labels"), ([0, 0], "no_positives"), ([1, 1, 1], "no_negatives")]
)
def test_without_both_classes_it_is_null_with_a_reason(labels, reason):
    auc = RocAuc()
    auc.update_many(np.arange(len(labels)), labels)
    assert auc.get() == AucResult(None, reason, None, None, None, sum(labels), len(labels) - sum(labels))


def test_all_taken_back_is_no_labels_again():
    auc = RocAuc()
    auc.update_many([0.5, 0.6], [0, 1])
    auc.update_many([0.5, 0.6], [0, 1], [-1, -1])
    assert auc.get().reason == "no_labels"
    assert len(auc) == 0


def test_counts_beyond_the_square_root_of_int64_do_not_overflow():
    auc = RocAuc()
    auc.update_many([0.0, 1.0, 2.0], [0, 1, 0], [4e9, 3e9, 4e9])
    assert auc.get().roc_auc == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(("golden", "roc_auc", "bound"), [(EXACT_1, 0.75, 0.0), (MERGED_1, 17 / 18, 1 / 18)])
def test_bytes_of_schema_1_decode_and_are_still_written_so(golden, roc_auc, bound):
    auc = RocAuc.decode(bytes.fromhex(golden))
    assert auc.get().roc_auc == pytest.approx(roc_auc, abs=1e-15)
    assert auc.get().error_bound == pytest.approx(bound, abs=1e-15)
    assert auc.encode().hex() == golden
    auc.update(0.25, 1)
    assert auc.get().positives == 4


def test_a_newer_schema_is_refused_in_a_sentence():
    with pytest.raises(JobError, match="has schema 2, this version reads schema 1; restore the savepoint"):
        RocAuc.decode(b"\x02" + bytes.fromhex(EXACT_1)[1:])


def test_decoded_state_may_be_updated_without_touching_the_bytes():
    auc = RocAuc()
    auc.update_many([0.1, 0.2], [0, 1])
    data = auc.encode()
    RocAuc.decode(data).update_many([0.1, 0.15], [0, 1])
    assert data == auc.encode()


@pytest.mark.parametrize(
    ("auc", "positives", "negatives"), [(0.5, 10, 10), (0.9, 200, 100_000), (1.0, 2, 9), (0.0, 1, 1)]
)
def test_the_interval_holds_the_estimate_and_stays_between_0_and_1(auc, positives, negatives):
    low, high = auc_interval(auc, positives, negatives)
    assert 0.0 <= low <= auc <= high <= 1.0
    assert high - low > 0.0
    mirrored = auc_interval(1 - auc, negatives, positives)
    assert mirrored == (pytest.approx(1 - high, abs=1e-12), pytest.approx(1 - low, abs=1e-12))


def test_the_standard_error_is_that_of_hanley_and_mcneil():
    """0.0325 for 0.893 from 51 and 58 cases; their Q1 and Q2 from the data itself gave 0.032."""
    assert auc_variance(0.893, 51, 58) ** 0.5 == pytest.approx(0.032, abs=0.001)


@pytest.mark.parametrize(("positives", "shift"), [(5, 1.0), (20, 2.0), (200, 1.5)])
def test_the_interval_covers_the_true_value_nine_times_in_ten_or_more(positives, shift):
    """Normal scores, whose true ROC AUC is the normal distribution at shift / sqrt(2)."""
    from math import erf

    true = 0.5 * (1 + erf(shift / 2))
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        auc = RocAuc()
        auc.update_many(rng.normal(0, 1, 2000), np.zeros(2000))
        auc.update_many(rng.normal(shift, 1, positives), np.ones(positives))
        result = auc.get()
        hits += result.ci_low <= true <= result.ci_high
    assert hits / 400 >= 0.9
