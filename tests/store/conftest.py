from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_scenes import new

from askwell.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Ten items, nothing asked."""
    with new(tmp_path) as made:
        yield made
