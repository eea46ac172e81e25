"""Every strategy × every check. `python tests/contracts/test_strategy_contract.py` records the golden picks anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from askwell.core.registry import catalogue
from askwell.core.spec import parse
from askwell.strategies import (
    ALBL,
    BAIT,
    BALD,
    BEMPS,
    EPIG,
    PAL,
    RAL,
    BatchBALD,
    BinaryEntropy,
    ClassBalance,
    ClusterMargin,
    Committee,
    Coreset,
    Discriminative,
    Entropy,
    ExpectedError,
    GreedySampling,
    Margin,
    MembershipSynthesis,
    Random,
    Refine,
    RobustCoreset,
    Stochastic,
    Stream,
    Subsample,
    Thompson,
)
from askwell.testing import Scenes, parametrize_with_checks, strategy
from askwell.testing.scenes import sentences

GOLDEN = Path(__file__).with_name("golden.json")
INSTANCES = {
    "albl": ALBL((Margin(), Entropy(), Random())),
    "batch_bald": BatchBALD(draws=10, samples=50),
    "class_balance": ClassBalance(Margin()),
    "cluster_margin": ClusterMargin(block=150),
    "discriminative": Discriminative(sub_batches=2, width=20, lr=1e-2, epochs=5),
    "epig": EPIG(draws=10),
    "expected_error": ExpectedError(steps=4),
    "membership_synthesis": MembershipSynthesis(steps=5),
    "pal": PAL("untrained"),
    "ral": RAL("untrained"),
    "refine": Refine((Margin(), Entropy()), Coreset(), depth=2, batches=4, size=10),
    "robust_coreset": RobustCoreset(size=150),
    "stochastic": Stochastic(BALD()),
    "stream": Stream(Margin()),
    "subsample": Subsample(Entropy(), size=10),
    "thompson": Thompson((Margin(), Random())),
}
SCENES = Scenes(
    {
        "decoder": lambda scene, need, ids: torch.Tensor.float,
        "latent": lambda scene, need, ids: scene.embedding[ids].to(scene.dtype),
        "latent_score": lambda scene, need, ids: scene.logits[ids, 0].sigmoid().to(scene.dtype),
        "logit_moments": lambda scene, need, ids: torch.stack(
            [scene.logits[ids], scene.logits[ids].flip(1).abs()], 2
        ).to(scene.dtype),
        "similarity": lambda scene, need, ids: scene.embedding[ids].roll(1, 1).to(scene.dtype),
        "words": lambda scene, need, ids: (4 * scene.embedding[ids]).round().long().abs(),
    }
)
SENTENCES = Scenes({"network": sentences})
OF_WORDS = {"egl_word": SENTENCES, "egl_entropy_beta": SENTENCES}
COMPOSED = {
    "cluster_round_robin": "margin | cluster_round_robin(block=150)",
    "k_center": "margin | k_center(beta=2)",
    "marginal_relevance": "entropy | marginal_relevance",
    "no_duplicates": "no_duplicates(similarity=0.8) | margin",
    "one_per_cluster": "one_per_cluster(per=2) | entropy",
    "power": "bald | power",
    "softmax": "margin | softmax(beta=4)",
    "softrank": "least_confidence | softrank",
    "top": "margin | top",
    "top_share": "top_share(beta=2, by=margin) | coreset",
    "weighted_kmeans": "margin | weighted_kmeans",
}
INSTANCES |= {name: parse("strategies", text) for name, text in COMPOSED.items()}
STRATEGIES = {name: INSTANCES[name] if name in INSTANCES else part() for name, part in catalogue("strategies").items()}
VARIANTS = {
    "membership_synthesis-latent": MembershipSynthesis("latent", steps=5),
    "membership_synthesis-made": MembershipSynthesis(snap=False, steps=5),
    "discriminative-first": Discriminative("first", sub_batches=1, width=20, lr=1e-2, epochs=5),
    "discriminative-inputs": Discriminative("inputs", 1, temperature=0.01, width=20, lr=1e-2, epochs=5),
    "ral-draws": RAL("untrained", draws=5),
    "bait-projected": BAIT(width=3, classes=2),
    "bemps-mse": BEMPS("mse"),
    "committee-kl": Committee("kl"),
    "binary_entropy-max": BinaryEntropy("max"),
    "greedy_sampling-inputs": GreedySampling("inputs"),
    "greedy_sampling-outputs": GreedySampling("outputs"),
}
EXCUSED = {"random": {"check_docstring_is_complete": "a baseline has no paper of its own to cite"}}


pytestmark = [
    pytest.mark.filterwarnings("ignore::askwell.functional.joint.Saturated"),
    pytest.mark.filterwarnings("ignore::askwell.functional.likely.Truncated"),
]


def scenes_of(part):
    """Sentences for those that read words."""
    return OF_WORDS.get(part.name, SCENES)


@parametrize_with_checks(STRATEGIES, strategy.CHECKS, EXCUSED)
def test_contract(part, check):
    check(part, scenes=scenes_of(part))


@parametrize_with_checks(VARIANTS, strategy.CHECKS)
def test_contract_of_variants(part, check):
    check(part, scenes=SCENES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_picks_are_golden(name):
    strategy.check_picks_are_golden(STRATEGIES[name], json.loads(GOLDEN.read_text())[name], scenes_of(STRATEGIES[name]))


def test_golden_picks_are_of_strategies_that_exist():
    assert set(json.loads(GOLDEN.read_text())) == set(STRATEGIES)


if __name__ == "__main__":
    picks = {name: strategy.golden_picks(part, scenes_of(part)) for name, part in sorted(STRATEGIES.items())}
    lines = ",\n".join(f'  "{name}": {json.dumps(found)}' for name, found in picks.items())
    GOLDEN.write_text(f"{{\n{lines}\n}}\n")
