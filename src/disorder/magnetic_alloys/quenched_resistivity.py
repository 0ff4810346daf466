"""The resistivity G / ln^2(T/T_K) and its maximum, for any quenching factor G."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from ..numerics.validation import FloatArray, positive, real_array
from .clusters import Quenching


def virial_quenching(temperature: ArrayLike, coefficients: ArrayLike, form: str = "series") -> Quenching:
    """Quenching factor of an alloy from its virial coefficients.

    Parameters
    ----------
    temperature : array_like
        T / T_sg, positive.
    coefficients : array_like, shape (n,)
        b_1, b_2, ...; b_1 = -alpha_S.
    form : {"series", "pade"}
        The sum, or the quotient of two linear functions of T_sg/T with the same first two coefficients.

    Returns
    -------
    Quenching
        Factor and derivative by ln T, of the shape of `temperature`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above; "pade" needs two coefficients of opposite sign.

    Examples
    --------
    >>> float(virial_quenching(10.0, [-1.0]).factor)
    0.9
    """
    x = 1 / real_array("temperature", temperature, low=0.0)
    b = real_array("coefficients", coefficients, ndim=1)
    if b.size == 0:
        raise ValueError("coefficients must hold at least one number, got none")
    if form == "series":
        polynomial = np.polynomial.Polynomial([1.0, *b])
        return Quenching(np.asarray(polynomial(x)), np.asarray(-x * polynomial.deriv()(x)))
    if form != "pade":
        raise ValueError(f"form must be 'series' or 'pade', got {form!r}")
    if b.size != 2 or not b[0] * b[1] < 0:
        raise ValueError(f"coefficients must be two numbers of opposite sign for form 'pade', got {b}")
    pole = -b[1] / b[0]
    return Quenching(1 + b[0] * x / (1 + pole * x), -b[0] * x / (1 + pole * x) ** 2)


def stationary_concentration(temperature: ArrayLike, log_slope: ArrayLike) -> FloatArray:
    r"""T_sg/T_K for which the resistivity, proportional to G / ln^2(T/T_K), is stationary at a given T/T_sg.

    Parameters
    ----------
    temperature : array_like
        T / T_sg, positive.
    log_slope : array_like
        d ln G / d ln T there, positive.

    Returns
    -------
    ndarray
        exp(2 / log_slope) T_sg / T, broadcast; infinite beyond the range of floating-point numbers. A maximum
        where it increases with T, a minimum where it decreases.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> stationary_concentration(2.0, 1.0).round(4)
    np.float64(3.6945)
    """
    t = real_array("temperature", temperature, low=0.0)
    slope = real_array("log_slope", log_slope, low=0.0)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(2 / slope - np.log(t)))[()]


def quenched_maximum(temperature: ArrayLike, log_slope: ArrayLike, ratio: float) -> float | None:
    """Temperature of the highest maximum of G / ln^2(T/T_K) inside a table of d ln G / d ln T.

    Parameters
    ----------
    temperature : array_like, shape (t,)
        T / T_sg, increasing, all above T_K / T_sg; at least four.
    log_slope : array_like, shape (t,)
        d ln G / d ln T there.
    ratio : float
        T_sg / T_K, positive.

    Returns
    -------
    float or None
        T / T_sg of the maximum at the highest temperature, by cubic splines in ln T; None if the
        resistivity has no maximum inside the table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    The first order of the virial expansion:

    >>> t = np.geomspace(1.5, 50.0, 200)
    >>> position = quenched_maximum(t, 1.1048512 / (t - 1.1048512), 10.0)
    >>> round(position / (1 + np.log(10 * position) / 2), 6)
    np.float64(1.104851)
    """
    t = real_array("temperature", temperature, ndim=1, low=0.0)
    slope = real_array("log_slope", log_slope, ndim=1)
    ratio = positive("ratio", ratio)
    if t.size < 4 or slope.shape != t.shape or not (np.diff(t) > 0).all():
        raise ValueError(
            f"temperature must increase, have at least 4 entries and the shape of log_slope, got {t!r}"
        )
    if not t[0] * ratio > 1:
        raise ValueError(f"temperature must lie above T_K/T_sg = {1 / ratio:g}, got {t[0]:g}")
    balance = CubicSpline(np.log(t), slope - 2 / np.log(t * ratio))
    roots = balance.roots(extrapolate=False)
    maxima = roots[balance(roots, 1) < 0]
    return float(np.exp(maxima[-1])) if maxima.size else None
