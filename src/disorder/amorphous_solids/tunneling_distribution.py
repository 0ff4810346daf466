"""Distribution of the tunneling amplitudes of clusters for b_km = 1, exact and approximate."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import exp1

from ..numerics.quadrature import ConvergenceError, panel_rule
from ..numerics.validation import (
    FloatArray,
    broadcast,
    plain,
    real_array,
    real_scalar,
)
from .frozen_clusters import extrapolate, probes, reduce
from .initial_amplitudes import ComplexArray, InitialAmplitudes

SMOOTHING = 6
LONGEST = 1e6


def _union_moments(s: ComplexArray, t: float) -> ComplexArray:
    """Integral of exp(s y) / (1 + y)^2 over 0 < y < t by quadrature, for a few moderate s."""
    edges = np.linspace(0.0, math.log1p(t), 2 + math.ceil(6 * math.log1p(t)))
    nodes, weights = panel_rule(edges, 24)
    return np.asarray(np.exp(np.multiply.outer(s, np.expm1(nodes))) @ (weights * np.exp(-nodes)))


def _union_transform(q: FloatArray, t: float) -> ComplexArray:
    """The same integral for s = i q, real q, by the exponential integral."""
    z = -1j * np.where(q == 0, 1.0, q)
    closed = 1 - np.exp(-z * t) / (1 + t) - z * np.exp(z) * (exp1(z) - exp1(z * (1 + t)))
    return np.asarray(np.where(q == 0, t / (1 + t), closed))


@dataclass(frozen=True)
class _Pole:
    """Real pole at s = -rate of the Laplace transform in x, and the density amplitude exp(-rate x)."""

    rate: float
    amplitude: float


def _real_pole(initial: InitialAmplitudes, scale: float, t: float, side: int) -> _Pole | None:
    """Pole behind the tail at large x (side 1) or at negative x (side -1); None where it is too far."""

    def product(s: ComplexArray) -> ComplexArray:
        return initial.transform(s * scale) * _union_moments(s, t)

    def excess(rate: float) -> float:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            value = float(product(np.array([-side * rate + 0j]))[0].real)
        return math.log(value) if 0 < value < math.inf else math.inf

    mean = initial.mean * scale
    limit = min(400 / mean, 600 / (1 + t) if side < 0 else math.inf)
    ceiling = initial.abscissa / scale if side > 0 else math.inf
    upper = min(1e-3 / (mean * (1 + t)), 0.5 * ceiling)
    while excess(upper) <= 0:
        upper = 2 * upper if 2 * upper < ceiling else 0.5 * (upper + ceiling)
        if upper > limit or ceiling - upper < 1e-12 * ceiling:
            return None
    rate = float(brentq(excess, 0.0, upper, xtol=1e-300, rtol=1e-14))
    # Derivative of the product by Cauchy's formula on a circle inside the domain of analyticity.
    radius = 0.4 * min(rate, ceiling - rate, 1 / (1 + t) if side < 0 else math.inf)
    turns = np.exp(2j * math.pi * np.arange(48) / 48)
    slope = float((product(-side * rate + radius * turns) / turns).mean().real) / radius
    single = float(initial.transform(np.array([-side * rate * scale + 0j]))[0].real)
    return _Pole(rate, single / abs(slope) / (1 + t) ** 2)


@lru_cache(maxsize=32)
def _tails(initial: InitialAmplitudes, scale: float, t: float) -> list[tuple[int, _Pole]]:
    poles = [(side, _real_pole(initial, scale, t, side)) for side in (1, -1)]
    return [(side, pole) for side, pole in poles if pole is not None]


@lru_cache(maxsize=32)
def _cluster_spline(
    initial: InitialAmplitudes, scale: float, t: float, extent: float, points: int
) -> tuple[CubicSpline, float]:
    """Clusters of two and more on a periodic grid of x, less the tails of the two real poles.

    The second value is the largest one at the ends of the grid.
    """
    spacing = 2 * extent / points
    q = np.asarray(np.arange(points // 2 + 1) * (math.pi / extent), dtype=np.float64)
    single, union = initial.transform(np.asarray(1j * q * scale)), _union_transform(q, t)
    spectrum = single**2 * union / (1 - single * union) / (1 + t) ** 2
    onset = 2 / (initial.mean * scale)
    for side, pole in _tails(initial, scale, t):
        term = np.full(q.shape, pole.amplitude, dtype=complex)
        for j in range(SMOOTHING + 1):
            term *= (j * onset if j else 1.0) / (pole.rate + j * onset + side * 1j * q)
        spectrum -= term
    values = np.roll(fft.irfft(spectrum, points), points // 2) / spacing
    edge = float(np.abs(np.concatenate((values[:8], values[-8:]))).max())
    return CubicSpline((np.arange(points) - points // 2) * spacing, values), edge


def _without_freezing(
    initial: InitialAmplitudes, chi: float, t: float, depth: FloatArray, rtol: float
) -> FloatArray:
    """The solution by Fourier inversion, per unit of x = chi |L| / 3."""
    scale = chi / 3
    if t > LONGEST:
        raise ValueError(f"t must be at most {LONGEST:g} without freezing, got {t!r}")
    if t == 0:
        return np.asarray(initial.density(-depth / scale) / scale)
    mean, deviation = initial.mean * scale, initial.deviation * scale
    extent = 12 * (mean + min(t, 4 * mean))
    asked = np.concatenate((probes(mean, t), depth))
    count = asked.size - depth.size
    singles = initial.density(-asked / scale) / scale / (1 + t) ** 2
    points = 1 << math.ceil(math.log2(extent / min(0.1 * deviation, 0.05 * mean)))
    previous: FloatArray | None = None
    change = scale_of_values = math.inf
    while points <= 1 << 21:
        spline, edge = _cluster_spline(initial, scale, t, extent, points)
        inside = np.abs(asked) < extent
        clusters = np.where(inside, spline(np.clip(asked, -extent, extent)), 0.0)
        for side, pole in _tails(initial, scale, t):
            outward = np.maximum(side * asked, 0.0)
            smooth = (-np.expm1(-2 / mean * outward)) ** SMOOTHING
            clusters += pole.amplitude * np.exp(-pole.rate * outward) * smooth
        total = singles + np.maximum(clusters, 0.0)
        scale_of_values = float(total[:count].max())
        if edge > 0.1 * rtol * scale_of_values:
            extent, points, previous = 2 * extent, 2 * points, None
            continue
        if previous is not None:
            change = float(np.quantile(np.abs(total - previous)[:count], 0.9))
            if change <= rtol * scale_of_values:
                return total[count:]
        previous, points = total, 2 * points
    raise ConvergenceError(
        f"rtol = {rtol:g} was not reached at t = {t:g} on {points // 2} points: the last change is "
        f"{change:.1e} against {scale_of_values:.1e}"
    )


def tunneling_distribution(
    log_amplitude: ArrayLike,
    t: ArrayLike,
    initial: InitialAmplitudes,
    chi: float = 1.0,
    *,
    freezing: bool = True,
    rtol: float = 1e-3,
) -> FloatArray | float:
    """Density of L = ln(Delta_0/W) of all clusters, P(L, t) per P_0, for b_km = 1.

    Parameters
    ----------
    log_amplitude : array_like
        L, any real number (physically negative).
    t : array_like
        chi ln(R/R_min), 0 or larger (at most 1e6 without freezing); broadcast against `log_amplitude`.
    initial : InitialAmplitudes
        Distribution of |L| of the original centers, normalised to 1.
    chi : float
        pi P_0 U_0, positive; chi times the mean of |L| / 3 between 1e-9 and 1e4.
    freezing : bool
        With the theta functions of the generalised equation (the default), or without.
    rtol : float
        Allowed change under the last refinement at nine tenths of a set of probe points, relative to the
        largest density at the same t.

    Returns
    -------
    ndarray or float
        Of the broadcast shape. The extrapolated result is usually ten times better than `rtol`; at a kink
        of the distribution convergence is slower.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    ConvergenceError
        If `rtol` was not reached.

    Notes
    -----
    With x = chi |L| / 3 a union has x = x_1 + x_2 - t. With freezing, y = x - t is used: unions add, every
    cluster drifts with velocity -1 and is frozen at y = 0; drift and unions alternate, each exact, on a grid
    that coarsens as t grows (0.1 s per t). Without freezing the Fourier transform is inverted after the
    tails of its two real poles are taken out (0.1 s per t).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.15), (5.10)-(5.13).

    Examples
    --------
    >>> from disorder.amorphous_solids import GammaAmplitudes
    >>> round(tunneling_distribution(-20.0, 2.0, GammaAmplitudes(9.0)), 5)
    0.00611
    """
    points, times = broadcast(
        log_amplitude=real_array("log_amplitude", log_amplitude),
        t=real_array("t", t, low=0.0, open_low=False),
    )
    depths = reduce(points, initial, chi)
    chi, rtol = float(chi), real_scalar("rtol", rtol, low=0.0)
    if not isinstance(freezing, bool | np.bool_):
        raise TypeError(f"freezing must be True or False, got {freezing!r}")
    result = np.empty(points.shape)
    for time in np.unique(times):
        chosen = times == time
        depth = depths[chosen]
        # Freezing changes the active part by terms of order t^2 / x*: 1e-7 here.
        early = time <= 3e-4 * math.sqrt(initial.mean * chi / 3)
        if freezing and not early:
            values = extrapolate(initial, chi, float(time), depth, rtol)
        else:
            values = _without_freezing(initial, chi, float(time), depth, rtol)
            if freezing:
                seen = np.clip(depth, 0.0, time)
                alone = initial.density(points[chosen]) * 3 / chi / (1 + seen) ** 2
                values = np.where(depth < time, alone, values)
        result[chosen] = values * (chi / 3)
    return plain(result)


@dataclass(frozen=True)
class AmplitudeTail:
    """P(L, t) -> amplitude exp(-rate |L|) per P_0, for large |L|.

    Attributes
    ----------
    rate, amplitude : float
    """

    rate: float
    amplitude: float


def amplitude_tail(t: float, initial: InitialAmplitudes, chi: float = 1.0) -> AmplitudeTail:
    """Exact leading pole of the Fourier transform of P(L, t) without freezing.

    Parameters
    ----------
    t : float
        chi ln(R/R_min), positive, at most 1e6.
    initial : InitialAmplitudes
        Distribution of |L| of the original centers.
    chi : float
        pi P_0 U_0, positive.

    Returns
    -------
    AmplitudeTail
        Relative accuracy 1e-10.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or `t` so small that the pole lies beyond 400 / |L_*|.

    Notes
    -----
    The product of the transform of the initial distribution and of the integral over the times of union is
    log-convex on the real axis and below 1 at zero, so that exactly one pole lies on the decaying side.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (5.13), (5.15).

    Examples
    --------
    >>> from disorder.amorphous_solids import GammaAmplitudes
    >>> round(amplitude_tail(5.0, GammaAmplitudes(9.0)).rate, 6)
    0.026167
    """
    time = real_scalar("t", t, low=0.0, high=LONGEST, open_high=False)
    reduce(np.zeros(1), initial, chi)
    scale = float(chi) / 3
    pole = _real_pole(initial, scale, time, 1)
    if pole is None:
        raise ValueError(f"t = {time!r} is too small for a pole within 400 / |L_*|")
    return AmplitudeTail(pole.rate * scale, pole.amplitude * scale)
