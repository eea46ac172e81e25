"""What to ask, and whom."""

from __future__ import annotations

import re
from math import log

import pytest
import torch
from torch import Generator, Tensor

from askwell.core.needs import ANNOTATORS, MC_PROBS, PROBS, VOTES
from askwell.core.store import Vote
from askwell.core.view import View
from askwell.errors import InputError
from askwell.strategies import CrowdIntents

MAY = {"ann": 0, "bob": 3, "cid": 4}
"""The numbers of annotators have gaps where somebody may not be asked."""


def view_of(said: Tensor, fresh: Tensor, may: dict[str, int] | None = None, own: Tensor | None = None) -> View:
    """New items 0 … with these probabilities, then answered ones: of these the model knows nothing, unless given."""
    names, new, classes = ["ann", "bob", "cid", "gone"], len(fresh), fresh.shape[1]
    rows, people = (said >= 0).nonzero(as_tuple=True)
    votes = [
        Vote(seq, seq, new + row, "", names[who], int(said[row, who]), 1.0, 0.0)
        for seq, (row, who) in enumerate(zip(rows.tolist(), people.tolist(), strict=True))
    ]
    own = torch.full((len(said), classes), 1 / classes) if own is None else own
    draws = torch.cat([fresh, own])[:, None]
    given = {
        MC_PROBS(draws=1): draws, PROBS.at("labelled"): own, VOTES: votes, ANNOTATORS: MAY if may is None else may,
    }  # fmt: skip
    ids = torch.arange(len(draws))

    def fetch(needs: object, sets: dict[str, Tensor]) -> dict[object, object]:
        return {**given, MC_PROBS(draws=1): draws[sets["candidates"]]}

    return View(ids, tuple(given), fetch, sets={"labelled": ids[new:]})


def skilled() -> Tensor:
    """40 items of two classes: ann is always right, bob about class 0 alone, cid about class 1 alone."""
    truth = torch.arange(40) % 2
    return torch.stack([truth, torch.zeros_like(truth), torch.ones_like(truth)], 1)


def test_the_score_of_a_new_item_is_its_predictive_entropy() -> None:
    fresh = torch.tensor([[0.5, 0.5], [0.9, 0.1]])
    scores = CrowdIntents(draws=1).scores(view_of(skilled(), fresh))
    torch.testing.assert_close(scores[:2], torch.tensor([0.693147, 0.325083]))


def test_the_score_of_an_answered_item_is_the_entropy_of_model_times_answers() -> None:
    """One answer about each item; with four right answers and a wrong one credited, ann is right at a rate of 5/6."""
    said, fresh = torch.tensor([[0, -1, -1], [1, -1, -1]]), torch.tensor([[0.5, 0.5]])
    own = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    scores = CrowdIntents(draws=1, settled=1.0, turns=1).scores(view_of(said, fresh, own=own))
    torch.testing.assert_close(scores, torch.tensor([0.693147, 0.104733, 0.450561]))


def test_an_item_is_settled_once_its_posterior_is_high_enough() -> None:
    said = torch.cat([skilled(), torch.tensor([[-1, 0, 1]])])
    view = view_of(said, torch.tensor([[0.6, 0.4]]), {**MAY, "dan": 5})
    scores = CrowdIntents(draws=1, settled=0.7).scores(view)
    assert (scores[1:41] < -1 + 1e-6).all()
    assert (scores[1:41] >= -1 - log(2)).all()
    assert 0 <= scores[41] <= log(2)


def test_whoever_is_best_at_the_likely_class_is_asked() -> None:
    may = {"bob": 3, "cid": 4}
    batch = CrowdIntents(draws=1).select(
        view_of(skilled(), torch.tensor([[0.6, 0.4], [0.3, 0.7], [0.55, 0.45]]), may), 3, Generator().manual_seed(0)
    )
    assert dict(zip(batch.ids.tolist(), batch.annotators.tolist(), strict=True)) == {0: 3, 1: 4, 2: 3}


def test_nobody_is_asked_what_he_has_answered_while_others_have_not() -> None:
    said = torch.cat([skilled(), torch.tensor([[0, 1, -1], [0, -1, 1], [-1, 0, 1]])])
    view = view_of(said, torch.tensor([[0.5, 0.5]]))
    batch = CrowdIntents(draws=1, settled=1.0).select(view, 44, Generator().manual_seed(0))
    asked = dict(zip(batch.ids.tolist(), batch.annotators.tolist(), strict=True))
    assert (asked[41], asked[42], asked[43]) == (4, 3, 0)


def test_who_may_not_be_asked_is_not_asked() -> None:
    said = torch.cat([skilled(), (torch.arange(40) % 2)[:, None]], 1)
    may = {"bob": 3, "cid": 4}
    batch = CrowdIntents(draws=1).select(view_of(said, torch.tensor([[0.6, 0.4]] * 5), may), 45, Generator())
    assert set(batch.annotators.tolist()) <= {3, 4}
    alone = CrowdIntents(draws=1).select(view_of(said, torch.tensor([[0.6, 0.4]] * 5), {}), 5, Generator())
    assert alone.annotators is None


def test_equally_good_annotators_are_asked_alike() -> None:
    none = torch.empty(0, 4, dtype=torch.int64)
    batch = CrowdIntents(draws=1).select(view_of(none, torch.full((300, 2), 0.5)), 300, Generator().manual_seed(1))
    counts = batch.annotators.bincount()[[0, 3, 4]]
    assert counts.sum() == 300
    assert counts.min() > 70


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"settled": 0.0}, "settled is a probability above 0 and at most 1, got 0.0"),
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"draws": 0}, "draws must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CrowdIntents(**settings)  # type: ignore[arg-type]
