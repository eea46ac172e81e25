"""A stream that arrives from outside: item by item, is it to be asked about, now or never?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from askwell.core.online import Online
from askwell.core.oracle import Question
from askwell.core.view import Batch, Made
from askwell.data import Grown
from askwell.engine.project import Project
from askwell.errors import ProjectError, UnmetNeeds

__all__ = ["Arrivals"]


class Arrivals:
    """Offers items to a project as they arrive: each is decided about at once, and only those asked about are kept.

    project  one whose strategy decides item by item, `stream(…)`, and that has a trained model

    An item that is asked about enters the store together with its question and the memory of the decisions; of one that
    is passed over nothing stays but that memory. After a kill `seen` says how many items were decided about, and the
    next one is decided about as it would have been. Items of a folder or a table that is kept anyway are better added
    by `Project.add`: then `Project.ask` meets them in the same way, and they keep their own ids.

    >>> import tempfile, numpy as np, askwell as aw
    >>> x = np.random.default_rng(0).normal(size=(80, 2)).astype("float32")
    >>> strategy = "stream(strategy=margin, manager=variable(budget=0.2))"
    >>> settings = dict(strategy=strategy, learner="linear", initial=8, classes=["left", "right"])
    >>> project = aw.Project.create(tempfile.mkdtemp() + "/p", x[:40], **settings)
    >>> for question in project.ask(8):
    ...     _ = project.tell(question.id, "right" if question.item[0] > 0 else "left")
    >>> _ = project.train()
    >>> arrivals = aw.Arrivals(project)
    >>> questions = arrivals.offer(x[40:])
    >>> arrivals.seen, 0 < sum(question is not None for question in questions) < 40
    (40, True)
    """

    def __init__(self, project: Project) -> None:
        if not isinstance(project.recipe.strategy, Online):
            raise UnmetNeeds(
                f"strategy {project.recipe.strategy.name!r} does not decide item by item: make the project with "
                'strategy="stream(strategy=margin)"'
            )
        self.project, self.strategy = project, project.recipe.strategy

    @property
    def seen(self) -> int:
        """How many items were decided about, here and by `Project.ask`: the position in the stream."""
        return int(self.project.store.state.get("seen", 0))

    def offer(self, items: Sequence[Any]) -> list[Question | None]:
        """Decides about items in the order in which they arrive, and returns for each its question, or None.

        items  of the form of the project's, such as rows of an array, or texts; one pass of the model scores them all

        The questions are those of one round, and are answered by `Project.tell` as others are. O(n).
        """
        items = list(items)
        if not items:
            return []
        project = self.project
        project.renew()
        round, start = project.store.planned, len(project.pool)
        batch = self._met(items)
        places = [int(one) - start for one in batch.ids]
        made = tuple(Made(_plain(items[place]), how="arrived") for place in places)
        project.record(round, Batch(batch.ids[:0], made=made, state=batch.state), self.strategy)
        asked = [project.question(row) for row in project.store.pending() if made and row.round == round]
        questions = dict(zip(places, asked, strict=True))
        return [questions.get(place) for place in range(len(items))]

    def _met(self, items: Sequence[Any]) -> Batch:
        """The batch of those to ask about, by the places that they would have in the pool."""
        project = self.project
        if not project.current:
            raise ProjectError(f"{project.folder.path} has no trained model yet: train one before items arrive")
        pool = Grown(project.pool, [_plain(item) for item in items])
        view = project.view(torch.arange(len(project.pool), len(pool)), self.strategy.needs, pool)
        return self.strategy.meet(view, project.seeds.torch("meet", self.seen))


def _plain(item: Any) -> Any:
    return item if isinstance(item, str) else np.asarray(item)
