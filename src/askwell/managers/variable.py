"""A threshold on the confidence that follows the stream."""

from __future__ import annotations

from dataclasses import dataclass

from askwell.managers.moving import Moving

__all__ = ["Variable"]


@dataclass(frozen=True)
class Variable(Moving):
    """Asks where the confidence is below a threshold that falls with every question and rises with every other item.

    budget     B in [0, 1]: share of the items that may be asked about
    window     w: items over which it is spent
    spent      "estimated" by û ← û·(w − 1)/w + asked, which starts with a burst of about B·w questions; "counted"
               exactly, never more than B·seen + 1
    rate       s: the share by which the threshold moves; 0 leaves it where it is
    threshold  θ before the first item
    recompute  when the model has changed, θ becomes the B-quantile of the last w confidences

    Scores in [0, 1] that are 1 − confidence. O(1) per item. While no budget is left the threshold stays. Regions where
    the model is sure are never looked at again, so drift there goes unseen: see `randomised` and `split`.

    Žliobaitė, Bifet, Pfahringer and Holmes 2014, doi:10.1109/TNNLS.2012.2236570.

    >>> import torch
    >>> manager = Variable(budget=0.5, window=4)
    >>> asks, state = manager.walk(manager.start(2), [0.5, 0.005, 0.8, 0.03], torch.Generator())
    >>> asks, state
    ([True, False, True, True], {'spent': 2.171875, 'threshold': 0.980002})
    """
