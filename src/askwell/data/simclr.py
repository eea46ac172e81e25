"""Features of pictures that a small encoder learns from the pictures themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form
from askwell.data.cache import kept
from askwell.data.digest import of_parts
from askwell.data.features import COMPONENTS, Principal, Rows, principal, shrunk_shape
from askwell.errors import BadData

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NAME", "Contrasted", "SimCLR"]

log = logging.getLogger("askwell")

NAME = "simclr"
"""What a user gives as `features`."""
BLOCK, PROJECTED, SEED = 512, 64, 0


@dataclass(frozen=True)
class SimCLR:
    """Contrastive pre-training on the candidates alone: up to 64 features per picture.

    steps    of 128 pictures or all, two views each; temperature, augment: see `training.contrast`
    The features are the 64 principal components of the encoder's last convolutional map, scaled to length 1. Pictures
    are seen at no more than 32 pixels a side, and at most 10,000 of them are trained on, so that any folder costs the
    same: 600 steps take about a minute on one CPU core. Weights and features are kept in the cache by the content
    of the pictures, the candidates among them and these numbers; the seed is fixed.
    Measured with 3,000 candidates, one seed: 5 nearest neighbours are right for 96.5 % of MNIST where raw pixels get
    92.9 %, and for 82.3 % of Fashion-MNIST where they get 77.9 %.

    Chen et al. 2020, arXiv 2002.05709; as a start for active learning, Hacohen et al. 2022, arXiv 2202.02794.
    """

    steps: int = 600
    temperature: float = 0.2
    augment: tuple[str, ...] = ("warp", "jitter")

    @property
    def digest(self) -> str:
        """Hex hash of its numbers."""
        return of_parts(NAME, repr(sorted(asdict(self).items())))

    def check(self, form: Form) -> None:
        """Raises `BadData` for items that are no pictures."""
        if form.kind != "image" or min(form.shape[1:]) < 4:
            raise BadData(f"features 'simclr' are for pictures of at least 4x4 pixels, and these items are {form}")

    def fit(self, rows: Rows, form: Form, cache: Path | None, content: str) -> Contrasted:
        """The trained encoder as a map from flat pictures (n, D); `content` names it in the cache."""
        self.check(form)
        shape = shrunk_shape(form.shape)
        net, name = _net(shape), of_parts(content, self.digest, repr(shape))[:32]
        width = net.head[0].in_features
        ends = np.cumsum([sum(map(np.size, _numbers(net))), width, min(COMPONENTS, len(rows), width) * width])
        numbers = kept(cache, f"simclr-{name}", int(ends[-1]), lambda: self._learnt(rows, shape))
        weights, mean, components = np.split(np.array(numbers), ends[:-1])
        return Contrasted(weights, np.array(shape), mean, components.reshape(-1, width))

    def _learnt(self, rows: Rows, shape: tuple[int, ...]) -> Iterator[NDArray[np.float32]]:
        """All numbers of the map, one behind the other."""
        weights = self._trained(rows.reshape(-1, *shape))
        across = principal(_embedded(weights, shape, rows))
        yield np.concatenate([weights, across.mean.ravel(), across.components.ravel()]).astype(np.float32)

    def _trained(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        from askwell.core.seeds import Seeds
        from askwell.data.arrays import ArrayPool
        from askwell.training.contrast import Contrast
        from askwell.training.unlabelled import fit_unlabelled

        log.info("training an encoder on %d pictures, %d steps", len(images), self.steps)
        shape = images.shape[1:]
        pool = ArrayPool(images[:, 0] if shape[0] == 1 else np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
        fitted = fit_unlabelled(
            Contrast(steps=self.steps, temperature=self.temperature, augment=self.augment),
            pool, torch.arange(len(images)), {"net": lambda: _net(shape)}, Seeds(SEED),
            device="cuda" if torch.cuda.is_available() else "cpu",
        )  # fmt: skip
        return np.concatenate([values.ravel() for values in _numbers(fitted.modules.net.cpu())])


@dataclass(frozen=True, eq=False)
class Contrasted:
    """A trained encoder and a projection: all arrays.

    weights  (W,) its numbers, one behind the other; shape (3,): of the pictures that it takes
    mean     (D,) of its embeddings; components (K, D): what they are projected on
    """

    weights: NDArray[np.float32]
    shape: NDArray[np.int64]
    mean: NDArray[np.float32]
    components: NDArray[np.float32]

    def __call__(self, rows: Rows) -> Rows:
        shape = tuple(int(side) for side in self.shape)
        return Principal(self.mean, self.components)(_embedded(self.weights, shape, rows))


def _embedded(weights: NDArray[np.float32], shape: tuple[int, ...], rows: Rows) -> Rows:
    """(n, D) embeddings of flat pictures, of length 1."""
    import torch
    from torch.nn.functional import normalize

    net, out = _filled(_net(shape), weights).eval(), []
    with torch.inference_mode():
        for start in range(0, len(rows), BLOCK):
            x = torch.from_numpy(np.ascontiguousarray(rows[start : start + BLOCK])).view(-1, *shape)
            out.append(normalize(net.embed(x)[0], dim=1).numpy())
    return np.concatenate(out)


def _net(shape: tuple[int, ...]) -> Any:
    """The encoder for pictures of this shape, untrained; no global generator moves."""
    import torch

    from askwell.models.encoder import Encoder
    from askwell.training.chance import lend

    with lend(torch.Generator().manual_seed(0)):
        return Encoder().build(Form("image", shape), PROJECTED)


def _numbers(net: nn.Module) -> list[NDArray[np.float32]]:
    """Weights and running statistics in order; counts of batches say nothing about outputs."""
    return [value.detach().numpy() for value in net.state_dict().values() if value.is_floating_point()]


def _filled(net: Any, weights: NDArray[np.float32]) -> Any:
    import torch

    start = 0
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.from_numpy(weights[start : start + value.numel()].copy()).view_as(value))
                start += value.numel()
    return net
