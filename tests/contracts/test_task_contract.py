"""Every task × every check."""

from askwell.core.registry import catalogue
from askwell.tasks import Classification
from askwell.testing import parametrize_with_checks, task

TASKS = {
    "classification": Classification(("ash", "birch", "cedar")),
    "classification-binary": Classification(("no", "yes")),
    "classification-hundred": Classification(tuple(f"class-{index}" for index in range(100))),
}


@parametrize_with_checks(TASKS, task.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_task_is_here():
    assert {type(part) for part in TASKS.values()} == set(catalogue("tasks").values())
