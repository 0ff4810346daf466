"""Density of single-particle states around their maxima, and its decay length."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, real_array, real_scalar

IntArray = NDArray[np.int64]

# Densities below the square of the rounding error of an amplitude are noise; they are raised to it.
_FLOOR = float(np.finfo(np.float64).eps ** 2)
_NOISE = math.log(_FLOOR) + 10.0


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


def ring_table(size: int) -> tuple[IntArray, FloatArray, IntArray]:
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
    ring, distance, sites = ring_table(size)
    density, logarithm = np.zeros(sites.size), np.zeros(sites.size)
    _rings(np.ascontiguousarray(states.T), ring, _FLOOR, density, logarithm)
    count = sites * states.shape[1]
    return RadialProfile(distance, density / count, logarithm / count, sites)


def rows_of_configurations(name: str, value: ArrayLike, low: float = -math.inf) -> FloatArray:
    array = real_array(name, value, ndim=2, low=low)
    if array.shape[0] < 2 or array.shape[1] == 0:
        raise ValueError(f"{name} must have a row for each of at least 2 configurations, got {array.shape}")
    return array


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
    rows = rows_of_configurations("log_density", log_density)
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
