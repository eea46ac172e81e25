"""Schemes: how labelled and unlabelled items train a net. One file per scheme, over the kit in `training/`."""

from askwell.schemes.checkpoints import Checkpoints
from askwell.schemes.crowd_em import CrowdEM
from askwell.schemes.deep_bass import DeepBASS
from askwell.schemes.dpe import DPE
from askwell.schemes.moment_matching import MomentMatching
from askwell.schemes.pair_loss import PairLoss
from askwell.schemes.reservoir import Reservoir
from askwell.schemes.supervised import Supervised
from askwell.schemes.vaal import VAAL
from askwell.schemes.variational import Variational
from askwell.schemes.with_vae import WithVAE

__all__ = [
    "Checkpoints",
    "CrowdEM",
    "DPE",
    "DeepBASS",
    "MomentMatching",
    "PairLoss",
    "Reservoir",
    "Supervised",
    "VAAL",
    "Variational",
    "WithVAE",
]
