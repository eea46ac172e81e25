"""The ten pitfalls of training, each as something that the kit refuses or survives. Sign tests are with the schemes."""

from __future__ import annotations

import random
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import nn
from training_parts import NONE, Scripted, Setting, net, plain_loss, same

from askwell.core.scheme import Draw
from askwell.errors import AskwellError, InputError
from askwell.schemes import Supervised
from askwell.training import weighted_mean
from askwell.training.stops import Patience
from askwell.training.tensors import tensors


def trained(run, name="task", steps=4, **options):
    """The plainest fit."""
    m = run.build()
    rows, update = run.stream(name, 8, "labelled"), run.update(name, m.net, lr=0.05, **options)
    for _ in run.clock(name, steps):
        update(plain_loss, run, rows.next())


class TestOneStreamPerUse:
    def test_a_second_stream_of_the_same_name_is_refused(self):
        def body(run):
            run.stream("labelled", 4)
            run.stream("labelled", 4)

        with pytest.raises(InputError, match=r"^stream 'labelled' is open already: give each use its own name$"):
            Setting().fit(Scripted(body))

    def test_streams_of_one_draw_do_not_move_each_other(self):
        seen = {}

        def body(run, both):
            one, other = run.stream("one", 5, "labelled"), run.stream("other", 5, "labelled")
            seen[both] = []
            for _ in range(9):
                seen[both].append(one.next().ids)
                if both:
                    seen.setdefault("other", []).append(other.next().ids)

        for both in (False, True):
            Setting().fit(Scripted(lambda run, both=both: body(run, both)))
        assert torch.equal(torch.cat(seen[False]), torch.cat(seen[True]))
        assert not torch.equal(torch.cat(seen[True]), torch.cat(seen["other"][-9:]))


class TestGlobalGenerators:
    @pytest.mark.parametrize(
        ("name", "draw"), [("torch", lambda: torch.rand(1)), ("numpy", np.random.rand), ("random", random.random)]
    )
    def test_a_scheme_that_moves_one_is_refused(self, name, draw):
        with pytest.raises(AskwellError) as caught:
            Setting().fit(Scripted(lambda run: draw()))
        assert str(caught.value) == (
            f"scheme 'training_parts:Scripted' moved the global generator of {name}: "
            "draw from `run.seeds`, or inside an update or an act"
        )

    def test_building_training_and_augmenting_move_none(self):
        before = torch.get_rng_state()
        Setting().fit(Supervised(steps=6, augment=("shift", "flip", "cutout")))
        assert torch.equal(before, torch.get_rng_state())

    def test_the_name_decides_the_initial_weights_not_the_order(self):
        made = []
        for names in (("one", "two"), ("two", "one")):
            fitted = Setting().fit(Scripted(lambda run, names=names: run.build(**dict.fromkeys(names, net))))
            made.append(tensors(fitted.modules))
        assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])
        assert not torch.equal(made[0]["one.head.weight"], made[0]["two.head.weight"])


class TestOwnOptimiser:
    def test_weights_that_move_outside_updates_are_refused(self):
        def body(run):
            m = run.build()
            rows, optimiser = run.stream("labelled", 8), torch.optim.SGD(m.net.parameters(), lr=0.1)
            for _ in run.clock("fit", 4):
                plain_loss(run, rows.next()).backward()
                optimiser.step()

        with pytest.raises(AskwellError) as caught:
            Setting(maker=lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3))).fit(Scripted(body))
        assert str(caught.value) == (
            "'net.1.weight' changed outside an update or act: weights and buffers move only inside them"
        )

    def test_steps_mean_updates(self):
        report = Setting().fit(Scripted(trained)).report
        assert (report.steps, report.updates) == (4, {"task": 4})


class TestFreezing:
    @pytest.mark.parametrize("judge", [nn.BatchNorm1d(3), nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))])
    def test_gradients_flow_through_a_frozen_module_and_nothing_of_it_moves(self, judge):
        kept = {}

        def body(run):
            m = run.build(judge=lambda: judge)
            rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)
            kept.update(before=tensors(m))

            def through(x):
                return m.judge(m.net(x)).square().sum() / len(x)

            for _ in run.clock("fit", 3):
                update(through, rows.next().x)
            kept.update(after=tensors(m), grads=[p.grad for p in m.judge.parameters()])

        Setting().fit(Scripted(body))
        moved = {key for key in kept["before"] if not torch.equal(kept["before"][key], kept["after"][key])}
        assert moved
        assert all(key.startswith("net.") for key in moved)
        assert {"net.head.weight", "net.stages.0.2.running_mean"} <= moved
        assert kept["grads"] == [None] * len(kept["grads"])

    def test_a_kept_teacher_in_train_mode_does_not_move_either(self):
        def body(run):
            m = run.build()
            run.keep("teacher")
            before = tensors(run.saved["teacher"])
            rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)
            for _ in run.clock("fit", 3):
                update(lambda x: (m.net(x) - run.saved["teacher"].net(x)).square().mean(), rows.next().x)
            after = tensors(run.saved["teacher"])
            assert all(torch.equal(before[key], after[key]) for key in before)

        Setting().fit(Scripted(body))


class TestLocalState:
    def test_what_is_in_memory_survives_a_pause_and_what_is_local_does_not(self):
        def body(run):
            run.build()
            local = 0
            for tick in run.clock("fit", 6):
                local += tick.step
                run.memory["kept"] = run.memory.get("kept", 0) + tick.step
            run.report.notes.update(local=local, kept=run.memory["kept"])

        paused = Setting().fit(Scripted(body), pause_after=3).paused
        notes = Setting().fit(Scripted(body), resume=paused).report.notes
        assert notes == {"local": 12, "kept": 15}


class TestReplacedHead:
    def test_an_update_that_trains_the_old_head_is_refused(self):
        def body(run):
            m = run.build()
            rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)

            def replace():
                m.net.head = nn.Linear(8, 3)

            run.act("new head", replace)
            for _ in run.clock("fit", 2):
                update(plain_loss, run, rows.next())

        with pytest.raises(AskwellError) as caught:
            Setting().fit(Scripted(body))
        assert str(caught.value) == (
            "update 'task' still trains parameters that its modules no longer have: "
            "open a new update after replacing a layer"
        )

    def test_a_module_is_not_built_over_another(self):
        def body(run):
            run.build(helper=net)
            run.build(helper=net)

        with pytest.raises(
            InputError, match=r"^module 'helper' is built already: call `run\.fresh\(\)` first, or give another name$"
        ):
            Setting().fit(Scripted(body))

    def test_moments_do_not_outlive_fresh(self):
        def body(run):
            trained(run, "first")
            run.keep("first")
            run.fresh()
            m = run.build(("saved", "first"))
            assert not run.update("second", m.net, lr=0.1).optimiser.state

        Setting().fit(Scripted(body))


def test_best_weights_are_copies():
    seen = []

    def body(run):
        m = run.build()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.5)
        for tick in run.clock("fit", 40, epoch=2, stop=Patience("loss", 2, "labelled")):
            if tick.step % 2 == 0:
                seen.append(tensors(m))
            update(plain_loss, run, rows.next())
            if run.memory.get("stop", {}).get("epoch") == 1:
                run.act("spoil", m.net.head.weight.fill_, 100.0)

    fitted = Setting().fit(Scripted(body))
    assert fitted.report.stopped == ("fit: Patience(metric='loss', epochs=2, over='labelled') after 8 steps")
    final, best = tensors(fitted.modules), seen[-2]
    assert all(torch.equal(final[key], best[key]) for key in final)
    assert "best" not in fitted.run.saved


class TestEmptyDraws:
    def test_the_loss_is_zero_with_a_graph_and_nothing_moves(self):
        def body(run):
            m = run.build()
            nothing, update = run.stream("nothing", 8, Draw(NONE, NONE)), run.update("task", m.net, lr=0.1)
            before, place = tensors(m), nothing.state()["generators"]
            for _ in run.clock("fit", 3):
                rows = nothing.next()
                assert (len(rows), rows.x.shape) == (0, (0, 1, 4, 4))
                update(plain_loss, run, rows)
            assert all(torch.equal(before[key], value) for key, value in tensors(m).items())
            assert all(torch.equal(*pair) for pair in zip(place, nothing.state()["generators"], strict=True))

        report = Setting().fit(Scripted(body)).report
        assert report.losses == {"task": 0.0}

    def test_a_mask_of_zeros_gives_a_zero_gradient(self):
        losses = torch.ones(4, requires_grad=True)
        mean = weighted_mean(losses, torch.zeros(4))
        mean.backward()
        assert mean == 0
        assert torch.equal(losses.grad, torch.zeros(4))

    def test_no_labels_mean_no_steps(self):
        setting = Setting(job_changes={"labelled": NONE, "targets": NONE})
        assert setting.fit(Supervised()).report.steps == 0


def test_lengths_come_from_frozen_facts():
    def body(run):
        with pytest.raises(FrozenInstanceError):
            run.facts.n_labelled = 3

    Setting().fit(Scripted(body))
    assert Setting().fit(Supervised(epochs=3, batch=4, stop=())).report.steps == 3 * 5


def test_the_same_settings_and_a_child_give_different_seeds():
    def body(run):
        for name in ("a", "b"):
            child = run.child(name)
            trained(child)
            setattr(run.m, name, child.m.net)

    fitted = Setting().fit(Scripted(body))
    assert fitted.report.updates == {"a/task": 4, "b/task": 4}
    assert fitted.report.steps == 8
    assert not same(fitted, Setting(seed=9).fit(Scripted(body)), "a")
    assert not torch.equal(fitted.modules.a.head.weight, fitted.modules.b.head.weight)
