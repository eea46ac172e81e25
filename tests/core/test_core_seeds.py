import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askwell.core.seeds import Seeds

steps = st.lists(st.text(max_size=4) | st.integers(-5, 5), max_size=3)


@given(st.integers(0, 2**40), steps, steps)
def test_a_path_and_a_child_are_the_same(root, above, below):
    assert Seeds(root).child(*above)(*below) == Seeds(root)(*above, *below)


@given(st.integers(0, 2**40), steps)
def test_seeds_are_63_bit(root, path):
    assert 0 <= Seeds(root)(*path) < 2**63


@given(steps, steps)
def test_other_paths_give_other_seeds(one, other):
    assert (Seeds(1)(*one) == Seeds(1)(*other)) == (one == other)


def test_a_number_is_not_its_text():
    assert Seeds(7)("select", 3) != Seeds(7)("select", "3")


def test_a_word_is_not_split():
    assert Seeds(7)("ab") != Seeds(7)("a", "b")


def test_root_matters():
    assert Seeds(7)("select", 3) != Seeds(8)("select", 3)


def test_known_values():
    assert Seeds(7)("select", 3) == Seeds(7, ("select",))(3)
    assert Seeds(0)() == Seeds(0)()


def test_same_in_another_process():
    code = "from askwell.core.seeds import Seeds; print(Seeds(7)('select', 3))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(other) == Seeds(7)("select", 3)


def test_generators_are_fresh_and_alike():
    seeds = Seeds(3)
    assert torch.equal(torch.rand(4, generator=seeds.torch("a")), torch.rand(4, generator=seeds.torch("a")))
    assert seeds.numpy("a").random() == seeds.numpy("a").random()
    assert seeds.numpy("a").random() != seeds.numpy("b").random()


def test_no_global_generator_moves():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    Seeds(3).torch("a")
    Seeds(3).numpy("a")
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert before[2] == random.getstate()


def test_seeds_load_no_torch():
    code = "import sys; from askwell.core.seeds import Seeds; Seeds(1)('x'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frozen():
    with pytest.raises(AttributeError):
        Seeds(1).root = 2  # type: ignore[misc]
