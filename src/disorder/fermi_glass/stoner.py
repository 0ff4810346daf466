"""Ferromagnetism of extended states: the interaction is U/V between all of them, Stoner's model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, integer, real_array, real_scalar


@dataclass(frozen=True)
class StonerThreshold:
    """Smallest interaction at which a polarized state is not above the paramagnet.

    Attributes
    ----------
    interaction : float
        U, in the unit of the levels.
    moment : int
        N_up - N_down of the state that takes over.
    """

    interaction: float
    moment: int


def _kinetic(levels: ArrayLike, particles: int) -> tuple[NDArray[np.int64], FloatArray, int]:
    xi = np.sort(real_array("levels", levels, ndim=1))
    count = integer("particles", particles, low=1, high=2 * xi.size - 1)
    most = min(count, 2 * xi.size - count)
    moments = np.arange(count % 2, most + 1, 2)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.concatenate((np.zeros(1), np.cumsum(xi)))
        kinetic = sums[(count + moments) // 2] + sums[(count - moments) // 2]
    if not np.isfinite(kinetic).all():
        raise ValueError("levels must keep their sum below 1.8e308")
    return moments, kinetic - kinetic[0], xi.size


def polarization_energies(
    levels: ArrayLike, interaction: float, particles: int
) -> tuple[NDArray[np.int64], FloatArray]:
    r"""Energy against magnetic moment when all interaction elements U_aacc are U/V, as for plane waves.

    Parameters
    ----------
    levels : array_like, shape (V,)
        Single-particle energies, each for both spins, in any order; V is the volume in sites.
    interaction : float
        U, energy.
    particles : int
        Number of particles N, from 1 to 2V - 1.

    Returns
    -------
    moments : ndarray of int
        N_up - N_down, from 0 or 1 to the largest possible, in steps of 2.
    energies : ndarray
        Lowest energy of each, from that of the smallest moment: the kinetic energy minus U M^2/4V.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Notes
    -----
    First-order energy, Eq. (13), with the lowest levels filled for either spin. One sort and one sum.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (11), (13).

    Examples
    --------
    >>> polarization_energies([0.0, 1.0, 2.0, 3.0], 4.0, 4)
    (array([0, 2, 4]), array([0., 0., 0.]))
    """
    u = real_scalar("interaction", interaction)
    moments, kinetic, volume = _kinetic(levels, particles)
    with np.errstate(over="ignore"):
        energies = kinetic - u / 4 / volume * (moments**2 - moments[0] ** 2)
    if not np.isfinite(energies).all():
        raise ValueError("interaction must keep U M^2/4V below 1.8e308")
    return moments, energies


def stoner_threshold(levels: ArrayLike, particles: int) -> StonerThreshold:
    r"""Interaction at which extended states turn magnetic, over all moments.

    Parameters
    ----------
    levels : array_like, shape (V,)
        Single-particle energies, each for both spins, in any order.
    particles : int
        Number of particles, from 2 to 2V - 2, so that a larger moment is possible.

    Returns
    -------
    StonerThreshold
        U_c and the moment that takes over; exact for the given levels.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Notes
    -----
    The smallest ratio of kinetic cost to gain. For equal spacing d of the levels every moment gives U = V d,
    that is U N(0) = 1 with N(0) = 1/(V d) per spin; elsewhere the smallest moments do if the density of
    states has no strong maximum nearby.

    References
    ----------
    E. C. Stoner, Proc. R. Soc. A 165, 372 (1938); Lau and Ng, Phys. Rev. B 110, 075153 (2024), Section IV.

    Examples
    --------
    >>> stoner_threshold(np.arange(10.0), 10)
    StonerThreshold(interaction=10.0, moment=2)
    """
    xi = real_array("levels", levels, ndim=1)
    count = integer("particles", particles, low=2, high=2 * xi.size - 2)
    moments, kinetic, volume = _kinetic(xi, count)
    if moments.size < 2:
        raise ValueError(f"particles must leave room for a second moment, got {count} in {volume} levels")
    with np.errstate(over="ignore"):
        thresholds = 4 * volume * (kinetic[1:] / (moments[1:] ** 2 - moments[0] ** 2))
    if not np.isfinite(thresholds).all():
        raise ValueError("levels must keep V times their spacing below 1.8e308")
    first = int(np.argmin(thresholds))
    return StonerThreshold(float(thresholds[first]), int(moments[1 + first]))
