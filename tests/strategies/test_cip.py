"""CIP: parcels of what is right and what is wrong."""

from __future__ import annotations

import pytest
import torch
from cluster_pools import draws
from sklearn.linear_model import LogisticRegression
from strategy_views import rng
from torch import Tensor

from askwell.core.needs import EMBEDDING, LABELS, PROBS
from askwell.core.view import View
from askwell.errors import BadShape, ColdStart, InputError, UnmetNeeds
from askwell.functional.parcels import lack, out_of_fold, parcels
from askwell.functional.pick import few_each_first
from askwell.functional.uncertainty import margin
from askwell.strategies import CIP
from askwell.testing.scenes import Scenes

RIGHT, WRONG = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])


@pytest.mark.parametrize(("z", "wanted"), [([0.9, 0.1], 1.131371), ([0.5, 0.5], 0.0), ([0.1, 0.9], -1.131371)])
def test_numbers_of_the_card(z: list[float], wanted: float) -> None:
    assert float(lack(torch.tensor([z]), RIGHT, WRONG)) == pytest.approx(wanted, abs=1e-6)


def test_moving_and_turning_everything_changes_nothing() -> None:
    z, right, wrong = draws(0, 20, 4), draws(1, 3, 4), draws(2, 5, 4)
    turn, shift = torch.linalg.qr(draws(3, 4, 4))[0], draws(4, 4)
    moved = lack(z @ turn + shift, right @ turn + shift, wrong @ turn + shift)
    torch.testing.assert_close(moved, lack(z, right, wrong))


def test_it_is_the_difference_of_the_nearest() -> None:
    z, right, wrong = draws(0, 20, 4), draws(1, 3, 4), draws(2, 5, 4)
    wanted = torch.cdist(z, right).amin(1) - torch.cdist(z, wrong).amin(1)
    torch.testing.assert_close(lack(z, right, wrong), wanted)
    weights = torch.tensor([1.0, 2.0, 0.0, 0.5, 1.0]).double()
    heavy = torch.cdist(z, right).amin(1) - (torch.cdist(z, wrong) / weights).amin(1)
    torch.testing.assert_close(lack(z, right, wrong, weights), heavy)
    torch.testing.assert_close(lack(z, right, wrong, 0 * weights), torch.cdist(z, right).amin(1))


def test_parcels_are_made_class_by_class() -> None:
    """Two far groups in class 1 and one point in class 0: three parcels, none across the classes."""
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2], [0.1]])
    found = parcels(rows, torch.tensor([1, 1, 1, 1, 0]), 2, rng())
    assert found.classes.tolist() == [0, 1, 1]
    assert sorted(found.centres[1:, 0].tolist()) == pytest.approx([0.1, 9.1])
    assert float(found.centres[0]) == pytest.approx(0.1)
    same = parcels(torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64), 3, rng())
    assert len(same.centres) == 1


def test_nobody_judges_himself() -> None:
    """Each fold is predicted by a fit without it, as scikit-learn has it."""
    z, labels = draws(0, 20, 3), torch.arange(20) % 3
    found = out_of_fold(z, labels, 20, rng())
    for row in range(20):
        others = torch.arange(20) != row
        model = LogisticRegression(max_iter=1000).fit(z[others], labels[others])
        assert int(found[row]) == int(model.predict(z[row : row + 1])[0])


def test_folds_of_one_class_predict_it() -> None:
    z = draws(1, 3, 2)
    assert out_of_fold(z, torch.tensor([4, 4, 1]), 3, rng()).tolist() == [
        LogisticRegression().fit(z[[1, 2]], [4, 1]).predict(z[:1])[0],
        LogisticRegression().fit(z[[0, 2]], [4, 1]).predict(z[1:2])[0],
        4,
    ]
    assert out_of_fold(z[:1], torch.tensor([7]), 5, rng()).tolist() == [7]


def view_of(strategy: CIP, labels: Tensor, known: Tensor, z: Tensor, probs: Tensor) -> View:
    given = {PROBS: probs, EMBEDDING: z, EMBEDDING.at("labelled"): known, LABELS: labels}
    sets = {"labelled": torch.arange(len(z), len(z) + len(known))}
    return View(torch.arange(len(z)), strategy.needs, lambda *_: given, sets=sets)


def around(wrong: float) -> tuple[Tensor, Tensor]:
    """Labelled items on a line: class 0 about −3, class 1 about 3, and one more of class 1 where it is put."""
    apart = torch.tensor([-0.1, -0.05, -0.02, 0.02, 0.05, 0.1])
    known = torch.cat([apart - 3, apart + 3, torch.tensor([wrong])])[:, None]
    return known, torch.tensor([0] * 6 + [1] * 7)


def test_items_near_what_is_wrong_come_first() -> None:
    known, labels = around(-3.5)
    z = torch.tensor([[-4.4], [-3.0], [3.0], [1.0]])
    strategy = CIP(parcels=1)
    batch = strategy.select(view_of(strategy, labels, known, z, torch.full((4, 2), 0.5)), 4, rng())
    assert batch.ids.tolist() == [0, 1, 3, 2]
    assert batch.scores is not None
    assert batch.scores.tolist() == pytest.approx([0.5, -0.5, -2.5, -6.5], abs=1e-4)


def test_predicted_classes_share_the_batch() -> None:
    """Four best items are of one predicted class: with two classes and four picks it gets two."""
    known, labels = around(-3.5)
    z = torch.tensor([[-3.5], [-3.45], [-3.4], [-3.35], [2.0], [3.0]])
    probs, strategy = torch.tensor([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 2), CIP(parcels=1)
    view = view_of(strategy, labels, known, z, probs)
    assert strategy.select(view, 4, rng()).ids.tolist() == [0, 1, 4, 5]
    assert strategy.select(view, 5, rng()).ids.tolist() == [0, 1, 2, 4, 5]
    assert strategy.select(view, 6, rng()).ids.tolist() == [0, 1, 2, 4, 5, 3]


def test_an_expert_vetoes_and_boosts() -> None:
    known, labels = around(-3.5)
    z = torch.tensor([[-4.4], [-3.0], [0.2]])
    view = view_of(CIP(), labels, known, z, torch.full((3, 2), 0.5))
    found = {
        expert: CIP(parcels=1, expert=expert).select(view, 1, rng())
        for expert in ((), (1.0, 1.0), (1.0, 0.0), (1.0, 4.0))
    }
    assert [batch.ids.tolist() for batch in found.values()] == [[0], [0], [2], [2]]
    scores = [float(batch.scores) for batch in found.values() if batch.scores is not None]
    assert scores == pytest.approx([0.5, 0.5, 2.8, 1.875], abs=1e-4)
    with pytest.raises(
        InputError, match=r"^expert of 'cip' has 1 weights and there is a class 1: give one for each cl"
    ):
        CIP(expert=(1.0,)).select(view, 1, rng())


def test_where_nothing_is_wrong_the_margin_decides() -> None:
    known, labels = around(2.8)
    probs = torch.tensor([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7]])
    batch = CIP().select(view_of(CIP(), labels, known, torch.zeros(3, 1), probs), 2, rng())
    assert batch.ids.tolist() == [1, 0]
    torch.testing.assert_close(batch.scores, margin(probs)[[1, 0]])


def test_few_each_first() -> None:
    order, groups = torch.tensor([4, 0, 3, 1, 2]), torch.tensor([7, 7, 2, 7, 7])
    assert few_each_first(order, groups, 2).tolist() == [4, 0, 2, 3, 1]
    assert few_each_first(order, groups, 9).tolist() == order.tolist()


def test_refuses() -> None:
    with pytest.raises(InputError, match=r"^folds of 'cip' is 1: it must be at least 2$"):
        CIP(folds=1)
    with pytest.raises(InputError, match=r"^expert of 'cip' is \(1.0, -1.0\): no weight may be below 0$"):
        CIP(expert=(1.0, -1.0))
    with pytest.raises(InputError, match=r"^expert of 'cip' is \(nan,\): no weight may be below 0$"):
        CIP(expert=(float("nan"),))
    with pytest.raises(ColdStart):
        CIP().select(Scenes()("no_labels").view(CIP().needs), 2, rng())
    known, _ = around(0.0)
    view = view_of(CIP(), torch.eye(13), known, known, torch.full((13, 2), 0.5))
    with pytest.raises(UnmetNeeds, match=r"^strategy 'cip' needs exactly one class per item$"):
        CIP().select(view, 2, rng())
    with pytest.raises(
        BadShape, match=r"^expected right \(R, D\) and wrong \(W, D\) with R and W above 0, got \(0, 2\)"
    ):
        lack(RIGHT, RIGHT[:0], WRONG)
