"""Schemes: how labelled and unlabelled items train a net. One file per scheme, over the kit in `training/`."""

from askwell.schemes.crowd_em import CrowdEM
from askwell.schemes.supervised import Supervised
from askwell.schemes.vaal import VAAL

__all__ = ["VAAL", "CrowdEM", "Supervised"]
