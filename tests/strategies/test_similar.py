"""SIMILAR: which labelled items are wanted, and what items are like."""

from __future__ import annotations

import logging

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.cost import LETTERS, effort
from askwell.core.needs import EMBEDDING, LABELS, PROBS
from askwell.core.view import Batch
from askwell.errors import ColdStart, InputError, UnknownName
from askwell.functional.kernels import Cosine, unit
from askwell.functional.submodular_information import submodular_information
from askwell.strategies import Similar

MEASURES = ("flqmi", "gcmi", "flvmi", "logdetmi", "flcg", "logdetcg", "flcmi", "logdetcmi")
Z, P, KNOWN_Z, KNOWN_P = draws(0, 40, 3), probs(1, 40, 4), draws(2, 12, 3), probs(3, 12, 4)
LABELLED = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 3])


def choose(strategy: Similar, n: int = 6, labels: Tensor = LABELLED, p: Tensor = P, seed: int = 0) -> Batch:
    tensors = {
        PROBS: p, EMBEDDING: Z, PROBS.at("labelled"): KNOWN_P[: len(labels)],
        EMBEDDING.at("labelled"): KNOWN_Z[: len(labels)], LABELS: labels,
    }  # fmt: skip
    return strategy.select(view_of(strategy, tensors, torch.arange(40), len(labels)), n, rng(seed))


def gradients(p: Tensor, z: Tensor, at: Tensor) -> Tensor:
    """(n, C·(D + 1)) gradients of cross-entropy by autograd."""
    out = []
    for q, row, label in zip(p, z, at, strict=True):
        weight, bias = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True), q.log().requires_grad_()
        loss = torch.nn.functional.cross_entropy((weight @ row + bias)[None], label[None])
        out.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, (weight, bias))]))
    return torch.stack(out)


@pytest.mark.parametrize("measure", MEASURES)
def test_items_are_gradients_of_weights_and_bias(measure: str) -> None:
    """At the predicted class for candidates and at the label for labelled items."""
    space, known = unit(gradients(P, Z, P.argmax(1))), unit(gradients(KNOWN_P, KNOWN_Z, LABELLED))
    wanted, unwanted = known.take(torch.tensor([2, 5, 8])), known.take(torch.tensor([0, 3, 6, 9]))
    plain = submodular_information(measure, space, 3, torch.arange(40), Cosine(), wanted, unwanted, eta=0.9, nu=0.8)
    found = choose(Similar(measure, wanted=(2,), unwanted=(0,), eta=0.9, nu=0.8), 3)
    assert torch.equal(found.ids, plain.rows)
    assert found.scores.tolist() == pytest.approx(plain.gains.tolist(), abs=1e-5)


def test_wanted_are_the_classes_with_few_labels() -> None:
    """Counts 4, 4, 3, 1: fewer than 3 on average has class 3 alone; equal counts make all classes wanted."""
    assert torch.equal(choose(Similar()).ids, choose(Similar(wanted=(3,))).ids)
    assert not torch.equal(choose(Similar()).ids, choose(Similar(wanted=(2,))).ids)
    even = LABELLED[:9]
    assert torch.equal(choose(Similar(), labels=even).ids, choose(Similar(wanted=(0, 1, 2)), labels=even).ids)
    skipped = torch.tensor([3, 3, 1])
    assert torch.equal(choose(Similar(), labels=skipped).ids, choose(Similar(wanted=(1,)), labels=skipped).ids)


@pytest.mark.parametrize("kind", ["fl", "logdet"])
def test_unwanted_are_all_labelled_items_or_those_not_wanted(kind: str) -> None:
    every, rest = (0, 1, 2, 3), (0, 1, 3)
    assert torch.equal(choose(Similar(f"{kind}cg")).ids, choose(Similar(f"{kind}cg", unwanted=every)).ids)
    both = Similar(f"{kind}cmi", wanted=(2,))
    assert torch.equal(choose(both).ids, choose(Similar(f"{kind}cmi", wanted=(2,), unwanted=rest)).ids)


def test_a_rare_class_is_found() -> None:
    """5 of 200 items are of a rare class that one labelled item shows: mutual information asks for all of them."""
    generator = rng(1)
    rare = torch.arange(200) < 5
    z = torch.where(rare[:, None], torch.tensor([4.0, 0.0]), torch.tensor([0.0, 4.0]))
    z = z + 0.3 * torch.randn(200, 2, generator=generator)
    logits = torch.stack([z[:, 1], 0.4 * z[:, 0]], 1)
    tensors = {
        PROBS: logits.softmax(1), EMBEDDING: z, PROBS.at("labelled"): logits[[0, 50, 51]].softmax(1),
        EMBEDDING.at("labelled"): z[[0, 50, 51]], LABELS: torch.tensor([1, 0, 0]),
    }  # fmt: skip
    for measure in ("flqmi", "gcmi"):
        view = view_of(Similar(measure), tensors, torch.arange(200), 3)
        assert rare[Similar(measure).select(view, 5, rng()).ids].all()


def test_of_a_class_without_labels_nothing_is_like_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "askwell"):
        found = [choose(Similar(wanted=(9,)), 3, seed=seed).ids.tolist() for seed in range(40)]
    assert caplog.messages[0] == "similar: 3 of 3 items add nothing to flqmi and are drawn at random"
    assert len({rows[0] for rows in found}) > 15


@pytest.mark.parametrize("measure", MEASURES)
def test_sure_predictions_stay_finite(measure: str) -> None:
    batch = choose(Similar(measure), 40, p=torch.eye(4).double()[torch.arange(40) % 4])
    assert batch.scores.isfinite().all()
    assert sorted(batch.ids.tolist()) == list(range(40))


@pytest.mark.parametrize("measure", MEASURES)
def test_sure_predictions_have_gradients_of_length_one(measure: str) -> None:
    """Squares of what is below 1e-22 are 0 in float32, but not in float64."""
    needs, (p, known_p) = Similar().needs, (40 * draws(5, 52, 4)).softmax(1).float().split([40, 12])
    found = []
    for kind in (torch.float32, torch.float64):
        tensors = [one.to(kind) for one in (p, Z.float(), known_p, KNOWN_Z.float())]
        view = view_of(Similar(), dict(zip(needs, [*tensors, known_p.argmax(1)], strict=True)), torch.arange(40), 12)
        found.append(Similar(measure).select(view, 3, rng()))
    assert torch.equal(found[0].ids, found[1].ids)
    assert torch.allclose(found[0].scores, found[1].scores, atol=1e-4)


@pytest.mark.parametrize(("measure", "growth"), [("flqmi", 2), ("gcmi", 2), ("flvmi", 4), ("flcg", 4), ("logdetmi", 2)])
def test_cost_is_that_of_the_measure(measure: str, growth: int) -> None:
    sizes = dict.fromkeys(LETTERS, 1.0)
    one, two = (effort(Similar(measure), sizes | {"N": rows}) for rows in (1e6, 2e6))
    assert two / one == pytest.approx(growth, rel=1e-4)


def test_it_reads_one_class_per_item() -> None:
    assert Similar().one_class


def test_refuses() -> None:
    with pytest.raises(UnknownName, match=r"^unknown measure 'flmi': did you mean"):
        Similar("flmi")  # type: ignore[arg-type]  # the wrong name is the point
    with pytest.raises(InputError, match=r"^ridge of 'similar' is 0: it must be above 0$"):
        Similar(ridge=0)
    with pytest.raises(ColdStart, match=r"^strategy 'similar' needs labelled items and there are none"):
        choose(Similar(), labels=LABELLED[:0])
