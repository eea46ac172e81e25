"""Features of a frozen model: what they are, that they are computed once, and what is refused."""

from __future__ import annotations

import logging
import shutil

import numpy as np
import pytest
import torch

from askwell.data import Grown, load
from askwell.data.extracted import Extracted
from askwell.errors import BadData
from askwell.models.folder import ModelFolder
from askwell.models.pretrained import Encoder

pytest.importorskip("transformers")

from saved_models import picture_config, save, text_config

TEXTS = ["w1 w2 w3", "w4 w5", "w6", "w7 w8 w9 w10"] * 20


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), np.uint8)


def embedded(folder, x):
    with torch.no_grad():
        return Encoder(ModelFolder(folder)).eval()(x).numpy()


def test_features_of_texts_are_the_models_embeddings(text_model):
    found = load(TEXTS, features=text_model).pool.features()
    rows = ModelFolder(text_model).encode(TEXTS, 4).astype(np.int64)
    assert found.shape == (80, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, embedded(text_model, torch.from_numpy(rows)), atol=1e-5)


def test_features_of_pictures_are_the_models_embeddings(picture_model, pictures):
    found = load(pictures, features=str(picture_model)).pool.features()
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    np.testing.assert_allclose(found, embedded(picture_model, x), atol=1e-5)


def test_features_are_computed_once_and_mapped(picture_model, pictures, cache, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "askwell"):
        first = load(pictures, features=picture_model).pool.features()
    assert [record.getMessage() for record in caplog.records] == [
        f"computing features of 70 items with the model in {picture_model}"
    ]
    assert len(list(cache.glob("extracted-*.npy"))) == 1
    monkeypatch.setattr(Encoder, "forward", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(load(pictures, features=picture_model).pool.features(), first)


def test_loading_computes_nothing(picture_model, pictures, monkeypatch):
    monkeypatch.setattr(Encoder, "forward", lambda *_: pytest.fail("computed"))
    load(pictures, features=picture_model)


def test_other_weights_and_lengths_are_other_data(tmp_path):
    one, other = (save(tmp_path / str(seed), text_config(), seed=seed) for seed in (0, 1))
    digests = {load(TEXTS, features=one).digest, load(TEXTS, features=other).digest, load(TEXTS).digest}
    digests.add(load(TEXTS, features=one, length=2).digest)
    assert len(digests) == 4
    assert load(TEXTS, features=shutil.copytree(one, tmp_path / "copy")).digest in digests


def test_length_cuts_texts_for_the_model(text_model):
    full, cut = (load(TEXTS, features=text_model, length=length).pool.features() for length in (None, 2))
    assert not np.allclose(full[0], cut[0], atol=1e-4)
    np.testing.assert_allclose(full[1], cut[1], atol=1e-5)


def test_made_items_are_described_by_the_same_model(text_model, picture_model, pictures):
    texts = Grown(load(TEXTS, features=text_model).pool, ["w4 w5"])
    np.testing.assert_allclose(texts.features()[80], texts.features()[1], atol=1e-5)
    images = Grown(load(pictures, features=picture_model).pool, [pictures[3].transpose(2, 0, 1) / 255])
    np.testing.assert_allclose(images.features()[70], images.features()[3], atol=1e-5)


def test_options_hold_the_folder_in_full(text_model, tmp_path, monkeypatch):
    monkeypatch.chdir(text_model.parent)
    file = tmp_path / "texts.csv"
    file.write_text("text,label\n" + "".join(f"{text},{place % 2}\n" for place, text in enumerate(TEXTS)))
    data = load(file, text="text", label="label", features=text_model.name)
    monkeypatch.chdir(tmp_path)
    assert data.options["features"] == str(text_model)
    assert load(data.source, **data.options).digest == data.digest


def test_no_global_generator_moves(picture_model, pictures):
    before = torch.get_rng_state()
    load(pictures, features=picture_model).pool.features()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (np.zeros((9, 3), np.float32), "takes texts, and the items are vectors"),
        (np.zeros((9, 8, 8), np.uint8), "takes texts, and the items are pictures"),
    ],
)
def test_items_that_the_model_does_not_take(items, said, text_model):
    with pytest.raises(BadData) as caught:
        load(items, features=text_model)
    assert str(caught.value) == f"the model in {text_model} {said}"


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(BadData) as caught:
        load(TEXTS, features=tmp_path)
    assert str(caught.value) == f"{tmp_path} is no model folder: it has no config.json; write one by save_pretrained"


def test_a_model_without_tokenizer_is_refused_at_once(tmp_path):
    folder = save(tmp_path / "bare", text_config(), words=False)
    with pytest.raises(BadData) as caught:
        load(TEXTS, features=folder)
    assert str(caught.value) == (f"the model folder {folder} has no tokenizer: add one by tokenizer.save_pretrained")


def test_feature_maps_are_averaged(tmp_path, pictures):
    folder = save(tmp_path / "resnet", picture_config("resnet"))
    assert load(pictures, features=folder).pool.features().shape == (70, 16)
    assert Extracted(str(folder)).describe(torch.rand(2, 3, 8, 8)).shape == (2, 16)
