"""Training a classifier and, beside it, how alike items are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import normalize

from askwell.core.needs import SIMILARITY, Need
from askwell.core.scheme import Outputs, Rows, Run
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.pairs import pair_loss
from askwell.schemes.supervised import Supervised
from askwell.training.weighting import no_loss

__all__ = ["PairLoss"]


@dataclass(frozen=True)
class PairLoss(Supervised):
    """The task's loss, and a loss on pairs: items of one class shall be alike, those of two classes shall not.

    weight  of the pairs' loss beside the task's
    width   D of the similarity features: the embedding z through a linear map W, scaled to length one, so that the
            likeness of two items is zᵢᵀ(WᵀW)zⱼ up to their lengths, a learned positive semi-definite form
    scale   steepness of the logistic loss on a likeness in [−1, 1]

    All pairs of a batch count, both kinds one half, see `functional.pair_loss`; its gradient reaches the net through
    the embedding. Need `similarity` (N, D). All other numbers are those of `Supervised`, at whose cost it trains.

    Yin et al. 2017, "Deep Similarity-Based Batch Mode Active Learning with Exploration-Exploitation",
    doi:10.1109/ICDM.2017.67; our interpretation, since its loss on pairs is not public.

    >>> PairLoss(weight=0.5).width
    32
    """

    weight: float = 1.0
    width: int = 32
    scale: float = 5.0

    offers: ClassVar[Mapping[Need, str]] = {**Supervised.offers, SIMILARITY: "similarity"}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("weight", 0), ("width", 1), ("scale", 1e-9)):
            if not getattr(self, name) >= least:
                raise InputError(f"{name} of scheme PairLoss must be at least {least}, got {getattr(self, name)}")
        if self.average:
            raise InputError("average of PairLoss must be (): its similarity features belong to the last weights")

    def train(self, run: Run) -> None:
        if run.facts.num_classes is None:
            raise UnmetNeeds(f"scheme pair_loss needs one class per item, and task {run.task!r} has none")
        super().train(run)

    def companions(self, run: Run) -> Mapping[str, Callable[[], nn.Module]]:
        """The map from embeddings to similarity features."""
        return {
            **super().companions(run),
            "alike": lambda: nn.Linear(_embedding_width(run.m.net.head), self.width, bias=False),
        }

    def trained(self, run: Run) -> Sequence[nn.Module]:
        return (*super().trained(run), run.m.alike)

    def loss(self, run: Run, rows: Rows, per_class: Tensor | None = None) -> Tensor:
        """The task's loss and the pairs' from one forward pass; 0 for no rows."""
        if not len(rows) or rows.y is None:
            return no_loss(run.m.net)
        z = run.m.net.embed(rows.x)[0]
        task = self.loss_of(run, run.m.net.head, replace(rows, views=(z,)), per_class)
        return task + self.weight * pair_loss(self._features(run, z), rows.y, self.scale, rows.w)

    def similarity(self, run: Run, outputs: Outputs) -> Tensor:
        """(n, D) similarity features, rows of length one."""
        return self._features(run, outputs.z)

    def _features(self, run: Run, z: Tensor) -> Tensor:
        return normalize(run.m.alike(z.flatten(1)), dim=1)


def _embedding_width(head: nn.Module) -> int:
    """Columns of a head's first weight matrix: the width of what it takes."""
    for weight in head.parameters():
        if weight.ndim == 2:
            return weight.shape[1]
    raise UnmetNeeds(f"scheme pair_loss needs a head with a weight matrix, and this one is {head!r}")
