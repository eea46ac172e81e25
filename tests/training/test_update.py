"""Updates: what they refuse, how they step, and the precision they work in."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from training_parts import Scripted, Setting, plain_loss

from askwell.errors import BadShape, Diverged, InputError, UnknownName
from askwell.training.schedule import factor


def once(loss, steps=1, **options):
    """A fit whose update minimises `loss(net, x)`; returns the run's net weights before and after."""
    seen = []

    def body(run):
        m = run.build()
        rows = run.stream("labelled", 8)
        update = run.update("task", m.net, **{"lr": 0.1, **options})
        seen[:] = [[p.detach().clone() for p in m.net.parameters()]]
        for _ in run.clock("fit", steps):
            update(lambda x: loss(m.net, x), rows.next().x)
        seen.append([p.detach().clone() for p in m.net.parameters()])

    fitted = Setting().fit(Scripted(body))
    return fitted, *seen


def test_a_loss_that_is_no_number_names_update_and_step():
    calls = []

    def loss(net, x):
        calls.append(1)
        return net(x).sum() * (float("nan") if len(calls) == 3 + 1 + 3 else 1.0)

    with pytest.raises(Diverged) as caught:
        once(loss, steps=9)
    assert str(caught.value) == (
        "training diverged: update 'task' had loss nan at step 3; lower its learning rate (lr)"
    )
    assert (caught.value.update, caught.value.step) == ("task", 3)


@pytest.mark.parametrize(
    ("loss", "error", "text"),
    [
        (lambda net, x: net(x).sum(1), BadShape, "the loss of update 'task' has shape (8,): return a scalar"),
        (
            lambda net, x: x.sum(),
            InputError,
            "the loss of update 'task' does not depend on the modules that it trains",
        ),
    ],
)
def test_losses_that_are_refused(loss, error, text):
    with pytest.raises(error) as caught:
        once(loss)
    assert str(caught.value) == text


def test_unknown_optimisers():
    with pytest.raises(UnknownName, match=r"^unknown optimiser 'adm': did you mean 'adam'\? Known: "):
        once(lambda net, x: net(x).sum(), kind="adm")


def test_nothing_to_train():
    with pytest.raises(
        InputError, match=r"^update 'none' has nothing to train: its modules have no trainable parameters$"
    ):
        Setting().fit(Scripted(lambda run: run.update("none", nn.ReLU(), lr=1.0)))


def test_clipping_bounds_the_step():
    _, before, after = once(lambda net, x: 1e6 * net(x).square().sum(), kind="sgd", lr=1.0, clip=0.5)
    moved = torch.cat([(b - a).flatten() for b, a in zip(before, after, strict=True)]).norm()
    assert moved == pytest.approx(0.5, rel=1e-3)


def test_the_schedule_scales_the_step():
    _, before, after = once(lambda net, x: net.head.bias.sum(), steps=4, kind="sgd", schedule=("cosine", 4))
    wanted = -0.1 * sum(factor(("cosine", 4), step) for step in range(4))
    assert torch.allclose(after[-1] - before[-1], torch.full((3,), wanted))


def test_drop_takes_a_tenth_after_every_part():
    assert [factor(("drop", 8), step) for step in range(0, 8, 2)] == pytest.approx([1, 0.1, 0.01, 0.001])


def test_unknown_schedules():
    with pytest.raises(UnknownName, match=r"^unknown schedule 'cosin': did you mean 'cosine'\?"):
        factor(("cosin",), 0)


def test_frozen_parameters_of_its_own_modules_stay():
    def body(run):
        m = run.build()
        m.net.head.requires_grad_(False)
        before = m.net.head.weight.clone()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)
        for _ in run.clock("fit", 2):
            update(plain_loss, run, rows.next())
        assert torch.equal(before, m.net.head.weight)

    Setting().fit(Scripted(body))


def test_bfloat16_keeps_weights_in_float32():
    kinds = set()

    def body(run):
        m = run.build()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)

        def loss(given):
            outputs = m.net(given.x)
            kinds.add(outputs.dtype)
            return run.task.loss(outputs.float(), given.y).mean()

        for _ in run.clock("fit", 2):
            update(loss, rows.next())
        kinds.add(("computed", run.compute(m.net, rows.next().ids).dtype))

    fitted = Setting().fit(Scripted(body), precision="bfloat16")
    assert kinds == {torch.bfloat16, ("computed", torch.float32)}
    assert fitted.modules.net.head.weight.dtype == torch.float32


def test_unknown_precision():
    with pytest.raises(
        UnknownName, match=r"^unknown precision 'float61': did you mean 'bfloat16'\? Known: bfloat16, float32$"
    ):
        Setting().fit(Scripted(lambda run: None), precision="float61")


def test_updates_take_few_calls_beside_the_loss():
    """The kit's overhead in steps: one forward, one backward, one optimiser step per update, nothing else."""
    calls = {"forward": 0, "step": 0}

    def body(run):
        m = run.build()
        m.net.register_forward_hook(lambda *_: calls.__setitem__("forward", calls["forward"] + 1))
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)
        update.optimiser.register_step_post_hook(lambda *_: calls.__setitem__("step", calls["step"] + 1))
        for _ in run.clock("fit", 20):
            update(plain_loss, run, rows.next())

    Setting().fit(Scripted(body))
    assert calls == {"forward": 20 + 3, "step": 20 + 3}
