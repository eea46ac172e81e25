"""Every strategy × every check. `python tests/contracts/test_strategy_contract.py` records the golden picks anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from askwell.core.registry import catalogue
from askwell.strategies import (
    BAIT,
    BALD,
    BEMPS,
    EPIG,
    BatchBALD,
    BinaryEntropy,
    ClassBalance,
    ClusterMargin,
    Committee,
    Entropy,
    GreedySampling,
    Margin,
    Stochastic,
    Subsample,
)
from askwell.testing import Scenes, parametrize_with_checks, strategy

GOLDEN = Path(__file__).with_name("golden.json")
INSTANCES = {
    "batch_bald": BatchBALD(draws=10, samples=50),
    "class_balance": ClassBalance(Margin()),
    "cluster_margin": ClusterMargin(block=150),
    "epig": EPIG(draws=10),
    "stochastic": Stochastic(BALD()),
    "subsample": Subsample(Entropy(), size=10),
}
SCENES = Scenes({"latent_score": lambda scene, need, ids: scene.logits[ids, 0].sigmoid().to(scene.dtype)})
STRATEGIES = {name: INSTANCES[name] if name in INSTANCES else part() for name, part in catalogue("strategies").items()}
VARIANTS = {
    "bait-projected": BAIT(width=3, classes=2),
    "bemps-mse": BEMPS("mse"),
    "committee-kl": Committee("kl"),
    "binary_entropy-max": BinaryEntropy("max"),
    "greedy_sampling-inputs": GreedySampling("inputs"),
    "greedy_sampling-outputs": GreedySampling("outputs"),
}
EXCUSED = {"random": {"check_docstring_is_complete": "a baseline has no paper of its own to cite"}}


pytestmark = pytest.mark.filterwarnings("ignore::askwell.functional.joint.Saturated")


@parametrize_with_checks(STRATEGIES, strategy.CHECKS, EXCUSED)
def test_contract(part, check):
    check(part, scenes=SCENES)


@parametrize_with_checks(VARIANTS, strategy.CHECKS)
def test_contract_of_variants(part, check):
    check(part, scenes=SCENES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_picks_are_golden(name):
    strategy.check_picks_are_golden(STRATEGIES[name], json.loads(GOLDEN.read_text())[name], SCENES)


def test_golden_picks_are_of_strategies_that_exist():
    assert set(json.loads(GOLDEN.read_text())) == set(STRATEGIES)


if __name__ == "__main__":
    picks = {name: strategy.golden_picks(part, SCENES) for name, part in sorted(STRATEGIES.items())}
    lines = ",\n".join(f'  "{name}": {json.dumps(found)}' for name, found in picks.items())
    GOLDEN.write_text(f"{{\n{lines}\n}}\n")
