"""Scoring a random part of the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from askwell.core.stage import Prefilter
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.pick import some

__all__ = ["Subsample"]


@dataclass(frozen=True)
class Subsample(Prefilter):
    """Lets a strategy see a uniform sample of the candidates: cheaper, and more diverse.

    strategy  any
    size      how many candidates are sampled, without replacement; at least Q, at most N

    Needs, shapes and scores are the inner strategy's, for `size` candidates instead of N; outputs of the model are
    computed for those only. O(N) beside it. It changes results, so a recipe that uses it says so.

    A fixed sample of 10,000 to 35,000 is common, as in Beluch et al. 2018, doi:10.1109/CVPR.2018.00976.

    >>> from askwell.strategies import Margin
    >>> (Subsample(size=1000) | Margin()).needs == Margin().needs
    True
    """

    leaves: ClassVar[str] = "size"

    size: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 1:
            raise InputError(f"size of a subsample is {self.size}: it must be at least 1", got=self.size)

    def keep(self, view: View, n: int, rng: Generator) -> Tensor:
        return some(len(view), max(self.size, n), rng).to(view.ids.device)
