"""Policies on disk: what strategies share whose choice is learned before they are used."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from askwell.core.strategy import Strategy
from askwell.errors import BadData, InputError
from askwell.models.ranking_policy import RankingPolicy
from askwell.models.sentence_values import SentenceValues
from askwell.training.chance import lend
from askwell.training.tensor_files import read

__all__ = ["ABOUT", "FORMAT", "UNTRAINED", "WEIGHTS", "Learned", "described", "digest_of", "new_net", "saved_net"]

log = logging.getLogger("askwell")

UNTRAINED = "untrained"
ABOUT, WEIGHTS = "policy.json", "policy.safetensors"
NETS: Mapping[str, Callable[..., nn.Module]] = {"pal": SentenceValues, "ral": RankingPolicy}
"""Kind of policy -> its network."""
FORMAT = 1


@dataclass(frozen=True)
class Learned(Strategy):
    """Base of strategies with a policy.

    policy  folder that `askwell train-policy` wrote; "untrained" for a network with its first weights
    digest  hash of the policy, filled in when the folder is first read: a policy that changes is refused
    """

    kind: ClassVar[str]

    policy: str = field(metadata={"made by": "askwell train-policy {name} DATA --out FOLDER"})
    digest: str = ""

    def __post_init__(self) -> None:
        if self.policy == UNTRAINED:
            return
        object.__setattr__(self, "policy", str(Path(self.policy).resolve()))
        if not self.digest:
            object.__setattr__(self, "digest", digest_of(Path(self.policy), self.kind))

    def net(self, **sizes: int) -> nn.Module:
        """The network of the policy, which must have these sizes, in eval mode; not to be changed."""
        if self.policy == UNTRAINED:
            return _first_net(self.kind, tuple(sorted(sizes.items())))
        folder = Path(self.policy)
        found = digest_of(folder, self.kind)
        if found != self.digest:
            raise BadData(
                f"the policy in {folder} has changed: its hash is {found[:12]} and was {self.digest[:12]}; bring it "
                "back, or start anew with what is there now",
                got=found,
            )
        own = described(folder, self.kind)["net"]
        for name, size in sizes.items():
            if own[name] != size:
                raise InputError(
                    f"the policy in {folder} was trained with {name} = {own[name]} and here {name} = {size}: train one "
                    "on data like these",
                    got=size,
                )
        return saved_net(str(folder), self.digest)


def described(folder: Path, kind: str) -> dict[str, Any]:
    """What policy.json says; refuses a folder without one, and a policy of another kind or a newer askwell."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        found, written, _ = about["kind"], about["format"], about["weights"]
    except OSError:
        raise BadData(
            f"there is no policy in {folder}: train one, askwell train-policy {kind} DATA --out {folder.name}, or give "
            f"policy='{UNTRAINED}'",
            got=str(folder),
        ) from None
    except (ValueError, KeyError, TypeError):
        raise BadData(f"{folder / ABOUT} is damaged: it does not describe a policy", got=str(folder)) from None
    if found != kind or written > FORMAT:
        wanted = f"a policy of {kind}" if found != kind else "an older policy: update askwell"
        raise BadData(f"{folder} holds a policy of {found}, format {written}, and not {wanted}", got=found)
    return about


def digest_of(folder: Path, kind: str) -> str:
    """Hash of policy.json, which holds the hash of the weights."""
    described(folder, kind)
    return sha256((folder / ABOUT).read_bytes()).hexdigest()


def new_net(kind: str, sizes: Mapping[str, int], seed: int = 0) -> nn.Module:
    """A network with its first weights; no global generator moves.

    >>> policy = new_net("ral", {"slots": 3, "classes": 2, "hidden": 4})
    >>> sum(weights.numel() for weights in policy.parameters())
    79
    """
    with lend(torch.Generator().manual_seed(seed)):
        return NETS[kind](**sizes)


@lru_cache(maxsize=16)
def saved_net(folder: str, digest: str) -> nn.Module:
    """The network of a policy of this digest, read once; refuses weights that are not those of policy.json."""
    about = json.loads((Path(folder) / ABOUT).read_text(encoding="utf-8"))
    file = Path(folder) / WEIGHTS
    if not file.is_file() or sha256(file.read_bytes()).hexdigest() != about["weights"]:
        raise BadData(f"{file} is missing or is not the file that {ABOUT} names", got=str(file))
    net = new_net(about["kind"], about["net"])
    _load(net, read(file), file)
    return net.eval().requires_grad_(False)


def _load(net: nn.Module, weights: Mapping[str, Tensor], file: Path) -> None:
    own = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    if own != {name: tuple(value.shape) for name, value in weights.items()}:
        raise BadData(f"the weights in {file} are of another network than {ABOUT} describes", got=sorted(weights))
    net.load_state_dict(weights)


@lru_cache(maxsize=16)
def _first_net(kind: str, sizes: tuple[tuple[str, int], ...]) -> nn.Module:
    log.warning(
        "%s chooses by a network with its first weights: train one, askwell train-policy %s DATA --out FOLDER, and "
        "give --strategy \"%s(policy='FOLDER')\"",
        *[kind] * 3,
    )
    return new_net(kind, dict(sizes)).eval().requires_grad_(False)
