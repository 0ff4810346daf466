"""Host metals in SI units: density of states, unitarity limits of impurity scattering, resistivity.

Concentrations are atomic parts per million, temperatures kelvins, rates per second.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import Avogadro, Boltzmann, elementary_charge, hbar, m_e

from ..numerics.validation import FloatArray, ValidityWarning, plain, real_array, real_scalar

_HIGHEST_DILUTE = 1e5  # ppm; above it the impurities are closer than about one Fermi wavelength

Number = NDArray[np.float64] | float


@dataclass(frozen=True)
class Metal:
    """Host metal with one conduction band; numbers in other units than SI are refused.

    Attributes
    ----------
    atomic_density : float
        Atoms per volume, 1/m^3, in (1e26, 1e31).
    density_of_states : float
        Density of states at the Fermi level per spin direction, 1/(J m^3), in (1e43, 1e50).
    fermi_velocity : float
        Fermi velocity, m/s, in (1e3, 3e8).

    Examples
    --------
    >>> f"{GOLD.atomic_density:.2e} atoms per cubic metre"
    '5.89e+28 atoms per cubic metre'
    """

    atomic_density: float
    density_of_states: float
    fermi_velocity: float

    def __post_init__(self) -> None:
        ranges = {
            "atomic_density": (1e26, 1e31),
            "density_of_states": (1e43, 1e50),
            "fermi_velocity": (1e3, 3e8),
        }
        for name, (low, high) in ranges.items():
            object.__setattr__(self, name, real_scalar(name, getattr(self, name), low=low, high=high))


def free_electron_metal(atomic_density: float, valence: float = 1.0) -> Metal:
    """Metal of free electrons with the mass of the electron.

    Parameters
    ----------
    atomic_density : float
        Atoms per volume, 1/m^3, in (1e26, 1e31).
    valence : float
        Conduction electrons per atom, in (0, 10).

    Returns
    -------
    Metal
        With k_F = (3 pi^2 n)^(1/3), v_F = hbar k_F/m and nu = m k_F/(2 pi^2 hbar^2) per spin.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a real number in its range.

    References
    ----------
    N. W. Ashcroft and N. D. Mermin, Solid State Physics (1976), Chapter 2.

    Examples
    --------
    >>> f"{free_electron_metal(GOLD.atomic_density).fermi_velocity:.3g} m/s"
    '1.39e+06 m/s'
    """
    atoms = real_scalar("atomic_density", atomic_density, low=1e26, high=1e31)
    electrons = atoms * real_scalar("valence", valence, low=0.0, high=10.0)
    wavenumber = math.cbrt(3 * math.pi**2 * electrons)
    return Metal(atoms, m_e * wavenumber / (2 * math.pi**2 * hbar**2), hbar * wavenumber / m_e)


def _gold() -> Metal:
    # C. Kittel, Introduction to Solid State Physics (8th ed.): lattice constant of gold (Table 1.3) and the
    # measured electronic heat capacity (Table 6.2), which fixes the density of states; free-electron v_F.
    lattice_constant = 4.08e-10  # m, face-centred cubic: four atoms a cell
    molar_heat = 0.729e-3  # J/(mol K^2)
    atoms = 4 / lattice_constant**3
    density_of_states = 3 * (molar_heat / Avogadro) * atoms / (2 * math.pi**2 * Boltzmann**2)
    return Metal(atoms, density_of_states, free_electron_metal(atoms).fermi_velocity)


GOLD = _gold()
"""Gold: lattice constant and heat capacity as measured, Fermi velocity of free electrons."""


def _metal(metal: Any) -> Metal:
    if not isinstance(metal, Metal):
        raise TypeError(f"metal must be a Metal, got {metal!r} of type {type(metal).__name__}")
    return metal


def _concentration(concentration: ArrayLike) -> FloatArray:
    ppm = real_array("concentration", concentration, low=0.0, high=1e6)
    if (ppm > _HIGHEST_DILUTE).any():
        warnings.warn(
            f"concentration = {float(ppm.max()):g} ppm: the dilute limit ends near {_HIGHEST_DILUTE:g} ppm",
            ValidityWarning,
            stacklevel=3,
        )
    return ppm


def _energy_per_impurity(ppm: FloatArray, metal: Metal) -> FloatArray:
    # n_s/nu in kelvins: the one energy scale that all rates and T_sg share.
    scale: FloatArray = 1e-6 * ppm * (metal.atomic_density / metal.density_of_states / Boltzmann)
    return scale


def impurity_density(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    """Number of impurities per volume, n_s.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        n_s in 1/m^3, shape of `concentration`.

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    Examples
    --------
    >>> f"{impurity_density(60):.2e}"
    '3.53e+24'
    """
    return plain(np.asarray(1e-6 * _concentration(concentration) * _metal(metal).atomic_density))


def energy_per_impurity(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    """Energy scale n_s/nu of an alloy: all its rates are multiples of it.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        n_s/(nu k_B) in kelvins, nu per spin direction.

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    Examples
    --------
    >>> f"{energy_per_impurity(60):.2f} K"
    '4.50 K'
    """
    return plain(_energy_per_impurity(_concentration(concentration), _metal(metal)))


def transit_temperature(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    """Energy of the electrons that carry the interaction over the mean distance, hbar v_F n_s^(1/3)/k_B.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        In kelvins: the argument of the logarithm of Eq. (10) is this temperature over T_K.

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (9) and (10).

    Examples
    --------
    >>> f"{transit_temperature(60):.0f} K"
    '1621 K'
    """
    density = 1e-6 * _concentration(concentration) * _metal(metal).atomic_density
    return plain(np.asarray(hbar * metal.fermi_velocity / Boltzmann * np.cbrt(density)))


def unitary_scattering_rate(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    r"""Largest rate at which impurities can scatter electrons of one channel, :math:`2 n_s/(\pi\hbar\nu)`.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Rate in 1/s: the phase shift pi/2, the first term of Eq. (31).

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (21) and (31).

    Examples
    --------
    >>> bool(unitary_scattering_rate(1.0) == 4 * largest_inelastic_rate(1.0))
    True
    """
    ppm, host = _concentration(concentration), _metal(metal)
    return plain(np.asarray(2 / math.pi * Boltzmann / hbar * _energy_per_impurity(ppm, host)))


def largest_inelastic_rate(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    r"""Largest rate at which impurities can change their own state, :math:`n_s/(2\pi\hbar\nu)`.

    The single-electron scattering amplitude S of one channel gives the total rate
    n_s (1 - Re S)/(pi hbar nu) and the rate n_s (1 - \|S\|^2)/(2 pi hbar nu) of all processes in which the
    impurity changes: the latter is largest for S = 0.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Rate in 1/s.

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    References
    ----------
    G. Zarand, L. Borda, J. von Delft, N. Andrei, Phys. Rev. Lett. 93, 107204 (2004).

    Examples
    --------
    >>> print(f"{largest_inelastic_rate(60):.1e} 1/s")
    9.4e+10 1/s
    """
    ppm, host = _concentration(concentration), _metal(metal)
    return plain(np.asarray(Boltzmann / hbar * _energy_per_impurity(ppm, host) / (2 * math.pi)))


def unitary_resistivity(concentration: ArrayLike, metal: Metal = GOLD) -> Number:
    r"""Resistivity of unitary scatterers, Eq. (34): :math:`3 n_s/(\pi\hbar e^2\nu^2 v_F^2)`.

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        In ohm metres.

    Raises
    ------
    TypeError, ValueError
        If `concentration` is not real or out of range, or `metal` is no Metal.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (34).

    Examples
    --------
    >>> print(f"{unitary_resistivity(1.0) * 1e11:.2f} nano-ohm cm per ppm")
    0.33 nano-ohm cm per ppm
    """
    ppm, host = _concentration(concentration), _metal(metal)
    conductance = elementary_charge**2 * host.density_of_states * host.fermi_velocity**2
    return plain(np.asarray(3 * Boltzmann / (math.pi * hbar) * _energy_per_impurity(ppm, host) / conductance))
