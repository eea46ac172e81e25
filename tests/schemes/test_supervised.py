"""Supervised training: it learns, on whatever labels there are, and every setting does what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from scheme_parts import accuracy, digits, job, rehearsed, some, trained
from torch.nn import functional as F

from askwell.core.scheme import Rows
from askwell.core.spec import build
from askwell.errors import BadShape, Diverged, InputError, UndeclaredNeed, UnknownName
from askwell.models import MLP, SmallCNN
from askwell.schemes import VAAL, Supervised
from askwell.training.tensors import tensors

SHORT = Supervised(steps=40)
EVERY = {"supervised": SHORT, "vaal": VAAL(steps=8, pairs=16)}


@pytest.mark.parametrize("model", [MLP(width=64), SmallCNN(channels=8, width=32)], ids=repr)
def test_it_learns_digits(model):
    fitted = trained(Supervised(steps=200), some(100), model=model)
    assert accuracy(fitted, torch.arange(100)) > 0.95
    assert accuracy(fitted, torch.arange(1000, 1797)) > 0.65


def test_the_loss_falls():
    first, last = trained(replace(SHORT, steps=2), some()), trained(SHORT, some())
    assert last.report.losses["task"] < first.report.losses["task"]


@pytest.mark.parametrize("scheme", EVERY.values(), ids=EVERY)
class TestEveryScheme:
    @pytest.mark.parametrize("ids", [torch.tensor([3]), torch.tensor([0, 10, 20])], ids=["one item", "one class"])
    @pytest.mark.parametrize("model", [MLP(width=16), SmallCNN(channels=4, width=16)], ids=repr)
    def test_few_labels(self, scheme, ids, model):
        fitted = trained(scheme, job(ids, torch.arange(100, 160), ids[:0]), model=model)
        assert fitted.report.steps == scheme.steps
        assert all(torch.isfinite(value).all() for value in tensors(fitted.modules).values())

    def test_pause_and_resume(self, scheme):
        whole = trained(scheme, some())
        part = trained(scheme, some(), resume=trained(scheme, some(), pause_after=5).paused)
        mine, theirs = tensors(whole.modules), tensors(part.modules)
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)
        assert whole.report == part.report

    def test_steps_mean_updates_and_it_leaves_no_hooks(self, scheme):
        fitted = trained(scheme, some())
        assert all(fitted.report.updates.values())
        layers = [layer for module in vars(fitted.modules).values() for layer in module.modules()]
        assert not any(layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks for layer in layers)

    def test_hidden_labels_do_not_matter(self, scheme):
        one = trained(scheme, some())
        other = trained(scheme, some(validation_targets=digits()[1][40:60].flip(0)))
        mine, theirs = tensors(one.modules), tensors(other.modules)
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)

    def test_its_config_leads_back_to_it(self, scheme):
        assert build("schemes", scheme.config()) == scheme


class TestLoss:
    def test_a_weight_of_zero_is_absence(self):
        weights = torch.tensor([1.0] * 30 + [0.0] * 10)
        run = trained(SHORT, some()).run
        x, y = digits()[0][:40], digits()[1][:40]
        weighted = SHORT.loss(run, Rows(torch.arange(40), (x,), y, weights))
        absent = SHORT.loss(run, Rows(torch.arange(30), (x[:30],), y[:30], None))
        assert torch.allclose(weighted, absent)

    def test_class_weights_multiply_item_weights(self):
        run = trained(SHORT, some()).run
        x, y = digits()[0][:4], torch.tensor([0, 1, 1, 2])
        rows = Rows(torch.arange(4), (x,), y, torch.tensor([1.0, 2.0, 1.0, 1.0]))
        per_class = torch.zeros(10)
        per_class[1] = 3.0
        losses = F.cross_entropy(run.m.net(x), y, reduction="none")
        assert torch.allclose(SHORT.loss(run, rows, per_class), (6 * losses[1] + 3 * losses[2]) / 9)

    def test_balanced_weights_lift_a_rare_class(self):
        y = digits()[1]
        zeros, ones = (y == 0).nonzero()[:60, 0], (y == 1).nonzero()[:2, 0]
        given = job(torch.cat([zeros, ones]), torch.arange(5), ones[:0])
        plain, balanced = (trained(replace(SHORT, class_weights=way), given) for way in ((), "balanced"))
        test = (y == 1).nonzero()[2:, 0]
        assert accuracy(balanced, test) > accuracy(plain, test)

    def test_too_few_class_weights(self):
        with pytest.raises(BadShape, match=r"^2 class weights for 10 classes: give one per class$"):
            trained(replace(SHORT, class_weights=(1.0, 2.0)), some())

    def test_item_weights_of_the_job_count(self):
        one, other = (trained(SHORT, some(weights=w)) for w in (None, torch.linspace(0, 1, 40)))
        assert not torch.equal(one.modules.net.head.weight, other.modules.net.head.weight)


class TestLength:
    def test_steps(self):
        assert trained(Supervised(steps=7), some()).report.steps == 7

    def test_epochs_are_passes(self):
        assert trained(Supervised(epochs=3, batch=16), some()).report.steps == 9

    def test_both_are_refused(self):
        with pytest.raises(InputError, match=r"^give steps or epochs, not both: got steps=3 and epochs=2$"):
            Supervised(steps=3, epochs=2)

    def test_reached_ends_it(self):
        report = trained(Supervised(steps=1000, stop=("reached", "accuracy", 0.99)), some()).report
        assert report.steps in range(50, 1000, 50)
        assert report.stopped == (
            f"fit: Reached(metric='accuracy', level=0.99, times=1, over='labelled') after {report.steps} steps"
        )

    def test_patience_needs_validation_items(self):
        scheme = Supervised(stop=("patience", "accuracy", 2))
        assert scheme.reads == {"labelled", "validation"}
        with pytest.raises(InputError, match=r"^cannot measure 'accuracy': there are no validation items with labels$"):
            trained(scheme, some(validation=0))

    def test_patience_ends_with_the_best_it_saw(self):
        fitted = trained(Supervised(steps=600, lr=0.1, schedule="constant", stop=("patience", "nll", 1)), some())
        assert fitted.report.steps < 600
        assert fitted.report.stopped


class TestWords:
    @pytest.mark.parametrize(
        ("setting", "text"),
        [
            ({"kind": "adma"}, "unknown optimiser 'adma': did you mean 'adam'? Known: adadelta, adam, adamw, sgd"),
            ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'? Known: constant, cosine, drop"),
            (
                {"augment": ("flp",)},
                "unknown augmentation 'flp': did you mean 'flip'? "
                "Known: cutout, flip, jitter, randaugment, shift, warp",
            ),
            ({"stop": ("patient",)}, "unknown stop 'patient': did you mean 'patience'? Known: patience, reached"),
            ({"average": ("emma", 0.9)}, "unknown average 'emma': did you mean 'ema'? Known: ema, swa"),
            (
                {"policy": "scrach"},
                "unknown policy 'scrach': did you mean 'scratch'? Known: given, saved, scratch, shrink_perturb, warm",
            ),
        ],
    )
    def test_unknown_words(self, setting, text):
        with pytest.raises(UnknownName) as caught:
            Supervised(**setting)
        assert str(caught.value) == text

    def test_numbers(self):
        with pytest.raises(InputError, match=r"^batch of scheme Supervised must be above 0, got 0$"):
            Supervised(batch=0)

    def test_divergence_is_named(self):
        with pytest.raises(Diverged) as caught:
            trained(Supervised(steps=60, kind="sgd", lr=1e30), some())
        assert str(caught.value).startswith("training diverged: update 'task' had loss ")
        assert caught.value.step in range(1, 5)


class TestAverage:
    def test_ema_ends_in_the_net(self):
        fitted = trained(replace(SHORT, average=("ema", 0.9)), some())
        values = tensors(fitted.modules)
        assert all(torch.equal(values[key], values[f"average.{key[4:]}"]) for key in values if key.startswith("net."))
        assert not torch.equal(values["net.head.weight"], tensors(trained(SHORT, some()).modules)["net.head.weight"])

    def test_swa_learns(self):
        fitted = trained(Supervised(steps=200, lr=0.01, average=("swa", 0.75)), some(100))
        assert accuracy(fitted, torch.arange(100)) > 0.95


class TestPolicy:
    def test_reads_previous_only_where_it_uses_it(self):
        assert "previous" not in Supervised().reads
        assert "previous" in Supervised(policy="warm").reads
        assert "previous" in Supervised(policy=("shrink_perturb", 0.4, 0.1)).reads

    def test_warm_goes_on_from_the_last_round(self):
        last = tensors(trained(SHORT, some()).modules)
        warm = trained(replace(SHORT, steps=1, lr=1e-9, policy="warm"), some(previous=last))
        assert torch.allclose(warm.modules.net.head.weight, last["net.head.weight"], atol=1e-6)

    def test_the_first_round_is_from_scratch(self):
        one, other = trained(SHORT, some()), trained(replace(SHORT, policy="warm"), some())
        assert torch.equal(one.modules.net.head.weight, other.modules.net.head.weight)


def test_reading_the_unlabelled_is_refused():
    class Greedy(Supervised):
        def train(self, run):
            run.stream("unlabelled", 4)

    with pytest.raises(UndeclaredNeed, match=r"read 'unlabelled' items but `reads` does not declare them$"):
        trained(Greedy(), some())


def test_the_rehearsal_tells_schemes_apart():
    one, same, other = (rehearsed(scheme, some()) for scheme in (SHORT, Supervised(steps=40), VAAL(steps=40)))
    assert one == same
    assert one != other
