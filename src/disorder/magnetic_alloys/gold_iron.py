"""Dilute iron in gold: the scales of the paper in SI units, with both prefactors of J.

Every quantity that contains the running exchange J = c/(nu ln) takes its prefactor c, see :mod:`.kondo`:
1/2 is what the one-loop flow of the Hamiltonian (1) gives, 2 is what Eqs. (2), (9) and (35) print.
Concentrations are atomic parts per million, temperatures kelvins, rates per second.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import Boltzmann, hbar
from scipy.special import lambertw

from ..numerics.validation import FloatArray, ValidityWarning, plain, real_array, real_scalar, twice_spin
from .host_metal import GOLD, Metal, Number, _concentration, _energy_per_impurity, _metal
from .kondo import ONE_LOOP_PREFACTOR


def _prefactor(prefactor: float) -> float:
    return real_scalar("prefactor", prefactor, low=1e-9, high=1e9)


def _distance_logarithm(ppm: FloatArray, kondo: FloatArray, metal: Metal) -> FloatArray:
    # ln(hbar v_F n_s^(1/3)/(k_B T_K)), in logarithms so that extreme arguments do not overflow.
    log_energy = math.log(hbar * metal.fermi_velocity / Boltzmann) + math.log(1e-6 * metal.atomic_density) / 3
    logarithm: FloatArray = log_energy + np.log(ppm) / 3 - np.log(kondo)
    return logarithm


def spin_glass_temperature(
    concentration: ArrayLike,
    kondo_temperature: ArrayLike,
    *,
    prefactor: float = ONE_LOOP_PREFACTOR,
    metal: Metal = GOLD,
) -> Number:
    r"""Typical interaction of two impurities at their mean distance, T_sg of Eq. (10).

    .. math:: T_{sg} = \frac{c^2}{2\pi}\,\frac{n_s}{\nu}\,\ln^{-2}\frac{\hbar v_F n_s^{1/3}}{k_B T_K}

    Parameters
    ----------
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    kondo_temperature : array_like
        T_K in kelvins, positive, below hbar v_F n_s^(1/3)/k_B.
    prefactor : float
        c in J = c/(nu ln), in (1e-9, 1e9): 1/2 by default, 2 as printed.
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        T_sg in kelvins, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Warns
    -----
    ValidityWarning
        If the logarithm is below 2, where one-loop renormalisation has no accuracy.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (9) and (10).

    Examples
    --------
    >>> print(f"{1e3 * spin_glass_temperature(60, 0.3):.2f} mK")
    2.43 mK
    """
    ppm, kondo = np.broadcast_arrays(
        _concentration(concentration), real_array("kondo_temperature", kondo_temperature, low=0.0)
    )
    logarithm = _distance_logarithm(ppm, kondo, _metal(metal))
    if (logarithm <= 0).any():
        raise ValueError(
            "kondo_temperature must lie below hbar v_F n_s^(1/3)/k_B, "
            f"got a ratio of {float(np.exp(logarithm.min())):g} for {kondo_temperature!r}"
        )
    if (logarithm < 2).any():
        warnings.warn(
            f"spin_glass_temperature: ln(v_F n_s^(1/3)/T_K) = {float(logarithm.min()):.2g} is below 2",
            ValidityWarning,
            stacklevel=2,
        )
    c = _prefactor(prefactor)
    return plain(np.asarray(c * c / (2 * math.pi) * _energy_per_impurity(ppm, metal) / logarithm**2))


def spin_scattering_rate(
    temperature: ArrayLike,
    concentration: ArrayLike,
    kondo_temperature: ArrayLike,
    spin: float,
    *,
    prefactor: float = ONE_LOOP_PREFACTOR,
    metal: Metal = GOLD,
) -> Number:
    r"""Born rate 1/tau_s with the running exchange constant, Eq. (52).

    .. math:: \frac{1}{\tau_s} = 2\pi c^2\,\frac{n_s}{\hbar\nu}\,\frac{S(S+1)}{\ln^2(T/T_K)}

    Parameters
    ----------
    temperature, kondo_temperature : array_like
        T > T_K > 0 in kelvins.
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    prefactor : float
        c in J = c/(nu ln), in (1e-9, 1e9): 1/2 by default, 2 as printed.
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Rate in 1/s, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range, or T is not above T_K.

    Warns
    -----
    ValidityWarning
        If the rate exceeds the largest inelastic rate: the leading logarithm breaks unitarity there.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (6) and (52).

    Examples
    --------
    >>> print(f"{spin_scattering_rate(30.0, 60, 0.3, 0.5):.1e} 1/s")
    3.3e+10 1/s
    """
    hot, ppm, kondo = np.broadcast_arrays(
        real_array("temperature", temperature, low=0.0),
        _concentration(concentration),
        real_array("kondo_temperature", kondo_temperature, low=0.0),
    )
    if not (hot > kondo).all():
        raise ValueError(
            f"temperature must lie above kondo_temperature = {kondo_temperature!r}, got {temperature!r}"
        )
    half = twice_spin("spin", spin) / 2
    c = _prefactor(prefactor)
    limit = np.asarray(Boltzmann / hbar * _energy_per_impurity(ppm, _metal(metal)) / (2 * math.pi))
    # ln(T/T_K) without cancellation at T close to T_K and without overflow of the ratio.
    close = np.log1p(np.minimum(hot - kondo, kondo) / kondo)
    logarithm = np.where(hot / 2 < kondo, close, np.log(hot) - np.log(kondo))
    share = 4 * math.pi**2 * c * c * half * (half + 1) / logarithm**2
    if (share > 1).any():
        warnings.warn(
            f"spin_scattering_rate: {float(share.max()):.3g} times the largest inelastic rate; "
            "Eq. (52) needs ln(T/T_K) > 2 pi c sqrt(S(S+1))",
            ValidityWarning,
            stacklevel=2,
        )
    return plain(np.asarray(share * limit))


def suhl_nagaoka_rate(
    temperature: ArrayLike,
    concentration: ArrayLike,
    kondo_temperature: ArrayLike,
    spin: float,
    *,
    metal: Metal = GOLD,
) -> Number:
    r"""Rate at which a single impurity changes its state, from the Suhl-Nagaoka amplitude.

    .. math:: \frac{1}{\tau_s} = \frac{n_s}{2\pi\hbar\nu}\,\frac{\pi^2 S(S+1)}{\pi^2 S(S+1) + \ln^2(T/T_K)}

    Parameters
    ----------
    temperature, kondo_temperature : array_like
        Positive, in kelvins.
    concentration : array_like
        Atomic parts per million, in (0, 1e6).
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Rate in 1/s, of the broadcast shape. Interpolates through T_K; below T_K it is no more than a guide.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Notes
    -----
    The form in which weak-localization experiments are usually analysed. Far above T_K it becomes Eq. (52)
    with the prefactor 1/2.

    References
    ----------
    D. R. Hamann, Phys. Rev. 158, 570 (1967); F. Pierre et al., Phys. Rev. B 68, 085413 (2003).

    Examples
    --------
    >>> print(f"{suhl_nagaoka_rate(0.3, 60, 0.3, 1.5):.1e} 1/s")
    9.4e+10 1/s
    """
    warm, ppm, kondo = np.broadcast_arrays(
        real_array("temperature", temperature, low=0.0),
        _concentration(concentration),
        real_array("kondo_temperature", kondo_temperature, low=0.0),
    )
    half = twice_spin("spin", spin) / 2
    limit = Boltzmann / hbar * _energy_per_impurity(ppm, _metal(metal)) / (2 * math.pi)
    strength = math.pi**2 * half * (half + 1)
    return plain(np.asarray(limit * strength / (strength + (np.log(warm) - np.log(kondo)) ** 2)))


def critical_concentration(
    kondo_temperature: ArrayLike,
    *,
    factor: float = 1.0,
    prefactor: float = ONE_LOOP_PREFACTOR,
    metal: Metal = GOLD,
) -> Number:
    r"""Concentration at which `factor` times T_sg reaches T_K, in closed form.

    With z = ln(hbar v_F n_s^(1/3)/(k_B T_K)) the condition is :math:`z e^{-3z/2} = b`, solved by the lower
    branch of the Lambert function, :math:`z = -\tfrac23 W_{-1}(-\tfrac32 b)`.

    Parameters
    ----------
    kondo_temperature : array_like
        T_K in kelvins, positive.
    factor : float
        In (1e-9, 1e9). With 1 the condition is T_sg = T_K; with alpha_S it is the condition under which the
        maximum of Eq. (27) appears at T_K.
    prefactor : float
        c in J = c/(nu ln), in (1e-9, 1e9): 1/2 by default, 2 as printed.
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Atomic parts per million; may exceed 1e6, which says that no concentration is high enough.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range, or T_sg exceeds T_K at every concentration.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (10) and Section VI.

    Examples
    --------
    >>> n = critical_concentration(0.3, prefactor=2.0)
    >>> round(spin_glass_temperature(n, 0.3, prefactor=2.0), 10)
    0.3
    """
    kondo, host = real_array("kondo_temperature", kondo_temperature, low=0.0), _metal(metal)
    c = _prefactor(prefactor)
    one_ppm = np.asarray(1.0)
    scale = (
        real_scalar("factor", factor, low=1e-9, high=1e9)
        * c
        * c
        / (2 * math.pi)
        * _energy_per_impurity(one_ppm, host)
    )
    log_distance = _distance_logarithm(one_ppm, kondo, host)  # z at 1 ppm, so that n = exp(3 (z - z_1))
    log_b = (np.log(scale) - np.log(kondo) - 3 * log_distance) / 2
    if (log_b > -1 - math.log(1.5)).any():
        raise ValueError(
            f"kondo_temperature must be low enough for T_sg to fall below it, got {kondo_temperature!r} "
            f"with factor = {factor!r} and prefactor = {prefactor!r}"
        )
    z = -2 / 3 * np.real(lambertw(-1.5 * np.exp(log_b), -1))
    return plain(np.asarray(np.exp(3 * (z - log_distance))))


def residual_interaction_limit(
    kondo_temperature: ArrayLike, *, prefactor: float = ONE_LOOP_PREFACTOR, metal: Metal = GOLD
) -> Number:
    r"""Concentration above which Eq. (36) has no solution at the mean distance of the impurities.

    With v = V/T_K Eq. (36) reads :math:`v\ln^2 v = g`, :math:`g = c^2 n_s/(2\pi\nu T_K)`. On (0, 1) the left
    side is largest at v = exp(-2), where it equals 4 exp(-2).

    Parameters
    ----------
    kondo_temperature : array_like
        T_K in kelvins, positive.
    prefactor : float
        c in J = c/(nu ln), in (1e-9, 1e9): 1/2 by default, 2 as printed.
    metal : Metal
        Host.

    Returns
    -------
    float or ndarray
        Atomic parts per million.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (36) and (37).

    Examples
    --------
    >>> float(round(residual_interaction_limit(0.3) / residual_interaction_limit(0.3, prefactor=2.0)))
    16.0
    """
    kondo, host = real_array("kondo_temperature", kondo_temperature, low=0.0), _metal(metal)
    c = _prefactor(prefactor)
    per_ppm = _energy_per_impurity(np.asarray(1.0), host)
    return plain(np.asarray(8 * math.pi * math.exp(-2) / (c * c) * kondo / per_ppm))
