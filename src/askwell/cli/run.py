"""`askwell run`: simulate active learning on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from askwell.cli.output import say, width

__all__ = ["run"]

ORDER = "train score select measure rest"


def run(
    data: Annotated[str, typer.Argument(metavar="DATA", help='"digits", a name of $ASKWELL_DATA, a file or a folder.')],
    recipe: Annotated[str | None, typer.Option(help="A recipe by name; the options below replace its parts.")] = None,
    strategy: Annotated[str | None, typer.Option(help="margin, badge, subsample(strategy=badge, size=5000) …")] = None,
    start: Annotated[str | None, typer.Option(help="The strategy of round 0, before any model.")] = None,
    scheme: Annotated[str | None, typer.Option(help="How the model is trained, such as supervised(steps=500).")] = None,
    learner: Annotated[
        str | None, typer.Option(help="linear, sklearn(estimator='random_forest'), net(model='module:Class') …")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The network, such as mlp(width=256).")] = None,
    initial: Annotated[int | None, typer.Option(help="Labels of round 0.")] = None,
    batch: Annotated[int | None, typer.Option(help="Labels of every further round.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Rounds after round 0.")] = None,
    seeds: Annotated[int, typer.Option(help="How many times, with seeds 0, 1, …")] = 1,
    against: Annotated[str, typer.Option(help='The strategy of the second arm, or "none".')] = "random",
    stop: Annotated[str | None, typer.Option(help='Stop early: "labels(500) | plateau()".')] = None,
    classes: Annotated[str | None, typer.Option(help="Class names, with commas.")] = None,
    pool_size: Annotated[int | None, typer.Option(help="Candidates to keep, drawn by class.")] = None,
    test_size: Annotated[int | None, typer.Option(help="Items to measure on.")] = None,
    validation_size: Annotated[int, typer.Option(help="Items for schemes that validate.")] = 0,
    split_seed: Annotated[int, typer.Option(help="Seed of the split, the same for all seeds.")] = 0,
    text: Annotated[str | None, typer.Option(help="A table's column of texts.")] = None,
    label: Annotated[str | None, typer.Option(help="A table's column of labels.")] = None,
    key: Annotated[str | None, typer.Option(help="A table's column of your own ids.")] = None,
    corrupt: Annotated[Literal["refuse", "skip"], typer.Option(help="What to do with unreadable pictures.")] = "refuse",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 …")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the CPU; bits depend on them.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Simulate active learning on labelled data.

    Asks for the labels of DATA as the strategy would, and in a second arm as random choice would.

    Ends with the learning curve, where the time went, and what is on disk. The same command again goes on where it was
    interrupted.
    """
    from askwell.engine.draw import terminal
    from askwell.engine.run import run as simulate

    result = simulate(
        data, recipe=recipe, strategy=strategy, start=start, scheme=scheme, learner=learner, model=model,
        initial=initial, batch=batch, rounds=rounds, seeds=seeds, against=None if against == "none" else against,
        stop=stop, classes=classes.split(",") if classes else None, pool_size=pool_size, test_size=test_size,
        validation_size=validation_size, seed=split_seed, text=text, label=label, key=key, corrupt=corrupt,
        device=device, threads=threads, out=out, fresh=fresh, quiet=quiet,
    )  # fmt: skip
    say(terminal(result.curves(), result.metric, width()))
    say()
    say(f"time      {shares(result.seconds)}")
    for arm, reason in result.stopped.items():
        say(f"stopped   {arm} at {reason}")
    say(f"verdict   {result.verdict}")
    say(f"picture   {result.picture}")
    say(f"folder    {result.folder}")


def shares(seconds: dict[str, float]) -> str:
    """Seconds by part, with the share of each; the parts of a round in their order, the rest last.

    >>> shares({"rest": 1.0, "train": 3.0})
    'train 3.0 s (75 %) · rest 1.0 s (25 %)'
    """
    total = sum(seconds.values()) or 1.0
    parts = sorted(seconds, key=lambda part: ORDER.find(part) % len(ORDER))
    return " · ".join(f"{part} {seconds[part]:.1f} s ({100 * seconds[part] / total:.0f} %)" for part in parts)
