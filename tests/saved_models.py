"""Small models built from a config and saved to a folder, and toys of texts to learn by them."""

from __future__ import annotations

import atexit
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from askwell.testing.fakes import FakePool
from askwell.testing.learner import Pupil
from askwell.testing.toys import Toy

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
WORDS = 30
CACHE = TemporaryDirectory()
atexit.register(CACHE.cleanup)
NAMES = ("ash", "birch", "cedar")


def text_config(kind: str = "bert", **settings):
    import transformers as hf

    sizes = {
        "bert": (hf.BertConfig, {**SMALL, "max_position_embeddings": 40}),
        "roberta": (hf.RobertaConfig, {**SMALL, "max_position_embeddings": 40, "pad_token_id": 1}),
        "distilbert": (hf.DistilBertConfig, {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}),
        "gpt2": (hf.GPT2Config, {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 40}),
        "t5": (hf.T5Config, {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}),
        "xlnet": (hf.XLNetConfig, {"d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 32}),
    }
    config, given = sizes[kind]
    return config(**{"vocab_size": 40, **given, **settings})


def picture_config(kind: str = "vit", **settings):
    import transformers as hf

    sizes = {
        "vit": (hf.ViTConfig, {**SMALL, "image_size": 8, "patch_size": 4}),
        "resnet": (
            hf.ResNetConfig,
            {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
        ),
        "swin": (
            hf.SwinConfig,
            {"image_size": 8, "patch_size": 2, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 2},
        ),
    }
    config, given = sizes[kind]
    return config(**{**given, **settings})


def tokenizer(texts=None):
    """Words as tokens: w0, w1, … unless other texts are given."""
    import transformers as hf
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    known = [" ".join(f"w{word}" for word in range(WORDS))] if texts is None else texts
    words.train_from_iterator(known, trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]"]))
    return hf.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]")


def save(folder: Path, config, *, auto: str = "AutoModel", texts=None, words: bool = True, seed: int = 0) -> Path:
    """A model with random weights in a folder, with a tokenizer if it is one of texts."""
    import transformers as hf

    hf.utils.logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        getattr(hf, auto).from_config(config).save_pretrained(folder)
    if words and hasattr(config, "vocab_size"):
        tokenizer(texts).save_pretrained(folder)
    return Path(folder)


class Sentences(FakePool):
    """Rows of token lists as texts of the words w0, w1, …; with a cache that goes when the tests end."""

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__(rows)
        self.cache = Path(CACHE.name)

    def item(self, position: int) -> str:
        return " ".join(f"w{word}" for word in self.rows[position].tolist() if word)


class TextToy(Toy):
    """The toy of token lists, as texts."""

    def fresh(self, jitter: float = 0.0) -> Toy:
        return replace(self, pool=Sentences(self.pool.rows))

    def spoilt(self, ids: torch.Tensor) -> Toy:
        other = super().spoilt(ids)
        return replace(other, pool=Sentences(other.pool.rows))


@dataclass(frozen=True)
class TextPupil(Pupil):
    """A learner of texts."""

    @property
    def toy(self) -> Toy:
        one = super().toy
        return TextToy(Sentences(one.pool.rows), one.truth, one.task, one.sizes)
