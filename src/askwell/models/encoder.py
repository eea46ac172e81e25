"""A small convolutional encoder with a projector, for learning from pictures without labels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from askwell.core.pool import Form
from askwell.models.net import HeadedNet, Net, refuse

__all__ = ["Encoder"]


@dataclass(frozen=True)
class Encoder:
    """Convolutions of 3x3 with stride 2 and batch norm until no side is above 4; the embedding is their last map, flat.

    channels  of the first convolution, twice as many with every further one
    width     of the two hidden layers of the head, SimCLR's projector: the contrastive loss sees what the head makes,
              and the embedding before it is what is used

    Chen et al. 2020, arXiv 2002.05709, with a small network in place of ResNet-50.

    >>> net = Encoder(channels=4).build(Form("image", (1, 28, 28)), 8)
    >>> import torch
    >>> net.embed(torch.ones(2, 1, 28, 28))[0].shape, net(torch.ones(2, 1, 28, 28)).shape
    (torch.Size([2, 256]), torch.Size([2, 8]))
    """

    channels: int = 32
    width: int = 128

    def build(self, form: Form, outputs: int) -> Net:
        """The encoder for images of this form, and its projector to `outputs` numbers."""
        refuse(self, form, "image")
        inputs, height, width = form.shape
        channels = self.channels
        stages: list[nn.Module] = []
        while max(height, width) > 4:
            stages.append(_halve(inputs, channels))
            inputs, channels, height, width = channels, 2 * channels, -(-height // 2), -(-width // 2)
        cells = inputs * height * width
        net = HeadedNet([*stages, nn.Flatten()], cells, outputs)
        sizes = (cells, self.width, self.width, outputs)
        layers = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
        net.head = nn.Sequential(*layers[:-1])
        return net


def _halve(inputs: int, outputs: int) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())
