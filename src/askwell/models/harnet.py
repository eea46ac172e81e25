"""A tiny convolutional network for windows of sensors, small enough for a wrist."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from askwell.core.pool import Form
from askwell.errors import InputError
from askwell.functional.wavelet import approximation
from askwell.models.net import HeadedNet, Net, refuse

__all__ = ["HARNet"]


@dataclass(frozen=True)
class HARNet:
    """Wavelet compression, two 1-D convolutions per axis, two 2-D convolutions across axes, layers of 16 and 8, a head.

    Takes windows (T,) of one axis, or pictures (1, S, T) of S axes. Convolutions have 8 and 16 filters, batch norm and
    pooling by 2; dropout stands before both hidden layers. D = 8; fewer than 40,000 weights for 3 axes of 256 samples.

    dropout  probability of each unit to be dropped, in [0, 1)
    levels   of the wavelet transform, each halves the window; T is a multiple of 2**levels

    Gudur, Sundaramoorthy & Umaashankar 2019, "ActiveHARNet", arXiv 1906.00108.

    >>> net = HARNet().build(Form("image", (1, 3, 256)), 6)
    >>> sum(weights.numel() for weights in net.parameters())
    9758
    """

    dropout: float = 0.25
    levels: int = 1

    def build(self, form: Form, outputs: int) -> Net:
        """The network for items of this form; takes vectors, and pictures of one channel."""
        refuse(self, form, "vector", "image")
        channels, axes, length = (1, 1, *form.shape) if form.kind == "vector" else form.shape
        steps = length // 2**self.levels
        if channels != 1 or length % 2**self.levels or steps < 16:
            raise InputError(
                f"model {self!r} takes windows (T,) or (1, S, T) with T a multiple of {2**self.levels} and at least "
                f"{16 * 2**self.levels}, got {form.shape}",
                got=form,
            )
        per_axis = nn.Sequential(_Compressed(axes, self.levels), *_along(axes, axes, 8), *_along(axes, 8 * axes, 16))
        across = nn.Sequential(_Picture(axes), *_over(16, 8), *_over(8, 16), nn.Flatten())
        hidden = [_dense(16 * axes * (steps // 16), 16, self.dropout), _dense(16, 8, self.dropout)]
        return HeadedNet([per_axis, across, *hidden], 8, outputs)


class _Compressed(nn.Module):
    """(n, T) or (n, 1, S, T) to (n, S, T/2^levels)."""

    def __init__(self, axes: int, levels: int) -> None:
        super().__init__()
        self.axes, self.levels = axes, levels

    def forward(self, x: Tensor) -> Tensor:
        return approximation(x.reshape(len(x), self.axes, x.shape[-1]), self.levels)


class _Picture(nn.Module):
    """(n, S·16, L), the filters of one axis after those of another, to (n, 16, S, L)."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), self.axes, x.shape[1] // self.axes, x.shape[2]).transpose(1, 2)


def _along(axes: int, inputs: int, filters: int) -> list[nn.Module]:
    """One convolution per axis with filters of its own."""
    conv = nn.Conv1d(inputs, filters * axes, 2, groups=axes)
    return [nn.ConstantPad1d((0, 1), 0.0), conv, nn.ReLU(), nn.BatchNorm1d(filters * axes), nn.MaxPool1d(2)]


def _over(inputs: int, filters: int) -> list[nn.Module]:
    """One convolution over axes and time; pooling along time alone, since there are few axes."""
    return [nn.Conv2d(inputs, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d((1, 2))]


def _dense(inputs: int, outputs: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, outputs), nn.ReLU())
