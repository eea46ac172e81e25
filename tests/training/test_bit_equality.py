"""The same fit, however it is run, ends with the same bits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from training_parts import Scripted, Setting, plain_loss, same

from askwell.core.scheme import Draw
from askwell.errors import InputError
from askwell.schemes import Supervised
from askwell.training.stops import Patience

SCHEMES = {
    "plain": Supervised(steps=12, stop=()),
    "stopped": Supervised(steps=120, stop=("reached", "accuracy", 0.9), lr=0.01),
    "all": Supervised(
        steps=60,
        stop=("patience", "nll", 1),
        average=("ema", 0.9),
        augment=("shift", "flip", "cutout"),
        kind="sgd",
        lr=0.1,
        schedule="cosine",
        warm_up=4,
        class_weights="balanced",
    ),
}


def phases(run):
    """Two phases around a fresh start, a memory, pseudo-labels made between them, and two members as children."""
    m = run.build()
    first, update = run.stream("labelled", 8), run.update("first", m.net, lr=0.01)
    for tick in run.clock("first", 7, epoch=3, stop=Patience("loss", 1, "labelled")):
        update(plain_loss, run, first.next())
        run.memory["seen"] = run.memory.get("seen", 0) + tick.step
    ids = run.stream("peek", 5, "unlabelled").next().ids
    guess = run.compute(m.net, ids, m.net).argmax(1)
    run.keep("first")
    run.fresh()
    m = run.build(("saved", "first"), helper=lambda: nn.Linear(2, 2))
    rows = run.stream("labelled", 8, Draw(ids, guess))
    update = run.update("second", m.net, lr=0.01 * (1 + run.memory["seen"]))
    for _ in run.clock("second", 5):
        update(plain_loss, run, rows.next())
        run.act("noise", lambda: m.helper.weight.add_(torch.randn(2, 2)))
    for member in range(2):
        child = run.child(f"member-{member}")
        Supervised(steps=4, stop=()).train(child)
        setattr(run.m, f"member_{member}", child.m.net)


SCHEMES["phases"] = Scripted(phases)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
class TestEveryScheme:
    def test_repeats(self, scheme):
        one, other = Setting().fit(scheme), Setting().fit(scheme)
        assert same(one, other)
        assert one.report == other.report

    def test_recording_changes_nothing(self, scheme):
        assert same(Setting().fit(scheme), Setting().fit(scheme, record=True))

    def test_another_seed_changes_the_net(self, scheme):
        assert not same(Setting().fit(scheme), Setting(seed=8).fit(scheme), "net")

    @settings(max_examples=5, deadline=None)
    @given(first=st.integers(0, 22), second=st.integers(1, 22))
    def test_pause_and_resume(self, scheme, first, second):
        whole = Setting().fit(scheme)
        part = Setting().fit(scheme, pause_after=first)
        for more in (second, None):
            if part.paused is not None:
                part = Setting().fit(scheme, pause_after=more, resume=part.paused)
        assert part.paused is None
        assert same(whole, part)
        assert whole.report == part.report
        assert whole.run.memory == part.run.memory


def test_one_pause_resumes_as_often_as_wanted():
    scheme = SCHEMES["all"]
    paused = Setting().fit(scheme, pause_after=9).paused
    assert same(Setting().fit(scheme, resume=paused), Setting().fit(scheme, resume=paused))


def test_a_pause_of_another_fit_is_refused():
    paused = Setting().fit(SCHEMES["plain"], pause_after=3).paused
    with pytest.raises(InputError, match=r"^cannot resume: the paused fit was of another scheme, job or precision$"):
        Setting().fit(SCHEMES["all"], resume=paused)


def test_a_second_task_beside_it_leaves_the_net_as_it_was():
    """One stream per use and one random stream per update: what happens beside the net does not touch its bits."""

    def body(run, beside):
        m = run.build(**({"other": Setting().maker} if beside else {}))
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.01)
        if beside:
            others, second = run.stream("others", 8, "labelled"), run.update("beside", m.other, lr=0.1)
        for _ in run.clock("fit", 9):
            update(plain_loss, run, rows.next())
            if beside:
                second(plain_loss, run, others.next(), "other")
                run.act("noise", lambda: m.other.head.bias.normal_())

    alone, together = (Setting().fit(Scripted(lambda run, b=b: body(run, b))) for b in (False, True))
    assert same(alone, together, "net")


def test_an_empty_draw_beside_it_leaves_the_net_as_it_was():
    """No pseudo-labels is plain training, bit for bit."""

    def body(run, beside):
        m = run.build()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.01)
        nothing = run.stream("pseudo", 8, Draw(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)))

        def loss(given, pseudo):
            return plain_loss(run, given) + (plain_loss(run, pseudo) if beside else 0)

        for _ in run.clock("fit", 9):
            update(loss, rows.next(), nothing.next())

    alone, together = (Setting().fit(Scripted(lambda run, b=b: body(run, b))) for b in (False, True))
    assert same(alone, together)
