import torch

from askwell.core.task import Task


class Counting(Task):
    """The least that a task must say."""

    outputs = 1

    def check(self, value):
        return int(value)

    def encode(self, values):
        return torch.tensor(values)

    def loss(self, outputs, targets):
        return (outputs[:, 0] - targets).abs()

    def metrics(self, outputs, targets):
        return {"error": float(self.loss(outputs, targets).mean())}

    def predict(self, outputs):
        return outputs

    def decide(self, predictions):
        return predictions[:, 0].round().int().tolist()


def test_units_reduce_to_items_by_the_maximum():
    scores = Counting().reduce(torch.tensor([0.1, 0.9, -3.0, -2.0]), torch.tensor([0, 0, 2, 2]), 3)
    assert scores.tolist() == torch.tensor([0.9, 0.0, -2.0]).tolist()


def test_defaults():
    task = Counting()
    assert (task.num_classes, task.form, task.headline, task.cost("x")) == (None, "label", "accuracy", 1.0)
