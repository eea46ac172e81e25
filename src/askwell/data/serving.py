"""What a pool knows beside its items, so that a model can be used where the items it was trained on are not."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askwell.core.pool import Form, Pool
from askwell.data.arrays import ArrayPool
from askwell.data.digest import of_parts
from askwell.data.extracted import Extracted
from askwell.data.features import Principal, Standard, Topics
from askwell.data.joined import original
from askwell.data.jpeg import JpegPool
from askwell.data.keyed import KeyedPool
from askwell.data.pictures import Look, PicturePool
from askwell.data.simclr import Contrasted
from askwell.data.tables import TablePool
from askwell.data.texts import TextPool
from askwell.data.words import Vocabulary
from askwell.errors import BadData, InputError

__all__ = ["FILES", "Serving", "serving_of"]

FILES = ("items.json", "items.safetensors", "vocabulary.txt", "terms.txt")
MAPS: Mapping[str, type[Any]] = {
    "standard": Standard, "principal": Principal, "topics": Topics, "contrasted": Contrasted,
}  # fmt: skip
Map = Standard | Principal | Topics | Contrasted


@dataclass(frozen=True, eq=False)
class Serving:
    """How items become tensors and features: all of a pool that was fitted on its candidates, and none of its items.

    kind     of the pool's items: "texts", "rows of a table", "pictures" or "arrays"
    shape    of one item as a tensor; columns: of a table, in order; words: of texts, by their numbers
    look     of pictures; given: width of features that are numbers the user gave, 0 for none
    map      from items to features; None where nothing reads them
    model    the frozen model whose embeddings are the features, or None
    """

    kind: str
    shape: tuple[int, ...]
    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    look: Look | None = None
    given: int = 0
    map: Map | None = None
    model: Extracted | None = None

    def pool(self) -> KeyedPool:
        """A pool of one blank item for `load(…, like=pool)`: new items come out as they would beside the old ones."""
        features: Any = np.zeros((1, self.given), np.float32) if self.given else self.model
        blank = BLANKS[self.kind](self, features)
        return blank if self.map is None else blank.described_by(self.map, self.digest)

    @property
    def digest(self) -> str:
        """Hex hash of all of it."""
        return of_parts(*(np.frombuffer(content, np.uint8) for content in self.files().values()))

    def files(self) -> dict[str, bytes]:
        """As files: settings in JSON, numbers as safetensors, words one a line."""
        from safetensors.numpy import save

        kept = {"items.json": json.dumps(self._settings(), indent=1).encode() + b"\n"}
        if self.words:
            kept["vocabulary.txt"] = _lines(self.words)
        if isinstance(self.map, Topics):
            kept["terms.txt"] = _lines(self.map.terms)
        if self.map is not None:
            kept["items.safetensors"] = save(_arrays(self.map))
        return kept

    def _settings(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if name not in ("words", "map", "model", "look")}
        return {
            **plain,
            "look": None if self.look is None else asdict(self.look),
            "map": next((name for name, kind in MAPS.items() if isinstance(self.map, kind)), None),
            "model": None if self.model is None else {"length": self.model.length, "digest": self.model.digest},
        }

    @classmethod
    def read(cls, folder: Path, model: Path) -> Serving:
        """What `files` has written into a folder; `model`: where the frozen model lies, if there is one."""
        try:
            known = json.loads((folder / "items.json").read_bytes())
            look = None if known["look"] is None else Look(**known["look"])
            shape, columns = tuple(known["shape"]), tuple(known["columns"])
            words, map = _words(folder / "vocabulary.txt"), _map(known["map"], folder)
            made = cls(known["kind"], shape, columns, words, look, known["given"], map)
            frozen = known["model"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{folder} is damaged: its items cannot be read: {error}", got=str(folder)) from None
        return made if frozen is None else replace(made, model=_model(frozen, model))


def serving_of(pool: Pool, features: bool) -> Serving | None:
    """How a pool serves its items; `features`: whether something reads them. None for other people's pools.

    >>> serving = serving_of(TablePool(np.array([[1., 50.], [3., 70.]]), ["weight", "height"]), features=False)
    >>> TablePool(np.array([[60., 3.]]), ["height", "weight"], like=serving.pool()).features().tolist()
    [[1.0, 0.0]]
    """
    first = original(pool)
    if not isinstance(first, KeyedPool) or first.kind not in BLANKS:
        return None
    given, model = (first.given_width, first.model) if features else (0, None)
    computed = features and not given and model is None
    return Serving(
        first.kind,
        first.form.shape,
        columns=first.columns if isinstance(first, TablePool) else (),
        words=tuple(first.vocabulary.ids) if isinstance(first, TextPool) else (),
        look=first.look if isinstance(first, PicturePool) else None,
        given=given,
        map=_fitted(first) if computed or isinstance(first, TablePool) else None,
        model=model,
    )


def _fitted(pool: KeyedPool) -> Map:
    found = pool.feature_map
    if not isinstance(found, Map):
        raise InputError(f"a {type(pool).__name__} describes its items in a way that cannot be written down", got=found)
    return found


def _blank_texts(serving: Serving, features: Any) -> KeyedPool:
    pool = TextPool([""], features=features)
    pool.vocabulary = Vocabulary.of(serving.words)
    pool.form = Form("tokens", serving.shape, len(pool.vocabulary))
    return pool


def _blank_table(serving: Serving, features: Any) -> KeyedPool:
    return TablePool(np.zeros((1, len(serving.columns)), np.float32), serving.columns, features=features)


def _blank_array(serving: Serving, features: Any) -> KeyedPool:
    return ArrayPool(np.zeros((1, *serving.shape), np.float32), features=features)


def _blank_picture(serving: Serving, features: Any) -> KeyedPool:
    from PIL import Image

    assert serving.look is not None, "pictures have a look"
    file = io.BytesIO()
    Image.new("L" if serving.look.grey else "RGB", (serving.look.width, serving.look.height)).save(file, "png")
    data, size = np.frombuffer(file.getvalue(), np.uint8), (serving.look.height, serving.look.width)
    return JpegPool(data, np.array([0, len(data)]), size=size, features=features)


BLANKS = {
    TextPool.kind: _blank_texts,
    TablePool.kind: _blank_table,
    ArrayPool.kind: _blank_array,
    PicturePool.kind: _blank_picture,
}


def _arrays(map: Map) -> dict[str, NDArray[Any]]:
    return {name: np.ascontiguousarray(value) for name, value in vars(map).items() if isinstance(value, np.ndarray)}


def _map(name: str | None, folder: Path) -> Map | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if name is None:
        return None
    try:
        values: dict[str, Any] = dict(load_file(folder / "items.safetensors"))
    except SafetensorError as error:
        raise ValueError(f"items.safetensors: {error}") from None
    if name == "topics":
        values["terms"] = _words(folder / "terms.txt")
    kind = MAPS[name]
    made: Map = kind(**{field.name: values[field.name] for field in fields(kind)})
    return made


def _model(known: Mapping[str, Any], path: Path) -> Extracted:
    model = Extracted(str(path), known["length"])
    if model.digest != known["digest"]:
        raise BadData(f"the frozen model in {path} is not the one that the features were made with", got=str(path))
    return model


def _lines(words: tuple[str, ...]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode("utf-8", "surrogatepass")


def _words(path: Path) -> tuple[str, ...]:
    return tuple(path.read_bytes().decode("utf-8", "surrogatepass").split("\n")[:-1]) if path.is_file() else ()
