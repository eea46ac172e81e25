"""Every recipe × every check."""

from askwell.core.registry import catalogue
from askwell.testing import parametrize_with_checks, recipe


@parametrize_with_checks(catalogue("recipes"), recipe.CHECKS)
def test_contract(part, check):
    check(part)
