"""The repository keeps its own rules: layers, exports, documents, what loads torch, what a strategy touches."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import askwell
from askwell.core.registry import SINGULAR, catalogue

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "askwell"
MODULES = sorted(
    name for _, name, _ in pkgutil.walk_packages([str(SOURCE)], "askwell.") if not name.endswith("__main__")
)
ROOMS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file())
TESTED_ELSEWHERE = {
    "testing": "tests/contracts and tests/mutants",
    "recipes": "tests/contracts",
    "scale": "empty until it has a part",
}
PARTS = [(kind, name) for kind in SINGULAR for name in catalogue(kind)]
BASELINES = {"random": "the arm that every run is paired with, and the start of a recipe without one"}
HOMONYMS = {"stream": "core.scheme.Stream is the rows of a fit, which have the field's word for them too"}
LONGEST = 30
VAGUE = {"utils", "util", "helper", "helpers", "manager", "base", "misc", "common"}


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_layers():
    linter = Path(sys.executable).with_name("lint-imports")
    done = run(str(linter) if linter.exists() else "lint-imports")
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", MODULES)
def test_all_is_importable(name):
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), f"{name}.__all__ lists {exported!r}, which is not there"
    assert module.__doc__ or not module.__file__ or not Path(module.__file__).read_text().strip()


def test_public_names_of_the_package():
    assert dir(askwell) == sorted(askwell.__all__)
    for name in askwell.__all__:
        assert getattr(askwell, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'askwell' has no attribute 'Projekt'$"):
        _ = askwell.Projekt


@pytest.mark.parametrize(
    "code",
    [
        "import askwell",
        "import askwell.store",
        "import askwell.data",
        "import askwell.core.registry, askwell.core.seeds, askwell.core.needs, askwell.core.store",
        "from askwell.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_no_torch_before_a_tensor(code):
    done = run(sys.executable, "-c", f"import sys\n{code}\nsys.exit(7 if 'torch' in sys.modules else 0)")
    assert done.returncode == 0, done.stderr[-1000:] or f"{code!r} loads torch"


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_every_part_is_in_the_documents(kind, name):
    pages = " ".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])
    part = catalogue(kind)[name]
    words = re.findall(r"\w+", pages)
    assert {name, part.__name__} & set(words), f"no page of docs/ names {SINGULAR[kind]} {name!r}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_tests(room):
    assert room in TESTED_ELSEWHERE or list((ROOT / "tests" / room).glob("test_*.py")), f"tests/{room} has no test"


@pytest.mark.parametrize("name", sorted(catalogue("strategies")))
def test_a_strategy_touches_its_own_files_only(name):
    """Its file, its room's list and a recipe name it; no engine, learner, store or command does."""
    cls = catalogue("strategies")[name].__name__
    allowed = {"strategies", "recipes", "testing"}
    named = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in allowed and cls in names_in(path)
    ]
    assert name in BASELINES or name in HOMONYMS or not named, f"{cls} is named in {', '.join(named)}"


@cache
def names_in(path):
    """Names that the code uses, apart from its docstrings and strings."""
    code = tree(path)
    found = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    return found | {alias.name for node in ast.walk(code) if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_are_short_and_files_have_names(path):
    assert path.stem not in VAGUE, f"{path.name} says nothing about what is in it"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno - body[0].lineno + 1) if body else 0
            assert lines <= LONGEST, f"{path.name}: {node.name} has {lines} lines"


def test_no_pickle_is_written():
    writers = ("pickle.dump", "torch.save", "joblib.dump", "cloudpickle")
    found = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "testing" and any(word in path.read_text(encoding="utf-8") for word in writers)
    ]
    assert found == [], f"checkpoints are safetensors; {found} write pickles"
