"""Closed forms for b_km = 1: the plateau in ln Delta_0, its range, and what freezing leaves of it."""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exp1

from ..numerics.validation import FloatArray, ValidityWarning, broadcast, plain, real_array
from .frozen_clusters import ActiveClusters

# Squares and products of the arguments stay within the range of floats.
LARGEST = 1e100


def _arguments(t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike, **others: FloatArray) -> list[FloatArray]:
    return broadcast(
        t=real_array("t", t, low=0.0, high=LARGEST, open_low=False),
        log_scale=real_array("log_scale", log_scale, low=1 / LARGEST, high=LARGEST),
        chi=real_array("chi", chi, low=1 / LARGEST, high=LARGEST),
        **others,
    )


def plateau_scale(t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0) -> FloatArray | float:
    """The length |L~| of the plateau, per 1 + t; also the integral of |L| P(L, t) / P_0 without freezing.

    Parameters
    ----------
    t : array_like
        chi ln(R/R_min), 0 to 1e100.
    log_scale : array_like
        |L_*|, mean of |L| of the original centers, 1e-100 to 1e100.
    chi : array_like
        pi P_0 U_0, 1e-100 to 1e100.

    Returns
    -------
    ndarray or float
        Of the broadcast shape; negative once the unions have used up the amplitudes.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (5.16), (5.20).

    Examples
    --------
    >>> round(plateau_scale(4.0, 12.0), 6)
    9.571686
    """
    time, depth, coupling = _arguments(t, log_scale, chi)
    return plain(depth - 3 * (np.log1p(time) - time / (1 + time)) / coupling)


def plateau_distribution(
    log_amplitude: ArrayLike, t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0
) -> FloatArray | float:
    """The paper's exponential (1+t)^-2 / |L~| exp(-|L| / ((1+t)|L~|)), per P_0, without freezing.

    Parameters
    ----------
    log_amplitude : array_like
        L, -1e100 to 0.
    t, log_scale, chi : array_like
        As in :func:`plateau_scale`.

    Returns
    -------
    ndarray or float
        Of the broadcast shape. Its integral and its integral with |L| are exact.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or |L~| is not positive.

    Warns
    -----
    ValidityWarning
        If t > chi |L_*| / 3, where clusters have frozen that this formula still counts as active.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (5.17).

    Examples
    --------
    >>> round(plateau_distribution(-20.0, 2.0, 9.0), 6)
    0.00607
    """
    points = real_array("log_amplitude", log_amplitude, low=-LARGEST, high=0.0, open_high=False)
    time, depth, coupling, points = _arguments(t, log_scale, chi, log_amplitude=points)
    scale = np.asarray(plateau_scale(time, depth, coupling))
    if (scale <= 0).any():
        raise ValueError(f"t must be so small that |L~| is positive, got {time[scale <= 0].flat[0]!r}")
    if (time > coupling * depth / 3).any():
        warnings.warn(
            "Eq. (5.17) leaves out the freezing, which sets in at t = chi |L_*| / 3",
            ValidityWarning,
            stacklevel=2,
        )
    return plain(np.exp(points / (1 + time) / scale) / scale / (1 + time) / (1 + time))


def plateau_lifetime(log_scale: ArrayLike, chi: ArrayLike = 1.0) -> FloatArray | float:
    """The scale t_m = exp(chi |L_*| / 3) - 1 at which the plateau of the paper ends: its exact root.

    Parameters
    ----------
    log_scale, chi : array_like
        As in :func:`plateau_scale`; chi |L_*| / 3 below 700.

    Returns
    -------
    ndarray or float
        Of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (5.22), (5.23).

    Examples
    --------
    >>> round(plateau_lifetime(12.0), 6)
    53.59815
    """
    _, depth, coupling = _arguments(0.0, log_scale, chi)
    with np.errstate(over="ignore"):
        start = coupling * (depth / 3)
    if not (start < 700).all():
        raise ValueError(f"log_scale times chi / 3 must be below 700, got {start.max()!r}")
    return plain(np.expm1(start))


def final_plateau(log_amplitude: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0) -> FloatArray | float:
    """The paper's final exponential chi exp(-|L| / (3 xi)) / (3 t_m^2), xi = t_m / chi, per P_0.

    Parameters
    ----------
    log_amplitude : array_like
        L, -1e100 to 0.
    log_scale, chi : array_like
        As in :func:`plateau_lifetime`; chi |L_*| / 3 below 300.

    Returns
    -------
    ndarray or float
        Of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Warns
    -----
    ValidityWarning
        If |L| < 3 t_m / chi: all of these clusters have frozen earlier, see :func:`freezing_plateau`.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (5.24), (5.25).

    Examples
    --------
    >>> final_plateau(-200.0, 12.0) < 1 / 3 / plateau_lifetime(12.0)**2
    True
    """
    points = real_array("log_amplitude", log_amplitude, low=-LARGEST, high=0.0, open_high=False)
    _, depth, coupling, points = _arguments(0.0, log_scale, chi, log_amplitude=points)
    if not (depth / 3 < 300 / coupling).all():
        raise ValueError("log_scale times chi / 3 must be below 300")
    last = np.asarray(plateau_lifetime(depth, coupling))
    if (-points < 3 * last / coupling).any():
        warnings.warn(
            "Eq. (5.24) is used at |L| < 3 xi_max, where the clusters have frozen earlier",
            ValidityWarning,
            stacklevel=2,
        )
    return plain(coupling / 3 * np.exp(points * (coupling / 3) / last) / last / last)


def freezing_plateau(
    log_amplitude: ArrayLike, t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0
) -> FloatArray | float:
    """Plateau beyond |L| = 3 xi, and the 1/x^2 law of frozen clusters before it, to leading order, per P_0.

    Parameters
    ----------
    log_amplitude : array_like
        L, -1e100 to 0.
    t, log_scale, chi : array_like
        As in :func:`plateau_scale`; t below :func:`plateau_lifetime`.

    Returns
    -------
    ndarray or float
        With x = chi |L| / 3, s = min(x, t) and M(s) = chi |L_*| / 3 - ln(1 + s):
        (chi/3) exp(-(x - s) / ((1 + s) M)) / ((1 + s)^2 M). Relative corrections are of order 1/s and 1/M.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or t is not below the lifetime.

    Warns
    -----
    ValidityWarning
        If M(t) < 1: the logarithm is not large.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996): replaces Eqs. (5.17) and (5.25) where Eq. (4.15) is obeyed.

    Examples
    --------
    >>> round(freezing_plateau(-40.0, 5.0, 12.0), 7)
    0.0022355
    """
    points = real_array("log_amplitude", log_amplitude, low=-LARGEST, high=0.0, open_high=False)
    time, depth, coupling, points = _arguments(t, log_scale, chi, log_amplitude=points)
    x = -points * (coupling / 3)
    last = np.log1p(time) / (coupling / 3) / depth
    if (last >= 1).any():
        raise ValueError(f"t must be below exp(chi |L_*| / 3) - 1, got {time[last >= 1].flat[0]!r}")
    start = coupling / 3 * depth
    if (start - np.log1p(time) < 1).any():
        warnings.warn(
            "the law of frozen clusters needs chi |L_*| / 3 - ln(1 + t) > 1", ValidityWarning, stacklevel=2
        )
    seen = np.minimum(x, time)
    moment = start - np.log1p(seen)
    return plain(coupling / 3 * np.exp(-(x - seen) / (1 + seen) / moment) / moment / (1 + seen) / (1 + seen))


def _scaled_exp1(z: FloatArray) -> FloatArray:
    """exp(z) E_1(z) without overflow."""
    small = np.minimum(z, 60.0)
    series = np.ones_like(z)
    for k in range(24, 0, -1):
        series = 1 - k / np.maximum(z, 60.0) * series
    return np.where(z < 60.0, np.exp(small) * exp1(small), series / np.maximum(z, 60.0))


def _spent(t: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solve E_1(g) = E_1(x*) + t exp(-x*) / x* for g = x* - r by bisection: r and g.

    Below g = 1 the unknown is ln g, which may become very small, above it r, which may.
    """
    with np.errstate(divide="ignore"):
        target = np.logaddexp(np.log(_scaled_exp1(start)), np.log(t) - np.log(start))
    late = (start <= 1) | (target > np.log(_scaled_exp1(np.ones(1)))[0] + start - 1)
    low = np.where(late, -740.0, 0.0)
    high = np.where(late, np.minimum(np.log(start), 0.0), np.maximum(start - 1, 0.0))
    for _ in range(1100):
        middle = 0.5 * (low + high)
        if ((middle == low) | (middle == high)).all():
            break
        g = np.where(late, np.exp(np.minimum(middle, 0.0)), start - middle)
        too_late = np.log(_scaled_exp1(g)) + np.where(late, start - g, middle) > target
        up = too_late == late
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    g = np.where(late, np.exp(np.minimum(middle, 0.0)), start - middle)
    spent = np.where(late, np.maximum(start - g, 0.0), middle)
    return np.where(t == 0, 0.0, spent), np.where(t == 0, start, g)


def exponential_freezing(t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0) -> ActiveClusters:
    """Active and frozen clusters for b_km = 1 and an exponential distribution of |L|, in closed form.

    Parameters
    ----------
    t, log_scale, chi : array_like
        As in :func:`plateau_scale`.

    Returns
    -------
    ActiveClusters
        Of the broadcast shape; relative accuracy 1e-11.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The density of y = x - t stays an exponential A exp(-B y), with A = B^2 g, g = ln(B / B_inf),
    B_inf = exp(-x*) / x*, x* = chi |L_*| / 3 and E_1(g) = E_1(x*) + t B_inf.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.15), (5.1).

    Examples
    --------
    >>> round(exponential_freezing(3.0, 12.0).active, 6)
    0.202464
    """
    time, depth, coupling = _arguments(t, log_scale, chi)
    start = coupling * (depth / 3)
    spent, g = _spent(time, start)
    active = np.exp(-spent) * (g / start)
    # Frozen clusters are 1/x* - B, because dB/dt = -A.
    frozen = np.abs(np.expm1(-spent)) / start
    return ActiveClusters(plain(active), plain(frozen), plain(g))


def exponential_tunneling_distribution(
    log_amplitude: ArrayLike, t: ArrayLike, log_scale: ArrayLike, chi: ArrayLike = 1.0
) -> FloatArray | float:
    """P(L, t) with freezing for b_km = 1 and an exponential distribution of |L|, in closed form, per P_0.

    Parameters
    ----------
    log_amplitude : array_like
        L, -1e100 to 0.
    t, log_scale, chi : array_like
        As in :func:`plateau_scale`.

    Returns
    -------
    ndarray or float
        Of the broadcast shape; relative accuracy 1e-11.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (4.15).

    Examples
    --------
    >>> round(exponential_tunneling_distribution(-20.0, 2.0, 9.0), 5)
    0.00611
    """
    points = real_array("log_amplitude", log_amplitude, low=-LARGEST, high=0.0, open_high=False)
    time, depth, coupling, points = _arguments(t, log_scale, chi, log_amplitude=points)
    x, start = -points * (coupling / 3), coupling * (depth / 3)
    seen = np.minimum(x, time)
    spent, g = _spent(seen, start)
    rate = np.exp(-spent) / start
    decay = np.exp(-rate * np.minimum(x - seen, 800 / rate))
    return plain(coupling / 3 * rate * (rate * g) * decay)
