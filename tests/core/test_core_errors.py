import builtins
import inspect
import re

import pytest

from askwell import errors
from askwell.errors import (
    AskwellError,
    Diverged,
    InputError,
    MissingExtra,
    PoolExhausted,
    UndeclaredNeed,
    UnknownName,
    UnmetNeeds,
)  # fmt: skip

CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_all_is_what_is_there():
    here = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == errors.__name__
    }
    assert here == set(errors.__all__)


@pytest.mark.parametrize("error", CLASSES)
def test_everything_hangs_on_one_root(error):
    assert issubclass(error, AskwellError)
    assert error.__doc__


def test_the_drawing_is_the_tree():
    drawn = re.findall(r"([A-Z]\w+)(?: \((\w+)\))? +(\d)?", errors.__doc__.split("\n\n", 1)[1])
    names = {name for name, _, _ in drawn if hasattr(errors, name)}
    assert names == set(errors.__all__)
    for name, also, code in drawn:
        if hasattr(errors, name) and code:
            assert getattr(errors, name).exit_code == int(code), name
        if also:
            assert issubclass(getattr(errors, name), getattr(builtins, also))


def test_exit_codes_are_inherited():
    assert {error.__name__: error.exit_code for error in CLASSES if error.__base__ is AskwellError} == {
        "InputError": 2, "UnmetNeeds": 3, "PoolExhausted": 4, "ProjectError": 5, "Diverged": 6,
    }  # fmt: skip
    assert InputError("x").exit_code == UnknownName("a", "b", []).exit_code == 2
    assert UndeclaredNeed("x").exit_code == 3
    assert MissingExtra("a", "b").exit_code == 7


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("badg", ["margin", "badge"], "unknown strategy 'badg': did you mean 'badge'? Known: badge, margin"),
        ("zzz", ["margin", "badge"], "unknown strategy 'zzz': Known: badge, margin"),
        ("zzz", [], "unknown strategy 'zzz': Known: none"),
    ],
)
def test_unknown_names(name, known, text):
    error = UnknownName("strategy", name, known)
    assert str(error) == text
    assert (error.got, error.known) == (name, sorted(known))
    assert error.nearest == ("badge" if name == "badg" else None)


def test_messages_carry_their_values():
    assert InputError("x", got=3).got == 3
    assert UnmetNeeds("x", ["probs"]).names == ("probs",)
    assert (PoolExhausted(9, 2).wanted, PoolExhausted(9, 2).available) == (9, 2)
    assert str(PoolExhausted(9, 2)) == "cannot choose 9 items from 2 candidates: ask for 1 to 2"
    error = Diverged("task", 4, float("nan"))
    assert (error.update, error.step) == ("task", 4)
    assert str(error) == "training diverged: update 'task' had loss nan at step 4; lower its learning rate (lr)"
    extra = MissingExtra("kornia", "augment")
    assert (extra.package, extra.extra) == ("kornia", "augment")
    assert str(extra) == "this needs the package 'kornia': pip install \"askwell[augment]\""
