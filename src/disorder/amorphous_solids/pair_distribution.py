"""Distribution of the tunneling amplitudes of low-energy pairs, by quadrature and by the paper's formula.

All results are Delta_0 P_2(Delta, Delta_0)/(P_0 chi), the number per unit of ln Delta_0: 1/3 on the plateau,
and xi = ln(R_max/R_min) when integrated over ln Delta_0.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError, panel_rule
from ..numerics.validation import FloatArray, plain, real_array, real_scalar
from .centre_amplitudes import CentreAmplitudes, log_density


@kernel
def _share(excess: float, e: float, delta: float) -> float:
    # Measure of the energies eps_1 above e + excess, times e: int d eps/(eps (eps - delta)) from there on.
    if math.isinf(excess):
        return 0.0
    low = e - delta + excess
    if delta < 1e-9 * low:
        return e / low * (1.0 - 0.5 * delta / low)
    return e / delta * math.log1p(delta / low)


@kernel
def _branch(e: float, delta: float, a1: float, a2: float, low: float, high: float) -> float:
    # Share of the pairs with eps_1 > e on the curve eps_1 + eps_2 - delta = U = eps_1 eps_2/e whose coupling
    # lies in (low, high) and whose energies exceed a1, a2. With t = eps_1 - e, eps_2 - e = k/t.
    if e >= delta and e >= 0.25 * (high + delta) * (1.0 + delta / high):
        return 0.0
    k = e * (e - delta)
    start, stop = 0.0, np.inf
    if a1 > e:
        start = a1 - e
    if k > 0.0:
        if a2 > e:
            stop = k / (a2 - e)
    else:
        if a2 >= e:
            return 0.0
        start = max(start, k / (a2 - e))
    half = 0.5 * (high + delta) - e
    root2 = half * half - k
    if root2 <= 0.0 or (k > 0.0 and half <= 0.0):
        return 0.0
    top = half + math.sqrt(root2) if half > 0.0 else -k / (math.sqrt(root2) - half)
    stop = min(stop, top)
    if k > 0.0:
        start = max(start, k / top)
    half = 0.5 * (low + delta) - e
    root2 = half * half - k
    hole = 0.0
    if k <= 0.0:
        start = max(start, half + math.sqrt(root2) if half > 0.0 else -k / (math.sqrt(root2) - half))
    elif half > 0.0 and root2 > 0.0:
        right = half + math.sqrt(root2)
        left = max(k / right, start)
        right = min(right, stop)
        if right > left:
            hole = _share(left, e, delta) - _share(right, e, delta)
    if stop <= start:
        return 0.0
    return max(_share(start, e, delta) - _share(stop, e, delta) - hole, 0.0)


@kernel
def _fraction(
    amplitude: float, delta: float, a1: float, a2: float, low: float, high: float, bounded: bool
) -> float:
    # Integral (3.11) at fixed amplitudes, in units of its plateau value.
    e = 0.5 * a1 / amplitude * a2
    if e == delta:
        e = e * (1.0 + 1e-14)
    b1, b2 = (a1, a2) if bounded else (0.0, 0.0)
    value = _branch(e, delta, b1, b2, low, high)
    if e < delta:
        value += _branch(e, delta, b2, b1, low, high)
    return value


@kernel
def _breaks(amplitude: float, delta: float, a: float, low: float, high: float, ends: FloatArray) -> int:
    # Values of one amplitude, the other being a, at which the integrand has a kink or a root.
    two = 2.0 * amplitude
    count = 0
    ends[count] = two
    count += 1
    ends[count] = two + delta - a
    count += 1
    ends[count] = two * delta / a
    count += 1
    for u in (low, high):
        ends[count] = two * ((u + delta) / (2.0 * u) * ((u + delta) / 2.0)) / a
        count += 1
        ends[count] = two * (u + delta - a) / u
        count += 1
        ends[count] = u + delta - a * (u / two)
        count += 1
    return count


@kernel
def _pieces(points: FloatArray, count: int, span: FloatArray, ends: FloatArray) -> int:
    # Logarithms of the positive points inside the span and of its ends, no two further apart than span[2], or
    # than span[3] beyond a = 1/3, where the densities may fall faster than a power.
    bottom, top = span[0], span[1]
    kept = np.empty(count + 3)
    kept[0], number = bottom, 1
    for i in range(count):
        if points[i] > 0.0 and points[i] < np.inf:
            log_point = math.log(points[i])
            if bottom < log_point < top:
                kept[number] = log_point
                number += 1
    if bottom < -1.1 < top and span[3] < span[2]:
        kept[number] = -1.1
        number += 1
    kept[number] = top
    kept = np.sort(kept[: number + 1])
    total = 0
    ends[0] = kept[0]
    for i in range(number):
        longest = span[2] if kept[i + 1] <= -1.1 else span[3]
        parts = max(1, math.ceil((kept[i + 1] - kept[i]) / longest))
        for j in range(parts):
            total += 1
            ends[total] = kept[i] + (kept[i + 1] - kept[i]) * (j + 1) / parts
    return total


@kernel
def _averages(
    amplitude: FloatArray,
    delta: float,
    shape: int,
    parameter: float,
    span: FloatArray,
    low: float,
    high: float,
    bounded: bool,
    nodes: FloatArray,
    weights: FloatArray,
    out: FloatArray,
) -> None:
    # Average of _fraction over both amplitudes; nodes crowd at the ends of every piece, where roots sit.
    bottom, top = span[0], span[1]
    room = int((top - bottom) / min(span[2], span[3])) + 60
    points, outer, inner = np.empty(32), np.empty(room), np.empty(room)
    for i in range(amplitude.size):
        number = _breaks(amplitude[i], delta, math.exp(bottom), low, high, points)
        number += _breaks(amplitude[i], delta, math.exp(top), low, high, points[number:])
        pieces = _pieces(points, number, span, outer)
        total = 0.0
        for p in range(pieces):
            width = outer[p + 1] - outer[p]
            for m in range(nodes.size):
                log_1 = outer[p] + width * nodes[m]
                a1 = math.exp(log_1)
                count = _breaks(amplitude[i], delta, a1, low, high, points)
                parts = _pieces(points, count, span, inner)
                sum_2 = 0.0
                for q in range(parts):
                    length = inner[q + 1] - inner[q]
                    for n in range(nodes.size):
                        log_2 = inner[q] + length * nodes[n]
                        value = _fraction(amplitude[i], delta, a1, math.exp(log_2), low, high, bounded)
                        if value > 0.0:
                            sum_2 += length * weights[n] * value * log_density(shape, log_2, parameter)
                total += width * weights[m] * sum_2 * log_density(shape, log_1, parameter)
        out[i] = total


@kernel
def _fixed_pairs(
    amplitude: FloatArray, delta: float, low: float, high: float, bounded: bool, out: FloatArray
) -> None:
    for i in range(amplitude.size):
        out[i] = _fraction(amplitude[i], delta, 1.0, 1.0, low, high, bounded)


def check_initial(value: object) -> CentreAmplitudes:
    if not isinstance(value, CentreAmplitudes):
        raise TypeError(f"initial must be an CentreAmplitudes, got {value!r} of type {type(value).__name__}")
    return value


def coupling_window(
    smallest_coupling: float, largest_coupling: float, energy: float
) -> tuple[float, float, float]:
    low = real_scalar("smallest_coupling", smallest_coupling, low=1e-60, high=1e60)
    high = real_scalar("largest_coupling", largest_coupling, low=low, high=1e60)
    return low, high, real_scalar("energy", energy, low=0.0, high=low, open_low=False, open_high=False)


def pair_amplitude_distribution(
    amplitude: ArrayLike,
    initial: CentreAmplitudes,
    smallest_coupling: float,
    largest_coupling: float,
    energy: float = 0.0,
    bounded: bool = False,
    rtol: float = 1e-5,
) -> NDArray[np.float64] | float:
    r"""Amplitudes of low-energy pairs, Delta_0 P_2(Delta, Delta_0)/(P_0 chi), by quadrature.

    Parameters
    ----------
    amplitude : array_like
        Delta_0 of the pair; energy, from 1e-60 to 1e60.
    initial : CentreAmplitudes
        Amplitudes of the centres.
    smallest_coupling, largest_coupling : float
        U_0/R_max^3 and U_0/R_min^3 = W; energy, from 1e-60 to 1e60. All |u| equal U_0.
    energy : float
        Delta of the pair, from 0 to `smallest_coupling`.
    bounded : bool
        Keep only pairs with Delta_0i < eps_i for both centres.
    rtol : float
        Largest relative difference allowed between two orders of quadrature, from 1e-12 to 0.1.

    Returns
    -------
    float or ndarray
        Dimensionless, 0 or more; 1/3 on the plateau. Relative accuracy `rtol`, of 1e-6 below 1e-6.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.
    ConvergenceError
        If two orders of the quadrature differ by more than `rtol`.

    Notes
    -----
    Both delta functions put the energies on the curve eps_1 + eps_2 - Delta = eps_1 eps_2/e with
    e = Delta_01 Delta_02/(2 Delta_0); the integral over the curve is elementary between any limits on U_12
    and eps_i. Two integrals over the amplitudes of the centres remain: Gauss rules between all kinks.
    About 1 to 10 ms for each amplitude.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.9)-(3.17).

    Examples
    --------
    >>> one = CentreAmplitudes("fixed", 1.0)
    >>> round(pair_amplitude_distribution(0.004, one, 100.0, 1e3) * 3, 12)  # sqrt(1 - 2/4)
    0.707106781187
    """
    target = real_array("amplitude", amplitude, low=1e-60, high=1e60)
    law = check_initial(initial)
    low, high, delta = coupling_window(smallest_coupling, largest_coupling, energy)
    if not isinstance(bounded, bool | np.bool_):
        raise TypeError(f"bounded must be True or False, got {bounded!r}")
    tolerance = real_scalar("rtol", rtol, low=1e-12, high=0.1, open_low=False, open_high=False)
    scaled = target.ravel() / law.scale
    low, high, delta = low / law.scale, high / law.scale, delta / law.scale
    coarse, fine = np.empty_like(scaled), np.empty_like(scaled)
    if law.shape == "fixed":
        _fixed_pairs(scaled, delta, low, high, bool(bounded), fine)
        return plain(np.asarray(fine / 3).reshape(target.shape))
    for order, result in ((9, coarse), (12, fine)):
        x, w = panel_rule([0.0, 1.0], order=order)
        # x -> 3x^2 - 2x^3 turns the square roots at the ends of a piece into smooth functions.
        nodes, weights = x * x * (3 - 2 * x), w * 6 * x * (1 - x)
        _averages(
            scaled, delta, law.code, law.parameter or 0.0, law.span(), low, high,
            bool(bounded), nodes, weights, result,
        )  # fmt: skip
    worst = np.abs(fine - coarse) / np.maximum(fine, 1e-6)
    if (worst > tolerance).any():
        raise ConvergenceError(f"quadrature reached only {worst.max():.1e} instead of rtol = {tolerance:g}")
    return plain(np.asarray(fine / 3).reshape(target.shape))


def pair_amplitude_plateau(
    amplitude: ArrayLike, initial: CentreAmplitudes, energy: float = 0.0
) -> NDArray[np.float64] | float:
    r"""Delta_0 P_2/(P_0 chi) with the step functions of the paper's result and no limits on the distance.

    Parameters
    ----------
    amplitude : array_like
        Delta_0 of the pair; energy, from 1e-60 to 1e60.
    initial : CentreAmplitudes
        Amplitudes of the centres.
    energy : float
        Delta of the pair, from 0 to 1e60.

    Returns
    -------
    float or ndarray
        One third of the probability that both amplitudes exceed 2 Delta_0 and their product 2 Delta_0 Delta;
        relative accuracy 1e-6, and 1e-12 for Delta at most 2 Delta_0, where it is the square of the survival.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.18)-(3.20).

    Examples
    --------
    >>> round(3 * pair_amplitude_plateau(0.25, CentreAmplitudes("uniform")), 12)
    0.25
    """
    target = real_array("amplitude", amplitude, low=1e-60, high=1e60)
    law = check_initial(initial)
    delta = real_scalar("energy", energy, low=0.0, high=1e60, open_low=False, open_high=False)
    value = np.array(np.square(law.survival(2 * target)))
    for index in np.argwhere(delta > 2 * target):
        # Both above b = 2 Delta_0 and a1 a2 > b Delta: for a1 from b to Delta this means a2 > b Delta/a1.
        b = 2 * float(target[tuple(index)])
        if law.shape == "fixed":
            value[tuple(index)] = float(law.scale > b and law.scale > b * (delta / law.scale))
            continue
        span = law.span()[:2] + math.log(law.scale)
        start, stop = max(math.log(b), span[0]), min(math.log(delta), span[1])
        far = float(law.survival(delta)) * float(law.survival(b))
        if stop > start:
            kinks = [math.log(b) + math.log(delta) - end for end in span]
            inside = sorted({start, stop, *[k for k in kinks if start < k < stop]})
            edges = np.unique(np.concatenate([np.linspace(p, q, 24) for p, q in pairwise(inside)]))
            nodes, weights = panel_rule(edges, order=12)
            density = law.log_density(nodes - math.log(law.scale))
            other = np.asarray(law.survival(np.exp(math.log(b) + math.log(delta) - nodes)))
            far += float(weights @ (density * other))
        value[tuple(index)] = far
    return plain(np.asarray(value / 3))
