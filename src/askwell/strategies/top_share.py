"""Keeping the most wanted part of the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.needs import Need
from askwell.core.stage import Prefilter, Stage, score_of, stages
from askwell.core.strategy import ScoreStrategy
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.pick import top

__all__ = ["TopShare"]


@dataclass(frozen=True)
class TopShare(Prefilter):
    """Keeps the candidates with the highest scores, for a slower or more diverse choice among them.

    beta  the beta·Q most wanted are kept
    by    the score that says so; None: the score of the composition

    Scores (N,) of `by`; what only later stages read is computed for the beta·Q kept ones alone, so that
    `top_share(by=margin) | batch_bald` draws for few items. Equal scores by a random key. O(N) beside the scores.

    Step 1 of Zhdanov 2019, arXiv 1901.05954, and of Citovsky et al. 2021, arXiv 2107.14263.

    >>> from askwell.strategies import BADGE, Margin
    >>> [str(need) for need in (TopShare(by=Margin()) | BADGE()).needs]
    ['probs', 'embedding']
    """

    example: ClassVar[str] = "{0} | margin | weighted_kmeans"
    leaves: ClassVar[str] = "beta·Q"

    beta: float = 10
    by: ScoreStrategy | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta >= 1:
            raise InputError(f"beta is {self.beta}: it must be at least 1", got=self.beta)
        if self.by is not None:
            object.__setattr__(self, "cold_start", self.cold_start and self.by.cold_start)
        elif score_of(self) is None and not isinstance(last := stages(self)[-1], Stage):
            raise InputError(
                f"top_share keeps by a score, and {last!r} chooses a set and gives no scores: "
                "name a score, such as top_share(by=margin)",
                got=last,
            )

    @property
    def own_needs(self) -> tuple[Need, ...]:
        return self.by.needs if self.by is not None else ()

    def keep(self, view: View, n: int, rng: Generator) -> Tensor:
        score = self.by or score_of(self)
        assert score is not None
        return top(score.scores(view.only(score.needs)), min(len(view), max(n, int(self.beta * n))), rng)
