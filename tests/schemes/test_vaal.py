"""VAAL: its order, its signs, what each update may move, and that it finds what is not labelled."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from scheme_parts import digits, job, some, trained

from askwell.core.needs import Need
from askwell.core.pool import Form
from askwell.core.scheme import Outputs
from askwell.core.view import View
from askwell.errors import InputError
from askwell.functional.adversarial import fooling, telling
from askwell.functional.vae import divergence
from askwell.models.vae import ConvVAE, MlpVAE, vae_for
from askwell.schemes import VAAL, Supervised
from askwell.strategies.latent_score import LatentScore
from askwell.training.tensors import tensors

SHORT = VAAL(steps=5, pairs=16)


def used(fitted, *kinds):
    return [event[1] for event in fitted.run.session.events if event[0] in kinds]


def test_each_step_is_task_vae_vae_disc():
    fitted = trained(SHORT, some(), record=True)
    assert used(fitted, "update") == ["task", "vae", "vae", "disc"] * 5
    assert used(fitted, "next", "update")[:8] == [
        "labelled", "task", "pair", "unlabelled", "vae", "pair", "unlabelled", "vae",
    ]  # fmt: skip
    assert fitted.report.updates == {"task": 5, "vae": 10, "disc": 5}


@pytest.mark.parametrize(("steps", "moves"), [(("task",), "net"), (("vae",), "vae"), (("disc",), "disc")])
def test_an_update_moves_its_own_module_alone(steps, moves):
    run = trained(SHORT, some()).run
    m = run.m
    rows = run.stream("rows", 8, "labelled").next()
    u = run.stream("u", 8, "unlabelled").next()
    losses = {
        "task": (SHORT.loss, run, rows),
        "vae": (SHORT.vae_loss, run, rows, u),
        "disc": (SHORT.disc_loss, run, rows, u),
    }
    for module in vars(m).values():
        module.train()
    before = tensors(m)
    for name in steps:
        run.update(name, getattr(m, moves), lr=0.01)(*losses[name])
    after = tensors(m)
    assert {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])} == {moves}


class TestSigns:
    """By the sign of ∂loss/∂logit on each side: a discriminator trained with label 1 on both sides fails here."""

    def gradients(self, loss):
        labelled, unlabelled = torch.zeros(3, requires_grad=True), torch.zeros(5, requires_grad=True)
        loss(labelled, unlabelled).backward()
        return labelled.grad, unlabelled.grad

    def test_the_discriminator_raises_labelled_and_lowers_unlabelled_logits(self):
        labelled, unlabelled = self.gradients(telling)
        assert torch.allclose(labelled, torch.full((3,), -0.5 / 3))
        assert torch.allclose(unlabelled, torch.full((5,), 0.5 / 5))

    def test_the_encoder_raises_both(self):
        labelled, unlabelled = self.gradients(fooling)
        assert torch.allclose(labelled, torch.full((3,), -0.5 / 3))
        assert torch.allclose(unlabelled, torch.full((5,), -0.5 / 5))

    @pytest.mark.parametrize("loss", [telling, fooling])
    def test_no_rows_on_a_side_are_no_loss(self, loss):
        assert loss(torch.empty(0), torch.empty(0)) == 0

    def test_the_score_is_minus_the_logit_of_the_mean(self):
        run = trained(SHORT, some()).run
        x = digits()[0][:4]
        with torch.no_grad():
            score = SHORT.latent_score(run, Outputs(x, x, (), x))
            logit = run.m.disc(run.m.vae.encode(x)[0])
        assert torch.equal(score, -logit)


def test_the_net_is_that_of_supervised_bit_for_bit():
    numbers = {one.name: getattr(SHORT, one.name) for one in fields(Supervised)}
    plain, beside = trained(Supervised(**numbers), some()), trained(SHORT, some())
    mine, theirs = tensors(plain.modules), tensors(beside.modules)
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_the_labels_do_not_touch_the_adversary():
    one = trained(SHORT, some())
    shuffled = some(targets=digits()[1][:40].flip(0))
    mine, theirs = tensors(one.modules), tensors(trained(SHORT, shuffled).modules)
    assert all(torch.equal(mine[key], theirs[key]) for key in mine if not key.startswith("net"))
    assert not torch.equal(mine["net.head.weight"], theirs["net.head.weight"])


def test_it_finds_the_half_that_is_not_labelled():
    """REF-7 of the card on small digits: labels of 0 to 4 only, picks of 5 to 9, and a latent space that is used."""
    y = digits()[1]
    low = (y < 5).nonzero()[:, 0]
    known, free = low[:150], torch.cat([low[150:], (y >= 5).nonzero()[:, 0]]).sort().values
    scheme = VAAL(steps=120, pairs=32, vae_lr=1e-3, beta=0.1)
    fitted = trained(scheme, job(known, free, free[:0]))
    m = fitted.modules
    scores = fitted.run.compute(lambda x: scheme.latent_score(fitted.run, Outputs(x, x, (), x)), free, m.vae, m.disc)
    need = Need("latent_score")
    view = View(free, (need,), lambda needs, sets: {need: scores})
    batch = LatentScore().select(view, 100, torch.Generator().manual_seed(0))
    assert (y[batch.ids] >= 5).float().mean() >= 0.65
    assert fitted.report.notes["latent_std"] > 0.1
    assert "collapse" not in fitted.report.notes


def test_a_collapse_is_noted():
    notes = trained(replace(SHORT, steps=60, beta=100.0, vae_lr=0.01), some()).report.notes
    assert notes["latent_std"] < 0.1
    assert notes["collapse"] == (
        f"the VAE has collapsed: its latent means spread {notes['latent_std']:.3f}, below .1, "
        "so latent_score says nothing; lower beta"
    )


def test_no_unlabelled_items_are_no_trouble():
    fitted = trained(SHORT, some(unlabelled=0))
    assert fitted.report.updates["vae"] == 10
    assert all(torch.isfinite(value).all() for value in tensors(fitted.modules).values())


def test_large_images_get_the_convolutional_vae():
    assert vae_for(Form("image", (3, 32, 32)), 4) == ConvVAE(4)
    assert vae_for(Form("image", (1, 28, 28)), 4) == MlpVAE(4)
    assert vae_for(Form("vector", (9,)), 4) == MlpVAE(4)


def test_tokens_are_refused():
    with pytest.raises(InputError, match=r"takes items of kind vector or image and these are of kind 'tokens'$"):
        vae_for(Form("tokens", (9,), 5), 4).build(Form("tokens", (9,), 5))


def test_numbers_below_one_are_refused():
    with pytest.raises(InputError, match=r"^vae_steps of scheme VAAL must be above 0, got 0$"):
        VAAL(vae_steps=0)


def test_the_divergence_of_the_card():
    assert divergence(torch.zeros(1, 16), torch.zeros(1, 16)) == 0
    assert divergence(torch.ones(1, 16), torch.zeros(1, 16)) == 8
