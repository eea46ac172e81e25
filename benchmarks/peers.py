"""The same kernels of public packages, as they ship; each is measured only where its package can be imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["PEERS", "Peer", "available"]


class Peer(NamedTuple):
    """A package's kernel: the module that it is in, its call, and the bytes that it asks for as its source shows."""

    module: str
    run: Callable[..., Any]
    memory: Callable[..., int]

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def available(cell: str) -> list[Peer]:
    """Peers of a kernel whose package can be imported; it is imported here, so that no timing includes that."""
    return [peer for peer in PEERS.get(cell, ()) if _importable(peer.module)]


def _importable(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def _baal(name: str) -> Peer:
    def run(tensor: Tensor, n: int) -> Any:
        from baal.active import heuristics

        classes_then_draws = tensor.movedim(-1, 1).numpy()
        return getattr(heuristics, name)()(classes_then_draws)[:n]

    return Peer("baal.active.heuristics", run, lambda tensor, n: 3 * tensor.nbytes)


def _redux(mc: Tensor, n: int) -> Any:
    from batchbald_redux.batchbald import get_batchbald_batch

    return get_batchbald_batch(mc.log(), n, 1000, dtype=torch.float32)


def _core_set(z: Tensor, n: int) -> Any:
    import numpy as np
    from skactiveml.pool import CoreSet

    y = np.full(len(z), np.nan)
    y[0] = 0
    return CoreSet(random_state=0).query(z.numpy(), y, batch_size=n)


PEERS: Mapping[str, tuple[Peer, ...]] = {
    "least confidence": (_baal("Certainty"),),
    "margin": (_baal("Margin"),),
    "entropy": (_baal("Entropy"),),
    "BALD": (_baal("BALD"),),
    "BatchBALD": (Peer("batchbald_redux.batchbald", _redux, lambda mc, n: 2 * mc.nbytes),),
    "k-center": (Peer("skactiveml.pool", _core_set, lambda z, n: 8 * n * len(z) + z.nbytes),),
}
