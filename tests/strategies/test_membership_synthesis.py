"""Membership query synthesis: items of the learner's own making, asked themselves or by the real ones next to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from strategy_views import rng
from torch import Tensor

from askwell.core.needs import DECODER, LATENT, NETWORK
from askwell.core.pool import Form
from askwell.core.view import Batch, View
from askwell.data import load
from askwell.engine.asking import ask_sheet
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.engine.run import run
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.oracles import Model, Nearest
from askwell.strategies import MembershipSynthesis

W = torch.tensor([3.0, 4.0])
MADE = MembershipSynthesis(snap=False)
QUICK = {"initial": 9, "batch": 4, "model": "mlp(width=8)", "scheme": "supervised(steps=20)"}


class Line:
    """A network with the gap |w·x − 5| between its two logits."""

    def __init__(self, rows: Tensor, form: Form | None = None) -> None:
        self.rows, self.form = rows, form or Form("vector", tuple(rows.shape[1:]))

    def items(self, ids: Tensor) -> Tensor:
        return self.rows[ids]

    def __call__(self, items: Tensor) -> Tensor:
        return torch.stack([items.flatten(1)[:, :2] @ W - 5, torch.zeros(len(items))], 1)


def cloud(n: int = 40) -> Tensor:
    return 2 * torch.randn(n, 2, generator=rng(1))


def choose(strategy: MembershipSynthesis, network: Line, n: int, free: int = 30, **given: Any) -> Batch:
    ids = torch.arange(len(network.rows))
    values = {NETWORK: network, **given.get("values", {})}
    view = View(ids[:free], strategy.needs, lambda *_: values, sets={"labelled": ids[free:]})
    return strategy.select(view, n, rng(given.get("seed", 0)))


def payloads(batch: Batch) -> Tensor:
    return torch.from_numpy(np.stack([made.payload for made in batch.made]))


def test_made_items_lie_between_the_classes_and_in_the_range_of_the_candidates() -> None:
    network = Line(cloud())
    batch = choose(MADE, network, 8)
    gaps = network(payloads(batch))[:, 0].abs()
    assert batch.asked == 8
    assert float(gaps.median()) < 0.5 < float(network(network.rows[:30])[:, 0].abs().median())
    pool = network.rows[:30]
    assert (payloads(batch) >= pool.amin(0)).all()
    assert (payloads(batch) <= pool.amax(0)).all()
    assert {(made.role, made.how) for made in batch.made} == {("ask", "synthesised in inputs")}


def test_each_made_item_names_the_candidate_next_to_it() -> None:
    network = Line(cloud())
    batch = choose(MADE, network, 8)
    wanted = torch.cdist(payloads(batch), network.rows[:30]).argmin(1)
    assert [made.parent for made in batch.made] == wanted.tolist()


def test_snapping_asks_for_distinct_candidates_next_to_the_boundary() -> None:
    network = Line(cloud())
    batch = choose(MembershipSynthesis(), network, 8)
    assert len(set(batch.ids.tolist())) == 8
    assert batch.made == ()
    gaps = network(network.rows[:30])[:, 0].abs()
    assert float(gaps[batch.ids].mean()) < float(gaps.mean())
    assert sorted(choose(MembershipSynthesis(), network, 30).ids.tolist()) == list(range(30))


def test_pictures_stay_pictures() -> None:
    network = Line(torch.rand(20, 1, 2, 3, generator=rng()), Form("image", (1, 2, 3)))
    made = payloads(choose(replace(MADE, lr=1.0), network, 5, free=15))
    assert made.shape == (5, 1, 2, 3)
    assert made.min() >= 0
    assert made.max() <= 1
    assert made.min() == 0 or made.max() == 1


def test_latents_are_drawn_moved_and_decoded() -> None:
    """The decoder doubles: made items are twice the latents, which stay in the range of the candidates'."""
    latents = torch.randn(40, 2, generator=rng(5))
    values = {LATENT: latents[:30], LATENT.at("labelled"): latents[30:], DECODER: lambda z: 2 * z}
    network = Line(2 * latents)
    batch = choose(replace(MADE, space="latent"), network, 8, values=values)
    made = payloads(batch)
    assert float(network(made)[:, 0].abs().median()) < 0.5
    assert (made / 2 >= latents[:30].amin(0) - 1e-6).all()
    assert (made / 2 <= latents[:30].amax(0) + 1e-6).all()
    assert [one.parent for one in batch.made] == torch.cdist(made / 2, latents[:30]).argmin(1).tolist()
    snapped = choose(MembershipSynthesis("latent"), network, 8, values=values).ids
    assert len(set(snapped.tolist())) == 8


def test_made_latents_keep_away_from_labelled_ones() -> None:
    """Where ten were made, ten labelled items are put: those made anew leave them."""
    latents = torch.randn(40, 2, generator=rng(5))
    values = {LATENT: latents[:30], LATENT.at("labelled"): latents[30:] + 100, DECODER: lambda z: z}
    strategy, network = replace(MADE, space="latent", push=0.5), Line(latents)
    made = payloads(choose(strategy, network, 10, values=values))
    again = payloads(choose(strategy, network, 10, values={**values, LATENT.at("labelled"): made}))
    assert torch.cdist(again, made).amin(1).mean() > 0.1


def test_decoded_pictures_stay_in_their_range() -> None:
    latents = torch.randn(40, 2, generator=rng(5))
    values = {
        LATENT: latents[:30], LATENT.at("labelled"): latents[30:],
        DECODER: lambda z: 5 * z.repeat(1, 3).view(-1, 1, 2, 3),
    }  # fmt: skip
    network = Line(torch.rand(40, 1, 2, 3, generator=rng()), Form("image", (1, 2, 3)))
    made = payloads(choose(replace(MADE, space="latent"), network, 8, values=values))
    assert made.min() == 0
    assert made.max() == 1


def test_where_it_starts_is_up_to_the_generator() -> None:
    network = Line(cloud())
    twice = [payloads(choose(MADE, network, 3, seed=seed)) for seed in (0, 0, 1)]
    assert torch.equal(twice[0], twice[1])
    assert not torch.equal(twice[0], twice[2])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"space": "input"}, UnknownName, "unknown space 'input': did you mean 'inputs'?"),
        ({"pull": -1.0}, InputError, "pull and push must not be negative, got -1.0 and 0.01"),
        ({"steps": 0}, InputError, "steps must be at least 1 and lr above 0, got 0 and 0.05"),
    ],
)
def test_refuses(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as refusal:
        MembershipSynthesis(**wrong)
    assert str(refusal.value).startswith(message)


def test_defaults_are_those_of_the_card() -> None:
    assert MembershipSynthesis() == MembershipSynthesis("inputs", snap=True, pull=0.1, push=0.01, lr=0.05, steps=100)
    assert (MembershipSynthesis().asks, MADE.asks) == ("unlabelled", "made")


# ---------------------------------------------------------------------------------------------- in a project


def toy(shape: tuple[int, ...] = (2,)) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 60)
    return (draw.random((3, *shape))[labels] + 0.05 * draw.standard_normal((60, *shape))).astype(np.float32), labels


def test_made_items_are_answered_by_what_they_resemble(tmp_path: Any) -> None:
    points, labels = toy()
    data = load(points, labels=labels, classes=["a", "b", "c"], test_size=15)
    with pytest.raises(UnmetNeeds, match="makes items that the data have no label for: give an oracle"):
        run(data, strategy=MADE, out=tmp_path, quiet=True, against=None, **QUICK)
    result = run(
        data, strategy=MADE, oracle="nearest", rounds=2, out=tmp_path / "r", quiet=True, against=None, **QUICK
    )  # fmt: skip
    with Project.open(result.folder / "seed-0", data) as project:
        made = project.store.made()
        answers = {vote.item: vote.value for vote in project.store.votes()}
        assert [report.labels for report in project.reports] == [9, 13, 17]
        assert len(made) == 8
        assert all(answers[one["item"]] == "abc"[labels[one["parent"]]] for one in made)
        assert set(project._fitting().labels[0].tolist()) >= {one["item"] for one in made}


def test_another_model_answers_about_made_items_by_looking_at_them(tmp_path: Any) -> None:
    points, labels = toy()
    data = load(points, labels=labels, classes=["a", "b", "c"], test_size=15)
    centres = np.stack([points[labels == label].mean(0) for label in range(3)])

    def probs(items: Any) -> np.ndarray:
        near = -50 * ((np.stack(items)[:, None] - centres) ** 2).sum(2)
        return np.exp(near) / np.exp(near).sum(1, keepdims=True)

    with Project.create(tmp_path / "p", data, strategy=MADE, **QUICK) as project:
        (*_, last) = rounds(project, Model(probs, ("a", "b", "c")), last=2)
        assert last.labels == 17


def test_an_oracle_that_knows_no_parent_says_so(tmp_path: Any) -> None:
    points, labels = toy()
    data = load(points, labels=labels, classes=["a", "b", "c"])
    with Project.create(tmp_path / "p", data, strategy=MADE, **QUICK) as project:
        list(rounds(project, Nearest(labels), last=0))
        project.plan(2)
        asked = project.take(1, "me")[0]
        assert asked.parent is not None
        orphan = replace(asked, parent=None)
        with pytest.raises(InputError, match="is about the made item 'made-60', which names no item that it was made"):
            list(Nearest(labels).answer([orphan]))


def test_people_are_shown_made_pictures(tmp_path: Any) -> None:
    points, labels = toy((4, 4))
    data = load(points.clip(0, 1), labels=labels, classes=["a", "b", "c"])
    with Project.create(tmp_path / "p", data, strategy=MADE, **QUICK) as project:
        for question in project.ask(9):
            project.tell(question.id, int(labels[question.position]))
        project.train()
        rows = ask_sheet(project, 2)
        items = [question.item for question in project.take(2, "me")]
        assert [row["id"] for row in rows] == ["made-60", "made-61"]
        for row, item in zip(rows, items, strict=True):
            assert row["item"] == str(tmp_path / "p" / "made" / f"{row['id']}.png")
            pixels = np.asarray(Image.open(row["item"]))
            assert pixels.shape == (128, 128)
            np.testing.assert_array_equal(pixels[::32, ::32], np.rint(255 * item[0]))


def test_people_are_shown_made_rows_of_a_table_on_its_scale(tmp_path: Any) -> None:
    points, labels = toy()
    lines = [
        f"{170 + 9 * a:.3f},{70 + 12 * b:.3f},{'abc'[label]}" for (a, b), label in zip(points, labels, strict=True)
    ]
    (tmp_path / "people.csv").write_text("\n".join(["height,weight,label", *lines]))
    data = load(tmp_path / "people.csv", label="label", columns=["height", "weight"])
    with Project.create(tmp_path / "p", data, strategy=MADE, **QUICK) as project:
        list(rounds(project, Nearest(data.labels), last=0))
        project.plan(3)
        for question in project.take(3, "me"):
            assert 160 < question.item["height"] < 190
            assert 60 < question.item["weight"] < 95
            served = project.pool.pools[-1].payloads[question.position - len(data.pool)]
            table = data.pool.feature_map
            back = (np.array(list(question.item.values())) - table.mean) / table.scale
            np.testing.assert_allclose(back, served, atol=1e-3)
