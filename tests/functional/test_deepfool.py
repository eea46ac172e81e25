"""DeepFool: the nearest boundary of a linear model at once, of another one step by step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from askwell.errors import BadShape, InputError
from askwell.functional.deepfool import boundary_scores, deepfool

WEIGHTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
X = torch.tensor([[1.0, 0.8]])


def linear(x: Tensor) -> Tensor:
    return x @ WEIGHTS.to(x.dtype).t()


def draws(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def net(seed: int):
    first, second, third = draws(seed, 6, 16), draws(seed + 1000, 16, 16) / 4, draws(seed + 2000, 16, 4) / 4
    return lambda x: torch.nn.functional.softplus(torch.tanh(x @ first / 2) @ second) @ third


def test_worked_numbers() -> None:
    found = deepfool(X, linear)
    assert_close(found.shift, torch.tensor([[-0.1, 0.1]]))
    assert found.lengths.item() == pytest.approx(0.141421, abs=1e-6)
    assert found.flipped.tolist() == [True]
    assert boundary_scores(found.lengths, found.flipped).item() == pytest.approx(-0.141421, abs=1e-6)


def test_the_class_further_away_of_the_card() -> None:
    """Without class 1, class 2 is the nearest: a running minimum that is never kept gives this for both."""
    found = deepfool(X, lambda x: linear(x)[:, [0, 2]])
    assert_close(found.shift, torch.tensor([[-1.12, -0.56]]))
    assert found.lengths.item() == pytest.approx(1.252198, abs=1e-6)


def test_eta_lengthens_every_step() -> None:
    found = deepfool(X, linear, eta=1e-4)
    assert_close(found.shift, torch.tensor([[-0.10005, 0.10005]]))


def test_linear_models_take_one_step_and_only_their_slopes_count() -> None:
    x = draws(0, 50, 2).float()
    once = deepfool(x, linear, steps=1)
    assert once.flipped.all()
    assert_close(deepfool(x, lambda x: 7.5 * linear(x)).shift, once.shift)
    logits = linear(x)
    own = logits.argmax(1)
    gaps = logits.gather(1, own[:, None]) - logits
    away = (WEIGHTS[own][:, None] - WEIGHTS).norm(dim=2)
    distances = torch.where(away > 0, gaps / away, torch.inf)
    assert_close(once.lengths, distances.amin(1))


def test_what_flipped_leaves_the_batch() -> None:
    """A net's input is as far as it is alone, however many others need more steps; the last forward sees those."""
    f, x, seen = net(2), draws(3002, 40, 6), []

    def watched(x: Tensor) -> Tensor:
        seen.append(len(x))
        return f(x)

    together = deepfool(x, watched)
    alone = torch.cat([deepfool(one[None], f).shift for one in x])
    assert together.flipped.all()
    assert_close(together.shift, alone)
    assert seen[0] == 40 > seen[-1]


@pytest.mark.parametrize("overshoot", [0.02, 0.5])
def test_the_shift_is_reported_without_overshoot_and_flips_with_it(overshoot: float) -> None:
    f, x = net(1), draws(3001, 30, 6)
    found = deepfool(x, f, overshoot=overshoot)
    before, after = f(x).argmax(1), f(x + (1 + overshoot) * found.shift).argmax(1)
    assert torch.equal(before != after, found.flipped)
    assert deepfool(X, linear, overshoot=overshoot).lengths.item() == pytest.approx(0.141421, abs=1e-6)


def test_a_class_without_slope_is_passed_over() -> None:
    def flat_third(x: Tensor) -> Tensor:
        return torch.cat([linear(x)[:, :2], linear(x)[:, :1] - 1e-3], 1)

    assert_close(deepfool(X, flat_third).shift, torch.tensor([[-0.1, 0.1]]))


def test_without_any_slope_nothing_moves() -> None:
    found = deepfool(X, lambda x: (0 * x).sum(1, keepdim=True) + torch.tensor([2.0, 1.0]))
    assert found.flipped.tolist() == [False]
    assert found.shift.tolist() == [[0.0, 0.0]]


def test_a_slope_of_next_to_nothing_is_none() -> None:
    found = deepfool(X, lambda x: 1e-13 * x + torch.tensor([2.0, 1.0]))
    assert found.flipped.tolist() == [False]
    assert found.shift.tolist() == [[0.0, 0.0]]


def test_one_class_never_flips() -> None:
    assert deepfool(X, lambda x: linear(x)[:, :1]).flipped.tolist() == [False]


def test_only_the_highest_logits_are_looked_at() -> None:
    """Class 2 has the nearest boundary of the two, and the lowest logit."""
    weights = torch.tensor([[1.0, 0.0], [0.9, 0.0], [0.0, 5.0]])
    x = torch.tensor([[1.0, 0.1]])
    assert_close(deepfool(x, lambda x: x @ weights.t(), classes=3).lengths, torch.tensor([0.5 / 26**0.5]))
    assert_close(deepfool(x, lambda x: x @ weights.t(), classes=2).lengths, torch.tensor([1.0]))


def test_bounds_cut_off_what_lies_outside() -> None:
    """The second number would rise to 1.08 and may not: the first one then falls alone, from .88 to below .5."""

    def tilted(x: Tensor) -> Tensor:
        return torch.stack([x[:, 0], 5 * x[:, 1] - 4.5], 1)

    x = torch.tensor([[0.9, 0.98]])
    free, kept = deepfool(x, tilted), deepfool(x, tilted, bounds=(0.0, 1.0))
    assert_close(x + free.shift, torch.tensor([[0.9 - 0.5 / 26, 0.98 + 2.5 / 26]]))
    assert kept.flipped.tolist() == [True]
    moved = x + 1.02 * kept.shift
    assert moved[0, 1].item() == pytest.approx(1.0)
    assert 0.48 < moved[0, 0].item() < 0.5
    assert deepfool(x, tilted, bounds=(0.9, 1.0)).flipped.tolist() == [False]


def test_half_precision_is_computed_in_single() -> None:
    found = deepfool(X.half(), linear)
    assert found.shift.dtype == torch.float32
    assert_close(found.shift, torch.tensor([[-0.1, 0.1]]), atol=2e-3, rtol=0)


def test_pictures_keep_their_axes() -> None:
    found = deepfool(draws(0, 3, 1, 2, 3), lambda x: net(0)(x.flatten(1)))
    assert found.shift.shape == (3, 1, 2, 3)


def test_gradients_and_inputs_stay_as_they_were() -> None:
    x = X.clone().requires_grad_(True)
    found = deepfool(x, linear)
    assert x.grad is None
    assert not found.shift.requires_grad


def test_what_is_not_flipped_comes_last() -> None:
    scores = boundary_scores(torch.tensor([0.5, 0.0, 2.0]), torch.tensor([True, False, True]))
    assert scores.tolist() == [-0.5, -3.0, -2.0]
    far = boundary_scores(torch.tensor([1e12, 1.0]), torch.tensor([True, False]))
    assert far[1] < far[0]
    assert boundary_scores(torch.ones(0), torch.ones(0, dtype=torch.bool)).shape == (0,)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (
            {"x": torch.ones(3)},
            BadShape,
            "expected floating-point inputs (n, …), got shape (3,) and type torch.float32",
        ),
        (
            {"x": torch.ones(1, 2, dtype=torch.int64)},
            BadShape,
            "expected floating-point inputs (n, …), got shape (1, 2) and type torch.int64",
        ),
        ({"overshoot": -0.1}, InputError, "overshoot and eta must not be negative, got -0.1 and 0.0"),
        ({"steps": 0}, InputError, "steps must be at least 1 and classes at least 2, got 0 and 10"),
        ({"classes": 1}, InputError, "steps must be at least 1 and classes at least 2, got 50 and 1"),
    ],
)
def test_refuses(wrong, error, message) -> None:
    with pytest.raises(error) as refusal:
        deepfool(**{"x": X, "logits": linear, **wrong})
    assert str(refusal.value) == message


THEIRS = {
    1: [0.788557198, 0.959262142, 1.3728601, 0.227997027, 0.131933467],
    2: [0.664052852, 0.478325793, 1.09242045, 2.04572714, 0.708367274],
    3: [0.942604359, 2.38157963, 0.922100725, 0.360326079, 1.44814357],
}


@pytest.mark.parametrize("seed", THEIRS)
def test_lengths_are_those_of_a_public_implementation(seed: int) -> None:
    """`AdversarialDeepFool.cal_dis` of ej0cl6/deep-active-learning at eea3d2c, without its float32: no overshoot.

    Lengths of what was flipped agree within 3e-9 on 278 of 278 small nets of which it made something (it fails where no
    class has a slope, on 42), and within 4e-14 on 200 of 200 linear ones. `DeepFool` of adversarial-robustness-toolbox
    1.20.1 with epsilon 0 differs by 1e-7 in the median, `L2DeepFoolAttack` of foolbox 3.3.4, which adds 1e-4 to every
    step, by 2e-4.
    """
    found = deepfool(draws(seed + 3000, 5, 6), net(seed), overshoot=0.0)
    assert found.lengths.tolist() == pytest.approx(THEIRS[seed], rel=1e-7)
