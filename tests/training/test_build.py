"""Where weights start."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from training_parts import Scripted, Setting

from askwell.errors import InputError, UnknownName
from askwell.schemes import Supervised
from askwell.training.tensors import restore, tensors

FIRST = Setting().fit(Supervised(steps=9))
LAST = tensors(FIRST.modules)
AFTER = Setting(seed=11, job_changes={"previous": LAST})


def built(policy, setting=AFTER, **makers):
    return tensors(setting.fit(Scripted(lambda run: run.build(policy, **makers))).modules)


def parameters():
    return [key for key in LAST if "running" not in key and "num_batches" not in key]


def test_scratch_forgets():
    assert not torch.equal(built("scratch")["net.head.weight"], LAST["net.head.weight"])


def test_warm_takes_everything():
    now = built("warm")
    assert all(torch.equal(now[key], LAST[key]) for key in LAST)


def test_shrink_perturb_of_one_and_nothing_keeps_parameters_and_renews_buffers():
    now, fresh = built(("shrink_perturb", 1.0, 0.0)), built("scratch")
    for key in LAST:
        assert torch.equal(now[key], LAST[key] if key in parameters() else fresh[key]), key
    assert not torch.equal(now["net.stages.0.2.running_mean"], LAST["net.stages.0.2.running_mean"])


def test_shrink_perturb_of_nothing_and_one_is_scratch():
    now, fresh = built(("shrink_perturb", 0.0, 1.0)), built("scratch")
    assert all(torch.equal(now[key], fresh[key]) for key in LAST)


def test_shrinking_keeps_the_decisions_of_a_bias_free_relu_net():
    def maker():
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False))

    setting = Setting(maker=maker)
    last = setting.fit(Scripted(lambda run: run.build()))
    after = Setting(maker=maker, job_changes={"previous": tensors(last.modules)})
    now = after.fit(Scripted(lambda run: run.build(("shrink_perturb", 0.4, 0.0))))
    x = torch.rand(50, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(last.modules.net(x).argmax(1), now.modules.net(x).argmax(1))


def test_the_first_round_has_nothing_to_go_on_from():
    fresh = built("scratch", Setting())
    for policy in ("warm", ("shrink_perturb", 0.4, 0.1)):
        assert all(torch.equal(value, fresh[key]) for key, value in built(policy, Setting()).items())


def test_a_head_of_another_size_is_built_anew_and_noted():
    setting = Setting(maker=lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)))
    previous = {"net.1.weight": torch.ones(2, 16), "net.1.bias": torch.ones(3)}
    after = Setting(maker=setting.maker, job_changes={"previous": previous})
    fitted = after.fit(Scripted(lambda run: run.build("warm")))
    assert fitted.report.notes == {"fresh tensors of net": ["1.weight"]}
    assert torch.equal(fitted.modules.net[1].bias, torch.ones(3))


class TestGiven:
    @pytest.mark.parametrize("prefix", ["net.", ""])
    def test_a_file_with_or_without_module_names(self, tmp_path, prefix):
        path = str(tmp_path / "w.safetensors")
        save_file({key.replace("net.", prefix, 1): value for key, value in LAST.items()}, path)
        now = built(("given", path), Setting())
        assert all(torch.equal(now[key], LAST[key]) for key in LAST)

    def test_no_file(self):
        with pytest.raises(
            InputError, match=r"^weights '/no/file' are not there: give the path of a safetensors file$"
        ):
            built(("given", "/no/file"))

    def test_not_weights(self, tmp_path):
        path = tmp_path / "w.safetensors"
        path.write_bytes(b"not weights at all")
        with pytest.raises(InputError, match=r"w\.safetensors' are not a safetensors file: "):
            built(("given", str(path)))

    def test_weights_of_another_net(self, tmp_path):
        path = str(tmp_path / "w.safetensors")
        save_file({"odd": torch.ones(2)}, path)
        with pytest.raises(
            InputError, match=r"hold nothing that fits the net: they have odd; the net wants head\.bias, "
        ):
            built(("given", path))


def test_saved():
    def body(run):
        m = run.build()
        run.act("mark", m.net.head.bias.fill_, 5.0)
        run.keep("marked")
        run.act("unmark", m.net.head.bias.fill_, 0.0)
        run.fresh()
        run.build(("saved", "marked"))

    assert tensors(Setting().fit(Scripted(body)).modules)["net.head.bias"].tolist() == [5, 5, 5]


def test_unknown_saved_modules_and_policies():
    with pytest.raises(UnknownName, match=r"^unknown saved modules 'markt': Known: none$"):
        built(("saved", "markt"))
    with pytest.raises(UnknownName, match=r"^unknown policy 'wram': did you mean 'warm'\?"):
        built("wram")


def test_restoring_other_modules_names_a_tensor():
    with pytest.raises(
        InputError, match=r"^these weights are of other modules: 'net\.head\.bias' does not fit \(9 in all\)$"
    ):
        restore(FIRST.modules, {})
