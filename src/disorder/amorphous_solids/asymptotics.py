r"""Long renormalization times of clusters with b_km = sqrt(km): coefficients, limit and approach to it.

At fixed n the densities fall as P_n -> c_n/t. With g(s) = sum sqrt(n) c_n (1 - e^(-sn)) and
h(s) = sum c_n (1 - e^(-sn)) the stationary equation is g^2 = h. For small s, with lambda = ln(1/s) and
g = sqrt(s) X/(4 sqrt(pi)), it becomes X = mu(d/dlambda) X^2/2, an autonomous equation solved by a series in
1/X.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy.special import polygamma

from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError, integrate, logarithmic_edges
from ..numerics.validation import FloatArray, broadcast, plain, real_array
from .laplace_grid import LaplaceGrid, laplace_grid

RECURSION_SIZE = 10_000
LARGEST_SIZE = 1e15
GROWTH = 2 * math.log(2) - 1  # a of (6.21)
FORMS = ("6.20", "6.21", "limit")
ESTIMATES = ("self-similar", "mass", "6.17", "6.22", "6.22 printed")


@kernel
def _limit_recursion(first: float, size: int) -> FloatArray:
    c = np.zeros(size + 1)
    weighted = np.zeros(size + 1)
    c[1] = first
    weighted[1] = first
    for n in range(2, size + 1):
        total = 0.0
        for k in range(1, n):
            total += weighted[k] * weighted[n - k]
        c[n] = total / (np.sqrt(n) - 1)
        weighted[n] = np.sqrt(n) * c[n]
    return c


@dataclass(frozen=True)
class AsymptoticCoefficients:
    """Coefficients of (6.18), in closed form and by quadrature.

    Attributes
    ----------
    A, B, C : float
        0, 8 pi and 8 pi (2 ln 2 - 1).
    eta, a : float
        1/B = 1/(8 pi) of (6.20) and C/B = 2 ln 2 - 1 of (6.21).
    quadrature : tuple of float
        A, B, C from their integrals; the first integral of B is 2 int_1^oo ln x x^(-3/2) dx = 8.
    error : tuple of float
        Error estimates of `quadrature`.
    """

    A: float
    B: float
    C: float
    eta: float
    a: float
    quadrature: tuple[float, float, float]
    error: tuple[float, float, float]


@cache
def asymptotic_coefficients() -> AsymptoticCoefficients:
    """Coefficients A, B, C of the long-time equation (6.18), with eta and a that follow.

    Returns
    -------
    AsymptoticCoefficients
        Closed forms, accurate to round-off, and quadratures, accurate to 1e-12.

    Notes
    -----
    The integrals are derivatives of Euler's beta function at the arguments -1/2, -1/2, continued
    analytically: A = B(-1/2, -1/2) = 0, B = -2 d/da B(a, b) = 2 Gamma(-1/2)^2, C = d^2/(da db) B(a, b).
    Quadrature: x = y^2 near both ends removes the singularities; the range is folded at x = 1/2.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.18)-(6.21).

    Examples
    --------
    >>> coefficients = asymptotic_coefficients()
    >>> round(coefficients.B, 4), round(coefficients.C, 4)
    (25.1327, 9.7086)
    """
    edges = logarithmic_edges(1e-12, math.sqrt(0.5), 2)

    def integrands(y: FloatArray) -> FloatArray:
        square = y * y
        rest = np.log1p(-square)
        near, far = np.exp(-1.5 * rest), y**-3
        bracket = np.expm1(-1.5 * rest)
        a = 4 * y * (far - 1) * bracket
        b = 2 * y * (2 * np.log(y) * far * bracket + rest * near * (far - 1))
        c = 8 * y * np.log(y) * rest * far * near
        return np.stack((a, b, c), axis=-1)

    integral = integrate(integrands, edges, rtol=1e-13)
    a, b, c = (float(v) for v in integral.value)
    error = [float(v) for v in integral.error]
    # The elementary parts: -1 - 2 int_1^oo x^(-3/2) dx and 2 int_1^oo ln x x^(-3/2) dx.
    return AsymptoticCoefficients(
        A=0.0,
        B=8 * math.pi,
        C=8 * math.pi * GROWTH,
        eta=1 / (8 * math.pi),
        a=GROWTH,
        quadrature=(a - 1 - 4, 8 - 2 * b, c),
        error=(error[0], 2 * error[1], error[2]),
    )


@dataclass(frozen=True)
class _Stationary:
    grid: LaplaceGrid
    first: float  # c_1
    scaled: FloatArray  # X at the nodes
    offset: float  # ln(1/s) + offset = X - a ln X + O(1/X)


def _exponential(logarithm: FloatArray) -> FloatArray:
    """Taylor coefficients of exp(sum_k logarithm[k - 1] x^k)."""
    result = np.zeros(logarithm.size + 1)
    result[0] = 1.0
    for n in range(1, result.size):
        k = np.arange(1, n + 1)
        result[n] = (k * logarithm[:n]) @ result[n - 1 :: -1][:n] / n
    return result


def _operate(taylor: FloatArray, slope: FloatArray) -> FloatArray:
    """Coefficients of X^1, X^0, ... in sum_j taylor[j] D^(j+1) X^2 with D = slope(1/X) d/dX."""
    size = slope.size
    term = np.zeros(size)
    term[0] = 1.0
    result = np.zeros(size)
    for j in range(size):
        powers = 2 - j - np.arange(size)
        term = np.convolve(powers * term, slope)[:size]
        result[j:] += taylor[j] * term[: size - j]
    return result


@cache
def _series(order: int = 11) -> tuple[FloatArray, FloatArray]:
    """Coefficients in powers of 1/X of dX/dlambda and of G/X; c_n = G(ln n)/(8 pi n^2)."""
    k = np.arange(1, order + 1)
    factorial = np.cumprod(k.astype(np.float64))
    # The Taylor series of ln[x (1 - x)/Gamma(1 + x)] - ln x, and of ln Gamma(x - 1/2).
    inverse_gamma = -1.0 / k - polygamma(k - 1, 1.0) / factorial
    gamma = polygamma(k - 1, 0.5) / factorial + (-1.0) ** k * (-2.0) ** k / k
    mu, density = _exponential(inverse_gamma + gamma), _exponential(inverse_gamma)
    slope = np.zeros(order + 1)
    slope[0] = 1.0
    for _ in range(order + 1):
        residual = -_operate(mu, slope) / 2
        residual[0] += 1
        slope = slope + residual
    return slope, _operate(density, slope) / 2


@cache
def _stationary() -> _Stationary:
    """Solve g^2 = h as 2 g g' = W g' for g', where W is the half integral, by Newton's method."""
    edges = np.arange(np.log(45.0), np.log(1e-26), -1.0)[::-1]
    grid = laplace_grid(edges, 16, 1.0)
    s, first_edge = grid.s, float(np.exp(edges[0]))
    # Below the grid g = sqrt(s) X/(4 sqrt(pi)), so that g = 2 s g'/(1 - 2 X'/X); above it g' falls as
    # exp(-s).
    scaled = -edges[0] + GROWTH * math.log(-edges[0])
    below = first_edge / (0.5 - (1 + GROWTH / scaled) / scaled)
    integral, total = grid.integral.copy(), grid.total.copy()
    integral[:, 0] += below
    total[0] += below
    total[-1] += math.exp(-math.exp(edges[-1]))
    values = 0.125 + 0.07 * (np.log1p(1 / s) + 1.5) / np.sqrt(s) * np.exp(-s)
    for _ in range(30):
        g = integral @ values
        half = grid.half_integral @ values
        residual = 2 * g * values - half
        jacobian = (2 * values[:, None] * integral - grid.half_integral) * values
        np.einsum("ii->i", jacobian)[:] += 2 * g * values
        # The equation at the last node only fixes the decay of g'; g(oo) = 1/2 takes its place.
        residual[-1], jacobian[-1] = total @ values - 0.5, total * values
        scale = np.abs(jacobian).max(axis=1)
        step = np.linalg.solve(jacobian / scale[:, None], -residual / scale)
        change = float(np.abs(step).max())
        values = values * (1 + step * min(1.0, 0.7 / change))
        if change < 1e-11:
            break
    else:
        raise ConvergenceError(f"the stationary equation did not converge: last step {change:.1e}")
    scaled_g = integral @ values * 4 * math.sqrt(math.pi) / np.sqrt(s)
    slope, _ = _series()
    node = int(np.searchsorted(s, math.exp(-36.0)))
    time = _reciprocal(slope)
    x = float(scaled_g[node])
    k = np.arange(2, time.size)
    offset = x - GROWTH * math.log(x) - float(time[2:] @ (x ** (1.0 - k) / (k - 1))) + math.log(s[node])
    return _Stationary(grid, float(values[-1]), scaled_g, offset)


def _reciprocal(series: FloatArray) -> FloatArray:
    """Coefficients of one over a power series that begins with 1."""
    result = np.zeros(series.size)
    result[0] = 1.0
    for n in range(1, series.size):
        result[n] = -series[1 : n + 1] @ result[n - 1 :: -1][:n]
    return result


def _invert(sizes: FloatArray) -> FloatArray:
    """c_n from h on Talbot's contour; ln h is continued off the real axis by a polynomial in ln s."""
    solution = _stationary()
    degree, nodes, width = 36, 24, 5.0
    angle = np.pi * (2 * np.arange(nodes // 2) + 1) / nodes
    tangent = np.tan(0.6407 * angle)
    y = nodes * (-0.6122 + 0.5017 * angle / tangent + 0.2645j * angle)
    weight = nodes * (0.5017 / tangent - 0.5017 * 0.6407 * angle * (1 + 1 / tangent**2) + 0.2645j)
    points = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    result = np.empty(sizes.size)
    for i, n in enumerate(sizes):
        x = solution.grid.row(width * points - math.log(n)) @ solution.scaled
        fit = chebyshev.chebfit(points, x * x / (16 * np.pi), degree)
        h = y * chebyshev.chebval(np.log(y) / width, fit)
        result[i] = -(h * np.exp(y) * weight).imag.sum() * 2 / nodes / n**2
    return result


@cache
def _limit_table() -> FloatArray:
    return _limit_recursion(_stationary().first, RECURSION_SIZE)


def _sizes(value: ArrayLike) -> FloatArray:
    sizes = real_array("n", value, low=1.0, high=LARGEST_SIZE, open_low=False, open_high=False)
    if (sizes != np.round(sizes)).any():
        raise ValueError(f"n must be whole numbers, got {value!r}")
    return sizes


def large_time_limit(n: ArrayLike) -> FloatArray | float:
    r"""Limit c_n of t P_n(t) for t to infinity at fixed n, for b_km = sqrt(km).

    Parameters
    ----------
    n : array_like
        Number of centres, whole, 1 to 1e15.

    Returns
    -------
    float or ndarray
        Of the shape of `n`, positive; relative accuracy 1e-13 n up to n = 1e4 and 5e-9 beyond.

    Raises
    ------
    TypeError, ValueError
        If `n` is not as above.

    Notes
    -----
    (sqrt(n) - 1) c_n = sum_k sqrt(k (n-k)) c_k c_(n-k) fixes all c_n by c_1, and sum sqrt(n) c_n = 1/2
    fixes c_1. That sum converges as ln N/sqrt(N), so c_1 is found from the generating functions: g' and its
    half integral h' obey 2 g g' = h', an equation with positive terms, solved on a logarithmic grid of s by
    Newton's method. Up to n = 1e4 the recursion follows; beyond, h is inverted on Talbot's contour.
    Cost: about a second and 100 MB at the first call, microseconds afterwards (0.2 ms for each n above 1e4).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.3), (6.13).

    Examples
    --------
    >>> round(large_time_limit(1), 10)
    0.1276840379
    """
    sizes = _sizes(n)
    flat = sizes.ravel()
    small = flat <= RECURSION_SIZE
    result = np.empty(flat.size)
    result[small] = _limit_table()[flat[small].astype(np.int64)]
    result[~small] = _invert(flat[~small])
    return plain(result.reshape(sizes.shape))


def large_time_offset() -> float:
    """Constant kappa in 8 pi n^2 t P_n = ln n + a ln ln n + kappa + ..., at fixed n and t to infinity.

    Returns
    -------
    float
        Accurate to 1e-8.

    Notes
    -----
    The logarithms belong to a = 2 ln 2 - 1 as in (6.21), and the series proceeds in powers of ln ln n/ln n.
    In the implicit form G - a ln G = ln n + kappa + O(1/ln n), with G = 8 pi n^2 c_n, the logarithms do not
    appear. The constant carries all that the limit remembers of the smallest clusters.

    Examples
    --------
    >>> round(large_time_offset(), 7)
    2.6542982
    """
    return _stationary().offset + float(_series()[1][1])


def quasi_stationary_density(n: ArrayLike, t: ArrayLike, form: str = "limit") -> FloatArray | float:
    r"""Density P_n(t)/P_0 behind the front, G/(8 pi n^2 t), with one of three forms of G.

    Parameters
    ----------
    n : array_like
        Number of centres, whole, 1 to 1e15.
    t : array_like
        chi xi, positive, at least 1e-100; broadcasts against `n`.
    form : {"limit", "6.20", "6.21"}
        G = ln n (6.20); G = ln n + a ln t (6.21); or the solution of G - a ln G = ln n + kappa, which the
        flow approaches at fixed n with a relative error of order 1/ln(n)^2.

    Returns
    -------
    float or ndarray
        Broadcast shape. The form (6.21) is negative for n t^a < 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.20), (6.21).

    Examples
    --------
    >>> round(quasi_stationary_density(1000, 100.0) / large_time_limit(1000) * 100, 1)
    1.0
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {FORMS}, got {form!r}")
    sizes, times = broadcast(n=_sizes(n), t=real_array("t", t, low=1e-100, open_low=False))
    logarithm = np.log(sizes)
    if form == "6.20":
        growth = logarithm
    elif form == "6.21":
        growth = logarithm + GROWTH * np.log(times)
    else:
        target = logarithm + large_time_offset()
        growth = target + GROWTH * np.log(target)
        for _ in range(60):  # a contraction by a/G < 0.15
            growth = target + GROWTH * np.log(growth)
    with np.errstate(under="ignore"):
        return plain(growth / (8 * np.pi) / sizes / sizes / times)


def log_limiting_size(t: ArrayLike, estimate: str = "self-similar") -> FloatArray | float:
    r"""Logarithm ln n_max(t) of the size at which the front stands, by several estimates.

    Parameters
    ----------
    t : array_like
        chi xi, positive, at least 1e-100.
    estimate : {"self-similar", "mass", "6.17", "6.22", "6.22 printed"}
        "mass": L = sqrt(16 pi t), from (6.16) with alpha = 1 and eta = 1/(8 pi). "6.22": sqrt(50 t), the
        same with rounded numbers; "6.22 printed": sqrt(50) t, as the formula stands. "6.17": sqrt(32 t).
        "self-similar": L - a ln L - kappa_0, the scale N of the travelling front, exact up to terms that
        vanish for t to infinity.

    Returns
    -------
    float or ndarray
        Of the shape of `t`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.16), (6.17), (6.22).

    Examples
    --------
    >>> round(log_limiting_size(2.0, "6.22"), 9)
    10.0
    """
    if estimate not in ESTIMATES:
        raise ValueError(f"estimate must be one of {ESTIMATES}, got {estimate!r}")
    times = real_array("t", t, low=1e-100, open_low=False)
    if estimate == "6.17":
        return plain(np.sqrt(32.0) * np.sqrt(times))
    if estimate == "6.22":
        return plain(np.sqrt(50.0) * np.sqrt(times))
    if estimate == "6.22 printed":
        return plain(np.sqrt(50.0) * times)
    length = np.sqrt(16 * np.pi) * np.sqrt(times)
    if estimate == "mass":
        return plain(length)
    return plain(length - GROWTH * np.log(length) - _stationary().offset)
