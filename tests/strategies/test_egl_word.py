"""EGL-word and its mixture with entropy."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from cluster_pools import draws
from strategy_views import rng
from torch import Tensor, nn
from torch.nn.functional import conv1d, cross_entropy

from askwell.core.learner import Job
from askwell.core.needs import NETWORK
from askwell.core.seeds import Seeds
from askwell.core.view import RoundFacts
from askwell.data import TextPool
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.likely import Truncated, likely
from askwell.functional.uncertainty import entropy
from askwell.functional.word_gradients import expected_word_lengths
from askwell.learners import Net, Transformer
from askwell.models import TextCNN
from askwell.schemes import Supervised
from askwell.strategies import EGLEntropyBeta, EGLWord
from askwell.tasks import Classification
from askwell.testing.scenes import Scenes, sentences
from askwell.testing.toys import toy

WORDS = Scenes({"network": sentences})
NO_MARKS = torch.tensor([0, 1])


class Sentences:
    """A small network of texts in double precision: 20 sentences of six words out of thirty."""

    def __init__(self, seed: int, classes: int) -> None:
        self.tokens = torch.randint(2, 30, (20, 6), generator=rng(seed))
        self.words, self.filters = draws(seed, 30, 4), draws(seed + 1000, 5, 4, 3)
        self.head = draws(seed + 2000, classes, 5)

    def __call__(self, vectors: Tensor) -> Tensor:
        return conv1d(vectors.transpose(1, 2), self.filters).relu().amax(2) @ self.head.t()

    def scores(self, least: float = 0.0) -> Tensor:
        return expected_word_lengths(self, self.words[self.tokens], self.tokens, NO_MARKS, least).lengths

    def by_rows_of_the_table(self) -> Tensor:
        """(20, C, 30) p_c times the length of the gradient of each row of the table: the definition."""
        found = []
        for sentence in self.tokens:
            table = self.words.clone().requires_grad_()
            logits = self(table[sentence][None])
            p = logits.detach().softmax(1)[0]
            losses = [cross_entropy(logits, torch.tensor([c])) for c in range(len(p))]
            slopes = [torch.autograd.grad(loss, table, retain_graph=True)[0] for loss in losses]
            found.append(torch.stack([p[c] * slope.norm(dim=1) for c, slope in enumerate(slopes)]))
        return torch.stack(found)


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_is_the_expected_length_of_the_gradient_of_a_word(classes: int) -> None:
    for seed in range(5):
        pool = Sentences(seed, classes)
        exact = pool.by_rows_of_the_table().sum(1).amax(1)
        torch.testing.assert_close(pool.scores().double(), exact, rtol=1e-5, atol=1e-7)


def linear(weight: Tensor, vectors: Tensor) -> Tensor:
    """Outputs w·Σ E and 0."""
    return torch.stack([(vectors * weight).sum((1, 2)), vectors.new_zeros(len(vectors))], 1)


def test_the_gradients_of_a_word_that_stands_twice_are_added() -> None:
    """Two copies count 2·|g|, not |g|; opposite gradients of one word cancel, those of two words do not."""
    tokens = torch.tensor([[5, 5], [5, 6]])
    scores = [
        expected_word_lengths(lambda x, w=w: linear(w, x), torch.zeros(2, 2, 1), tokens, NO_MARKS).lengths.tolist()
        for w in (torch.tensor([[3.0], [3.0]]), torch.tensor([[3.0], [-3.0]]))
    ]
    assert scores == [[3.0, 1.5], [0.0, 1.5]]


def test_what_is_no_word_does_not_count() -> None:
    tokens = torch.tensor([[5, 0], [0, 1], [7, 5]])
    weight = torch.tensor([[1.0], [8.0]])
    found = expected_word_lengths(lambda x: linear(weight, x), torch.zeros(3, 2, 1), tokens, torch.tensor([0, 1, 7]))
    assert found.lengths.tolist() == [0.5, 0.0, 4.0]


def test_a_sure_item_scores_nothing() -> None:
    vectors = torch.full((1, 2, 1), 400.0)
    found = expected_word_lengths(lambda x: linear(torch.ones(2, 1), x), vectors, torch.tensor([[2, 3]]), NO_MARKS)
    assert found.lengths.tolist() == [0.0]
    assert found.dropped.tolist() == [0.0]


def test_classes_of_little_probability_are_left_out_and_their_mass_is_told() -> None:
    p = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    found = likely(p, 0.25)
    assert found.classes.tolist() == [[0, 1], [2, 0], [0, 1]]
    assert found.weights.tolist() == torch.tensor([[0.6, 0.3], [0.8, 0.0], [0.4, 0.4]]).tolist()
    assert found.dropped.tolist() == pytest.approx([0.1, 0.2, 0.2])
    assert likely(p, 0.9).weights.tolist() == p.amax(1, keepdim=True).tolist()


def test_a_strategy_warns_of_what_it_left_out() -> None:
    view = WORDS("plain").view((NETWORK,))
    with pytest.warns(Truncated, match=r"^classes of probability 0\.3 or less were left out: \d+\.\d% of it on aver"):
        EGLWord(least=0.3).scores(view)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EGLWord().scores(view)


@pytest.mark.parametrize(
    ("seed", "theirs", "first"),
    [(0, [2, 0, 14, 4, 6, 18], [1.153477, 0.137792, 1.618327]), (1, [16, 6, 9, 13, 11, 14], [0.0, 0.004555, 2.9e-05])],
)
def test_agrees_with_small_text_on_two_classes(seed: int, theirs: list[int], first: list[float]) -> None:
    """small-text 1.4.1, ExpectedGradientLengthMaxWord on a CPU: the same scores and ranking in 200 of 200 pools."""
    scores = Sentences(seed, 2).scores()
    assert scores.argsort(descending=True)[:6].tolist() == theirs
    assert scores[:3].tolist() == pytest.approx(first, abs=2e-6)


@pytest.mark.parametrize(("seed", "first"), [(0, [1.158492, 0.1717, 1.626214]), (1, [0.0, 5.035994, 0.064168])])
def test_small_text_takes_the_longest_word_of_each_class(seed: int, first: list[float]) -> None:
    """small-text 1.4.1 adds Σ_c p_c max_w, the paper max_w Σ_c p_c: with three classes 180 of 200 rankings agree."""
    pool = Sentences(seed, 3)
    by_class = pool.by_rows_of_the_table()
    assert by_class.amax(2).sum(1)[:3].tolist() == pytest.approx(first, abs=2e-6)
    assert bool((pool.scores() <= by_class.amax(2).sum(1) + 1e-6).all())


def test_a_text_cnn_gives_the_gradients_of_its_table() -> None:
    """Through the learner: the same as by the gradient of the table of word vectors itself."""
    problem = toy("tokens")
    learner = Net(TextCNN(embedding=8, filters=4)).build(
        problem.pool.form, problem.task, Supervised(steps=20, batch=18, lr=1e-2)
    )
    learner.fit(problem.pool, problem.job(), Seeds(1))
    network = learner.compute(problem.pool, [NETWORK], {"candidates": problem.unlabelled}, Seeds(2))[NETWORK]
    tokens = network.items(problem.unlabelled[:6])
    found = expected_word_lengths(lambda x: network(tokens, x), network.inputs(tokens), tokens, NO_MARKS, 0.0).lengths
    net = learner.fitted.modules.net.eval()
    table = next(layer.weight for layer in net.modules() if isinstance(layer, nn.Embedding))
    exact = [float(by_table(net, table, item)[2:].amax()) for item in tokens]
    assert found.tolist() == pytest.approx(exact, rel=1e-4)


def by_table(net: nn.Module, table: Tensor, item: Tensor) -> Tensor:
    """(words,) Σ_c p_c times the length of the gradient of each row of a network's table."""
    logits = net(item[None])
    p = logits.detach().softmax(1)[0]
    losses = [cross_entropy(logits, torch.tensor([c])) for c in range(len(p))]
    slopes = [torch.autograd.grad(loss, table, retain_graph=True)[0] for loss in losses]
    return torch.stack([p[c] * slope.norm(dim=1) for c, slope in enumerate(slopes)]).sum(0)


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2", "t5"])
def test_saved_models_give_the_gradients_of_their_tables(kind: str, tmp_path: Path) -> None:
    """Through attention, class by class at once; the marks of a tokenizer are no words."""
    pytest.importorskip("transformers")
    from saved_models import save, text_config

    pool = TextPool([" ".join(f"w{(3 * place + step * step) % 8}" for step in range(5)) for place in range(12)] + ["?"])
    task = Classification(("ash", "birch", "cedar"))
    learner = Transformer(str(save(tmp_path, text_config(kind))), length=8, dropout=0.0).build(
        pool.form, task, Supervised(steps=2, batch=4, lr=1e-2)
    )
    ids, empty = torch.arange(6), torch.empty(0, dtype=torch.int64)
    learner.fit(pool, Job(ids, ids % 3, torch.arange(6, 13), empty, empty), Seeds(1))
    network = learner.compute(pool, [NETWORK], {}, Seeds(2))[NETWORK]
    assert network.marks == (0, 1, 2)
    tokens = network.items(torch.arange(6, 13))
    marks = torch.tensor(network.marks)
    found = expected_word_lengths(lambda x: network(tokens, x), network.inputs(tokens), tokens, marks, 0.0).lengths
    net = learner.fitted.modules.net.eval()
    table = next(layer.weight for layer in net.modules() if isinstance(layer, nn.Embedding))
    exact = [float(by_table(net, table, item)[2:].amax()) for item in tokens]
    assert found.tolist() == pytest.approx(exact, rel=1e-3, abs=1e-6)
    assert found[:-1].min() > 0
    assert float(found[-1]) == 0


@pytest.mark.parametrize("strategy", [EGLWord(), EGLEntropyBeta()])
def test_items_that_are_no_tokens_are_refused(strategy: EGLWord | EGLEntropyBeta) -> None:
    message = (
        f"^strategy '{strategy.name}' follows the gradients of words and items of kind 'vector' have none: take egl$"
    )
    with pytest.raises(UnmetNeeds, match=message):
        strategy.select(Scenes()("plain").view(strategy.needs), 3, rng())


def test_refuses_a_least_probability_that_is_none() -> None:
    with pytest.raises(InputError, match=r"^least of 'egl_word' is 1: it must be at least 0 and below 1$"):
        EGLWord(least=1)


@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_the_share_of_word_gradients_falls(rounds: int) -> None:
    """λ of Beta(1, t): mean 1 / (1 + t), and P(λ > 1/2) = 2^−t."""
    view = WORDS("plain").view(EGLEntropyBeta().needs)
    view.history = [RoundFacts(place, (), ()) for place in range(rounds)]
    shares = torch.tensor([EGLEntropyBeta().share(view, rng(seed)) for seed in range(4000)])
    t = max(1, rounds)
    assert float(shares.mean()) == pytest.approx(1 / (1 + t), abs=0.015)
    assert float((shares > 0.5).float().mean()) == pytest.approx(0.5**t, abs=0.025)


def test_the_mixture_is_of_both_scores_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a share of 1 it ranks as EGL-word, at 0 as entropy, in between by their sum on one scale."""
    view = WORDS("plain").view(EGLEntropyBeta().needs)
    words, doubt = EGLWord().scores(view), entropy(view[EGLEntropyBeta().needs[1]])
    for share in (1.0, 0.0, 0.25):
        monkeypatch.setattr(EGLEntropyBeta, "share", lambda *_, share=share: share)
        both = [(rows - rows.min()) / (rows.max() - rows.min()) for rows in (words, doubt)]
        mixed = share * both[0] + (1 - share) * both[1]
        batch = EGLEntropyBeta().select(view, 5, rng())
        assert batch.ids.tolist() == mixed.argsort(descending=True)[:5].tolist()
        assert batch.scores is not None
        torch.testing.assert_close(batch.scores, mixed.sort(descending=True).values[:5])
