"""Stream-based selective sampling with a deep model [29, 85]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.managers import Variable
from askwell.recipes.plain import plain
from askwell.schemes import Reservoir
from askwell.strategies import Margin, Stream

__all__ = ["stream"]


def stream() -> Recipe:
    """Meets each item once and asks at once, or never, where the margin falls below a threshold that keeps to 10 %.

    The pool is gone through in random order. After every 32 questions the model goes on learning from them and from a
    reservoir of older labels, and the threshold is set anew. The run ends with the last item.
    """
    return plain(
        "stream",
        Stream(Margin(), Variable(budget=0.1, window=1000, spent="counted", recompute=True)),
        scheme=Reservoir(buffer=32),
        initial_size=32,
        batch=32,
        source="Freund, Seung, Shamir & Tishby 1997, doi:10.1023/A:1007330508534; Žliobaitė et al. 2014, "
        "doi:10.1109/TNNLS.2012.2236570",
        deviations=(
            "The papers ask a committee or a naive Bayes classifier; here one network's margin decides, and "
            "stream(strategy=committee, manager=region) is the committee.",
            "The first 32 labels are drawn at random and do not count towards the budget of the stream.",
            "The budget is counted exactly, in all and over the last 1000 items; the paper estimates it over 100.",
            "Setting the threshold anew after each update, and training on a reservoir, are additions for deep models.",
        ),
        switches={"strategy.manager.recompute": (True, False), "scheme.size": (256, 0)},
    )
