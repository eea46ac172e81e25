"""The label store × every check."""

from functools import partial

from askwell.store import open_store
from askwell.testing import parametrize_with_checks, store


@parametrize_with_checks({"sqlite": partial(open_store, create=True)}, store.CHECKS)
def test_contract(part, check):
    check(part)
