"""`askwell run`: simulate active learning on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askwell.cli.command import Settings
from askwell.cli.options import Answering, Data, Loading, Oracle, Parts, Threads
from askwell.cli.output import TIED, Answer, table, width

if TYPE_CHECKING:
    from askwell.engine.result import Result

__all__ = ["run"]

ORDER = "train score select measure rest"


def run(
    settings: Settings,
    data: Data,
    parts: Parts,
    answering: Answering,
    loading: Loading,
    oracle: Oracle = None,
    rounds: Annotated[int | None, typer.Option(help="Rounds after round 0.")] = None,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many times, with this seed and the next ones.")] = 1,
    against: Annotated[str, typer.Option(help='The strategy of the second arm, or "none".')] = "random",
    stop: Annotated[str | None, typer.Option(help='Stop early: "labels(500) | plateau()".')] = None,
    threads: Threads = 1,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    fresh: Annotated[bool, typer.Option(show_default=False, help="Start over instead of going on.")] = False,
) -> Answer:
    """Simulate active learning on labelled data.

    Asks for the labels of DATA as the strategy would, and in a second arm as random choice would.

    Ends with the learning curve, where the time went, and what is on disk. The same command again goes on where it was
    interrupted.
    """
    from askwell.engine.run import run as simulate

    result = simulate(
        data,
        **parts.given(),
        **answering.given(),
        oracle=oracle,
        rounds=rounds,
        seeds=range(seed, seed + seeds),
        against=None if against == "none" else against,
        stop=stop,
        threads=threads,
        out=out,
        fresh=fresh,
        quiet=settings.quiet,
        **loading.given(),
    )
    found = {"folder": result.folder, "picture": result.picture, **result.summary()}
    return Answer(found, _text(result), str(result.folder))


def _text(result: Result) -> str:
    from askwell.engine.draw import terminal

    facts = [
        ("time", shares(result.seconds)),
        *(("stopped", f"{arm} at {reason}") for arm, reason in result.stopped.items()),
        ("verdict", result.verdict),
    ]
    paths = f"picture  {result.picture}\nfolder   {result.folder}"
    return "\n".join([terminal(result.curves(), result.metric, width()), "", table(facts), paths])


def shares(seconds: dict[str, float]) -> str:
    """Seconds by part, with the share of each; the parts of a round in their order, the rest last.

    >>> shares({"rest": 1.0, "train": 3.0}).replace(TIED, " ")
    'train 3.0 s (75 %) · rest 1.0 s (25 %)'
    """
    total = sum(seconds.values()) or 1.0
    parts = sorted(seconds, key=lambda part: ORDER.find(part) % len(ORDER))
    words = (f"{part} {seconds[part]:.1f} s ({100 * seconds[part] / total:.0f} %)" for part in parts)
    return " · ".join(one.replace(" ", TIED) for one in words)
