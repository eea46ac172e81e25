"""One thread, since bits depend on their number; in CI the same hypothesis examples every time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with its tokenizer, saved to a folder."""
    pytest.importorskip("transformers")
    from saved_models import save, text_config

    return save(tmp_path_factory.mktemp("models") / "texts", text_config())


@pytest.fixture(scope="session")
def picture_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ViT, saved to a folder."""
    pytest.importorskip("transformers")
    from saved_models import picture_config, save

    return save(tmp_path_factory.mktemp("models") / "pictures", picture_config(hidden_dropout_prob=0.1))
