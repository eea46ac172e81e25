"""Training a policy by episodes of active learning, and keeping it for the strategies that use one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, get_num_threads

from askwell.core.fits import declared, fits
from askwell.core.recipe import Recipe
from askwell.core.registry import find
from askwell.core.seeds import Seeds
from askwell.core.spec import config, digest
from askwell.data import Data, load
from askwell.engine.assemble import assemble, check
from askwell.engine.device import resolved_device
from askwell.engine.episodes import Episode
from askwell.engine.folder import Folder, versions
from askwell.engine.numbers import whole
from askwell.engine.progress import Bars
from askwell.engine.ranking_training import RankingTraining
from askwell.engine.saved import frozen
from askwell.engine.stream_training import StreamTraining
from askwell.engine.threads import threads as with_threads
from askwell.errors import InputError, ProjectError, UnknownName
from askwell.strategies.policies import ABOUT, FORMAT, WEIGHTS, digest_of, new_net
from askwell.training.tensor_files import read, write

__all__ = ["KINDS", "TrainedPolicy", "train_policy"]

KINDS: Mapping[str, Callable[..., Any]] = {"pal": StreamTraining, "ral": RankingTraining}
PARTS = ("learner", "scheme", "model", "precision")
READ: Mapping[str, tuple[str, ...]] = {"pal": PARTS, "ral": (*PARTS, "initial", "batch", "rounds")}
"""What of a recipe decides how an episode of each kind goes."""
CHECKPOINT = "checkpoint.safetensors"
SILENT = ("source", "deviations", "switches")
"""What a recipe says that changes no episode."""


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy in its folder, and what its episodes brought.

    returns  sum of the rewards of every episode, in order
    digest   hash of the policy, as recipes and manifests that use it record it
    shared   numbers of the training that the strategy must be given too
    """

    folder: Path
    kind: str
    returns: tuple[float, ...]
    digest: str
    shared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def strategy(self) -> str:
        """What `--strategy` takes to use it."""
        numbers = "".join(f", {name}={value}" for name, value in self.shared.items())
        return f"{self.kind}(policy='{self.folder}'{numbers})"


def train_policy(
    kind: str,
    data: Any,
    *,
    out: str | Path,
    episodes: int = 20,
    seed: int = 0,
    numbers: Mapping[str, Any] | None = None,
    fresh: bool = False,
    device: str = "cpu",
    threads: int = 1,
    quiet: bool = False,
    loading: Mapping[str, Any] | None = None,
    **changes: Any,
) -> TrainedPolicy:
    """Trains a policy of `pal` or `ral` on labelled data by episodes, each a run of active learning in memory.

    data      whatever `askwell.data.load` takes, with `loading`; `pal` is paid by the validation part
    out       folder of the policy: policy.json, policy.safetensors and a checkpoint; the same call goes on where it
              was, with more episodes too, and gives the same policy as without a break
    episodes  in all; 0 writes a policy with its first weights, to compare with
    numbers   of the training, see `StreamTraining` (pal) and `RankingTraining` (ral)
    changes   replace parts and numbers of recipe `pal` or `ral`: learner, scheme, model, precision; for `ral` also
              initial, batch, rounds

    Raises `ProjectError` where `out` holds another training. Cost: episodes · (fits of an episode + steps of the
    policy).

    >>> import tempfile
    >>> found = train_policy("ral", "digits", out=tempfile.mkdtemp(), episodes=2, loading={"pool_size": 200},
    ...     scheme="moment_matching(epochs=5)", initial=10, batch=5, rounds=2, quiet=True)
    >>> len(found.returns), found.strategy[:12]
    (2, "ral(policy='")
    """
    if kind not in KINDS:
        raise UnknownName("kind of policy", kind, KINDS)
    _check_read(kind, changes)
    training, episodes = made(kind, numbers or {}), whole("episodes", episodes)
    if episodes < 0:
        raise InputError(f"episodes must not be negative, got {episodes}", got=episodes)
    loaded = load(data, **(loading or {}))
    if loaded.labels is None:
        raise InputError(f"{loaded.name} has no labels to learn from: a policy is trained on labelled data")
    recipe = assemble(kind, form=loaded.pool.form, kind=loaded.task, frozen=frozen(loaded), **changes)
    check(recipe, loaded, resolved_device(device))
    with with_threads(threads), Bars(quiet=quiet) as bars:
        school = School(Path(out), kind, training, loaded, recipe, whole("seed", seed), resolved_device(device))
        return school.taught(episodes, fresh, bars)


def _check_read(kind: str, changes: Mapping[str, Any]) -> None:
    """Refuses what would change no episode."""
    for name, value in changes.items():
        if value is not None and name not in READ[kind]:
            raise InputError(
                f"a training of {kind} makes no use of {name}: it reads {', '.join(READ[kind])}, and its own numbers",
                got=value,
            )


def made(kind: str, numbers: Mapping[str, Any]) -> Any:
    """The training of a kind with these numbers; an unknown or misshapen one is refused by name."""
    cls: Any = KINDS[kind]
    hints = declared(cls)
    for name, value in numbers.items():
        if name not in hints:
            raise UnknownName(f"number of a training of {kind}:", name, (one.name for one in fields(cls)))
        if not fits(value, hints[name]):
            raise InputError(f"{name} of a training of {kind} must be {hints[name].__name__}, got {value!r}", got=value)
    return cls(**numbers)


@dataclass(frozen=True)
class School:
    """One training: where it is kept, and all that its outcome depends on."""

    out: Path
    kind: str
    training: Any
    data: Data
    recipe: Recipe
    seed: int
    device: str

    def taught(self, episodes: int, fresh: bool, progress: Callable[[str, int, int], None]) -> TrainedPolicy:
        """Plays the episodes that are still missing; everything is on the disk after each."""
        if fresh:
            self._clear()
        sizes, seeds = self.training.sizes(self.data), Seeds(self.seed)
        net = new_net(self.kind, sizes, seeds("policy"))
        learner = self.training.learner(net)
        returns = self._resumed(learner)
        what = f"{self.kind} on {self.data.name}"
        for number in range(len(returns), episodes):
            progress(what, number, episodes)
            own = seeds.child("episode", number)
            rewards = self.training.play(learner, Episode(self.data, self.recipe, own, self.device), own)
            returns.append(float(sum(rewards)))
            self._keep(learner, sizes, returns)
        progress(what, episodes, episodes)
        return self._keep(learner, sizes, returns)

    def _clear(self) -> None:
        """Removes what a training wrote, and nothing else."""
        with Folder(self.out).writing():
            for name in (ABOUT, WEIGHTS, CHECKPOINT):
                (self.out / name).unlink(missing_ok=True)

    def _resumed(self, learner: Any) -> list[float]:
        """Returns of the episodes that were played, with the learner where the last of them left it."""
        file = self.out / CHECKPOINT
        if not file.is_file():
            if self.out.exists() and any(self.out.iterdir()):
                raise ProjectError(f"{self.out} is not empty and holds no training of a policy: choose another folder")
            return []
        kept = read(file)
        if bytes(kept.pop("settings").tolist()).decode() != self._settings:
            raise ProjectError(
                f"{self.out} holds the training of another policy: choose another folder, or start afresh"
            )
        returns: list[float] = kept.pop("returns").tolist()
        learner.restore(kept)
        return returns

    def _keep(self, learner: Any, sizes: Mapping[str, int], returns: list[float]) -> TrainedPolicy:
        """Writes the checkpoint, then the policy as it is now."""
        state: dict[str, Tensor] = learner.state()
        settings = torch.tensor(list(self._settings.encode()), dtype=torch.uint8)
        played = {"settings": settings, "returns": torch.tensor(returns, dtype=torch.float64)}
        files = Folder(self.out)
        with files.writing():
            write(self.out / CHECKPOINT, {**state, **played})
            weights = {key[4:]: value for key, value in state.items() if key.startswith("net.")}
            about = self._about(write(self.out / WEIGHTS, weights), sizes, returns)
        files.write(ABOUT, json.dumps(about, indent=1) + "\n")
        return TrainedPolicy(self.out, self.kind, tuple(returns), digest_of(self.out, self.kind), self._shared)

    def _about(self, weights: str, sizes: Mapping[str, int], returns: list[float]) -> dict[str, Any]:
        """policy.json: what the policy is, and how it came about."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "net": dict(sizes),
            "weights": weights,
            "settings": self._settings,
            "data": {"name": self.data.name, "digest": self.data.digest, "classes": list(self.data.classes)},
            "training": config(self.training),
            "recipe": self.recipe.config(),
            "seed": self.seed,
            "episodes": len(returns),
            "returns": returns,
            "versions": versions(),
        }

    @property
    def _shared(self) -> dict[str, Any]:
        """Numbers that the strategy has as well, where they are not its usual ones."""
        usual = {one.name: one.default for one in fields(find("strategies", self.kind))}
        return {name: value for name, value in vars(self.training).items() if usual.get(name, value) != value}

    @property
    def _settings(self) -> str:
        """Hash of all that decides how an episode goes."""
        split = [sha256(ids.tobytes()).hexdigest() for ids in vars(self.data.split).values()]
        recipe = {key: value for key, value in self.recipe.config().items() if key not in SILENT}
        return digest(
            [
                self.kind,
                config(self.training),
                recipe,
                self.data.digest,
                split,
                self.seed,
                self.device,
                get_num_threads(),
            ]
        )
