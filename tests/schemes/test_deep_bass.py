"""DeepBASS: who is taken in, who is let go, what the labels weigh, and that it learns from its own labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from scheme_parts import accuracy, digits, job, some, trained

from askwell.core.seeds import Seeds
from askwell.errors import InputError, UnmetNeeds
from askwell.models import MLP
from askwell.schemes import DeepBASS, Supervised
from askwell.schemes.deep_bass import DeepBASS as Scheme
from askwell.schemes.pseudo import PseudoLabels
from askwell.tasks import Regression
from askwell.testing.toys import toy
from askwell.training import fit
from askwell.training.tensors import tensors

SHORT = DeepBASS(epochs=3, batch=64, lr=2e-3, iterations=3, copies=2, labelled_draws=20)
NONE = torch.empty(0, dtype=torch.int64)


def entropies(monkeypatch, *values):
    """Look t finds the labelled items at entropy .5 and the unlabelled ones at values[t]."""

    def mean(self, run, ids, draws, turn):
        wanted = 0.5 if draws == self.labelled_draws else values[turn]
        return distribution(wanted).expand(len(ids), 10)

    monkeypatch.setattr(Scheme, "_mean", mean)


def distribution(entropy):
    """Ten probabilities of this entropy, the first of them the largest."""
    low, high = 0.1, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) / 9
        value = -sum(p * torch.tensor(p).log().item() for p in [middle] + [rest] * 9 if p > 0)
        low, high = (middle, high) if value > entropy else (low, middle)
    return torch.tensor([low] + [(1 - low) / 9] * 9)


def held(fitted):
    return fitted.modules.pseudo.labels


class TestThreshold:
    def test_nothing_is_taken_where_all_are_less_sure(self, monkeypatch):
        entropies(monkeypatch, 0.51, 0.9, 2.0)
        assert len(held(trained(SHORT, some()))) == 0

    def test_one_as_sure_as_the_labels_is_not_taken(self, monkeypatch):
        entropies(monkeypatch, 0.5, 0.5, 0.5)
        assert len(held(trained(SHORT, some(n=1)))) == 0

    def test_everything_is_taken_where_all_are_surer(self, monkeypatch):
        entropies(monkeypatch, 0.1, 0.1, 0.1)
        fitted = trained(SHORT, some())
        assert torch.equal(held(fitted).ids, torch.arange(60, 160))
        assert fitted.report.notes["pseudo"] == [100, 100, 100]

    @pytest.mark.parametrize(("revoke", "there"), [(False, [1, 1, 1]), (True, [1, 0, 1])])
    def test_the_worked_example_of_revoking(self, monkeypatch, revoke, there):
        """Entropies .2, .6, .3 against a threshold of .5."""
        entropies(monkeypatch, 0.2, 0.6, 0.3)
        given = some(unlabelled=1)
        assert trained(replace(SHORT, revoke=revoke), given).report.notes["pseudo"] == there

    def test_a_revoking_set_depends_on_the_current_net_alone(self):
        scheme = replace(SHORT, revoke=True)
        fitted = trained(scheme, some())
        found = []
        for before in (held(fitted), PseudoLabels.none()):
            fitted.run.act("hold", fitted.modules.pseudo.hold, before)
            scheme.look(fitted.run, turn=9)
            found.append(held(fitted))
        assert len(found[0])
        assert all(torch.equal(getattr(found[0], name), getattr(found[1], name)) for name in ("ids", "y"))


class TestLabels:
    def test_they_are_never_overwritten(self):
        fitted = trained(replace(SHORT, iterations=6), some())
        assert not set(held(fitted).ids.tolist()) & set(range(40))
        everything = SHORT._everything(fitted.run)
        labelled = everything.ids < 40
        assert torch.equal(everything.y[labelled], digits()[1][:40].repeat(2))

    def test_an_answer_replaces_a_pseudo_label_at_once(self, monkeypatch):
        entropies(monkeypatch, *[0.1] * 9)
        first = trained(SHORT, some())
        y = digits()[1]
        more, rest = torch.cat([torch.arange(40), torch.arange(60, 70)]), torch.arange(70, 160)
        given = job(more, rest, NONE, previous=tensors(first.modules), round=1)
        second = trained(SHORT, given)
        assert torch.equal(held(second).ids, rest)
        everything = SHORT._everything(second.run)
        assert torch.equal(everything.y[everything.ids == 60], y[60].repeat(2))

    def test_it_does_so_in_a_round_whose_net_may_take_nothing_in(self, monkeypatch):
        entropies(monkeypatch, *[0.1] * 9)
        first = trained(SHORT, some())
        rest, validation = torch.arange(70, 160), torch.arange(50, 60)
        more = torch.cat([torch.arange(50), torch.arange(60, 70)])
        given = job(more, rest, validation, previous=tensors(first.modules), round=1)
        second = trained(replace(SHORT, start=1.0), given)
        assert torch.equal(held(second).ids, rest)
        assert second.report.notes["pseudo"] == [90, 90, 90]

    def test_each_comes_so_often_in_a_pass(self, monkeypatch):
        entropies(monkeypatch, *[0.1] * 3)
        scheme = replace(SHORT, copies=5)
        everything = scheme._everything(trained(scheme, some()).run)
        counts = torch.bincount(everything.ids, minlength=160)
        assert counts[:40].eq(5).all()
        assert counts[40:60].eq(0).all()
        assert counts[60:].eq(1).all()


class TestSchedule:
    def test_passes_cover_all_that_is_held(self, monkeypatch):
        """Labels: 3 passes over 2·40 rows of 64 a step. Then three passes over 80 + 100 rows."""
        entropies(monkeypatch, *[0.1] * 3)
        fitted = trained(SHORT, some(), record=True)
        phases = [event[1:] for event in fitted.run.session.events if event[0] == "phase"]
        assert [(name, facts["length"]) for name, facts in phases] == [
            ("labels", 6), ("pass 0", 3), ("pass 1", 3), ("pass 2", 3),
        ]  # fmt: skip
        assert fitted.report.updates == {"task": 15}

    def test_a_pass_covers_all_where_the_labels_are_fewer_than_a_batch(self, monkeypatch):
        """Steps of 2·40 rows, since there are no more labels: three for 80 + 100 rows."""
        entropies(monkeypatch, *[0.1] * 3)
        fitted = trained(replace(SHORT, batch=256), some(), record=True)
        phases = [event[1:] for event in fitted.run.session.events if event[0] == "phase"]
        assert [facts["length"] for _, facts in phases] == [3, 3, 3, 3]
        assert fitted.run.session.opened["streams"]["labelled"]["size"] == 80

    def test_later_rounds_go_on_from_the_last(self):
        first = trained(SHORT, some())
        later = trained(replace(SHORT, iterations=0), some(previous=tensors(first.modules), round=1))
        assert later.report.steps == 0
        mine, theirs = tensors(first.modules), tensors(later.modules)
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)

    def test_steps_are_the_most_that_a_fit_takes(self):
        assert trained(replace(SHORT, epochs=None, steps=9), some()).report.steps == 9

    def test_a_start_waits_for_validation_accuracy(self):
        never = trained(replace(SHORT, start=1.0, iterations=2), some())
        assert never.report.notes["pseudo"] == [0, 0]
        assert trained(replace(SHORT, start=0.01, iterations=2), some()).report.notes["pseudo"][-1] > 0

    def test_paused_anywhere_it_ends_with_the_same_weights(self):
        whole = trained(SHORT, some())
        for after in (3, 7, 9):
            part = trained(SHORT, some(), resume=trained(SHORT, some(), pause_after=after).paused)
            mine, theirs = tensors(whole.modules), tensors(part.modules)
            assert all(torch.equal(mine[key], theirs[key]) for key in mine)
            assert whole.report == part.report


def test_without_passes_and_copies_it_is_plain_training_bit_for_bit():
    numbers = {"epochs": 4, "batch": 16, "lr": 1e-3, "kind": "adam", "schedule": "constant", "weight_decay": 1e-3}
    plain = trained(Supervised(**numbers), some())
    alone = trained(DeepBASS(**numbers, iterations=0, copies=1), some())
    mine, theirs = tensors(plain.modules), tensors(alone.modules)
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_what_it_takes_in_is_nearly_always_right():
    """Digits, 40 labels: of the unlabelled ones it takes in some hundred, of the classes that it is sure of."""
    scheme = DeepBASS(epochs=20, batch=64, iterations=4, labelled_draws=50)
    fitted = trained(scheme, job(torch.arange(40), torch.arange(40, 1000), NONE), model=MLP(width=64))
    labels = held(fitted)
    assert len(labels) > 100
    assert labels.purity(digits()[1][labels.ids]) > 0.9
    assert accuracy(fitted, torch.arange(1000, 1797)) > 0.7


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match=r"^copies of scheme DeepBASS must be at least 1, got 0$"):
        DeepBASS(copies=0)
    with pytest.raises(InputError, match=r"^iterations of scheme DeepBASS must be at least 0, got -1$"):
        DeepBASS(iterations=-1)
    with pytest.raises(InputError, match=r"^scheme DeepBASS needs epochs or steps, got neither$"):
        DeepBASS(epochs=None)
    with pytest.raises(InputError, match=r"^scheme DeepBASS takes a fixed number of passes at one rate: "):
        DeepBASS(stop=("reached", "accuracy", 0.9))
    problem = toy("vector", task="regression")
    makers = {"net": lambda: MLP(width=8).build(problem.pool.form, 1)}
    with pytest.raises(UnmetNeeds, match=r"^scheme deep_bass needs one class per item, and task Regression"):
        fit(SHORT, problem.pool, problem.job(), Regression(), makers, Seeds(0))
