"""Compositions: every row-wise score × selectors × prefilters, what they are equal to, and what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

import askwell as aw
from askwell import strategies
from askwell.core.needs import EMBEDDING, MC_PROBS, PROBS, Need
from askwell.core.recipe import Recipe
from askwell.core.registry import find
from askwell.core.spec import build, config, parse
from askwell.core.stage import Selector, Stage, compose, stages
from askwell.core.strategy import Strategy
from askwell.core.view import Batch, View
from askwell.errors import AskwellError, ColdStart, InputError, UnknownName
from askwell.strategies import (
    BADGE,
    BALD,
    CAL,
    Activelab,
    BatchBALD,
    ClassBalance,
    ClusterRoundRobin,
    Coreset,
    DiverseMinibatch,
    Entropy,
    KCenter,
    Kmeans,
    LeastConfidence,
    Margin,
    MarginalRelevance,
    NoDuplicates,
    OnePerCluster,
    Power,
    Random,
    Softmax,
    Softrank,
    Stochastic,
    Subsample,
    Top,
    TopShare,
    WeightedKmeans,
)
from askwell.testing import Scenes, view_of

SCENE = Scenes()("gaps")


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def picked(strategy: Strategy, n: int = 5, seed: int = 0) -> Batch:
    return strategy.select(SCENE.view(strategy.needs, generous=False), n, rng(seed))


EQUAL = [
    ("subsample(size=1000) | margin | power", Subsample(size=1000) | Margin() | Power(beta=1.0)),
    ("subsample(strategy=margin, size=9)", Subsample(Margin(), 9)),
    ("subsample(strategy=margin, size=9)", Subsample(size=9) | Margin()),
    ("stochastic(strategy=bald, kind=softmax, beta=2)", BALD() | Stochastic(kind="softmax", beta=2)),
    ("class_balance(strategy=margin, shares=(1, 2))", Margin() | ClassBalance(shares=(1, 2))),
    (
        "top_share(beta=3, by=margin) | no_duplicates | coreset",
        TopShare(beta=3, by=Margin()) | NoDuplicates() | Coreset(),
    ),
    (
        "subsample(strategy=top_share(strategy=entropy | k_center, beta=2), size=8)",
        Subsample(size=8) | TopShare(beta=2) | Entropy() | KCenter(),
    ),
]


@pytest.mark.parametrize(("text", "made"), EQUAL, ids=[text for text, _ in EQUAL])
def test_text_and_python_and_json_say_the_same(text: str, made: Strategy) -> None:
    parsed = parse("strategies", text)
    assert parsed == made
    assert parse("strategies", repr(parsed)) == parsed
    assert eval(repr(parsed), vars(strategies)) == parsed
    assert build("strategies", json.loads(json.dumps(config(parsed)))) == parsed


def test_the_json_of_a_wrapper_is_what_it_was() -> None:
    assert config(Subsample(size=9) | Margin()) == {
        "part": "subsample", "room": "strategies", "size": 9, "strategy": {"part": "margin", "room": "strategies"},
    }  # fmt: skip


def test_a_composition_reads_as_it_is_written() -> None:
    made = Subsample(size=1000) | TopShare(beta=2) | Entropy() | Softrank(beta=3)
    assert repr(made) == "Subsample(size=1000) | TopShare(beta=2, by=None) | Entropy() | Softrank(beta=3)"
    assert made.name == "subsample-top_share-entropy-softrank"
    assert compose(*stages(made)) == made
    assert (Subsample(size=1000) | (TopShare(beta=2) | (Entropy() | Softrank(beta=3)))) == made


ALLOWED = (
    "; a composition is prefilters, one strategy and, where that is a score, one selector: "
    "subsample(size=1000) | margin | power"
)
UNFIT = [
    ("margin | entropy", "Margin() | Entropy(): stage 2, Entropy(), is a second strategy after Margin()"),
    (
        "margin | badge",
        "Margin() | BADGE(first='max'): stage 2, BADGE(first='max'), is a second strategy after Margin()",
    ),
    (
        "subsample(size=5) | power",
        "Subsample(size=5) | Power(beta=1.0): stage 2, Power(beta=1.0), is a selector, and no score comes before it",
    ),
    ("top | margin", "Top() | Margin(): stage 1, Top(), is a selector, and no score comes before it"),
    (
        "badge | top",
        "BADGE(first='max') | Top(): stage 2, Top(), is a selector, and BADGE(first='max') chooses a set and gives no "
        "scores",
    ),
    ("margin | top | top", "Margin() | Top() | Top(): stage 3, Top(), is a second selector after Top()"),
    (
        "margin | subsample(size=5)",
        "Margin() | Subsample(size=5): stage 2, Subsample(size=5), is a prefilter, and comes after Margin()",
    ),
]


@pytest.mark.parametrize(("text", "said"), UNFIT, ids=[text for text, _ in UNFIT])
def test_what_does_not_fit_is_refused_by_its_place(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse("strategies", text)
    assert str(caught.value) == said + ALLOWED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margin | powr", "unknown strategy 'powr': did you mean 'power'? Known: "),
        ("subsampel(size=3) | margin", "unknown strategy 'subsampel': did you mean 'subsample'? Known: "),
        ("margin | mlp", "unknown strategy 'mlp': "),
    ],
)
def test_an_unknown_stage_offers_the_nearest(text: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse("strategies", text)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subsample", "subsample chooses nothing by itself: write subsample | margin"),
        ("power(beta=2)", "power chooses nothing by itself: write margin | power"),
        ("subsample | no_duplicates", "no_duplicates chooses nothing by itself: write no_duplicates | margin"),
        ("top_share", "top_share chooses nothing by itself: write top_share | margin | weighted_kmeans"),
    ],
)
def test_a_part_alone_chooses_nothing(text: str, said: str) -> None:
    for refused in (
        lambda: aw.select(text, probs=torch.ones(3, 2) / 2, n=1),
        lambda: aw.run("digits", strategy=text, quiet=True),
        lambda: parse("strategies", text).needs,
    ):
        with pytest.raises(InputError) as caught:
            refused()
        assert str(caught.value) == said


def test_other_things_are_no_stages() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \|: 'Margin' and 'int'"):
        _ = Margin() | 3  # type: ignore[operator] # the wrong type is the point
    with pytest.raises(InputError, match=r"^cannot read ' ': write name or name\(key=value, …\)$"):
        parse("strategies", "margin | ")


def test_a_share_needs_a_score() -> None:
    said = (
        "top_share keeps by a score, and BADGE(first='max') chooses a set and gives no scores: "
        "name a score, such as top_share(by=margin)"
    )
    for refused in (lambda: TopShare() | BADGE(), lambda: TopShare() | Subsample(size=9) | BADGE()):
        with pytest.raises(InputError) as caught:
            refused()
        assert str(caught.value) == said
    assert (TopShare(by=Margin()) | BADGE()).needs == (PROBS, EMBEDDING)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (lambda: Subsample(size=0), "size of a subsample is 0: it must be at least 1"),
        (lambda: TopShare(beta=0.5), "beta is 0.5: it must be at least 1"),
        (lambda: KCenter(beta=0.5), "beta is 0.5: it must be at least 1"),
        (lambda: OnePerCluster(per=0), "per is 0: it must be at least 1"),
        (lambda: NoDuplicates(similarity=0), "similarity is 0: it must be above 0 and at most 1"),
        (lambda: Softmax(beta=0), "beta is 0: it must be above 0"),
        (lambda: MarginalRelevance(alpha=-1), "alpha is -1: it must be at least 0"),
        (lambda: ClusterRoundRobin(clusters=0), "clusters is 0: it must be at least 1"),
        (lambda: Power(BADGE()), "power needs a strategy that scores every candidate, got BADGE(first='max')"),
    ],
)
def test_settings_out_of_range(part: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        part()  # type: ignore[operator] # a lambda
    assert str(caught.value) == said


# ---------------------------------------------------------------------- what they are equal to

TENSORS = st.integers(6, 40), st.integers(1, 6), st.integers(0, 10**6)


def made_of(size: int, seed: int) -> View:
    """Random tensors with ties at ids with gaps, and five labelled items."""
    generator = rng(seed)
    p = (torch.randn(size, 3, generator=generator).round() * 2).softmax(1)
    z, known = torch.randn(size, 2, generator=generator), torch.randn(5, 2, generator=generator)
    ids, labelled = 3 + 7 * torch.arange(size), torch.tensor([0, 1, 2, 4, 5])
    return view_of(ids, labelled, probs=p, embedding=z, labelled_embedding=known, labels=torch.arange(5) % 3)


@settings(deadline=None, max_examples=40)
@given(*TENSORS)
def test_a_prefilter_that_keeps_everything_changes_nothing(size: int, n: int, seed: int) -> None:
    view = made_of(size, seed)
    for plain in (Margin(), Coreset(), Margin() | Power(), Entropy() | ClassBalance(), BADGE()):
        wanted = plain.select(view, n, rng(seed))
        for prefilter in (Subsample(size=size), Subsample(size=size + 3)):
            again = (prefilter | plain).select(view, n, rng(seed))
            assert torch.equal(again.ids, wanted.ids)
            assert torch.equal(again.scores, wanted.scores)


@settings(deadline=None, max_examples=40)
@given(*TENSORS)
def test_top_is_the_score_by_itself(size: int, n: int, seed: int) -> None:
    view = made_of(size, seed)
    for plain in (Margin(), LeastConfidence()):
        assert torch.equal((plain | Top()).select(view, n, rng(seed)).ids, plain.select(view, n, rng(seed)).ids)


@settings(deadline=None, max_examples=40)
@given(*TENSORS)
def test_the_kinds_of_stochastic_are_its_parts(size: int, n: int, seed: int) -> None:
    view = made_of(size, seed)
    for kind, selector in (("power", Power(beta=2)), ("softmax", Softmax(beta=2)), ("softrank", Softrank(beta=2))):
        wrapped = Stochastic(Margin(), kind, 2).select(view, n, rng(seed))  # type: ignore[arg-type] # a literal
        assert torch.equal((Margin() | selector).select(view, n, rng(seed)).ids, wrapped.ids)


@settings(deadline=None, max_examples=40)
@given(*TENSORS)
def test_what_is_kept_and_picked_are_ids_of_the_view(size: int, n: int, seed: int) -> None:
    view = made_of(size, seed)
    for prefilter in (Subsample(size=5), TopShare(beta=1.5), NoDuplicates(similarity=0.9), OnePerCluster(per=2)):
        made = prefilter | Margin() | KCenter(beta=3)
        batch = made.select(view, min(n, size), rng(seed))
        assert set(batch.ids.tolist()) <= set(view.ids.tolist())
        rows = torch.searchsorted(view.ids, batch.ids)
        assert torch.equal(batch.scores, Margin().scores(view)[rows])
        assert torch.equal(made.select(view, min(n, size), rng(seed)).ids, batch.ids)


def test_the_whole_share_and_one_cluster_each_are_diverse_minibatch_without_its_order() -> None:
    """The same middles, where clusters are far apart: the paper's strategy is this composition."""
    z = torch.tensor([[0.0], [0.1], [10.0], [10.1], [20.0], [20.1], [50.0]])
    p = torch.tensor([0.5, 0.52, 0.52, 0.5, 0.5, 0.52, 0.99])
    view = view_of(probs=torch.stack([p, 1 - p], 1), embedding=z)
    wanted = DiverseMinibatch(beta=2).select(view, 3, rng()).ids
    made = (TopShare(beta=2) | Margin() | WeightedKmeans()).select(view, 3, rng()).ids
    assert sorted(made.tolist()) == sorted(wanted.tolist()) == [0, 3, 4]


def test_all_clusters_of_one_are_the_best() -> None:
    view = made_of(30, 4)
    made = Margin() | ClusterRoundRobin(clusters=30)
    scores = made.select(view, 6, rng()).scores
    assert torch.equal(scores, Margin().select(view, 6, rng()).scores)


def test_k_center_of_all_without_labels_is_the_farthest_first_walk_from_the_best() -> None:
    p = torch.tensor([0.9, 0.5, 0.7, 0.8])
    z = torch.tensor([[0.0], [1.0], [3.0], [9.0]])
    view = view_of(probs=torch.stack([p, 1 - p], 1), embedding=z, labelled_embedding=z[:0])
    assert (Margin() | KCenter(beta=4)).select(view, 4, rng()).ids.tolist() == [1, 3, 2, 0]
    assert (Margin() | KCenter(beta=1)).select(view, 2, rng()).ids.tolist() == [1, 2]


def test_relevance_takes_the_best_or_the_most_unlike() -> None:
    view = made_of(20, 2)
    best = Margin().select(view, 5, rng(1)).scores
    assert torch.equal((Margin() | MarginalRelevance(alpha=0)).select(view, 5, rng(1)).scores, best)
    z = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [-1.0, 0.0]])
    unlike = view_of(probs=torch.full((4, 2), 0.5), embedding=z)
    for seed in range(5):
        first, second = (Margin() | MarginalRelevance()).select(unlike, 2, rng(seed)).ids.tolist()
        cosines = torch.nn.functional.cosine_similarity(z, z[first], dim=1)
        assert cosines[second] == cosines.min()


# ---------------------------------------------------------------------- what is computed, and for whom


@dataclass
class Asked:
    """Which needs were computed for how many candidates."""

    view: View
    calls: list[tuple[str, int]]


def watched(needs: tuple[Need, ...], size: int = 50) -> Asked:
    calls: list[tuple[str, int]] = []
    values = {
        PROBS: torch.rand(size, 3, generator=rng()).softmax(1),
        EMBEDDING: torch.randn(size, 2, generator=rng()),
        MC_PROBS(draws=4): torch.rand(size, 4, 3, generator=rng()).softmax(2),
    }

    def fetch(wanted: tuple[Need, ...], sets: Mapping[str, Tensor]) -> dict[Need, Tensor]:
        calls.extend((need.name, len(sets["candidates"])) for need in wanted)
        return {need: values[need][sets["candidates"]] for need in wanted}

    return Asked(View(torch.arange(size), needs, fetch), calls)


def test_draws_are_made_for_the_share_alone() -> None:
    made = TopShare(beta=2, by=Margin()) | BatchBALD(draws=4, samples=50)
    asked = watched(made.needs)
    made.select(asked.view, 5, rng())
    assert asked.calls == [("probs", 50), ("mc_probs", 10)]


@pytest.mark.parametrize("chunk", [10, 100])
def test_a_selector_and_its_score_share_one_pass(chunk: int) -> None:
    score = Margin()
    object.__setattr__(score, "chunk", chunk)
    made = score | WeightedKmeans()
    asked = watched(made.needs)
    made.select(asked.view, 5, rng())
    assert asked.calls == [("embedding", 50), ("probs", 50)]


def test_prefilters_narrow_one_after_the_other() -> None:
    made = Subsample(size=20) | TopShare(beta=2) | Margin() | WeightedKmeans()
    asked = watched(made.needs)
    made.select(asked.view, 5, rng())
    assert asked.calls == [("probs", 20), ("embedding", 10), ("probs", 10)]


def test_too_few_kept_are_filled_at_random() -> None:
    z = torch.ones(30, 2)
    view = view_of(probs=torch.rand(30, 2, generator=rng()).softmax(1), embedding=z)
    counts = torch.zeros(30)
    for seed in range(300):
        counts[(NoDuplicates() | Margin()).select(view, 6, rng(seed)).ids] += 1
    assert counts.sum() == 1800
    assert counts.min() > 30


def test_what_the_inner_strategy_declares_holds_for_the_whole() -> None:
    assert (Subsample(size=9) | Activelab()).asks == "any"
    assert not (TopShare(beta=2, by=CAL()) | Kmeans()).cold_start
    made = Subsample(size=9) | CAL() | Power()
    assert not made.cold_start
    with pytest.raises(ColdStart, match=r"^strategy 'subsample-cal-power' needs labelled items and there are none"):
        made.select(Scenes()("no_labels").view(made.needs), 2, rng())


# ---------------------------------------------------------------------- where compositions are used


@dataclass(frozen=True)
class Mine(Selector):
    """Somebody's own selector."""

    places: int = 1

    def pick(self, scores: Tensor, view: View, n: int, rng: Generator) -> Batch:
        return view.pick(scores.argsort(descending=True).roll(self.places)[:n])


def test_a_selector_of_ones_own() -> None:
    made = parse("strategies", f"subsample(size=9) | margin | {__name__}:Mine(places=2)")
    assert made == Subsample(size=9) | Margin() | Mine(places=2)
    assert repr(Margin() | Mine()) == "Margin() | Mine(places=1)"
    assert build("strategies", config(made)) == made
    assert len(picked(made).ids) == 5


def test_select_takes_compositions() -> None:
    p = torch.rand(200, 3, generator=rng()).softmax(1).numpy()
    z = torch.randn(200, 4, generator=rng()).numpy()
    text = "subsample(size=100) | top_share(beta=4) | margin | k_center"
    ids = aw.select(text, probs=p, embedding=z, n=10)
    assert len(set(ids.tolist())) == 10
    assert ids.tolist() == aw.select(parse("strategies", text), probs=p, embedding=z, n=10).tolist()
    with pytest.raises(AskwellError) as caught:
        aw.select(text, probs=p, n=10)
    said = "strategy 'subsample-top_share-margin-k_center' needs embedding: give embedding="
    assert str(caught.value) == said


def test_a_recipe_of_a_composition() -> None:
    plain = find("recipes", "random")()
    first, second = (
        Recipe.of({**plain.config(), "strategy": config(parse("strategies", text))})
        for text in ("margin | power(beta=2)", "margin | power(beta=3)")
    )
    assert Recipe.of(json.loads(json.dumps(first.config()))) == first
    assert first.hash != second.hash
    assert first.strategy == Margin() | Power(beta=2)


def test_a_run_of_a_composition(tmp_path) -> None:
    result = aw.run(
        "digits", strategy="subsample(size=200) | margin | power", initial=12, batch=5, rounds=1, out=tmp_path,
        quiet=True, learner="linear",
    )  # fmt: skip
    assert list(result.arms) == ["subsample-margin-power", "random"]
    assert result.folder.name.startswith("digits-subsample-margin-power-")


def test_random_is_a_strategy_for_prefilters_alone() -> None:
    assert len(picked(NoDuplicates() | Random()).ids) == 5
    with pytest.raises(InputError, match="chooses a set and gives no scores"):
        _ = Random() | Top()


def test_stages_of_what_is_no_composition() -> None:
    assert stages(BADGE()) == (BADGE(),)
    assert isinstance(Subsample(), Stage)
