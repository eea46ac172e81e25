"""Every scheme × every check, and the supervised one in all its ways."""

from askwell.core.registry import catalogue
from askwell.schemes import (
    DPE,
    VAAL,
    Checkpoints,
    CrowdEM,
    DeepBASS,
    MomentMatching,
    PairLoss,
    Reservoir,
    Supervised,
    Variational,
    WithVAE,
)
from askwell.testing import parametrize_with_checks, scheme

SCHEMES = {
    "crowd_em": CrowdEM(steps=40, batch=12, lr=2e-2, turns=2),
    "checkpoints": Checkpoints(steps=40, batch=12, lr=2e-2, last=3),
    "checkpoints-cycles": Checkpoints(steps=60, batch=12, lr=3e-2, last=2, cycles=3, policy="warm"),
    "dpe": DPE(steps=60, batch=12, lr=2e-2, members=4, beta=1e-3),
    "deep_bass": DeepBASS(steps=60, epochs=None, batch=12, lr=2e-2, iterations=2, copies=2, labelled_draws=8),
    "moment_matching": MomentMatching(steps=60, epochs=None, batch=12, lr=1e-2),
    "reservoir": Reservoir(steps=60, epochs=None, batch=12, lr=2e-2, buffer=6, size=40),
    "pair_loss": PairLoss(steps=60, batch=12, lr=4e-2, width=4),
    "supervised": Supervised(steps=40, batch=12, lr=2e-2),
    "supervised-epochs": Supervised(epochs=8, batch=12, lr=3e-2, kind="adamw", weight_decay=1e-2),
    "supervised-sgd": Supervised(steps=40, lr=5e-2, kind="sgd", schedule="cosine", warm_up=4, clip=1.0, stop=()),
    "supervised-patience": Supervised(epochs=10, batch=12, lr=2e-2, stop=("patience", "nll", 2)),
    "supervised-ema": Supervised(steps=60, lr=3e-2, average=("ema", 0.9), stop=()),
    "supervised-swa": Supervised(steps=60, lr=3e-2, average=("swa", 0.5), class_weights="balanced", stop=()),
    "variational": Variational(steps=60, batch=12, lr=3e-2, spread=0.05),
    "variational-last": Variational(steps=60, batch=12, lr=3e-2, layers=(True,)),
    "vaal": VAAL(steps=25, batch=12, lr=3e-2, pairs=8, latent=4, vae_steps=1),
    "with_vae": WithVAE(steps=40, batch=12, lr=2e-2, latent=4, vae_steps=5),
}


@parametrize_with_checks(SCHEMES, scheme.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_scheme_is_here():
    assert {type(part) for part in SCHEMES.values()} == set(catalogue("schemes").values())
