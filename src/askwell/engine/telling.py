"""Answers from a sheet that people have filled in: all of them are recorded, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.oracle import Annotation, Verb
from askwell.core.store import Vote
from askwell.engine.edits import checked
from askwell.engine.project import Project
from askwell.engine.sheets import Line, read_sheet
from askwell.errors import AskwellError, BadData, BadLabel, Conflict, InputError, NeverAsked, ProjectError
from askwell.store.ballot import RESERVED

__all__ = ["Told", "tell_sheet"]

WORDS: dict[str, Verb] = {"?": "unsure", "-": "skip", "skip": "skip"}
"""Answers that are no labels, unless a class is called so."""
NOTHING = "[]"
SHOWN = 20
"""Different reasons that are told."""
CITED = 8
"""Rows that are told for one reason."""


@dataclass(frozen=True)
class Told:
    """How many rows of a sheet brought what. `unchanged` ones say what is recorded, `empty` ones have no answer yet."""

    labels: int = 0
    corrected: int = 0
    volunteered: int = 0
    unsure: int = 0
    skipped: int = 0
    unchanged: int = 0
    empty: int = 0


def tell_sheet(
    project: Project,
    path: Path,
    *,
    annotator: str = "me",
    correct: bool = False,
    volunteer: bool = False,
    encoding: str | None = None,
) -> Told:
    """Records the answers of a .csv, .tsv or .jsonl file; all of them, or none where one is refused.

    A row names its question by `question`, or its item by `id`; `label` is a class, several as "a|b", "[]" for none of
    them, or a number. Empty: not answered; "?": the annotator cannot tell; "-" or "skip": he does not want to. The same
    file again changes nothing.

    correct    answers that differ from this annotator's earlier ones replace them; else they are a `Conflict`
    volunteer  labels for items that were not asked are kept; else they are `NeverAsked`

    Every row that is refused is named in the one error, with what was given.
    """
    lines = read_sheet(path, encoding)
    answers = Answers(project, annotator, correct, volunteer)
    said: list[Annotation] = []
    refused: dict[str, list[int]] = {}
    kinds: list[type[AskwellError]] = []
    for line in lines:
        try:
            said += answers.read(line)
        except AskwellError as error:
            refused.setdefault(str(error), []).append(line.row)
            kinds.append(type(error))
    if refused:
        raise _refusal(path, refused, kinds)
    before = project.store.last
    events = project.tell_all(said, volunteered=volunteer)
    fresh = [one for one, event in zip(said, events, strict=True) if event > before]
    return _counted(fresh, len(lines), sum(line.answered for line in lines))


def _refusal(path: Path, refused: dict[str, list[int]], kinds: Sequence[type[AskwellError]]) -> AskwellError:
    """One error for all rows: of their own kind where they agree, else a wrong file."""
    count = len(kinds)
    rows = [f"{_row(numbers)}: {text}" for text, numbers in list(refused.items())[:SHOWN]]
    more = f"; and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
    kind = kinds[0] if len(set(kinds)) == 1 and kinds[0] in (BadLabel, Conflict, NeverAsked) else BadData
    return kind(
        f"{path}: {count} {'answer is' if count == 1 else 'answers are'} refused, so none is recorded; "
        f"{'; '.join(rows)}{more}"
    )


def _row(numbers: Sequence[int]) -> str:
    """Rows as people name them.

    >>> _row([7]), _row([2, 4, 9]), _row(list(range(2, 100)))
    ('row 7', 'rows 2, 4 and 9', 'rows 2, 3, 4, 5, 6, 7, 8, 9 and 90 more')
    """
    more = len(numbers) - CITED
    *first, last = [*map(str, numbers[:CITED]), *([f"{more} more"] if more > 0 else [])]
    return f"rows {', '.join(first)} and {last}" if first else f"row {last}"


def _counted(fresh: Sequence[Annotation], rows: int, answered: int) -> Told:
    count = Counter("volunteer" if one.question is None and one.verb == "label" else one.verb for one in fresh)
    new = len(fresh) - count["retract"]
    return Told(
        labels=count["label"],
        corrected=count["correct"],
        volunteered=count["volunteer"],
        unsure=count["unsure"],
        skipped=count["skip"],
        unchanged=answered - new,
        empty=rows - answered,
    )


@dataclass(frozen=True)
class Answers:
    """Turns rows into annotations, by what has been asked and answered before."""

    project: Project
    annotator: str
    correct: bool
    volunteer: bool
    _rows: dict[tuple[int | None, int], tuple[int, Verb, Any]] = field(default_factory=dict)

    def read(self, line: Line) -> list[Annotation]:
        """What a row says; nothing if it has no answer or repeats an earlier row. Raises what is wrong with it."""
        if not line.answered:
            return []
        verb, value = self._answer(line)
        question, item = self._place(line)
        row, *earlier = self._rows.setdefault((question, item), (line.row, verb, value))
        if row == line.row:
            return list(self._said(question, item, verb, value))
        if earlier != [verb, value]:
            raise BadData(f"{_named(question, item)} is answered otherwise in row {row}")
        return []

    def _answer(self, line: Line) -> tuple[Verb, Any]:
        """Verb and canonical value of a row."""
        task, label = self.project.task, line.label
        if isinstance(label, str) and label in WORDS and label not in task.labels:
            return WORDS[label], None
        if task.form == "labels" and label == NOTHING:
            label = []
        elif task.form == "number" and line.comma:
            label = label.replace(",", ".")
        elif task.form == "label":
            label = str(label)
        return "label", checked(task, self.project.edits, label)

    def _place(self, line: Line) -> tuple[int | None, int]:
        """The question, None for an item that was not asked, and the item's position."""
        if line.question == "":
            return self._by_key(line.id)
        try:
            asked = self._asked[int(line.question)]
        except (KeyError, TypeError, ValueError):
            raise NeverAsked(f"question {line.question!r} was never asked") from None
        key = self.project.pool.keys([asked])[0]
        if line.id != "" and str(line.id) != key:
            raise BadData(
                f"question {line.question} is about item {key!r}, and the row says {line.id!r}: is it another "
                "project's sheet? Without its column id, question numbers count"
            )
        return int(line.question), asked

    def _by_key(self, key: Any) -> tuple[int | None, int]:
        """The question about an item: one that is open for this annotator, else the last one."""
        if key == "":
            raise BadData("there is a label, and neither a question nor an id")
        item = int(self.project.pool.positions([str(key)])[0])
        return self._open.get(item, self._last.get(item)), item

    def _said(self, question: int | None, item: int, verb: Verb, value: Any) -> Iterator[Annotation]:
        """What is to be recorded, in the light of what stands."""
        if question is None:
            self._check_volunteered(item, verb)
        event, *before = self._standing(question, item)
        price = self.project.task.cost(value) if question is not None and verb == "label" else 0.0
        said = Annotation(question, self.annotator, item, verb, value, price)
        if event and before == [verb, value]:
            return
        if not event:
            yield said
        elif not self.correct:
            raise Conflict(
                f"{_named(question, item)} was answered with {_told(*before)} before, and now with "
                f"{_told(verb, value)}: say that it is a correction (--correct)"
            )
        elif verb == "label":
            yield replace(said, verb="correct", cost=0.0, refers=event)
        else:
            yield Annotation(question, self.annotator, item, "retract", cost=0.0, refers=event)
            yield said

    def _standing(self, question: int | None, item: int) -> tuple[int, Verb, Any]:
        """Event, verb and value of this annotator's earlier answer; event 0 if there is none."""
        vote = self._votes.get((question, item))
        if vote is not None:
            return vote.seq, "label", vote.value
        try:
            return 0 if question is None else self.project.store.answer_of(question, self.annotator), "unsure", None
        except ProjectError:
            return 0, "unsure", None

    def _check_volunteered(self, item: int, verb: Verb) -> None:
        """Refuses what cannot be said about an item that was not asked."""
        if not self.volunteer:
            raise NeverAsked("a label for an item that was not asked: say that it is volunteered (--volunteer)")
        if verb != "label":
            raise InputError("an item that was not asked has a label or none, and is neither skipped nor unsure")
        if self._states[item] >= RESERVED:
            raise InputError("an item that is never labelled: it is set apart for validation or test, or was removed")

    @cached_property
    def _states(self) -> NDArray[np.uint8]:
        return self.project.store.states()

    @cached_property
    def _asked(self) -> dict[int, int]:
        """Question -> item."""
        return {asked.id: asked.item for asked in self.project.store.questions()}

    @cached_property
    def _last(self) -> dict[int, int]:
        return {item: question for question, item in self._asked.items()}

    @cached_property
    def _open(self) -> dict[int, int]:
        return {row.item: row.question for row in self.project.store.pending(self.annotator)}

    @cached_property
    def _votes(self) -> dict[tuple[int | None, int], Vote]:
        votes = self.project.edits.votes(self.project.store.votes())
        return {(vote.question, vote.item): vote for vote in votes if vote.annotator == self.annotator}


def _named(question: int | None, item: int) -> str:
    return f"item {item}" if question is None else f"question {question}"


def _told(verb: Verb, value: Any) -> str:
    return repr(value) if verb == "label" else verb
