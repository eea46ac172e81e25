"""Averages of weights and stops."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from training_parts import Scripted, Setting, plain_loss

from askwell.errors import InputError, UnknownName
from askwell.training.average import check_average, follow, rate
from askwell.training.measure import measure
from askwell.training.stops import Patience, Reached, stop_of
from askwell.training.tensors import tensors


def test_every_floating_tensor_follows_and_integers_are_copied():
    one, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    other(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    follow(one, other, 0.5)
    assert torch.allclose(one.running_mean, 0.5 * other.running_mean)
    assert torch.allclose(one.running_var, 0.5 + 0.5 * other.running_var)
    assert one.num_batches_tracked == 1


def test_ema_is_the_weighted_sum_of_all_weights():
    average, net = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(average.weight, 1.0)
    for step, value in enumerate((2.0, 4.0)):
        nn.init.constant_(net.weight, value)
        follow(average, net, rate(("ema", 0.9), step, 2))
    assert average.weight.item() == pytest.approx(0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 4)


def test_swa_is_the_mean_of_the_last_part():
    average, net = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    for step in range(8):
        nn.init.constant_(net.weight, float(step))
        follow(average, net, rate(("swa", 0.5), step, 8))
    assert average.weight.item() == pytest.approx((4 + 5 + 6 + 7) / 4)


def test_numbers_outside_the_range():
    with pytest.raises(
        InputError,
        match=r"^average \('ema', 1\) must be \('ema', decay\) or \('swa', start\) with a number in \[0, 1\)$",
    ):
        check_average(("ema", 1))


def scripted_metric(values, stop, epochs=12):
    """A fit whose metric follows a script, one value per epoch; returns steps taken and the weights at each."""
    seen = []

    def body(run):
        m = run.build()
        rows, update = run.stream("labelled", 8), run.update("task", m.net, lr=0.1)
        script = iter(values)

        def ask(run, epoch):
            seen.append(tensors(m))
            real = run.task.metrics
            object.__setattr__(run.task, "metrics", lambda *_: {"script": next(script)})
            try:
                return stop(run, epoch)
            finally:
                object.__setattr__(run.task, "metrics", real)

        for _ in run.clock("fit", epochs, epoch=1, stop=ask):
            update(plain_loss, run, rows.next())

    return Setting().fit(Scripted(body)), seen


def test_patience_waits_and_ends_with_the_best():
    fitted, seen = scripted_metric([0.1, 0.5, 0.4, 0.45, 0.3, 0.9], Patience("script", 3))
    assert fitted.report.steps == 5
    assert all(torch.equal(seen[1][key], value) for key, value in tensors(fitted.modules).items())


def test_patience_ends_with_the_best_even_when_the_length_ends_it():
    fitted, seen = scripted_metric([0.1, 0.5, 0.4], Patience("script", 9), epochs=3)
    assert fitted.report.stopped == ""
    assert all(torch.equal(seen[1][key], value) for key, value in tensors(fitted.modules).items())


def test_reached_wants_it_so_many_times_running():
    assert scripted_metric([0.9, 1.0, 0.5, 1.0, 1.0, 1.0], Reached("script", 0.99, 2))[0].report.steps == 5


def test_less_is_better_for_losses():
    def body(run):
        run.build()
        loss = measure(run, "loss", "labelled")
        assert Reached("loss", loss + 0.1)(run, 0)
        assert not Reached("loss", loss - 0.1)(run, 0)
        assert 0 <= measure(run, "accuracy", "validation") <= 1
        assert measure(run, "nll", "labelled") == pytest.approx(loss, abs=1e-4)

    Setting().fit(Scripted(body))


def test_accuracy_is_the_tasks_accuracy():
    def body(run):
        m = run.build()
        labelled = run.draw("labelled")
        outputs = run.compute(m.net, labelled.ids)
        wanted = run.task.metrics(run.task.predict(outputs), labelled.y)["accuracy"]
        assert measure(run, "accuracy", "labelled") == pytest.approx(wanted)

    Setting().fit(Scripted(body))


def test_unknown_metrics_and_stops():
    def body(run):
        run.build()
        measure(run, "acuracy", "labelled")

    with pytest.raises(UnknownName, match=r"^unknown metric 'acuracy': did you mean 'accuracy'\? Known: "):
        Setting().fit(Scripted(body))
    with pytest.raises(UnknownName, match=r"^unknown stop 'patient': did you mean 'patience'\?"):
        stop_of(("patient",))
    assert stop_of(()) is None
