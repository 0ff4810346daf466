"""How far single-particle states reach: participation length, and decay around the maximum."""

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.ensemble import run_ensemble
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .lattice import eigenstates
from .matrix_elements import participation_length

IntArray = NDArray[np.int64]

# Densities below the square of the rounding error of an amplitude are noise; they are raised to it.
_FLOOR = float(np.finfo(np.float64).eps ** 2)
_NOISE = math.log(_FLOOR) + 10.0
_COLUMNS = 256  # states handled at once, so that no second copy of all states is made
AVERAGES = ("length", "area", "inverse")


@kernel
def _rings(
    states: FloatArray, ring: IntArray, floor: float, density: FloatArray, logarithm: FloatArray
) -> None:
    # Sums over rings around the maximum of each state (row); ring[dx, dy] is -1 outside the largest one.
    size = ring.shape[0]
    for a in range(states.shape[0]):
        centre = np.argmax(np.abs(states[a]))
        x0, y0 = centre // size, centre % size
        for x in range(size):
            for y in range(size):
                place = ring[(x - x0) % size, (y - y0) % size]
                if place >= 0:
                    value = states[a, size * x + y] ** 2
                    density[place] += value
                    logarithm[place] += math.log(max(value, floor))


@dataclass(frozen=True)
class RadialProfile:
    """Density of states around their maxima, ring by ring; see :func:`radial_profile`.

    Attributes
    ----------
    distance : ndarray, shape (rings,)
        Mean distance of the sites of a ring from the maximum, in lattice constants.
    density, log_density : ndarray, shape (rings,)
        Mean of |phi|^2 and of ln |phi|^2 over sites of the ring and states.
    sites : ndarray of int, shape (rings,)
        Number of sites in the ring.
    """

    distance: FloatArray
    density: FloatArray
    log_density: FloatArray
    sites: IntArray


def _ring_table(size: int) -> tuple[IntArray, FloatArray, IntArray]:
    step = np.minimum(np.arange(size), size - np.arange(size)).astype(np.float64)
    distance = np.hypot(step[:, None], step)
    ring = np.rint(distance).astype(np.int64)
    ring[ring > size // 2] = -1
    inside = ring >= 0
    sites = np.bincount(ring[inside])
    return ring, np.bincount(ring[inside], weights=distance[inside]) / sites, sites.astype(np.int64)


def radial_profile(states: FloatArray) -> RadialProfile:
    """Mean density and mean logarithm of the density around the maximum of each state.

    Parameters
    ----------
    states : ndarray, shape (size**2, states)
        Normalized real states by columns, site = size*x + y on a periodic square lattice.

    Returns
    -------
    RadialProfile
        Rings at distance 0, 1, ..., size//2 (nearest image, rounded to the nearest integer).

    Raises
    ------
    TypeError, ValueError
        If `states` is no finite real array of that shape.

    Notes
    -----
    An amplitude below the rounding error of a diagonalisation is counted as that error, 2.2e-16.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (8).

    Examples
    --------
    >>> profile = radial_profile(np.eye(25)[:, :3])
    >>> profile.density.tolist(), profile.sites.tolist()
    ([1.0, 0.0, 0.0], [1, 8, 12])
    """
    states = real_array("states", states, ndim=2)
    size = math.isqrt(states.shape[0])
    if size < 3 or size * size != states.shape[0] or states.shape[1] == 0:
        raise ValueError(f"states must have size**2 rows, size at least 3, and columns, got {states.shape}")
    ring, distance, sites = _ring_table(size)
    density, logarithm = np.zeros(sites.size), np.zeros(sites.size)
    _rings(np.ascontiguousarray(states.T), ring, _FLOOR, density, logarithm)
    count = sites * states.shape[1]
    return RadialProfile(distance, density / count, logarithm / count, sites)


def _jackknife(estimate: Callable[[IntArray], FloatArray], count: int) -> tuple[FloatArray, FloatArray]:
    # Value from all configurations; error from leaving out one at a time.
    everything = np.arange(count)
    left_out = np.array([estimate(np.delete(everything, i)) for i in range(count)])
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return estimate(everything), np.sqrt(spread * (count - 1) / count)


def _configurations(name: str, value: ArrayLike, low: float = -math.inf) -> FloatArray:
    array = real_array(name, value, ndim=2, low=low)
    if array.shape[0] < 2 or array.shape[1] == 0:
        raise ValueError(f"{name} must have a row for each of at least 2 configurations, got {array.shape}")
    return array


def participation_average(lengths: ArrayLike, average: str = "length") -> tuple[float, float]:
    """Average participation length over states and configurations.

    Parameters
    ----------
    lengths : array_like, shape (configurations, states)
        Participation lengths, in lattice constants, above zero; at least two configurations.
    average : {"length", "area", "inverse"}
        What is averaged: IPR^(-1/2) (the paper's choice), its square, or IPR; the result is a length.

    Returns
    -------
    value, error : float
        In lattice constants, with the standard error over configurations.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    "inverse" <= "length" <= "area" by Jensen's inequality. The error is a jackknife over configurations,
    because the states of one configuration are not independent.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29.

    Examples
    --------
    >>> participation_average([[2.0, 4.0], [1.0, 3.0]])
    (2.5, 0.5)
    """
    lengths = _configurations("lengths", lengths, low=0.0)
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}, got {average!r}")
    power = {"length": 1.0, "area": 2.0, "inverse": -2.0}[average]
    unit = float(lengths.max() if power > 0 else lengths.min())
    rows = ((lengths / unit) ** power).mean(axis=1)
    value, error = _jackknife(lambda kept: rows[kept].mean() ** (1 / power) * np.ones(1), rows.size)
    return unit * float(value[0]), unit * float(error[0])


def participation_by_energy(
    energies: ArrayLike, lengths: ArrayLike, edges: ArrayLike
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Average participation length in windows of energy.

    Parameters
    ----------
    energies, lengths : array_like, shape (configurations, states)
        Energy and participation length of every state; at least two configurations.
    edges : array_like, shape (windows + 1,)
        Rising ends of the windows; an energy on an edge belongs to the window above it.

    Returns
    -------
    mean, error : ndarray, shape (windows,)
        In lattice constants, with the standard error over configurations (jackknife).
    count : ndarray of int, shape (windows,)
        Number of states in each window.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or a window does not hold states of at least two configurations.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29.

    Examples
    --------
    >>> energies, lengths = [[0.0, 1.0], [0.0, 1.0]], [[2.0, 4.0], [3.0, 5.0]]
    >>> participation_by_energy(energies, lengths, [-1, 0.5, 2])
    (array([2.5, 4.5]), array([0.5, 0.5]), array([2, 2]))
    """
    energies = _configurations("energies", energies)
    lengths = _configurations("lengths", lengths, low=0.0)
    edges = real_array("edges", edges, ndim=1)
    if energies.shape != lengths.shape:
        raise ValueError(f"lengths must have the shape of energies, {energies.shape}, got {lengths.shape}")
    if edges.size < 2 or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges must be at least two rising numbers, got {edges!r}")
    windows = edges.size - 1
    place = np.searchsorted(edges, energies, side="right") - 1
    inside = (place >= 0) & (place < windows)
    flat = (np.arange(energies.shape[0])[:, None] * windows + place)[inside]
    shape = (energies.shape[0], windows)
    count = np.bincount(flat, minlength=shape[0] * windows).reshape(shape)
    total = np.bincount(flat, weights=lengths[inside], minlength=shape[0] * windows).reshape(shape)
    poor = np.flatnonzero((count > 0).sum(axis=0) < 2)
    if poor.size:
        low, high = edges[poor[0]], edges[poor[0] + 1]
        raise ValueError(
            f"edges must enclose states of two configurations, which [{low:g}, {high:g}) does not"
        )
    mean, error = _jackknife(lambda kept: total[kept].sum(axis=0) / count[kept].sum(axis=0), shape[0])
    return mean, error, count.sum(axis=0)


def profile_decay(
    distance: ArrayLike, log_density: ArrayLike, low: float, high: float
) -> tuple[float, float]:
    """Decay length of a density: minus the inverse slope of its logarithm against distance.

    Parameters
    ----------
    distance : array_like, shape (rings,)
        Distances in lattice constants.
    log_density : array_like, shape (configurations, rings)
        Logarithm of the density of each of at least two configurations.
    low, high : float
        Ends of the range of distances that is fitted; it must hold at least three rings.

    Returns
    -------
    length, error : float
        In lattice constants: least squares on the mean over configurations, every ring with the same weight;
        jackknife error over configurations. The choice of range is not part of the error.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, the density is rounding error somewhere in the range, or does not fall.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (8).

    Examples
    --------
    >>> r = np.arange(6.0)
    >>> profile_decay(r, [-r / 2, -r / 2], 1, 5)
    (2.0, 0.0)
    """
    distance = real_array("distance", distance, ndim=1, low=0.0, open_low=False)
    rows = _configurations("log_density", log_density)
    low, high = real_scalar("low", low), real_scalar("high", high)
    if rows.shape[1] != distance.size:
        raise ValueError(f"log_density must have a column for each distance, got {rows.shape}")
    chosen = (distance >= low) & (distance <= high)
    if chosen.sum() < 3 or np.ptp(distance[chosen]) == 0:
        raise ValueError(f"low and high must enclose three distances, got {low:g} and {high:g}")
    if rows[:, chosen].min() < _NOISE:
        raise ValueError(f"log_density must be above the rounding error, {_NOISE:.0f}, between low and high")
    place = distance[chosen] - distance[chosen].mean()
    slopes = rows[:, chosen] @ place / (place @ place)
    if slopes.mean() >= 0:
        raise ValueError(f"log_density must fall between {low:g} and {high:g}, got slope {slopes.mean():g}")
    length = -1 / slopes.mean()
    error = length**2 * slopes.std(ddof=1) / math.sqrt(slopes.size)
    return float(length), float(error)


@dataclass(frozen=True)
class LocalizationSample:
    """What one configuration says about localization; see :func:`localization_ensemble`.

    Attributes
    ----------
    energies, lengths : ndarray, shape (size**2,)
        Energy and participation length of every state.
    density, log_density : ndarray, shape (rings,)
        Profile of the states in the window (see :class:`RadialProfile`).
    """

    energies: FloatArray
    lengths: FloatArray
    density: FloatArray
    log_density: FloatArray


@dataclass(frozen=True)
class LocalizationEnsemble:
    """Localization in several configurations, one a row; see :func:`localization_ensemble`.

    Attributes
    ----------
    energies, lengths : ndarray, shape (configurations, size**2)
        Energy and participation length of every state.
    distance : ndarray, shape (rings,)
        Mean distance of each ring around the maximum, in lattice constants.
    density, log_density : ndarray, shape (configurations, rings)
        Mean of |phi|^2 and of ln |phi|^2 over the states in the window.
    """

    energies: FloatArray
    lengths: FloatArray
    distance: FloatArray
    density: FloatArray
    log_density: FloatArray


def localization_configuration(
    seed: np.random.SeedSequence,
    size: int,
    disorder: float,
    hopping: float,
    diagonal_hopping: float,
    window: tuple[float, float],
) -> LocalizationSample:
    """One configuration of :func:`localization_ensemble`: the task that is sent to a worker.

    Parameters
    ----------
    seed : SeedSequence
        Its site energies.
    size, disorder, hopping, diagonal_hopping, window
        As in :func:`localization_ensemble`.

    Returns
    -------
    LocalizationSample

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong or the window holds no state.

    Examples
    --------
    >>> sample = localization_configuration(np.random.SeedSequence(1), 6, 9.0, 1.0, 0.6, (-1.0, 1.0))
    >>> sample.lengths.shape
    (36,)
    """
    low, high = real_array("window", window, ndim=1)
    energies, states = eigenstates(
        size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=seed
    )
    chosen = np.flatnonzero((energies >= low) & (energies <= high))
    if chosen.size == 0:
        raise ValueError(f"window must hold at least one state, got {window!r}")
    lengths = np.concatenate(
        [participation_length(states[:, i : i + _COLUMNS]) for i in range(0, energies.size, _COLUMNS)]
    )
    profile = radial_profile(states[:, chosen])
    return LocalizationSample(energies, lengths, profile.density, profile.log_density)


def localization_ensemble(
    size: int,
    disorder: float,
    *,
    realisations: int = 15,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    window: tuple[float, float] = (-0.91, 0.26),
    seed: int | np.random.SeedSequence,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> LocalizationEnsemble:
    """Participation lengths of all states, and the profile of those in a window, in several configurations.

    Parameters
    ----------
    size : int
        Sites along one side of the periodic square, at least 3.
    disorder : float
        Width W >= 0 of the uniform distribution of site energies.
    realisations : int
        Number of configurations, at least 2.
    hopping, diagonal_hopping : float
        Amplitudes t and t' of Eq. (12).
    window : (float, float)
        Ends of the energies whose states enter the profile; by default those of the paper's Fig. 1.
    seed : int or SeedSequence
        Configuration i takes child i of it.
    executor, checkpoint, progress
        As in :func:`disorder.numerics.ensemble.run_ensemble`.

    Returns
    -------
    LocalizationEnsemble

    Raises
    ------
    EnsembleError
        If configurations failed or workers died; it carries the finished ones.
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    One diagonalisation a configuration; everything else is a few per cent of it.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29 and Eqs. (8), (12).

    Examples
    --------
    >>> ensemble = localization_ensemble(8, 9.0, realisations=3, seed=1)
    >>> value, error = participation_average(ensemble.lengths)
    >>> 3 < value < 6
    True
    """
    size = integer("size", size, low=3)
    disorder = real_scalar("disorder", disorder, low=0.0, open_low=False)
    realisations = integer("realisations", realisations, low=2)
    hopping = real_scalar("hopping", hopping)
    diagonal_hopping = real_scalar("diagonal_hopping", diagonal_hopping)
    ends = real_array("window", window, ndim=1)
    if ends.shape != (2,) or ends[0] >= ends[1]:
        raise ValueError(f"window must be two rising energies, got {window!r}")
    samples = run_ensemble(
        localization_configuration,
        realisations,
        seed=seed,
        arguments=(size, disorder, hopping, diagonal_hopping, (float(ends[0]), float(ends[1]))),
        executor=executor,
        checkpoint=checkpoint,
        progress=progress,
    )
    return LocalizationEnsemble(
        np.array([sample.energies for sample in samples]),
        np.array([sample.lengths for sample in samples]),
        _ring_table(size)[1],
        np.array([sample.density for sample in samples]),
        np.array([sample.log_density for sample in samples]),
    )
