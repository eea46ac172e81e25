"""Finding parts, also those of other packages: a distribution with entry points is put on sys.path for a test."""

import sys
import textwrap
from importlib import invalidate_caches

import pytest

from askwell.core import registry
from askwell.core.registry import catalogue, find, name_of, snake
from askwell.core.spec import config, parse
from askwell.errors import DuplicateName, InputError, UnknownName

PART = """
from dataclasses import dataclass
from askwell.core.strategy import ScoreStrategy

@dataclass(frozen=True)
class Oldest(ScoreStrategy):
    "Asks for the lowest ids."
    weight: float = 1.0

    @property
    def needs(self):
        return ()

    def score(self, view):
        return -self.weight * view.ids.float()
"""


@pytest.fixture
def announce(tmp_path, monkeypatch):
    """Puts a distribution on sys.path that announces `name = module:Class` in the group askwell.strategies."""

    def install(point, source=PART, module="their_strategies", dist="their_package"):
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"{dist}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[askwell.strategies]\n{point}\n")
        invalidate_caches()

    monkeypatch.syspath_prepend(str(tmp_path))
    catalogue.cache_clear()
    yield install
    catalogue.cache_clear()
    for module in ("their_strategies", "other_strategies"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("name", "permanent"),
    [
        ("LeastConfidence", "least_confidence"),
        ("BALD", "bald"),
        ("BatchBALD", "batch_bald"),
        ("BADGE", "badge"),
        ("Typiclust", "typiclust"),
        ("Resnet18", "resnet18"),
        ("SmallCNN", "small_cnn"),
        ("MLP", "mlp"),
        ("margin", "margin"),
        ("least_confidence", "least_confidence"),
    ],
)
def test_permanent_names(name, permanent):
    assert snake(name) == permanent
    assert snake(permanent) == permanent


def test_find_by_name_and_by_class_name():
    for name, part in catalogue("strategies").items():
        assert find("strategies", name) is part
        assert find("strategies", part.__name__) is part
        assert name_of(part) == name


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        find("strategies", "margn")
    known = ", ".join(sorted(catalogue("strategies")))
    assert str(caught.value) == f"unknown strategy 'margn': did you mean 'margin'? Known: {known}"
    assert caught.value.nearest == "margin"


def test_a_module_that_is_not_there():
    with pytest.raises(InputError) as caught:
        find("strategies", "nowhere_at_all:Margin")
    assert str(caught.value) == "strategy 'nowhere_at_all:Margin': there is no module 'nowhere_at_all'"


def test_a_class_that_is_not_in_the_module(announce):
    announce("x = their_strategies:Oldest")
    with pytest.raises(
        UnknownName, match=r"^unknown strategy in 'their_strategies': 'Oldes': did you mean 'Oldest'\? Known: "
    ):
        find("strategies", "their_strategies:Oldes")


def test_an_announced_strategy_is_found_by_its_announced_name(announce):
    announce("oldest = their_strategies:Oldest")
    cls = find("strategies", "oldest")
    assert cls.__module__ == "their_strategies"
    assert name_of(cls) == "oldest"
    assert parse("strategies", "oldest(weight=2)") == cls(weight=2)
    assert config(cls()) == {"part": "oldest", "weight": 1.0}


def test_a_strategy_by_module_and_class(announce):
    announce("unrelated = their_strategies:Oldest")
    assert parse("strategies", "their_strategies:Oldest(weight=3)").weight == 3
    assert parse("strategies", "their_strategies:Oldest").weight == 1.0


def test_a_name_of_ours_is_not_taken(announce):
    announce("margin = their_strategies:Oldest")
    with pytest.raises(DuplicateName) as caught:
        catalogue("strategies")
    ours = "<class 'askwell.strategies.margin.Margin'>"
    assert str(caught.value) == f"two strategies are called 'margin': {ours} and <class 'their_strategies.Oldest'>"
    assert caught.value.got == "margin"


def test_two_packages_of_one_name(announce):
    announce("oldest = their_strategies:Oldest")
    announce("oldest = other_strategies:Oldest", module="other_strategies", dist="other_package")
    with pytest.raises(DuplicateName, match=r"^two strategies are called 'oldest': "):
        find("strategies", "oldest")


def test_the_same_class_announced_twice_is_one_part(announce):
    announce("oldest = their_strategies:Oldest")
    announce("oldest = their_strategies:Oldest", dist="their_package_again")
    assert find("strategies", "oldest").__name__ == "Oldest"


def test_a_class_that_nobody_announces_is_known_by_module(announce):
    announce("unrelated = their_strategies:Oldest")
    import their_strategies

    class Local:
        pass

    assert name_of(Local) == f"{__name__}:{Local.__qualname__}"
    assert name_of(their_strategies.Oldest) in {"unrelated", "their_strategies:Oldest"}


def test_every_room_has_a_singular():
    assert all(kind.endswith("s") for kind in registry.SINGULAR)
    for kind in registry.SINGULAR:
        assert isinstance(catalogue(kind), dict)
