"""Each mutant fails exactly the check that is named for it: the others look at one promise alone."""

from __future__ import annotations

import pytest
from catalogue import KINDS, everyone, failures


@pytest.mark.parametrize(("kind", "mutant"), [pytest.param(*pair, id=f"{pair[0]}-{pair[1].id}") for pair in everyone()])
def test_mutant_fails_exactly_its_check(kind, mutant):
    assert set(failures(kind, mutant)) == {mutant.caught_by}


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_catches_a_mutant(kind):
    mutants, checks = KINDS[kind]
    idle = {check.__name__ for check in checks} - {mutant.caught_by for mutant in mutants}
    assert not idle, f"no mutant is caught by {sorted(idle)}"


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_distinct(kind):
    ids = [mutant.id for mutant in KINDS[kind][0]]
    assert len(set(ids)) == len(ids)
