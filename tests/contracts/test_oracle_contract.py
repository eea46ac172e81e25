"""Every oracle × every check."""

from functools import partial

from askwell.core.registry import catalogue
from askwell.oracles import Truth
from askwell.testing import oracle, parametrize_with_checks

ORACLES = {
    "truth": Truth,
    "truth-crowd": partial(Truth, annotators=("ann", "bob"), cost=2.5),
}


@parametrize_with_checks(ORACLES, oracle.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_oracle_is_here():
    made = {type(make(["ash"])) for make in ORACLES.values()}
    assert made == set(catalogue("oracles").values())
