"""The virial expansion of the quenching factor beyond pairs.

G = 1 + b_1 T_sg/T + b_2 (T_sg/T)^2 + ...: b_1 = -alpha_S comes from pairs, b_2 from triples, b_k from k + 1
spins. All lengths scale out: a cluster of given shape is diagonalised once, and the integral over its size
becomes an integral over the temperature, free of cut-offs.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import combinations
from os import PathLike

import numpy as np
from scipy.special import gamma, ndtri
from scipy.stats import qmc

from ..numerics.ensemble import run_ensemble
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, integer, positive, twice_spin
from .clusters import check_cluster_size, coupling_matrices, quenching_of_clusters

_STEP = 0.25
# Couplings over temperature at the two ends of the integral over cluster sizes; what lies beyond is added as
# a geometric series. Rounding errors grow towards weak coupling, the faster the higher the order.
_WEAKEST, _STRONGEST = {1: 1e-3, 2: 0.03, 3: 0.03, 4: 0.03}, 300.0


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
    distances: FloatArray = np.sqrt(1 - w * np.cos(theta - 2 * np.pi / 3 * np.arange(3)))
    return distances


def _sphere_shapes(cube: FloatArray, spins: int) -> FloatArray:
    # Any number of spins: N - 1 relative vectors, uniform on the sphere sum_i |r_i - centre|^2 = s^2.
    vectors = ndtri(cube).reshape(-1, spins - 1, 3)
    vectors /= np.sqrt((vectors**2).sum(axis=(1, 2)))[:, None, None]
    rows = np.arange(1, spins)[:, None]
    columns = np.arange(spins)
    # Orthonormal rows, each orthogonal to the centre of mass.
    helmert = np.where(columns < rows, 1.0, np.where(columns == rows, -rows, 0.0)) / np.sqrt(
        rows * (rows + 1)
    )
    places = np.einsum("ki,skc->sic", helmert, vectors)
    first, second = np.triu_indices(spins, 1)
    distances: FloatArray = np.linalg.norm(places[:, first] - places[:, second], axis=2)
    return distances


@kernel
def _links(bonds: FloatArray, spins: int, rank: int, out: FloatArray) -> None:
    # The link number `rank` (from the strongest) of the tree of strongest links that spans each cluster: when
    # the temperature exceeds it, the connected part of the cluster dies out.
    first, second = np.empty(bonds.shape[1], np.int64), np.empty(bonds.shape[1], np.int64)
    pair = 0
    for i in range(spins):
        for j in range(i + 1, spins):
            first[pair], second[pair] = i, j
            pair += 1
    for k in range(bonds.shape[0]):
        group = np.arange(spins)
        links = 0
        for b in np.argsort(-np.abs(bonds[k])):
            here, there = group[first[b]], group[second[b]]
            if here != there:
                group[group == there] = here
                links += 1
                if links == rank:
                    out[k] = abs(bonds[k, b])
                    break


def _connected(bonds: FloatArray, temperature: FloatArray, two_s: int) -> FloatArray:
    """Connected part u of the quenching factor, averaged over which spin of the cluster is observed."""
    matrices = coupling_matrices(bonds, spins := round((1 + math.sqrt(1 + 8 * bonds.shape[1])) / 2))
    total = np.full((len(bonds), temperature.size), (-1.0) ** (spins - 1))
    for size in range(2, spins + 1):
        for members in combinations(range(spins), size):
            inner = matrices[:, members][:, :, members]
            factor = quenching_of_clusters(inner, temperature, two_s, size, average=True).factor[:, :, 0]
            # Each of the `size` members is observed in this subset: weight size / spins.
            total += (-1.0) ** (spins - size) * size / spins * factor
    return total


def _shape_measure(order: int) -> float:
    # (1/k!) int d^3r_2 ... d^3r_{k+1} = measure * < int d(lambda) lambda^(-k-1) > (T_sg / n_s T)^k.
    spins, dimension = order + 1, 3 * order
    area = 2 * math.pi ** (dimension / 2) / float(gamma(dimension / 2))
    return float(spins**1.5 * area / (3 * math.factorial(order)))


def _size_integral(bonds: FloatArray, order: int, two_s: int, step: float) -> FloatArray:
    # int d(lambda) lambda^(-k-1) u(lambda V) = int d(ln lambda) lambda^-k u, by the trapezoidal rule, which
    # converges exponentially for an integrand that is analytic in a strip around the whole axis. Both signs
    # of all couplings are averaged, which cancels the odd orders in V exactly.
    scale = np.empty(len(bonds))
    _links(bonds, order + 1, max(order - 1, 1), scale)
    count = math.ceil(math.log(_STRONGEST / _WEAKEST[order] * max(1.0, float(scale.max()))) / step) + 1
    size = _WEAKEST[order] * np.exp(step * np.arange(count))
    unit = bonds / scale[:, None]
    u = (_connected(unit, 1 / size, two_s) + _connected(-unit, 1 / size, two_s)) / 2
    terms = u * size ** (-order)
    # Beyond the ends u ~ lambda^(2 or 4) and u = const: geometric series of the terms left out.
    below = terms[:, 0] / math.expm1((2 if order == 2 else 1) * step)
    above = terms[:, -1] / math.expm1(order * step)
    total: FloatArray = step * (terms.sum(axis=1) + below + above) * scale**order
    return total


def _single_size(distances: FloatArray, order: int, two_s: int, x: FloatArray, wave: float) -> FloatArray:
    # One size a cluster, lambda = x^2/(1 - x^2) with x uniform, and phases 2 k_F r tied to the distances.
    size = x * x / (1 - x * x)
    density = 0.5 / np.sqrt(size) / (1 + size) ** 1.5
    bonds = np.cos(wave * distances / np.cbrt(size)[:, None]) * size[:, None] / distances**3
    u = _connected(bonds, np.ones(1), two_s)[:, 0]
    # Below this u is far smaller than its rounding error, which the weight would multiply.
    u[np.abs(bonds).max(axis=1) < (1e-5 if order == 1 else 1e-3)] = 0.0
    weighted: FloatArray = u * size ** (-order - 1) / density
    return weighted


def _virial_task(
    seed: np.random.SeedSequence,
    order: int,
    two_s: int,
    samples: int,
    wave: float | None,
    step: float = _STEP,
) -> float:
    # Shapes as triangles in the disc for three spins, as points of a sphere otherwise.
    shape_axes = 2 if order == 2 else 3 * order
    axes = shape_axes + (1 if wave is not None else order * (order + 1) // 2)
    sobol = qmc.Sobol(axes, rng=np.random.default_rng(seed))
    total = 0.0
    for start in range(0, samples, 512):
        cube = np.clip(sobol.random(min(512, samples - start)), 1e-12, 1 - 1e-12)
        shapes, rest = cube[:, :shape_axes], cube[:, shape_axes:]
        distances = _disc_shapes(shapes) if order == 2 else _sphere_shapes(shapes, order + 1)
        if wave is None:
            bonds = np.cos(2 * np.pi * rest) / distances**3
            total += float(_size_integral(bonds, order, two_s, step).sum())
        else:
            total += float(_single_size(distances, order, two_s, rest[:, 0], wave).sum())
    return _shape_measure(order) * total / samples


def virial_coefficient(
    order: int,
    spin: float,
    *,
    samples: int = 1024,
    scrambles: int = 8,
    seed: int = 0,
    wave_number: float | None = None,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> VirialCoefficient:
    r"""Virial coefficient of the quenching factor, from the exact states of clusters of ``order + 1`` spins.

    .. math:: b_k = \frac{1}{k!}\int u(1; 2, \dots, k+1)\,d^3r_2\cdots d^3r_{k+1}\,(n_s T/T_{sg})^k

    with u the connected part of the quenching factor; b_1 = -alpha_S.

    Parameters
    ----------
    order : int, 1 to 4
        k.
    spin : float
        A multiple of 1/2.
    samples : int
        Shapes in each scrambling of the quasi-random sequence, a power of 2, at least 16.
    scrambles : int
        Independent scramblings, at least 2; their scatter gives the error.
    seed : int
    wave_number : float, optional
        2 k_F (T_sg / n_s T)^(1/3), which ties the phase of each coupling to its distance, cos(2 k_F r). By
        default the phases are independent and uniform, the limit of large `wave_number`.
    executor, checkpoint
        As in :func:`disorder.numerics.ensemble.run_ensemble`; one task is one scrambling.

    Returns
    -------
    VirialCoefficient
        The discretisation of the size integral contributes less than 1e-5 relative to the value.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the cluster is too large for exact diagonalisation.

    Notes
    -----
    For a coupling that falls off as 1/r^3, a cluster of size s at temperature T depends on s^3 T only: the
    integral over sizes is one over temperatures and needs one diagonalisation. It converges absolutely: a
    spin at distance R enters u as 1/R^6. With tied phases a size is drawn at random instead.
    Cost: 0.2 ms a triple of spins 1/2.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (14), (26)-(28) for order 1.

    Examples
    --------
    >>> round(virial_coefficient(1, 0.5, samples=64).value, 4)
    -1.1049
    """
    order = integer("order", order, low=1, high=4)
    two_s = twice_spin("spin", spin)
    check_cluster_size(order + 1, two_s)
    samples = integer("samples", samples, low=16)
    if samples & (samples - 1):
        raise ValueError(f"samples must be a power of 2, got {samples}")
    scrambles = integer("scrambles", scrambles, low=2)
    wave = None if wave_number is None else positive("wave_number", wave_number)
    values = run_ensemble(
        _virial_task,
        scrambles,
        seed=integer("seed", seed, low=0),
        arguments=(order, two_s, samples, wave),
        executor=executor,
        checkpoint=checkpoint,
    )
    error = float(np.std(values, ddof=1)) / math.sqrt(scrambles)
    return VirialCoefficient(float(np.mean(values)), error, samples * scrambles)
