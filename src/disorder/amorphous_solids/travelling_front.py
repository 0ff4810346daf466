r"""The travelling front of the square-root kernel: the self-similar attractor of (6.3) at large sizes.

With L = sqrt(16 pi t) and the scale N(t) of `log_limiting_size` the front is P_n = S(n/N)/(L N^2), x^2 S ->
2 for x -> 0. Its transform k(p) = int S (e^(-px) - 1 + px) dx obeys 8 pi (p k' - k) = gamma^2, where gamma'
is the half integral of k''; k = 2 p ln p for p -> oo. No parameter is left.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, plain, real_array, real_scalar
from .asymptotics import log_limiting_size
from .laplace_grid import LaplaceGrid, laplace_grid


@dataclass(frozen=True)
class _Front:
    grid: LaplaceGrid
    curvature: FloatArray  # k'' at the nodes, on the scale where it is 1 for p -> 0
    log_scale: float  # ln of the factor that brings p to the scale of N
    mismatch: float  # relative deviation of p k'' from 2 at the upper end


@cache
def _front() -> _Front:
    """Newton's method for k'' on a logarithmic grid; the coefficient of the tail is an unknown as well."""
    edges = math.log(1e-9) + 1.5 * np.arange(76.0)
    grid = laplace_grid(edges, 14, 0.0)
    p = grid.s
    tail = 4 / np.sqrt(np.pi * p) * np.arcsin(np.sqrt(p / math.exp(edges[-1])))
    integral = grid.integral.copy()
    integral[:, 0] += math.exp(edges[0])
    twice, tail_twice = integral @ grid.half_integral, integral @ tail
    curvature, strength, size = 2 / (2 + p), 1.0, p.size
    jacobian = np.zeros((size + 1, size + 1))
    for _ in range(60):
        slope = grid.half_integral @ curvature + strength * tail
        gamma = integral @ slope
        residual = np.append(4 * np.pi * p * curvature - gamma * slope, curvature[0] - 1)
        block = -gamma[:, None] * grid.half_integral - slope[:, None] * twice
        np.einsum("ii->i", block)[:] += 4 * np.pi * p
        jacobian[:size, :size] = block * curvature
        jacobian[:size, size] = -gamma * tail - slope * tail_twice
        jacobian[size, 0] = curvature[0]
        scale = np.abs(jacobian).max(axis=1)
        step = np.linalg.solve(jacobian / scale[:, None], -residual / scale)
        change = float(np.abs(step).max())
        factor = min(1.0, 0.5 / change)
        curvature = curvature * (1 + factor * step[:size])
        strength += factor * float(step[size])
        if change < 1e-10:
            break
    else:
        raise ConvergenceError(f"the equation of the front did not converge: last step {change:.1e}")
    if not abs(strength - 1) < 1e-5:
        raise ConvergenceError(
            f"the front does not join the plateau: p k''/2 = {strength:g} at the last node"
        )
    # k = 2 p (ln p + c), hence k'/2 = ln p + c + 1.
    constant = float((integral @ curvature)[-1] / 2 - np.log(p[-1]) - 1)
    return _Front(grid, curvature, -constant, strength - 1)


def front_transform(p: ArrayLike) -> FloatArray | float:
    """Laplace transform of x^2 S(x), the curvature k''(p) of the front.

    Parameters
    ----------
    p : array_like
        Variable conjugate to x = n/N, from 1e-8 to 1e30.

    Returns
    -------
    float or ndarray
        Of the shape of `p`; 2/p for large p, a finite value for small p. Relative accuracy 1e-6.

    Raises
    ------
    TypeError, ValueError
        If `p` is not as above.

    Notes
    -----
    Newton's method on 1050 nodes in ln p, about two seconds at the first call. The solution
    joins the plateau with oscillations in ln p, damped as p^-0.17, of period 10.7.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.3), (6.22).

    Examples
    --------
    >>> round(front_transform(1e-6), 4)
    0.5704
    """
    points = real_array("p", p, low=1e-8, high=1e30, open_low=False, open_high=False)
    front = _front()
    rows = front.grid.row(np.log(points.ravel()) + front.log_scale)
    values = math.exp(front.log_scale) * (rows @ front.curvature)
    return plain(values.reshape(points.shape))


def front_profile(x: ArrayLike) -> FloatArray | float:
    r"""Shape x^2 S(x) of the travelling front; behind it the value is 2.

    Parameters
    ----------
    x : array_like
        Size n in units of N(t), from 1e-20 to 100.

    Returns
    -------
    float or ndarray
        Of the shape of `x`; absolute accuracy 1e-3 (1e-6 for x below 1e-3).

    Raises
    ------
    TypeError, ValueError
        If `x` is not as above.

    Notes
    -----
    Inversion of :func:`front_transform` on Talbot's contour, where p k'' is continued off the real axis by
    a polynomial in ln p.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.3), (6.13), (6.22).

    Examples
    --------
    >>> round(front_profile(1e-12), 2)
    2.01
    """
    sizes = real_array("x", x, low=1e-20, high=100.0, open_low=False, open_high=False)
    front = _front()
    degree, nodes, width = 36, 20, 5.0
    angle = np.pi * (2 * np.arange(nodes // 2) + 1) / nodes
    tangent = np.tan(0.6407 * angle)
    y = nodes * (-0.6122 + 0.5017 * angle / tangent + 0.2645j * angle)
    weight = nodes * (0.5017 / tangent - 0.5017 * 0.6407 * angle * (1 + 1 / tangent**2) + 0.2645j)
    points = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    result = np.empty(sizes.size)
    for i, value in enumerate(sizes.ravel()):
        log_p = width * points - math.log(value)
        transform = front.grid.row(log_p + front.log_scale) @ front.curvature
        fit = chebyshev.chebfit(points, transform * np.exp(log_p + front.log_scale), degree)
        product = chebyshev.chebval(np.log(y) / width, fit) / y
        result[i] = (product * np.exp(y) * weight).imag.sum() * 2 / nodes
    return plain(result.reshape(sizes.shape))


def log_front_moment(t: ArrayLike, order: float) -> FloatArray | float:
    r"""Logarithm of I_m(t) = sum n^m P_n for m = 2 or 3/2 from the travelling front.

    Parameters
    ----------
    t : array_like
        chi xi, at least 1e-3.
    order : {1.5, 2.0}
        m, above one; the front carries these moments.

    Returns
    -------
    float or ndarray
        ln I_m, of the shape of `t`; the error vanishes as 1/sqrt(t) for t to infinity.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    I_2 = N k''(0)/L, and (6.9) gives I_3/2 from it: I_3/2 = sqrt(N) gamma'(0)/L with gamma'(0)^2 = 4 pi
    k''(0).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (6.9).

    Examples
    --------
    >>> log_front_moment(100.0, 2.0) > log_front_moment(10.0, 2.0)
    True
    """
    times = real_array("t", t, low=1e-3, open_low=False)
    power = real_scalar("order", order)
    if power not in (1.5, 2.0):
        raise ValueError(f"order must be 1.5 or 2, got {order!r}")
    length, size = math.sqrt(16 * math.pi) * np.sqrt(times), np.asarray(log_limiting_size(times))
    curvature = float(front_transform(1e-8))
    if power == 2.0:
        return plain(size + math.log(curvature) - np.log(length))
    return plain(size / 2 + math.log(4 * math.pi * curvature) / 2 - np.log(length))
