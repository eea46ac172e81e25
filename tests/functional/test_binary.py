"""Scores of labels that are each there or not, by hand and by the scores of two classes."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.testing import assert_close

from askwell.errors import BadShape, UnknownName
from askwell.functional import bald, binary_bald, binary_entropy, entropy

P = torch.tensor([[0.5, 1.0, 0.25], [0.1, 0.9, 0.5], [0.0, 1.0, 0.0]])


def h(p: float) -> float:
    return -p * log(p) - (1 - p) * log(1 - p) if 0 < p < 1 else 0.0


def test_worked_numbers() -> None:
    """h(.5) = .6931, h(.25) = .5623, h(.1) = .3251 nats."""
    assert (h(0.5), h(0.25), h(0.1)) == pytest.approx((0.693147, 0.562335, 0.325083), abs=1e-6)
    assert binary_entropy(P).tolist() == pytest.approx([(0.693147 + 0.562335) / 3, (2 * 0.325083 + 0.693147) / 3, 0])
    assert binary_entropy(P, "max").tolist() == pytest.approx([0.693147, 0.693147, 0], abs=1e-6)


def test_one_label_is_a_distribution_over_two_classes() -> None:
    p = torch.rand(50, 1, generator=torch.Generator().manual_seed(0))
    for reduce in ("mean", "max"):
        assert_close(binary_entropy(p, reduce), entropy(torch.cat([p, 1 - p], 1)))


def test_mutual_information_is_the_mean_over_labels_of_bald() -> None:
    mc = torch.rand(40, 7, 3, generator=torch.Generator().manual_seed(1))
    each = [bald(torch.stack([mc[..., label], 1 - mc[..., label]], 2)) for label in range(3)]
    assert_close(binary_bald(mc), torch.stack(each).mean(0), atol=1e-6, rtol=1e-5)
    worked = torch.tensor([[[0.9, 0.5], [0.1, 0.5]]])
    assert binary_bald(worked).tolist() == pytest.approx([(h(0.5) - h(0.1)) / 2])


def test_draws_that_agree_carry_no_information() -> None:
    mc = torch.rand(20, 1, 4, generator=torch.Generator().manual_seed(2)).expand(-1, 5, -1)
    assert binary_bald(mc).abs().max() < 1e-6
    assert binary_bald(torch.tensor([[[0.0], [1.0]]])).tolist() == pytest.approx([log(2)])


def test_half_precision_and_refusals() -> None:
    assert binary_entropy(P.half()).dtype == torch.float16
    assert_close(binary_entropy(P.half()).float(), binary_entropy(P), atol=1e-3, rtol=0)
    with pytest.raises(BadShape, match=r"^expected a floating-point tensor \(N, C\), got shape \(3,\)"):
        binary_entropy(P[0])
    with pytest.raises(UnknownName, match=r"^unknown way to reduce 'maximum': did you mean 'max'\?"):
        binary_entropy(P, "maximum")  # type: ignore[arg-type]  # the wrong name is the point
