"""Every task × every check."""

from askwell.core.registry import catalogue
from askwell.tasks import Classification, MultiLabel, Regression
from askwell.testing import parametrize_with_checks, task

TASKS = {
    "classification": Classification(("ash", "birch", "cedar")),
    "classification-binary": Classification(("no", "yes")),
    "classification-hundred": Classification(tuple(f"class-{index}" for index in range(100))),
    "multi_label": MultiLabel(("ash", "birch", "cedar")),
    "multi_label-one": MultiLabel(("ash",)),
    "multi_label-hundred": MultiLabel(tuple(f"class-{index}" for index in range(100))),
    "regression": Regression(),
    "regression-far": Regression(mean=-1000.0, scale=25.0),
}


@parametrize_with_checks(TASKS, task.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_task_is_here():
    assert {type(part) for part in TASKS.values()} == set(catalogue("tasks").values())
