"""A model that lies in a folder on disk, fine-tuned on the labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import torch

from askwell.core.pool import Form, Pool
from askwell.core.scheme import Scheme
from askwell.core.task import Task
from askwell.data.tokenised import Tokenised, token_rows
from askwell.data.words import PADDING
from askwell.errors import BadData, InputError, UnknownName, UnmetNeeds
from askwell.learners.blank import Blank
from askwell.learners.memory import SMALLEST
from askwell.learners.net import NetLearner
from askwell.models.folder import ModelFolder
from askwell.models.net import Net as EmbeddingNet
from askwell.models.pretrained import kept, renewed, width_of
from askwell.schemes import Supervised
from askwell.training.chance import lend
from askwell.training.session import PRECISIONS
from askwell.training.streams import first_batch

__all__ = ["Transformer", "TransformerLearner"]

Head = Literal["new", "given"]
HEADS = get_args(Head)


@dataclass(frozen=True)
class Transformer:
    """A saved model of texts or pictures, in the format of Hugging Face, trained by a scheme in every round.

    Every fit starts from the weights in the folder. Only safetensors are read, and no code in the folder is run.

    path        of the folder: config.json, *.safetensors, and a tokenizer for texts
    length      tokens per text, at most; fewer where the model has fewer positions
    head        "new": a linear layer over the mean of the tokens, the class token or the average over the picture;
                "given": the classifier that was saved, whose classes must be those of the task, in any order
    freeze      only the head learns. Faster: load(…, features=path), which runs the model once and for all
    dropout     before a new head; draws of `mc_probs` drop there and in the hidden layers, but no attention weights,
                which are dropped within one kernel and stay as they are
    batch       items of one scoring pass; halved for as long as memory runs out
    precision   "float32", or "bfloat16": autocast in training and scoring
    consistent  draws are functions of the whole pool; False: masks of their own for every item
    digest      hash of the folder's content, filled in when it is first opened: a folder that changes is refused

    Texts are numbered by the folder's tokenizer, once for each pool, and kept in the cache. Pictures of any size and of
    one or three channels are resized and normalised by the model's own settings.

    Devlin et al. 2019, "BERT", arXiv 1810.04805; for few labels: Mosbach et al. 2021, arXiv 2006.04884.
    """

    uses_scheme: ClassVar[bool] = True

    path: str
    length: int = 128
    head: Head = "new"
    freeze: bool = False
    dropout: float = 0.1
    batch: int = 64
    precision: str = "float32"
    consistent: bool = True
    digest: str = ""

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(self, "path", str(Path(self.path).resolve()))
        if not self.digest:
            object.__setattr__(self, "digest", self.folder.digest)
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raises `BadData` if the folder's content is not what it was when it was first opened."""
        found = ModelFolder(Path(self.path)).digest
        if found != self.digest:
            raise BadData(
                f"the model folder {self.path} has changed: its content has hash {found[:12]} and was "
                f"{self.digest[:12]}; bring it back, or start anew with what is there now",
                got=found,
            )

    def _check(self) -> None:
        for name, least in (("length", 1), ("batch", SMALLEST)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, got {getattr(self, name)}", got=getattr(self, name))
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1, got {self.dropout}", got=self.dropout)
        for name, known in (("head", HEADS), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise UnknownName(name, getattr(self, name), known)

    @cached_property
    def folder(self) -> ModelFolder:
        """The opened folder."""
        return ModelFolder(Path(self.path))

    @cached_property
    def tried(self) -> dict[tuple[Any, ...], bool]:
        """Whether the model drops anything, by form, outputs, classes and scheme that it was tried with."""
        return {}

    @property
    def model(self) -> str:
        """The folder, for messages."""
        return self.path

    def build(self, form: Form, task: Task, scheme: Scheme | None, device: str = "cpu") -> TransformerLearner:
        """A learner that has not been fitted; refuses a missing scheme, and items that the model does not take."""
        if scheme is None:
            raise UnmetNeeds(f"learner {self!r} needs a scheme to train by, such as supervised")
        self.folder.check(form)
        return TransformerLearner(self, self.served(form), task, scheme, device)

    def fine_tuning(self) -> Supervised:
        """The scheme for few labels: AdamW over 300 steps of 16 items, warm-up over the first tenth, then cosine.

        The learning rate is 5e-5 at a width of 768, as in the paper, and grows as the model gets narrower: 3e-4 at 128.
        """
        return Supervised(steps=300, batch=16, lr=float(f"{5e-5 * 768 / self.folder.width:.1g}"), warm_up=30, clip=1.0)

    def module(self, form: Form, outputs: int) -> EmbeddingNet:
        """The folder's encoder under a new head, for items as `served` says."""
        return renewed(self.folder, _width(self, form), outputs, self.dropout, self.freeze)

    def served(self, form: Form) -> Form:
        """What one item looks like to the model: the folder's tokens in place of a pool's own words."""
        if form.kind != "tokens":
            return form
        return Form("tokens", (self.folder.longest(self.length),), self.folder.vocabulary + 1)


class TransformerLearner(NetLearner):
    """A saved model under a head, fitted to the labels."""

    factory: Transformer
    _texts: Tokenised | None = None

    def make(self) -> EmbeddingNet:
        """The network with the folder's weights; refuses a folder that has changed since it was opened."""
        self.factory.check_unchanged()
        if self.factory.head == "given":
            return kept(self.factory.folder, self.task.labels, self.factory.freeze)
        return super().make()

    def _tried(self) -> bool:
        """Once for all fits, since the folder's content is fixed by its hash."""
        given = (self.form, self.task.outputs, tuple(self.task.labels), self.scheme)
        if given not in self.factory.tried:
            self.factory.tried[given] = super()._tried()
        return self.factory.tried[given]

    @property
    def marks(self) -> tuple[int, ...]:
        """Padding, and the special tokens of the folder's tokenizer, as a pool's rows number them."""
        if self.form.kind != "tokens":
            return ()
        special = self.factory.folder.tokenizer.all_special_ids
        return (PADDING, *sorted(int(token) + 1 for token in special))

    def adapted(self, pool: Pool) -> Pool:
        """Texts as tokens of the folder, looked up once for a fit and its scoring; pictures as they are served."""
        if self.form.kind != "tokens" or isinstance(pool, Blank | Tokenised):
            return pool
        if self._texts is None or self._texts.pool is not pool:
            folder, cache = self.factory.folder, getattr(pool, "cache", None)
            rows = token_rows(pool, folder.encode, self.form.shape[0], folder.digest, cache)
            self._texts = Tokenised(pool, rows, self.form.vocab)
        return self._texts


@lru_cache(maxsize=64)
def _width(factory: Transformer, form: Form) -> int:
    """Width of the embedding, by one pass over a blank item, which draws from no stream of a fit."""
    with lend(torch.Generator().manual_seed(0)):
        return width_of(factory.folder, first_batch(Blank(form), torch.zeros(1, dtype=torch.int64)))
