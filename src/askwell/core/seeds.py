"""One seed for everything: each use derives its own generator from a path of words and numbers."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["Seeds"]

Step = str | int


@dataclass(frozen=True)
class Seeds:
    """A tree of seeds. `Seeds(7)("select", 3)` depends on 7, "select" and 3 and on nothing else.

    >>> Seeds(7)("select", 3) == Seeds(7).child("select")(3)
    True
    >>> Seeds(7)("select", 3) == Seeds(7)("select", 4)
    False
    """

    root: int
    path: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", operator.index(self.root))

    def child(self, *path: Step) -> Seeds:
        """The subtree below `path`."""
        return Seeds(self.root, self.path + path)

    def __call__(self, *path: Step) -> int:
        """A seed in [0, 2**63)."""
        words = repr((self.root, *self.path, *path)).encode()
        return int.from_bytes(blake2b(words, digest_size=8).digest(), "big") >> 1

    def torch(self, *path: Step, device: str = "cpu") -> torch.Generator:
        """A fresh torch generator."""
        import torch

        return torch.Generator(device).manual_seed(self(*path))

    def numpy(self, *path: Step) -> np.random.Generator:
        """A fresh numpy generator."""
        import numpy as np

        return np.random.default_rng(self(*path))
