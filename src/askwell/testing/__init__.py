"""Contract checks and fakes, for our tests and for people who write their own parts.

    from askwell.testing import parametrize_with_checks, strategy

    @parametrize_with_checks({"mine": MyStrategy()}, strategy.CHECKS)
    def test_contract(part, check):
        check(part)

One module per kind of part, each with its `CHECKS`: `strategy`, `learner`, `scheme`, `oracle`, `store`, `pool`, `task`,
`recipe`.
"""

from __future__ import annotations

from askwell.testing.fakes import FakeLearner, FakePool
from askwell.testing.parametrize import parametrize_with_checks
from askwell.testing.scenes import Scene, Scenes, view_of
from askwell.testing.toys import Toy, toy

__all__ = ["FakeLearner", "FakePool", "Scene", "Scenes", "Toy", "parametrize_with_checks", "toy", "view_of"]
