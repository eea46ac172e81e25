"""What each verb demands before it is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from askwell.errors import BadLabel, Conflict, InputError, ProjectError
from askwell.store.ballot import SKIPPED, STATES, UNSURE, Ballot

__all__ = ["Said", "admit"]

VALUED = ("label", "correct", "also")


@dataclass(frozen=True)
class Said:
    """An annotation on its way into the log: `item` is known, the value is canonical JSON text."""

    verb: str
    question: int | None
    item: int
    annotator: str
    text: str | None
    cost: float
    seconds: float
    refers: int | None
    token: str | None

    @property
    def place(self) -> str:
        """The question or item in words."""
        return f"item {self.item}" if self.question is None else f"question {self.question}"


def admit(ballot: Ballot, said: Said) -> int | Said:
    """What to append; or, where the same thing has been said already, the event that said it."""
    if said.verb in VALUED and said.text is None:
        raise BadLabel(f"a {said.verb!r} for {said.place} needs a value: use 'unsure' or 'skip' to give none")
    if said.question is None and said.verb not in ("label", "correct", "retract"):
        raise InputError(f"{said.verb!r} is about a question, and item {said.item} was given without one")
    return RULES[said.verb](ballot, said)


def _answer(ballot: Ballot, said: Said) -> int | Said:
    old = ballot.answer(said.item, said.annotator)
    if old is None:
        again = None if said.verb == "also" else ballot.cleared.get((said.item, said.annotator))
        return replace(said, refers=again)
    if old.text == said.text:
        return old.seq
    raise Conflict(
        f"{said.annotator!r} has answered {said.place} with {old.text or 'unsure'}, and now says "
        f"{said.text or 'unsure'}: use 'correct' to change an answer"
    )


def _also(ballot: Ballot, said: Said) -> int | Said:
    if ballot.asked and said.item == ballot.asked.item:
        raise InputError(f"'also' labels further items, and item {said.item} is what {said.place} asks about")
    return _answer(ballot, said)


def _skip(ballot: Ballot, said: Said) -> int | Said:
    if ballot.answer(said.item, said.annotator):
        raise Conflict(f"{said.annotator!r} has answered {said.place}: retract the answer before skipping")
    return ballot.declined.get(said.annotator, said)


def _correct(ballot: Ballot, said: Said) -> int | Said:
    root = _root(ballot, said)
    if root in ballot.retracted:
        raise Conflict(f"the answer to {said.place} was retracted by event {ballot.retracted[root]}: label it again")
    old = ballot.answers[root]
    return old.seq if old.text == said.text else replace(said, refers=root, item=old.item)


def _retract(ballot: Ballot, said: Said) -> int | Said:
    root = _root(ballot, said)
    if root in ballot.retracted:
        return ballot.retracted[root]
    return replace(said, refers=root, item=ballot.answers[root].item)


def _root(ballot: Ballot, said: Said) -> int:
    """The event that first gave the answer which `refers` names, by any of its events."""
    for root, one in ballot.answers.items():
        if said.refers in (root, one.seq) and one.annotator == said.annotator:
            return root
    if said.refers in ballot.retracted:
        return said.refers
    raise ProjectError(
        f"{said.verb!r} of {said.place} must refer to a standing answer by {said.annotator!r}, got event {said.refers}"
    )


def _reopen(ballot: Ballot, said: Said) -> int | Said:
    if ballot.state not in (SKIPPED, UNSURE):
        raise Conflict(f"{said.place} is {STATES[ballot.state]}: only a skipped or unsure question is reopened")
    return said


def _close(ballot: Ballot, said: Said) -> int | Said:
    return ballot.closed or said


RULES: dict[str, Callable[[Ballot, Said], int | Said]] = {
    "label": _answer, "unsure": _answer, "also": _also, "skip": _skip,
    "correct": _correct, "retract": _retract, "reopen": _reopen, "close": _close,
}  # fmt: skip
