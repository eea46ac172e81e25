"""The best-of-strategies oracle: worked numbers, what it may see, and that no recipe takes it."""

from __future__ import annotations

import pytest
import torch

from askwell.bench.boss import NAMES, BoSS, Hidden
from askwell.bench.medoids import balanced_medoids
from askwell.bench.refit import last_layers
from askwell.core.recipe import Recipe
from askwell.core.registry import find
from askwell.core.spec import parse
from askwell.data import load
from askwell.engine.assemble import part
from askwell.engine.loop import answer
from askwell.engine.project import Project
from askwell.errors import InputError, PoolExhausted, UnknownName, UnmetNeeds
from askwell.learners import Net
from askwell.oracles import Truth
from askwell.testing import Scenes
from askwell.testing.scenes import view_of


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def column(*numbers):
    return torch.tensor(numbers)[:, None]


def nearest(z, y, members, new):
    return torch.stack([y[own[torch.cdist(new, z[own]).argmin(1)]] for own in members])


def line():
    """Candidates 1, 4 and 5 on a line, an item of class 0 at 0, and four points to judge by."""
    view = view_of(
        probs=torch.full((3, 2), 0.5),
        embedding=column(1.0, 4.0, 5.0),
        labelled_embedding=column(0.0),
        labelled_labels=torch.tensor([0]),
    )
    return view, Hidden(torch.tensor([0, 1, 1]), column(0.5, 4.4, 5.2, 2.2), torch.tensor([0, 1, 1, 0]))


def test_one_neighbour_on_a_line():
    view, hidden = line()
    found = BoSS(strategies=("random",), batches=40).best(view, hidden, 1, rng(), nearest)
    assert found.ids.tolist() == [2]
    assert set(found.errors.tolist()) == {0.5, 0.25, 0.0}


def test_of_equal_batches_the_first():
    view, hidden = line()
    errors = torch.tensor([0.31, 0.28, 0.28, 0.35])
    asked = []

    def given(z, y, members, new):
        asked.extend(members[:, -1].tolist())
        return (torch.arange(100) < (errors * 100).round()[:, None]).long()

    hundred = Hidden(hidden.truth, torch.zeros(100, 1), torch.zeros(100, dtype=torch.int64))
    found = BoSS(strategies=("random",), batches=4).best(view, hundred, 1, rng(), given)
    assert found.errors.tolist() == pytest.approx(errors.tolist())
    assert found.ids.tolist() == [asked[1] - 1]


def test_one_strategy_and_one_batch_is_that_strategy():
    scene = Scenes()("plain")
    boss = BoSS(strategies=("margin",), batches=1)
    found = boss.best(scene.view(boss.needs), hidden_of(scene), 5, rng())
    alone = parse("strategies", "margin").select(scene.view(boss.needs), 5, rng())
    assert set(found.ids.tolist()) == set(alone.ids.tolist())
    assert found.names == ("margin",)


def hidden_of(scene):
    return Hidden(scene.truth[scene.ids], scene.embedding.float()[-8:], scene.truth[-8:])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_all_ten_ways_choose_from_sub_pools_of_their_own():
    scene = Scenes()("plain", n=120)
    boss = BoSS(batches=60, size=40, epochs=3)
    view = scene.view(boss.needs, generous=False)
    found = boss.best(view, hidden_of(scene), 6, rng())
    assert set(found.names) == set(NAMES)
    assert len(set(found.ids.tolist())) == 6
    assert set(found.ids.tolist()) <= set(scene.ids.tolist())
    assert found.errors.shape == (60,)
    again = boss.best(scene.view(boss.needs, generous=False), hidden_of(scene), 6, rng())
    assert again.ids.tolist() == found.ids.tolist()
    assert float(found.errors.min()) <= float(found.errors.median())


def test_medoids_of_a_sub_pool_are_of_its_true_classes():
    scene = Scenes()("plain", n=120)
    boss = BoSS(strategies=("medoids", "doubted medoids"), batches=1, size=40, epochs=1)
    for seed in range(8):
        found = boss.best(scene.view(boss.needs), hidden_of(scene), 4, rng(seed))
        assert sorted(scene.truth[found.ids].tolist()) == [0, 1, 2, 3], found.names


def test_it_finds_what_random_choice_does_not():
    """Two classes far apart, one item of the rare class among the candidates: only a batch with it can be right."""
    z = torch.cat([torch.randn(60, 4, generator=rng(1)), torch.full((1, 4), 6.0)])
    view = view_of(
        probs=torch.full((61, 2), 0.5),
        embedding=z,
        labelled_embedding=torch.zeros(3, 4),
        labelled_labels=torch.zeros(3, dtype=torch.int64),
    )
    hidden = Hidden(torch.tensor([0] * 60 + [1]), torch.full((5, 4), 6.0), torch.ones(5, dtype=torch.int64))
    found = BoSS(strategies=("random", "medoids"), batches=20).best(view, hidden, 1, rng(), nearest)
    assert (found.ids.tolist(), float(found.errors.min())) == ([60], 0.0)
    assert found.names[found.errors.tolist().index(0.0)] == "medoids"


def test_medoids_level_the_classes_by_the_middle_of_each():
    z, y = column(0.0, 1.0, 5.0, 9.0, 9.5), torch.tensor([0, 0, 0, 1, 1])
    assert balanced_medoids(z, y, torch.tensor([0, 0]), 2).tolist() == [1, 3]
    assert balanced_medoids(z, y, torch.tensor([2, 0]), 2).tolist() == [3, 4]
    assert balanced_medoids(z, y, torch.tensor([0, 5]), 3).tolist() == [1, 0, 2]
    sums = torch.cdist(z[:3], z[:3]).square().sum(1)
    assert int(sums.argmin()) == 1


def test_layers_with_the_same_members_are_equal_and_each_learns_its_own():
    generator = rng(3)
    z = torch.randn(60, 5, generator=generator)
    y = (z[:, 0] > 0).long()
    members = torch.stack([torch.arange(30), torch.arange(30), torch.arange(30, 60)])
    weights = last_layers(z, y, members, 2, rng())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    outputs = z[members[2]] @ weights[2, :, :-1].t() + weights[2, :, -1]
    assert float((outputs.argmax(1) == y[members[2]]).float().mean()) > 0.9


def test_no_recipe_takes_an_oracle():
    with pytest.raises(InputError, match=r"^BoSS is no part of strategies"):
        part("strategies", BoSS())
    with pytest.raises(UnknownName):
        find("strategies", "boss")
    with pytest.raises(InputError, match=r"^recipe 'cheat': BoSS\(.*\) is no strategy, and chooses nothing"):
        Recipe("cheat", BoSS(), Net(), find("strategies", "random")())


@pytest.fixture
def project(tmp_path):
    """A project on labelled data after one round, one column of whose items gives the class away."""
    labels = torch.arange(90) % 3
    items = (torch.nn.functional.one_hot(labels) * 4 + torch.randn(90, 3, generator=rng(5))).numpy()
    data = load(items, labels=labels.numpy(), test_size=20, validation_size=15)
    settings = {"strategy": "margin", "learner": "linear", "initial": 6}
    with Project.create(tmp_path / "p", data, **settings) as made:
        made.plan(6)
        made.store.register(["truth"])
        answer(made, Truth(data.labels))
        made.train()
        yield made


@pytest.mark.parametrize("part", ["validation", "test"])
def test_of_a_project_it_sees_the_labels_of_the_part_to_evaluate_on(project, part):
    boss = BoSS(strategies=("random", "margin", "medoids"), batches=6, evaluate_on=part)
    ids = project.candidates()
    hidden = boss.hidden(project, ids)
    where = getattr(project.data.split, part)
    assert hidden.truth.tolist() == project.data.labels[ids.numpy()].tolist()
    assert hidden.labels.tolist() == project.data.labels[where].tolist()
    assert hidden.embedding.shape == (len(where), 3)
    found = boss.best(project.view(ids, boss.needs), hidden, 4, rng())
    assert set(found.ids.tolist()) <= set(ids.tolist())
    assert float(found.errors.min()) < 0.3


def test_edits_hold_for_what_is_hidden_too(project):
    gone = project.data.split.validation[0]
    project.remove(project.pool.keys([gone]))
    project.merge_classes(["1", "2"], into="other")
    project.train()
    hidden = BoSS().hidden(project, project.candidates())
    kept = project.data.labels[project.data.split.validation[1:]]
    assert sorted(hidden.labels.bincount().tolist()) == sorted([(kept == 0).sum(), (kept > 0).sum()])
    assert set(hidden.truth.tolist()) == {0, 1}


def test_a_project_without_that_part_is_refused(tmp_path):
    items = column(*range(9)).float().numpy()
    with (
        Project.create(tmp_path / "p", items, classes=["a", "b"], strategy="margin") as bare,
        pytest.raises(UnmetNeeds, match=r"^BoSS judges by the labels of the validation part, and .* has none: set val"),
    ):
        BoSS().hidden(bare, bare.candidates())


def test_bad_settings_are_refused():
    view, hidden = line()
    with pytest.raises(PoolExhausted):
        BoSS(strategies=("random",)).best(view, hidden, 4, rng())
    numbers = line()[0]
    numbers.num_classes = None
    with pytest.raises(UnmetNeeds, match=r"^BoSS levels and judges classes, and these labels are numbers$"):
        BoSS(strategies=("random",)).best(numbers, hidden, 1, rng())
    for settings, message in (
        ({"strategies": ()}, "at least one strategy"),
        ({"batches": 0}, "batches of BoSS must be at least 1, got 0"),
        ({"evaluate_on": "train"}, "unknown part to evaluate on 'train'"),
    ):
        with pytest.raises(InputError, match=message):
            BoSS(**settings)
    with pytest.raises(UnknownName, match="unknown strategy 'margn': did you mean 'margin'"):
        BoSS(strategies=("margn",)).best(view, hidden, 1, rng())
