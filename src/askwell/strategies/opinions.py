"""What a view's votes say of its labelled items, as arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from askwell.core.needs import ANNOTATORS, VOTES
from askwell.core.view import View
from askwell.functional.answers import Answers

__all__ = ["Opinions", "opinions", "placed"]


class Opinions(NamedTuple):
    """Answers about the labelled items that have any.

    ids      (n,) int64, ascending; rows (n,) their places among the labelled items
    answers  by the annotators of `names`, name -> number, of whom all who may be asked come first, in their order
    may      (A,) whether each may be asked now
    """

    ids: Tensor
    rows: Tensor
    answers: Answers
    names: dict[str, int]
    may: Tensor

    @property
    def met(self) -> Tensor:
        """(n, A) whether annotator a has answered about item i."""
        found = torch.zeros(len(self.ids), len(self.may), dtype=torch.bool)
        found[self.answers.items, self.answers.annotators] = True
        return found

    @property
    def exhausted(self) -> Tensor:
        """(n,) whether all who may be asked have answered; False where nobody may."""
        return self.met[:, self.may].all(1) & self.may.any()


def opinions(view: View, classes: int) -> Opinions:
    """Votes about whole items of the view's labelled set; those about parts and other items are left out."""
    places = {item: row for row, item in enumerate(view.ids_of("labelled").tolist())}
    votes = [vote for vote in view[VOTES] if vote.item in places and not vote.unit]
    ids = sorted({vote.item for vote in votes})
    rows = {item: row for row, item in enumerate(ids)}
    names = _numbered([*view[ANNOTATORS], *(vote.annotator for vote in votes)])
    answers = Answers.said(
        [rows[vote.item] for vote in votes],
        [names[vote.annotator] for vote in votes],
        [vote.value for vote in votes],
        (len(ids), len(names), classes),
    )
    may = torch.tensor([name in view[ANNOTATORS] for name in names], dtype=torch.bool)
    found = torch.tensor([places[item] for item in ids], dtype=torch.int64)
    return Opinions(torch.tensor(ids, dtype=torch.int64), found, answers, names, may)


def placed(values: Tensor, ids: Tensor, known: Tensor, into: Tensor) -> Tensor:
    """`into` (N, …) over `ids` (N,), with `values` (n, …) in the rows of the ids `known` (n,), ascending."""
    if not len(known):
        return into
    places = torch.searchsorted(known, ids.cpu()).clamp(max=len(known) - 1)
    old = (known[places] == ids.cpu()).to(into.device)
    return torch.where(old.view(-1, *(1,) * (into.ndim - 1)), values[places].to(into.device), into)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
