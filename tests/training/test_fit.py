"""Fit, rehearse and outline: the document, what is refused, and what is there afterwards."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
import torch
from torch import nn
from training_parts import CLASSES, NONE, Scripted, Setting, blobs, plain_loss

from askwell.core.seeds import Seeds
from askwell.errors import InputError, UndeclaredNeed, UnknownName
from askwell.schemes import Supervised
from askwell.tasks import Classification
from askwell.testing.fakes import FakePool
from askwell.training import fit, outline
from askwell.training.tensors import restore, tensors

SCHEME = Supervised(steps=20, average=("ema", 0.9))


class TestRehearsal:
    def test_it_begins_with_the_config(self):
        document = json.loads(Setting().rehearse(SCHEME))
        assert next(iter(document)) == "scheme"
        assert document["scheme"] == json.loads(json.dumps(SCHEME.config()))

    def test_its_hash_is_the_fits(self):
        text = Setting().rehearse(SCHEME)
        assert Setting().fit(SCHEME).report.rehearsal == sha256(text.encode()).hexdigest()

    def test_it_runs_the_first_the_middle_and_the_last_tick(self):
        order = json.loads(Setting().rehearse(SCHEME))["order"]
        ticks = [event[2] for event in order if event[0] == "tick"]
        assert ticks == [0, 10, 19]
        assert order[-2:] == [["act", "average"], ["act", "conclude"]]

    def test_it_tells_what_is_opened(self):
        document = json.loads(Setting().rehearse(SCHEME))
        assert document["streams"] == {"labelled": {"draw": "labelled", "n": 18, "size": 18, "views": [[]]}}
        assert document["updates"]["task"] == {
            "trains": ["net"],
            "frozen": ["average"],
            "kind": "adamw",
            "lr": 0.002,
            "schedule": ["cosine", 20, 0],
            "clip": 0.0,
            "weight_decay": 0.01,
        }

    @pytest.mark.parametrize("other", [{"lr": 1e-3}, {"batch": 8}, {"augment": ("flip",)}, {"steps": 21}])
    def test_other_numbers_are_another_document(self, other):
        assert Setting().rehearse(Supervised(steps=20)) != Setting().rehearse(Supervised(**{"steps": 20, **other}))

    def test_other_seeds_and_labels_are_not(self):
        changed = Setting(seed=9, job_changes={"targets": blobs()[1][:18].flip(0)})
        assert Setting().rehearse(SCHEME) == changed.rehearse(SCHEME)

    def test_it_computes_for_a_few(self):
        sizes = []

        def body(run):
            m = run.build()

            def count(x):
                sizes.append(len(x))
                return m.net(x)

            assert run.compute(count, torch.arange(48).repeat(4)).shape == (192, 3)

        Setting().rehearse(Scripted(body))
        assert sum(sizes) == 64


def test_compute_restores_modes_and_generators_and_keeps_no_gradient():
    def body(run):
        m = run.build()
        m.net.stages[0][4].eval()
        before = tensors(m)
        out = run.compute(lambda x: torch.dropout(m.net(x), 0.5, True), torch.arange(5), m.net)
        assert not out.requires_grad
        assert (m.net.training, m.net.stages[0][4].training) == (True, False)
        assert all(torch.equal(before[key], value) for key, value in tensors(m).items())

    Setting().fit(Scripted(body))


def test_compute_over_nothing_has_the_right_width():
    def body(run):
        m = run.build()
        assert run.compute(m.net, NONE).shape == (0, 3)

    Setting().fit(Scripted(body))


def test_outline_takes_saved_tensors():
    fitted = Setting().fit(SCHEME)
    pool, _, task, makers, _ = Setting().parts()
    again = outline(SCHEME, pool, task, makers, Seeds(99))
    restore(again.modules, tensors(fitted.modules))
    ids = torch.arange(48)
    mine, theirs = (one.run.compute(one.modules.net, ids) for one in (fitted, again))
    assert torch.equal(mine, theirs)


def test_progress_is_told_once_an_epoch():
    told = []
    Setting().fit(Supervised(epochs=3, batch=9), progress=lambda *what: told.append(what))
    assert told == [("fit", 2, 6), ("fit", 4, 6), ("fit", 6, 6)]


def test_modules_end_in_eval_mode_and_nothing_is_left_open():
    fitted = Setting().fit(SCHEME)
    assert not any(module.training for module in fitted.modules.net.modules())
    assert not fitted.run.streams
    assert not fitted.run.updates
    assert all(parameter.grad is None for parameter in fitted.modules.net.parameters())


class TestRefusals:
    def test_unknown_draws(self):
        with pytest.raises(
            UnknownName,
            match=r"^unknown draw 'labeled': did you mean 'labelled'\? Known: labelled, unlabelled, validation$",
        ):
            Setting().fit(Scripted(lambda run: run.stream("labeled", 4)))

    def test_undeclared_reading(self):
        class Narrow(Supervised):
            def train(self, run):
                run.draw("validation")

        with pytest.raises(UndeclaredNeed, match=r"read 'validation' items but `reads` does not declare them$"):
            Setting().fit(Narrow())

    def test_a_phase_of_the_same_name(self):
        def body(run):
            for _ in range(2):
                list(run.clock("fit", 1))

        with pytest.raises(InputError, match=r"^phase 'fit' ran already: give each phase of a fit its own name$"):
            Setting().fit(Scripted(body))

    def test_impossible_lengths(self):
        with pytest.raises(
            InputError,
            match=r"^phase 'fit' has length -1 and epoch 50: allowed are lengths from 0 and epochs from 1$",
        ):
            Setting().fit(Scripted(lambda run: list(run.clock("fit", -1))))

    def test_changes_of_a_child(self):
        with pytest.raises(UnknownName, match=r"^unknown change of a child run 'labeled': did you mean 'labelled'\?"):
            Setting().fit(Scripted(lambda run: run.child("a", labeled=NONE)))

    def test_two_children_of_one_name(self):
        def body(run):
            run.child("a")
            run.child("a")

        with pytest.raises(InputError, match=r"^child run 'a' exists already: give each its own name$"):
            Setting().fit(Scripted(body))


def test_vectors_cannot_be_flipped():
    pool = FakePool(blobs()[0].flatten(1))
    _, job, task, _, seeds = Setting().parts()
    makers = {"net": lambda: nn.Linear(16, 3)}
    with pytest.raises(InputError, match=r"^augmentation 'flip' changes images and these items are of kind 'vector'$"):
        fit(Supervised(augment=("flip",)), pool, job, task, makers, seeds)


def test_no_label_of_the_unlabelled_can_be_reached():
    """A run holds targets of labelled and validation items, and nothing else that depends on the hidden classes."""

    def body(run):
        assert run.draw("unlabelled").y is None
        assert run.stream("free", 4, "unlabelled").next().y is None

    Setting().fit(Scripted(body))
    assert Classification(CLASSES).outputs == 3


def test_a_nested_phase_is_part_of_its_tick():
    """A child fit inside a tick starts over with its tick when a fit is resumed."""

    def body(run):
        m = run.build()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.05)
        for tick in run.clock("outer", 4):
            child = run.child("inner")
            Supervised(steps=3).train(child)
            update(plain_loss, run, rows.next())
            run.act("blend", m.net.head.weight.lerp_, child.m.net.head.weight.detach(), 0.1 + 0.01 * tick.step)

    whole = Setting().fit(Scripted(body))
    for after in range(0, 16, 3):
        paused = Setting().fit(Scripted(body), pause_after=after).paused
        part = Setting().fit(Scripted(body), resume=paused)
        assert torch.equal(whole.modules.net.head.weight, part.modules.net.head.weight)
