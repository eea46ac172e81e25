"""Metrics of label probabilities on one held-out set, on torchmetrics; defined on every set, without warnings.

All take probs (n, C), each label's by itself, and targets (n, C) of 0 and 1, n >= 1. A label is predicted where its
probability is at least one half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from askwell.errors import BadShape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["f1", "mean_average_precision", "of_label_probs"]

TINY = float(np.finfo(np.float32).tiny)


def of_label_probs(probs: Tensor, targets: Tensor) -> dict[str, float]:
    """Macro and micro F1, mAP, subset accuracy, Hamming loss and NLL (nats); empty for an empty set.

    subset_accuracy  share of the items whose labels are all right
    hamming_loss     share of the n·C decisions that are wrong
    nll              mean of −log p of what is true, over items and labels; p counts as at least the smallest normal
                     float32, 87.3 nats

    O(n·C·log n) for mAP, O(n·C) for the rest.

    >>> import torch
    >>> probs = torch.tensor([[.9, .2], [.6, .7], [.4, .1]])
    >>> found = of_label_probs(probs, torch.tensor([[1, 0], [0, 1], [1, 0]]))
    >>> {name: round(value, 3) for name, value in found.items()}
    {'macro_f1': 0.75, 'micro_f1': 0.667, 'map': 0.917, 'subset_accuracy': 0.333, 'hamming_loss': 0.333, 'nll': 0.437}
    """
    from torchmetrics.functional.classification import multilabel_exact_match, multilabel_hamming_distance

    _check(probs, targets)
    if not len(targets):
        return {}
    probs, targets = probs.float().clamp(0, 1), targets.long()
    chosen, width = (probs >= 0.5).long(), probs.shape[1]
    likelihood = (probs - (1 - targets)).abs().clamp(min=TINY)
    macro, micro = f1(chosen, targets)
    return {
        "macro_f1": macro,
        "micro_f1": micro,
        "map": mean_average_precision(probs, targets),
        "subset_accuracy": float(multilabel_exact_match(chosen, targets, width, validate_args=False)),
        "hamming_loss": float(multilabel_hamming_distance(chosen, targets, width, validate_args=False)),
        "nll": float(-likelihood.log().mean()),
    }


def f1(chosen: Tensor, targets: Tensor) -> tuple[float, float]:
    """Macro and micro F1 of decisions (n, C) of 0 and 1, each in [0, 1]; 1 where nothing is there and nothing is said.

    Macro is the mean over the labels that some item has or is said to have.

    >>> import torch
    >>> f1(torch.tensor([[1, 0, 0], [1, 1, 0]]), torch.tensor([[1, 0, 0], [0, 1, 0]]))
    (0.8333..., 0.8)
    """
    from torchmetrics.functional.classification import multilabel_f1_score

    width, occurs = chosen.shape[1], ((chosen + targets) > 0).any(0)
    if not bool(occurs.any()):
        return 1.0, 1.0
    each = multilabel_f1_score(chosen, targets, width, average="none", validate_args=False)
    micro = multilabel_f1_score(chosen, targets, width, average="micro", validate_args=False)
    return float(each.reshape(-1)[occurs].mean()), float(micro)


def mean_average_precision(probs: Tensor, targets: Tensor) -> float:
    """Average precision, the area under precision over recall in steps, averaged over the labels that some item has.

    In [0, 1]; 0, as by chance, when no item has a label.

    >>> import torch
    >>> mean_average_precision(torch.tensor([[.9, .2], [.6, .7], [.4, .1]]), torch.tensor([[1, 0], [0, 0], [1, 0]]))
    0.8333...
    """
    from torchmetrics.functional.classification import binary_average_precision

    present = (targets > 0).any(0).nonzero()[:, 0].tolist()
    if not present:
        return 0.0
    areas = [float(binary_average_precision(probs[:, c], targets[:, c].long(), validate_args=False)) for c in present]
    return sum(areas) / len(areas)


def _check(probs: Tensor, targets: Tensor) -> None:
    if probs.ndim != 2 or targets.shape != probs.shape:
        raise BadShape(
            f"probs have shape {tuple(probs.shape)} and targets {tuple(targets.shape)}: (n, C) and (n, C) are needed",
            got=(tuple(probs.shape), tuple(targets.shape)),
        )
