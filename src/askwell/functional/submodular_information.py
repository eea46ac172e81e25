"""How much a set tells about wanted items and not about known ones: submodular information, maximised greedily."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from askwell.errors import PoolExhausted, UnknownName
from askwell.functional.determinant import Given, log_determinant
from askwell.functional.distance import Space
from askwell.functional.kernels import Kernel, highest, total
from askwell.functional.pick import top
from askwell.functional.submodular import Greedy, facility_location

__all__ = ["Measure", "submodular_information"]

Measure = Literal["flqmi", "gcmi", "flvmi", "logdetmi", "flcg", "logdetcg", "flcmi", "logdetcmi"]


def submodular_information(
    measure: Measure,
    space: Space,
    n: int,
    key: Tensor,
    kernel: Kernel,
    wanted: Space,
    known: Space,
    *,
    eta: float = 1.0,
    nu: float = 1.0,
    ridge: float = 1.0,
) -> Greedy:
    """Picks n of N rows A, each time the one that adds most to a measure; s(a, b) are similarities in [0, 1].

    flqmi      Σ_q max_a s(q, a) + η Σ_a max_q s(q, a)                    mutual information with the wanted rows q
    gcmi       Σ_a Σ_q s(q, a)                                            the same by a graph cut: no diversity at all
    flvmi      Σ_u min(max_a s(u, a), η max_q s(u, q))                    over all N rows u
    logdetmi   log det S_A − log det(S_A given the wanted rows)
    flcg       Σ_u max(max_a s(u, a) − ν max_p s(u, p), 0)                gain beside the known rows p
    logdetcg   log det(S_A given the known rows)
    flcmi      Σ_u max(min(max_a s(u, a), η max_q s(u, q)) − ν max_p s(u, p), 0)
    logdetcmi  log det(S_A given the known rows) − log det(S_A given the known and the wanted rows)

    key     (N,): of rows that add the same, the one with the lower key is picked
    wanted  q; known: p, in the same space. Measures of mutual information alone do not read `known`, those of gain
            alone do not read `wanted`
    eta     above 1: more weight on what is like the wanted rows; nu above 1: less like the known ones. Log-determinants
            multiply the similarities to these rows with them
    ridge   added to the diagonals of log-determinants

    O(N·D) per wanted row for flqmi and gcmi; O(N²·D) at worst for the other facility locations; see `log_determinant`
    for the rest. Memory O(N), for log-determinants as there.

    Iyer et al. 2021, arXiv 2006.15412; Kothawade et al. 2021, arXiv 2107.00717.

    >>> import torch
    >>> from askwell.functional.kernels import Cosine, unit
    >>> angle = torch.tensor([0., .1, 1.5, 3.])
    >>> circle = unit(torch.stack([angle.cos(), angle.sin()], 1))
    >>> some = circle.take(torch.tensor([3]))
    >>> submodular_information("gcmi", circle, 2, torch.arange(4), Cosine(), some, some)
    Greedy(rows=tensor([3, 2]), gains=tensor([1.0000, 0.5354]))
    """
    if measure not in get_args(Measure):
        raise UnknownName("measure", measure, get_args(Measure))
    if measure.startswith("logdet"):
        return log_determinant(space, n, key, kernel, _terms(measure, wanted, known, eta, nu), ridge)
    if measure == "gcmi":
        return _modular(total(kernel, space, wanted), n, key)
    near = highest(kernel, space, wanted).mul_(eta)
    if measure == "flqmi":
        return facility_location(space, n, key, kernel, wanted, bonus=near)
    floor = None if measure == "flvmi" else highest(kernel, space, known).mul_(nu)
    return facility_location(space, n, key, kernel, floor=floor, cap=None if measure == "flcg" else near)


def _modular(scores: Tensor, n: int, key: Tensor) -> Greedy:
    if not 1 <= n <= len(scores):
        raise PoolExhausted(n, len(scores))
    rows = top(scores, n, key.to(scores.device))
    return Greedy(rows, scores[rows])


def _terms(measure: Measure, wanted: Space, known: Space, eta: float, nu: float) -> list[Given]:
    """The log-determinants that a measure adds and subtracts."""
    if measure == "logdetmi":
        return [Given(), Given((wanted,), (eta,), -1.0)]
    beside = Given((known,), (nu,))
    return [beside] if measure == "logdetcg" else [beside, Given((known, wanted), (nu, eta), -1.0)]
