"""PAL: what the network reads, and how its values become scores."""

from __future__ import annotations

import torch
from strategy_views import rng
from torch.testing import assert_close

from askwell.core.needs import PROBS, WORDS
from askwell.core.view import View
from askwell.models.sentence_values import LABEL, SKIP, SentenceValues
from askwell.strategies import PAL
from askwell.strategies.pal import sentence_state

WORDS_OF = torch.randint(2, 1 << 14, (150, 9), generator=rng(1))
P = (2 * torch.randn(150, 7, generator=rng(2))).softmax(1)


def view() -> View:
    given = {WORDS: WORDS_OF, PROBS: P}
    return View(torch.arange(150), PAL("untrained").needs, lambda needs, sets: {need: given[need] for need in needs})


def test_scores_are_what_asking_is_worth_more_than_not() -> None:
    strategy = PAL("untrained")
    values = strategy.net()(*sentence_state(WORDS_OF, P))
    assert_close(strategy.score(view()), values[:, LABEL] - values[:, SKIP], rtol=1e-4, atol=1e-6)
    best = strategy.select(view(), 3, rng())
    assert best.ids.tolist() == strategy.score(view()).argsort(descending=True)[:3].tolist()


def test_marginals_are_the_five_largest_probabilities() -> None:
    _, confidence, marginals = sentence_state(torch.ones(2, 3), torch.tensor([[0.1, 0.6, 0.3], [0.2, 0.3, 0.5]]))
    assert confidence.tolist() == [torch.tensor(0.6).item(), 0.5]
    assert_close(marginals[:, 0], torch.tensor([[0.6, 0.3, 0.1, 0, 0], [0.5, 0.3, 0.2, 0, 0]]))
    many = sentence_state(torch.ones(1, 3), torch.full((1, 9), 1 / 9))[2]
    assert many.shape == (1, 1, 5)


def test_layers_have_the_sizes_of_the_paper() -> None:
    net = SentenceValues()
    shapes = {name: tuple(weights.shape) for name, weights in net.named_parameters()}
    assert shapes == {
        "convolutions.0.weight": (128, 40, 3), "convolutions.0.bias": (128,),
        "convolutions.1.weight": (128, 40, 4), "convolutions.1.bias": (128,),
        "convolutions.2.weight": (128, 40, 5), "convolutions.2.bias": (128,),
        "marginals.weight": (20, 5, 3), "marginals.bias": (20,),
        "sentence.weight": (256, 384), "sentence.bias": (256,),
        "confidence.weight": (256, 1), "places.weight": (256, 20),
        "values.weight": (2, 256), "values.bias": (2,),
    }  # fmt: skip
    assert float(net.values.weight.detach().abs().max()) <= 0.02
    assert net.values.bias.tolist() == [torch.tensor(0.01).item()] * 2


def test_padding_says_nothing() -> None:
    net = SentenceValues(vocab=50, filters=4, hidden=8).eval()
    words = torch.randint(2, 50, (3, 12), generator=rng())
    longer = torch.nn.functional.pad(words, (0, 5))
    told = torch.full((3,), 0.5), torch.zeros(3, 1, 5)
    for convolution in net.convolutions:
        convolution.bias.data.zero_()
    assert_close(net(torch.nn.functional.pad(words, (0, 4)), *told), net(longer, *told))


def test_word_vectors_are_never_trained_nor_saved() -> None:
    net = SentenceValues(vocab=50)
    assert "vectors" not in net.state_dict()
    assert "vectors" not in dict(net.named_parameters())
    assert torch.equal(net.vectors, SentenceValues(vocab=50).vectors)


def test_places_are_averaged() -> None:
    """As many places as there are tokens, once a tagger gives them."""
    net = SentenceValues(vocab=50, filters=4, hidden=8).eval()
    words, confidence = torch.ones(1, 6, dtype=torch.int64), torch.ones(1)
    marginals = torch.rand(1, 7, 5, generator=rng())
    assert net(words, confidence, marginals).shape == (1, 2)
