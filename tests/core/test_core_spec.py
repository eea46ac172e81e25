import subprocess
import sys
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askwell.core.spec import build, config, digest, parse
from askwell.errors import InputError, UnknownName


@dataclass(frozen=True)
class Leaf:
    """A part with one value of each kind."""

    rate: float = 0.5
    steps: int = 3
    name: str = "x"
    flag: bool = True
    none: int | None = None


@dataclass(frozen=True)
class Node:
    """A part with parts in it."""

    leaf: Leaf = field(default_factory=Leaf)
    more: tuple[Leaf, ...] = ()
    sizes: tuple[int, ...] = (1, 2)


LEAF = f"{__name__}:Leaf"
NODE = f"{__name__}:Node"
leaves = st.builds(
    Leaf, st.floats(allow_nan=False), st.integers(), st.text(max_size=5), st.booleans(), st.none() | st.integers()
)
nodes = st.builds(Node, leaves, st.lists(leaves, max_size=2).map(tuple), st.lists(st.integers(), max_size=3).map(tuple))


@given(nodes)
def test_config_leads_back(node):
    assert build("oracles", config(node)) == node


@given(nodes, nodes)
def test_digests_tell_parts_apart(one, other):
    assert (digest(one) == digest(other)) == (config(one) == config(other))


def test_config_is_flat_json():
    assert config(Node(more=(Leaf(2.0),))) == {
        "part": NODE,
        "leaf": {"part": LEAF, "rate": 0.5, "steps": 3, "name": "x", "flag": True, "none": None},
        "more": [{"part": LEAF, "rate": 2.0, "steps": 3, "name": "x", "flag": True, "none": None}],
        "sizes": [1, 2],
    }


def test_mappings_and_plain_values():
    assert config({1: Leaf, "a": (1, None)}) == {"1": Leaf, "a": [1, None]}
    assert build("strategies", {"a": [1, {"b": 2}]}) == {"a": (1, {"b": 2})}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (LEAF, Leaf()),
        (f"  {LEAF}() ", Leaf()),
        (f"{LEAF}(rate=1e-3, steps=-4, name='a(b)', flag=False, none=None)", Leaf(1e-3, -4, "a(b)", False)),
        (f"{NODE}(sizes=(3, 4))", Node(sizes=(3, 4))),
        (f"{NODE}(sizes=[])", Node(sizes=())),
    ],
)
def test_text_to_part(text, part):
    assert parse("oracles", text) == part


@pytest.mark.parametrize("text", ["margin(", "margin)", "margin(3)", "margin(a b)", "", "margin + entropy"])
def test_text_that_cannot_be_read(text):
    with pytest.raises(InputError) as caught:
        parse("strategies", text)
    assert str(caught.value) == f"cannot read {text!r}: write name or name(key=value, …)"
    assert caught.value.got == text


def test_a_value_that_cannot_be_read():
    with pytest.raises(InputError) as caught:
        parse("strategies", f"{LEAF}(rate=1 + x)")
    assert str(caught.value) == "cannot read the value '1 + x'"


def test_an_unknown_setting_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        parse("oracles", f"{LEAF}(ratee=1)")
    assert str(caught.value) == (
        f"unknown setting of oracles {LEAF!r}: 'ratee': did you mean 'rate'? Known: flag, name, none, rate, steps"
    )


def test_parts_in_parts():
    nested = parse("strategies", "subsample(strategy=margin, size=10)")
    assert repr(nested) == "Subsample(size=10) | Margin()"
    assert parse("strategies", "subsample(strategy=subsample(strategy=margin(), size=20), size=10)").strategy.size == 20
    assert build("strategies", config(nested)) == nested


def test_digest_is_the_same_in_every_process():
    code = "from askwell.core.spec import digest; print(digest({'b': [1, 2.5], 'a': None}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == digest({"a": None, "b": (1, 2.5)})


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("strategies", "albl(steps=5)", "albl needs strategies: write albl(strategies=…)"),
        ("schemes", "supervised(steps='x')", "steps of 'supervised' must be int | None, got 'x'"),
        (
            "strategies",
            "variation_ratios(kind=vots)",
            "kind of 'variation_ratios' must be Literal['mean', 'votes'], got 'vots'",
        ),
        (
            "schemes",
            "askwell.strategies:Margin",
            "'askwell.strategies:Margin' is no part of schemes: it does not build on ",
        ),
        (
            "strategies",
            "subsample(strategy=margn)",
            "unknown value of strategy in 'subsample': 'margn': did you mean 'margin'?",
        ),
    ],
)
def test_values_of_the_wrong_kind_are_refused(kind, text, message):
    with pytest.raises(InputError) as caught:
        parse(kind, text)
    assert str(caught.value).startswith(message)


def test_bare_words_are_texts_unless_they_name_a_part():
    assert parse("schemes", "supervised(policy=warm)").policy == "warm"
    assert parse("strategies", "badge(first=norm)").first == "norm"


def test_bare_words_are_texts_where_a_text_is_declared():
    """A part of that name, such as the network mlp, does not stand in the way."""
    assert parse("learners", "sklearn(estimator=mlp)").estimator == "mlp"
    assert parse("learners", f"{LEAF}(name=linear)") == Leaf(name="linear")
    assert parse("learners", "net(model=mlp)").model == parse("models", "mlp")


def test_addresses_may_stand_inside():
    inner = parse("strategies", "subsample(strategy=askwell.strategies:Margin, size=5)").strategy
    assert inner == parse("strategies", "margin")
    assert parse("learners", "net(model=torch.nn:Identity)").model == "torch.nn:Identity"
    assert parse("learners", "net(layer='of a.b:c d')").layer == "of a.b:c d"
    assert (
        parse("strategies", "subsample(strategy=askwell.strategies:VariationRatios(kind='votes'))").strategy.kind
        == "votes"
    )
