"""All mutants by kind, and the checks that each must face."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import learner_mutants
import oracle_mutants
import pool_mutants
import recipe_mutants
import scheme_mutants
import store_mutants
import strategy_mutants
import task_mutants
from mutant import Mutant

from askwell.testing import learner, oracle, pool, recipe, scheme, store, strategy, task

GOLDEN = json.loads((Path(__file__).parents[1] / "contracts" / "golden.json").read_text())
KINDS = {
    "strategy": (strategy_mutants.MUTANTS, strategy.CHECKS),
    "oracle": (oracle_mutants.MUTANTS, oracle.CHECKS),
    "store": (store_mutants.MUTANTS, store.CHECKS),
    "learner": (learner_mutants.MUTANTS, learner.CHECKS),
    "scheme": (scheme_mutants.MUTANTS, scheme.CHECKS),
    "task": (task_mutants.MUTANTS, task.CHECKS),
    "recipe": (recipe_mutants.MUTANTS, recipe.CHECKS),
    "pool": (pool_mutants.MUTANTS, pool.CHECKS),
}


def faced(kind: str, mutant: Mutant) -> dict[str, Callable[[], None]]:
    """name -> the check, ready to run on this mutant."""
    checks = {check.__name__: partial(check, mutant.part, **mutant.context) for check in KINDS[kind][1]}
    if mutant.twin:
        checks["check_picks_are_golden"] = partial(
            strategy.check_picks_are_golden, mutant.part, GOLDEN.get(mutant.twin, {})
        )
    return checks


def everyone() -> Iterator[tuple[str, Mutant]]:
    """(kind, mutant) of all."""
    for kind, (mutants, _) in KINDS.items():
        for mutant in mutants:
            yield kind, mutant


def failures(kind: str, mutant: Mutant) -> dict[str, str]:
    """check -> what it said, for every check that the mutant fails."""
    said = {}
    for name, run in faced(kind, mutant).items():
        try:
            run()
        except AssertionError as error:
            said[name] = str(error)
    return said
