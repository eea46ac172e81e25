"""How far a project's model is to be believed: one temperature, from labels that the model was not fitted on."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askwell.core.learner import Job, Learner
from askwell.core.seeds import Seeds
from askwell.data.split import stratified
from askwell.engine.fitting import Fitting
from askwell.engine.folder import Folder
from askwell.engine.report import Report
from askwell.metrics.calibration import temperature

__all__ = ["LEAST", "Calibration", "Calibrator"]

log = logging.getLogger("askwell")

LEAST = 10
"""Held-out labels below which probabilities stay as they are."""
SHARE = 5
"""One in so many labelled items is held out."""


@dataclass(frozen=True)
class Calibration:
    """A temperature, the model that it is for (by hash), and the held-out labels that it comes from.

    how  "validation": of the data's validation part · "refit": left out of a second fit · "none": too few, or numbers
    """

    weights: str
    temperature: float = 1.0
    items: int = 0
    how: Literal["validation", "refit", "none"] = "none"


@dataclass(frozen=True)
class Calibrator:
    """The last model of a project, and what its temperature is found from.

    fitting  labels and recipe as of the model's report; seeds: of the project
    """

    learner: Learner
    fitting: Fitting
    report: Report
    seeds: Seeds
    device: str

    def kept(self, folder: Folder, writable: bool) -> Calibration:
        """As `find`, once per model: kept in `calibration.json` where the folder may be written."""
        known = _read(folder)
        if known is not None and known.weights == self.report.weights:
            return known
        found = self.find()
        if writable:
            folder.write("calibration.json", json.dumps(asdict(found)) + "\n")
        return found

    def find(self) -> Calibration:
        """From the validation part, if at least 10 of its labels are known; else by one more fit of the same recipe.

        That fit goes without a seeded fifth of the labelled items, in proportion to the classes, and its temperature on
        them is taken for the model too. With fewer than 50 labels nothing is held out: 1, and a warning.

        Items that a strategy has chosen are harder than others, and the second fit knows less than the model: both err
        towards a temperature that is too high, of a model that is good already. A validation part does neither.
        """
        if not self.fitting.task.labels:
            return Calibration(self.report.weights)
        job = self.fitting.job(self.report.round, previous={})
        if len(job.validation) >= LEAST:
            return self._on(self.learner, job.validation, job.validation_targets, "validation")
        held = self._held(job)
        if held.sum() < LEAST:
            log.warning(
                "probabilities are not calibrated: that takes %d labels or a validation part, there are %d labels",
                LEAST * SHARE,
                self.fitting.answered,
            )
            return Calibration(self.report.weights)
        log.info("fitting once more without %d of the labels, to calibrate the probabilities", int(held.sum()))
        return self._on(self._refitted(job, held), job.labelled[held], job.targets[held], "refit")

    def _on(self, learner: Learner, ids: Tensor, targets: Tensor, how: Literal["validation", "refit"]) -> Calibration:
        predictions = learner.predict(self.fitting.pool, ids).cpu()
        found = temperature(predictions, targets, self.fitting.task)
        return Calibration(self.report.weights, found, len(ids), how)

    def _held(self, job: Job) -> Tensor:
        """(M,) which labelled items are held out: a fifth of those that are no copies."""
        own = np.flatnonzero(~np.isin(job.labelled.numpy(), list(self._parents)))
        strata = job.targets.numpy() if job.targets.ndim == 1 else np.zeros(len(job.labelled), np.int64)
        rng = self.seeds.numpy("calibrate", self.report.round)
        return _mask(stratified(strata, own, len(own) // SHARE, rng), len(job.labelled))

    def _refitted(self, job: Job, held: Tensor) -> Learner:
        """The recipe fitted without the held-out items and their copies; neither is among its unlabelled ones."""
        out = set(job.labelled[held].tolist())
        gone = torch.tensor([self._parents.get(item, item) in out for item in job.labelled.tolist()])
        weights = None if job.weights is None else job.weights[~gone]
        rest = replace(job, labelled=job.labelled[~gone], targets=job.targets[~gone], weights=weights)
        learner = self.fitting.learner(self.device)
        learner.fit(self.fitting.pool, rest, self.seeds.child("calibrate", "fit", self.report.round))
        return learner

    @property
    def _parents(self) -> dict[int, int]:
        """Copies of labelled items, and what they are copies of."""
        made = self.fitting.store.made()
        return {one["item"]: one["parent"] for one in made if one["role"] == "copy"}


def _mask(rows: NDArray[np.int64], n: int) -> Tensor:
    mask = torch.zeros(n, dtype=torch.bool)
    mask[torch.from_numpy(rows)] = True
    return mask


def _read(folder: Folder) -> Calibration | None:
    """What `kept` has written; None where there is none that can be read."""
    try:
        return Calibration(**json.loads((folder.path / "calibration.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
