"""Importance by gradients: of labelled items, and expected where labels are not known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from cluster_pools import draws
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from askwell.core.learner import Job
from askwell.core.needs import NETWORK
from askwell.core.seeds import Seeds
from askwell.data import TextPool
from askwell.errors import BadShape, InputError, UnknownName, UnmetNeeds
from askwell.functional.gradient_length import expected_gradient_length
from askwell.functional.importance import expected_importance, importance, last_layer_importance, tile_width
from askwell.learners import Linear, Net, Transformer
from askwell.learners.importance import gradient_importance
from askwell.learners.net import NetLearner
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.schemes import Supervised
from askwell.strategies import GradientImportance
from askwell.tasks import Classification
from askwell.testing.scenes import Scenes
from askwell.testing.toys import Toy, toy

MODELS = [("vector", MLP(width=8, depth=2)), ("image", SmallCNN(channels=2, width=8)), ("tokens", TextCNN(8, 4))]


def test_numbers_of_the_card() -> None:
    p, z = torch.tensor([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]), torch.tensor([[3.0, 4.0]] * 2)
    labels = torch.tensor([0, 0])
    assert last_layer_importance(p, labels, z, bias=False).tolist() == pytest.approx([3.082207, 0.0], abs=1e-6)
    assert last_layer_importance(p, labels, z).tolist() == pytest.approx([3.143247, 0.0], abs=1e-6)


def linear(weights: dict[str, Tensor], items: Tensor) -> Tensor:
    return items @ weights["weight"].t() + weights["bias"]


@pytest.mark.parametrize("seed", range(5))
def test_of_a_single_layer_all_is_the_last(seed: int) -> None:
    """Of labelled items, and expected: then it is EGL."""
    weights = {"weight": draws(seed, 4, 3).float(), "bias": draws(seed + 1, 4).float()}
    z, labels = draws(seed + 2, 9, 3).float(), torch.arange(9) % 4
    p = linear(weights, z).softmax(1)
    torch.testing.assert_close(importance(linear, weights, z, labels), last_layer_importance(p, labels, z))
    torch.testing.assert_close(expected_importance(linear, weights, z, 0.0)[0], expected_gradient_length(p, z))


def fitted(kind: str, model: MLP | SmallCNN | TextCNN) -> tuple[Toy, NetLearner]:
    problem = toy(kind)
    learner = Net(model).build(problem.pool.form, problem.task, Supervised(steps=4, batch=18, lr=1e-3))
    learner.fit(problem.pool, problem.job(), Seeds(1))
    return problem, learner


@pytest.mark.parametrize(("kind", "model"), MODELS)
def test_is_the_length_of_all_gradients_laid_end_to_end(kind: str, model: MLP | SmallCNN | TextCNN) -> None:
    """Item by item and weight by weight, as plain differentiation has it; the mean gradient is that of the batch."""
    problem, learner = fitted(kind, model)
    ids, labels = problem.labelled[:7], problem.targets(problem.labelled[:7])
    found = gradient_importance(learner, problem.pool, ids, labels)
    network = learner.compute(problem.pool, [NETWORK], {}, Seeds(2))[NETWORK]
    net = learner.fitted.modules.net.eval()
    items, own = network.items(ids), [value for value in net.parameters() if value.requires_grad]
    each = [flat(cross_entropy(net(items[row : row + 1]), labels[row : row + 1]), own) for row in range(7)]
    assert found.tolist() == pytest.approx([float(one.norm()) for one in each], rel=1e-4)
    torch.testing.assert_close(
        torch.stack(each).mean(0), flat(cross_entropy(net(items), labels), own), atol=1e-5, rtol=1e-3
    )


def flat(loss: Tensor, weights: list[nn.Parameter]) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)])


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, learner = fitted(*MODELS[0])
    ids, labels = problem.labelled, problem.targets(problem.labelled)
    whole = gradient_importance(learner, problem.pool, ids, labels)
    monkeypatch.setattr("askwell.learners.importance.tile_width", lambda weights: 1 << 15)
    torch.testing.assert_close(gradient_importance(learner, problem.pool, ids, labels), whole)


def test_the_last_layer_by_the_learner() -> None:
    problem, learner = fitted(*MODELS[0])
    ids, labels = problem.labelled, problem.targets(problem.labelled)
    net = learner.fitted.modules.net.eval()
    items = problem.pool.rows[ids]
    wanted = last_layer_importance(net(items).softmax(1), labels, net.embed(items)[0])
    found = gradient_importance(learner, problem.pool, ids, labels, layers="last")
    torch.testing.assert_close(found, wanted.detach())
    assert bool((found <= gradient_importance(learner, problem.pool, ids, labels) + 1e-6).all())


def test_the_strategy_is_the_expectation_over_the_models_labels() -> None:
    view = Scenes()("plain").view((NETWORK,))
    network = view[NETWORK]
    items = network.items(view.ids)
    p = network(items).softmax(1)
    by_class = [importance(network.at, network.weights, items, torch.full((len(view),), c)) for c in range(4)]
    wanted = (p * torch.stack(by_class, 1)).sum(1)
    torch.testing.assert_close(GradientImportance(least=0.0).scores(view), wanted)


def test_large_networks_go_a_few_items_at_a_time() -> None:
    assert tile_width({"w": torch.empty(10, 10)}) == 512
    assert tile_width({"w": torch.empty(1000, 100), "b": torch.empty(60_000)}) == 10_000


def test_refuses() -> None:
    problem, learner = fitted(*MODELS[0])
    ids, labels = problem.labelled[:2], problem.targets(problem.labelled[:2])
    with pytest.raises(UnknownName, match=r"^unknown layers 'lost': did you mean 'last'\? Known: all, last$"):
        gradient_importance(learner, problem.pool, ids, labels, layers="lost")  # type: ignore[arg-type]  # the point
    plain = Linear().build(problem.pool.form, problem.task, None)
    with pytest.raises(UnmetNeeds, match=r"^gradient importance needs network, which this learner does not offer$"):
        gradient_importance(plain, problem.pool, ids, labels)
    with pytest.raises(BadShape, match=r"^expected p \(M, C\), labels \(M,\) and z \(M, D\), got \(2, 3\), \(1,\) and"):
        last_layer_importance(torch.ones(2, 3), torch.zeros(1, dtype=torch.int64), torch.ones(2, 2))
    with pytest.raises(InputError, match=r"^least of 'gradient_importance' is -1: it must be at least 0 and below 1$"):
        GradientImportance(least=-1)


def test_networks_whose_items_cannot_be_parted_are_refused(text_model: Path) -> None:
    """Models of the library `transformers` look at whole batches of masks."""
    pytest.importorskip("transformers")
    from saved_models import NAMES, WORDS

    pool = TextPool([f"w{word} w{(word + 1) % WORDS}" for word in range(8)])
    learner = Transformer(str(text_model), length=4).build(
        pool.form, Classification(NAMES), Supervised(steps=1, batch=4)
    )
    three, none = torch.arange(3), torch.arange(0)
    learner.fit(pool, Job(three, three, none, none, none), Seeds(1))
    message = (
        "^gradients of single items need a network that torch.func.vmap can map over items, and this one it cannot: "
        "take the gradients of the last layer alone, as egl does$"
    )
    with pytest.raises(UnmetNeeds, match=message):
        gradient_importance(learner, pool, three, three)
