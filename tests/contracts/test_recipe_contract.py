"""Every recipe × every check."""

from askwell.core.registry import catalogue
from askwell.testing import parametrize_with_checks, recipe

CERTAIN = {"check_arms_are_paired": "its start holds no chance: the same first items whatever the seed"}
EXCUSED = {"maxherding": CERTAIN, "uherding": CERTAIN}


@parametrize_with_checks(catalogue("recipes"), recipe.CHECKS, EXCUSED)
def test_contract(part, check):
    check(part)
