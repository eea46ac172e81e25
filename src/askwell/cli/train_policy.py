"""`askwell train-policy`: learn how to choose, on data with labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from askwell.cli.command import Settings
from askwell.cli.options import Data, Loading, Parts, Threads, names
from askwell.cli.output import Answer, table
from askwell.errors import InputError

if TYPE_CHECKING:
    from askwell.engine.train_policy import TrainedPolicy

__all__ = ["train_policy"]


def train_policy(
    settings: Settings,
    kind: Annotated[Literal["pal", "ral"], typer.Argument(metavar="KIND", help="pal: sentences; ral: any classes.")],
    data: Data,
    parts: Parts,
    loading: Loading,
    out: Annotated[Path, typer.Option(help="Folder of the policy.")],
    episodes: Annotated[int, typer.Option(help="In all; 0 for a policy with its first weights.")] = 20,
    rounds: Annotated[int | None, typer.Option(help="Rounds of an episode after round 0 (ral).")] = None,
    numbers: Annotated[
        list[str] | None, typer.Option("--set", metavar="<name=number>", help="Such as lr=0.001; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, orders and actions.")] = 0,
    threads: Threads = 1,
    fresh: Annotated[bool, typer.Option(show_default=False, help="Start over instead of going on.")] = False,
) -> Answer:
    """Train a policy that chooses what to label.

    Plays episodes of active learning on DATA, whose labels are known, and keeps the policy in a folder for --strategy
    "pal(policy='FOLDER')". The same command again goes on where it was interrupted.
    """
    from askwell.engine.train_policy import train_policy as train

    given = parts.given()
    device = given.pop("device", "cpu")
    found = train(
        kind,
        data,
        out=out,
        episodes=episodes,
        seed=seed,
        numbers=assigned(numbers or []),
        fresh=fresh,
        device=device,
        threads=threads,
        quiet=settings.quiet,
        loading=loading.given(),
        rounds=rounds,
        **given,
    )
    told = {"folder": found.folder, "policy": found.strategy, "digest": found.digest, "returns": list(found.returns)}
    return Answer(told, _text(found), str(found.folder))


def assigned(texts: list[str]) -> dict[str, Any]:
    """Names and numbers of texts such as "lr=1e-3".

    >>> assigned(["lr=1e-3", "batch=16,budget=50"])
    {'lr': 0.001, 'batch': 16, 'budget': 50}
    """
    found: dict[str, Any] = {}
    for text in (part for one in texts for part in names([one])):
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = int(value) if value.strip().isdigit() else float(value)
        except ValueError:
            raise InputError(f"cannot read {text!r}: write --set name=number, such as lr=0.001", got=text) from None
    return found


def _text(found: TrainedPolicy) -> str:
    returns, part = found.returns, max(1, len(found.returns) // 5)
    facts = [
        ("episodes", str(len(returns))),
        *([("first", f"{mean(returns[:part]):.4f}"), ("last", f"{mean(returns[-part:]):.4f}")] if returns else []),
        ("hash", found.digest[:12]),
        ("use it", f'--strategy "{found.strategy}"'),
    ]
    return table(facts)


def mean(values: Sequence[float]) -> float:
    """Mean of some returns."""
    return sum(values) / len(values)
