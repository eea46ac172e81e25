import pytest
from hypothesis import given
from hypothesis import strategies as st

from askwell.core import needs
from askwell.core.needs import EMBEDDING, HEAD, LABELS, MC_PROBS, PROBS, Need


def test_parameters_make_another_need():
    assert MC_PROBS(draws=50) != MC_PROBS
    assert MC_PROBS(draws=20) == MC_PROBS
    assert MC_PROBS(draws=50)["draws"] == 50


def test_parameters_are_sorted_and_merged():
    need = Need("x")(b=1)(a=2, b=3)
    assert need.params == (("a", 2), ("b", 3))
    assert need == Need("x")(b=3, a=2)
    assert hash(need) == hash(Need("x")(b=3, a=2))


@given(st.dictionaries(st.sampled_from("abcde"), st.integers()))
def test_parameters_are_read_back(params):
    need = Need("x")(**params)
    assert {key: need[key] for key in params} == params


def test_an_unknown_parameter_is_a_key_error():
    with pytest.raises(KeyError):
        PROBS["draws"]


def test_at_moves_the_need_to_another_set():
    assert EMBEDDING.at("labelled").over == "labelled"
    assert EMBEDDING.at("labelled").at("candidates") == EMBEDDING


@pytest.mark.parametrize(
    ("need", "text"),
    [
        (PROBS, "probs"),
        (EMBEDDING.at("labelled"), "embedding@labelled"),
        (MC_PROBS(draws=50).at("targets"), "mc_probs(draws=50)@targets"),
        (Need("x")(b=1, a="y"), "x(a=y, b=1)"),
        (HEAD, "head@model"),
        (LABELS, "labels@labelled"),
    ],
)
def test_text(need, text):
    assert str(need) == text


def test_names_of_the_standard_needs_are_distinct():
    standard = [getattr(needs, name) for name in needs.__all__ if isinstance(getattr(needs, name), Need)]
    assert len({need.name for need in standard}) == len(standard) == 24
