"""The virial expansion of the quenching factor beyond pairs, and what it leaves of the resistivity maximum.

G = 1 + b_1 T_sg/T + b_2 (T_sg/T)^2 + ...: b_1 = -alpha_S comes from pairs, b_2 from triples, b_k from k + 1 spins.
All lengths scale out: a cluster of given shape is diagonalised once, and the integral over its size becomes
an integral over the temperature, free of cut-offs.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import gamma, ndtri
from scipy.stats import qmc

from ..numerics.ensemble import run_ensemble
from ..numerics.validation import FloatArray, integer, positive, real_array, twice_spin
from .clusters import Quenching, _check_size, _quenching, random_couplings

_STEP = 0.25
# Couplings over temperature at the two ends of the integral over cluster sizes, in units of the coupling
# that sets the smallest and the largest relevant size; what lies beyond is added as a geometric series.
_WEAKEST, _STRONGEST = 0.03, 300.0


@dataclass(frozen=True)
class VirialCoefficient:
    """Coefficient of (T_sg/T)^order in the quenching factor.

    Attributes
    ----------
    value, error : float
        Estimate and its standard error, from independent scramblings of the quasi-random points.
    clusters : int
        Number of shapes, each integrated over all sizes.
    """

    value: float
    error: float
    clusters: int


def _disc_shapes(cube: FloatArray) -> FloatArray:
    # Triangles as points of the unit disc, r_k^2 = s^2 [1 - w cos(theta - 2 pi k/3)]: the measure of
    # the two relative positions is uniform on it.
    w, theta = np.sqrt(cube[:, :1]), 2 * np.pi * cube[:, 1:2]
    return np.sqrt(1 - w * np.cos(theta - 2 * np.pi / 3 * np.arange(3)))


def _sphere_shapes(cube: FloatArray, spins: int) -> FloatArray:
    # Any number of spins: N - 1 relative vectors, uniform on the sphere sum_i |r_i - centre|^2 = s^2.
    vectors = ndtri(cube).reshape(-1, spins - 1, 3)
    vectors /= np.sqrt((vectors**2).sum(axis=(1, 2)))[:, None, None]
    rows = np.arange(1, spins)[:, None]
    columns = np.arange(spins)
    helmert = np.where(columns < rows, 1.0, np.where(columns == rows, -rows, 0.0)) / np.sqrt(rows * (rows + 1))
    places = np.einsum("ki,skc->sic", helmert, vectors)
    first, second = np.triu_indices(spins, 1)
    distances: FloatArray = np.linalg.norm(places[:, first] - places[:, second], axis=2)
    return distances


def _cube_dimension(order: int) -> tuple[int, int]:
    spins = order + 1
    return (2 if order == 2 else 3 * order), spins * (spins - 1) // 2


def _second_strongest_link(bonds: FloatArray, spins: int, rank: int) -> FloatArray:
    # The link number `rank` (from the strongest) of the tree of strongest links that spans each cluster: when
    # it becomes weaker than the temperature, the connected part of the cluster dies out.
    pairs = list(combinations(range(spins), 2))
    found = np.empty(len(bonds))
    for sample, strengths in enumerate(np.abs(bonds)):
        group = list(range(spins))
        links = 0
        for k in np.argsort(-strengths):
            i, j = pairs[k]
            if group[i] != group[j]:
                group = [group[i] if g == group[j] else g for g in group]
                links += 1
                if links == rank:
                    found[sample] = strengths[k]
                    break
    return found


def _matrices(bonds: FloatArray, spins: int) -> FloatArray:
    matrices = np.zeros((len(bonds), spins, spins))
    first, second = np.triu_indices(spins, 1)
    matrices[:, first, second] = matrices[:, second, first] = bonds
    return matrices


def _connected(bonds: FloatArray, temperature: FloatArray, two_s: int) -> FloatArray:
    """Connected part u of the quenching factor, averaged over which spin of the cluster is observed."""
    matrices = _matrices(bonds, spins := round((1 + math.sqrt(1 + 8 * bonds.shape[1])) / 2))
    total = np.full((len(bonds), temperature.size), (-1.0) ** (spins - 1))
    for size in range(2, spins + 1):
        for members in combinations(range(spins), size):
            inner = matrices[:, members][:, :, members]
            factor = _quenching(inner, temperature, two_s, average=True).factor[:, :, 0]
            # Each of the `size` members is observed in this subset: weight size / spins.
            total += (-1.0) ** (spins - size) * size / spins * factor
    return total


def _shape_measure(order: int) -> float:
    # (1/k!) int d^3r_2 ... d^3r_{k+1} = measure * < int d(lambda) lambda^(-k-1) > in units of (T_sg / n_s T)^k.
    spins, dimension = order + 1, 3 * order
    area = 2 * math.pi ** (dimension / 2) / float(gamma(dimension / 2))
    return spins**1.5 * area / (3 * math.factorial(order))


def _size_integral(bonds: FloatArray, order: int, two_s: int, step: float) -> FloatArray:
    # int d(lambda) lambda^(-k-1) u(lambda V) = int d(ln lambda) lambda^-k u, by the trapezoidal rule, for which
    # an integrand analytic in a strip around the whole axis converges exponentially. Both signs of all
    # couplings are averaged, which cancels the odd orders in V exactly.
    scale = _second_strongest_link(bonds, order + 1, max(order - 1, 1))
    count = math.ceil(math.log(_STRONGEST / _WEAKEST * max(1.0, float(scale.max()))) / step) + 1
    size = _WEAKEST * np.exp(step * np.arange(count))
    unit = bonds / scale[:, None]
    u = (_connected(unit, 1 / size, two_s) + _connected(-unit, 1 / size, two_s)) / 2
    terms = u * size ** (-order)
    # Beyond the ends u ~ lambda^(2 or 4) and u = const: geometric series of the terms left out.
    power = {1: 1, 2: 2}.get(order, 1)
    below = terms[:, 0] / math.expm1(power * step)
    above = terms[:, -1] / math.expm1(order * step)
    total: FloatArray = step * (terms.sum(axis=1) + below + above) * scale**order
    return total


def _virial_task(seed: np.random.SeedSequence, order: int, two_s: int, samples: int, step: float) -> float:
    shape_axes, phase_axes = _cube_dimension(order)
    sobol = qmc.Sobol(shape_axes + phase_axes, rng=np.random.default_rng(seed))
    total = 0.0
    for start in range(0, samples, 512):
        cube = np.clip(sobol.random(min(512, samples - start)), 1e-15, 1 - 1e-15)
        shapes = cube[:, :shape_axes]
        distances = _disc_shapes(shapes) if order == 2 else _sphere_shapes(shapes, order + 1)
        bonds = np.cos(2 * np.pi * cube[:, shape_axes:]) / distances**3
        total += float(_size_integral(bonds, order, two_s, step).sum())
    return _shape_measure(order) * total / samples
