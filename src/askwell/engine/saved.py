"""What a saved model brings with it where nothing else is asked for: a learner, a scheme."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from askwell.core.recipe import Recipe
from askwell.core.registry import knows
from askwell.data import Data
from askwell.learners import Linear, Transformer
from askwell.learners.around import innermost
from askwell.schemes import Supervised

__all__ = ["frozen", "is_saved", "usual"]


def is_saved(model: Any) -> bool:
    """Whether a model is given as the path of its folder: a path, or a text that is a folder or is written like one.

    >>> is_saved("models/bert"), is_saved("resnet18"), is_saved("torch.nn:Identity"), is_saved("mlp(width=3)")
    (True, False, False, False)
    """
    if not isinstance(model, str):
        return isinstance(model, Path)
    named = "(" in model or knows("models", model)
    return not named and ("/" in model or Path(model).is_dir())


def frozen(data: Data) -> bool:
    """Whether the features of these data come from a saved model, so that a linear head is all that is to be learnt."""
    given = data.options.get("features")
    return isinstance(given, str) and Path(given).is_dir()


def usual(recipe: Recipe, given: Mapping[str, Any], frozen: bool) -> dict[str, Any]:
    """Parts that go with a saved model, where neither the recipe nor `given` says otherwise.

    A linear head on features that a saved model made; else, for a model that is fine-tuned, its own scheme.
    """
    if "scheme" in given or type(recipe.scheme) is not Supervised:
        return {}
    learner = given.get("learner", Linear() if frozen else recipe.learner)
    inner = innermost(learner)
    if isinstance(inner, Transformer):
        return {"scheme": inner.fine_tuning()}
    return {"learner": learner} if frozen else {}
