"""Every learner × every check, each on items of the forms that it takes."""

import atexit
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from askwell.core.registry import catalogue
from askwell.learners import Ensemble, Laplace, Linear, Net, Sklearn, Transformer
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.schemes import DPE, VAAL, Checkpoints, Supervised, Variational
from askwell.testing import learner, parametrize_with_checks
from askwell.testing.learner import Pupil

SHORT = Supervised(steps=40, batch=18, lr=2e-2, stop=())
PUPILS = {
    "net-mlp": Pupil(Net(MLP(width=16, depth=2, dropout=0.2)), SHORT),
    "net-mlp-warm": Pupil(Net(MLP(width=16, depth=1)), Supervised(steps=40, lr=2e-2, policy="warm")),
    "net-vaal": Pupil(Net(MLP(width=16, depth=1)), VAAL(steps=12, lr=5e-2, pairs=8)),
    "net-small_cnn": Pupil(Net(SmallCNN(channels=4, width=16)), Supervised(steps=20, batch=12, lr=3e-3), "image"),
    "net-text_cnn": Pupil(Net(TextCNN(embedding=16, filters=12)), Supervised(steps=25, batch=12, lr=2e-2), "tokens"),
    "net-labels": Pupil(Net(MLP(width=16, depth=2, dropout=0.2)), SHORT, task="multi_label"),
    "net-numbers": Pupil(Net(MLP(width=16, depth=2, dropout=0.1)), SHORT, task="regression"),
    "net-numbers-warm": Pupil(
        Net(MLP(width=16, depth=1)), Supervised(steps=40, lr=2e-2, policy="warm"), task="regression"
    ),
    "net-image-numbers": Pupil(
        Net(SmallCNN(channels=4, width=16)), Supervised(steps=40, batch=12, lr=1e-2), "image", "regression"
    ),
    "linear": Pupil(Linear()),
    "linear-labels": Pupil(Linear(l2=0.1, dropout=0.2), task="multi_label"),
    "linear-numbers": Pupil(Linear(dropout=0.1), task="regression"),
    "linear-dropout": Pupil(Linear(dropout=0.3)),
    "sklearn-logistic_regression": Pupil(Sklearn()),
    "sklearn-random_forest": Pupil(Sklearn("random_forest", {"n_estimators": 10})),
    "sklearn-svm": Pupil(Sklearn("svm")),
    "sklearn-labels": Pupil(Sklearn(), task="multi_label"),
    "sklearn-forest-labels": Pupil(Sklearn("extra_trees", {"n_estimators": 10}), task="multi_label"),
    "sklearn-numbers": Pupil(Sklearn("ridge"), task="regression"),
    "sklearn-bagging-numbers": Pupil(Sklearn("bagging", {"estimator": Sklearn("ridge")}), task="regression"),
    "laplace-net": Pupil(Laplace(Net(MLP(width=16, depth=1, dropout=0.2))), SHORT),
    "laplace-linear-full": Pupil(Laplace(Linear(), "full")),
    "laplace-ensemble": Pupil(Laplace(Ensemble(2, Net(MLP(width=16, depth=1))), "categorical"), SHORT),
    "net-checkpoints": Pupil(Net(MLP(width=16, depth=1)), Checkpoints(steps=40, batch=18, lr=2e-2, last=4)),
    "net-checkpoints-numbers": Pupil(
        Net(MLP(width=16, depth=2)), Checkpoints(steps=60, batch=18, lr=2e-2, last=4, cycles=4), task="regression"
    ),
    "net-dpe": Pupil(Net(MLP(width=16, depth=1)), DPE(steps=40, batch=18, lr=2e-2, members=4)),
    "net-dpe-cnn": Pupil(Net(SmallCNN(channels=4, width=16)), DPE(steps=20, batch=12, lr=3e-3, members=4), "image"),
    "net-dpe-labels": Pupil(
        Net(MLP(width=16, depth=1)), DPE(steps=40, batch=18, lr=2e-2, members=4), task="multi_label"
    ),
    "net-variational": Pupil(Net(MLP(width=16, depth=2)), Variational(steps=60, batch=18, lr=2e-2)),
    "net-variational-cnn": Pupil(
        Net(SmallCNN(channels=4, width=16)), Variational(steps=30, batch=12, lr=5e-3, layers=2), "image"
    ),
    "net-variational-words": Pupil(
        Net(TextCNN(embedding=16, filters=12)), Variational(steps=40, batch=12, lr=2e-2), "tokens"
    ),
    "net-variational-numbers": Pupil(
        Net(MLP(width=16, depth=2)), Variational(steps=80, batch=18, lr=2e-2, weight=0.1), task="regression"
    ),
    "ensemble-dropout": Pupil(Ensemble(2, Net(MLP(width=16, depth=2, dropout=0.2)), inner_draws=3), SHORT),
    "ensemble-checkpoints": Pupil(
        Ensemble(2, Net(MLP(width=16, depth=1)), inner_draws=2), Checkpoints(steps=40, batch=18, lr=2e-2, last=2)
    ),
    "ensemble-net": Pupil(Ensemble(4, Net(MLP(width=16, depth=2, dropout=0.2))), SHORT),
    "ensemble-net-warm": Pupil(Ensemble(4, Net(MLP(width=16, depth=1))), Supervised(steps=40, lr=2e-2, policy="warm")),
    "ensemble-linear-bags": Pupil(Ensemble(4, Linear(), bootstrap=True)),
    "ensemble-labels": Pupil(Ensemble(4, Net(MLP(width=16, depth=1))), SHORT, task="multi_label"),
    "ensemble-sklearn-numbers": Pupil(Ensemble(4, Sklearn("ridge"), bootstrap=True), task="regression"),
    "ensemble-net-numbers": Pupil(Ensemble(4, Net(MLP(width=16, depth=1)), bootstrap=True), SHORT, task="regression"),
}


if find_spec("transformers"):
    from saved_models import TextPupil, picture_config, save, text_config

    FOLDERS = TemporaryDirectory()
    atexit.register(FOLDERS.cleanup)
    TEXTS = save(Path(FOLDERS.name) / "texts", text_config())
    PICTURES = save(Path(FOLDERS.name) / "pictures", picture_config(hidden_dropout_prob=0.1))
    PUPILS |= {
        "transformer-texts": TextPupil(Transformer(str(TEXTS)), Supervised(steps=40, batch=12, lr=1e-2), "tokens"),
        "transformer-pictures": Pupil(Transformer(str(PICTURES)), Supervised(steps=60, batch=12, lr=5e-3), "image"),
    }


@parametrize_with_checks(PUPILS, learner.CHECKS)
def test_contract(part, check):
    check(part)


@pytest.mark.skipif(not find_spec("transformers"), reason="needs transformers")
def test_every_learner_is_here():
    assert {type(pupil.factory) for pupil in PUPILS.values()} == set(catalogue("learners").values())
