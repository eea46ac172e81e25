"""MC dropout over unlike networks: replaying equals running everything, and the part before dropout runs once."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from askwell.core.seeds import Seeds
from askwell.errors import InputError, UnmetNeeds
from askwell.functional.information import bald, entropy_of_mean
from askwell.training.masks import Dropping, Masks, Spot, noise
from askwell.training.mc_dropout import MCDropout, reachable

IDS = torch.arange(12)


class Counted(nn.Module):
    """Counts its forward passes, by number of items."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.passes = inner, []

    def forward(self, x):
        self.passes.append(len(x))
        return self.inner(x)


class CNN(nn.Module):
    shape = (1, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.early = Counted(nn.Conv2d(1, 4, 3, padding=1))
        self.relu, self.norm = nn.ReLU(inplace=True), nn.BatchNorm2d(4)
        self.drop, self.late = nn.Dropout2d(0.4), nn.Conv2d(4, 6, 3)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.norm(self.relu(self.early(x)))
        x = F.max_pool2d(x, 2)
        x = self.late(self.drop(x)).mean((2, 3))
        return self.head(F.dropout(x, 0.3, self.training))


class Residual(nn.Module):
    """Adds in place to what an early layer returned, and reads another early output after the dropout."""

    shape = (1, 6, 6)

    def __init__(self) -> None:
        super().__init__()
        self.early = Counted(nn.Conv2d(1, 4, 3, padding=1))
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.drop, self.head = nn.Dropout(0.5), nn.Linear(4, 3)

    def forward(self, x):
        skip = self.early(x)
        out = self.body(skip)
        out += skip
        out = F.relu(out, inplace=True)
        return self.head((self.drop(out) + skip).mean((2, 3)))


class Recurrent(nn.Module):
    """Items on the second axis, tuples out of the recurrent layer, the sequence folded into rows for the dropout."""

    shape = (5, 3)

    def __init__(self) -> None:
        super().__init__()
        self.early, self.drop, self.head = Counted(nn.Linear(3, 4)), nn.Dropout(0.5), nn.Linear(6, 3)
        self.lstm = nn.LSTM(4, 6)

    def forward(self, x):
        out, _ = self.lstm(self.early(x).transpose(0, 1))
        out = self.drop(out).transpose(0, 1)
        rows = F.dropout(out.reshape(-1, 6), 0.2, False)
        return self.head(rows.view(len(x), 5, 6).mean(1))


class Attention(nn.Module):
    shape = (4, 8)

    def __init__(self) -> None:
        super().__init__()
        self.early = Counted(nn.Linear(8, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
        self.layer.self_attn.dropout = 0.0
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.layer(self.early(x)).mean(1))


NETS = [CNN, Residual, Recurrent, Attention]


def made(cls, **how):
    torch.manual_seed(0)
    net = cls()
    x = torch.rand(12, *cls.shape)
    mc = MCDropout(net, [net], Seeds(3), x.__getitem__, IDS, **how)
    net.early.passes.clear()
    return net, x, mc


def drawn(mc, x, ids=IDS, draws=6):
    return mc(x[ids], ids, draws, lambda outputs: outputs)


def plainly(net, mc, x, draws=6):
    """Every draw by a whole pass of its own."""
    found = []
    with torch.no_grad():
        for draw in range(draws):
            with Dropping(mc.masks, draw, IDS):
                found.append(net.eval()(x))
    return torch.stack(found, 1)


@pytest.mark.parametrize("cls", NETS)
@pytest.mark.parametrize("consistent", [True, False])
def test_replayed_draws_equal_whole_passes_bit_by_bit(cls, consistent):
    net, x, mc = made(cls, consistent=consistent)
    outputs, draws = drawn(mc, x)
    assert mc.replays
    assert torch.equal(draws, plainly(net, mc, x))
    with torch.no_grad():
        torch.testing.assert_close(outputs, net.eval()(x))


@pytest.mark.parametrize("cls", NETS)
def test_the_part_before_dropout_runs_once_for_all_draws(cls):
    net, x, mc = made(cls)
    drawn(mc, x, draws=20)
    assert net.early.passes == [12]


@pytest.mark.parametrize("cls", NETS)
@pytest.mark.parametrize("consistent", [True, False])
def test_draws_do_not_depend_on_chunks(cls, consistent):
    _, x, mc = made(cls, consistent=consistent)
    _, whole = drawn(mc, x)
    parts = [drawn(mc, x, IDS[where])[1] for where in (slice(0, 1), slice(1, 5), slice(5, 12))]
    torch.testing.assert_close(torch.cat(parts), whole)


@pytest.mark.parametrize("cls", NETS)
def test_ten_draws_are_the_first_of_twenty(cls):
    _, x, mc = made(cls)
    assert torch.equal(drawn(mc, x, draws=10)[1], drawn(mc, x, draws=20)[1][:, :10])


@pytest.mark.parametrize("cls", NETS)
def test_a_draw_is_one_function_of_every_item(cls):
    """Equal items get equal rows; with a mask per item they do not."""
    net, x, mc = made(cls)
    same = x[:1].expand_as(x).contiguous()
    _, draws = drawn(mc, same)
    torch.testing.assert_close(draws, draws[:1].expand_as(draws))
    _, single = drawn(MCDropout(net, [net], Seeds(3), x.__getitem__, IDS, consistent=False), same)
    assert not torch.allclose(single, single[:1].expand_as(single))


@pytest.mark.parametrize("cls", NETS)
def test_everything_is_left_as_it_was(cls):
    net, x, mc = made(cls)
    net.train()
    net.drop = net.drop.eval() if hasattr(net, "drop") else nn.Identity()
    modes = [layer.training for layer in net.modules()]
    tensors = {key: value.clone() for key, value in net.state_dict().items()}
    generator = torch.get_rng_state()
    drawn(mc, x)
    assert [layer.training for layer in net.modules()] == modes
    assert all(torch.equal(value, tensors[key]) for key, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not any("forward" in vars(layer) or layer._forward_hooks for layer in net.modules())


def test_seeds_decide_the_masks():
    net, x, mc = made(CNN)
    other = MCDropout(net, [net], Seeds(4), x.__getitem__, IDS)
    assert not torch.equal(drawn(mc, x)[1], drawn(other, x)[1])
    again = MCDropout(net, [net], Seeds(3), x.__getitem__, IDS.flip(0))
    assert torch.equal(drawn(mc, x)[1], drawn(again, x)[1])


def test_only_tensors_that_are_read_later_are_kept():
    _, _, mc = made(CNN)
    names = [type(layer).__name__ for layer in mc.prefix.layers]
    assert dict(zip(names, mc.prefix.uses, strict=True)) == {
        "Counted": ("drop",),
        "ReLU": ("drop",),
        "BatchNorm2d": ("share",),
    }


def test_outputs_that_are_changed_in_place_are_copied():
    _, _, mc = made(Residual)
    assert [use for uses in mc.prefix.uses for use in uses] == ["share", "clone"]


def test_in_place_dropout_on_a_replayed_output():
    net = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5, inplace=True), nn.Linear(6, 2))
    x = torch.rand(12, 4)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, IDS)
    assert mc.replays
    assert mc.prefix.uses == (("clone",),)
    assert torch.equal(drawn(mc, x)[1], plainly(net, mc, x))


def test_a_net_that_changes_its_inputs_gets_copies():
    class Centred(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 2))

        def forward(self, x):
            return self.layer(x.sub_(1))

    net, x = Centred(), torch.rand(12, 4)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, IDS)
    before = x.clone()
    _, draws = mc(x, IDS, 3, lambda outputs: outputs)
    assert torch.equal(x, before)
    assert torch.equal(draws[:, 2], mc(x, IDS, 3, lambda outputs: outputs)[1][:, 2])


def test_a_module_that_hands_values_over_by_the_side_is_run_as_a_whole():
    class Stashing(nn.Module):
        def __init__(self, stash):
            super().__init__()
            self.layer, self.stash = nn.Linear(4, 4), stash

        def forward(self, x):
            self.stash.append(x.mean())
            return self.layer(x)

    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.stash = []
            self.early, self.drop = Stashing(self.stash), nn.Dropout(0.5)

        def forward(self, x):
            return self.drop(self.early(x)) * self.stash.pop()

    net, x = Aside(), torch.rand(12, 4)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, IDS)
    assert not mc.replays
    assert torch.equal(drawn(mc, x)[1], plainly(net, mc, x))


def test_draws_converge_to_all_masks_enumerated():
    """Logit 3m₁ − 2m₂ with m of 0 or 1, evenly: mean .575709, its entropy .681639, BALD .223752."""
    head = nn.Linear(2, 1, bias=False)
    head.weight.data = torch.tensor([[1.5, -1.0]])
    net = nn.Sequential(nn.Dropout(0.5), head)
    x, ids = torch.ones(2, 2), torch.arange(2)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, ids)
    first = drawn(mc, x, ids, 4000)[1][:1].sigmoid()
    assert sorted({round(value, 6) for value in first.flatten().tolist()}) == [0.119203, 0.5, 0.731059, 0.952574]
    p = torch.cat([first, 1 - first], 2)
    assert float(first.mean()) == pytest.approx(0.575709, abs=0.015)
    assert float(entropy_of_mean(p)) == pytest.approx(0.681639, abs=0.005)
    assert float(bald(p)) == pytest.approx(0.223752, abs=0.01)


def test_scales_keep_the_mean():
    x = torch.ones(2000, 16)
    for layer, slack in ((nn.Dropout(0.3), 0.02), (nn.AlphaDropout(0.2), 0.05)):
        masks = Masks(Seeds(0), [Spot(0)], consistent=False)
        rows = x if isinstance(layer, nn.Dropout) else torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        with Dropping(masks, 0, torch.arange(2000)):
            out = layer.eval()(rows)
        assert float(out.mean()) == pytest.approx(float(rows.mean()), abs=slack)
        assert float(out.std()) == pytest.approx(1.0 if slack == 0.05 else (0.3 / 0.7) ** 0.5, abs=0.03)


@pytest.mark.parametrize(("layer", "shape"), [(nn.Dropout1d(0.5), (4, 8, 5)), (nn.Dropout3d(0.5), (4, 8, 2, 2, 2))])
def test_channel_dropout_takes_whole_channels(layer, shape):
    with Dropping(Masks(Seeds(0), [Spot(0)], consistent=False), 0, torch.arange(4)):
        out = layer.eval()(torch.ones(shape))
    channels = out.flatten(2)
    assert torch.equal(channels.amin(2), channels.amax(2))
    assert set(channels.unique().tolist()) == {0.0, 2.0}


def test_torch_dropout_functions_are_caught_too():
    class Plain(nn.Module):
        def forward(self, x):
            x = torch.feature_dropout(torch.dropout(x, 0.5, False), 0.1, False)
            return torch.alpha_dropout_(torch.dropout_(x, p=0.2, train=False), 0.1, False)

    net = Plain()
    assert reachable(net, [net], torch.rand(2, 3)) == 4
    x = torch.rand(12, 3)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, IDS)
    assert torch.equal(drawn(mc, x)[1], plainly(net, mc, x))


def test_noise_is_uniform_and_independent_across_keys_and_items():
    from scipy.stats import kstest

    draws = noise(12345, torch.arange(400), (50,))
    assert kstest(draws.flatten().double().numpy(), "uniform").pvalue > 0.01
    other = noise(12346, torch.arange(400), (50,))
    assert abs(float(torch.corrcoef(torch.stack([draws.flatten(), other.flatten()]))[0, 1])) < 0.03
    assert abs(float(torch.corrcoef(torch.stack([draws[:-1].flatten(), draws[1:].flatten()]))[0, 1])) < 0.03


def test_no_active_dropout_is_refused():
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.0))
    with pytest.raises(UnmetNeeds) as caught:
        MCDropout(net, [net], Seeds(0), torch.rand(12, 3).__getitem__, IDS)
    assert str(caught.value) == "mc_probs needs dropout and no dropout of this model is active"
    assert caught.value.names == ("mc_probs",)


def test_equal_draws_are_refused():
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2))
    nn.init.zeros_(net[1].weight)
    x = torch.rand(12, 3)
    mc = MCDropout(net, [net], Seeds(0), x.__getitem__, IDS)
    drawn(mc, x, draws=4)
    with pytest.raises(InputError) as caught:
        mc.check()
    assert str(caught.value) == "all 4 draws are equal: no dropout or Gaussian weight of this model reaches its outputs"


def test_draws_that_depend_on_neighbours_are_refused():
    class Mixing(nn.Module):
        def forward(self, x):
            return F.dropout(x.t().reshape(-1, 1), 0.5).view(3, len(x)).t()

    net = Mixing()
    with pytest.raises(InputError, match="depend on an item's neighbours"):
        MCDropout(net, [net], Seeds(0), torch.rand(12, 3).__getitem__, IDS)


def test_dropout_inside_one_kernel_is_named():
    class Stacked(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.drop = nn.LSTM(3, 4, num_layers=2, dropout=0.5, batch_first=True), nn.Dropout(0.5)

        def forward(self, x):
            return self.drop(self.lstm(x)[0]).mean(1)

    net = Stacked()
    with pytest.warns(UserWarning, match="stays off in draws") as caught:
        MCDropout(net, [net], Seeds(0), torch.rand(12, 5, 3).__getitem__, IDS)
    assert [str(one.message) for one in caught] == [
        "the dropout inside LSTM 'lstm' stays off in draws, since it runs within one kernel: put nn.Dropout after it"
    ]


def test_a_pool_of_one_item():
    _, x, mc = made(CNN)
    single = MCDropout(mc.forward, mc.modules, Seeds(3), x.__getitem__, IDS[:1])
    torch.testing.assert_close(drawn(single, x, IDS[:1])[1], drawn(mc, x)[1][:1])
