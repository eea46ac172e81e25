"""EMOC: expected model output change of a Gaussian process."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws
from scipy.stats import norm
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING, LABELS
from askwell.errors import BadShape, InputError, NotFinite, UnmetNeeds
from askwell.functional.distance import Points
from askwell.functional.kernels import Gaussian
from askwell.functional.output_change import _Process, _surprise, expected_output_change
from askwell.strategies import EMOC

WIDTH = 2**0.5
LINE = torch.tensor([[0.0], [0.5], [2.0], [4.0]]).double()


def kernel(a: Tensor, b: Tensor) -> Tensor:
    return ((a[:, None] - b).square().sum(2) / -2).exp()


def posterior(x: Tensor, y: Tensor, at: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    """Mean and variance of a Gaussian process fitted to (x, y), at other places."""
    solved = torch.linalg.solve(kernel(x, x) + noise * torch.eye(len(x)).double(), kernel(x, at))
    return solved.t() @ y, 1 - (solved * kernel(x, at)).sum(0)


def by_refitting(x: Tensor, y: Tensor, candidates: Tensor, reference: Tensor, noise: float) -> Tensor:
    """The definition: fit with the candidate as 1 and as −1, and look how far all predictions move."""
    before, scores = posterior(x, y, reference, noise)[0], []
    for candidate in candidates[:, None]:
        mean, variance = posterior(x, y, candidate, noise)
        positive = norm.cdf(float(mean / (variance + noise).sqrt()))
        moved = [
            posterior(torch.cat([x, candidate]), torch.cat([y, torch.tensor([label]).double()]), reference, noise)[0]
            for label in (1.0, -1.0)
        ]
        change = [float((after - before).abs().mean()) for after in moved]
        scores.append(positive * change[0] + (1 - positive) * change[1])
    return torch.tensor(scores, dtype=torch.float64)


def test_numbers_of_the_card() -> None:
    line = Points(LINE)
    known = line.take(torch.tensor([0]))
    scores = expected_output_change(line, line, known, torch.ones(1, 1), Gaussian(WIDTH), 0.1)
    assert scores[1:].tolist() == pytest.approx([0.134845, 0.307248, 0.258464], abs=1e-6)


def test_posterior_of_the_card() -> None:
    """Labelled (0, +1): mean and variance at .5 and 2, and the probability of +1 there."""
    line = Points(LINE)
    process = _Process(line.take(torch.tensor([0])), torch.ones(1, 1), Gaussian(WIDTH), 0.1)
    here = process.whitened(line, slice(1, 3))
    mean, variance = process.mean(here)[0], 1 - here.square().sum(0)
    assert mean.tolist() == pytest.approx([0.802270, 0.123032], abs=1e-6)
    assert variance.tolist() == pytest.approx([0.291999, 0.983349], abs=1e-6)
    positive = torch.special.ndtr(mean / (variance + 0.1).sqrt())
    assert positive.tolist() == pytest.approx([0.899970, 0.547047], abs=1e-6)
    surprise = positive * (1 - mean) + (1 - positive) * (1 + mean)
    assert _surprise(mean[None], variance + 0.1).tolist() == pytest.approx(surprise.tolist(), abs=1e-12)


def test_closed_form_is_the_refit() -> None:
    x, candidates, y = draws(0, 7, 3), draws(1, 20, 3), torch.tensor([1.0, 1, -1, 1, -1, -1, 1]).double()
    space = Points(candidates)
    fast = expected_output_change(space, space, space.beside(x), y[:, None], Gaussian(WIDTH), 0.1)
    torch.testing.assert_close(fast, by_refitting(x, y, candidates, candidates, 0.1), rtol=1e-9, atol=0)


def test_classes_are_summed_each_against_the_rest() -> None:
    x, candidates, labels = draws(2, 6, 2), draws(3, 15, 2), torch.tensor([0, 1, 2, 2, 0, 1])
    given = {EMBEDDING: candidates, EMBEDDING.at("labelled"): x, LABELS: labels}
    view = view_of(EMOC(), given, labelled=6)
    view.num_classes = 4
    wanted = sum(by_refitting(x, 2.0 * (labels == c).double() - 1, candidates, candidates, 0.1) for c in range(4))
    torch.testing.assert_close(EMOC(width=1).score(view), wanted, rtol=1e-9, atol=0)


def test_classes_are_those_of_the_labels_where_nothing_else_tells() -> None:
    given = {EMBEDDING: LINE, EMBEDDING.at("labelled"): LINE[:2], LABELS: torch.tensor([0, 2])}
    view, same = view_of(EMOC(), given, labelled=2), view_of(EMOC(), given, labelled=2)
    same.num_classes = 3
    assert EMOC().score(view).equal(EMOC().score(same))


def test_reference_items_are_evenly_spaced() -> None:
    given = {EMBEDDING: LINE, EMBEDDING.at("labelled"): LINE[:1], LABELS: torch.tensor([0])}
    view = view_of(EMOC(), given, labelled=1)
    wanted = by_refitting(LINE[:1], torch.ones(1).double(), LINE, LINE[[0, 2]], 0.1)
    torch.testing.assert_close(EMOC(width=1, reference=2).score(view), wanted, rtol=1e-9, atol=0)
    assert EMOC() == EMOC(width=None, noise=0.1, reference=500)


def test_the_width_follows_the_spread_of_the_candidates() -> None:
    given = {EMBEDDING: LINE, EMBEDDING.at("labelled"): LINE[:1], LABELS: torch.tensor([0])}
    large = {need: 1000 * tensor if need is not LABELS else tensor for need, tensor in given.items()}
    scores = EMOC().score(view_of(EMOC(), given, labelled=1))
    torch.testing.assert_close(EMOC().score(view_of(EMOC(), large, labelled=1)), scores)
    by_hand = EMOC(width=float(LINE.std(correction=0))).score(view_of(EMOC(), given, labelled=1))
    torch.testing.assert_close(scores, by_hand)


def test_without_labels_it_asks_where_candidates_are_dense() -> None:
    line = torch.tensor([[0.0], [9.0], [9.1], [9.2], [20.0]])
    view = view_of(EMOC(), {EMBEDDING: line, EMBEDDING.at("labelled"): line[:0], LABELS: torch.tensor([]).long()})
    assert EMOC(width=1).select(view, 1, rng()).ids.tolist() == [20]


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^noise of 'emoc' is 0: it must be above 0$"):
        EMOC(noise=0)
    with pytest.raises(InputError, match=r"^width of 'emoc' is -1: it must be above 0$"):
        EMOC(width=-1)
    given = {EMBEDDING: LINE, EMBEDDING.at("labelled"): LINE[:1], LABELS: torch.tensor([0.5])}
    with pytest.raises(UnmetNeeds, match=r"^strategy 'emoc' needs exactly one class per item$"):
        EMOC().select(view_of(EMOC(), given, labelled=1), 1, rng())


@pytest.mark.parametrize(
    ("known", "targets", "noise", "kind", "text"),
    [
        ([[0.0], [1.0]], [[1.0]], 0.1, BadShape, r"^expected targets \(2, T\), got \(1, 1\)$"),
        ([[torch.nan]], [[1.0]], 0.1, NotFinite, r"^labelled items hold NaN or infinity$"),
        ([[0.0]] * 2, [[1.0]] * 2, 1e-30, InputError, r"^noise is 1e-30: too little for labelled items that lie this"),
    ],
)
def test_refuses_what_cannot_be_fitted(
    known: list[list[float]], targets: list[list[float]], noise: float, kind: type[InputError], text: str
) -> None:
    line = Points(LINE)
    rows = line.beside(torch.tensor(known).double())
    with pytest.raises(kind, match=text):
        expected_output_change(line, line, rows, torch.tensor(targets), Gaussian(WIDTH), noise)


@pytest.mark.parametrize(
    ("seed", "theirs", "first"),
    [
        (0, [1, 3, 19, 18, 6, 9], [0.117379, 0.272644, 0.206839]),
        (1, [16, 0, 17, 10, 4, 7], [0.149806, 0.070589, 0.047329]),
        (2, [9, 11, 16, 7, 0, 8], [0.13699, 0.068193, 0.110183]),
    ],
)
def test_emoc_agrees_with_its_authors(seed: int, theirs: list[int], first: list[float]) -> None:
    """`EMOC` of cvjena/ITAL at b7763fa with noise 1e-6: same ranking in 200 of 200 pools.

    It leaves the noise out of the label's probability, Φ(μ / √v): with noise .1 the first five agree in 146 of 200.
    """
    x = Points(draws(seed, 24, 3))
    known, candidates = x.take(torch.arange(4)), x.take(torch.arange(4, 24))
    sides = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    scores = expected_output_change(candidates, x, known, sides, Gaussian(WIDTH), 1e-6)
    assert scores.argsort(descending=True)[:6].tolist() == theirs
    assert scores[:3].tolist() == pytest.approx(first, rel=1e-4)
