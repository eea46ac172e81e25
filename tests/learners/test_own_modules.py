"""Networks of one's own: from scripts and notebooks, of any width, and what is said when they do not fit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from askwell.core.pool import Form
from askwell.core.seeds import Seeds
from askwell.errors import AskwellError, BadShape, InputError, UnknownName
from askwell.learners import Net
from askwell.schemes import Supervised
from askwell.testing.toys import toy

VECTORS = Form("vector", (8,))


class Sized(nn.Module):
    """Its width follows the classes, its inputs the items."""

    def __init__(self, outputs: int, form: Form, hidden: int = 6) -> None:
        super().__init__()
        self.body, self.out = nn.Linear(form.shape[0], hidden), nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.out(self.body(x).relu())


def by_width(outputs: int = 99) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(8, outputs))


def of_three() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))


class Bare(nn.Module):
    """No layer at all."""

    def forward(self, x):
        return x


class Cosine(nn.Module):
    """A last layer that is no nn.Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3, 4))

    def forward(self, z):
        return nn.functional.normalize(z, dim=1) @ nn.functional.normalize(self.weight, dim=1).T


class Similar(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.squash, self.top = nn.AdaptiveAvgPool1d(4), Cosine()

    def forward(self, x):
        return self.top(self.squash(x))


class Needy(nn.Module):
    def __init__(self, width, depth, dropout=0.1):
        super().__init__()


class Lazy(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.out = nn.LazyLinear(outputs)

    def forward(self, x):
        return self.out(x)


class Sure(nn.Module):
    """Returns probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(x).softmax(1)


@pytest.mark.parametrize("model", [Sized, by_width, f"{__name__}:by_width"])
@pytest.mark.parametrize(("task", "outputs"), [("classification", 3), ("multi_label", 3), ("regression", 1)])
def test_the_width_follows_the_task(model, task, outputs):
    problem = toy("vector", task=task)
    learner = Net(model).build(problem.pool.form, problem.task, Supervised(steps=2))
    learner.fit(problem.pool, problem.job(), Seeds(0))
    assert learner.predict(problem.pool, problem.test).shape == (24, outputs)


def test_functions_without_arguments_are_called_as_they_are():
    assert Net(of_three).module(VECTORS, 3).layer == "2"
    assert Net(of_three) == Net(f"{__name__}:of_three")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            f"{__name__}:of_three", BadShape,
            "the model's outputs have shape (2, 3) for 2 items and the task needs (2, 2): give its last layer 2 "
            "outputs, or let its class take an argument `outputs`",
        ),
        (
            f"{__name__}:Bare", InputError,
            "Bare has no nn.Linear whose input could be the embedding: let one make its output",
        ),
        (
            f"{__name__}:Similar", InputError,
            "Similar has no nn.Linear whose input could be the embedding: name the `layer` that makes its output, "
            "one of squash, top",
        ),
        (
            f"{__name__}:Needy", InputError,
            "model 'Needy' needs the arguments width, depth: give them defaults, since only `outputs` and `form` are "
            "filled in",
        ),
        (
            f"{__name__}:Lazy", InputError,
            f"model '{__name__}:Lazy' has lazy layers: give them their widths, which an argument `form` of the model "
            "can tell",
        ),
        (
            f"{__name__}:VECTORS", InputError,
            f"model '{__name__}:VECTORS' is neither a name nor a class or function that makes a network",
        ),
        (
            f"{__name__}:Sure", InputError,
            "Sure does not return what its layer 'out' returns: return its logits unchanged, or name the `layer` that "
            "makes the output",
        ),
        (
            "__main__:Gone", InputError,
            "model '__main__:Gone' was defined in a script or notebook that does not run now: run its definition "
            "first, or move it to a module that can be imported",
        ),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_is_told_what_to_do(model, error, message):
    problem = toy("vector")
    two = type(problem.task)(("a", "b"))
    with pytest.raises(error) as caught:
        Net(model).build(problem.pool.form, two, Supervised())
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            lambda: of_three(),
            "model '<lambda>' cannot be found by name: move it to the top level of a module, under a name of its own",
        ),
        (
            Bare(),
            "model is a Bare that exists already: give the class or a function that makes it, since every fit starts "
            "from a new one",
        ),
    ],
    ids=["lambda", "instance"],
)
def test_what_cannot_be_made_anew_is_refused_at_once(model, message):
    with pytest.raises(InputError) as caught:
        Net(model)
    assert str(caught.value) == message


def test_a_layer_that_is_named_may_be_any():
    problem = toy("vector")
    learner = Net(Similar, layer="top").build(problem.pool.form, problem.task, Supervised(steps=2))
    assert "head" in learner.provides


def test_precisions_are_known():
    with pytest.raises(UnknownName) as caught:
        Net(Sized, precision="bfloat61")
    assert str(caught.value) == "unknown precision 'bfloat61': did you mean 'bfloat16'? Known: bfloat16, float32"


SCRIPT = """
import askwell as aw
from torch import nn

class MyNet(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.out = nn.Linear(64, outputs)
    def forward(self, x):
        return self.out(x.flatten(1))

small = dict(initial=20, rounds=1, batch=20, pool_size=60, test_size=40, against=None, quiet=True)
result = aw.run("digits", model=MyNet, scheme="supervised(steps=5)", out=FOLDER, **small)
assert [labels for labels, _ in result.curves()["margin"][0]] == [20, 40]
project = aw.Project.open(result.folder / "seed-0")
assert project.recipe.learner.model == "__main__:MyNet"
assert len(project.ask(3)) == 3
print("done", result.folder)
"""


@pytest.fixture(scope="module")
def run_of_a_script(tmp_path_factory):
    """The folder of a project whose network was defined in a script."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "own.py").write_text(SCRIPT.replace("FOLDER", repr(str(folder / "runs"))))
    said = subprocess.run([sys.executable, str(folder / "own.py")], check=True, capture_output=True, text=True)
    return said.stdout.split()[1] + "/seed-0"


def test_two_lines_in_a_script_are_enough_and_later_it_is_told_what_is_missing(run_of_a_script):
    from askwell.engine.project import Project

    with Project.open(run_of_a_script) as project:
        assert project.status()["labels_of_the_model"] == 40
        with pytest.raises(
            AskwellError, match="'__main__:MyNet' was defined in a script or notebook that does not run"
        ):
            project.plan(1)


def test_a_notebook_cell_is_enough(tmp_path):
    pytest.importorskip("IPython")
    cells = SCRIPT.replace("FOLDER", repr(str(tmp_path / "runs")))
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        f"shell = InteractiveShell.instance(); found = shell.run_cell({cells!r}); found.raise_error()\n"
    )
    home = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=home)
    assert said.stdout.startswith("done"), said.stderr
