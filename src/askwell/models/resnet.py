"""ResNet-18 with the stem for small images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from askwell.core.pool import Form
from askwell.models.net import HeadedNet, Net, refuse

__all__ = ["Resnet18"]


@dataclass(frozen=True)
class Resnet18:
    """Four stages of two residual blocks each, 3x3 stem without pooling, as used on CIFAR; D = 8·width.

    width    channels of the first stage, 64 in the paper
    dropout  before the head; 0 in the paper, MC dropout needs more
    The taps are the four stages, then the embedding.

    He et al. 2016, "Deep Residual Learning for Image Recognition", arXiv 1512.03385.

    >>> Resnet18(width=8).build(Form("image", (3, 32, 32)), 10).head
    Linear(in_features=64, out_features=10, bias=True)
    """

    width: int = 64
    dropout: float = 0.0

    def build(self, form: Form, outputs: int) -> Net:
        """The network for items of this form; takes images."""
        refuse(self, form, "image")
        stem = nn.Sequential(*_conv(form.shape[0], self.width, 1), nn.ReLU())
        widths = [self.width * factor for factor in (1, 2, 4, 8)]
        stages = [nn.Sequential(stem, _stage(self.width, self.width, 1))]
        stages += [_stage(before, after, 2) for before, after in pairwise(widths)]
        stages.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(self.dropout)))
        return HeadedNet(stages, widths[-1], outputs)


class _Residual(nn.Module):
    """relu(f(x) + shortcut(x)), f of two convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.f = nn.Sequential(*_conv(inputs, outputs, stride), nn.ReLU(), *_conv(outputs, outputs, 1))
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(*_conv(inputs, outputs, stride, kernel=1))

    def forward(self, x: Tensor) -> Tensor:
        summed: Tensor = self.f(x) + self.shortcut(x)
        return summed.relu()


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_Residual(inputs, outputs, stride), _Residual(outputs, outputs, 1))


def _conv(inputs: int, outputs: int, stride: int, kernel: int = 3) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv, nn.BatchNorm2d(outputs)
