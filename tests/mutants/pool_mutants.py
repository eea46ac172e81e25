"""Pools with one known fault each, on the shipped fake."""

from __future__ import annotations

import multiprocessing

import numpy as np
import torch
from mutant import Mutant

from askwell.testing.fakes import FakeItems, FakePool

LABELS = ["b", "a", "a", "c", "b", "a", "c", "c", "a", "b", "a", "a"]
ROWS = torch.linspace(0, 1, 12 * 16).reshape(12, 1, 4, 4)


class Clean(FakePool):
    """Twelve small images."""

    def __init__(self):
        super().__init__(ROWS.clone(), keys=[f"item-{place}" for place in range(12)], jitter=0.1)


class EvalWithTrainTransform(Clean):
    # The pool is scored with the training transform: from the third batch on, items move by a pixel.

    def items(self, mode):
        return ShiftedItems(self, mode)


class ShiftedItems(FakeItems):
    """Rolls large batches by one pixel, once the pool has been read twice."""

    def batches(self, positions, size, rng=None):
        rolls = sum(reading.mode == "eval" for reading in self.pool.read) > 2 and self.mode == "eval"
        for where, batch in super().batches(positions, size, rng):
            yield where, batch.roll(int(rolls and len(batch) > 5), -1)


class LabelsOnThePool(Clean):
    def __init__(self):
        super().__init__()
        self.targets = [ord(label) for label in LABELS]


class LabelsInAColumn(Clean):
    # A table whose last column is the label, kept whole.

    def __init__(self):
        super().__init__()
        codes = np.array([ord(label) for label in LABELS], np.float32)
        self.table = np.column_stack([ROWS.flatten(1)[:, 0].numpy(), codes])


class LabelsInAClosure(Clean):
    def __init__(self):
        super().__init__()
        labels = tuple(LABELS)
        self.describe = lambda position: labels[position]


class LabelsInItems(Clean):
    def item(self, position):
        return {"pixels": ROWS[position].numpy(), "class": LABELS[position]}


class KeysThatRepeat(Clean):
    def keys(self, positions):
        return [super(KeysThatRepeat, self).keys([position % 11])[0] for position in positions]

    def positions(self, keys):
        return np.array([int(key.removeprefix("item-")) for key in keys if key in self._keys], dtype=np.int64)


class UnknownKeyIsFirst(Clean):
    # A key that nobody has leads to position 0.

    def positions(self, keys):
        return super().positions([key if key in self._keys else self._keys[0] for key in keys])


class OrderOfTheProcess(Clean):
    # Items stand in an order that depends on the process, like that of a set of strings.

    def __init__(self):
        super().__init__()
        shift = 3 if multiprocessing.parent_process() else 1
        self._keys = self._keys[shift:] + self._keys[:shift]


class DigestOfReading(Clean):
    @property
    def digest(self):
        return f"{len(self.read):08x}"


class BytesForFloats(Clean):
    # Promises floats in [0, 1] and serves 0 to 255.

    def items(self, mode):
        return ScaledItems(self, mode)


class ScaledItems(FakeItems):
    """Pixels up to 255."""

    def batches(self, positions, size, rng=None):
        for where, batch in super().batches(positions, size, rng):
            yield where, batch * 255


class DropsTheLastBatch(Clean):
    # Drops an incomplete last batch, but for a single one.

    def items(self, mode):
        return IncompleteItems(self, mode)


class IncompleteItems(FakeItems):
    """Batches of full size where three are asked for."""

    def batches(self, positions, size, rng=None):
        for where, batch in super().batches(positions, size, rng):
            if size != 3 or len(batch) == size:
                yield where, batch


class UnseededAugmentation(Clean):
    # Training noise from a generator of its own.

    def __init__(self):
        super().__init__()
        self.own = torch.Generator().manual_seed(0)

    def items(self, mode):
        return OwnNoiseItems(self, mode)


class OwnNoiseItems(FakeItems):
    """Ignores the generator that it is given."""

    def batches(self, positions, size, rng=None):
        return super().batches(positions, size, self.pool.own)


class GlobalAugmentation(Clean):
    # Draws a crop from numpy's global generator, and does not use it.

    def items(self, mode):
        np.random.random()  # noqa: NPY002 - the fault
        return super().items(mode)


class FeaturesInDouble(Clean):
    def features(self):
        return super().features().astype(np.float64)


def _mutant(cls, source, caught_by):
    return Mutant(cls, source, caught_by, name=cls.__name__, context={"labels": LABELS})


MUTANTS = [
    _mutant(EvalWithTrainTransform, "ANCHORS 1.9 training transform", "check_eval_items_repeat_exactly"),
    _mutant(LabelsOnThePool, "DESIGN 4", "check_no_label_can_be_reached"),
    _mutant(LabelsInAColumn, "DESIGN 4", "check_no_label_can_be_reached"),
    _mutant(LabelsInAClosure, "DESIGN 4", "check_no_label_can_be_reached"),
    _mutant(LabelsInItems, "DESIGN 4", "check_no_label_can_be_reached"),
    _mutant(KeysThatRepeat, "issue 2.7", "check_keys_lead_back"),
    _mutant(UnknownKeyIsFirst, "issue 2.7", "check_keys_lead_back"),
    _mutant(OrderOfTheProcess, "ANCHORS 3 pool", "check_positions_hold_across_processes"),
    _mutant(DigestOfReading, "FIELD 2.32", "check_digest_follows_the_content"),
    _mutant(BytesForFloats, "FIELD 2.25 normalisation", "check_form_is_kept"),
    _mutant(DropsTheLastBatch, "FIELD 2.33 drops items", "check_batches_cover_the_positions"),
    _mutant(UnseededAugmentation, "ANCHORS 1.9 global randomness", "check_train_items_follow_the_generator"),
    _mutant(GlobalAugmentation, "ANCHORS 1.9 global randomness", "check_moves_no_global_generator"),
    _mutant(FeaturesInDouble, "ANCHORS 3 pool", "check_features_are_one_row_per_item"),
]
