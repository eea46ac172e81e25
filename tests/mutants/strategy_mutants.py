"""Strategies with one known fault each. They share one clean strategy; each overrides the line that is wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Generator, Tensor

from askwell.core.needs import EMBEDDING, FEATURES, LABEL_PROBS, LABELS, MC_PROBS, PREDICTIONS, PROBS, Need
from askwell.core.strategy import ScoreStrategy, Strategy
from askwell.core.view import Batch, View
from askwell.errors import UndeclaredNeed
from askwell.functional.pick import top, uniform
from askwell.functional.uncertainty import entropy

from mutant import Mutant  # isort: skip


@dataclass(frozen=True)
class Clean(ScoreStrategy):
    """Asks for the items that the model is least sure of.

    Score 1 − max p, from `probs` (N, C); (N,) float32 in [0, 1). O(N·C).

    Lewis and Gale 1994, "A sequential algorithm for training text classifiers", arXiv cmp-lg/9407020.
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS,)

    def score(self, view: View) -> Tensor:
        return 1 - view[PROBS].float().amax(1)


class OneOverBudget(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        return super().choose(view, min(n + 1, len(view)), rng)


class BudgetWithoutEffect(Clean):
    # Ranks the whole pool, whatever n says.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        return super().choose(view, len(view), rng)


class DuplicatePicks(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        rows = top(self.scores(view), n, rng)
        rows[-1] = rows[0] if n == len(view) else rows[-1]
        return view.pick(rows)


class ClampsTheBudget(Clean):
    def select(self, view: View, n: int, rng: Generator) -> Batch:  # type: ignore[misc] # final, and overridden
        return super().select(view, max(1, min(n, len(view))), rng)


class SubsetPositions(Clean):
    # Ranks within a shuffled subset are used as positions in the pool.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        subset = torch.randperm(len(view), generator=rng)
        scores = self.scores(view)[subset]
        rows = top(scores, n, rng)
        return Batch(rows, scores[rows])


class ForgetsWhereRowsStand(Clean):
    # Takes the pool-wide tensor for the candidates' own rows.

    def score(self, view: View) -> Tensor:
        rows, _ = view.whole(PROBS)
        return 1 - rows[: len(view)].float().amax(1)


class GlobalTorch(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = top(scores, n, torch.rand(len(view)))
        return view.pick(rows, scores[rows])


class GlobalNumpy(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = top(scores, n, torch.from_numpy(np.random.random(len(view))))  # noqa: NPY002 - the fault
        return view.pick(rows, scores[rows])


class GlobalRandom(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = top(scores, n, torch.tensor(random.sample(range(len(view)), len(view))))
        return view.pick(rows, scores[rows])


@dataclass(frozen=True)
class UnseededKMeans(Strategy):
    """Asks in turn for random items of four clusters; the seed of k-means is not the given one.

    From `embedding` (N, D). O(N·D).

    Lloyd 1982, "Least squares quantization in PCM", doi:10.1109/TIT.1982.1056489.
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        order = torch.randperm(len(view), generator=rng)
        z = view[EMBEDDING].double()[order] + 1e-9 * torch.arange(len(view))[:, None]
        cluster = torch.from_numpy(KMeans(4, n_init=1).fit_predict(z.numpy()).astype(np.int64))
        turn = (torch.nn.functional.one_hot(cluster, 4).cumsum(0)).gather(1, cluster[:, None])[:, 0]
        return view.pick(order[turn.argsort(stable=True)[:n]])


class HiddenState(Clean):
    # Remembers in an attribute how often it was asked.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        calls = self.__dict__.get("calls", 0) + 1
        object.__setattr__(self, "calls", calls)
        scores = self.scores(view)
        rows = top(scores, n, torch.randperm(len(view), generator=Generator().manual_seed(calls + rng.initial_seed())))
        return view.pick(rows, scores[rows])


class UndeclaredReader(Clean):
    def score(self, view: View) -> Tensor:
        return super().score(view) + 0 * view[EMBEDDING][:, 0].float()


class DeclaresTooMuch(Clean):
    # Has the engine run twenty passes of dropout that it never looks at.

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, MC_PROBS)


class ChangesTheView(Clean):
    def score(self, view: View) -> Tensor:
        return 1 - view[PROBS].clamp_(1e-6, 1.0).float().amax(1)


class ChangesTheViewThroughNumpy(Clean):
    # The same behind the back of torch's version counters.

    def score(self, view: View) -> Tensor:
        rows = view[PROBS].numpy()
        np.sqrt(rows, out=rows)
        return 1 - torch.from_numpy(rows).float().amax(1)


class TenThousandForNaN(Clean):
    def score(self, view: View) -> Tensor:
        return torch.nan_to_num(super().score(view), nan=10000.0)


class SwallowsTheRefusal(Clean):
    # Scores nothing as zero when the view refuses.

    def score(self, view: View) -> Tensor:
        try:
            return super().score(view)
        except ValueError:
            return torch.zeros(len(view))


class TiesByPosition(Clean):
    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = scores.argsort(descending=True, stable=True)[:n]
        return view.pick(rows, scores[rows])


class OnlyTheFirstHalf(Clean):
    # Looks at the first half of the pool only, as long as that has enough.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view).clone()
        half = max(n, len(view) // 2)
        rows = top(scores[:half], n, rng)
        return view.pick(rows)


class ScaledByThePool(Clean):
    # Standardises its scores over the rows at hand and still calls itself rowwise.

    def score(self, view: View) -> Tensor:
        scores = super().score(view)
        return scores - scores.mean()


class ReversedDirection(Clean):
    # Takes the lowest scores.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        rows = top(-scores, n, rng)
        return view.pick(rows, scores[rows])


class ReversedScore(Clean):
    # The score itself has the wrong sign.

    def score(self, view: View) -> Tensor:
        return view[PROBS].float().amax(1)


class SumsInHalf(Clean):
    # Squares and sums in the precision that it was given: float16 overflows or drowns.

    def score(self, view: View) -> Tensor:
        p = view[PROBS]
        return (1 - (1024 + p.amax(1)) / 2048).float()


@dataclass(frozen=True)
class SecretlyNeedsLabels(Strategy):
    """Asks for the items farthest from the labelled ones, and says that it needs none.

    From `embedding` (N, D) and (M, D). O(N·M·D).

    Sener and Savarese 2018, arXiv 1708.00489.
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING, EMBEDDING.at("labelled"))

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        gaps = torch.cdist(view[EMBEDDING].double(), view[EMBEDDING.at("labelled")].double()).min(1).values
        rows = top(gaps, n, rng)
        return view.pick(rows, gaps[rows])


class ForbidsColdStartInVain(Clean):
    # Declares that it needs labels and overrides the refusal.
    cold_start: ClassVar[bool] = False

    def select(self, view: View, n: int, rng: Generator) -> Batch:  # type: ignore[misc] # final, and overridden
        return Clean().select(view, n, rng)


class ComparesByIdentity(Clean):
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


@dataclass(frozen=True, repr=False)
class HalfARepr(Clean):
    __doc__ = Clean.__doc__
    weight: float = 2.0

    def __repr__(self) -> str:
        return "HalfARepr(weight=1.0)"


class Undocumented(Clean):
    """Least confidence."""


@dataclass(frozen=True)
class DistancesOfAllPairs(Strategy):
    """Asks for the items with most neighbours, from a matrix of all distances.

    From `embedding` (N, D). O(N²·D) and N×N memory.

    Yehuda et al. 2022, arXiv 2205.11320.
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (EMBEDDING,)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        z = view[EMBEDDING].float()
        near = (torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist") < 2.5).sum(1)
        rows = top(near.float(), n, rng)
        return view.pick(rows, near[rows])


@dataclass(frozen=True)
class GradientsInFull(ScoreStrategy):
    """Asks for the longest last-layer gradients, from a matrix of all of them.

    From `probs` (N, C) and `embedding` (N, D). O(N·C·D) time and N×(C·D) memory.

    Ash et al. 2020, "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", arXiv 1906.03671.
    """

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, EMBEDDING)

    def score(self, view: View) -> Tensor:
        p, z = view[PROBS].float(), view[EMBEDDING].float()
        residual = p - torch.nn.functional.one_hot(p.argmax(1), p.shape[1])
        return (residual[:, :, None] * z[:, None]).flatten(1).norm(dim=1)


class UtilitiesOfBatchTimesN(Clean):
    # Keeps a row of N utilities for each of the n picks, in float64 of numpy.

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        scores = self.scores(view)
        utilities = np.tile(scores.double().numpy(), (n, 1))
        order = uniform(len(view), rng).numpy()
        rows = []
        for pick in range(n):
            rows.append(int(np.lexsort((order, -utilities[pick]))[0]))
            utilities[pick:, rows[-1]] = -np.inf
        picked = torch.tensor(rows)
        return view.pick(picked, scores[picked])


class ReadsLabelsOfNobody(Clean):
    # Falls back to labels that it did not declare, and hides the refusal.

    @property
    def needs(self) -> tuple[Need, ...]:
        return (PROBS, LABELS)

    def score(self, view: View) -> Tensor:
        try:
            view[EMBEDDING]
        except UndeclaredNeed:
            return super().score(view)
        return super().score(view) + 0 * view[LABELS].sum()


class ForgetsTheAbsence(Clean):
    # Entropy of a label's presence alone, as if probabilities of labels summed to one.

    @property
    def needs(self) -> tuple[Need, ...]:
        return (LABEL_PROBS,)

    def score(self, view: View) -> Tensor:
        return entropy(view[LABEL_PROBS].float())


@dataclass(frozen=True)
class ProductOfMinima(ScoreStrategy):
    """Asks for the items whose nearest input is far, times the distance to the nearest output, whosever that is.

    From `features` (N, D) and (M, D), `predictions` (N, 1) and `labels` (M,). O(N·M·D).

    Wu, Lin and Huang 2019, arXiv 1808.04245, misread: the minimum is of the product.
    """

    cold_start: ClassVar[bool] = False

    @property
    def needs(self) -> tuple[Need, ...]:
        return (FEATURES, FEATURES.at("labelled"), PREDICTIONS, LABELS)

    def score(self, view: View) -> Tensor:
        x, known = view[FEATURES].double(), view[FEATURES.at("labelled")].double()
        y = view[PREDICTIONS].double() - view[LABELS].double()
        return (torch.cdist(x, known).amin(1) * y.abs().amin(1)).float()


class EntropyAsConfidence(Clean):
    # In nats it goes beyond 1 where there are more than two classes.

    confidence: ClassVar[bool] = True

    def score(self, view: View) -> Tensor:
        return entropy(view[PROBS].float())


class CostInWords(Clean):
    # Nobody can say how many batches there are.

    cost: ClassVar[str] = "O(N·C·batches)"


MUTANTS = [
    Mutant(OneOverBudget(), "FIELD 1.2.7", "check_returns_exactly_n"),
    Mutant(BudgetWithoutEffect(), "FIELD 1.2.6", "check_returns_exactly_n"),
    Mutant(DuplicatePicks(), "ANCHORS 3.1", "check_returns_exactly_n"),
    Mutant(ClampsTheBudget(), "ANCHORS 3.2", "check_refuses_what_is_not_there"),
    Mutant(SubsetPositions(), "FIELD 1.2.1, ANCHORS 1.9 index spaces", "check_maps_ids_with_gaps"),
    Mutant(ForgetsWhereRowsStand(), "ANCHORS 1.9 index spaces", "check_maps_ids_with_gaps"),
    Mutant(GlobalTorch(), "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    Mutant(GlobalNumpy(), "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    Mutant(GlobalRandom(), "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    Mutant(UnseededKMeans(), "FIELD 2.13 seed does not reach k-means", "check_moves_no_global_generator"),
    Mutant(HiddenState(), "CONTRACTS 1.12", "check_same_seed_same_batch"),
    Mutant(UndeclaredReader(), "ANCHORS 1.9 methods declare needs", "check_reads_exactly_its_needs"),
    Mutant(ReadsLabelsOfNobody(), "ANCHORS 3.5", "check_reads_exactly_its_needs"),
    Mutant(DeclaresTooMuch(), "ANCHORS 3.5", "check_reads_exactly_its_needs"),
    Mutant(ChangesTheView(), "ANCHORS 3.6", "check_changes_no_tensor"),
    Mutant(ChangesTheViewThroughNumpy(), "ANCHORS 3.6", "check_changes_no_tensor"),
    Mutant(TenThousandForNaN(), "ANCHORS 1.9 non-finite score becomes 10,000", "check_refuses_non_finite"),
    Mutant(SwallowsTheRefusal(), "ANCHORS 1.9 non-finite score becomes 0", "check_refuses_non_finite"),
    Mutant(TiesByPosition(), "ANCHORS 1.9 ties", "check_position_carries_no_information"),
    Mutant(OnlyTheFirstHalf(), "ANCHORS 3.8", "check_position_carries_no_information"),
    Mutant(ScaledByThePool(), "ANCHORS 3.9", "check_rowwise_scores_are_local"),
    Mutant(EntropyAsConfidence(), "issue 4, streams", "check_confidence_is_from_0_to_1"),
    Mutant(ReversedDirection(), "ANCHORS 1.9 flags for direction", "check_scores_rank_the_batch"),
    Mutant(ReversedScore(), "ANCHORS 1.9 flags for direction", "check_picks_are_golden", "least_confidence"),
    Mutant(ForgetsTheAbsence(), "issue 3, binary entropies", "check_picks_are_golden", "binary_entropy"),
    Mutant(ProductOfMinima(), "issue 3, greedy sampling", "check_picks_are_golden", "greedy_sampling"),
    Mutant(SumsInHalf(), "ANCHORS 3.12", "check_dtypes_agree"),
    Mutant(SecretlyNeedsLabels(), "ANCHORS 3.13", "check_cold_start_is_declared"),
    Mutant(ForbidsColdStartInVain(), "ANCHORS 3.13", "check_cold_start_is_declared"),
    Mutant(ComparesByIdentity(), "ANCHORS 3.14", "check_is_a_value"),
    Mutant(HalfARepr(), "ANCHORS 3.14", "check_is_a_value"),
    Mutant(Undocumented(), "ANCHORS 3.15", "check_docstring_is_complete"),
    Mutant(CostInWords(), "issue 4, costs are said beforehand", "check_cost_is_read"),
    Mutant(DistancesOfAllPairs(), "FIELD 1.2.3", "check_allocates_no_square"),
    Mutant(GradientsInFull(), "FIELD 1.2.4", "check_allocates_no_square"),
    Mutant(UtilitiesOfBatchTimesN(), "FIELD 1.2.2", "check_allocates_no_square"),
]
