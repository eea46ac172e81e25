"""Every learner × every check, each on items of the forms that it takes."""

from askwell.core.registry import catalogue
from askwell.learners import Linear, Net, Sklearn
from askwell.models import MLP, SmallCNN, TextCNN
from askwell.schemes import VAAL, Supervised
from askwell.testing import learner, parametrize_with_checks
from askwell.testing.learner import Pupil

SHORT = Supervised(steps=40, batch=18, lr=2e-2, stop=())
PUPILS = {
    "net-mlp": Pupil(Net(MLP(width=16, depth=2, dropout=0.2)), SHORT),
    "net-mlp-warm": Pupil(Net(MLP(width=16, depth=1)), Supervised(steps=40, lr=2e-2, policy="warm")),
    "net-vaal": Pupil(Net(MLP(width=16, depth=1)), VAAL(steps=12, lr=5e-2, pairs=8)),
    "net-small_cnn": Pupil(Net(SmallCNN(channels=4, width=16)), Supervised(steps=20, batch=12, lr=3e-3), "image"),
    "net-text_cnn": Pupil(Net(TextCNN(embedding=16, filters=12)), Supervised(steps=25, batch=12, lr=2e-2), "tokens"),
    "linear": Pupil(Linear()),
    "linear-dropout": Pupil(Linear(dropout=0.3)),
    "sklearn-logistic_regression": Pupil(Sklearn()),
    "sklearn-random_forest": Pupil(Sklearn("random_forest", {"n_estimators": 10})),
}


@parametrize_with_checks(PUPILS, learner.CHECKS)
def test_contract(part, check):
    check(part)


def test_every_learner_is_here():
    assert {type(pupil.factory) for pupil in PUPILS.values()} == set(catalogue("learners").values())
