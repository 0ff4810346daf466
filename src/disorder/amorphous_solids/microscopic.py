"""Three interacting centres at random places: the second order of the cluster densities, by Monte Carlo.

The centres are a gas with independent places and excitation energies, of density P_0 per volume and energy,
from which every configuration with an unstable flip is removed. Second order means three centres; their
energies are integrated in closed form for each triangle, the triangles are sampled.
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

from ..numerics.ensemble import run_ensemble
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, broadcast, integer, plain, real_array
from .coupling_distributions import CouplingDistribution, coupling_distribution

REPLICATES = 32
NAMES = ("single", "pair", "triple", "total", "bilinear")
# Share of the points whose shortest side is below R_min, where it carries no interaction.
_INNER = 0.125


@kernel
def _overlap_area(a: float, b: float, c: float) -> float:
    """Area of 0 < x < a, 0 < y < b, x + y < c."""
    if a <= 0.0 or b <= 0.0 or c <= 0.0:
        return 0.0
    far = min(a, c)
    bend = c - b
    if bend >= far:
        return b * far
    if bend <= 0.0:
        return far * (c - far / 2)
    return b * bend + (far - bend) * (c - (far + bend) / 2)


@kernel
def _corner_area(a: float, c: float) -> float:
    """Area of 0 < x < a, 0 < y, x + y < c."""
    if a <= 0.0 or c <= 0.0:
        return 0.0
    return a * (c - a / 2) if a < c else c * c / 2


@kernel
def _triple_only_area(a: float, b: float, c: float) -> float:
    """Area of x > a+, y > b+, x + y > c+, x + y < a + b + c: unstable triple of stable pairs."""
    top = c + min(a, 0.0) + min(b, 0.0)
    if c <= 0.0 or top <= 0.0:
        return 0.0
    bottom = c - max(a, 0.0) - max(b, 0.0)
    if bottom <= 0.0:
        return top * top / 2
    return max(a + b, 0.0) * (top + bottom) / 2


@kernel
def _pair_loss(u: float, a: float, b: float) -> float:
    """Mean energy range that a pair with e1 + e2 = u closes to a third centre, times u."""
    if u <= 0.0:
        return 0.0
    both = a + b
    loss = u * max(both, 0.0)
    for excess in (-b if both > 0.0 else a, -a if both > 0.0 else b):
        if excess > 0.0:
            loss += excess * excess / 2 if excess < u else u * (excess - u / 2)
    return loss


@kernel
def _triple_area(a: float, b: float, c: float) -> float:
    """Area of the stable energies of three centres with zero total excitation energy."""
    low = min(a, b, c)
    if low >= 0.0:
        return a * b + b * c + c * a
    if a == low:
        first, second = b + a, c + a
    elif b == low:
        first, second = a + b, c + b
    else:
        first, second = a + c, b + c
    return first * second if first > 0.0 and second > 0.0 else 0.0


@kernel
def _fill_triangles(u12: FloatArray, u13: FloatArray, u23: FloatArray, result: FloatArray) -> None:
    for i in range(u12.size):
        a, b, c = u12[i], u13[i], u23[i]
        result[0, i] = max(a, 0.0) * max(b, 0.0) + _corner_area(a, c) + _corner_area(b, c)
        result[1, i] = result[0, i] - _overlap_area(a, b, c) - _triple_only_area(a, b, c)
        result[2, i] = _pair_loss(a, b, c)
        result[3, i] = _triple_area(a, b, c)


@kernel
def _sum_triangles(points: FloatArray, magnitudes: FloatArray, xi: float, inner: float) -> FloatArray:
    """Mean over the sample of P_1, P_2, P_3 and of the bilinear part of P_1, second order, unit chi^2 P_0."""
    sums = np.zeros(4)
    side = np.empty(3)
    u = np.empty(3)
    for i in range(len(points)):
        # Logarithms of the two shorter sides, in units of R_min: short in a triangle 0 < l1 < l2 < xi.
        if points[i, 0] < inner:
            short = np.log(max(points[i, 0], 1e-18) / inner) / 3
            weight = xi * np.exp(-3 * short) / (3 * inner)
        else:
            short = xi * (1 - np.sqrt((1 - points[i, 0]) / (1 - inner)))
            weight = xi * xi / (2 * (1 - inner))
        start = max(short, 0.0)
        middle = start + (xi - start) * points[i, 1]
        ratio = np.exp(short - middle)
        # Directions that leave the third side the longest.
        spread = 1 + ratio / 2
        cosine = -1 + spread * points[i, 2]
        longest = middle + np.log1p(ratio * (ratio - 2 * cosine)) / 2
        weight *= spread / 2
        # Interactions times (r1 r2)^(3/2): no overflow, and the measure r1^3 r2^3 is used up.
        scale = 1.5 * (short + middle)
        side[0] = np.exp(scale - 3 * short) * magnitudes[i, 0] if short >= 0.0 else 0.0
        side[1] = np.exp(scale - 3 * middle) * magnitudes[i, 1]
        side[2] = np.exp(scale - 3 * longest) * magnitudes[i, 2] if longest <= xi else 0.0
        for signs in range(8):
            for j in range(3):
                u[j] = -side[j] if (signs >> j) & 1 else side[j]
            for j in range(3):
                a, b, c = u[j - 2], u[j - 1], u[j]
                chain = max(a, 0.0) * max(b, 0.0) + _corner_area(a, c) + _corner_area(b, c)
                sums[3] += weight * chain
                sums[0] += weight * (chain - _overlap_area(a, b, c) - _triple_only_area(a, b, c))
                sums[1] -= weight * _pair_loss(c, a, b)
            sums[2] += weight * _triple_area(u[0], u[1], u[2])
    # (4 pi)^2/pi^2 from places, 1/8 for the signs; 1/2, 1/2 and 1/6 of the identical centres, and the
    # 2, 2 and 6 ways to name the corners of a triangle whose sides have been told apart by length.
    return 2.0 * sums / len(points)


@dataclass(frozen=True)
class TriangleIntegrals:
    """Energy integrals of three centres with given interactions, in units of the interactions squared.

    Attributes
    ----------
    bilinear, single : ndarray or float
        Centre 1 is observed at zero energy: range of the energies of 2 and 3 in which it is not allowed,
        counted as in the second order of P_1; without (`bilinear`) and with the parts that need the closed
        triangle.
    pair : ndarray or float
        Centres 1 and 2 are observed with zero pair energy: range that they close to centre 3.
    triple : ndarray or float
        Range of stable energies with zero energy of the triple flip.
    """

    bilinear: NDArray[np.float64] | float
    single: NDArray[np.float64] | float
    pair: NDArray[np.float64] | float
    triple: NDArray[np.float64] | float


def triangle_integrals(u12: ArrayLike, u13: ArrayLike, u23: ArrayLike) -> TriangleIntegrals:
    """Integrate over the energies of three centres with all stability conditions, in closed form.

    Parameters
    ----------
    u12, u13, u23 : array_like
        Interactions, energy; positive where two flips attract each other. They broadcast.

    Returns
    -------
    TriangleIntegrals
        Relative round-off only: no difference of close numbers is taken.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite or beyond 1e100 in size.

    Notes
    -----
    With f_ij and t the indicators of an unstable pair and triple, `single` is the integral of
    f12 f13 + f12 f23 + f13 f23 - f12 f13 f23 - t (1 - f12)(1 - f13)(1 - f23) over e2, e3 > 0 at e1 = 0;
    `pair` that of 1 - (1 - f13)(1 - f23)(1 - t) over e3 and over e1 + e2 = u12; `triple` the area that
    (2.22) bounds.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.18), (2.21), (2.22).

    Examples
    --------
    >>> triangle_integrals(3.0, 1.0, 2.0).triple
    11.0
    """
    a, b, c = broadcast(
        u12=real_array("u12", u12, low=-1e100, high=1e100),
        u13=real_array("u13", u13, low=-1e100, high=1e100),
        u23=real_array("u23", u23, low=-1e100, high=1e100),
    )
    result = np.empty((4, a.size))
    _fill_triangles(a.ravel(), b.ravel(), c.ravel(), result)
    shape = a.shape
    bilinear, single, pair, triple = (plain(row.reshape(shape)) for row in result)
    return TriangleIntegrals(bilinear, single, pair, triple)


@dataclass(frozen=True)
class ThreeCenterCoefficients:
    """Second-order coefficients of the cluster densities, in units of chi^2 P_0.

    Attributes
    ----------
    xi : ndarray, shape (x,)
        ln(R_max/R_min).
    single, pair, triple : ndarray, shape (x,)
        Of P_1, P_2 and P_3 at zero energy.
    total : ndarray, shape (x,)
        single + 2 pair + 3 triple.
    bilinear : ndarray, shape (x,)
        Part of `single` without closed triangles.
    single_error, pair_error, triple_error, total_error, bilinear_error : ndarray, shape (x,)
        Standard errors, from the spread of independent replicates.
    """

    xi: FloatArray
    single: FloatArray
    pair: FloatArray
    triple: FloatArray
    total: FloatArray
    bilinear: FloatArray
    single_error: FloatArray
    pair_error: FloatArray
    triple_error: FloatArray
    total_error: FloatArray
    bilinear_error: FloatArray


def _replicate(seed: np.random.SeedSequence, xi: float, name: str, power: int) -> FloatArray:
    cube = qmc.Sobol(6, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)
    law = coupling_distribution(name)
    magnitudes = np.asarray(law.magnitude(np.clip(cube[:, 3:], 0.0, 1 - 2**-53)))
    sums = np.asarray(_sum_triangles(np.ascontiguousarray(cube[:, :3]), magnitudes, xi, _INNER))
    single, pair, triple, bilinear = sums
    return np.array([single, pair, triple, single + 2 * pair + 3 * triple, bilinear])


def three_center_coefficients(
    xi: ArrayLike,
    distribution: str | CouplingDistribution = "gaussian",
    *,
    samples: int = 131_072,
    seed: int = 0,
    executor: Executor | None = None,
) -> ThreeCenterCoefficients:
    """Measure the second order of P_1, P_2 and P_3 on random triangles of centres.

    Parameters
    ----------
    xi : array_like, shape (x,)
        ln(R_max/R_min), between 0 and 100; pairs interact at distances between R_min and R_max.
    distribution : str or CouplingDistribution
        Of the independent interaction constants of the three pairs.
    samples : int
        Triangles for each xi, 1000 to 2^30, rounded up to 32 replicates of a power of 2.
    seed : int
    executor
        As in :func:`disorder.numerics.ensemble.run_ensemble`.

    Returns
    -------
    ThreeCenterCoefficients
        Relative errors of 1e-4 with the default number of samples, at any xi.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Logarithms of the two shorter sides and the direction are uniform, so that every scale counts alike and
    the third side is never cut; energies are integrated in closed form (:func:`triangle_integrals`), the
    eight choices of signs are summed, and magnitudes and places are Sobol points with 32 independent
    scramblings, whose spread gives the errors. Cost: 0.4 microseconds per triangle.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.18), (2.21), (2.24)-(2.26).

    Examples
    --------
    >>> result = three_center_coefficients([5.0], "bimodal", samples=4096)
    >>> abs(result.bilinear[0] - 100) < 1
    np.True_
    """
    ratios = real_array("xi", xi, ndim=1, low=0.0, high=100.0, open_high=False)
    if not ratios.size:
        raise ValueError("xi must hold at least one number, got an empty array")
    law = coupling_distribution(distribution)
    samples = integer("samples", samples, low=1000, high=2**30)
    power = max(math.ceil(math.log2(samples / REPLICATES)), 1)
    parent = np.random.SeedSequence(integer("seed", seed, low=0))
    rows = []
    for child, ratio in zip(parent.spawn(ratios.size), ratios, strict=True):
        arguments = (float(ratio), law.name, power)
        rows.append(
            run_ensemble(
                _replicate, REPLICATES, seed=child, arguments=arguments, executor=executor, progress=False
            )
        )
    sample = np.array(rows)
    mean = sample.mean(axis=1)
    error = sample.std(axis=1, ddof=1) / math.sqrt(REPLICATES)
    return ThreeCenterCoefficients(ratios, *mean.T, *error.T)


@dataclass(frozen=True)
class LogarithmicFit:
    """Quadratic form in xi fitted to second-order coefficients.

    Attributes
    ----------
    names : tuple of str
        What the rows are: single, pair, triple, total, bilinear.
    values, errors : ndarray, shape (5, 3)
        Coefficients of xi^2, xi and 1, with standard errors. The first column multiplies (chi xi)^2.
    chi_square : ndarray, shape (5,)
        Sum of squared deviations in units of the errors.
    degrees : int
        Number of points minus 3.
    """

    names: tuple[str, ...]
    values: FloatArray
    errors: FloatArray
    chi_square: FloatArray
    degrees: int


def fit_logarithms(coefficients: ThreeCenterCoefficients) -> LogarithmicFit:
    """Fit c2 xi^2 + c1 xi + c0, the exact form up to terms exp(-xi), with the errors as weights.

    Parameters
    ----------
    coefficients : ThreeCenterCoefficients
        At 4 different xi at least, all of them 3 or more.

    Returns
    -------
    LogarithmicFit

    Raises
    ------
    TypeError, ValueError
        If the argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.24)-(2.26).

    Examples
    --------
    >>> fit = fit_logarithms(three_center_coefficients([5.0, 7.0, 9.0, 11.0], "bimodal", samples=4096))
    >>> abs(fit.values[2, 0] - 1.0) < 0.1
    np.True_
    """
    if not isinstance(coefficients, ThreeCenterCoefficients):
        raise TypeError(f"coefficients must be ThreeCenterCoefficients, got {type(coefficients).__name__}")
    xi = coefficients.xi
    if np.unique(xi).size < 4 or not (xi >= 3).all():
        raise ValueError(f"coefficients must hold 4 different xi of at least 3, got {xi}")
    powers = xi[:, None] ** np.array([2, 1, 0])
    values, errors, chi_square = [], [], []
    for name in NAMES:
        mean = getattr(coefficients, name)
        # A component may have no spread at all; round-off is its error then.
        error = np.maximum(getattr(coefficients, f"{name}_error"), 1e-13 * xi**2)
        left, singular, right = np.linalg.svd(powers / error[:, None], full_matrices=False)
        value = right.T @ ((left.T @ (mean / error)) / singular)
        values.append(value)
        errors.append(np.sqrt(((right.T / singular) ** 2).sum(axis=1)))
        chi_square.append(float((((mean - powers @ value) / error) ** 2).sum()))
    return LogarithmicFit(NAMES, np.array(values), np.array(errors), np.array(chi_square), xi.size - 3)
