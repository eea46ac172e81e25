"""`select` with tensors of several labels and of numbers: shapes, ranges, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import askwell as aw
from askwell.errors import BadShape, ColdStart, InputError, NotFinite, UnmetNeeds

LABEL_PROBS = np.array([[0.5, 1.0, 0.0], [0.2, 0.8, 0.1], [0.9, 0.9, 0.1]])
X = np.array([[1.0], [2.0], [4.0], [7.0]])
Y = np.array([3.0, -6.0, 2.0, 0.5])


def sentence(error, call):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_several_labels():
    assert aw.select("binary_entropy", label_probs=LABEL_PROBS, n=2).tolist() == [1, 2]
    assert aw.select("binary_entropy(reduce=max)", label_probs=LABEL_PROBS, n=1).tolist() == [0]
    mc = np.stack([LABEL_PROBS, 1 - LABEL_PROBS], 1)
    assert aw.select("multi_label_bald(draws=2)", mc_label_probs=mc, n=3).tolist() == [0, 2, 1]


def test_numbers_may_come_without_an_axis():
    draws = np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 9.0]])
    for shape in ((3, 2), (3, 2, 1)):
        chosen = aw.select("predictive_variance(draws=2)", mc_predictions=draws.reshape(shape), n=3)
        assert chosen.tolist() == [2, 0, 1]
    for predictions in (Y, Y[:, None], torch.tensor(Y)):
        given = {"predictions": predictions, "labels": np.array([0.0, 4.0])}
        assert aw.select("greedy_sampling(over=outputs)", n=2, **given).tolist() == [1, 2]


def test_greedy_sampling_reads_labels_as_numbers():
    given = {"embedding": X, "labelled_embedding": np.array([[0.0], [6.0]]), "predictions": Y}
    assert aw.select("greedy_sampling", n=2, labels=np.array([0.0, 4.0]), **given).tolist() == [1, 2]
    assert aw.select("greedy_sampling", n=1, labels=np.array([0, 4]), **given).tolist() == [1]
    assert aw.select("greedy_sampling(over=inputs)", n=1, embedding=X).tolist() == [2]


GREEDY = {"strategy": "greedy_sampling", "embedding": X, "predictions": Y}
ENTROPY = {"strategy": "binary_entropy"}
VARIANCE = {"strategy": "predictive_variance"}


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (
            {**ENTROPY, "label_probs": LABEL_PROBS + np.array([[0], [0], [0.5]])}, InputError,
            "label_probs are not probabilities: row 2 holds 1.4000; give sigmoid outputs, not logits",
        ),
        (
            {**ENTROPY, "label_probs": np.array([[0.5, np.nan]])}, InputError,
            "label_probs are not probabilities: row 0 holds nan; give sigmoid outputs, not logits",
        ),
        (
            {"strategy": "multi_label_bald(draws=2)", "mc_label_probs": np.full((3, 2, 2), -0.2)}, InputError,
            "mc_label_probs are not probabilities: row 0 holds -0.2000; give sigmoid outputs, not logits",
        ),
        ({**ENTROPY, "probs": np.full((2, 2), 0.5)}, UnmetNeeds,
         "strategy 'binary_entropy' needs label_probs: give label_probs="),
        (
            {**VARIANCE, "mc_predictions": np.zeros((3, 7))}, BadShape,
            "mc_predictions has 7 draws and strategy 'predictive_variance' reads 20: "
            "write predictive_variance(draws=7)",
        ),
        ({**VARIANCE, "mc_predictions": np.zeros(3)}, BadShape, "mc_predictions has shape (3,): 3 axes are needed"),
        ({**GREEDY, "labels": [0.0]}, UnmetNeeds,
         "strategy 'greedy_sampling' needs features@labelled: give labelled_embedding="),
        ({**GREEDY, "labelled_embedding": [[0.0]]}, UnmetNeeds,
         "strategy 'greedy_sampling' needs labels@labelled: give labels="),
        (
            {**GREEDY, "labelled_embedding": [[0.0]], "labels": [np.nan]}, NotFinite,
            "labels holds NaN or infinity in 1 rows, the first are [0]",
        ),
        (
            {**GREEDY, "labelled_embedding": [[0.0]], "labels": [1.0], "predictions": np.zeros((4, 2))}, BadShape,
            "predictions have shape (4, 2) and labels one number per item: (N, 1) is needed",
        ),
        (
            {**GREEDY, "labelled_embedding": [[0.0]], "labels": [1.0], "predictions": [0.0, np.inf, 0.0, 0.0]},
            NotFinite,
            "predictions holds NaN or infinity in 1 rows, the first are [1]",
        ),
        (
            GREEDY, ColdStart,
            "strategy 'greedy_sampling' needs labelled items and there are none: start with `initial`",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(given, error, text):
    assert sentence(error, lambda: aw.select(n=1, **given)) == text


def test_rounding_is_no_mistake():
    over = np.array([[1.0000001, -1e-7], [0.5, 0.5]], np.float32)
    assert aw.select("binary_entropy", label_probs=over, n=1).tolist() == [1]


def test_memory_maps_stream(tmp_path, monkeypatch):
    from askwell.strategies import BinaryEntropy

    rows = np.random.default_rng(0).random((500, 3))
    np.save(tmp_path / "p.npy", rows)
    whole = aw.select("binary_entropy", label_probs=rows, n=20).tolist()
    monkeypatch.setattr(BinaryEntropy, "chunk", 64)
    assert aw.select("binary_entropy", label_probs=tmp_path / "p.npy", n=20).tolist() == whole
