"""Small data of every kind on disk and in memory, and the function that loads their pools afresh."""

from __future__ import annotations

import csv
import json

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from askwell.data import FieldPool, Grown, load

NAMES = ("ash", "birch", "cedar")
CLASSES = np.random.default_rng(1).integers(0, 3, 30)
WORDS = ("leaf", "bark", "root", "seed", "twig", "moss", "cone", "bud")


class MapStyle(Dataset):
    """Vectors with labels, like many torch datasets."""

    def __init__(self):
        self.rows = vectors()

    def __len__(self):
        return 30

    def __getitem__(self, place):
        return self.rows[place], int(CLASSES[place])


def vectors():
    return np.random.default_rng(2).normal(size=(30, 5)).astype(np.float32)


def pictures():
    return np.random.default_rng(3).integers(0, 256, (30, 8, 8, 3)).astype(np.uint8)


def texts():
    rng = np.random.default_rng(4)
    return [" ".join(rng.choice(WORDS, 6)) + f" {place}" for place in range(30)]


def write(folder):
    """All files below the folder."""
    np.savez(folder / "vectors.npz", x=vectors(), y=CLASSES)
    for place, (pixels, index) in enumerate(zip(pictures(), CLASSES, strict=True)):
        home = folder / "pictures" / NAMES[index]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(home / f"{place:02}.png")
    labels = [NAMES[index] for index in CLASSES]
    with (folder / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *zip(range(100, 130), texts(), labels, strict=True)])
    lines = [
        json.dumps({"name": f"row-{place}", "a": float(row[0]), "b": float(row[1]), "label": label})
        for place, (row, label) in enumerate(zip(vectors(), labels, strict=True))
    ]
    (folder / "features.jsonl").write_text("\n".join(lines))


def data_of(kind, folder):
    """The data of this kind, loaded afresh."""
    cache = folder / "cache"
    if kind in FILES:
        name, options = FILES[kind]
        return load(folder / name, cache=cache, **options)
    return MEMORY[kind](cache)


def pool_of(kind, folder):
    """The pool of this kind, loaded afresh."""
    pool = data_of(kind.removesuffix("-grown"), folder).pool
    return Grown(pool, [pool.item(0)] * 2) if kind.endswith("-grown") else pool


FILES = {
    "npz": ("vectors.npz", {}),
    "folder": ("pictures", {}),
    "csv-text": ("texts.csv", {"text": "text", "label": "label", "key": "id"}),
    "jsonl-features": ("features.jsonl", {"columns": ["a", "b"], "label": "label", "key": "name"}),
}
MEMORY = {
    "digits": lambda cache: load("digits", cache=cache),
    "array-vectors": lambda cache: load(vectors(), labels=CLASSES, cache=cache),
    "array-pictures": lambda cache: load(pictures(), labels=CLASSES, cache=cache),
    "fields": lambda cache: load(FieldPool(vectors(), side=4, cache=cache), labels=CLASSES),
    "list-of-texts": lambda cache: load(texts(), labels=CLASSES, cache=cache),
    "dataset": lambda cache: load(MapStyle(), cache=cache),
}
