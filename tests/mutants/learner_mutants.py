"""Learners with one known fault each. They share one small clean network with batch norm and dropout."""

from __future__ import annotations

import hashlib
import pickle
from copy import deepcopy
from typing import ClassVar

import torch
from mutant import Mutant
from safetensors.torch import load_file, save
from torch import nn

from askwell.core.learner import FitReport, Learner
from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PROBS, PROBS
from askwell.testing.learner import Pupil


class Network(nn.Module):
    """Eight inputs, six hidden units, batch norm, dropout, three classes or another number of outputs."""

    def __init__(self, outputs=3):
        super().__init__()
        self.hidden, self.norm, self.drop, self.head = (
            nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.Linear(6, outputs),
        )  # fmt: skip

    def embed(self, x):
        return self.drop(torch.relu(self.norm(self.hidden(x))))


class Clean(Learner):
    """Trained for 40 steps of Adam on all labelled items."""

    uses_scheme: ClassVar[bool] = False
    steps: ClassVar[int] = 40
    outputs: ClassVar[int] = 3

    def __init__(self):
        self.net = None

    @classmethod
    def build(cls, form, task, scheme, device="cpu"):
        return cls()

    @property
    def provides(self):
        return {"probs", "logits", "embedding", "mc_probs", "head"}

    def fresh(self, seeds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds("init"))
            return Network(self.outputs)

    def rows(self, pool, job, seeds):
        return torch.cat([x for _, x in pool.items("train").batches(job.labelled, 99, seeds.torch("augment"))])

    def fit(self, pool, job, seeds, progress=None):
        self.net = self.fresh(seeds)
        x = self.rows(pool, job, seeds)
        adam = torch.optim.Adam(self.net.parameters(), lr=0.05)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds("dropout"))
            for _ in range(self.steps):
                adam.zero_grad()
                self.loss(self.net.head(self.net.embed(x)), job.targets).backward()
                adam.step()
        self.net.eval()
        return FitReport(steps=self.steps)

    def loss(self, outputs, targets):
        return nn.functional.cross_entropy(outputs, targets)

    def items(self, pool, ids):
        batches = [x for _, x in pool.items("eval").batches(ids, 99)]
        return torch.cat(batches) if batches else torch.zeros(0, 8)

    @torch.no_grad()
    def compute(self, pool, needs, sets, seeds, out=None):
        x = self.items(pool, sets["candidates"])
        z = self.embedding(x)
        logits = self.net.head(z)
        found = {PROBS: logits.softmax(1), LOGITS: logits, EMBEDDING: z, HEAD: self.head()}
        for need in needs:
            if need not in found:
                found[need] = self.draws(self.net.embed(x), need["draws"], seeds)
        return {need: found[need] for need in needs}

    def embedding(self, x):
        return self.net.embed(x)

    def head(self):
        return deepcopy(self.net.head)

    def draws(self, z, k, seeds):
        masks = torch.stack([torch.rand(6, generator=seeds.torch("mask", draw)) > 0.3 for draw in range(k)])
        return self.net.head(z[:, None] * masks / 0.7).softmax(-1)

    @torch.no_grad()
    def predict(self, pool, ids):
        self.net.eval()
        return self.net.head(self.net.embed(self.items(pool, ids))).softmax(1)

    def state(self):
        return self.net.state_dict()

    def save(self, path):
        content = save(self.state())
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def load(self, path):
        self.net = Network()
        self.net.load_state_dict(load_file(path))
        self.net.eval()


class CleanNumbers(Clean):
    """A number in place of a class, on the scale of the labelled ones."""

    outputs: ClassVar[int] = 1
    provides = frozenset({"predictions"})

    @classmethod
    def build(cls, form, task, scheme, device="cpu"):
        learner = cls()
        learner.given = learner.task = task
        return learner

    def fit(self, pool, job, seeds, progress=None):
        self.task = self.given.fitted(self.scaled_by(job))
        return super().fit(pool, job, seeds, progress)

    def scaled_by(self, job):
        return job.targets

    def loss(self, outputs, targets):
        return self.task.loss(outputs, targets).mean()

    def compute(self, pool, needs, sets, seeds, out=None):
        return {need: self.predict(pool, sets["candidates"]) for need in needs}

    @torch.no_grad()
    def predict(self, pool, ids):
        self.net.eval()
        return self.task.predict(self.net.head(self.net.embed(self.items(pool, ids))))

    def state(self):
        return self.net.state_dict() | {f"task.{key}": value for key, value in self.task.state().items()}

    def load(self, path):
        values, self.net = load_file(path), Network(self.outputs)
        self.net.load_state_dict({key: value for key, value in values.items() if not key.startswith("task.")})
        self.net.eval()
        self.restore({key.removeprefix("task."): value for key, value in values.items() if key.startswith("task.")})

    def restore(self, state):
        self.task = self.given.restored(state)


class ForgetsTheScale(CleanNumbers):
    # Loads the weights and leaves the scale of the labels behind.

    def restore(self, state):
        self.task = self.given


class ScaleOfHeldOutLabels(CleanNumbers):
    # Takes mean and deviation from all labels that there are, the validation part's included.

    def scaled_by(self, job):
        return torch.cat([job.targets, job.validation_targets])


class BatchNormInTrainMode(Clean):
    # Scores with the statistics of the batch at hand, on a copy, so that its own stay as they were.

    def embedding(self, x):
        copy = deepcopy(self.net)
        copy.norm.train(len(x) > 1)
        return copy.embed(x)


class DropoutByTrainMode(Clean):
    # Draws by model.train() after the other needs: batch norm takes in what is scored.

    def draws(self, z, k, seeds):
        found = super().draws(z, k, seeds)
        self.net.norm.momentum = 1e-9
        self.net.norm.train()
        self.net.norm(z)
        self.net.norm.eval()
        return found


class StaysInTrainMode(Clean):
    def compute(self, pool, needs, sets, seeds, out=None):
        self.net.eval()
        found = super().compute(pool, needs, sets, seeds, out)
        self.net.train()
        return found


class ScoresTrainingItems(Clean):
    # The pool is scored with the training transform.

    def compute(self, pool, needs, sets, seeds, out=None):
        list(pool.items("train").batches(sets["candidates"][:3], 3, seeds.torch("crop")))
        return super().compute(pool, needs, sets, seeds, out)


class GlobalInit(Clean):
    def fresh(self, seeds):
        torch.manual_seed(seeds("init"))
        return Network()


class MaskPerItem(Clean):
    # Draw k is another function for every place in the batch.

    def draws(self, z, k, seeds):
        masks = torch.stack([torch.rand(z.shape, generator=seeds.torch("mask", draw)) > 0.3 for draw in range(k)], 1)
        return self.net.head(z[:, None] * masks / 0.7).softmax(-1)


class OneDrawCopied(Clean):
    # No dropout is active, and the K draws are K copies.

    def draws(self, z, k, seeds):
        return self.net.head(z).softmax(-1)[:, None].expand(-1, k, -1)


class ContinuesInSecret(Clean):
    # A refit starts from the weights of the last fit and does not declare `warm`.

    def fresh(self, seeds):
        return self.net or super().fresh(seeds)


class NormalisesByThePool(Clean):
    # Centres its inputs by the mean of everything, test items included.

    def rows(self, pool, job, seeds):
        return super().rows(pool, job, seeds) - 1e-3 * pool.rows[60:72].mean(0)


class AugmentsWithoutTheSeed(Clean):
    calls = 0

    def rows(self, pool, job, seeds):
        AugmentsWithoutTheSeed.calls += 1
        return super().rows(pool, job, seeds.child(AugmentsWithoutTheSeed.calls))


class Undertrained(Clean):
    # Counts epochs where steps are meant: three labelled items to a step make it one step.

    steps: ClassVar[int] = 0


class PickledCheckpoint(Clean):
    # The whole learner is the checkpoint.

    def save(self, path):
        content = pickle.dumps(self.net)
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def load(self, path):
        self.net = pickle.loads(path.read_bytes())


class LoadsWithoutBuffers(Clean):
    # Saves parameters and leaves the statistics of batch norm behind.

    def load(self, path):
        self.net = Network()
        names = dict(self.net.named_parameters())
        self.net.load_state_dict({k: v for k, v in load_file(path).items() if k in names}, strict=False)
        self.net.eval()


class HashOfNothing(Clean):
    # Returns the hash of the path, not of the content.

    def save(self, path):
        super().save(path)
        return hashlib.sha256(str(path).encode()).hexdigest()


class HandsOutItsHead(Clean):
    def head(self):
        return self.net.head


class LogitsForProbabilities(Clean):
    # Whatever lies in [0, 1] is taken for probabilities.

    def compute(self, pool, needs, sets, seeds, out=None):
        found = super().compute(pool, needs, sets, seeds, out)
        return {need: value.sigmoid() if need == PROBS else value for need, value in found.items()}


class DrawsLast(Clean):
    # mc_probs as (N, C, K).

    def compute(self, pool, needs, sets, seeds, out=None):
        found = super().compute(pool, needs, sets, seeds, out)
        spread = MC_PROBS(draws=4)
        return found | ({spread: found[spread].transpose(1, 2)} if len(needs) > 2 and spread in found else {})


def _mutant(cls, source, caught_by, task="classification"):
    return Mutant(Pupil(cls, task=task), source, caught_by, name=cls.__name__)


MUTANTS = [
    _mutant(BatchNormInTrainMode, "DESIGN 9, batch norm in train mode", "check_items_are_computed_apart"),
    _mutant(DropoutByTrainMode, "ANCHORS 1.9 MC dropout by model.train()", "check_compute_leaves_it_as_it_was"),
    _mutant(StaysInTrainMode, "ANCHORS 1.9 MC dropout by model.train()", "check_compute_leaves_it_as_it_was"),
    _mutant(ScoresTrainingItems, "ANCHORS 1.9 training transform", "check_reads_eval_items_to_compute"),
    _mutant(GlobalInit, "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    _mutant(MaskPerItem, "ANCHORS 3 learner", "check_draws_are_the_same_functions_for_all_items"),
    _mutant(OneDrawCopied, "CONTRACTS 1, MC dropout", "check_draws_are_the_same_functions_for_all_items"),
    _mutant(ContinuesInSecret, "FIELD 2.10 warm and scratch confused", "check_refit_forgets"),
    _mutant(NormalisesByThePool, "ANCHORS 3 learner", "check_trains_on_its_items_only"),
    _mutant(AugmentsWithoutTheSeed, "FIELD 2.13 seed does not reach", "check_same_seed_same_weights"),
    _mutant(Undertrained, "ANCHORS 3 learner", "check_learns_a_separable_pool"),
    _mutant(PickledCheckpoint, "ANCHORS 1.9 pickled checkpoint", "check_survives_save_and_load"),
    _mutant(LoadsWithoutBuffers, "ANCHORS 3 learner", "check_survives_save_and_load"),
    _mutant(HashOfNothing, "FIELD 2.32 scores of the wrong checkpoint", "check_survives_save_and_load"),
    _mutant(HandsOutItsHead, "CONTRACTS 1.11", "check_functions_are_of_a_copy"),
    _mutant(LogitsForProbabilities, "ANCHORS 1.2 guessing", "check_provides_what_it_says"),
    _mutant(DrawsLast, "DESIGN 3", "check_provides_what_it_says"),
    _mutant(ForgetsTheScale, "FIELD 2.32 scores of the wrong checkpoint", "check_survives_save_and_load", "regression"),
    _mutant(ScaleOfHeldOutLabels, "ANCHORS 3 learner", "check_trains_on_its_items_only", "regression"),
]
