"""The torch learner: one fused pass, chunks, draws, functions, files, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PROBS, PROBS, Need
from askwell.core.pool import Form
from askwell.core.seeds import Seeds
from askwell.core.task import Task
from askwell.errors import AskwellError, BadData, BadShape, InputError, UnmetNeeds
from askwell.learners import Net
from askwell.models import MLP, SmallCNN
from askwell.schemes import VAAL, Supervised
from askwell.testing.toys import toy

SCHEME = Supervised(steps=40, batch=18, lr=1e-2)
ALL = (PROBS, LOGITS, EMBEDDING, MC_PROBS(draws=5))


class Own(nn.Module):
    """A user's network, with batch norm; counts its forward passes."""

    passes: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU())
        self.drop, self.out = nn.Dropout(0.3), nn.Linear(12, 3)

    def forward(self, x):
        self.passes.append(len(x))
        return self.out(self.drop(self.body(x)))


class Dry(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(x)


class Narrow(Dry):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(8, 2)


def fitted(model=None, kind="vector", scheme=SCHEME, **settings):
    problem = toy(kind)
    model = MLP(width=16, depth=2, dropout=0.2) if model is None else model
    learner = Net(model=model, **settings).build(problem.pool.form, problem.task, scheme)
    learner.fit(problem.pool, problem.job(), Seeds(1))
    return problem, learner


def computed(problem, learner, needs=ALL, ids=None, **more):
    sets = {"candidates": problem.unlabelled if ids is None else ids, "labelled": problem.labelled}
    return learner.compute(problem.pool, needs, sets, Seeds(2), **more)


def test_all_needs_of_a_set_come_from_one_pass():
    problem, learner = fitted(Own)
    computed(problem, learner)
    Own.passes.clear()
    computed(problem, learner, (PROBS, LOGITS, EMBEDDING))
    assert Own.passes == [len(problem.unlabelled)]
    Own.passes.clear()
    computed(problem, learner, (PROBS, PROBS.at("labelled"), EMBEDDING.at("labelled")))
    assert Own.passes == [len(problem.unlabelled), len(problem.labelled)]


def test_needs_agree_with_each_other_and_with_the_network():
    problem, learner = fitted(Own)
    found = computed(problem, learner, (*ALL, HEAD))
    net = learner.fitted.modules.net.eval()
    with torch.no_grad():
        wanted = net(problem.pool.rows[problem.unlabelled])
    torch.testing.assert_close(found[LOGITS], wanted)
    torch.testing.assert_close(found[PROBS], wanted.softmax(1))
    torch.testing.assert_close(found[HEAD](found[EMBEDDING]), wanted)
    assert found[MC_PROBS(draws=5)].shape == (len(problem.unlabelled), 5, 3)


def test_batch_norm_is_in_eval_mode_while_draws_are_taken():
    """With running statistics a draw of one item does not depend on the others."""
    problem, learner = fitted(Own)
    whole = computed(problem, learner)[MC_PROBS(draws=5)]
    few = computed(problem, learner, ids=problem.unlabelled[3:5])[MC_PROBS(draws=5)]
    torch.testing.assert_close(few, whole[3:5])


def test_one_item_at_a_time_equals_all_at_once():
    problem, learner = fitted(SmallCNN(), "image", Supervised(steps=5))
    needs = (PROBS, EMBEDDING, MC_PROBS(draws=3))
    whole = computed(problem, learner, needs)
    for row in (0, 7):
        one = computed(problem, learner, needs, problem.unlabelled[row : row + 1])
        for need in needs:
            torch.testing.assert_close(one[need], whole[need][row : row + 1], rtol=1e-4, atol=1e-5)


def test_chunks_have_one_size_and_never_one_row():
    problem, learner = fitted(batch=5)
    problem.pool.read.clear()
    computed(problem, learner, (PROBS,), problem.unlabelled[:11])
    assert [len(reading.positions) for reading in problem.pool.read] == [5, 6]


def test_two_numbers_of_draws_share_one_pass():
    problem, learner = fitted()
    found = computed(problem, learner, (MC_PROBS(draws=3), MC_PROBS(draws=6)))
    assert torch.equal(found[MC_PROBS(draws=3)], found[MC_PROBS(draws=6)][:, :3])


def test_masks_of_their_own_for_every_item():
    problem, learner = fitted(consistent=False)
    need, rows = MC_PROBS(draws=4), problem.pool.rows
    rows[problem.unlabelled] = rows[problem.unlabelled[0]].clone()
    found = computed(problem, learner, (need,))[need]
    assert not torch.allclose(found, found[:1].expand_as(found))
    shard = computed(problem, learner, (need,), problem.unlabelled[4:9])[need]
    torch.testing.assert_close(shard, found[4:9])


def test_rows_go_where_they_are_told():
    problem, learner = fitted(batch=16)
    asked = []

    def allocate(need, shape, dtype):
        asked.append((need, shape, dtype))
        return torch.full(shape, torch.nan, dtype=dtype)

    found = computed(problem, learner, (PROBS, EMBEDDING), out=allocate)
    n = len(problem.unlabelled)
    assert asked == [(PROBS, (n, 3), torch.float32), (EMBEDDING, (n, 16), torch.float32)]
    assert bool(found[PROBS].isfinite().all())


def test_bfloat16_gives_float32_rows():
    problem, learner = fitted(precision="bfloat16")
    found = computed(problem, learner)
    assert {rows.dtype for rows in found.values()} == {torch.float32}
    torch.testing.assert_close(found[PROBS].sum(1), torch.ones(len(problem.unlabelled)))


class Hungry(Dry):
    """Runs out of memory on more than eight items."""

    sizes: ClassVar[list[int]] = []

    def forward(self, x):
        self.sizes.append(len(x))
        if not self.training and len(x) > 8:
            raise torch.OutOfMemoryError("out of memory")
        return super().forward(x)


def test_a_batch_that_does_not_fit_is_halved():
    problem, learner = fitted(Hungry, scheme=Supervised(steps=2, batch=4, stop=()), batch=32)
    found = computed(problem, learner, (PROBS,), problem.unlabelled[:24])
    assert learner.batch == 8
    assert Hungry.sizes[-3:] == [8, 8, 8]
    with torch.no_grad():
        wanted = Dry.forward(learner.fitted.modules.net.module, problem.pool.rows[problem.unlabelled[:24]]).softmax(1)
    torch.testing.assert_close(found[PROBS], wanted)


def test_needs_that_a_scheme_adds():
    problem, learner = fitted(scheme=VAAL(steps=3))
    assert "latent_score" in learner.provides
    score = computed(problem, learner, (PROBS, Need("latent_score")))[Need("latent_score")]
    assert score.shape == (len(problem.unlabelled),)


@dataclass(frozen=True)
class Nudging(Supervised):
    """Offers a function of the run, and one that spoils the modules that it gets."""

    functions: ClassVar[dict[Need, str]] = {Need("spoil", "model", "call"): "spoil"}

    def spoil(self, run: Any, by: float) -> float:
        with torch.no_grad():
            run.m.net.head.weight.add_(by)
        return run.m.net.head.weight.sum().item()


def test_functions_of_a_scheme_get_copies():
    problem, learner = fitted(scheme=Nudging(steps=5))
    before = learner.predict(problem.pool, problem.test)
    spoil = Need("spoil", "model", "call")
    assert computed(problem, learner, (spoil,))[spoil](1.0) != 0
    assert torch.equal(learner.predict(problem.pool, problem.test), before)


def test_the_head_passes_gradients_on_and_notices_changes():
    problem, learner = fitted()
    found = computed(problem, learner, (EMBEDDING, HEAD))
    z = found[EMBEDDING].clone().requires_grad_()
    found[HEAD](z).sum().backward()
    assert z.grad is not None
    with torch.no_grad():
        found[HEAD]._copy.weight.add_(1)
    with pytest.raises(AskwellError, match="a strategy changed the weights of the head that it was given"):
        found[HEAD](z)


def test_draws_are_offered_where_something_drops():
    form, task = toy("vector").pool.form, toy("vector").task
    assert "mc_probs" in Net(model=Own).build(form, task, SCHEME).provides
    assert "mc_probs" not in Net(model=Dry).build(form, task, SCHEME).provides
    assert "mc_probs" not in Net(model=MLP(dropout=0.0)).build(form, task, SCHEME).provides


class Measured(Task):
    """Two numbers per item and no classes."""

    outputs = 2

    def check(self, value):
        return list(value)

    def encode(self, values):
        return torch.tensor(values).reshape(-1, 2)

    def loss(self, outputs, targets):
        return (outputs - targets).square().sum(1)

    def metrics(self, outputs, targets):
        return {"mse": float((outputs - targets).square().mean())}

    def predict(self, outputs):
        return outputs.clamp(0, 1)

    def decide(self, predictions):
        return predictions.tolist()


def test_a_task_without_classes_has_no_probabilities():
    learner = Net(model=MLP()).build(Form("vector", (8,)), Measured(), SCHEME)
    assert learner.provides == {"logits", "embedding", "head", "network"}


def test_predict_is_the_tasks_prediction():
    problem, learner = fitted()
    predicted = learner.predict(problem.pool, problem.test)
    found = computed(problem, learner, (PROBS,), problem.test)[PROBS]
    assert torch.equal(predicted, found)
    assert learner.predict(problem.pool, problem.test[:0]).shape == (0, 3)


def test_what_is_saved_comes_back_with_the_modules_of_the_scheme(tmp_path):
    problem, learner = fitted(Own, scheme=VAAL(steps=3))
    digest = learner.save(tmp_path / "model.safetensors")
    assert digest == learner.save(tmp_path / "again.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.safetensors", "model.safetensors"]
    twin = Net(model=Own).build(problem.pool.form, problem.task, VAAL(steps=3))
    twin.load(tmp_path / "model.safetensors")
    needs = (*ALL, Need("latent_score"))
    one, other = computed(problem, learner, needs), computed(problem, twin, needs)
    assert all(torch.equal(one[need], other[need]) for need in needs)


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    problem, learner = fitted()
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BadData, match="cannot read the model"):
        learner.load(tmp_path / "bad.safetensors")
    learner.save(tmp_path / "model.safetensors")
    wide = Net(model=MLP(width=32, depth=2)).build(problem.pool.form, problem.task, SCHEME)
    with pytest.raises(InputError, match="these weights are of other modules"):
        wide.load(tmp_path / "model.safetensors")
    with pytest.raises(UnmetNeeds, match="this learner has not been fitted"):
        wide.predict(problem.pool, problem.test)


@pytest.mark.parametrize(
    ("settings", "scheme", "error", "message"),
    [
        ({"model": Dry}, None, UnmetNeeds, "needs a scheme to train by, such as supervised"),
        ({}, SCHEME, InputError, "no network was chosen: give `model`, such as mlp, small_cnn, text_cnn"),
        ({"model": Narrow}, SCHEME, BadShape, r"have shape \(2, 2\) for 2 items and the task needs \(2, 3\)"),
        ({"model": "torch.nn:ReLU"}, SCHEME, InputError, "ReLU has no nn.Linear"),
        ({"model": "builtins:dict"}, SCHEME, InputError, "model 'builtins:dict' makes no nn.Module but dict"),
        ({"model": "mpl"}, SCHEME, InputError, "unknown model 'mpl': did you mean 'mlp'"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(settings, scheme, error, message):
    with pytest.raises(error, match=message):
        Net(**settings).build(Form("vector", (8,)), toy("vector").task, scheme)


def test_items_of_another_shape_are_refused_with_the_models_own_words():
    with pytest.raises(InputError, match=r"does not take items of kind 'vector' and shape \(9,\): mat1 and mat2"):
        Net(model=Own).build(Form("vector", (9,)), toy("vector").task, SCHEME)


def test_factories_refuse_what_no_later_process_could_make():
    with pytest.raises(InputError, match="model is a Dry that exists already: give the class or a function"):
        Net(model=Dry())
    with pytest.raises(InputError, match="move it to the top level of a module"):
        Net(model=lambda: Dry())
    with pytest.raises(InputError, match="batch must be at least 2, got 1"):
        Net(batch=1)


def test_a_need_that_nobody_offers_is_named():
    problem, learner = fitted()
    with pytest.raises(UnmetNeeds) as caught:
        computed(problem, learner, (Need("loss_score"),))
    assert str(caught.value) == (
        "there is no loss_score: there is embedding, head, logits, mc_probs, mean_entropy, mean_probs, network, probs, "
        "vote_shares"
    )
    assert caught.value.names == ("loss_score",)
