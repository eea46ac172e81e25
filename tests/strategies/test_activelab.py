"""ActiveLab and CROWDLAB: labels, second opinions and whom to trust."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from askwell.core.needs import ANNOTATORS, PROBS, VOTES
from askwell.core.store import Vote
from askwell.core.view import View
from askwell.errors import BadShape
from askwell.functional.answers import Answers
from askwell.functional.crowdlab import Crowdlab, crowdlab, relabelling, settled
from askwell.functional.tempering import share_temperature, tempered
from askwell.strategies import Activelab, LeastConfidence

SAID = torch.tensor([[0, 0, 0], [1, 1, 0], [2, 2, 2], [1, 1, 1], [0, -1, 0], [2, 2, -1]])
P = torch.tensor([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.3, 0.3, 0.4]])


def view_of(said: Tensor, labelled: Tensor, fresh: Tensor, annotators: int | None = None) -> View:
    """Candidates 0 … are new, then come the answered ones; one more annotator than has answered, unless told."""
    new = len(fresh)
    rows, people = (said >= 0).nonzero(as_tuple=True)
    votes = [
        Vote(seq, seq, new + row, "", f"annotator {who}", int(said[row, who]), 1.0, 0.0)
        for seq, (row, who) in enumerate(zip(rows.tolist(), people.tolist(), strict=True))
    ]
    may = {f"annotator {who}": who for who in range(said.shape[1] + 1 if annotators is None else annotators)}
    own = torch.arange(new, new + len(said))
    given = {PROBS: torch.cat([fresh, labelled]), PROBS.at("labelled"): labelled, VOTES: votes, ANNOTATORS: may}
    return View(torch.arange(new + len(said)), tuple(given), lambda *_: given, sets={"labelled": own})


def test_crowdlab_of_the_worked_example() -> None:
    found = crowdlab(Answers.table(SAID, 3), P)
    assert found.consensus.tolist() == [0, 1, 2, 1, 0, 2]
    assert found.quality.tolist() == pytest.approx(
        [0.885223, 0.649795, 0.885223, 0.844224, 0.765862, 0.676354], abs=1e-6
    )
    assert found.annotators.tolist() == pytest.approx([0.85, 0.833333, 0.666667], abs=1e-6)
    assert found.model == pytest.approx(1.632993, abs=1e-6)


def test_scores_of_the_worked_example() -> None:
    said, found = Answers.table(SAID, 3), crowdlab(Answers.table(SAID, 3), P)
    assert relabelling(said, found).tolist() == pytest.approx(
        [0.794522, 0.597785, 0.794522, 0.760261, 0.679715, 0.610812], abs=1e-6
    )
    assert settled(torch.tensor([0.5, 0.9]), found.model, found.average, 3).tolist() == pytest.approx(
        [0.445969, 0.716296], abs=1e-6
    )


def test_where_nobody_was_asked_twice_all_weights_are_one() -> None:
    said = Answers.table(torch.tensor([[0, -1], [-1, 0]]), 3)
    probs = torch.tensor([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2]])
    found = crowdlab(said, probs)
    assert (found.annotators.tolist(), found.model) == ([1.0, 1.0], 1.0)
    assert found.quality.tolist() == pytest.approx([0.9, 0.5], abs=1e-6)
    assert relabelling(said, found).tolist() == pytest.approx([0.711111, 0.444444], abs=1e-6)
    assert settled(torch.tensor([0.9]), 1.0, 1.0, 3).tolist() == pytest.approx([0.616667], abs=1e-6)


def test_items_with_one_answer_count_in_the_trust_in_the_model() -> None:
    said = torch.tensor([[0, 0], [1, 1], [0, -1]])
    assert crowdlab(Answers.table(said, 2), torch.eye(2)[[0, 1, 0]]).model == pytest.approx((5 / 3) ** 0.5)


def test_ties_of_the_majority_go_to_what_the_model_holds_more_probable() -> None:
    found = crowdlab(Answers.table(torch.tensor([[0, 2], [1, 1], [1, 1]]), 3), torch.eye(3)[[2, 1, 1]])
    assert found.consensus.tolist() == [2, 1, 1]


def test_who_never_met_anybody_is_trusted_as_the_others_are() -> None:
    said = torch.tensor([[0, 0, -1], [1, 0, -1], [1, 1, -1], [0, -1, -1], [-1, -1, 1]])
    trust = crowdlab(Answers.table(said, 2), torch.full((5, 2), 0.5)).annotators
    assert trust[2] == pytest.approx(float(trust[:2].mean()))


def test_the_temperature_is_where_cross_entropy_to_the_shares_is_least() -> None:
    rng = np.random.default_rng(0)
    probs = torch.from_numpy(rng.dirichlet(np.ones(3), 50))
    shares = tempered(probs, 2.5)
    best = share_temperature(probs, shares)
    assert best == pytest.approx(2.5, rel=1e-3)
    assert share_temperature(probs[:0], shares[:0]) == 1.0
    assert tempered(torch.tensor([[0.9, 0.1]]), 1.0)[0].tolist() == pytest.approx([0.9, 0.1], abs=1e-6)


def test_a_disputed_row_is_asked_again_before_a_confident_new_one() -> None:
    fresh = torch.tensor([[0.9, 0.05, 0.05], [0.98, 0.01, 0.01]])
    scores = Activelab().scores(view_of(SAID, P, fresh))
    assert scores[3] > scores[:2].max()


def test_with_no_labelled_items_it_ranks_as_least_confidence() -> None:
    probs = torch.from_numpy(np.random.default_rng(1).dirichlet(np.ones(4), 30))
    view = view_of(torch.empty(0, 2, dtype=torch.int64), probs[:0], probs)
    other = View(view.ids, (PROBS,), lambda *_: {PROBS: probs})
    assert torch.equal(Activelab().scores(view).argsort(), LeastConfidence().scores(other).argsort())


def test_what_everybody_has_answered_comes_last() -> None:
    fresh = torch.tensor([[1.0, 0.0, 0.0]])
    scores = Activelab().scores(view_of(SAID, P, fresh, annotators=3))[1:]
    open_ = Activelab().scores(view_of(SAID, P, fresh))[1:]
    assert (scores[:4] < -1).all()
    assert torch.equal(scores[4:], open_[4:])
    torch.testing.assert_close(scores[:4], open_[:4] - 1)


def test_answers_about_parts_and_about_items_out_of_sight_are_left_out() -> None:
    view = view_of(SAID, P, P[:2])
    plain = Activelab().scores(view)
    given = {need: view[need] for need in view.needs}
    extra = [Vote(90, 90, 2, "left half", "annotator 0", 2, 1.0, 0.0), Vote(91, 91, 77, "", "annotator 0", 2, 1.0, 0.0)]
    given[VOTES] = [*given[VOTES], *extra]
    other = View(view.ids, view.needs, lambda *_: given, sets={"labelled": view.ids_of("labelled")})
    assert torch.equal(Activelab().scores(other), plain)


def test_scores_do_not_depend_on_chunks() -> None:
    view = view_of(SAID, P, P)
    whole = Activelab().scores(view)
    small = Activelab()
    object.__setattr__(small, "chunk", 4)
    assert torch.equal(small.scores(view_of(SAID, P, P)), whole)


CLEANLAB = {
    0: (
        [
            0.616904, 0.394397, 0.541213, 0.561481, 0.499859, 0.609726, 0.755765, 0.483378, 0.580758, 0.597036,
            0.406099, 0.624227,
        ],
        [0.578844, 0.412637, 0.424398, 0.598858, 0.457562, 0.393708],
    ),
    1: (
        [
            0.386593, 0.413994, 0.498922, 0.639818, 0.41165, 0.445293, 0.618745, 0.512552, 0.399361, 0.505867,
            0.602337, 0.417627,
        ],
        [0.418152, 0.363138, 0.458369, 0.443016, 0.456374, 0.462311],
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", CLEANLAB)
def test_activelab_agrees_with_cleanlab(seed: int) -> None:
    """With cleanlab 2.9.0, `get_active_learning_scores`, at the same temperature.

    300 of 300 random pools (8 to 40 items, 1 to 5 annotators, 2 to 5 classes, half of the answers missing, 30 new
    items) agree within 1e-15, and so do the ten items asked first. cleanlab looks for the temperature on a grid; in all
    252 pools in which anything was asked twice the one found here has no higher cross-entropy. Recorded: its scores.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 12)
    said = np.where(rng.random((12, 4)) < 0.7, truth[:, None], rng.integers(0, 3, (12, 4)))
    said[rng.random((12, 4)) < 0.25] = -1
    said[(said < 0).all(1), 0] = 0
    rng = np.random.default_rng(100 + seed)
    probs = torch.from_numpy(rng.normal(size=(12, 3)) + 1.5 * np.eye(3)[truth]).softmax(1)
    fresh = torch.from_numpy(rng.dirichlet(np.ones(3), 6))
    scores = Activelab().scores(view_of(torch.from_numpy(said), probs, fresh, annotators=5))
    labelled, new = CLEANLAB[seed]
    assert (-scores).tolist() == pytest.approx([*new, *labelled], abs=2e-6)


def test_probabilities_of_other_items_are_refused() -> None:
    message = r"^probabilities have shape \(5, 3\) and the answers are about 6 items of 3 classes$"
    with pytest.raises(BadShape, match=message):
        crowdlab(Answers.table(SAID, 3), P[:5])
    assert isinstance(crowdlab(Answers.table(SAID, 3), P), Crowdlab)
