"""Networks. `__all__` lists the factories that a learner can be given: `build(form, outputs)` returns a `Net`."""

from askwell.models.cnn import SmallCNN
from askwell.models.harnet import HARNet
from askwell.models.mlp import MLP
from askwell.models.resnet import Resnet18
from askwell.models.textcnn import TextCNN

__all__ = ["HARNet", "MLP", "Resnet18", "SmallCNN", "TextCNN"]
