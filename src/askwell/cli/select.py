"""`askwell select`: one choice from arrays on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askwell.cli.command import Settings
from askwell.cli.ids import read_ids
from askwell.cli.output import Answer, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["select"]


def select(
    settings: Settings,
    strategy: Annotated[str, typer.Option(help='margin, badge, "subsample(size=5000) | margin | power" …')],
    n: Annotated[int, typer.Option("-n", help="How many to choose.")],
    probs: Annotated[Path | None, typer.Option(help=".npy, (N, C) class probabilities.")] = None,
    logits: Annotated[Path | None, typer.Option(help=".npy, (N, C) outputs before the softmax.")] = None,
    mc_probs: Annotated[Path | None, typer.Option(help=".npy, (N, K, C) probabilities of K draws.")] = None,
    label_probs: Annotated[Path | None, typer.Option(help=".npy, (N, C) probability of each label by itself.")] = None,
    mc_label_probs: Annotated[Path | None, typer.Option(help=".npy, (N, K, C) of those, of K draws.")] = None,
    predictions: Annotated[Path | None, typer.Option(help=".npy, (N,) or (N, T) predicted numbers.")] = None,
    mc_predictions: Annotated[Path | None, typer.Option(help=".npy, (N, K) or (N, K, T) of those, of K draws.")] = None,
    embedding: Annotated[Path | None, typer.Option(help=".npy, (N, D) of the candidates.")] = None,
    labelled_embedding: Annotated[Path | None, typer.Option(help=".npy, (M, D) of the labelled items.")] = None,
    labelled_probs: Annotated[Path | None, typer.Option(help=".npy, (M, C) class probabilities of those.")] = None,
    labels: Annotated[Path | None, typer.Option(help=".npy, (M,) class indices or numbers of those.")] = None,
    target_mc_probs: Annotated[Path | None, typer.Option(help=".npy, (T, K, C) draws for target items.")] = None,
    cost: Annotated[Path | None, typer.Option(help=".npy, (N,) price of each candidate.")] = None,
    ids: Annotated[Path | None, typer.Option(help="Your own ids: .npy, or text with one a line.")] = None,
    seed: Annotated[int, typer.Option(help="Breaks ties and draws.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the ids there, one a line, not to the screen.")] = None,
) -> Answer:
    """Choose n items from the arrays of any model.

    Prints their ids, the most wanted first.
    """
    from askwell.engine.select import select as choose

    chosen = choose(
        strategy, n=n, probs=probs, logits=logits, mc_probs=mc_probs, label_probs=label_probs,
        mc_label_probs=mc_label_probs, predictions=predictions, mc_predictions=mc_predictions, embedding=embedding,
        labelled_embedding=labelled_embedding, labelled_probs=labelled_probs, labels=labels,
        target_mc_probs=target_mc_probs, cost=cost, ids=_ids(ids), seed=seed, quiet=settings.quiet,
    )  # fmt: skip
    text = "\n".join(map(str, chosen.tolist()))
    if out is None:
        return Answer({"ids": chosen.tolist()}, text, text)
    out.write_text(f"{text}\n", encoding="utf-8")
    return Answer({"ids": chosen.tolist(), "out": out}, f"{counted(len(chosen), 'id')} in {out}", str(out))


def _ids(path: Path | None) -> NDArray[Any] | None:
    """The ids of an array or of a text file."""
    if path is None:
        return None
    import numpy as np

    from askwell.data.files import array_of

    return array_of(path) if path.suffix.lower() == ".npy" else np.array(read_ids(path))
