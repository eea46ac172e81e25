"""ACS-FW: active Bayesian coresets by Frank-Wolfe."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from askwell.core.needs import MC_PROBS, Need
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.functional.frank_wolfe import bayesian_coreset, log_likelihoods
from askwell.functional.pick import uniform

__all__ = ["AcsFW"]

log = logging.getLogger("askwell")


@dataclass(frozen=True)
class AcsFW(Strategy):
    """Asks for the items whose labels, weighted, would come nearest to those of the whole pool: spread by construction.

    draws    J projections: draws of the posterior, the same J functions for every item
    entropy  how much the predictive entropy of an item adds to its expected log-likelihood

    Draws (N, J, C). An item is the vector of its expected log-likelihoods under the draws; Frank-Wolfe approximates the
    sum of all vectors by few. That may end with fewer than Q, for J numbers are soon matched; the items that are best
    aligned with what is left then fill up. The score of a pick is its alignment with the residual when it came in. The
    weights are not used in training. At most O(10·Q·N·J), memory O(N·J).

    Pinsler et al. 2019, "Bayesian batch active learning as sparse subset approximation", arXiv 1908.02144.

    >>> import torch
    >>> strategy = AcsFW(draws=2)
    >>> mc = torch.tensor([[[.9, .1], [.2, .8]], [[.8, .2], [.4, .6]], [[.1, .9], [.7, .3]]])
    >>> view = View(torch.arange(3), strategy.needs, lambda *_: {strategy.needs[0]: mc})
    >>> strategy.select(view, 2, torch.Generator())
    Batch(ids=tensor([0, 1]), scores=tensor([1.3125e+00, 7.7042e-05]), ...)
    """

    cost: ClassVar[str] = "O(10·Q·N·J), J = draws"

    draws: int = 10
    entropy: float = 0.7

    @property
    def needs(self) -> tuple[Need, ...]:
        return (MC_PROBS(draws=self.draws),)

    def choose(self, view: View, n: int, rng: Generator) -> Batch:
        vectors = log_likelihoods(view[self.needs[0]], self.entropy)
        sparse = bayesian_coreset(vectors, n, uniform(len(view), rng))
        filled = int((sparse.weights == 0).sum())
        if filled:
            log.info("acs_fw: Frank-Wolfe found %d of %d items; %d fill up by alignment", n - filled, n, filled)
        return view.pick(sparse.rows, sparse.alignments)
