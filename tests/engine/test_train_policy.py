"""Policies: trained by episodes, gone on with after a break, kept, and used again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import askwell as aw
from askwell.core.needs import LOGIT_MOMENTS
from askwell.core.seeds import Seeds
from askwell.data import load
from askwell.engine.assemble import assemble
from askwell.engine.episodes import Episode
from askwell.engine.ranking_training import RankingTraining, likelihood
from askwell.engine.stream_training import StreamTraining
from askwell.engine.train_policy import TrainedPolicy, train_policy
from askwell.errors import BadData, InputError, ProjectError, UnknownName, UnmetNeeds
from askwell.functional.moments import probit
from askwell.strategies import PAL, RAL
from askwell.strategies.policies import _first_net, new_net
from askwell.training.tensor_files import read

RANKING: dict[str, Any] = {
    "numbers": {"slots": 5, "hidden": 8, "divergence": 1e-6, "lr": 1e-2}, "quiet": True, "initial": 6, "batch": 3,
    "rounds": 2, "model": "mlp(width=8, depth=1)", "scheme": "moment_matching(epochs=3)",
}  # fmt: skip
STREAM: dict[str, Any] = {
    "numbers": {"budget": 5, "lr": 1e-3, "epsilon": 0.5, "filters": 4, "hidden": 8, "warm_up": 10, "batch": 8},
    "quiet": True, "learner": "linear(l2=0.1)",
}  # fmt: skip


def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    return (np.eye(3, 4)[labels] * 3 + rng.normal(size=(120, 4))).astype(np.float32), labels


def sentences(seed: int = 0, classes: int = 2) -> tuple[list[str], list[int]]:
    rng = np.random.default_rng(seed)
    labels = [place % classes for place in range(120)]
    words = [rng.choice([f"c{label}", f"d{label}", "the", "a", "of", "it"], 6) for label in labels]
    return [" ".join(some) for some in words], labels


def ranking(out: Path, episodes: int, **changes: Any) -> TrainedPolicy:
    items, labels = blobs()
    loading = {"labels": labels, "test_size": 20}
    return train_policy("ral", items, out=out, episodes=episodes, loading=loading, **{**RANKING, **changes})


def streaming(out: Path, episodes: int, **changes: Any) -> TrainedPolicy:
    items, labels = sentences()
    loading = {"labels": labels, "test_size": 20, "validation_size": 40}
    return train_policy("pal", items, out=out, episodes=episodes, loading=loading, **{**STREAM, **changes})


TRAININGS = {"ral": ranking, "pal": streaming}


@pytest.mark.parametrize("kind", TRAININGS)
def test_a_break_changes_nothing(kind: str, tmp_path: Path) -> None:
    train = TRAININGS[kind]
    whole = train(tmp_path / "whole", 4)
    first = train(tmp_path / "broken", 2)
    again = train(tmp_path / "broken", 4)
    assert first.returns == whole.returns[:2]
    assert again == replace(whole, folder=tmp_path / "broken")
    weights = [read(tmp_path / name / "policy.safetensors") for name in ("whole", "broken")]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


@pytest.mark.parametrize("kind", TRAININGS)
def test_training_moves_the_weights_from_the_first_ones(kind: str, tmp_path: Path) -> None:
    none, some = TRAININGS[kind](tmp_path / "none", 0), TRAININGS[kind](tmp_path / "some", 2)
    sizes = json.loads((none.folder / "policy.json").read_text())["net"]
    first = new_net(kind, sizes, Seeds(0)("policy")).state_dict()
    kept, trained = (read(one.folder / "policy.safetensors") for one in (none, some))
    assert none.returns == ()
    assert all(torch.equal(value, kept[key]) for key, value in first.items())
    assert any(not torch.equal(value, trained[key]) for key, value in first.items())


def test_the_same_policy_picks_the_same_items(tmp_path: Path) -> None:
    policy = streaming(tmp_path / "policy", 2)
    items, labels = sentences(seed=5, classes=3)
    how: dict[str, Any] = {
        "learner": "linear(l2=0.1)", "initial": 5, "batch": 4, "rounds": 2, "against": None, "quiet": True,
        "labels": labels, "test_size": 20,
    }  # fmt: skip
    asked = []
    for name in ("one", "other"):
        result = aw.run(items, strategy=policy.strategy, out=tmp_path / name, **how)
        with aw.Project.open(result.folder / "seed-0", load(items, labels=labels, test_size=20)) as project:
            asked.append([row.item for row in project.store.questions()])
            strategy = project.recipe.strategy
    assert asked[0] == asked[1]
    assert strategy == PAL(str(policy.folder), policy.digest)
    manifest = json.loads((result.folder / "seed-0" / "project.json").read_text())
    assert manifest["recipe"]["strategy"]["digest"] == policy.digest


def test_another_policy_is_another_run(tmp_path: Path) -> None:
    items, labels = blobs()
    how: dict[str, Any] = {
        "recipe": "ral", "model": "mlp(width=8, depth=1)", "scheme": "moment_matching(epochs=3)", "initial": 6,
        "batch": 3, "rounds": 1, "against": None, "quiet": True, "labels": labels, "test_size": 20, "out": tmp_path,
    }  # fmt: skip
    folders = set()
    for episodes in (1, 2):
        policy = ranking(tmp_path / "policy", episodes)
        folders.add(aw.run(items, strategy=f"ral(policy='{policy.folder}', slots=5)", **how).folder)
    assert len(folders) == 2


def test_a_policy_that_changed_is_refused(tmp_path: Path) -> None:
    policy = ranking(tmp_path / "policy", 1)
    strategy = RAL(str(policy.folder), slots=5)
    assert strategy.digest == policy.digest
    strategy.net(slots=5, classes=3)
    changed = ranking(tmp_path / "policy", 2)
    with pytest.raises(BadData, match=rf"has changed: its hash is {changed.digest[:12]} and was {policy.digest[:12]};"):
        strategy.net(slots=5, classes=3)
    (policy.folder / "policy.safetensors").write_bytes(b"")
    fresh = RAL(str(policy.folder), slots=5)
    with pytest.raises(BadData, match=r"policy.safetensors is missing or is not the file that policy.json names$"):
        fresh.net(slots=5, classes=3)


def test_what_is_no_policy_for_this_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadData) as error:
        PAL(str(tmp_path / "none"))
    assert str(error.value) == (
        f"there is no policy in {tmp_path / 'none'}: train one, askwell train-policy pal DATA --out none, or give "
        "policy='untrained'"
    )
    policy = ranking(tmp_path / "policy", 0)
    with pytest.raises(BadData, match=r"holds a policy of ral, format 1, and not a policy of pal$"):
        PAL(str(policy.folder))
    with pytest.raises(InputError, match=r"was trained with classes = 3 and here classes = 4: train one on data like"):
        RAL(str(policy.folder), slots=5).net(slots=5, classes=4)
    (policy.folder / "policy.json").write_text("{")
    with pytest.raises(BadData, match=r"policy.json is damaged: it does not describe a policy$"):
        RAL(str(policy.folder))


def test_a_strategy_without_a_policy_says_how_to_give_one() -> None:
    for kind in ("pal", "ral"):
        with pytest.raises(InputError) as error:
            aw.run("digits", strategy=kind)
        assert str(error.value) == (
            f"{kind} needs policy: write {kind}(policy=…); `askwell train-policy {kind} DATA --out FOLDER` makes one"
        )


def test_a_policy_with_its_first_weights_says_how_to_train_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items, labels = blobs()
    _first_net.cache_clear()
    how: dict[str, Any] = {key: RANKING[key] for key in ("initial", "batch", "rounds", "model", "scheme", "quiet")}
    ranking(tmp_path / "policy", 1)
    assert caplog.messages == []
    aw.run(items, recipe="ral", labels=labels, test_size=20, against=None, out=tmp_path / "runs", **how)
    assert caplog.messages == [
        "ral chooses by a network with its first weights: train one, askwell train-policy ral DATA --out FOLDER, and "
        "give --strategy \"ral(policy='FOLDER')\""
    ]


def test_another_training_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    ranking(tmp_path / "policy", 1)
    with pytest.raises(ProjectError, match=r"holds the training of another policy: choose another folder"):
        ranking(tmp_path / "policy", 1, seed=1)
    afresh = ranking(tmp_path / "policy", 1, seed=1, fresh=True)
    assert afresh == replace(ranking(tmp_path / "other", 1, seed=1), folder=afresh.folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ProjectError, match=r"is not empty and holds no training of a policy"):
        ranking(tmp_path / "mine", 1)


def test_afresh_after_a_kill_before_the_first_policy_was_written(tmp_path: Path) -> None:
    policy = ranking(tmp_path / "policy", 1)
    for name in ("policy.json", "policy.safetensors"):
        (policy.folder / name).unlink()
    assert ranking(policy.folder, 1, seed=1, fresh=True) == replace(
        ranking(tmp_path / "other", 1, seed=1), folder=policy.folder
    )


def test_afresh_leaves_files_of_others(tmp_path: Path) -> None:
    policy = ranking(tmp_path / "policy", 0)
    (policy.folder / "notes.txt").write_text("mine")
    with pytest.raises(ProjectError, match=r"is not empty and holds no training of a policy"):
        ranking(policy.folder, 0, seed=1, fresh=True)
    assert (policy.folder / "notes.txt").read_text() == "mine"


def test_numbers_and_data_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"^unknown number of a training of ral: 'sloths': did you mean 'slots'\?"):
        ranking(tmp_path / "a", 1, numbers={"sloths": 4})
    with pytest.raises(InputError, match=r"^slots of a training of ral must be int, got 2.5$"):
        ranking(tmp_path / "b", 1, numbers={"slots": 2.5})
    with pytest.raises(InputError, match=r"^budget of a training of pal must be above 0, got 0$"):
        streaming(tmp_path / "c", 1, numbers={"budget": 0})
    with pytest.raises(UnknownName, match=r"^unknown kind of policy 'rl'"):
        train_policy("rl", "digits", out=tmp_path / "d")
    items, labels = sentences()
    with pytest.raises(UnmetNeeds, match=r"^a policy of pal is paid by the validation part and there is none"):
        train_policy("pal", items, out=tmp_path / "e", loading={"labels": labels, "test_size": 20}, **STREAM)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("pal", {"initial": 5}), ("pal", {"rounds": 2}), ("ral", {"strategy": "margin"}), ("ral", {"recipe": "margin"})],
)
def test_settings_that_change_no_episode_are_refused(kind: str, changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"^a training of {kind} makes no use of {next(iter(changes))}: it reads "):
        TRAININGS[kind](tmp_path / "policy", 1, **changes)


def test_rewards_of_a_stream_sum_to_what_the_model_has_become(tmp_path: Path) -> None:
    items, labels = sentences()
    data = load(items, labels=labels, test_size=20, validation_size=40)
    recipe = assemble("pal", form=data.pool.form, learner="linear(l2=0.1)")
    training = StreamTraining(budget=6, epsilon=1.0, last_epsilon=1.0, filters=4, hidden=8)
    episode = Episode(data, recipe, Seeds(3))
    rewards = training.play(training.learner(new_net("pal", training.sizes(data))), episode, Seeds(3))
    assert sum(rewards) == pytest.approx(episode.value())
    assert len(episode.bought) == 6
    assert len(set(episode.bought.tolist())) == 6
    assert set(episode.bought.tolist()) <= set(data.split.candidates.tolist())


def test_who_skips_everything_spends_nothing_and_stops_at_the_end() -> None:
    items, labels = sentences()
    data = load(items, labels=labels, test_size=20, validation_size=40)
    recipe = assemble("pal", form=data.pool.form, learner="linear(l2=0.1)")
    training = StreamTraining(budget=6, filters=4, hidden=8, warm_up=10_000)
    net = new_net("pal", training.sizes(data))
    net.values.bias.data.copy_(torch.tensor([9.0, 0.0]))
    episode = Episode(data, recipe, Seeds(0))
    rewards = training.play(training.learner(net), episode, Seeds(0))
    assert rewards == [0.0] * len(data.split.candidates)
    assert len(episode.bought) == 0


def test_before_a_model_there_are_stand_ins() -> None:
    items, labels = sentences(classes=3)
    data = load(items, labels=labels, test_size=20, validation_size=40)
    from askwell.engine.stream_training import Stream

    stream = Stream(Episode(data, assemble("pal", form=data.pool.form, learner="linear"), Seeds(0)))
    _, confidence, marginals = stream.state(0)
    assert float(confidence) == pytest.approx(0.2)
    assert marginals[0].tolist() == pytest.approx([1 / 3] * 3 + [0, 0])
    before = [part.clone() for part in stream.state(0)]
    stream.buy(0)
    assert all(torch.equal(old, now) for old, now in zip(before, stream.state(0), strict=True))
    assert not torch.equal(stream.state(1)[2], marginals)


def test_a_pick_is_paid_by_how_much_likelier_its_label_becomes() -> None:
    moments = torch.tensor([[[0.4, 0.5], [-0.3, 1.0], [2.0, 0.1]]])
    p = probit(*moments.unbind(2))[0]
    assert float(likelihood(moments, torch.tensor([2]))) == pytest.approx(float((1 - p[0]) * (1 - p[1]) * p[2]))


def test_an_episode_of_ranking_has_a_reward_for_every_pick() -> None:
    items, labels = blobs()
    data = load(items, labels=labels, test_size=20)
    how = {key: RANKING[key] for key in ("model", "scheme", "initial", "batch", "rounds")}
    recipe = assemble("ral", form=data.pool.form, **how)
    training = RankingTraining(**RANKING["numbers"])
    learner = training.learner(new_net("ral", training.sizes(data)))
    episode = Episode(data, recipe, Seeds(0))
    rewards = training.play(learner, episode, Seeds(0))
    assert len(rewards) == 6
    assert learner.rewarded == 6
    assert len(set(episode.bought.tolist())) == 12
    classes = [len(np.unique(labels[batch.numpy()])) / 3 for batch in episode.batches[1:]]
    for reward, share in zip(rewards[2::3], classes, strict=True):
        assert share - 1 <= reward <= share + 1


def test_an_episode_of_ranking_ends_with_its_items() -> None:
    items, labels = blobs()
    data = load(items, labels=labels, test_size=20)
    candidates = len(data.split.candidates)
    how = {**{key: RANKING[key] for key in ("model", "scheme")}, "initial": candidates - 5, "batch": 3, "rounds": 4}
    training = RankingTraining(**RANKING["numbers"])
    learner = training.learner(new_net("ral", training.sizes(data)))
    episode = Episode(data, assemble("ral", form=data.pool.form, **how), Seeds(0))
    assert len(training.play(learner, episode, Seeds(0))) == 5
    assert sorted(episode.bought.tolist()) == data.split.candidates.tolist()


def test_rewards_of_a_round_are_gains_of_likelihood_and_the_share_of_classes() -> None:
    items, labels = blobs()
    data = load(items, labels=labels, test_size=20)
    how = {key: RANKING[key] for key in ("model", "scheme", "initial", "batch", "rounds")}
    training = RankingTraining(**RANKING["numbers"])
    learner = training.learner(new_net("ral", training.sizes(data)))
    episode = Episode(data, assemble("ral", form=data.pool.form, **how), Seeds(0))
    episode.buy(episode.shuffled("start")[:6])
    everything = torch.from_numpy(data.split.candidates)
    before = dict(zip(everything.tolist(), episode.told(LOGIT_MOMENTS, everything), strict=True))
    rewards = training._round(learner, episode, torch.Generator().manual_seed(0))
    picked = episode.batches[-1]
    known = episode.labels(picked)
    earlier = torch.stack([before[item] for item in picked.tolist()])
    wanted = likelihood(episode.told(LOGIT_MOMENTS, picked), known) - likelihood(earlier, known)
    wanted[-1] += len(set(known.tolist())) / 3
    assert rewards == pytest.approx(wanted.tolist(), abs=1e-6)
    assert float(wanted[:-1].abs().max()) > 1e-3
