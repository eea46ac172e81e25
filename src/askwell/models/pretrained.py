"""Networks around a saved model: its encoder under a new head, or the classifier that it was saved with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from askwell.errors import InputError, UnmetNeeds
from askwell.models.folder import ModelFolder, Pictures
from askwell.models.net import Net
from askwell.models.wrap import Wrapped

__all__ = ["Encoder", "Pretrained", "kept", "renewed", "width_of"]


class TextInputs(nn.Module):
    """Rows (n, L) of token + 1, 0 where a text has ended, as a model of texts takes them.

    A text without any token has one of padding, so that there is something to look at.

    >>> given = TextInputs(padding=3)(torch.tensor([[5, 0], [0, 0]]))
    >>> given["input_ids"].tolist(), given["attention_mask"].tolist()
    ([[4, 3], [3, 3]], [[1, 0], [1, 0]])
    """

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        mask = rows > 0
        mask[:, 0] = True
        return {"input_ids": torch.where(rows > 0, rows - 1, self.padding), "attention_mask": mask.long()}


class PictureInputs(nn.Module):
    """Pictures (n, channels, height, width) in [0, 1], resized and normalised as a model takes them.

    >>> PictureInputs(Pictures(3, (4, 4), (0.5,) * 3, (0.5,) * 3))(torch.ones(2, 1, 8, 8))["pixel_values"].shape
    torch.Size([2, 3, 4, 4])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self.size, self.channels = pictures.size, pictures.channels
        for name, values in (("mean", pictures.mean), ("std", pictures.std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if self.size is not None and tuple(x.shape[2:]) != self.size:
            x = F.interpolate(x, self.size, mode="bilinear", antialias=True, align_corners=False)
        if x.shape[1] == 1:
            x = x.expand(-1, self.channels, -1, -1)
        return {"pixel_values": (x - self.mean) / self.std}


class Encoder(nn.Module):
    """Items to embeddings (n, D) by a saved model.

    Of texts, the mean over their tokens; of pictures, the class token where the model has one, the model's own average
    where it is of convolutions, else the mean over the patches. Poolers that were trained for another purpose, or not
    at all, are not used.
    """

    def __init__(self, folder: ModelFolder) -> None:
        super().__init__()
        self.inputs = _inputs(folder)
        self.model = folder.encoder()
        self.summary = any(name.endswith("cls_token") for name, _ in self.model.named_parameters())

    def forward(self, x: Tensor) -> Tensor:
        given = self.inputs(x)
        outputs = self.model(**given)
        hidden: Tensor = outputs[0]
        if "attention_mask" in given:
            return _mean(hidden, given["attention_mask"])
        if hidden.ndim == 4:
            return _averaged(hidden, getattr(outputs, "pooler_output", None))
        return hidden[:, 0] if self.summary else hidden.mean(1)


class Pretrained(Net):
    """A saved encoder, dropout, and a new linear head.

    freeze  the encoder keeps its weights and statistics and has no dropout: only the head learns
    """

    def __init__(self, encoder: Encoder, width: int, outputs: int, dropout: float, freeze: bool) -> None:
        super().__init__()
        self.encoder, self.dropout, self.head = encoder, nn.Dropout(dropout), nn.Linear(width, outputs)
        self.freeze = freeze
        encoder.requires_grad_(not freeze)

    def embed(self, x: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        return self.dropout(self.encoder(x)), ()

    def train(self, mode: bool = True) -> Pretrained:
        """Training mode, but for an encoder that is frozen."""
        super().train(mode)
        self.encoder.train(mode and not self.freeze)
        return self


class Classifier(nn.Module):
    """Items to the outputs of a saved classifier; `freeze` as for `Pretrained`."""

    def __init__(self, folder: ModelFolder, model: nn.Module, freeze: bool) -> None:
        super().__init__()
        self.inputs, self.model, self.freeze = _inputs(folder), model, freeze
        self._base.requires_grad_(not freeze)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.model(**self.inputs(x)).logits
        return logits

    def train(self, mode: bool = True) -> Classifier:
        """Training mode, but for an encoder that is frozen."""
        super().train(mode)
        self._base.train(mode and not self.freeze)
        return self

    @property
    def _base(self) -> nn.Module:
        base: nn.Module = self.model.base_model  # type: ignore[assignment] # torch types attributes as tensors or modules
        return base


def width_of(folder: ModelFolder, example: Tensor) -> int:
    """D of the embeddings (n, D) that the encoder gives to a batch."""
    with torch.no_grad():
        embedding: Tensor = Encoder(folder).eval()(example)
    return embedding.shape[1]


def renewed(folder: ModelFolder, width: int, outputs: int, dropout: float, freeze: bool) -> Net:
    """The encoder, whose embeddings have this width, under a new head."""
    return Pretrained(Encoder(folder), width, outputs, dropout, freeze).train()


def kept(folder: ModelFolder, classes: Sequence[str], freeze: bool) -> Net:
    """The saved model with its own classifier, whose rows are put in the order of the classes.

    Raises `UnmetNeeds` for labels without names, `InputError` where the names are not those of the classes.
    """
    if not classes:
        raise UnmetNeeds("head='given' keeps a classifier, and the labels of this task are no classes: take head='new'")
    model, names = folder.classifier()
    if sorted(names) != sorted(classes):
        raise InputError(
            f"the classifier in {folder.path} knows the classes {', '.join(names)}, and the task has "
            f"{', '.join(classes)}: take head='new', or give these names as `classes`",
            got=names,
        )
    net = Wrapped(Classifier(folder, model, freeze))
    _reorder(net.head, [names.index(name) for name in classes])
    return net.train()


def _reorder(head: nn.Module, order: list[int]) -> None:
    """Puts the rows of a linear layer into another order."""
    with torch.no_grad():
        for values in head.parameters():
            values.copy_(values[order].clone())


def _inputs(folder: ModelFolder) -> nn.Module:
    return TextInputs(folder.padding) if folder.modality == "tokens" else PictureInputs(folder.pictures)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """(n, D) mean of (n, L, D) over the tokens that the mask (n, L) keeps."""
    share = (mask / mask.sum(1, keepdim=True)).to(hidden.dtype)
    return torch.einsum("nld,nl->nd", hidden, share)


def _averaged(hidden: Tensor, own: Tensor | None) -> Tensor:
    """(n, D) from feature maps (n, D, h, w): the model's own average where it has one."""
    return hidden.mean((2, 3)) if own is None else own.flatten(1)
