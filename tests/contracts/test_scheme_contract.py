"""Every scheme × every check, and the supervised one in all its ways."""

from askwell.core.registry import catalogue
from askwell.schemes import VAAL, CrowdEM, Supervised
from askwell.testing import parametrize_with_checks, scheme

SCHEMES = {
    "crowd_em": CrowdEM(steps=40, batch=12, lr=2e-2, turns=2),
    "supervised": Supervised(steps=40, batch=12, lr=2e-2),
    "supervised-epochs": Supervised(epochs=8, batch=12, lr=3e-2, kind="adamw", weight_decay=1e-2),
    "supervised-sgd": Supervised(steps=40, lr=5e-2, kind="sgd", schedule="cosine", warm_up=4, clip=1.0, stop=()),
    "supervised-patience": Supervised(epochs=10, batch=12, lr=2e-2, stop=("patience", "nll", 2)),
    "supervised-ema": Supervised(steps=60, lr=3e-2, average=("ema", 0.9), stop=()),
    "supervised-swa": Supervised(steps=60, lr=3e-2, average=("swa", 0.5), class_weights="balanced", stop=()),
    "vaal": VAAL(steps=25, batch=12, lr=3e-2, pairs=8, latent=4, vae_steps=1),
}


@parametrize_with_checks(SCHEMES, scheme.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_scheme_is_here():
    assert {type(part) for part in SCHEMES.values()} == set(catalogue("schemes").values())
