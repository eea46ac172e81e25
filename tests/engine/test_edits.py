"""Edits of classes against a plain dict: what was recorded never changes, what it reads as does."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askwell.core.oracle import Annotation
from askwell.engine.edits import Edits, checked, merging, new_class, renaming, without
from askwell.errors import BadLabel, InputError, UnknownName
from askwell.store import RESOLVERS, Store, open_store
from askwell.tasks import Classification, MultiLabel

START = ("ash", "birch", "cedar")
ITEMS = 6


def edited(*steps: tuple[str, ...]) -> Edits:
    """The classes of the start after these edits."""
    edits = Edits(START)
    for kind, *names in steps:
        edits = edits.then(*body(edits, kind, names))
    return edits


def body(edits: Edits, kind: str, names: list[str]) -> tuple[str, dict[str, object]]:
    if kind == "add":
        return "add_class", new_class(edits, names[0])
    if kind == "rename":
        return "rename_class", renaming(edits, *names)
    return "merge_classes", merging(edits, names[:-1], names[-1])


@pytest.mark.parametrize(
    ("steps", "classes", "lineage", "ash"),
    [
        ([("add", "elm")], ("ash", "birch", "cedar", "elm"), (0, 1, 2, 3), "ash"),
        ([("rename", "ash", "oak")], ("oak", "birch", "cedar"), (0, 1, 2), "oak"),
        ([("merge", "cedar", "ash", "birch")], ("birch",), (1,), None),
        ([("merge", "ash", "cedar", "cedar")], ("birch", "cedar"), (1, 2), "cedar"),
        ([("merge", "ash", "cedar", "tree")], ("birch", "tree"), (1, 3), "tree"),
        ([("rename", "ash", "oak"), ("add", "ash")], ("oak", "birch", "cedar", "ash"), (0, 1, 2, 4), "oak"),
        ([("merge", "ash", "birch"), ("add", "ash"), ("rename", "birch", "x")], ("x", "cedar", "ash"), (1, 2, 4), "x"),
        ([("rename", "ash", "oak"), ("rename", "oak", "ash")], START, (0, 1, 2), "ash"),
    ],
)
def test_classes_after_edits(steps, classes, lineage, ash) -> None:
    if ash is None:
        with pytest.raises(InputError, match=r"^merging cedar, ash into 'birch' leaves one class, and two are needed$"):
            edited(*steps)
        return
    edits = edited(*steps)
    assert (edits.classes, edits.lineage, edits.now("ash")) == (classes, lineage, ash)


def test_an_answer_is_read_by_the_edits_after_it() -> None:
    edits = edited(("rename", "ash", "oak"), ("add", "ash"))
    assert [edits.since("ash", count) for count in range(3)] == ["oak", "ash", "ash"]
    assert edits.former == {}
    assert edited(("rename", "ash", "oak")).former == {"ash": "oak"}


def test_several_labels_that_become_one_are_there_once_in_the_order_of_the_classes() -> None:
    edits = edited(("merge", "ash", "cedar", "tree"), ("add", "elm"))
    assert edits.now(["ash", "birch", "cedar"]) == ["birch", "tree"]
    assert edits.now([]) == []
    task = MultiLabel(edits.classes)
    assert task.check(edits.now(["ash", "birch"])) == ["birch", "tree"]


TAKEN = "already: choose another name, or merge_classes"


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (("rename", "asch", "oak"), UnknownName, "unknown class 'asch': did you mean 'ash'? Known: ash, birch, cedar"),
        (
            ("merge", "ash", "bir", "x"),
            UnknownName,
            "unknown class 'bir': did you mean 'birch'? Known: ash, birch, cedar",
        ),
        (("rename", "ash", "birch"), InputError, f"there is a class 'birch' {TAKEN}"),
        (("add", "ash"), InputError, f"there is a class 'ash' {TAKEN}"),
        (("add", ""), InputError, "a class needs a name, got ''"),
        (("merge", "ash", "ash"), InputError, "there is nothing to merge into 'ash': name at least one other class"),
    ],
)
def test_what_cannot_be_edited(step, error, message) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        edited(step)


def test_labels_without_classes_have_none_to_edit() -> None:
    message = "the labels of this project are made of no classes, so that there are none to edit"
    with pytest.raises(InputError, match=f"^{message}$"):
        new_class(Edits(()), "ash")
    with pytest.raises(InputError, match=r"^merge_classes takes a list of classes, got the text 'ash'$"):
        merging(Edits(START), "ash", "oak")


def test_an_old_name_is_refused_with_the_new_one() -> None:
    edits = edited(("rename", "ash", "oak"), ("merge", "birch", "cedar"))
    task = Classification(edits.classes)
    assert checked(task, edits, "oak") == "oak"
    with pytest.raises(BadLabel, match=r"^class 'birch' is now 'cedar': answer with that name$"):
        checked(task, edits, "birch")
    with pytest.raises(BadLabel, match=r"^class 'ash' is now 'oak': answer with that name$"):
        checked(MultiLabel(edits.classes), edits, ["cedar", "ash"])
    with pytest.raises(BadLabel, match=r"^label 'okk' is not a class: did you mean 'oak'\?"):
        checked(task, edits, "okk")


STEPS = st.lists(
    st.tuples(st.sampled_from(["answer", "change", "retract", "add", "rename", "merge", "remove"]), st.integers(0, 99)),
    max_size=25,
)


class Model:
    """Items with their labels in a dict, which every edit rewrites."""

    def __init__(self, store: Store) -> None:
        self.store, self.labels, self.classes, self.names = store, {}, list(START), 0
        self.gone: set[int] = set()

    @property
    def edits(self) -> Edits:
        return Edits(START, tuple(self.store.edits()))

    def step(self, kind: str, pick: int) -> None:
        item, name = pick % ITEMS, self.classes[pick % len(self.classes)]
        if kind in ("answer", "change", "retract"):
            self.say(kind, item, name)
        elif kind == "remove":
            self.store.remove([item])
            self.gone.add(item)
        else:
            getattr(self, kind)(name, pick)

    def say(self, kind: str, item: int, name: str) -> None:
        question, there = item + 1, item in self.labels
        if kind == "answer" and not there:
            self.store.tell(Annotation(question, "ann", value=name))
            self.labels[item] = name
        elif kind == "change" and there:
            verb = Annotation(question, "ann", verb="correct", value=name, refers=self.store.answer_of(question, "ann"))
            self.store.tell(verb)
            self.labels[item] = name
        elif kind == "retract" and there:
            self.store.tell(Annotation(question, "ann", verb="retract", refers=self.store.answer_of(question, "ann")))
            del self.labels[item]

    def fresh(self, pick: int) -> str:
        """A name that no class has now; often one that a class had before."""
        self.names += 1
        known = [name for name in (*START, "elm") if name not in self.classes]
        return known[pick % len(known)] if known and pick % 2 else f"class {self.names}"

    def add(self, name: str, pick: int) -> None:
        new = self.fresh(pick)
        self.store.edit("add_class", new_class(self.edits, new))
        self.classes.append(new)

    def rename(self, name: str, pick: int) -> None:
        new = self.fresh(pick)
        self.store.edit("rename_class", renaming(self.edits, name, new))
        self.classes[self.classes.index(name)] = new
        self.labels = {item: new if label == name else label for item, label in self.labels.items()}

    def merge(self, name: str, pick: int) -> None:
        if len(self.classes) < 3:
            return
        other = next(one for one in self.classes if one != name)
        into = name if pick % 3 else self.fresh(pick)
        self.store.edit("merge_classes", merging(self.edits, [name, other], into))
        self.classes = [one for one in self.classes if one not in (name, other) or one == into]
        self.classes += [into] if into not in self.classes else []
        self.labels = {item: into if label in (name, other) else label for item, label in self.labels.items()}


def seen(store: Store, edits: Edits, upto: int | None = None) -> dict[int, str]:
    found = without(store.labelled(edits.reading(RESOLVERS["last"]), upto), edits.removed)
    return dict(zip(found.items.tolist(), found.values, strict=True))


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_edits_never_change_what_was_recorded(steps) -> None:
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "labels.db", create=True) as store:
        store.grow(ITEMS, "data", "trees")
        empty = {"scores": None, "annotators": None, "units": None, "made": (), "state": None}
        store.plan(0, SimpleNamespace(ids=np.arange(ITEMS), **empty), basis=0)
        model, then, record = Model(store), [], []
        for kind, pick in steps:
            model.step(kind, pick)
            assert store.history()[: len(record)] == record
            record, edits = store.history(), model.edits
            left = {item: label for item, label in model.labels.items() if item not in model.gone}
            assert edits.classes == tuple(model.classes)
            assert seen(store, edits) == left
            assert {vote.item: vote.value for vote in edits.votes(store.votes())} == left
            then.append((store.last, len(edits), left))
        for last, count, labels in then:
            assert seen(store, model.edits.before(count), last) == labels
