"""Half the samples of a signal: the approximation coefficients of its wavelet transform."""

from __future__ import annotations

import torch
from torch import Tensor

from askwell.errors import BadShape

__all__ = ["approximation"]

DB4 = (
    -0.010597401785069032, 0.0328830116668852, 0.030841381835560764, -0.18703481171909309,
    -0.027983769416859854, 0.6308807679298589, 0.7148465705529157, 0.2303778133088965,
)  # fmt: skip
"""Low-pass filter with four vanishing moments."""


def approximation(signals: Tensor, levels: int = 1) -> Tensor:
    """(…, T/2^levels) low-pass coefficients of signals (…, T), by Daubechies' filter with four vanishing moments.

    The signal is taken as periodic, so that every level halves it exactly; an odd length is refused. The filter is
    orthonormal: a constant c becomes c·√2 per level. O(n·T).

    Daubechies 1988, "Orthonormal bases of compactly supported wavelets", doi:10.1002/cpa.3160410705.

    >>> approximation(torch.ones(1, 8)).round(decimals=4)
    tensor([[1.4142, 1.4142, 1.4142, 1.4142]])
    """
    low = torch.tensor(DB4, dtype=signals.dtype, device=signals.device)
    for _ in range(levels):
        length = signals.shape[-1]
        if length % 2 or length < len(DB4):
            raise BadShape(
                f"a signal of {length} samples cannot be halved: give an even number of at least {len(DB4)}", got=length
            )
        flat = signals.reshape(-1, 1, length)
        around = torch.cat([flat[..., -3:], flat, flat[..., :3]], -1)
        halved = torch.nn.functional.conv1d(around, low.flip(0)[None, None], stride=2)
        signals = halved.view(*signals.shape[:-1], length // 2)
    return signals
