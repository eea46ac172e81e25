"""Pools of items without labels, and the one door `load` through which all data come. Reading needs no torch.

from askwell.data import load

data = load("digits")                         # or a path, arrays, texts, a Dataset, a name of $ASKWELL_DATA
data.pool.item(0), data.classes, data.split.candidates
"""

from __future__ import annotations

from askwell.data.arrays import ArrayPool
from askwell.data.cache import cache_folder, cache_size
from askwell.data.dataset import Data, Split
from askwell.data.datasets import DatasetPool
from askwell.data.fields import FieldPool
from askwell.data.folder import ImageFolderPool
from askwell.data.grown import Grown, MadePool
from askwell.data.joined import Joined
from askwell.data.jpeg import JpegPool
from askwell.data.leave_out import leave_out
from askwell.data.load import load
from askwell.data.tables import TablePool
from askwell.data.texts import TextPool

__all__ = [
    "ArrayPool",
    "Data",
    "DatasetPool",
    "FieldPool",
    "Grown",
    "ImageFolderPool",
    "Joined",
    "JpegPool",
    "MadePool",
    "Split",
    "TablePool",
    "TextPool",
    "cache_folder",
    "cache_size",
    "leave_out",
    "load",
]
