"""Arguments and options that several commands have, each declared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

__all__ = [
    "Annotator",
    "Answering",
    "Data",
    "Encoding",
    "Loading",
    "Name",
    "NewProject",
    "Oracle",
    "Parts",
    "Project",
    "Reading",
    "Threads",
    "names",
]

Project = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project folder, such as runs/<name>/seed-0.")]
NewProject = Annotated[Path, typer.Argument(metavar="PROJECT", help="A new folder.")]
Data = Annotated[str, typer.Argument(metavar="DATA", help='"digits", a name of $ASKWELL_DATA, a file or a folder.')]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A class.")]
Annotator = Annotated[str, typer.Option(help="Who answers.")]
Threads = Annotated[int, typer.Option(help="Threads of the CPU; bits depend on them.")]

Recipe = Annotated[str | None, typer.Option(help="A recipe by name; the options below replace its parts.")]
Strategy = Annotated[str | None, typer.Option(help='margin, badge, "subsample(size=5000) | margin | power" …')]
Start = Annotated[str | None, typer.Option(help="The strategy of round 0, before any model.")]
Scheme = Annotated[str | None, typer.Option(help="How the model is trained, such as supervised(steps=500).")]
Learner = Annotated[
    str | None, typer.Option(help="linear, sklearn(estimator='random_forest'), net(model='module:Class') …")
]
Model = Annotated[
    str | None, typer.Option(help="The network, such as mlp(width=256), or a model folder in Hugging Face format.")
]
Initial = Annotated[int | None, typer.Option(help="Labels of round 0.")]
Batch = Annotated[int | None, typer.Option(help="Labels of every further round.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 …, or auto: a GPU where there is one.")]
Precision = Annotated[
    Literal["float32", "bfloat16"] | None, typer.Option(help="Numbers that a network is trained and scored in.")
]

Oracle = Annotated[
    str | None,
    typer.Option(help="Who answers: noisy(confusion=0.2), crowd(confusion=(0.1, 0.3)) … [default: the truth]"),
]
Answers = Annotated[int | None, typer.Option(help="Annotators wanted for each question.")]
Resolve = Annotated[
    str | None, typer.Option(help="Several answers to one label: majority, last, mean, dawid_skene, one_coin.")
]

Task = Annotated[
    Literal["classification", "multi_label", "regression"] | None,
    typer.Option(help="What a label is: a class, a set of classes, a number. [default: classification]"),
]
Classes = Annotated[list[str] | None, typer.Option(help="Class names: with commas, or one at a time.")]
Labels = Annotated[str | None, typer.Option(help="Labels beside the data: .npy, or a table with ids and labels.")]
Features = Annotated[str | None, typer.Option(help="Fixed features: .npy, a model folder, or simclr; computed once.")]


def size(given: str | float) -> float:
    """A count or a share.

    >>> size("200"), size("0.2"), size(0.5)
    (200, 0.2, 0.5)
    """
    text = str(given)
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a count nor a share") from None


PoolSize = Annotated[
    float | None,
    typer.Option(parser=size, metavar="<size>", help="Candidates to keep, drawn by class: a count or a share."),
]
TestSize = Annotated[
    float | None,
    typer.Option(parser=size, metavar="<size>", help="Items to measure on: a count, or a share like .2."),
]
ValidationSize = Annotated[
    float, typer.Option(parser=size, metavar="<size>", help="Items for schemes that validate: a count or a share.")
]
SplitSeed = Annotated[int, typer.Option(help="Seed of the split, the same for all seeds.")]
Text = Annotated[str | None, typer.Option(help="A table's column of texts.")]
Label = Annotated[
    list[str] | None, typer.Option(help="A table's column of labels; of multi-label data one for each class.")
]
Key = Annotated[str | None, typer.Option(help="A table's column of your own ids.")]
Columns = Annotated[list[str] | None, typer.Option(help="A table's columns of numbers, if not all others.")]
Encoding = Annotated[str | None, typer.Option(help="Of a table's text: utf-8, cp1252, utf-16 …")]
Corrupt = Annotated[
    Literal["refuse", "skip"] | None, typer.Option(help="What to do with unreadable pictures. [default: refuse]")
]


@dataclass(frozen=True)
class Parts:
    """What is run: a recipe, and what replaces its parts and numbers."""

    recipe: Recipe = None
    strategy: Strategy = None
    start: Start = None
    scheme: Scheme = None
    learner: Learner = None
    model: Model = None
    initial: Initial = None
    batch: Batch = None
    device: Device = "cpu"
    precision: Precision = None

    def given(self) -> dict[str, Any]:
        """As `askwell.run` and `Project.create` take it."""
        return _given(self)


@dataclass(frozen=True)
class Answering:
    """How many answers a question gets, and how one label is made of them."""

    answers: Answers = None
    resolve: Resolve = None

    def given(self) -> dict[str, Any]:
        """As `askwell.run` and `Project.create` take it."""
        return _given(self)


@dataclass(frozen=True)
class Reading:
    """How further data for a project are read."""

    text: Text = None
    label: Label = None
    key: Key = None
    columns: Columns = None
    encoding: Encoding = None
    corrupt: Corrupt = None

    def given(self) -> dict[str, Any]:
        """As `askwell.data.load` takes it: one column of labels by its name, several as a list."""
        found = _given(self)
        label = found.get("label", ())
        return {**found, "label": label[0]} if len(label) == 1 else found


@dataclass(frozen=True)
class Loading(Reading):
    """How data are read and split."""

    task: Task = None
    classes: Classes = None
    labels: Labels = None
    features: Features = None
    pool_size: PoolSize = None
    test_size: TestSize = None
    validation_size: ValidationSize = 0
    split_seed: SplitSeed = 0

    def given(self) -> dict[str, Any]:
        """As `askwell.data.load` takes it."""
        found = super().given()
        return {"seed": found.pop("split_seed"), **found}


def names(values: Sequence[str]) -> list[str]:
    """Names given one at a time, or all of them in one text with commas.

    >>> names(["dead,live"]), names(["dead", "live, maybe"])
    (['dead', 'live'], ['dead', 'live, maybe'])
    """
    return [one.strip() for one in values[0].split(",")] if len(values) == 1 else list(values)


def _given(group: Any) -> dict[str, Any]:
    """Fields that say something; lists of names as such."""
    values = {field.name: getattr(group, field.name) for field in fields(group)}
    return {
        name: names(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None and value != []
    }
