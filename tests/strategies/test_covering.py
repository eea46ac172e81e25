"""ProbCover, MaxHerding, UHerding and facility location."""

from __future__ import annotations

import logging

import pytest
import torch
from cluster_pools import draws, probs
from strategy_views import rng, view_of
from torch import Tensor

from askwell.core.needs import EMBEDDING, FEATURES, PROBS
from askwell.core.strategy import Strategy
from askwell.core.view import Batch
from askwell.errors import InputError
from askwell.functional.cover import k_center
from askwell.functional.kernels import unit
from askwell.strategies import FacilityLocation, Maxherding, Probcover, Uherding


def circle(angles: list[float]) -> Tensor:
    angle = torch.tensor(angles, dtype=torch.float64)
    return torch.stack([angle.cos(), angle.sin()], 1)


NONE = circle([])


def choose(
    strategy: Strategy, z: Tensor, known: Tensor, n: int, p: Tensor | None = None, seed: int = 0, **state: object
) -> Batch:
    need = EMBEDDING if isinstance(strategy, FacilityLocation) else FEATURES
    tensors = {need: z, need.at("labelled"): known}
    if isinstance(strategy, Uherding):
        tensors[PROBS] = torch.full((len(z), 2), 0.5) if p is None else p
    view = view_of(strategy, tensors, torch.arange(len(z)), len(known))
    view.num_classes, view.state = 4, state
    return strategy.select(view, n, rng(seed))


def herded(z: Tensor, known: Tensor, n: int, width: float, weights: Tensor | None = None) -> list[int]:
    """Every gain from its definition, for each pick anew."""
    z, known = (rows / rows.norm(dim=1, keepdim=True) for rows in (z, known))
    alike = torch.exp(-torch.cdist(z, z).square() / width**2)
    best = torch.exp(-torch.cdist(z, known).square() / width**2)
    covered = best.amax(1) if len(known) else torch.zeros(len(z)).double()
    picks: list[int] = []
    for _ in range(n):
        gains = ((alike - covered).clamp(min=0) * (1 if weights is None else weights)).sum(1)
        picks.append(int(gains.index_fill(0, torch.tensor(picks, dtype=torch.int64), -1).argmax()))
        covered = torch.maximum(covered, alike[picks[-1]])
    return picks


class TestProbcover:
    def test_what_is_covered_by_labels_counts_no_more(self) -> None:
        z = circle([0.0, 0.1, 0.2, 1.0, 1.1, 3.0])
        batch = choose(Probcover(delta=0.15), z, circle([0.1]), 2)
        assert batch.ids.tolist()[0] in (3, 4)
        assert batch.ids.tolist()[1] == 5
        assert batch.scores.tolist() == pytest.approx([2 / 7, 1 / 7])

    @pytest.mark.parametrize(("labelled", "covering", "first"), [(0, 2, {1, 4}), (3, 0, {0, 2, 3, 5})])
    def test_once_all_is_covered_it_is_farthest_first(
        self, labelled: int, covering: int, first: set[int], caplog: pytest.LogCaptureFixture
    ) -> None:
        z, known = circle([0.0, 0.1, 0.2, 1.0, 1.1, 1.2]), circle([0.1, 1.1, 2.0][:labelled])
        with caplog.at_level(logging.INFO, "askwell"):
            batch = choose(Probcover(delta=0.15), z, known, 4)
        assert caplog.messages == [
            f"probcover: {covering} of 4 items cover all others; {4 - covering} more are farthest-first"
        ]
        assert set(batch.ids.tolist()[: len(first)]) == first
        assert (batch.scores[covering:] == 0).all()

    def test_farthest_first_goes_on_from_labels_and_picks(self) -> None:
        z, known = draws(0, 30, 2), draws(1, 4, 2)
        space, labelled = unit(z), unit(known)
        wide = choose(Probcover(delta=2.0), z, known, 6).ids
        assert torch.equal(wide, k_center(space, 6, torch.rand(30), labelled).rows)

    def test_farthest_first_leaves_what_picks_cover(self) -> None:
        z, known = draws(0, 40, 3), draws(1, 2, 3)
        batch = choose(Probcover(delta=0.7), z, known, 25)
        covering = int((batch.scores > 0).sum())
        assert 5 < covering < 20
        space, labelled = unit(z).rows, unit(known).rows
        for place in range(covering, 25):
            nearest = torch.cdist(space, torch.cat([labelled, space[batch.ids[:place]]])).amin(1)
            assert float(nearest[batch.ids[place]]) == pytest.approx(float(nearest.max()), abs=1e-6)

    def test_there_are_as_many_clusters_as_classes(self) -> None:
        """Four classes and four groups, two and two close together: balls end before the near group, .5 away."""
        angles = (torch.tensor([0.0, 0.5, 3.0, 3.5]).repeat(10) + 0.001 * (torch.arange(40) // 4)).tolist()
        batch = choose(Probcover(purity=1.0), circle(angles), NONE, 4)
        assert batch.state["delta"] == pytest.approx(0.49, abs=0.02)

    def test_the_radius_is_that_of_all_items(self) -> None:
        """Labelled ones are half as far from a group as the groups are from each other."""
        z, known = circle([0.0, 1.0, 3.0] * 9), circle([1.5] * 9)
        radii = [choose(Probcover(purity=1.0), z, known[:m], 1).state["delta"] for m in (0, 9)]
        assert radii == pytest.approx([float(torch.dist(*circle([0.0, gap]))) for gap in (1.0, 0.5)], abs=1e-5)

    def test_the_radius_comes_from_clusters_by_the_generator(self) -> None:
        z = draws(0, 60, 4)
        assert len({choose(Probcover(), z, z[:0], 1, seed=seed).state["delta"] for seed in range(5)}) > 1

    def test_copies_are_pure_at_any_radius(self) -> None:
        assert choose(Probcover(), circle([0.3] * 9), NONE, 3).state == {"delta": 2.0}

    def test_the_radius_is_kept(self) -> None:
        z = draws(0, 60, 4)
        first = choose(Probcover(), z, z[:0], 3)
        assert set(first.state) == {"delta"}
        assert 0 < first.state["delta"] <= 2
        again = choose(Probcover(), z, z[:0], 3, delta=first.state["delta"])
        assert again.state is None
        assert choose(Probcover(delta=0.3), z, z[:0], 3).state is None
        assert not torch.equal(choose(Probcover(), z, z[:0], 3, delta=1.9).ids, first.ids)

    def test_the_radius_keeps_clusters_apart(self) -> None:
        """Four tight groups: balls reach almost to the next group, so that four picks cover all."""
        angles = (torch.arange(40) % 4 * 1.5 + 0.01 * (torch.arange(40) // 4)).tolist()
        batch = choose(Probcover(purity=1.0), circle(angles), NONE, 4)
        assert set((batch.ids % 4).tolist()) == {0, 1, 2, 3}
        assert batch.scores.tolist() == pytest.approx([0.25] * 4)

    def test_refuses(self) -> None:
        with pytest.raises(InputError, match=r"^delta of 'probcover' is 0: it must be above 0$"):
            Probcover(delta=0)
        with pytest.raises(InputError, match=r"^purity of 'probcover' is 1.5: it must be above 0 and at most 1$"):
            Probcover(purity=1.5)
        view = view_of(Probcover(), {FEATURES: draws(0, 9, 2), FEATURES.at("labelled"): draws(0, 0, 2)})
        text = r"^probcover cannot find a radius where the number of classes is not known: give `delta`$"
        with pytest.raises(InputError, match=text):
            Probcover().select(view, 1, rng())

    @pytest.mark.parametrize(
        ("seed", "labelled", "theirs"),
        [
            (0, 0, [3, 15, 5, 36, 1, 9, 33, 0]),
            (0, 5, [3, 15, 36, 1, 0, 4, 22, 2]),
            (1, 5, [4, 7, 24, 2, 3, 5, 18, 9]),
            (2, 0, [3, 4, 16, 32, 7, 8, 1, 6]),
            (2, 5, [4, 16, 32, 3, 7, 1, 6, 8]),
        ],
    )
    def test_it_agrees_with_the_official_code(
        self, seed: int, labelled: int, theirs: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """avihu111/TypiClust@4097a71, one block, radius .45, ties to the lowest row: 300 of 300 pools of 40 rows."""
        monkeypatch.setattr("askwell.strategies.probcover.uniform", lambda n, rng: torch.arange(n))
        batch = choose(Probcover(delta=0.45), draws(seed, 40, 3), draws(seed + 1000, labelled, 3), 8)
        assert batch.ids.tolist() == theirs


class TestHerding:
    @pytest.mark.parametrize("labelled", [0, 1, 6])
    @pytest.mark.parametrize("seed", range(3))
    def test_picks_are_those_of_the_definition(self, seed: int, labelled: int) -> None:
        z, known, p = draws(seed + 300, 50, 3), draws(seed + 400, labelled, 3), probs(seed + 500, 50, 3)
        weights = 1 - (p.topk(2, 1).values @ torch.tensor([1.0, -1.0]).double()) if labelled else None
        assert choose(Maxherding(0.5), z, known, 6).ids.tolist() == herded(z, known, 6, 0.5)
        assert choose(Uherding(0.5), z, known, 6, p).ids.tolist() == herded(z, known, 6, 0.5, weights)

    def test_a_top_hat_kernel_makes_probcover(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from askwell.functional.kernels import Ball

        z, known = draws(0, 60, 3), draws(1, 5, 3)
        monkeypatch.setattr("askwell.strategies.maxherding.Gaussian", Ball)
        assert torch.equal(choose(Maxherding(0.4), z, known, 9).ids, choose(Probcover(delta=0.4), z, known, 9).ids)

    def test_a_vanishing_width_makes_all_items_equal(self) -> None:
        z = draws(0, 20, 3)
        found = [choose(Maxherding(1e-6), z, z[:0], 5, seed=seed) for seed in range(20)]
        assert all(torch.allclose(batch.scores, torch.full((5,), 1 / 20)) for batch in found)
        assert len({int(batch.ids[0]) for batch in found}) > 5

    def test_equal_doubt_is_maxherding(self) -> None:
        z, known = draws(0, 60, 3), draws(1, 5, 3)
        ours = choose(Uherding(0.6), z, known, 9, torch.full((60, 2), 0.5))
        plain = choose(Maxherding(0.6), z, known, 9)
        assert torch.equal(ours.ids, plain.ids)
        assert torch.allclose(ours.scores, plain.scores)

    def test_without_labels_doubt_does_not_count(self) -> None:
        z = draws(0, 60, 3)
        assert torch.equal(choose(Uherding(), z, z[:0], 9, probs(1, 60, 3)).ids, choose(Maxherding(), z, z[:0], 9).ids)

    def test_the_width_is_the_least_distance_between_labels(self) -> None:
        z, known, p = draws(0, 60, 3), circle([0.0, 0.3, 2.0]), probs(1, 60, 3)
        known = torch.cat([known, torch.zeros(3, 1).double()], 1)
        width = float(torch.pdist(known).min())
        assert torch.equal(choose(Uherding(), z, known, 9, p).ids, choose(Uherding(width), z, known, 9, p).ids)
        for few in (known[:1], known[:1].expand(4, 3)):
            assert torch.equal(choose(Uherding(), z, few, 9, p).ids, choose(Uherding(1.0), z, few, 9, p).ids)

    def test_temperature_divides_the_logits(self) -> None:
        z, known, logits = draws(0, 60, 3), draws(1, 5, 3), 4 * draws(2, 60, 3)
        hot = choose(Uherding(temperature=3.0), z, known, 9, logits.softmax(1))
        assert torch.equal(hot.ids, choose(Uherding(), z, known, 9, (logits / 3).softmax(1)).ids)
        assert not torch.equal(hot.ids, choose(Uherding(), z, known, 9, logits.softmax(1)).ids)

    def test_scores_are_means_over_all_items(self) -> None:
        z, known = draws(0, 40, 3), draws(1, 10, 3)
        scores = [float(choose(Maxherding(), z, known[:m], 1).scores) for m in (0, 10)]
        whole = choose(Maxherding(), z, known[:0], 40).scores.sum()
        assert float(whole) == pytest.approx(1.0)
        assert scores[0] > scores[1]

    def test_what_is_covered_comes_last_and_at_random(self, caplog: pytest.LogCaptureFixture) -> None:
        z = circle([0.0] * 5 + [1.0])
        with caplog.at_level(logging.INFO, "askwell"):
            found = [choose(Maxherding(), z, circle([0.0]), 3, seed=seed).ids.tolist() for seed in range(60)]
        assert {rows[0] for rows in found} == {5}
        assert {rows[1] for rows in found} == {0, 1, 2, 3, 4}
        assert caplog.messages[0] == "maxherding: 2 of 3 items lie on others that are covered and are drawn at random"

    def test_sure_items_bring_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "askwell"):
            choose(Uherding(), draws(0, 9, 3), draws(1, 2, 3), 3, torch.eye(2)[[0] * 9])
        assert caplog.messages == ["uherding: 3 of 3 items bring no unsure one closer and are drawn at random"]

    def test_refuses(self) -> None:
        with pytest.raises(InputError, match=r"^width of 'maxherding' is 0: it must be above 0$"):
            Maxherding(0)
        with pytest.raises(InputError, match=r"^temperature of 'uherding' is -1.0: it must be above 0$"):
            Uherding(temperature=-1.0)

    @pytest.mark.parametrize(
        ("strategy", "seed", "labelled", "theirs"),
        [
            (Maxherding(), 0, 0, [23, 5, 16, 37, 36, 0, 1, 21]), (Maxherding(), 2, 0, [37, 36, 26, 9, 1, 6, 4, 35]),
            (Maxherding(), 3, 5, [5, 27, 28, 0, 36, 29, 39, 14]), (Maxherding(), 2, 5, [32, 28, 13, 4, 3, 30, 38, 16]),
            (Uherding(), 3, 0, [16, 8, 37, 10, 4, 27, 13, 7]), (Uherding(), 0, 5, [35, 27, 36, 0, 1, 20, 33, 2]),
            (Uherding(), 1, 5, [29, 5, 18, 35, 23, 1, 33, 19]), (Uherding(), 2, 5, [32, 4, 36, 21, 27, 8, 25, 1]),
            (Uherding(), 3, 5, [9, 37, 0, 38, 39, 25, 17, 21]),
        ],
    )  # fmt: skip
    def test_it_agrees_with_the_official_code(
        self, strategy: Strategy, seed: int, labelled: int, theirs: list[int]
    ) -> None:
        """BorealisAI/uherding@75299cd on pools of 40 rows: 237 of 237 and 369 of 369 where no two gains are equal.

        Two rows that cover only each other gain the same, and rounding decides there: in 163 and 31 more pools.
        """
        z, known = draws(seed, 40, 3), draws(seed + 1000, labelled, 3)
        assert choose(strategy, z, known, 8, probs(seed + 2000, 40, 4)).ids.tolist() == theirs


class TestFacilityLocation:
    @pytest.mark.parametrize("labelled", [0, 4])
    def test_picks_are_those_of_the_definition(self, labelled: int) -> None:
        z, known = draws(0, 50, 3), draws(1, labelled, 3)
        a, b = (rows / rows.norm(dim=1, keepdim=True) for rows in (z, known))
        alike = (1 + a @ a.t()) / 2
        covered = ((1 + a @ b.t()) / 2).amax(1) if labelled else torch.zeros(50).double()
        batch = choose(FacilityLocation(), z, known, 8)
        for row, score in zip(batch.ids.tolist(), batch.scores.tolist(), strict=True):
            gains = (alike - covered).clamp(min=0).mean(1)
            assert score == pytest.approx(float(gains[row]), abs=1e-6)
            assert float(gains[row]) == pytest.approx(float(gains.max()), abs=1e-9)
            covered = torch.maximum(covered, alike[row])

    def test_the_length_of_an_embedding_does_not_count(self) -> None:
        z, longer = draws(0, 50, 3), 1 + 9 * torch.rand(50, 1, generator=rng()).double()
        assert torch.equal(
            choose(FacilityLocation(), z, z[:0], 8).ids, choose(FacilityLocation(), z * longer, z[:0], 8).ids
        )

    def test_what_adds_nothing_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "askwell"):
            choose(FacilityLocation(), circle([0.0, 0.0, 1.0]), NONE, 3)
        assert caplog.messages == ["facility_location: 1 of 3 items add nothing and are drawn at random"]
