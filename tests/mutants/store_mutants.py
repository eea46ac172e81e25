"""Label stores with one known fault each: the real one with a method overridden."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from mutant import Mutant

from askwell.errors import Conflict
from askwell.store import STATES, Store, open_store


def opened(name, path):
    """The store in this file, as the mutant of this name."""
    store = open_store(path, create=True)
    store.__class__ = globals()[name]
    if hasattr(store, "begin"):
        store.begin()
    return store


class LosesAnAnswer(Store):
    # Acknowledges an answer that took three seconds, and writes it with the next one only.

    def begin(self):
        self.late = []

    def tell(self, annotation, *, volunteered=False):
        if annotation.cost == 2.0 and self.last == 0:
            self.late = [annotation]
            return 1
        if self.late:
            super().tell(self.late.pop())
        return super().tell(annotation, volunteered=volunteered)

    def votes(self, upto=None):
        self._flush()
        return super().votes(upto)

    def counts(self):
        self._flush()
        return super().counts()

    def labelled(self, resolve, upto=None):
        self._flush()
        return super().labelled(resolve, upto)

    def _flush(self):
        if self.late:
            super().tell(self.late.pop())


class AllowsUpdate(Store):
    # Comes without the triggers that protect the evidence.

    def begin(self):
        with self.connections.write() as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in names:
                connection.execute(f"DROP TRIGGER {name}")


class VotesOfNow(Store):
    # Gives the votes of now, whatever moment was asked for.

    def votes(self, upto=None):
        return super().votes()


class OrderOfArrival(Store):
    def votes(self, upto=None):
        return iter(sorted(super().votes(upto), key=lambda vote: vote.seq))


class UnsureIsAnswered(Store):
    def counts(self):
        counts = super().counts()
        return {**counts, "answered": counts["answered"] + counts["unsure"], "unsure": 0}


class AsksWhatIsOut(Store):
    # An item that is out and unanswered counts as unasked.

    @property
    def unasked(self):
        names = np.array(["unasked", "skipped", "unsure", "answered", "out", "reserved", "removed"])
        return np.flatnonzero(np.isin(names[self.states()], ["unasked", "out"]))


class AsksAgain(Store):
    # Takes an item into a second round.

    def plan(self, round, batch, *, basis, **more):
        super().plan(round, batch, basis=basis, **{**more, "again": True})


class ServesTwice(Store):
    # Nobody holds anything: two people get the same question.

    def take(self, n, annotator, seconds=600.0):
        return super().take(n, annotator, seconds=-1.0)


class NumbersRetriesAnew(Store):
    def tell(self, annotation, *, volunteered=False):
        super().tell(annotation, volunteered=volunteered)
        return self.last


class SwallowsConflicts(Store):
    # A second plan for a round is dropped in silence.

    def plan(self, round, batch, *, basis, **more):
        try:
            super().plan(round, batch, basis=basis, **more)
        except Conflict:
            if round:
                raise


class AnyModelMayPlan(Store):
    def plan(self, round, batch, *, basis, **more):
        super().plan(round, batch, basis=self.last if round else basis, **more)


class TakesAnyLabel(Store):
    # Keeps a label for an item that nobody asked about.

    def tell_many(self, annotations, *, volunteered=False, known=None):
        return super().tell_many(annotations, volunteered=True, known=known)


class SeesItsOwnVotesOnly(Store):
    # Gives the votes of annotators that it knew when it was first read, and of those that spoke to it since.

    def begin(self):
        self.spoken = set()
        self.first = None

    def tell_many(self, annotations, *, volunteered=False, known=None):
        self.spoken |= {annotation.annotator for annotation in annotations}
        return super().tell_many(annotations, volunteered=volunteered, known=known)

    def votes(self, upto=None):
        self.first = set(self.annotators) if self.first is None else self.first
        return (vote for vote in super().votes(upto) if vote.annotator in self.first | self.spoken)


class LeasesDieWithTheProcess(Store):
    # Keeps its leases in memory: what another process took goes to whoever comes next, in another order.

    def begin(self):
        self.known = {}

    def take(self, n, annotator, seconds=600.0):
        rows = super().take(n, annotator, seconds)
        if annotator in self.known or len(rows) != 3 or self.last:
            return rows
        self.known[annotator] = rows
        return rows if multiprocessing.parent_process() else rows[::-1]


class KeepsNoSeconds(Store):
    # Forgets how long an answer took.

    def history(self, upto=None):
        return [event._replace(seconds=0.0) for event in super().history(upto)]


class KeepsLabelsElsewhere(Store):
    # The labels lie beside the record, by the name of the file, and do not travel with it.

    beside: ClassVar[dict[tuple[str, int], str]] = {}

    def tell_many(self, annotations, *, volunteered=False, known=None):
        numbers = super().tell_many(annotations, volunteered=volunteered, known=known)
        for number, annotation in zip(numbers, annotations, strict=True):
            self.beside[str(self.path), number] = annotation.value
        return numbers

    def votes(self, upto=None):
        return (replace(vote, value=self.beside.get((str(self.path), vote.seq))) for vote in super().votes(upto))


class ForgetsTheRemoved(Store):
    # Takes the answers about an item out with the item.

    def votes(self, upto=None):
        gone = {item for edit in self.edits() if edit.kind == "remove" for item in edit.body["items"]}
        return (vote for vote in super().votes(upto) if vote.item not in gone)


class LeavesQuestionsOpen(Store):
    # Removes an item, and still asks about it.

    def remove(self, ids, *, annotator="project", known=None):
        gone = np.setdiff1d(ids, np.flatnonzero(self.states() == STATES.index("removed")))
        if len(gone):
            self.edit("remove", {"items": gone.tolist()}, known=known)
        return gone


class EditsWhateverElse(Store):
    # Lets two programs edit without knowing of each other.

    def edit(self, kind, body, *, known=None):
        return super().edit(kind, body)


def _mutant(cls, source, caught_by):
    return Mutant(partial(opened, cls.__name__), source, caught_by, name=cls.__name__)


MUTANTS = [
    _mutant(LosesAnAnswer, "FIELD 3.5, 2.17", "check_told_is_on_the_disk"),
    _mutant(KeepsNoSeconds, "issue 2.8", "check_told_is_on_the_disk"),
    _mutant(AllowsUpdate, "ANCHORS 3 store", "check_evidence_cannot_be_changed"),
    _mutant(VotesOfNow, "CONTRACTS 1.1", "check_every_prefix_replays"),
    _mutant(OrderOfArrival, "CONTRACTS 1.1", "check_votes_follow_the_questions"),
    _mutant(UnsureIsAnswered, "ANCHORS 3 store", "check_states_add_up"),
    _mutant(AsksWhatIsOut, "FIELD 2.30 served once", "check_nothing_is_asked_twice"),
    _mutant(AsksAgain, "FIELD 2.30 loop repeats items", "check_nothing_is_asked_twice"),
    _mutant(ServesTwice, "FIELD 2.30 served once", "check_questions_go_to_one_at_a_time"),
    _mutant(NumbersRetriesAnew, "CONTRACTS 1.6", "check_retries_are_safe"),
    _mutant(SwallowsConflicts, "CONTRACTS 1.3", "check_retries_are_safe"),
    _mutant(AnyModelMayPlan, "FIELD 2.32 scores of the wrong checkpoint", "check_old_models_cannot_plan"),
    _mutant(TakesAnyLabel, "issue 2.8", "check_unasked_labels_are_refused"),
    _mutant(LeasesDieWithTheProcess, "ANCHORS 3 store, kill", "check_taken_questions_outlive_their_process"),
    _mutant(KeepsLabelsElsewhere, "FIELD 2.17 labels not written back", "check_export_and_import_are_inverse"),
    _mutant(SeesItsOwnVotesOnly, "issue 2, two processes", "check_another_process_loses_nothing"),
    _mutant(ForgetsTheRemoved, "issue 3.3", "check_edits_change_no_answer"),
    _mutant(LeavesQuestionsOpen, "issue 3.3", "check_removed_items_are_left_alone"),
    _mutant(EditsWhateverElse, "issue 3.3", "check_edits_are_made_one_after_the_other"),
]
