"""Metrics of class probabilities on one held-out set, on torchmetrics; defined on every set, without warnings.

All take probs (n, C), rows that sum to one, and targets (n,) int64 class indices, n >= 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from askwell.errors import BadShape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["auroc", "balanced_accuracy", "calibration_error", "of_probs"]

BINS = 15
TINY = float(np.finfo(np.float32).tiny)


def of_probs(probs: Tensor, targets: Tensor) -> dict[str, float]:
    """Accuracy, balanced accuracy, macro-F1, AUROC, calibration error and NLL (nats); empty for an empty set.

    macro_f1  mean over the classes that occur among the targets or the predictions
    nll       mean of −log p(target); p counts as at least the smallest normal float32, 87.3 nats

    O(n·C·log n) for the AUROC, O(n·C) for the rest.

    >>> import torch
    >>> found = of_probs(torch.tensor([[.9, .1], [.4, .6], [.7, .3], [.2, .8]]), torch.tensor([0, 0, 1, 1]))
    >>> {name: round(value, 3) for name, value in found.items()}
    {'accuracy': 0.5, 'balanced_accuracy': 0.5, 'macro_f1': 0.5, 'auroc': 0.75, 'ece': 0.4, 'nll': 0.612}
    """
    from torchmetrics.functional.classification import multiclass_f1_score

    _check(probs, targets)
    if not len(targets):
        return {}
    probs = probs.float()
    chosen = probs.argmax(1)
    f1 = multiclass_f1_score(chosen, targets, probs.shape[1], average="macro", validate_args=False)
    likelihood = probs.gather(1, targets[:, None]).clamp(min=TINY)
    return {
        "accuracy": float((chosen == targets).float().mean()),
        "balanced_accuracy": balanced_accuracy(probs, targets),
        "macro_f1": float(f1),
        "auroc": auroc(probs, targets),
        "ece": calibration_error(probs, targets),
        "nll": float(-likelihood.log().mean()),
    }


def balanced_accuracy(probs: Tensor, targets: Tensor) -> float:
    """Mean recall of the classes that occur among the targets, in [0, 1].

    >>> import torch
    >>> balanced_accuracy(torch.tensor([[.9, .1, 0], [.8, .1, .1], [.1, .9, 0]]), torch.tensor([0, 0, 0]))
    0.6666...
    """
    from torchmetrics.functional.classification import multiclass_recall

    recall = multiclass_recall(probs.argmax(1), targets, probs.shape[1], average="none", validate_args=False)
    return float(recall[_present(targets, probs.shape[1])].mean())


def auroc(probs: Tensor, targets: Tensor) -> float:
    """Mean area under the ROC curve of each class against the rest, in [0, 1].

    Only classes count that occur and are not alone; 0.5, as by chance, when there is none.

    >>> import torch
    >>> auroc(torch.tensor([[.9, .1, 0], [.4, .6, 0], [.7, .3, 0]]), torch.tensor([0, 1, 1]))
    1.0
    >>> auroc(torch.tensor([[.9, .1]]), torch.tensor([0]))
    0.5
    """
    from torchmetrics.functional.classification import binary_auroc

    present = _present(targets, probs.shape[1]).nonzero()[:, 0].tolist()
    if len(present) < 2:
        return 0.5
    probs = probs.float().clamp(0, 1)
    areas = [float(binary_auroc(probs[:, c], (targets == c).long(), validate_args=False)) for c in present]
    return sum(areas) / len(areas)


def calibration_error(probs: Tensor, targets: Tensor, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equal bins of confidence, weighted by their items: ECE, in [0, 1].

    Naeini, Cooper and Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602; Guo et al. 2017, arXiv 1706.04599 (15 bins).

    >>> import torch
    >>> calibration_error(torch.tensor([[.75, .25]] * 4), torch.tensor([0, 0, 0, 1]))
    0.0
    """
    from torchmetrics.functional.classification import multiclass_calibration_error

    inside = probs.float().clamp(0, 1)
    return float(multiclass_calibration_error(inside, targets, probs.shape[1], n_bins=bins, validate_args=False))


def _present(targets: Tensor, classes: int) -> Tensor:
    return targets.bincount(minlength=classes) > 0


def _check(probs: Tensor, targets: Tensor) -> None:
    if probs.ndim != 2 or targets.shape != probs.shape[:1]:
        raise BadShape(
            f"probs have shape {tuple(probs.shape)} and targets {tuple(targets.shape)}: (n, C) and (n,) are needed",
            got=(tuple(probs.shape), tuple(targets.shape)),
        )
