"""Clusters that merge at random: exact simulation of the renormalization group equations (4.6), (4.15).

A gas of N0 centres is followed event by event (Marcus and Lushnikov). Two clusters of k and m centres
merge at the rate 2 b_km/N0 with b_km = w_k w_m, so that for large N0 the number of n-clusters over N0
obeys Eq. (4.6). With amplitudes each cluster carries x = chi |ln(Delta_0/W)|/3. A union at time t has
x = x_1 + x_2 - t, and a cluster with x < t is frozen: exactly the theta functions of Eq. (4.15).
"""

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.ensemble import run_ensemble
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, integer, positive, real_array

IntArray = NDArray[np.int64]
Charge = str | Callable[[FloatArray], ArrayLike] | ArrayLike

_BUFFER = 1 << 18
_DRAWS = 5  # largest number of uniforms that one proposal can use
_LEVELS = 64
INITIAL = ("sharp", "exponential")


@kernel
def _remove(place: int, other: int, part: int, begin: IntArray, size: IntArray, scaled: FloatArray) -> int:
    # The hole moves to the end of its part, then through the later parts. Returns where `other` is now.
    hole = place
    for p in range(part, begin.size - 1):
        last = begin[p + 1] - 1
        size[hole] = size[last]
        scaled[hole] = scaled[last]
        if last == other:
            other = hole
        begin[p + 1] = last
        hole = last
    return other


@kernel
def _insert(n: int, x: float, part: int, begin: IntArray, size: IntArray, scaled: FloatArray) -> None:
    for p in range(begin.size - 2, part, -1):
        size[begin[p + 1]] = size[begin[p]]
        scaled[begin[p + 1]] = scaled[begin[p]]
        begin[p + 1] += 1
    size[begin[part + 1]] = n
    scaled[begin[part + 1]] = x
    begin[part + 1] += 1


@kernel
def _part_of(place: int, begin: IntArray) -> int:
    p = begin.size - 2
    while place < begin[p]:
        p -= 1
    return p


@kernel
def _pick(mass: float, begin: IntArray, bound: FloatArray) -> int:
    # Part by part from the last one, where the light and frequent clusters are; then uniformly inside it.
    for p in range(begin.size - 2, -1, -1):
        count = begin[p + 1] - begin[p]
        if mass < count * bound[p]:
            place: int = begin[p] + min(int(mass / bound[p]), count - 1)
            return place
        mass -= count * bound[p]
    return begin[1] - 1 if begin[1] > 0 else 0


@kernel
def _freeze(place: int, begin: IntArray, size: IntArray, scaled: FloatArray, frozen: IntArray) -> None:
    # Frozen clusters fill the arrays from their ends; together with the active ones there are at most N0.
    n, x = size[place], scaled[place]
    _remove(place, -1, _part_of(place, begin), begin, size, scaled)
    frozen[0] += 1
    size[size.size - frozen[0]] = n
    scaled[size.size - frozen[0]] = x


@kernel
def _sweep(time: float, begin: IntArray, size: IntArray, scaled: FloatArray, frozen: IntArray) -> None:
    for place in range(begin[-1] - 1, -1, -1):
        if scaled[place] <= time:
            _freeze(place, begin, size, scaled, frozen)


@kernel
def _advance(
    target: float,
    time: float,
    draws: FloatArray,
    begin: IntArray,
    size: IntArray,
    scaled: FloatArray,
    frozen: IntArray,
    charge: FloatArray,
    level: IntArray,
    bound: FloatArray,
    freezing: bool,
) -> tuple[float, int]:
    # Thinning: pairs are proposed at a rate that is never too small and exactly known, because it is made
    # of counts and powers of two.
    used = 0
    while used + 5 <= draws.size:
        if begin[-1] < 2:
            return target, used
        total = 0.0
        for p in range(bound.size):
            total += (begin[p + 1] - begin[p]) * bound[p]
        time -= math.log1p(-draws[used]) * size.size / (total * total)
        if time >= target:
            return target, used + 1
        i = _pick(draws[used + 1] * total, begin, bound)
        j = _pick(draws[used + 2] * total, begin, bound)
        used += 3
        if freezing:
            if scaled[i] <= time:
                _freeze(i, begin, size, scaled, frozen)
                continue
            if scaled[j] <= time:
                _freeze(j, begin, size, scaled, frozen)
                continue
        if i == j:
            continue
        n, m = size[i], size[j]
        part_i, part_j = level[n], level[m]
        if charge[n] < bound[part_i]:
            used += 1
            if draws[used - 1] * bound[part_i] >= charge[n]:
                continue
        if charge[m] < bound[part_j]:
            used += 1
            if draws[used - 1] * bound[part_j] >= charge[m]:
                continue
        x = scaled[i] + scaled[j] - time
        j = _remove(i, j, part_i, begin, size, scaled)
        _remove(j, -1, part_j, begin, size, scaled)
        _insert(n + m, x, level[n + m], begin, size, scaled)
    return time, used


class _Gas:
    """Clusters of one realisation; those with indices below ``begin[-1]`` are active."""

    def __init__(self, seed: np.random.SeedSequence, charge: FloatArray, scaled: FloatArray | None) -> None:
        particles = charge.size - 1
        exponent = np.ceil(np.log2(charge[1:])).astype(np.int64)
        exponent += np.ldexp(1.0, exponent) < charge[1:]  # where rounding of the logarithm fell below
        highest, lowest = int(exponent.max()), int(exponent.min())
        self.charge = charge
        self.level = np.concatenate(([0], highest - exponent)).astype(np.int64)
        self.bound = np.ldexp(1.0, np.arange(highest, lowest - 1, -1))
        self.size = np.ones(particles, dtype=np.int64)
        self.freezing = scaled is not None
        self.scaled = np.zeros(particles) if scaled is None else scaled
        self.frozen = np.zeros(1, dtype=np.int64)
        self.begin = np.where(np.arange(self.bound.size + 1) > self.level[1], particles, 0).astype(np.int64)
        self.time = 0.0
        self._rng = np.random.default_rng(seed)
        self._draws = np.empty(0)

    def advance(self, target: float) -> None:
        while self.time < target:
            if self._draws.size < _DRAWS:
                self._draws = self._rng.random(min(_BUFFER, 8 * self.size.size + 64))
            self.time, used = _advance(
                target, self.time, self._draws, self.begin, self.size, self.scaled, self.frozen,
                self.charge, self.level, self.bound, self.freezing,
            )  # fmt: skip
            # A step that would pass the target is cut there: waiting times have no memory.
            self._draws = self._draws[used:]
        if self.freezing:
            _sweep(self.time, self.begin, self.size, self.scaled, self.frozen)

    @property
    def active(self) -> slice:
        return slice(0, int(self.begin[-1]))

    @property
    def inert(self) -> slice:
        return slice(self.size.size - int(self.frozen[0]), self.size.size)


def _charges(charge: Charge, particles: int) -> FloatArray:
    sizes = np.arange(1, particles + 1, dtype=np.float64)
    if isinstance(charge, str):
        if charge not in ("constant", "sqrt"):
            raise ValueError(f"charge must be 'constant', 'sqrt', a function or an array, got {charge!r}")
        values = np.sqrt(sizes) if charge == "sqrt" else np.ones(particles)
    else:
        values = real_array("charge", charge(sizes) if callable(charge) else charge, low=0.0)
        if values.shape != (particles,):
            raise ValueError(
                f"charge must hold one value for each size up to {particles}, got shape {values.shape}"
            )
    if values.max() > 1e100 or values.min() < 1e-100 or values.max() / values.min() > 2.0 ** (_LEVELS - 2):
        raise ValueError(
            f"charge must lie in [1e-100, 1e100] and span less than a factor 2^{_LEVELS - 2}, "
            f"got {values.min():g} to {values.max():g}"
        )
    return np.concatenate(([0.0], values))


def _times(t: ArrayLike) -> FloatArray:
    times = real_array("t", t, low=0.0, open_low=False)
    if times.ndim > 1 or (times.ndim and (np.diff(times) <= 0).any()):
        raise ValueError(f"t must be a number or a strictly increasing sequence, got {t!r}")
    return np.atleast_1d(times)


def _mean(values: NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    return values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(values.shape[0])


def _densities_task(
    seed: np.random.SeedSequence, times: FloatArray, sizes: IntArray, orders: FloatArray, charge: FloatArray
) -> FloatArray:
    gas = _Gas(seed, charge, None)
    particles = gas.size.size
    rows = []
    for time in times:
        gas.advance(float(time))
        size = gas.size[gas.active]
        if int(size.sum()) != particles:
            raise RuntimeError(f"centres were lost: {int(size.sum())} of {particles} left at t = {time:g}")
        counts = np.bincount(size, minlength=2)
        inside = sizes < counts.size
        wanted = np.where(inside, counts[np.where(inside, sizes, 0)], 0)
        present = np.flatnonzero(counts)
        powers = present[:, None] ** orders * counts[present, None]
        rows.append(np.concatenate((wanted, powers.sum(axis=0), [size.max()])) / particles)
    return np.array(rows)


@dataclass(frozen=True)
class StochasticDensities:
    """Mean over realisations and its standard error.

    Attributes
    ----------
    density, density_error : ndarray, shape (t, sizes)
        Number of n-clusters per centre, P_n/P_0 of the paper.
    moment, moment_error : ndarray, shape (t, orders)
        Sum of n^m P_n/P_0 for each order m.
    largest, largest_error : ndarray, shape (t,)
        Share of all centres that the largest cluster holds.
    """

    density: FloatArray
    density_error: FloatArray
    moment: FloatArray
    moment_error: FloatArray
    largest: FloatArray
    largest_error: FloatArray


def simulate_coagulation(
    t: ArrayLike,
    sizes: ArrayLike,
    *,
    orders: ArrayLike = (0.0, 0.5, 2.0),
    charge: Charge = "sqrt",
    particles: int = 100_000,
    realisations: int = 8,
    seed: int = 0,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> StochasticDensities:
    r"""Cluster densities from exact random histories of a finite gas of centres.

    Parameters
    ----------
    t : array_like, scalar or shape (t,)
        chi ln(R_max/R_min), at least 0, increasing.
    sizes : array_like of int, scalar or shape (sizes,)
        Numbers of centres in a cluster, at least 1.
    orders : array_like, scalar or shape (orders,)
        Orders m of the moments, in [0, 8].
    charge : {"sqrt", "constant"}, callable or array_like
        w_n of b_km = w_k w_m, Eq. (4.8): a function of an array of sizes, or w_1 ... w_particles. Positive.
    particles : int
        Centres N0 of a realisation, at least 2.
    realisations : int
        At least 2.
    seed : int
    executor, checkpoint, progress
        As in :func:`disorder.numerics.ensemble.run_ensemble`; one task is one realisation.

    Returns
    -------
    StochasticDensities
        With statistical errors. The means approach the solution of Eq. (4.6) for many centres; the difference
        is of relative order n/N0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Clusters lie in one array, grouped by powers of two of w. A pair is proposed with the upper bounds of
    its groups and accepted with probability w/bound above 1/2 each: no sums of charges are updated, so no
    rounding gathers and the statistics are exact. An event costs about 0.2 us, a centre about 40 bytes.
    Nothing stops at gelation: for w_n = n the largest cluster is the giant component of a random graph.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.6), (6.3); Marcus, Technometrics 10, 133 (1968).

    Examples
    --------
    >>> run = simulate_coagulation(1.0, [1, 2], charge="constant", particles=20000, realisations=4)
    >>> np.abs(run.density[0] - [1 / 4, 1 / 8]).max() < 0.01
    np.True_
    """
    times = _times(t)
    wanted = _sizes(sizes)
    powers = np.atleast_1d(real_array("orders", orders, low=0.0, high=8.0, open_low=False, open_high=False))
    if powers.ndim > 1:
        raise ValueError(f"orders must be a number or a sequence, got shape {powers.shape}")
    particles = integer("particles", particles, low=2, high=10**8)
    parts = np.array(
        run_ensemble(
            _densities_task,
            integer("realisations", realisations, low=2),
            seed=integer("seed", seed, low=0),
            arguments=(times, wanted, powers, _charges(charge, particles)),
            executor=executor,
            checkpoint=checkpoint,
            progress=progress,
        )
    )
    mean, error = _mean(parts)
    a, b = wanted.size, wanted.size + powers.size
    return StochasticDensities(
        mean[:, :a], error[:, :a], mean[:, a:b], error[:, a:b], mean[:, b], error[:, b]
    )


def _sizes(sizes: ArrayLike) -> IntArray:
    values = np.asarray(sizes)
    if values.dtype.kind not in "iu":
        raise TypeError(f"sizes must hold integers, got {sizes!r} of dtype {values.dtype}")
    if values.ndim > 1 or (values < 1).any():
        raise ValueError(f"sizes must be one or a sequence of integers of at least 1, got {sizes!r}")
    return np.atleast_1d(values).astype(np.int64)


def _amplitudes_task(
    seed: np.random.SeedSequence,
    times: FloatArray,
    edges: FloatArray,
    mean: float,
    exponential: bool,
    charge: FloatArray,
) -> FloatArray:
    first, second = seed.spawn(2)
    particles = charge.size - 1
    scaled = np.full(particles, mean)
    if exponential:
        scaled *= np.random.default_rng(first).standard_exponential(particles)
    gas = _Gas(second, charge, scaled)
    width = particles * np.diff(edges)
    rows = []
    for time in times:
        gas.advance(float(time))
        active, inert = gas.active, gas.inert
        size = gas.size.astype(np.float64)
        if size[active].sum() + size[inert].sum() != particles:
            raise RuntimeError(f"centres were lost at t = {time:g}")
        rows.append(
            np.concatenate(
                [
                    np.histogram(gas.scaled[active], edges)[0] / width,
                    np.histogram(gas.scaled[inert], edges)[0] / width,
                    np.histogram(gas.scaled[active], edges, weights=size[active])[0] / width,
                    np.histogram(gas.scaled[inert], edges, weights=size[inert])[0] / width,
                    [
                        gas.begin[-1] / particles,
                        (gas.scaled[active] - time).sum() / particles,
                        size[active].sum() / particles,
                    ],
                ]
            )
        )
    return np.array(rows)


@dataclass(frozen=True)
class StochasticAmplitudes:
    """Distribution of x = chi |ln(Delta_0/W)|/3, mean over realisations and standard errors.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
        Ends of the bins of x.
    active, frozen : ndarray, shape (t, bins)
        Clusters per centre and unit of x: those with x > t, and those that froze at some time x <= t. Their
        sum is P(L, t) of Eq. (4.15), summed over sizes, times 3/chi.
    active_error, frozen_error : ndarray, shape (t, bins)
    active_centres, frozen_centres : ndarray, shape (t, bins)
        The same with every cluster counted as often as it has centres.
    active_centres_error, frozen_centres_error : ndarray, shape (t, bins)
    number, number_error : ndarray, shape (t,)
        Active clusters per centre, N.
    excess, excess_error : ndarray, shape (t,)
        Sum of x - t over active clusters, per centre, M; dM/dt = -N for every kernel.
    mass, mass_error : ndarray, shape (t,)
        Share of the centres that are in active clusters.
    """

    edges: FloatArray
    active: FloatArray
    active_error: FloatArray
    frozen: FloatArray
    frozen_error: FloatArray
    active_centres: FloatArray
    active_centres_error: FloatArray
    frozen_centres: FloatArray
    frozen_centres_error: FloatArray
    number: FloatArray
    number_error: FloatArray
    excess: FloatArray
    excess_error: FloatArray
    mass: FloatArray
    mass_error: FloatArray


def simulate_amplitudes(
    t: ArrayLike,
    edges: ArrayLike,
    *,
    mean_amplitude: float,
    initial: str = "sharp",
    charge: Charge = "sqrt",
    particles: int = 100_000,
    realisations: int = 8,
    seed: int = 0,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> StochasticAmplitudes:
    r"""Distribution of tunneling amplitudes with the theta functions of Eq. (4.15), from random histories.

    Parameters
    ----------
    t : array_like, scalar or shape (t,)
        chi ln(R_max/R_min), at least 0, increasing.
    edges : array_like, shape (bins + 1,)
        Increasing ends of the bins of x = chi |ln(Delta_0/W)|/3, at least 0.
    mean_amplitude : float
        Mean x of the centres, x* = chi |L*|/3, positive.
    initial : {"sharp", "exponential"}
        All centres have x = x*, or their x is distributed as exp(-x/x*)/x*.
    charge, particles, realisations, seed, executor, checkpoint, progress
        As in :func:`simulate_coagulation`.

    Returns
    -------
    StochasticAmplitudes
        With statistical errors.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    With y = x - t > 0 for active clusters, unions add y, every y falls at unit rate, and y = 0 is final. A
    frozen cluster is found when it is picked (a null event) or at the next output, both exact.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.12)-(4.16).

    Examples
    --------
    >>> run = simulate_amplitudes(0.5, [0.0, 1.0, 9.0], mean_amplitude=1.0, particles=1000, realisations=4)
    >>> float(np.round(run.mass[0], 12))  # before t = x* nothing is frozen
    1.0
    """
    times = _times(t)
    bins = real_array("edges", edges, ndim=1, low=0.0, open_low=False)
    if bins.size < 2 or (np.diff(bins) <= 0).any():
        raise ValueError(f"edges must be at least two strictly increasing numbers, got {edges!r}")
    mean = positive("mean_amplitude", mean_amplitude)
    if initial not in INITIAL:
        raise ValueError(f"initial must be one of {INITIAL}, got {initial!r}")
    particles = integer("particles", particles, low=2, high=10**8)
    arguments: tuple[Any, ...] = (times, bins, mean, initial == "exponential", _charges(charge, particles))
    parts = run_ensemble(
        _amplitudes_task,
        integer("realisations", realisations, low=2),
        seed=integer("seed", seed, low=0),
        arguments=arguments,
        executor=executor,
        checkpoint=checkpoint,
        progress=progress,
    )
    mean_row, error = _mean(np.array(parts))
    cuts = (bins.size - 1) * np.arange(1, 5)
    pairs = [part for both in zip(_split(mean_row, cuts), _split(error, cuts), strict=True) for part in both]
    return StochasticAmplitudes(bins, *pairs)


def _split(rows: FloatArray, cuts: IntArray) -> list[FloatArray]:
    *histograms, last = np.split(rows, cuts, axis=1)
    return [*histograms, *last.T]
