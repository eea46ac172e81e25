"""Every oracle × every check."""

from functools import partial

from askwell.core.registry import catalogue
from askwell.oracles import Crowd, Model, Nearest, Noisy, Truth
from askwell.testing import oracle, parametrize_with_checks

CLASSES = ("ash", "birch", "cedar")
CONFUSION = ((0.8, 0.2, 0.0), (0.0, 0.9, 0.1), (0.3, 0.3, 0.4))


def model(labels):
    # Another model that knows every label for sure, and of unknown ones nothing.
    rows = [[1 / 3] * 3 if label is None else [float(name == label) for name in CLASSES] for label in labels]
    return Model(rows, CLASSES, sure=0.5)


ORACLES = {
    "crowd": partial(
        Crowd, classes=CLASSES, confusion=(0.1, CONFUSION, 0.0), availability=(1.0, 0.5, 0.9), cost=(3.0, 1.0, 0.0)
    ),
    "model": model,
    "nearest": Nearest,
    "noisy": partial(Noisy, classes=CLASSES, confusion=0.2),
    "noisy-by-class": partial(Noisy, classes=CLASSES, confusion=CONFUSION, annotators=("ann", "bob"), seed=3),
    "truth": Truth,
    "truth-crowd": partial(Truth, annotators=("ann", "bob"), cost=2.5),
}


@parametrize_with_checks(ORACLES, oracle.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_oracle_is_here():
    made = {type(make(["ash"])) for make in ORACLES.values()}
    assert made == set(catalogue("oracles").values())
