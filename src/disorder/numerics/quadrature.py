"""Gauss rules on panels, with error estimates, and the kernels that sum them."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .validation import FloatArray, integer, positive, real_array

Integrand = Callable[[FloatArray], NDArray[np.float64]]


class ConvergenceError(RuntimeError):
    """A computation did not reach the tolerance that was asked for."""


@cache
def _legendre(order: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(order)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights


def panel_rule(edges: ArrayLike, order: int = 16) -> tuple[FloatArray, FloatArray]:
    """Composite Gauss-Legendre rule: `order` nodes on each panel between neighbouring `edges`.

    Parameters
    ----------
    edges : array_like, shape (n + 1,)
        Strictly increasing panel ends.
    order : int, 1 to 200
        Nodes per panel.

    Returns
    -------
    nodes, weights : ndarray, shape (n * order,)
        Increasing nodes strictly inside the panels, and their positive weights. Exact on each panel for
        polynomials of degree ``2 * order - 1``.

    Raises
    ------
    TypeError, ValueError
        If `edges` are not finite, increasing and one-dimensional, or `order` is out of range.

    Examples
    --------
    >>> nodes, weights = panel_rule([0.0, 1.0, 3.0], order=4)
    >>> round(float(weights @ nodes**2), 12)
    9.0
    """
    ends = real_array("edges", edges, ndim=1)
    if ends.size < 2 or not (np.diff(ends) > 0).all():
        raise ValueError(f"edges must be at least two strictly increasing numbers, got {edges!r}")
    abscissae, weights = _legendre(integer("order", order, low=1, high=200))
    half = np.diff(ends)[:, None] / 2
    centre = (ends[1:] + ends[:-1])[:, None] / 2
    return (centre + half * abscissae).ravel(), (half * weights).ravel()


def logarithmic_edges(smallest: float, largest: float, per_decade: int = 3) -> FloatArray:
    """Panel ends 0, `smallest`, ..., `largest`, equally spaced in the logarithm above `smallest`.

    Parameters
    ----------
    smallest, largest : float
        Positive, `smallest` below `largest`.
    per_decade : int
        Panels per decade, at least 1.

    Returns
    -------
    ndarray
        Increasing; the first entry is 0.

    Raises
    ------
    TypeError, ValueError
        If the ends are not positive and increasing or `per_decade` is below 1.

    Examples
    --------
    >>> logarithmic_edges(0.1, 10.0, per_decade=1)
    array([ 0. ,  0.1,  1. , 10. ])
    """
    low, high = positive("smallest", smallest), positive("largest", largest)
    if low >= high:
        raise ValueError(f"smallest must lie below largest = {high:g}, got {low:g}")
    count = math.ceil(integer("per_decade", per_decade, low=1) * math.log10(high / low))
    return np.concatenate(([0.0], np.geomspace(low, high, max(count, 1) + 1)))


@dataclass(frozen=True)
class Integral:
    """Value of an integral (or of many at once) with its error estimate.

    Attributes
    ----------
    value, error : ndarray
        Same shape; `error` estimates the absolute error, entry by entry.
    evaluations : int
        Number of abscissae at which the integrand was evaluated.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    evaluations: int


def integrate(
    integrand: Integrand,
    edges: ArrayLike,
    *,
    rtol: float = 1e-12,
    atol: float = 0.0,
    order: int = 12,
    max_panels: int = 20_000,
) -> Integral:
    """Adaptive panel quadrature of one or many integrands that share their panels.

    All panels that have not converged are halved together, so that the integrand sees long arrays.

    Parameters
    ----------
    integrand : callable
        Maps abscissae of shape (n,) to values of shape (n,) or (n, ...).
    edges : array_like, shape (m,)
        Increasing ends of the first panels; put them where the integrand changes its form. Structure much
        narrower than a panel can lie between all its nodes: around a step of width T, place edges at several
        distances (2, 6, 16, 40 T).
    rtol, atol : float
        Each integral is accepted when its error estimate is below ``max(atol, rtol * sum of |panels|)``.
    order : int
        Gauss nodes per panel.
    max_panels : int
        Panels after which the search gives up.

    Returns
    -------
    Integral
        The error is the sum over panels of the difference between a panel and its two halves, which
        overestimates the error of the halves by many orders for a smooth integrand.

    Raises
    ------
    ConvergenceError
        If the tolerance is not reached within `max_panels`.
    ValueError
        If the integrand is not finite at a node.

    Examples
    --------
    >>> result = integrate(lambda x: np.exp(-x), [0.0, 1.0, 40.0])
    >>> abs(float(result.value) - 1.0) < 1e-13
    True
    """
    ends = real_array("edges", edges, ndim=1)
    if ends.size < 2 or not (np.diff(ends) > 0).all():
        raise ValueError(f"edges must be at least two strictly increasing numbers, got {edges!r}")
    abscissae, weights = _legendre(integer("order", order, low=2, high=200))
    evaluations = 0

    def panels(low: FloatArray, high: FloatArray) -> NDArray[np.float64]:
        nonlocal evaluations
        half = (high - low) / 2
        points = ((high + low) / 2)[:, None] + half[:, None] * abscissae
        values = np.asarray(integrand(points.ravel()), dtype=np.float64)
        evaluations += points.size
        if not np.isfinite(values).all():
            raise ValueError("integrand must be finite inside the panels")
        values = values.reshape(points.shape + values.shape[1:])
        sums: NDArray[np.float64] = np.einsum("pn...,n,p->p...", values, weights, half)
        return sums

    low, high = ends[:-1], ends[1:]
    coarse = panels(low, high)
    total = np.zeros(coarse.shape[1:])
    error = np.zeros_like(total)
    scale = np.abs(coarse).sum(axis=0)
    width = ends[-1] - ends[0]
    count = low.size
    while low.size:
        middle = (low + high) / 2
        left, right = panels(low, middle), panels(middle, high)
        fine = left + right
        difference = np.abs(fine - coarse)
        scale = np.maximum(scale, np.abs(total) + np.abs(fine).sum(axis=0))
        allowed = np.maximum(atol, rtol * scale)
        share = ((high - low) / width).reshape((-1,) + (1,) * (fine.ndim - 1))
        # A panel passes on its share of the tolerance, or where halving shows nothing but round-off.
        roundoff = 16 * np.finfo(float).eps * (np.abs(left) + np.abs(right) + np.abs(coarse))
        accepted = (difference <= np.maximum(allowed * np.maximum(share, 1e-3), roundoff)) | (difference <= 0)
        done = accepted.reshape(low.size, -1).all(axis=1)
        # Halving below the spacing of floating-point numbers cannot help.
        done |= (middle - low) <= 4 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
        total = total + fine[done].sum(axis=0)
        error = error + difference[done].sum(axis=0)
        count += int((~done).sum())
        if count > max_panels:
            raise ConvergenceError(
                f"quadrature did not converge within max_panels = {max_panels}: "
                f"{int((~done).sum())} panels left, error about {float(np.max(difference[~done])):.1e}"
            )
        low, middle, high = low[~done], middle[~done], high[~done]
        coarse = np.concatenate((left[~done], right[~done]))
        low, high = np.concatenate((low, middle)), np.concatenate((middle, high))
    if (error > 10 * np.maximum(atol, rtol * np.maximum(scale, np.abs(total))) + 1e-300).any():
        warnings.warn(
            f"quadrature error estimate {float(np.max(error)):.1e} exceeds the tolerance", stacklevel=2
        )
    return Integral(total, error, evaluations)
