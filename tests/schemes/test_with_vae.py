"""A VAE of the whole pool beside the net: it is fitted once, knows no label, and leads from latents back to items."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from scheme_parts import CLASSES, digits, some, trained

from askwell.core.needs import DECODER, LATENT, NETWORK
from askwell.core.seeds import Seeds
from askwell.errors import InputError
from askwell.functional.vae import divergence, reconstruction
from askwell.learners import Net
from askwell.models import MLP
from askwell.models.vae import MlpVAE
from askwell.schemes import Supervised, WithVAE
from askwell.tasks import Classification
from askwell.testing.fakes import FakePool
from askwell.training.autoencoding import negative_bound
from askwell.training.tensors import tensors

SHORT = WithVAE(steps=5, vae_steps=20, beta=0.1)


def differing(one, other):
    mine, theirs = tensors(one.modules), tensors(other.modules)
    return {key.split(".")[0] for key in mine if not torch.equal(mine[key], theirs[key])}


def test_the_bound_is_reconstruction_and_divergence():
    """With log variances of minus infinity the draw is the mean itself, so that both terms can be read off."""
    vae = MlpVAE(latent=2, widths=(4,)).build(FakePool(digits()[0]).form)
    x = digits()[0][:3]
    with torch.no_grad():
        vae.logvar.weight.zero_()
        vae.logvar.bias.fill_(-50.0)
        losses, mean = negative_bound(vae, x, beta=2.0)
        wanted = reconstruction(x, vae.decode(mean)) + 2 * divergence(mean, torch.full_like(mean, -50.0))
    torch.testing.assert_close(losses, wanted)


def test_the_vae_comes_first_and_reads_every_item():
    fitted = trained(SHORT, some(), record=True)
    assert [event[1] for event in fitted.run.session.events if event[0] == "update"] == ["vae"] * 20 + ["task"] * 5
    assert fitted.report.updates == {"vae": 20, "task": 5}
    opened = trained(WithVAE(steps=1, vae_steps=1), some(n=10, unlabelled=12), record=True).run.session.opened
    assert opened["streams"]["vae"]["n"] == 22
    assert opened["streams"]["vae"]["views"] == ["eval"]


def test_the_net_is_that_of_supervised_bit_for_bit():
    plain = Supervised(**{one.name: getattr(SHORT, one.name) for one in fields(Supervised)})
    mine, theirs = tensors(trained(plain, some()).modules), tensors(trained(SHORT, some()).modules)
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_labels_do_not_touch_the_vae():
    one, other = trained(SHORT, some()), trained(SHORT, some(targets=digits()[1][:40].flip(0)))
    assert differing(one, other) == {"net"}


def test_later_rounds_keep_it():
    first = trained(SHORT, some())
    second = trained(SHORT, some(previous=tensors(first.modules), round=1), seed=5)
    assert differing(first, second) == {"net"}
    assert second.report.updates["vae"] == 0


def learner():
    pool = FakePool(digits()[0])
    made = Net(model=MLP(width=16)).build(
        pool.form, Classification(CLASSES), WithVAE(steps=50, vae_steps=400, beta=0.1), "cpu"
    )
    made.fit(pool, some(), Seeds(0))
    return pool, made


def test_a_latent_leads_back_to_its_item_and_gradients_to_the_latent():
    pool, made = learner()
    ids = torch.arange(60, 160)
    found = made.compute(pool, [LATENT, DECODER, NETWORK], {"candidates": ids}, Seeds(0))
    x, z = digits()[0][ids], found[LATENT].requires_grad_()
    items = found[DECODER](z)
    assert items.shape == x.shape
    mean = x.mean(0, keepdim=True)
    assert reconstruction(x, items).mean() < 0.6 * reconstruction(x, mean.expand_as(x)).mean()
    found[NETWORK](items).square().sum().backward()
    assert z.grad.abs().sum() > 0


def test_what_is_done_with_the_decoder_does_not_reach_the_fitted_vae():
    pool, made = learner()
    before = tensors(made.fitted.modules)
    decode = made.compute(pool, [DECODER], {}, Seeds(0))[DECODER]
    decode(torch.zeros(2, 16)).sum().backward()
    assert all(torch.equal(value, before[key]) for key, value in tensors(made.fitted.modules).items())
    assert all(weights.grad is None for weights in made.fitted.modules.vae.parameters())


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match=r"^latent of scheme WithVAE must be above 0, got 0$"):
        WithVAE(latent=0)
