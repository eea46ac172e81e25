"""What people put into a project: items, questions, answers and edits. It needs no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from askwell.core.oracle import Annotation, Question
from askwell.core.pool import Pool
from askwell.core.recipe import Recipe
from askwell.core.store import Row
from askwell.data import Data
from askwell.engine import additions
from askwell.engine.assemble import task_for
from askwell.engine.edits import Edits, checked, merging, new_class, renaming
from askwell.engine.folder import Folder
from askwell.engine.report import Report
from askwell.engine.status import summary
from askwell.errors import StaleBasis
from askwell.store import Store, export

__all__ = ["ATTEMPTS", "Ledger"]

T = TypeVar("T")
VALUED = {"label", "correct", "also"}
ATTEMPTS = 5
"""How often something is tried again when another process plans or edits at the same moment."""


class Ledger:
    """The record of a project as one process sees it; `engine.project.Project` adds the model and the choosing.

    pool     all items: the data, additions, and what strategies have made
    task     what a label is now; `original` what it was before any edit
    edits    all that this process knows of; reports likewise
    """

    def __init__(
        self,
        folder: Folder,
        data: Data,
        recipe: Recipe,
        manifest: dict[str, Any],
        store: Store,
        added: Mapping[int, Pool] | None = None,
    ) -> None:
        """Use `Project.create` or `Project.open`."""
        self.folder, self.data, self.recipe, self.manifest, self.store = folder, data, recipe, manifest, store
        self.task = self.original = task_for(recipe, data.classes)
        self.edits = Edits(data.classes)
        self.reports: list[Report] = []
        self._seen = 0
        self._added = dict(added or {})
        self._join()
        self._refresh()

    # ------------------------------------------------------------------ answers

    def tell(
        self,
        question: int,
        value: Any,
        *,
        annotator: str = "me",
        seconds: float = 0.0,
        cost: float | None = None,
        token: str | None = None,
    ) -> int:
        """Records an answer; when it returns, the answer is on the disk. A wrong label raises and records nothing."""

        def record() -> int:
            label = checked(self.task, self.edits, value)
            price = self.task.cost(label) if cost is None else cost
            said = Annotation(question, annotator, None, "label", label, price, seconds, token=token)
            return self.store.tell(said, known=len(self.edits))

        return self._as_of_now(record)

    def tell_all(self, annotations: Iterable[Annotation], *, volunteered: bool = False) -> list[int]:
        """Records many answers with one sync: all or none."""
        said = list(annotations)

        def record() -> list[int]:
            labels = [
                replace(one, value=checked(self.task, self.edits, one.value)) if one.verb in VALUED else one
                for one in said
            ]
            return self.store.tell_many(labels, volunteered=volunteered, known=len(self.edits))

        return self._as_of_now(record)

    def volunteer(self, key: str, value: Any, *, annotator: str = "me", cost: float = 0.0) -> int:
        """Records a label for an item that was never asked, by the user's own id; kept apart from asked ones."""
        item = int(self.pool.positions([key])[0])
        return self.tell_all([Annotation(None, annotator, item, "label", value, cost)], volunteered=True)[0]

    def correct(self, question: int, value: Any, *, annotator: str = "me") -> int:
        """Replaces this annotator's earlier answer; both stay in the record."""
        earlier = self.store.answer_of(question, annotator)
        return self.tell_all([Annotation(question, annotator, None, "correct", value, 0.0, refers=earlier)])[0]

    def retract(self, question: int, *, annotator: str = "me") -> int:
        """Takes this annotator's answer back; the question is open again."""
        earlier = self.store.answer_of(question, annotator)
        return self.store.tell(Annotation(question, annotator, None, "retract", cost=0.0, refers=earlier))

    def skip(self, question: int, *, annotator: str = "me", seconds: float = 0.0) -> int:
        """This annotator does not want to answer; others still may."""
        return self.store.tell(Annotation(question, annotator, None, "skip", cost=0.0, seconds=seconds))

    def unsure(self, question: int, *, annotator: str = "me", seconds: float = 0.0) -> int:
        """This annotator has looked and cannot tell; it counts as his answer, and gives no label."""
        return self.store.tell(Annotation(question, annotator, None, "unsure", cost=0.0, seconds=seconds))

    def give_back(self, question: int, *, annotator: str = "me") -> None:
        """Frees a question for the next annotator."""
        self.store.give_back(question, annotator)

    def reopen(self, question: int, *, annotator: str = "me") -> int:
        """Asks a skipped or unsure item again."""
        return self.store.tell(Annotation(question, annotator, None, "reopen", cost=0.0))

    def take(self, n: int, annotator: str, *, again: bool = True) -> list[Question]:
        """Questions that are already planned; unlike `ask` it never plans new ones.

        again  also about items that this annotator has answered a question about before
        """
        rows = self.store.take(n, annotator, again=again)
        self._refresh()
        return [self.question(row) for row in rows]

    # ------------------------------------------------------------------ editing

    def add(self, data: Any, *, labels: bool = True, loading: dict[str, Any] | None = None) -> list[str]:
        """Adds items behind all others, as candidates, and returns their ids. No position and no answer changes.

        They look as the project's items do: same words, picture size, columns and scale. Known labels that come with
        them are recorded as volunteered by the annotator "data", for nothing, in the same transaction.

        data    whatever `askwell.data.load` takes, with `loading` as its further arguments; ids must be new
        labels  False leaves labels that come with the data out
        """
        return self._as_of_now(lambda: self._entered(data, labels, loading or {}))

    def _entered(self, source: Any, labels: bool, loading: dict[str, Any]) -> list[str]:
        self._refresh()
        data = additions.loaded(source, self.pool, self.data, self.edits.classes, loading)
        known = additions.known_labels(data, self.task) if labels else {}
        start = additions.enter(self.store, self.pool, data, known, len(self.edits))
        self._added[start] = data.pool
        self._refresh()
        return self.pool.keys(range(start, start + len(data.pool)))

    def remove(self, keys: str | Sequence[str]) -> int:
        """Takes items out for good, by the users' own ids, and returns how many were still there.

        They are not asked, trained or measured on any more, and open questions about them are closed; what was said
        about them stays in the record.
        """
        self._refresh()
        gone = self.store.remove(self.pool.positions([keys] if isinstance(keys, str) else keys))
        self._refresh()
        return len(gone)

    def add_class(self, name: str) -> None:
        """Adds a class behind the others. The next model learns it: before more is asked, one is trained anew."""
        self._edit("add_class", lambda: new_class(self.edits, name))

    def rename_class(self, old: str, new: str) -> None:
        """Gives a class another name; answers by the old one keep counting, and the model stays as it is."""
        self._edit("rename_class", lambda: renaming(self.edits, old, new))

    def merge_classes(self, names: Sequence[str], into: str) -> None:
        """Makes one class of several: `into` is one of the classes, or a new name; answers by all of them count for it.

        Before more is asked, a model is trained anew.
        """
        self._edit("merge_classes", lambda: merging(self.edits, names, into))

    def _edit(self, kind: str, body: Callable[[], dict[str, Any]]) -> None:
        self._as_of_now(lambda: self.store.edit(kind, body(), known=len(self.edits)))
        self._refresh()

    def _as_of_now(self, record: Callable[[], T]) -> T:
        """Records what depends on the edits so far; once more where another process has edited at the same moment."""
        for _ in range(ATTEMPTS - 1):
            self._reread()
            with suppress(StaleBasis):
                return record()
        self._reread()
        return record()

    # ------------------------------------------------------------------ out

    def status(self) -> dict[str, Any]:
        """Where the project stands, as JSON."""
        return summary(self.folder, self.manifest, self.store)

    def export(self, path: str | Path, format: str | None = None) -> Path:
        """Writes all questions and answers with the users' own ids; format by ending: .jsonl, .csv, .parquet."""
        with self.folder.writing():
            return export(self.store, Path(path), format, keys=self.pool.keys)

    def is_made(self, item: int) -> bool:
        """Whether a strategy has made this item."""
        return item in self._made

    def close(self) -> None:
        """Closes the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder.path)!r})"

    def question(self, row: Row) -> Question:
        """A question that is out, with its item."""
        return Question(
            row.question,
            self.pool.keys([row.item])[0],
            self.pool.item(row.item),
            row.item,
            row.unit,
            row.form,
            row.asked_of,
            row.shown,
            self._made.get(row.item),
        )

    def _refresh(self) -> None:
        """Takes notice of what other processes have trained, edited and made."""
        if self.store.reported != len(self.reports):
            self.reports = [Report.of(body) for body in self.store.reports()]
        self._reread()
        if len(self.store) != len(self.pool):
            self._added = additions.found_again(self.folder.path, self.store, self.data.pool, (), self._added)
            self._join()

    def _join(self) -> None:
        """Lays all items one behind the other, and notes which of them were made from others."""
        self.pool = additions.joined(self.data.pool, self.store, self._added)
        self._made = additions.made_from(self.store)

    def _reread(self) -> None:
        """Takes notice of answers, and then of edits, so that every answer is of a class that is known."""
        self._seen = self.store.last
        if self.store.edited != len(self.edits):
            self.edits = Edits(self.data.classes, tuple(self.store.edits()))
            self.task = task_for(self.recipe, self.edits.classes)
