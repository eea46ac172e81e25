"""Saved models in active learning: a small transformer fine-tuned on trec6, frozen features on cifar10_jpeg.

Neither model knows anything of the pool's labels or of the test part: the one for trec6 starts from random weights and
a tokenizer of the pool's texts; the one for cifar10_jpeg is trained on pictures that are kept out of pool and test.
Prints a Markdown table per data set. `ASKWELL_DATA` names the folder of the data sets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
import transformers as hf
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

import askwell as aw
from askwell.data import load
from askwell.engine.result import Result
from askwell.schemes import Supervised

VOCABULARY, LENGTH = 4000, 32
POOL, KEPT_OUT, TESTED = 10_000, 20_000, 4000
SIDE, BATCH, LR = 32, 64, 3e-3


def text_folder(texts: list[str], folder: Path) -> Path:
    """A BERT of two layers with random weights, and word pieces of these texts."""
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer, pieces.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special))
    hf.PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = hf.BertConfig(
        vocab_size=VOCABULARY, hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
        max_position_embeddings=LENGTH,
    )  # fmt: skip
    hf.AutoModel.from_config(config).save_pretrained(folder)
    return folder


def trec6(folder: Path, seeds: int) -> Result:
    """Margin against random, a transformer fine-tuned in every round."""
    data = load("trec6")
    texts = [data.pool.item(position) for position in data.split.candidates.tolist()]
    model = text_folder(texts, folder / "bert")
    scheme = Supervised(steps=150, batch=32, lr=1e-3, warm_up=15, clip=1.0)
    return aw.run(
        "trec6", strategy="margin", model=str(model), scheme=scheme, initial=200, batch=200, rounds=4,
        seeds=seeds, out=folder / "runs", quiet=True,
    )  # fmt: skip


def cifar10(folder: Path, seeds: int, epochs: int) -> list[Result]:
    """Margin and typiclust against random, a linear head on features of a classifier that was trained elsewhere."""
    whole = load("cifar10_jpeg", size=SIDE)
    labels = whole.labels
    assert labels is not None
    order = np.random.default_rng(0).permutation(whole.split.candidates)
    kept_out, pool = order[:KEPT_OUT], np.sort(order[KEPT_OUT : KEPT_OUT + POOL])
    model = picture_folder(pictures(whole.pool, kept_out), labels[kept_out], folder / "resnet", epochs)
    used = np.concatenate([pool, whole.split.test[:TESTED]])
    items = (pictures(whole.pool, used) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    data = load(items, labels=labels[used], test_size=TESTED, pool_size=POOL, features=str(model))
    settings: dict[str, Any] = {
        "initial": 20, "batch": 20, "rounds": 9, "seeds": seeds, "out": folder / "runs", "quiet": True,
    }  # fmt: skip
    return [
        aw.run(data, strategy="margin", **settings),
        aw.run(data, strategy="typiclust", start="typiclust", **settings),
    ]


def pictures(pool: Any, ids: NDArray[np.int64]) -> Tensor:
    """(n, 3, SIDE, SIDE) in [0, 1]."""
    return torch.cat([batch for _, batch in pool.items("eval").batches(torch.from_numpy(ids), 1024)])


def picture_folder(x: Tensor, labels: NDArray[Any], folder: Path, epochs: int) -> Path:
    """A small ResNet trained on these pictures alone, saved with its settings."""
    torch.manual_seed(0)
    config = hf.ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 128], depths=[1, 1, 1], layer_type="basic",
        num_labels=int(labels.max()) + 1,
    )  # fmt: skip
    net = hf.AutoModelForImageClassification.from_config(config).train()
    y = torch.from_numpy(np.asarray(labels, np.int64))
    steps = epochs * (len(x) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LR, total_steps=steps)
    for rows in batches(len(x), epochs):
        flipped = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, x[rows].flip(3), x[rows])
        loss = torch.nn.functional.cross_entropy(net(pixel_values=flipped * 2 - 1).logits, y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.save_pretrained(folder)
    hf.ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def batches(count: int, epochs: int) -> Iterator[Tensor]:
    for _ in range(epochs):
        yield from torch.randperm(count)[: count - count % BATCH].split(BATCH)


def table(title: str, results: list[Result], seconds: float) -> None:
    """Accuracy by number of labels, the mean over seeds with its smallest and largest."""
    arms = {arm: curves for result in results for arm, curves in result.curves().items()}
    points = [labels for labels, _ in next(iter(arms.values()))[0]]
    print(f"\n**{title}** ({seconds:.0f} s)\n\n| labels | " + " | ".join(arms) + " |\n|" + "---|" * (len(arms) + 1))
    for place, labels in enumerate(points):
        cells = [[curve[place][1] for curve in curves] for curves in arms.values()]
        shown = [f"{np.mean(cell):.1%} ({min(cell):.1%} to {max(cell):.1%})" for cell in cells]
        print(f"| {labels} | " + " | ".join(shown) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=["trec6", "cifar10_jpeg"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8, help="of the classifier on the pictures kept out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    hf.utils.logging.disable_progress_bar()
    folder = Path(mkdtemp())
    runs: dict[str, Callable[[], list[Result]]] = {
        "trec6": lambda: [trec6(folder, options.seeds)],
        "cifar10_jpeg": lambda: cifar10(folder, options.seeds, options.epochs),
    }
    for name in options.sets:
        start = time.perf_counter()
        results = runs[name]()
        table(name, results, time.perf_counter() - start)


if __name__ == "__main__":
    main()
