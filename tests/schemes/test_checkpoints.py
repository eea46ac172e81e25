"""Checkpoints: when they are taken, that they are copies, and that training is the same with and without them."""

from __future__ import annotations

import pytest
import torch
from scheme_parts import some, trained
from torch import nn

from askwell.core.scheme import Facts
from askwell.errors import InputError, UnknownName
from askwell.models import SmallCNN
from askwell.schemes import Checkpoints, Supervised
from askwell.training.schedule import factor

SHORT = {"steps": 12, "batch": 16, "lr": 5e-3}
FACTS = Facts(10, 10, 40, 0, 0, 0)


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


def test_checkpoints_are_the_network_on_its_way() -> None:
    """Each equals the network of a fit that stopped there: the same steps under the same learning rate."""
    flat = {**SHORT, "schedule": "constant"}
    fitted = trained(Checkpoints(last=3, late=0.5, **flat), some())
    assert fitted.report.notes["checkpoints"] == [8, 10, 12]
    members = fitted.run.scheme.committee(fitted.run)
    for place, steps in enumerate((8, 10, 12)):
        alone = trained(Supervised(**{**flat, "steps": steps}), some())
        assert torch.equal(weights(members[place]), weights(alone.modules.net))


def test_the_network_learns_as_without_checkpoints() -> None:
    one, other = (trained(scheme, some()) for scheme in (Checkpoints(last=4, **SHORT), Supervised(**SHORT)))
    assert torch.equal(weights(one.modules.net), weights(other.modules.net))
    assert torch.equal(weights(one.modules.checkpoint3), weights(one.modules.net))
    assert not torch.equal(weights(one.modules.checkpoint2), weights(one.modules.net))


@pytest.mark.parametrize("last", [1, 2, 5])
@pytest.mark.parametrize("length", [1, 3, 7, 100])
def test_the_last_one_is_the_end(last: int, length: int) -> None:
    taken = Checkpoints(last=last).taken(length)
    assert len(taken) == last
    assert taken[-1] == length
    assert list(taken) == sorted(taken)
    assert min(taken) > 0.5 * (length - 1)


def test_places_of_snapshots_are_the_ends_of_cycles() -> None:
    assert Checkpoints(last=3, cycles=6).taken(120) == (80, 100, 120)
    assert Checkpoints(last=2, cycles=3).taken(100) == (67, 100)
    assert factor(("cyclic", 100, 3), 67) == 1.0
    assert factor(("cyclic", 100, 3), 66) < 0.01


@pytest.mark.parametrize("cycles", [4, 6, 7, 20])
@pytest.mark.parametrize("length", [20, 21, 33, 500])
def test_snapshots_differ_where_cycles_do_not_divide_the_steps(cycles: int, length: int) -> None:
    """Every snapshot is of another step, and the rate starts over right after it."""
    taken = Checkpoints(last=cycles, cycles=cycles).taken(length)
    assert len(set(taken)) == cycles
    assert taken[-1] == length
    rates = [factor(("cyclic", length, cycles), step) for step in range(length)]
    assert [step for step, rate in enumerate(rates) if rate == 1.0] == [0, *taken[:-1]]


def test_cycles_are_those_of_torch() -> None:
    """`CosineAnnealingWarmRestarts` of torch, with restarts at equal distances."""
    module = nn.Linear(1, 1)
    optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, T_0=25)
    for step in range(100):
        assert factor(("cyclic", 100, 4), step) == pytest.approx(schedule.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        schedule.step()


def test_an_update_takes_the_cyclic_rate() -> None:
    numbers = Checkpoints(last=2, cycles=3, steps=90)._optimiser(FACTS)
    assert numbers["schedule"] == ("cyclic", 90, 3)
    assert Checkpoints(last=2, steps=90)._optimiser(FACTS)["schedule"] == ("cosine", 90, 0)


def test_statistics_of_batch_norm_are_copied() -> None:
    modules = trained(Checkpoints(last=2, **SHORT), some(), model=SmallCNN(channels=4, width=16)).modules
    buffers = [list(net.buffers()) for net in (modules.checkpoint0, modules.checkpoint1, modules.net)]
    assert len(buffers[0]) == 6
    assert all(torch.equal(*pair) for pair in zip(*buffers[1:], strict=True))
    assert not any(torch.equal(*pair) for pair in zip(*buffers[:2], strict=True))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"last": 0}, "last of scheme Checkpoints must be at least 1, got 0"),
        ({"late": 1.0}, "late of scheme Checkpoints must be at least 0 and below 1, got 1.0"),
        ({"last": 4, "cycles": 3}, "cycles of scheme Checkpoints must be 0 or at least `last`, 4, got 3"),
        (
            {"cycles": 6, "schedule": "drop"},
            "schedule of scheme Checkpoints must be 'cosine' without warm_up if cycles are given, got 'drop' and 0",
        ),
        (
            {"cycles": 6, "warm_up": 5},
            "schedule of scheme Checkpoints must be 'cosine' without warm_up if cycles are given, got 'cosine' and 5",
        ),
        (
            {"stop": ("reached", "accuracy", 0.99)},
            "stop of scheme Checkpoints must be (): its checkpoints are at fixed steps",
        ),
        ({"average": ("ema", 0.9)}, "average of scheme Checkpoints must be (): its checkpoints are at fixed steps"),
    ],
)
def test_bad_numbers_are_refused(numbers: dict, text: str) -> None:
    with pytest.raises(InputError) as caught:
        Checkpoints(**numbers)
    assert str(caught.value) == text


def test_cycles_are_no_schedule_of_plain_training() -> None:
    with pytest.raises(UnknownName, match=r"^unknown schedule 'cyclic': Known: constant, cosine, drop$"):
        Supervised(schedule="cyclic")
