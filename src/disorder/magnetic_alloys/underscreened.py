r"""Residual spins S - 1/2 of impurities with S > 1/2, well below the Kondo temperature: their couplings.

`concentration` is n_s/nu, an energy: impurities per volume over the density of states per spin direction.
`spin` is the spin S of the bare impurity; `prefactor` is c of nu |J| = c/ln(T_K/T): 1/2 solves the one-loop
scaling equation, the paper prints 2.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import lambertw

from ..numerics.validation import FloatArray, plain, positive, real_array, twice_spin
from .kondo import ONE_LOOP_PREFACTOR, _log_ratio, _prefactor


def _residual_spin(spin: float) -> float:
    return (twice_spin("spin", spin, low=1.0) - 1) / 2


def _logarithm_below(name: str, value: ArrayLike, t_k: float) -> FloatArray:
    scale = positive("t_k", t_k)
    values = real_array(name, value, low=0.0, high=scale)
    return _log_ratio(np.asarray(scale), values)


def residual_coupling(
    temperature: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Magnitude of the residual exchange below T_K, :math:`\nu|\tilde{\mathcal J}|=c/\ln(T_K/T)`.

    Parameters
    ----------
    temperature : array_like
        Temperature, in (0, `t_k`).
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c: 1/2 by one-loop scaling, 2 as the paper prints.

    Returns
    -------
    float or ndarray
        nu |J|; the coupling is ferromagnetic. Logarithmic accuracy in T_K/T.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    Notes
    -----
    The ferromagnetic solution of the one-loop equation, which flows to zero. Only its square enters.

    References
    ----------
    Nozieres and Blandin, J. Physique 41, 193 (1980); Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (35).

    Examples
    --------
    >>> round(residual_coupling(np.exp(-5.0), 1.0), 12)
    0.1
    """
    return plain(np.asarray(_prefactor(prefactor) / _logarithm_below("temperature", temperature, t_k)))


def residual_scattering_rate(
    temperature: ArrayLike, spin: float, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Rate of scattering off the residual spins, :math:`2\pi c^2(S^2-1/4)/\ln^2(T_K/T)` in units of n_s/nu.

    Parameters
    ----------
    temperature : array_like
        Temperature, in (0, `t_k`).
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c of the residual coupling; the paper prints 2, hence 8 pi.

    Returns
    -------
    float or ndarray
        (nu/n_s)/tilde tau_s, positive.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (6), (35), (59).

    Examples
    --------
    >>> round(residual_scattering_rate(np.exp(-10.0), 1.0, 1.0) / np.pi * 800, 12)
    3.0
    """
    c, residual = _prefactor(prefactor), _residual_spin(spin)
    return plain(
        np.asarray(
            2
            * math.pi
            * c**2
            * residual
            * (residual + 1)
            / _logarithm_below("temperature", temperature, t_k) ** 2
        )
    )


def self_consistent_interaction(
    concentration: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Solution V of the self-consistent equation for the coupling of two residual spins.

    .. math:: V = \frac{c^2}{2\pi}\,\frac{1}{\nu R^3}\,\frac1{\ln^2(T_K/V)}, \qquad
              V = T_K\,e^{2W_{-1}(-\sqrt g/2)}, \quad g = \frac{c^2}{2\pi\nu R^3T_K} .

    Parameters
    ----------
    concentration : array_like
        1/(nu R^3) for two spins at the distance R, positive, unit of energy; n_s/nu for the typical distance.
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c of the residual coupling.

    Returns
    -------
    float or ndarray
        V, in the unit of `t_k`, at most T_K/e^2; relative accuracy about 1e-14, down to 1e-8 where the branch
        ends.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or g exceeds 4/e^2: no solution below T_K exists at that distance.

    Notes
    -----
    W_{-1} is the lower real branch of Lambert's function: the branch on which V vanishes at large distance.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (36).

    Examples
    --------
    >>> v = self_consistent_interaction(1.0, 1.0)
    >>> round(float(v * np.log(v) ** 2 * 8 * np.pi), 12)
    1.0
    """
    c, scale = _prefactor(prefactor), positive("t_k", t_k)
    density = real_array("concentration", concentration, low=0.0)
    half_root = c / math.sqrt(8 * math.pi) * (np.sqrt(density) / math.sqrt(scale))
    if (half_root > math.exp(-1.0)).any():
        limit = 8 * math.pi * math.exp(-2.0) * scale / c**2
        raise ValueError(
            f"concentration must be at most {limit:g}, or no solution below t_k exists; got {concentration!r}"
        )
    if (half_root < 1e-300).any():
        raise ValueError(f"concentration must exceed t_k times 1e-590, got {concentration!r}")
    logarithm = -2 * np.real(lambertw(-half_root, k=-1))
    # g T_K / ln^2 instead of exp(-ln): the error of the logarithm enters once, not as a power.
    return plain(np.asarray(c**2 / (2 * math.pi) * density / logarithm**2))


def residual_glass_temperature(
    concentration: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Typical interaction of residual spins to logarithmic accuracy, c^2 n_s/(2 pi nu ln^2(T_K nu/n_s)).

    Parameters
    ----------
    concentration : array_like
        n_s/nu, in (0, `t_k`).
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c of the residual coupling; the paper prints 2.

    Returns
    -------
    float or ndarray
        Estimate of :func:`self_consistent_interaction`; the relative error vanishes only like ln ln/ln.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (37).

    Examples
    --------
    >>> round(residual_glass_temperature(0.01, 0.01 * np.exp(10.0)) * 8e4 * np.pi, 12)
    1.0
    """
    c = _prefactor(prefactor)
    logarithm = _logarithm_below("concentration", concentration, t_k)
    return plain(np.asarray(c**2 / (2 * math.pi) * real_array("concentration", concentration) / logarithm**2))


def rkky_energy_share(energy: ArrayLike, transit_energy: float) -> NDArray[np.float64] | float:
    r"""Share of the interaction at distance R that electrons within `energy` of the Fermi level produce.

    Parameters
    ----------
    energy : array_like
        Half width of the energy shell (imaginary frequency), at least 0.
    transit_energy : float
        v_F/R, positive, same unit.

    Returns
    -------
    float or ndarray
        1 - exp(-2 energy/transit_energy), in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The interaction is the integral over imaginary frequencies of the squared propagator at distance R, which
    decays as exp(-2 |omega| R/v_F) and gives the law cos(2 k_F R)/R^3 for k_F R >> 1. The coupling constant
    in it is therefore taken at the energy v_F/R.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (9), (36).

    Examples
    --------
    >>> round(rkky_energy_share(0.5 * np.log(2.0), 1.0), 12)
    0.5
    """
    shell = real_array("energy", energy, low=0.0, open_low=False)
    scale = positive("transit_energy", transit_energy)
    with np.errstate(over="ignore"):
        return plain(np.asarray(-np.expm1(-2.0 * (shell / scale))))
