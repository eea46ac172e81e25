"""Saved models of texts and pictures as learners: what they see, where they start, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
import warnings

import numpy as np
import pytest
import torch

from askwell.core.needs import EMBEDDING, HEAD, LOGITS, MC_PROBS
from askwell.core.seeds import Seeds
from askwell.core.spec import build, config, parse
from askwell.data import ArrayPool, TextPool
from askwell.errors import BadData, InputError, MissingExtra, UnknownName, UnmetNeeds
from askwell.learners import Transformer
from askwell.models.folder import ModelFolder
from askwell.models.pretrained import Encoder
from askwell.schemes import Supervised
from askwell.tasks import Classification, MultiLabel, Regression
from askwell.testing.learner import Pupil

pytest.importorskip("transformers")

from saved_models import NAMES, TextPupil, picture_config, save, text_config, tokenizer

SHORT = Supervised(steps=3, batch=4, lr=1e-2)
TASK = Classification(NAMES)
TEXTS = ["w1 w2 w3", "w4", "", "w5 w99 w6 w7 w8"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "askwell"


@pytest.fixture
def copied(text_model, tmp_path):
    """A folder of one's own, to damage."""
    return shutil.copytree(text_model, tmp_path / "model")


def learner(path, form, task=TASK, scheme=SHORT, **settings):
    return Transformer(str(path), **settings).build(form, task, scheme)


def sentence(call, error=BadData):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# ------------------------------------------------------------------ what the model sees


def test_tokens_are_those_of_the_folder(text_model):
    pool = TextPool(TEXTS)
    made = learner(text_model, pool.form)
    rows = next(made.adapted(pool).items("eval").batches(torch.arange(4), 4))[1]
    words = tokenizer()
    expected = [words(text)["input_ids"] for text in TEXTS]
    assert rows.shape == (4, 5)
    assert [[token - 1 for token in row if token] for row in rows.tolist()] == expected


def test_tokens_are_computed_once_and_mapped(text_model, cache, monkeypatch):
    pool = TextPool(TEXTS)
    rows = learner(text_model, pool.form).adapted(pool).rows
    assert len(list(cache.glob("tokens-*.npy"))) == 1
    assert isinstance(rows.base, np.memmap)
    monkeypatch.setattr(ModelFolder, "encode", lambda *_: pytest.fail("tokenised again"))
    again = learner(text_model, pool.form)
    assert np.array_equal(again.adapted(TextPool(TEXTS)).rows, rows)
    assert again.adapted(pool) is again.adapted(pool)


def test_another_length_is_another_row(text_model):
    pool = TextPool(TEXTS)
    assert learner(text_model, pool.form, length=2).adapted(pool).rows.shape == (4, 2)
    assert learner(text_model, pool.form, length=500).form.shape == (40,)


def test_half_a_surrogate_pair_is_an_unknown_sign(text_model):
    rows = ModelFolder(text_model).encode(["w1 \ud800 w2", "w1 \ufffd w2"], 4)
    assert rows[0].tolist() == rows[1].tolist()


@pytest.mark.parametrize(
    ("kind", "settings", "room"),
    [("gpt2", {"n_positions": 20, "pad_token_id": 39}, 20), ("roberta", {}, 38), ("bert", {}, 40), ("xlnet", {}, 500)],
)
def test_texts_are_cut_to_the_models_positions(kind, settings, room, tmp_path):
    folder = ModelFolder(save(tmp_path / kind, text_config(kind, **settings)))
    assert folder.longest(500) == room
    with torch.no_grad():
        assert Encoder(folder).eval()(torch.full((1, room), 3)).isfinite().all()


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "gpt2", "t5", "xlnet"])
def test_padding_changes_no_embedding(kind, tmp_path):
    folder = ModelFolder(save(tmp_path / kind, text_config(kind)))
    encoder = Encoder(folder).eval()
    rows = torch.from_numpy(folder.encode(TEXTS, 6).astype(np.int64))
    with torch.no_grad():
        together, alone = encoder(rows), encoder(rows[:1, :3])
    assert together.shape == (4, 16)
    assert torch.allclose(together[:1], alone, atol=1e-5)
    assert bool(together.isfinite().all())


@pytest.mark.parametrize("kind", ["vit", "resnet", "swin"])
def test_pictures_of_any_size_and_colour(kind, tmp_path):
    encoder = Encoder(ModelFolder(save(tmp_path / kind, picture_config(kind)))).eval()
    grey = torch.rand(3, 1, 16, 12)
    with torch.no_grad():
        assert torch.equal(encoder(grey), encoder(grey.expand(-1, 3, -1, -1)))
        assert encoder(grey).shape == (3, 16)


def test_pictures_are_normalised_by_the_folders_settings(picture_model, tmp_path):
    import transformers as hf

    plain = ModelFolder(picture_model).pictures
    assert (plain.channels, plain.size, plain.mean, plain.std) == (3, (8, 8), (0.5,) * 3, (0.5,) * 3)
    folder = shutil.copytree(picture_model, tmp_path / "own")
    settings = {"size": {"height": 4, "width": 6}, "image_mean": [0.1, 0.2, 0.3], "image_std": [1.0, 2.0, 4.0]}
    hf.ViTImageProcessor(**settings).save_pretrained(folder)
    own = ModelFolder(folder).pictures
    assert (own.size, own.mean, own.std) == ((4, 6), (0.1, 0.2, 0.3), (1.0, 2.0, 4.0))


# ------------------------------------------------------------------ where a fit starts, what learns


def test_every_fit_starts_from_the_folder(text_model):
    pupil = TextPupil(Transformer(str(text_model)), Supervised(steps=1, lr=1e-30, weight_decay=0.0), "tokens")
    state = pupil.fitted(pupil.toy).state()
    saved = Encoder(ModelFolder(text_model)).model.state_dict()
    learnt = {key: state[f"net.encoder.model.{key}"] for key in saved if "pooler" not in key}
    assert all(torch.allclose(value, saved[key], rtol=0, atol=1e-20) for key, value in learnt.items())


@pytest.mark.parametrize("freeze", [True, False])
def test_a_frozen_encoder_keeps_weights_and_statistics(freeze, tmp_path):
    folder = save(tmp_path / "resnet", picture_config("resnet"))
    pupil = Pupil(Transformer(str(folder), freeze=freeze), Supervised(steps=2, batch=6, lr=1e-2), "image")
    state = pupil.fitted(pupil.toy).state()
    saved = Encoder(ModelFolder(folder)).model.state_dict()
    same = {key: torch.equal(state[f"net.encoder.model.{key}"], value) for key, value in saved.items()}
    assert all(same.values()) == freeze
    assert same["embedder.embedder.normalization.running_mean"] == freeze


def test_bald_gets_draws_from_the_hidden_layers(text_model):
    pupil = TextPupil(Transformer(str(text_model), dropout=0.0), SHORT, "tokens")
    problem = pupil.toy
    fitted = pupil.fitted(problem)
    draws = fitted.compute(problem.pool, [MC_PROBS(draws=4)], {"candidates": problem.unlabelled}, Seeds(0))
    assert float(draws[MC_PROBS(draws=4)].std(1).max()) > 0


def test_the_head_of_the_embedding_gives_the_outputs(picture_model):
    pupil = Pupil(Transformer(str(picture_model)), SHORT, "image")
    problem = pupil.toy
    found = pupil.fitted(problem).compute(
        problem.pool, [EMBEDDING, LOGITS, HEAD], {"candidates": problem.unlabelled}, Seeds(0)
    )
    assert torch.allclose(found[HEAD](found[EMBEDDING]), found[LOGITS], atol=1e-5)


def test_the_given_head_is_put_in_the_order_of_the_classes(tmp_path):
    names = ("cedar", "ash", "birch")
    config = picture_config(num_labels=3, id2label=dict(enumerate(names)))
    folder = save(tmp_path / "clf", config, auto="AutoModelForImageClassification")
    made = learner(folder, ArrayPool(np.zeros((2, 8, 8), np.uint8)).form, head="given")
    x = torch.rand(5, 3, 8, 8)
    with torch.no_grad():
        outputs = made.make().eval()(x)
        raw = ModelFolder(folder).classifier()[0].eval()(pixel_values=(x - 0.5) / 0.5).logits
    assert torch.allclose(outputs, raw[:, [names.index(name) for name in NAMES]], atol=1e-6)


@pytest.mark.parametrize("task", [MultiLabel(NAMES), Regression()])
def test_other_tasks_have_a_new_head(task, text_model):
    made = learner(text_model, TextPool(TEXTS).form, task)
    assert made.make().head.out_features == task.outputs


def test_bfloat16_scores_in_full_precision(text_model):
    pupil = TextPupil(Transformer(str(text_model), precision="bfloat16"), SHORT, "tokens")
    problem = pupil.toy
    assert pupil.fitted(problem).predict(problem.pool, problem.test).dtype == torch.float32


def test_fine_tuning_is_gentler_the_wider_the_model(tmp_path):
    rates = {}
    for width in (16, 64):
        folder = save(tmp_path / str(width), text_config(hidden_size=width))
        rates[width] = Transformer(str(folder)).fine_tuning().lr
    assert rates == {16: 2e-3, 64: 6e-4}


# ------------------------------------------------------------------ as text and JSON, and when the folder changes


def test_it_is_a_part_like_any_other(text_model):
    one = Transformer(str(text_model), length=20, freeze=True)
    assert parse("learners", repr(one)) == one
    assert build("learners", json.loads(json.dumps(config(one)))) == one
    assert one.digest == ModelFolder(text_model).digest


def test_a_changed_folder_is_refused(copied):
    before = config(Transformer(str(copied)))
    (copied / "README.md").write_text("not a part of the model")
    assert build("learners", before).path == str(copied)
    save(copied, text_config(), seed=1)
    now = ModelFolder(copied).digest
    assert sentence(lambda: build("learners", before)) == (
        f"the model folder {copied} has changed: its content has hash {now[:12]} and was {before['digest'][:12]}; "
        "bring it back, or start anew with what is there now"
    )


def test_a_folder_that_changes_during_a_run_is_refused(copied):
    made = learner(copied, TextPool(TEXTS).form)
    save(copied, text_config(), seed=1)
    assert sentence(made.make).startswith(f"the model folder {copied} has changed: its content has hash ")


def test_a_model_is_tried_once_for_all_rounds(text_model, monkeypatch):
    factory, form = Transformer(str(text_model)), TextPool(TEXTS).form
    factory.build(form, TASK, SHORT).make()
    monkeypatch.setattr(Encoder, "forward", lambda *_: pytest.fail("tried again"))
    assert "mc_probs" in factory.build(form, TASK, SHORT).provides
    assert factory.build(form, TASK, SHORT).make().head.out_features == 3


def test_trying_a_model_draws_from_no_stream_of_a_fit(text_model):
    factory, form = Transformer(str(text_model)), TextPool(TEXTS).form
    heads = []
    for _ in range(2):
        torch.manual_seed(0)
        heads.append(factory.module(factory.served(form), 3).head.weight)
    assert torch.equal(*heads)


# ------------------------------------------------------------------ bad folders, one sentence each


def test_no_folder(tmp_path):
    assert sentence(lambda: Transformer(str(tmp_path / "none"))) == f"there is no model folder {tmp_path / 'none'}"


def test_no_config(copied):
    (copied / "config.json").unlink()
    assert sentence(lambda: Transformer(str(copied))) == (
        f"{copied} is no model folder: it has no config.json; write one by save_pretrained"
    )


def test_a_config_that_is_no_json(copied):
    (copied / "config.json").write_text("{")
    assert sentence(lambda: learner(copied, TextPool(TEXTS).form)) == (
        f"config.json of the model folder {copied} is no JSON object"
    )


def test_no_weights(copied):
    (copied / "model.safetensors").unlink()
    assert sentence(lambda: Transformer(str(copied))) == (
        f"the model folder {copied} has no weights: there is no .safetensors file"
    )


def test_pickled_weights_are_never_opened(copied):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    assert sentence(lambda: Transformer(str(copied))) == (
        f"the model folder {copied} has its weights as a pickle (pytorch_model.bin), which is never opened: "
        "save them as model.safetensors"
    )


def test_weights_of_another_model(copied):
    from safetensors.torch import load_file, save_file

    values = load_file(copied / "model.safetensors")
    save_file(
        {key: value for key, value in values.items() if "word_embeddings" not in key}, copied / "model.safetensors"
    )
    assert sentence(lambda: learner(copied, TextPool(TEXTS).form)) == (
        f"the weights in {copied} lack 1 tensors of the model, the first is 'embeddings.word_embeddings.weight'"
    )


def test_weights_of_another_size(copied):
    settings = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**settings, "intermediate_size": 48}))
    assert sentence(lambda: learner(copied, TextPool(TEXTS).form)) == (
        f"the weights in {copied} are not those of its config.json: 'encoder.layer.0.intermediate.dense.bias' has "
        "shape (32,) and should have (48,)"
    )


def test_damaged_weights(copied):
    (copied / "model.safetensors").write_bytes(b"nothing of the kind")
    said = sentence(lambda: learner(copied, TextPool(TEXTS).form))
    assert said.startswith(f"{copied} cannot be opened as an encoder by transformers ")
    assert "\n" not in said


def test_an_unknown_architecture(copied):
    settings = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**settings, "model_type": "nonesuch"}))
    said = sentence(lambda: learner(copied, TextPool(TEXTS).form))
    assert said.startswith(f"{copied} cannot be opened as a model of type 'nonesuch' by transformers ")
    assert "does not recognize this architecture" in said
    assert "\n" not in said


def test_no_tokenizer(copied):
    for file in copied.glob("tokenizer*"):
        file.unlink()
    assert sentence(lambda: learner(copied, TextPool(TEXTS).form)) == (
        f"the model folder {copied} has no tokenizer: add one by tokenizer.save_pretrained"
    )


def test_a_tokenizer_of_another_model(copied):
    tokenizer([" ".join(f"v{word}" for word in range(90))]).save_pretrained(copied)
    assert sentence(lambda: learner(copied, TextPool(TEXTS).form)) == (
        f"the tokenizer in {copied} numbers 92 tokens and the model knows 40: they do not belong together"
    )


def test_a_model_of_other_items(text_model, picture_model):
    pictures, texts = ArrayPool(np.zeros((2, 8, 8), np.uint8)).form, TextPool(TEXTS).form
    vectors = ArrayPool(np.zeros((2, 8), np.float32)).form
    assert sentence(lambda: learner(text_model, pictures)) == (
        f"the model in {text_model} takes texts, and the items are pictures"
    )
    assert sentence(lambda: learner(picture_model, texts)) == (
        f"the model in {picture_model} takes pictures, and the items are texts"
    )
    assert sentence(lambda: learner(picture_model, vectors)) == (
        f"the model in {picture_model} takes pictures, and the items are vectors"
    )


@pytest.mark.parametrize(
    ("taken", "given", "wanted"), [(1, 3, "grey pictures"), (3, 4, "grey pictures and those of 3 channels")]
)
def test_pictures_of_other_channels(taken, given, wanted, tmp_path):
    folder = save(tmp_path / "vit", picture_config(num_channels=taken))
    form = ArrayPool(np.zeros((2, 8, 8, given), np.uint8)).form
    assert sentence(lambda: learner(folder, form)) == (
        f"the model in {folder} takes {wanted}, and the items have {given} channels"
    )


def test_a_model_of_sounds(tmp_path):
    import transformers as hf

    config = hf.Wav2Vec2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    config.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert sentence(lambda: learner(tmp_path, TextPool(TEXTS).form)) == (
        f"the model in {tmp_path} takes input_values: use one of texts or of pictures alone"
    )


def test_tokens_without_texts(text_model):
    from askwell.testing.toys import toy

    problem = toy("tokens")
    made = learner(text_model, problem.pool.form)
    assert sentence(lambda: made.fit(problem.pool, problem.job(), Seeds(0))) == (
        "a model of texts takes texts, and item 0 is a ndarray"
    )


def test_a_head_of_other_classes(tmp_path):
    config = text_config(num_labels=3, id2label={0: "ash", 1: "birch", 2: "oak"})
    folder = save(tmp_path / "clf", config, auto="AutoModelForSequenceClassification")
    form = TextPool(TEXTS).form
    assert sentence(lambda: learner(folder, form, head="given"), InputError) == (
        f"the classifier in {folder} knows the classes ash, birch, oak, and the task has ash, birch, cedar: "
        "take head='new', or give these names as `classes`"
    )
    assert learner(folder, form).make().head.out_features == 3
    assert sentence(lambda: learner(folder, form, Regression(), head="given"), UnmetNeeds) == (
        "head='given' keeps a classifier, and the labels of this task are no classes: take head='new'"
    )


def test_a_head_that_is_not_there(text_model):
    assert sentence(lambda: learner(text_model, TextPool(TEXTS).form, head="given")) == (
        f"the weights in {text_model} lack 2 tensors of its classifier, the first is 'classifier.bias'"
    )


def test_the_head_of_a_decoder(tmp_path):
    config = text_config("gpt2", num_labels=3, id2label=dict(enumerate(NAMES)), pad_token_id=0)
    folder = save(tmp_path / "gpt2", config, auto="AutoModelForSequenceClassification")
    assert sentence(lambda: learner(folder, TextPool(TEXTS).form, head="given")) == (
        f"the classifier in {folder} is a decoder's, with an output for every token: take head='new'"
    )


def test_numbers_out_of_range(text_model):
    assert sentence(lambda: Transformer(str(text_model), length=0), InputError) == "length must be at least 1, got 0"
    assert sentence(lambda: Transformer(str(text_model), batch=1), InputError) == "batch must be at least 2, got 1"
    assert sentence(lambda: Transformer(str(text_model), dropout=1.0), InputError) == (
        "dropout must be at least 0 and below 1, got 1.0"
    )
    assert sentence(lambda: Transformer(str(text_model), head="gven"), UnknownName) == (
        "unknown head 'gven': did you mean 'given'? Known: given, new"
    )
    assert sentence(lambda: Transformer(str(text_model), precision="float16"), UnknownName) == (
        "unknown precision 'float16': did you mean 'bfloat16'? Known: bfloat16, float32"
    )
    assert "needs a scheme" in sentence(lambda: learner(text_model, TextPool(TEXTS).form, scheme=None), UnmetNeeds)


def test_without_the_library(text_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert sentence(lambda: learner(text_model, TextPool(TEXTS).form), MissingExtra) == (
        "this needs the package 'transformers': pip install \"askwell[hf]\""
    )


def test_nothing_is_printed_and_no_code_is_asked_for(copied, capfd):
    settings = json.loads((copied / "config.json").read_text())
    auto = {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}
    (copied / "config.json").write_text(json.dumps({**settings, "model_type": "mine", "auto_map": auto}))
    (copied / "mine.py").write_text("raise SystemExit('code of the folder was run')")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "cannot be opened" in sentence(lambda: learner(copied, TextPool(TEXTS).form))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
