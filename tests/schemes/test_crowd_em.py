"""Training on beliefs about the true classes."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor

from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.models import MLP
from askwell.schemes import CrowdEM, Supervised
from askwell.testing.toys import Toy, toy
from askwell.training import Fitted, fit

PROBLEM = toy("vector")


def votes_of(problem: Toy, rates: tuple[float, ...], seed: int = 0) -> Tensor:
    """(V, 3) answers of annotators who take a class for the next one at these rates."""
    truth, rng = problem.truth[problem.labelled], torch.Generator().manual_seed(seed)
    rows = []
    for who, rate in enumerate(rates):
        slip = (torch.rand(len(truth), generator=rng) < rate).long()
        rows.append(torch.stack([torch.arange(len(truth)), torch.full_like(truth, who), (truth + slip) % 3], 1))
    return torch.cat(rows)


def fitted(scheme: Supervised, problem: Toy = PROBLEM, **more: object) -> Fitted:
    makers = {"net": lambda: MLP(width=8, depth=1).build(problem.pool.form, problem.task.outputs)}
    how = {key: more.pop(key) for key in ("pause_after", "resume") if key in more}
    return fit(scheme, problem.pool, problem.job(**more), problem.task, makers, Seeds(1), **how)  # type: ignore[arg-type]


def weights(one: Fitted) -> list[Tensor]:
    return list(one.modules.net.state_dict().values())


def test_without_answers_it_is_plain_training() -> None:
    numbers = {"steps": 20, "batch": 12, "lr": 2e-2}
    plain = Supervised(**numbers)
    em = CrowdEM(**numbers)
    assert fitted(em).report.steps == fitted(plain).report.steps == 20
    assert torch.equal(fitted(em).run.memory["belief"], torch.nn.functional.one_hot(PROBLEM.targets(PROBLEM.labelled)))


def test_every_turn_trains_anew_on_a_new_belief() -> None:
    votes = votes_of(PROBLEM, (0.0, 0.5, 0.5))
    one, three = (fitted(CrowdEM(steps=30, lr=2e-2, turns=turns), votes=votes) for turns in (1, 3))
    assert (one.report.steps, three.report.steps) == (30, 90)
    assert not torch.equal(one.run.memory["belief"], three.run.memory["belief"])


def test_beliefs_come_nearer_to_the_truth_than_the_labels_of_the_majority() -> None:
    votes = votes_of(PROBLEM, (0.05, 0.55, 0.55), seed=3)
    truth = PROBLEM.truth[PROBLEM.labelled]
    belief = fitted(CrowdEM(steps=60, lr=2e-2), votes=votes).run.memory["belief"]
    counts = torch.zeros(len(truth), 3)
    counts.index_put_((votes[:, 0], votes[:, 2]), torch.ones(len(votes)), accumulate=True)
    right, majority = (belief.argmax(1) == truth).sum(), (counts.argmax(1) == truth).sum()
    assert right > majority
    torch.testing.assert_close(belief.sum(1), torch.ones(len(truth), dtype=torch.float64))


def test_labels_without_answers_count_for_sure() -> None:
    votes = votes_of(PROBLEM, (0.3, 0.3))
    some = votes[votes[:, 0] < 20]
    belief = fitted(CrowdEM(steps=10, turns=2), votes=some).run.memory["belief"]
    sure = torch.nn.functional.one_hot(PROBLEM.targets(PROBLEM.labelled)).double()
    assert torch.equal(belief[20:], sure[20:])
    assert not torch.equal(belief[:20], sure[:20])


@pytest.mark.parametrize("after", [5, 12, 21])
def test_paused_in_any_turn_it_ends_with_the_same_weights(after: int) -> None:
    votes, scheme = votes_of(PROBLEM, (0.1, 0.4)), CrowdEM(steps=8, turns=3)
    whole = fitted(scheme, votes=votes)
    paused = fitted(scheme, votes=votes, pause_after=after).paused
    resumed = fitted(scheme, votes=votes, resume=paused)
    assert all(torch.equal(one, other) for one, other in zip(weights(whole), weights(resumed), strict=True))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match=r"^turns of scheme CrowdEM must be at least 1, got 0$"):
        CrowdEM(turns=0)
    message = "class_weights of CrowdEM must be (): its targets are soft"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CrowdEM(class_weights="balanced")
