from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from askwell.core.needs import PROBS
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import BadShape, ColdStart, InputError, NotFinite, PoolExhausted
from askwell.testing import view_of


@dataclass(frozen=True)
class Given(Strategy):
    """Returns the batch that it was given."""

    batch: Batch
    cold_start: ClassVar[bool] = True

    @property
    def needs(self):
        return ()

    def choose(self, view, n, rng):
        return self.batch


@dataclass(frozen=True)
class GivenWarm(Given):
    cold_start: ClassVar[bool] = False


@dataclass(frozen=True)
class FirstColumn(ScoreStrategy):
    """Scores by the first probability, and notes the chunks that it saw."""

    chunk: ClassVar[int] = 3
    seen: ClassVar[list[int]] = []

    @property
    def needs(self):
        return (PROBS,)

    def score(self, view):
        self.seen.append(len(view))
        return view[PROBS][:, 0].double()


@dataclass(frozen=True)
class FirstColumnOfAll(FirstColumn):
    rowwise: ClassVar[bool] = False


@dataclass(frozen=True)
class Wrong(ScoreStrategy):
    """Scores as told."""

    value: torch.Tensor

    @property
    def needs(self):
        return ()

    def score(self, view):
        return self.value


def candidates(n=5):
    return View(torch.arange(n) * 2, (), lambda needs, sets: {})


def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("n", [-1, 0, 6])
def test_more_or_fewer_than_there_are(n):
    with pytest.raises(PoolExhausted) as caught:
        Given(Batch(torch.tensor([0]))).select(candidates(), n, rng())
    assert str(caught.value) == f"cannot choose {n} items from 5 candidates: ask for 1 to 5"
    assert (caught.value.wanted, caught.value.available) == (n, 5)


def test_cold_start_is_refused_by_name():
    with pytest.raises(ColdStart) as caught:
        GivenWarm(Batch(torch.tensor([0]))).select(candidates(), 1, rng())
    assert str(caught.value) == "strategy 'given_warm' needs labelled items and there are none: start with `initial`"


def test_a_warm_strategy_with_labels():
    view = View(torch.tensor([0, 2]), (), lambda needs, sets: {}, sets={"labelled": torch.tensor([1])})
    assert GivenWarm(Batch(torch.tensor([2]))).select(view, 1, rng()).ids.tolist() == [2]


def test_a_batch_of_another_size():
    with pytest.raises(BadShape) as caught:
        Given(Batch(torch.tensor([0, 2, 4]))).select(candidates(), 2, rng())
    assert str(caught.value) == "strategy 'given' chose 3 items instead of 2"
    assert caught.value.got == 3


def test_a_batch_with_a_stranger():
    with pytest.raises(InputError, match=r"^a strategy chose ids that are not candidates$"):
        Given(Batch(torch.tensor([1]))).select(candidates(), 1, rng())


def test_scores_of_another_length():
    with pytest.raises(BadShape) as caught:
        Given(Batch(torch.tensor([0, 2]), torch.zeros(3))).select(candidates(), 2, rng())
    assert str(caught.value) == "scores of 'given' have shape (3,) instead of (2,)"


def test_scores_that_are_not_finite():
    with pytest.raises(NotFinite) as caught:
        Given(Batch(torch.tensor([0, 2]), torch.tensor([1.0, float("nan")]))).select(candidates(), 2, rng())
    assert str(caught.value) == "scores of 'given' holds NaN or infinity in 1 rows, the first are [1]"


@pytest.mark.parametrize("value", [torch.zeros(5, 1), torch.zeros(4)])
def test_score_of_the_wrong_shape(value):
    with pytest.raises(BadShape) as caught:
        Wrong(value).select(candidates(), 1, rng())
    assert str(caught.value) == f"scores of 'wrong' have shape {tuple(value.shape)} instead of (5,)"


def test_score_that_is_infinite():
    with pytest.raises(NotFinite):
        Wrong(torch.tensor([0.0, 1.0, float("inf"), 0.0, 0.0])).select(candidates(), 1, rng())


@pytest.mark.parametrize("strategy", [FirstColumn(), FirstColumnOfAll()])
def test_the_best_in_order_with_their_scores(strategy):
    p = torch.tensor([[0.1, 0.9], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.0, 1.0]])
    batch = strategy.select(view_of(probs=p, ids=torch.arange(7) * 10), 3, rng())
    assert batch.ids.tolist() == [30, 10, 40]
    assert torch.equal(batch.scores, torch.tensor([0.9, 0.7, 0.5]))


def test_rowwise_scores_stream_over_chunks():
    FirstColumn.seen.clear()
    FirstColumn().scores(view_of(probs=torch.rand(8, 2)))
    assert FirstColumn.seen == [3, 3, 2]
    FirstColumn.seen.clear()
    FirstColumnOfAll().scores(view_of(probs=torch.rand(8, 2)))
    assert FirstColumn.seen == [8]


def test_scores_are_float32():
    assert FirstColumn().scores(view_of(probs=torch.rand(8, 2).double())).dtype == torch.float32


def test_scores_by_another_function():
    scores = FirstColumn().scores(view_of(probs=torch.rand(8, 2)), lambda view: view.ids.float())
    assert scores.tolist() == list(range(8))


def test_ties_depend_on_the_generator_alone():
    view = view_of(probs=torch.full((50, 2), 0.5))
    picks = [FirstColumn().select(view, 5, torch.Generator().manual_seed(seed)).ids.tolist() for seed in (1, 1, 2)]
    assert picks[0] == picks[1] != picks[2]


def test_name_is_the_snake_case_of_the_class():
    assert FirstColumnOfAll().name == "first_column_of_all"
