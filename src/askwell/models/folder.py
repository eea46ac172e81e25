"""A model that lies in a folder on disk, in the format of Hugging Face: opened without network, code or pickles."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import nn

from askwell.core.pool import Form
from askwell.errors import BadData, MissingExtra

__all__ = ["ModelFolder", "Pictures"]

Modality = Literal["tokens", "image"]
CONTENT = (".json", ".safetensors", ".txt", ".model")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
TOKENIZERS = ("tokenizer", "vocab.", "spiece.", "sentencepiece.")
MODALITIES: dict[str, Modality] = {"input_ids": "tokens", "pixel_values": "image"}
NAMED = {"tokens": "texts", "image": "pictures", "vector": "vectors", "other": "items of another kind"}
WIDTH = 768
"""Of models that do not say."""
FAILURES = (ImportError, KeyError, OSError, RuntimeError, SafetensorError, TypeError, ValueError)
"""What the library raises on a folder that it cannot open."""


@dataclass(frozen=True)
class Pictures:
    """How a model takes pictures.

    size      (height, width) that they are resized to; None: as they are
    mean, std per channel, of pixels in [0, 1]
    """

    channels: int
    size: tuple[int, int] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class ModelFolder:
    """Config, weights and tokenizer or picture settings of one model, read by the Auto classes of `transformers`.

    Only safetensors are read, nothing is downloaded, and no code in the folder is run. Raises `BadData` in one sentence
    for a folder that is not there or not whole, `MissingExtra` without `transformers`.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path).resolve())
        if not self.path.is_dir():
            raise BadData(f"there is no model folder {self.path}", got=str(self.path))
        if not (self.path / "config.json").is_file():
            raise BadData(
                f"{self.path} is no model folder: it has no config.json; write one by save_pretrained",
                got=str(self.path),
            )
        if not any(self.path.glob("*.safetensors")):
            self._refuse_weights()

    @cached_property
    def digest(self) -> str:
        """Hex hash of config, weights, tokenizer and settings; files are read again only when they have changed."""
        stats = ((file.name, file.stat()) for file in self.files)
        return _digest(self.path, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))

    @property
    def files(self) -> list[Path]:
        """The files that the model is opened from, by name."""
        return sorted(file for file in self.path.iterdir() if file.suffix in CONTENT and file.is_file())

    @cached_property
    def config(self) -> Any:
        """The model's settings, by `AutoConfig`."""
        try:
            kind = json.loads((self.path / "config.json").read_text(encoding="utf-8")).get("model_type")
        except (ValueError, AttributeError):
            raise BadData(
                f"config.json of the model folder {self.path} is no JSON object", got=str(self.path)
            ) from None
        return self._read(f"a model of type {kind!r}", lambda hf: hf.AutoConfig.from_pretrained(**self._given))

    @cached_property
    def modality(self) -> Modality:
        """Whether it takes texts or pictures; refuses all else, and models that want both at once."""
        kind = type(self.config)
        base = self._read("an encoder", lambda hf: hf.MODEL_MAPPING[kind])
        name = (base[0] if isinstance(base, tuple) else base).main_input_name
        both = hasattr(self.config, "vision_config")
        if both or name not in MODALITIES:
            takes = "texts together with pictures" if both else name
            raise BadData(f"the model in {self.path} takes {takes}: use one of texts or of pictures alone", got=name)
        return MODALITIES[name]

    def check(self, form: Form) -> None:
        """Raises `BadData` unless the model takes items of this form."""
        if form.kind != self.modality:
            raise BadData(
                f"the model in {self.path} takes {NAMED[self.modality]}, and the items are {NAMED[form.kind]}", got=form
            )
        if form.kind == "image":
            self._check_channels(form.shape[0])

    def _check_channels(self, given: int) -> None:
        taken = self.pictures.channels
        if given not in (1, taken):
            wanted = "grey pictures" if taken == 1 else f"grey pictures and those of {taken} channels"
            raise BadData(f"the model in {self.path} takes {wanted}, and the items have {given} channels", got=given)

    def encoder(self) -> nn.Module:
        """The model without any head, in float32; of an encoder and a decoder the encoder alone."""
        model, missing = self._weights("an encoder", lambda hf: hf.AutoModel)
        self._refuse_missing([name for name in missing if "pooler" not in name.split(".")], "the model")
        encoder: nn.Module = model.get_encoder() if getattr(self.config, "is_encoder_decoder", False) else model
        return encoder

    def classifier(self) -> tuple[nn.Module, tuple[str, ...]]:
        """The model with the classifier that it was saved with, in float32, and the names of its classes."""
        tokens = self.modality == "tokens"
        kind = "AutoModelForSequenceClassification" if tokens else "AutoModelForImageClassification"
        model, missing = self._weights("a classifier", lambda hf: getattr(hf, kind))
        self._refuse_missing(missing, "its classifier")
        if hasattr(model, "score"):
            raise BadData(
                f"the classifier in {self.path} is a decoder's, with an output for every token: take head='new'",
                got=type(model).__name__,
            )
        names = self.config.id2label
        return model, tuple(str(names[place]) for place in range(len(names)))

    @cached_property
    def tokenizer(self) -> Any:
        """By `AutoTokenizer`; refuses one that numbers more tokens than the model knows."""
        if not any(file.name.startswith(TOKENIZERS) for file in self.path.iterdir()):
            raise BadData(
                f"the model folder {self.path} has no tokenizer: add one by tokenizer.save_pretrained",
                got=str(self.path),
            )
        found = self._read("a tokenizer", lambda hf: hf.AutoTokenizer.from_pretrained(**self._given))
        if len(found) > self.vocabulary:
            raise BadData(
                f"the tokenizer in {self.path} numbers {len(found)} tokens and the model knows {self.vocabulary}: "
                "they do not belong together",
                got=len(found),
            )
        return found

    @property
    def vocabulary(self) -> int:
        """Tokens that the model knows."""
        return int(self.config.get_text_config().vocab_size)

    @property
    def width(self) -> int:
        """Numbers per token or patch; of networks of convolutions, channels of the last stage."""
        config = self.config.get_text_config()
        found = getattr(config, "hidden_size", None) or getattr(config, "hidden_sizes", [WIDTH])[-1]
        return int(found)

    @property
    def padding(self) -> int:
        """The token that fills short rows; models that have none never see it, for the mask hides it."""
        return int(getattr(self.config.get_text_config(), "pad_token_id", None) or 0)

    def longest(self, wanted: int) -> int:
        """Tokens per text, at most: as wanted, as the tokenizer allows, and as the model has positions.

        Some models count positions from behind that of the padding token, as RoBERTa does: none of theirs is overrun.
        """
        limits = [wanted, int(self.tokenizer.model_max_length)]
        positions = int(getattr(self.config.get_text_config(), "max_position_embeddings", None) or 0)
        if positions > 0:
            limits.append(positions - (self.padding + 1 if 0 < self.padding < positions - 1 else 0))
        return min(limits)

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int32]:
        """(n, length) rows of token + 1, with 0 where a text has ended; longer texts are cut."""
        rows = np.zeros((len(texts), length), np.int32)
        readable = [_whole(text) for text in texts]
        found = self.tokenizer(readable, truncation=True, max_length=length, verbose=False)["input_ids"]
        for row, tokens in zip(rows, found, strict=True):
            row[: len(tokens)] = np.asarray(tokens, np.int32) + 1
        return rows

    @cached_property
    def pictures(self) -> Pictures:
        """By `AutoImageProcessor` where the folder has its settings; else mean and deviation of each channel are .5."""
        channels = int(getattr(self.config, "num_channels", 3))
        if not (self.path / "preprocessor_config.json").is_file():
            return Pictures(
                channels, _size(getattr(self.config, "image_size", None)), (0.5,) * channels, (0.5,) * channels
            )
        found = self._read("picture settings", lambda hf: hf.AutoImageProcessor.from_pretrained(**self._given))
        scaled = bool(getattr(found, "do_normalize", True))
        mean, std = (found.image_mean, found.image_std) if scaled else (0.0, 1.0)
        crop = getattr(found, "crop_size", None) if getattr(found, "do_center_crop", False) else None
        return Pictures(channels, _size(crop or found.size), _each(mean, channels), _each(std, channels))

    @property
    def _given(self) -> dict[str, Any]:
        return {"pretrained_model_name_or_path": str(self.path), "local_files_only": True, "trust_remote_code": False}

    def _weights(self, what: str, auto: Callable[[Any], Any]) -> tuple[Any, list[str]]:
        """The model, and names of tensors that the folder lacks."""
        given = {
            **self._given, "use_safetensors": True, "dtype": torch.float32, "output_loading_info": True,
            "ignore_mismatched_sizes": True,
        }  # fmt: skip
        model, info = self._read(what, lambda hf: auto(hf).from_pretrained(**given))
        self._refuse_sizes(sorted(info["mismatched_keys"]))
        return model, sorted(info["missing_keys"])

    def _read(self, what: str, read: Callable[[Any], Any]) -> Any:
        hf = _transformers()
        try:
            with _quiet(hf):
                return read(hf)
        except FAILURES as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BadData(
                f"{self.path} cannot be opened as {what} by transformers {hf.__version__}: {said}", got=str(self.path)
            ) from error

    def _refuse_weights(self) -> None:
        pickled = sorted(file.name for file in self.path.iterdir() if file.suffix in PICKLED)
        if pickled:
            raise BadData(
                f"the model folder {self.path} has its weights as a pickle ({pickled[0]}), which is never opened: "
                "save them as model.safetensors",
                got=pickled[0],
            )
        raise BadData(f"the model folder {self.path} has no weights: there is no .safetensors file", got=str(self.path))

    def _refuse_sizes(self, found: Sequence[tuple[str, Any, Any]]) -> None:
        """Raises `BadData` for tensors (name, shape in the file, shape by the config) that are of two shapes."""
        if found:
            name, there, wanted = found[0]
            raise BadData(
                f"the weights in {self.path} are not those of its config.json: {name!r} has shape {tuple(there)} and "
                f"should have {tuple(wanted)}",
                got=name,
            )

    def _refuse_missing(self, missing: Sequence[str], what: str) -> None:
        if missing:
            raise BadData(
                f"the weights in {self.path} lack {len(missing)} tensors of {what}, the first is {missing[0]!r}",
                got=list(missing),
            )


def _transformers() -> Any:
    """The library, untyped: its own types are too many to read for a handful of names."""
    try:
        return importlib.import_module("transformers")
    except ImportError:
        raise MissingExtra("transformers", "hf") from None


@contextmanager
def _quiet(hf: Any) -> Iterator[None]:
    """Inside, the library prints neither bars nor advice."""
    logging = hf.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@lru_cache(maxsize=64)
def _digest(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    """Hash of these files (name, bytes, time of change); the times only say when to read them again."""
    state = hashlib.blake2b(digest_size=32)
    for name, size, _ in files:
        state.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as file:
            state.update(hashlib.file_digest(file, "blake2b").digest())
    return state.hexdigest()


def _whole(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair, which no tokenizer takes.

    >>> _whole("a\\ud800b") == "a\\ufffdb"
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _size(given: Any) -> tuple[int, int] | None:
    """(height, width) from a number, a pair or a mapping."""
    if given is None:
        return None
    if isinstance(given, int):
        return given, given
    if isinstance(given, list | tuple):
        return int(given[0]), int(given[1])
    edges = dict(given)
    height, width = (edges.get(edge) or edges.get("shortest_edge") for edge in ("height", "width"))
    return (int(height), int(width)) if height and width else None


def _each(value: Any, channels: int) -> tuple[float, ...]:
    """One number per channel."""
    values = [float(one) for one in value] if isinstance(value, list | tuple) else [float(value)]
    return tuple(values * channels)[:channels] if len(values) == 1 else tuple(values[:channels])
