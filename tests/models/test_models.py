"""Networks: the contract of `Net`, and forms that they take or refuse."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from askwell.core.pool import Form
from askwell.core.registry import catalogue
from askwell.errors import InputError, UnknownName
from askwell.models import MLP, Resnet18, SmallCNN, TextCNN
from askwell.models.discriminator import Discriminator
from askwell.models.vae import ConvVAE, MlpVAE
from askwell.models.wrap import Wrapped

VECTOR, IMAGE, TOKENS = Form("vector", (7,)), Form("image", (1, 8, 8)), Form("tokens", (6,), 30)
CASES = {
    "mlp": (MLP(width=12), VECTOR),
    "mlp on images": (MLP(width=12, depth=3), IMAGE),
    "linear": (MLP(depth=0), VECTOR),
    "cnn": (SmallCNN(channels=4, width=12), IMAGE),
    "cnn on odd sides": (SmallCNN(channels=4, width=12), Form("image", (3, 9, 13))),
    "resnet": (Resnet18(width=4, dropout=0.1), Form("image", (3, 16, 16))),
    "textcnn": (TextCNN(embedding=8, filters=4), TOKENS),
    "textcnn on short texts": (TextCNN(embedding=8, filters=4), Form("tokens", (2,), 30)),
}


def batch(form, n=5):
    rng = torch.Generator().manual_seed(0)
    if form.kind == "tokens":
        return torch.randint(0, form.vocab, (n, *form.shape), generator=rng)
    return torch.rand(n, *form.shape, generator=rng)


@pytest.mark.parametrize(("model", "form"), CASES.values(), ids=CASES)
class TestEveryModel:
    def test_outputs_are_the_head_of_the_embedding(self, model, form):
        net, x = model.build(form, 3).eval(), batch(form)
        z, taps = net.embed(x)
        assert net(x).shape == (5, 3)
        assert z.ndim == 2
        assert torch.equal(net(x), net.head(z))
        assert all(len(tap) == 5 for tap in taps)
        assert isinstance(net.head, nn.Linear)
        assert net.head.in_features == z.shape[1]

    def test_dropout_is_a_module_and_off_in_eval_mode(self, model, form):
        net, x = model.build(form, 3), batch(form)
        drops = [layer for layer in net.modules() if isinstance(layer, nn.Dropout)]
        assert bool(drops) == (model != MLP(depth=0))
        assert torch.equal(net.eval()(x), net(x))

    def test_every_parameter_gets_a_gradient(self, model, form):
        net = model.build(form, 3)
        net(batch(form)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize(
    ("model", "form", "text"),
    [
        (MLP(), TOKENS, "takes items of kind vector or image and these are of kind 'tokens'"),
        (SmallCNN(), VECTOR, "takes items of kind image and these are of kind 'vector'"),
        (SmallCNN(), Form("image", (1, 3, 8)), "takes images of at least 4x4 pixels, got 3x8"),
        (Resnet18(), TOKENS, "takes items of kind image and these are of kind 'tokens'"),
        (TextCNN(), IMAGE, "takes items of kind tokens and these are of kind 'image'"),
    ],
)
def test_forms_that_are_refused(model, form, text):
    with pytest.raises(InputError) as caught:
        model.build(form, 3)
    assert str(caught.value) == f"model {model!r} {text}"


def test_permanent_names():
    assert set(catalogue("models")) == {"mlp", "small_cnn", "resnet18", "text_cnn", "har_net"}


def test_resnet18_has_the_size_of_the_paper():
    net = Resnet18().build(Form("image", (3, 32, 32)), 10)
    assert sum(parameter.numel() for parameter in net.parameters()) == 11_173_962


def test_padding_changes_nothing_after_the_widest_filter():
    net = TextCNN(embedding=8, filters=4).build(TOKENS, 2).eval()
    assert net.stages[0].weight[0].abs().sum() == 0
    net(torch.tensor([[1, 2, 3, 0, 0, 0]])).sum().backward()
    assert net.stages[0].weight.grad[0].abs().sum() == 0


class TestWrapped:
    def test_the_last_linear_layer_is_the_head(self):
        module = nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
        net, x = Wrapped(module), batch(VECTOR)
        z, taps = net.embed(x)
        assert torch.equal(z, module[:2](x))
        assert torch.equal(net(x), net.head(z))
        assert taps == ()

    def test_a_named_layer_with_several_axes_is_flattened_and_back(self):
        module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
        net, x = Wrapped(module, "2"), batch(IMAGE)
        z, _ = net.embed(x)
        assert z.shape == (5, 4 * 8 * 8)
        assert torch.equal(net(x), net.head(z))

    def test_a_linear_layer_over_a_sequence(self):
        module = nn.Sequential(nn.Embedding(30, 4), nn.Linear(4, 2))
        net, x = Wrapped(module), batch(TOKENS)
        z, _ = net.embed(x)
        assert z.shape == (5, 6 * 4)
        assert net.head(z).shape == (5, 6, 2)

    def test_weights_are_there_once_and_copies_are_their_own(self):
        net = Wrapped(nn.Sequential(nn.Linear(7, 3)))
        assert sorted(net.state_dict()) == ["module.0.bias", "module.0.weight"]
        net.embed(batch(VECTOR))
        copy = deepcopy(net)
        nn.init.zeros_(copy.head.weight)
        assert net.head.weight.abs().sum() > 0
        assert torch.equal(copy.embed(batch(VECTOR))[0], net.embed(batch(VECTOR))[0])

    def test_it_leaves_no_hooks(self):
        net = Wrapped(nn.Sequential(nn.Linear(7, 3)))
        net.embed(batch(VECTOR))
        with pytest.raises(RuntimeError):
            net.embed(torch.ones(2, 5))
        assert not any(layer._forward_pre_hooks for layer in net.modules())

    def test_no_linear_layer(self):
        with pytest.raises(InputError) as caught:
            Wrapped(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()))
        assert str(caught.value) == (
            "Sequential has no nn.Linear whose input could be the embedding: name the `layer` that makes its output, "
            "one of 0, 1"
        )

    def test_unknown_layer(self):
        module = nn.Module()
        module.classifier = nn.Linear(2, 2)
        with pytest.raises(
            UnknownName, match=r"^unknown layer of Module 'clasifier': did you mean 'classifier'\? Known: classifier$"
        ):
            Wrapped(module, "clasifier")

    def test_something_after_the_layer(self):
        net = Wrapped(nn.Sequential(nn.Linear(7, 3), nn.Softmax(1)))
        with pytest.raises(InputError) as caught:
            net.embed(batch(VECTOR))
        assert str(caught.value) == (
            "Sequential does not return what its layer '0' returns: return its logits unchanged, "
            "or name the `layer` that makes the output"
        )

    def test_a_layer_that_is_not_called(self):
        class Idle(nn.Module):
            def __init__(self):
                super().__init__()
                self.used, self.idle = nn.Linear(7, 3), nn.Linear(7, 3)

            def forward(self, x):
                return self.used(x)

        with pytest.raises(InputError, match=r"^layer 'idle' of Idle was not called: name another `layer`$"):
            Wrapped(Idle()).embed(batch(VECTOR))


class TestVAE:
    @pytest.mark.parametrize(
        ("model", "form"),
        [
            (MlpVAE(4, (8,)), VECTOR),
            (MlpVAE(4), IMAGE),
            (ConvVAE(4, 4, 2), IMAGE),
            (ConvVAE(4, 4), Form("image", (3, 32, 16))),
        ],
    )
    def test_items_come_back_in_their_shape(self, model, form):
        vae, x = model.build(form), batch(form)
        mean, logvar = vae.encode(x)
        assert mean.shape == logvar.shape == (5, 4)
        assert vae.decode(mean).shape == x.shape

    def test_sides_that_cannot_be_halved(self):
        with pytest.raises(InputError, match=r"takes images whose sides are multiples of 8, got 28x28$"):
            ConvVAE().build(Form("image", (1, 28, 28)))


def test_a_discriminator_is_as_deep_and_wide_as_it_is_told():
    shapes = [tuple(weights.shape) for weights in Discriminator(2, 7, 3).parameters() if weights.ndim == 2]
    assert shapes == [(7, 2), (7, 7), (7, 7), (1, 7)]
    assert [name for name, _ in Discriminator(2).named_parameters()][::2] == [f"layers.{n}.weight" for n in (0, 2, 4)]
