"""EGL: expected gradient length of the last layer."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from askwell.core.needs import EMBEDDING, PROBS
from askwell.errors import BadShape, UnknownName
from askwell.functional.gradient_length import Norm, expected_gradient_length
from askwell.strategies import EGL

CARD = torch.tensor([[3.0, 4.0]]).double()


def by_differentiation(z: Tensor, weight: Tensor, norm: Norm, bias: bool) -> Tensor:
    """The definition: for each item and class the gradient of the loss by the last layer's weights, and its length."""
    scores = []
    for row in z:
        layer = [weight.clone().requires_grad_()] + [torch.zeros(len(weight)).double().requires_grad_()] * bias
        p, total = linear(row, weight).softmax(0), 0.0
        for c in range(len(weight)):
            loss = cross_entropy(linear(row, *layer)[None], torch.tensor([c]))
            gradient = torch.cat([part.flatten() for part in torch.autograd.grad(loss, layer)])
            total += float(p[c] * gradient.norm(p=1 if norm == "l1" else 2))
        scores.append(total)
    return torch.tensor(scores, dtype=torch.float64)


@pytest.mark.parametrize(
    ("p", "norm", "bias", "wanted"),
    [
        ([0.5, 0.5], "l2", False, 3.535534),
        ([0.5, 0.5], "l2", True, 3.605551),
        ([0.9, 0.1], "l2", False, 1.272792),
        ([0.9, 0.1], "l2", True, 1.297998),
        ([0.5, 0.5], "l1", False, 7.0),
        ([1.0, 0.0], "l2", True, 0.0),
        ([1.0, 0.0], "l1", True, 0.0),
    ],
)
def test_numbers_of_the_card(p: list[float], norm: Norm, bias: bool, wanted: float) -> None:
    assert float(expected_gradient_length(torch.tensor([p]).double(), CARD, norm, bias)) == pytest.approx(
        wanted, abs=1e-6
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_is_the_mean_length_of_the_gradient(norm: Norm, bias: bool) -> None:
    z, weight = draws(0, 9, 4), draws(1, 5, 4)
    scores = expected_gradient_length((z @ weight.t()).softmax(1), z, norm, bias)
    torch.testing.assert_close(scores, by_differentiation(z, weight, norm, bias), rtol=1e-12, atol=0)


def test_is_at_least_the_gradient_at_the_predicted_class_weighted() -> None:
    p, z = probs(3, 50, 6), draws(4, 50, 7)
    predicted = torch.eye(6).double()[p.argmax(1)]
    badge = p.amax(1) * (p - predicted).norm(dim=1) * z.norm(dim=1)
    assert bool((expected_gradient_length(p, z, bias=False) >= badge).all())


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_nothing_cancels_where_the_model_is_sure(norm: Norm) -> None:
    doubt = torch.tensor([1e-6, 1e-9, 1e-12]).double()
    p = torch.stack([1 - 2 * doubt, doubt, doubt], 1)
    exact = expected_gradient_length(p, CARD.expand(3, 2), norm)
    single = expected_gradient_length(p.float(), CARD.float().expand(3, 2), norm)
    torch.testing.assert_close(single.double(), exact, rtol=1e-4, atol=0)


def test_the_longest_embedding_wins_among_equally_unsure_items() -> None:
    view = view_of(EGL(), {PROBS: torch.full((3, 2), 0.5), EMBEDDING: torch.tensor([[1.0], [-5.0], [2.0]])})
    assert EGL().select(view, 3, rng()).ids.tolist() == [10, 20, 0]


@pytest.mark.parametrize(("norm", "bias", "score"), [("l2", True, 3.605551), ("l2", False, 3.535534), ("l1", False, 7)])
def test_the_strategy_scores_by_its_norm_and_bias(norm: Norm, bias: bool, score: float) -> None:
    strategy = EGL(norm, bias)
    view = view_of(strategy, {PROBS: torch.full((1, 2), 0.5), EMBEDDING: CARD.float()})
    assert strategy.scores(view).tolist() == pytest.approx([score], abs=1e-6)
    assert EGL() == EGL("l2", bias=True)


def test_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown norm 'l3': did you mean 'l[12]'\? Known: l1, l2$"):
        EGL(norm="l3")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(BadShape, match=r"^expected a floating-point tensor \(N, D\), got shape \(3,\)"):
        expected_gradient_length(torch.full((3, 2), 0.5), torch.ones(3))


@pytest.mark.parametrize(
    ("seed", "norm", "theirs", "first"),
    [
        (0, "l1", [10, 11, 18, 2, 12, 8], [3.739496, 0.377394, 5.481853]),
        (0, "l2", [10, 11, 18, 2, 12, 8], [1.212835, 0.112465, 1.858946]),
        (1, "l1", [8, 19, 13, 6, 9, 0], [4.359036, 2.879174, 1.192641]),
        (1, "l2", [8, 19, 6, 13, 7, 9], [1.225553, 0.94267, 0.386822]),
    ],
)
def test_egl_agrees_with_small_text(seed: int, norm: Norm, theirs: list[int], first: list[float]) -> None:
    """small-text 1.4.1 on a single linear layer: same ranking in 200 of 200 pools each, with and without a bias.

    "l1" is its `ExpectedGradientLength` (it sums absolute values), "l2" its `ExpectedGradientLengthLayer`.
    """
    z, weight = draws(seed, 20, 5), draws(seed + 1000, 3, 5)
    scores = expected_gradient_length((z @ weight.t()).softmax(1), z, norm)
    assert scores.argsort(descending=True)[:6].tolist() == theirs
    assert scores[:3].tolist() == pytest.approx(first, abs=2e-6)
