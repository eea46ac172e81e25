"""Every kind of pool × every check."""

from functools import partial

import pytest
from contract_pools import FILES, MEMORY, data_of, pool_of, write

from askwell.testing import parametrize_with_checks, pool
from askwell.testing.fakes import FakePool

KINDS = {kind: kind for kind in (*FILES, *MEMORY, "array-vectors-grown", "list-of-texts-grown")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("data")
    write(home)
    return home


@parametrize_with_checks(KINDS, pool.CHECKS)
def test_contract(part, check, folder):
    labels = data_of(part.removesuffix("-grown"), folder).labels
    check(partial(pool_of, part, folder), [int(label) for label in labels])


@parametrize_with_checks({"fake": FakePool}, pool.CHECKS)
def test_fake_keeps_the_contract(part, check):
    import torch

    check(partial(part, torch.rand(12, 5, generator=torch.Generator().manual_seed(0)), jitter=0.1))
