"""askwell: deep active learning from end to end.

    import askwell as aw

    result = aw.run("digits", strategy="badge", batch=20, rounds=10)
    ids = aw.select("badge", probs=p, embedding=z, n=100)
    project = aw.Project.create("cells/", data="images/", classes=["live", "dead"], strategy="margin")
    model = aw.load_model("exported/")
    classifier = aw.ActiveClassifier(strategy="margin")

Nothing here loads torch until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askwell.engine.active import ActiveClassifier as ActiveClassifier
    from askwell.engine.model import load_model as load_model
    from askwell.engine.project import Project as Project
    from askwell.engine.run import run as run
    from askwell.engine.select import select as select
    from askwell.engine.stream import Arrivals as Arrivals

__version__ = "0.1.0"
__all__ = ["ActiveClassifier", "Arrivals", "Project", "__version__", "load_model", "run", "select"]

_HOMES = {
    "ActiveClassifier": "askwell.engine.active",
    "Arrivals": "askwell.engine.stream",
    "Project": "askwell.engine.project",
    "load_model": "askwell.engine.model",
    "run": "askwell.engine.run",
    "select": "askwell.engine.select",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'askwell' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
