"""Clusters whose amplitude exceeds the interaction freeze: the generalised equation for b_km = 1."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft
from scipy.interpolate import PchipInterpolator

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, plain, positive, real_array, real_scalar
from .initial_amplitudes import InitialAmplitudes, check_initial

RESOLUTIONS = (48, 96, 192, 384)
LARGEST_GRID = 1 << 21
LARGEST_WORK = 1 << 26


@dataclass(frozen=True)
class Freezing:
    """Solution on one grid, in units of x = chi |L| / 3 and per P_0.

    Attributes
    ----------
    times, active, moment, log_monomers : ndarray, shape (steps + 1,)
        t; number of active clusters; their sum of x - t; logarithm of the fraction of single centers
        that has not joined a cluster.
    flux : ndarray, shape (steps + 1,)
        Density of x at x = t of clusters of two and more.
    depth, density : ndarray
        x > t_end and the density of active clusters of two and more there.
    """

    times: FloatArray
    active: FloatArray
    moment: FloatArray
    log_monomers: FloatArray
    flux: FloatArray
    depth: FloatArray
    density: FloatArray


def _schedule(t_end: float, mean: float, deviation: float, resolution: int) -> tuple[float, list[int]]:
    """First step, and numbers of steps at the steps h, 2h, 4h, ... that together end at `t_end`."""

    def allowed(t: float) -> float:
        return min(24 * max(deviation, t - 2 * mean), 3 * (1 + t), 3 * max(mean, t)) / resolution

    h = step = min(allowed(0.0), t_end / 2)
    counts, t = [0], 0.0
    while t < t_end * (1 - 1e-12):
        if 2 * step <= allowed(t) and counts[-1] % 2 == 0:
            counts.append(0)
            step *= 2
        # Whole pairs, so that the next grid contains the present node.
        counts[-1] += 2
        t += 2 * step
    units = sum(count << level for level, count in enumerate(counts))
    return min(h, t_end / units), counts


def _unite(mass: FloatArray, duration: float, number: float) -> FloatArray:
    """All unions of masses on a grid during `duration`, exactly: a compound geometric distribution."""
    if number < 1e-200:
        return mass
    transform = fft.rfft(mass, fft.next_fast_len(2 * mass.size, real=True))
    growth = 1 + number * duration
    transform /= growth * (growth - duration * transform)
    united = fft.irfft(transform, fft.next_fast_len(2 * mass.size, real=True))
    np.maximum(united, 0.0, out=united)
    beyond = np.cumsum(united[::-1])
    kept = united.size - int(np.searchsorted(beyond, 1e-14 * beyond[-1]))
    return np.asarray(united[:kept], dtype=np.float64)


@lru_cache(maxsize=48)
def solve_freezing(initial: InitialAmplitudes, chi: float, t_end: float, resolution: int) -> Freezing:
    """Solve the generalised equation up to `t_end` by splitting drift and unions (Strang), second order."""
    scale = 3 / chi
    step, counts = _schedule(t_end, initial.mean / scale, initial.deviation / scale, resolution)

    def hats(first: int, last: int, h: float) -> FloatArray:
        """Initial distribution projected on hat functions at the nodes first h, ..., last h."""
        nodes = np.asarray(np.arange(first - 1, last + 2) * (h * scale), dtype=np.float64)
        near, far = (np.diff(part(nodes), 2) for part in (initial.shortfall, initial.excess))
        return np.maximum(np.where(nodes[1:-1] < initial.mean, near, far), 0.0) / (h * scale)

    size = 64
    while hats(size, size, step)[0] > 1e-18 or step * size * scale < initial.mean:
        size *= 2
        if size > LARGEST_GRID:
            raise ConvergenceError("the initial distribution is too narrow for the grid")
    mass = hats(0, size, step)
    pending, log_monomers, node, work, t = 0.0, 0.0, 0, 0, 0.0
    rows = [(0.0, 1.0, initial.mean / scale, 0.0, 0.0)]
    for level, count in enumerate(counts):
        h = step * (1 << level)
        if level:
            odd = mass[1::2]
            coarse = np.zeros(mass[::2].size + 1)
            coarse[: mass[::2].size] = mass[::2]
            coarse[: odd.size] += odd / 2
            coarse[1 : odd.size + 1] += odd / 2
            mass, node = coarse, node // 2
        for _ in range(count):
            number = float(mass.sum())
            duration = pending + h / 2
            mass = _unite(mass, duration, number)
            work += mass.size
            if mass.size > LARGEST_GRID or work > LARGEST_WORK:
                raise ConvergenceError(
                    f"the start is too narrow or too far: the grid is too large at t = {t:g}"
                )
            log_monomers -= 2 * math.log1p(number * duration)
            if mass.size < 3:
                mass = np.concatenate((mass, np.zeros(3)))
            # Half of the cell around the first node has crossed x = t.
            mass = mass[1:]
            mass[0] *= 0.5
            pending = h / 2
            node += 1
            t = node * h
            number = float(mass.sum())
            growth = 1 + number * pending
            first = mass[0] / (growth * (growth - mass[0] * pending))
            survivors = log_monomers - 2 * math.log1p(number * pending)
            monomers = 0.5 * float(hats(node, node, h)[0]) * math.exp(survivors)
            # A sum, not a dot product: the threads of the BLAS would cost more than the work.
            moment = h * float((np.arange(mass.size) * mass).sum())
            rows.append((t, number / growth, moment, survivors, max(2 * (first - monomers) / h, 0.0)))
    mass = _unite(mass, pending, float(mass.sum()))
    monomers_left = hats(node, node + mass.size - 1, h) * math.exp(rows[-1][3])
    monomers_left[0] *= 0.5
    density = np.maximum(mass - monomers_left, 0.0) / h
    density[0] *= 2
    times, active, moments, logs, flux = np.array(rows).T
    depth = np.asarray((node + np.arange(mass.size)) * h, dtype=np.float64)
    return Freezing(times, active, moments, logs, flux, depth, density)


def evaluate(solution: Freezing, initial: InitialAmplitudes, chi: float, depth: FloatArray) -> FloatArray:
    """Density of x at the points `depth`: active beyond the last time, frozen before it."""
    t_end = solution.times[-1]
    clipped = np.clip(depth, 0.0, t_end)
    logs = PchipInterpolator(solution.times, solution.log_monomers)(clipped)
    singles = initial.density(-depth * 3 / chi) * (3 / chi) * np.exp(logs)
    frozen = PchipInterpolator(solution.times, solution.flux)(clipped)
    last = solution.depth[-1]
    if solution.depth.size > 1:
        active = PchipInterpolator(solution.depth, solution.density)(np.clip(depth, t_end, last))
    else:
        active = np.zeros_like(depth)
    clusters = np.where(depth < t_end, frozen, np.where(depth <= last, active, 0.0))
    return np.where(depth < 0, 0.0, singles + clusters)


def probes(mean: float, t: float) -> FloatArray:
    """Points x at which convergence is judged, so that a value does not depend on the others asked for."""
    near = np.linspace(0.02, 0.98, 25)
    return np.concatenate(
        (near * min(t, 4 * mean), near * t, t + near * 6 * mean, t + near * 3 * (1 + t) * mean)
    )


def extrapolate(
    initial: InitialAmplitudes, chi: float, t_end: float, depth: FloatArray, rtol: float
) -> FloatArray:
    """Richardson's extrapolation of :func:`evaluate`, refined until two grids agree."""
    if initial.mean * chi < 300:
        # All clusters have frozen long before; the interpolation squares its abscissae.
        t_end = min(t_end, 1e60)
    points = np.concatenate((probes(initial.mean * chi / 3, t_end), depth))
    count = points.size - depth.size
    previous = evaluate(solve_freezing(initial, chi, t_end, RESOLUTIONS[0]), initial, chi, points)
    change = 0.0
    for resolution in RESOLUTIONS[1:]:
        fine = evaluate(solve_freezing(initial, chi, t_end, resolution), initial, chi, points)
        change = float(np.quantile(np.abs(fine - previous)[:count], 0.9) / fine[:count].max() / 3)
        if change <= rtol:
            return np.maximum((4 * fine - previous) / 3, 0.0)[count:]
        previous = fine
    raise ConvergenceError(f"rtol = {rtol:g} was not reached: the last change is {change:.1e}")


def reduce(points: FloatArray, initial: InitialAmplitudes, chi: float) -> FloatArray:
    """x = chi |L| / 3 at the points L, after a check that the mean x* of the start can be handled."""
    check_initial(initial)
    start = initial.mean * (positive("chi", chi) / 3)
    if not 1e-9 <= start <= 1e4:
        raise ValueError(f"chi times the mean of |L| / 3 must lie in [1e-9, 1e4], got {start!r}")
    with np.errstate(over="ignore"):
        return np.clip(-points * (chi / 3), -1e150, 1e150)


def ladder(t: float, start: float) -> float:
    """The least of 2^k x* that is not below t, so that neighbouring requests share one solution."""
    rung = math.ceil(math.log2(max(t / start, 2.0**-6)))
    return start * 2.0**rung


@dataclass(frozen=True)
class ActiveClusters:
    """Numbers per P_0 at one scale or at many.

    Attributes
    ----------
    active : float or ndarray
        Number of clusters with Delta_0 below the interaction at the current distance.
    frozen : float or ndarray
        Number of all others.
    moment : float or ndarray
        Sum over active clusters of x - t, where x = chi ln(W/Delta_0)/3.
    """

    active: FloatArray | float
    frozen: FloatArray | float
    moment: FloatArray | float


def active_clusters(t: ArrayLike, initial: InitialAmplitudes, chi: float = 1.0) -> ActiveClusters:
    """Active and frozen clusters for b_km = 1, with the theta functions of the generalised equation.

    Parameters
    ----------
    t : array_like
        chi ln(R/R_min), 0 or larger.
    initial : InitialAmplitudes
        Distribution of |L| of the original centers.
    chi : float
        pi P_0 U_0, positive; chi times the mean of |L| / 3 between 1e-9 and 1e4.

    Returns
    -------
    ActiveClusters
        With the shape of `t`; error below 1e-4 of the value at small t, 1e-3 where a jump of the initial
        distribution freezes.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The exact laws are d(moment)/dt = -active and d(active + frozen)/dt = -active^2. The solution is
    second order in the step, and two grids are extrapolated. Fractions of a second.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.15), (5.1).

    Examples
    --------
    >>> from disorder.amorphous_solids import GammaAmplitudes
    >>> round(active_clusters(3.0, GammaAmplitudes(12.0, 8.0)).active, 3)
    0.233
    """
    times = real_array("t", t, low=0.0, open_low=False)
    reduce(times, initial, chi)
    chi, start = float(chi), initial.mean * float(chi) / 3
    if start < 100:
        # Nothing is active any more; the interpolation squares its abscissae.
        times = np.minimum(times, 1e60)
    end = ladder(float(times.max(initial=0.0)), start)
    values = []
    for resolution in (96, 192):
        solution = solve_freezing(initial, chi, end, resolution)
        knots = solution.times
        # Number lost by unions; the integral of active^2 by the trapezoidal rule, second order like the rest.
        lost = np.concatenate(([0.0], np.cumsum(np.diff(knots) * _mean_square(solution.active))))
        columns = np.array([solution.active, 1 - lost - solution.active, solution.moment])
        values.append(PchipInterpolator(knots, columns, axis=1)(times))
    active, frozen, moment = np.maximum((4 * values[1] - values[0]) / 3, 0.0)
    return ActiveClusters(plain(active), plain(frozen), plain(moment))


def _mean_square(values: FloatArray) -> FloatArray:
    return 0.5 * (values[1:] ** 2 + values[:-1] ** 2)


def frozen_distribution(
    log_amplitude: ArrayLike, initial: InitialAmplitudes, chi: float = 1.0, *, rtol: float = 1e-3
) -> FloatArray | float:
    """Density of L of the clusters that have frozen, P(L, t -> infinity) per P_0, for b_km = 1.

    Parameters
    ----------
    log_amplitude : array_like
        L = ln(Delta_0/W), any real number; the density vanishes for L > 0.
    initial : InitialAmplitudes
        Distribution of |L| of the original centers.
    chi : float
        pi P_0 U_0, positive; chi times the mean of |L| / 3 between 1e-9 and 1e4.
    rtol : float
        Allowed change between the two finest grids at nine tenths of a set of probe points, relative to the
        largest density.

    Returns
    -------
    ndarray or float
        With the shape of `log_amplitude`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    ConvergenceError
        If `rtol` was not reached.

    Notes
    -----
    A cluster freezes when t has grown to its own x = chi |L| / 3, and nothing reaches x < t later: the
    density at L is the one at t = chi |L| / 3.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.15), (5.25).

    Examples
    --------
    >>> from disorder.amorphous_solids import GammaAmplitudes
    >>> round(frozen_distribution(-6.0, GammaAmplitudes(9.0)), 4)
    0.0111
    """
    points = real_array("log_amplitude", log_amplitude)
    rtol = real_scalar("rtol", rtol, low=0.0)
    depth = reduce(points, initial, chi)
    chi = float(chi)
    end = ladder(float(depth.max(initial=0.0)), initial.mean * chi / 3)
    values = extrapolate(initial, chi, end, depth.ravel(), rtol).reshape(depth.shape)
    return plain(values * (chi / 3))
