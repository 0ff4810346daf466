"""Exact diagonalisation of small clusters of spins with RKKY couplings.

What the resistivity needs of a spin is one number, its quenching factor G: the scattering of electrons that
the interaction leaves, relative to a free spin. The Kondo part of the resistivity is proportional to
G / ln^2(T/T_K).
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.linalg import null_space

from ..numerics.eigen import symmetric_eigen
from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, real_array, twice_spin

LARGEST_SPACE = 5000


@kernel
def _solve(bonds: FloatArray, exchange: FloatArray, levels: FloatArray, vectors: FloatArray) -> bool:
    # Diagonalises sum_b bonds[k, b] exchange[b] for every cluster k; eigenvectors as rows.
    size = exchange.shape[1]
    good = True
    for k in range(bonds.shape[0]):
        matrix = np.zeros((size, size))
        for b in range(bonds.shape[1]):
            for m in range(size):
                for n in range(size):
                    matrix[m, n] += bonds[k, b] * exchange[b, m, n]
        good = symmetric_eigen(matrix, levels[k], vectors[k]) and good
    return good


@kernel
def _strengths(upper: FloatArray, operator: FloatArray, lower: FloatArray, average: bool) -> FloatArray:
    # Squared elements of operator[i] between the rows of `upper` and `lower`, for each i or their mean.
    observed, rows, columns = operator.shape
    result = np.zeros((1 if average else observed, rows, columns))
    half, elements = np.empty((rows, columns)), np.empty((rows, columns))
    turned = lower.T.copy()
    for i in range(observed):
        half[:] = 0.0
        elements[:] = 0.0
        for a in range(rows):
            for m in range(rows):
                for n in range(columns):
                    half[a, n] += upper[a, m] * operator[i, m, n]
            for n in range(columns):
                for b in range(columns):
                    elements[a, b] += half[a, n] * turned[n, b]
        if average:
            result[0] += elements * elements / observed
        else:
            result[i] = elements * elements
    return result


@kernel
def _thermal_sums(
    upper: FloatArray,
    lower: FloatArray,
    strengths: FloatArray,
    weight: float,
    beta: float,
    sums: FloatArray,
    slopes: FloatArray,
) -> None:
    # sums[i] += weight sum_ab strengths[i, a, b] e^{-(Ea + Eb)/2T} y / sinh y with y = (Ea - Eb)/2T, and to
    # slopes[i] the derivative by ln T. Energies are counted from the ground state, >= 0.
    upper_weight, lower_weight = np.exp(-beta * upper), np.exp(-beta * lower)
    for a in range(upper.size):
        p = upper_weight[a]
        for b in range(lower.size):
            q = lower_weight[b]
            # Far below rounding, and where p - q could vanish by underflow.
            if p < 1e-150 or q < 1e-150:
                continue
            y = 0.5 * beta * (lower[b] - upper[a])
            if abs(y) < 0.02:
                y2 = y * y
                w = weight * math.sqrt(p * q) * (1.0 - y2 / 6.0 + 7.0 * y2 * y2 / 360.0)
                growth = y2 / 3.0 - y2 * y2 / 45.0
            else:
                w = weight * 2.0 * y * p * q / (p - q)
                growth = y * (p + q) / (p - q) - 1.0
            growth += 0.5 * beta * (upper[a] + lower[b])
            for i in range(strengths.shape[0]):
                sums[i] += strengths[i, a, b] * w
                slopes[i] += strengths[i, a, b] * w * growth


@kernel
def _transitions(
    upper: FloatArray,
    upper_vectors: FloatArray,
    lower: FloatArray,
    lower_vectors: FloatArray,
    operator: FloatArray,
    weight: float,
    average: bool,
    temperature: FloatArray,
    sums: FloatArray,
    slopes: FloatArray,
) -> None:
    for k in range(upper.shape[0]):
        strengths = _strengths(upper_vectors[k], operator, lower_vectors[k], average)
        for t in range(temperature.shape[1]):
            _thermal_sums(
                upper[k], lower[k], strengths, weight, 1.0 / temperature[k, t], sums[k, t], slopes[k, t]
            )


@dataclass(frozen=True)
class _Multiplets:
    """All multiplets of N spins with the same total spin J, each known by its state M = J."""

    size: int
    degeneracy: int
    exchange: FloatArray  # S_i.S_j for each pair
    same: FloatArray  # S_z of each spin between M = J and M = J
    below: FloatArray | None  # S_+ of each spin from M = J - 1 of the multiplets J - 1
    same_factor: float  # what turns a squared element of one component into the sum over all M, M', x, y, z
    below_factor: float


@cache
def _multiplets(spins: int, two_s: int) -> tuple[_Multiplets, ...]:
    m = np.arange(two_s, -two_s - 1, -2) / 2
    one_z, one_plus = sparse.diags(m), sparse.diags(np.sqrt((two_s / 2 - m[1:]) * (two_s / 2 + m[1:] + 1)), 1)

    def at(i: int, operator: Any) -> Any:
        size = two_s + 1
        left = sparse.kron(sparse.identity(size**i), operator)
        return sparse.kron(left, sparse.identity(size ** (spins - 1 - i))).tocsr()

    z, plus = [at(i, one_z) for i in range(spins)], [at(i, one_plus) for i in range(spins)]
    raising = sum(plus[1:], plus[0])
    projection = np.rint(2 * sum(part.diagonal() for part in z)).astype(int)
    bonds = [
        z[i] @ z[j] + (plus[i] @ plus[j].T + plus[i].T @ plus[j]) / 2
        for i, j in combinations(range(spins), 2)
    ]
    result: list[_Multiplets] = []
    previous = None
    for two_j in range(spins * two_s % 2, spins * two_s + 1, 2):
        here, above = np.flatnonzero(projection == two_j), np.flatnonzero(projection == two_j + 2)
        # The states M = J of the multiplets J are those that S_+ destroys.
        states = np.eye(1) if above.size == 0 else null_space(raising[above][:, here].toarray())
        exchange = np.array([states.T @ (bond[here][:, here] @ states) for bond in bonds])
        same = np.array([states.T @ (part[here][:, here] @ states) for part in z])
        below = None
        if previous is not None:
            below = np.array([states.T @ (part[here][:, previous[0]] @ previous[1]) for part in plus])
        j = two_j / 2
        same_factor = (j + 1) * (2 * j + 1) / j if two_j else 0.0
        exchange = exchange.reshape(-1, states.shape[1], states.shape[1])
        result.append(
            _Multiplets(states.shape[1], two_j + 1, exchange, same, below, same_factor, (2 * j + 1) / 2)
        )
        previous = (here, states)
    return tuple(result)


def check_cluster_size(spins: int, two_s: int) -> None:
    """Refuse clusters that are too large for exact diagonalisation."""
    largest = int(math.log(LARGEST_SPACE) / math.log(two_s + 1))
    if spins > largest:
        raise ValueError(f"spins must be at most {largest} for spin {two_s / 2:g}, got {spins}")


@dataclass(frozen=True)
class Quenching:
    """Quenching factors of clusters.

    Attributes
    ----------
    factor : ndarray, shape (..., t, N)
        G of each spin at each temperature, between 0 and 1.
    slope : ndarray, same shape
        Its derivative by ln T.
    """

    factor: FloatArray
    slope: FloatArray


def quenching_of_clusters(
    couplings: FloatArray, temperature: FloatArray, two_s: int, observed: int, *, average: bool = False
) -> Quenching:
    """Solve a stack of clusters, shape (samples, N, N); keep the first `observed` spins or their mean."""
    samples, spins = couplings.shape[:2]
    bonds = couplings[:, *np.triu_indices(spins, 1)]
    scale = np.abs(bonds).max(axis=1, initial=0.0)
    scale[scale == 0.0] = 1.0
    # Levels closer than rounding errors can tell count as degenerate.
    with np.errstate(over="ignore"):
        kelvin = np.clip(temperature / scale[:, None], 1e-12, 1e300)
    multiplets = _multiplets(spins, two_s)
    solved = []
    for part in multiplets:
        levels, vectors = np.empty((samples, part.size)), np.empty((samples, part.size, part.size))
        if not _solve(bonds / scale[:, None], part.exchange, levels, vectors):
            raise ConvergenceError("the QL iteration did not converge for one of the clusters")
        solved.append((levels, vectors))
    ground = np.min([levels[:, 0] for levels, _ in solved], axis=0)[:, None]
    solved = [(levels - ground, vectors) for levels, vectors in solved]
    partition, energy = np.zeros((2, samples, temperature.size))
    for part, (levels, _) in zip(multiplets, solved, strict=True):
        x = levels[:, None, :] / kelvin[:, :, None]
        partition += part.degeneracy * np.exp(-x).sum(axis=2)
        energy += part.degeneracy * (x * np.exp(-x)).sum(axis=2)
    sums, slopes = np.zeros((2, samples, temperature.size, 1 if average else observed))
    for number, part in enumerate(multiplets):
        for operator, weight, other in (
            (part.same, part.same_factor, number),
            (part.below, 2 * part.below_factor, number - 1),  # once in each direction
        ):
            if operator is not None and weight > 0.0:
                _transitions(
                    *solved[number],
                    *solved[other],
                    operator[:observed],
                    weight,
                    average,
                    kelvin,
                    sums,
                    slopes,
                )
    normalisation = 4.0 / (two_s * (two_s + 2)) / partition[:, :, None]
    factor = normalisation * sums
    return Quenching(factor, normalisation * slopes - factor * (energy / partition)[:, :, None])


def coupling_matrices(bonds: FloatArray, spins: int) -> FloatArray:
    """Symmetric matrices from the entries above the diagonal, shape (samples, N(N-1)/2)."""
    matrices = np.zeros((len(bonds), spins, spins))
    first, second = np.triu_indices(spins, 1)
    matrices[:, first, second] = matrices[:, second, first] = bonds
    return matrices


def cluster_quenching(couplings: ArrayLike, temperature: ArrayLike, spin: float) -> Quenching:
    r"""Quenching factor of every spin of a cluster with Hamiltonian sum over pairs of V_ij S_i.S_j, exactly.

    .. math:: G_i = \frac{1}{S(S+1)Z}\sum_{\xi\xi'} |\langle\xi|\hat{\mathbf S}_i|\xi'\rangle|^2
              e^{-(E_\xi+E_{\xi'})/2T}\,\frac{x/2}{\sinh(x/2)}, \qquad x = (E_\xi-E_{\xi'})/T .

    Parameters
    ----------
    couplings : array_like, shape (..., N, N)
        V_ij in the unit of temperature, symmetric; the diagonal must vanish. (2S+1)^N must
        not exceed 5000.
    temperature : array_like, shape () or (t,)
        Positive.
    spin : float
        A multiple of 1/2.

    Returns
    -------
    Quenching
        Factors and derivatives by ln T, shape (..., N) or (..., t, N). Absolute accuracy about 1e-13;
        temperatures below 1e-12 of the largest coupling count as that.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Only the states M = J of each total spin J are kept, and the Wigner-Eckart theorem restores the others:
    for 8 spins 1/2 the largest matrix has 28 rows instead of 256.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (4) and (26): the second equals G / ln^2(T/T_K) times the
    resistivity of free spins without its logarithm.

    Examples
    --------
    >>> G = cluster_quenching([[0.0, 1.0], [1.0, 0.0]], 1e6, 0.5).factor
    >>> [round(float(g), 9) for g in G]
    [1.0, 1.0]
    """
    matrix = real_array("couplings", couplings)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or matrix.shape[-1] < 1:
        raise ValueError(f"couplings must have shape (..., N, N), got {matrix.shape}")
    if not np.array_equal(matrix, np.swapaxes(matrix, -1, -2)):
        raise ValueError("couplings must be symmetric")
    spins = matrix.shape[-1]
    if matrix[..., range(spins), range(spins)].any():
        raise ValueError("couplings must have a vanishing diagonal")
    two_s = twice_spin("spin", spin)
    check_cluster_size(spins, two_s)
    kelvin = real_array("temperature", temperature, low=0.0)
    if kelvin.ndim > 1:
        raise ValueError(f"temperature must be a number or have one axis, got shape {kelvin.shape}")
    result = quenching_of_clusters(matrix.reshape(-1, spins, spins), np.atleast_1d(kelvin), two_s, spins)
    shape = matrix.shape[:-2] + kelvin.shape + (spins,)
    return Quenching(result.factor.reshape(shape), result.slope.reshape(shape))
