"""Weak localization against temperature, above the Kondo temperature (Section IV.A).

The Kondo effect lowers the correction on cooling, the freezing of pairs raises it: if both act above T_K
the correction has a minimum.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import (
    FloatArray,
    ValidityWarning,
    broadcast,
    plain,
    positive,
    real_array,
    twice_spin,
)
from .kondo import ONE_LOOP_PREFACTOR
from .pair_quenching import alpha_s
from .weak_localization import weak_localization_crossover

Result = NDArray[np.float64] | float


def _logarithm(temperature: FloatArray, kondo: FloatArray) -> FloatArray:
    if not (temperature > kondo).all():
        raise ValueError(
            "temperature must lie above t_k in a formula for T >> T_K, "
            f"got temperature = {float(np.min(temperature)):g} and t_k = {float(np.max(kondo)):g}"
        )
    # The difference keeps its digits close to t_k, the logarithms survive ratios beyond 1e308.
    near = temperature < 2 * kondo
    excess = np.where(near, temperature - kondo, 0.0) / kondo
    logarithm: FloatArray = np.where(near, np.log1p(excess), np.log(temperature) - np.log(kondo))
    return logarithm


def spin_flip_rate(
    temperature: ArrayLike, spin: float, t_k: ArrayLike, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> Result:
    r"""Scattering rate off free impurity spins, 1/tau_s, in units n_s/nu.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_k : array_like
        Kondo temperature, positive, same unit.
    prefactor : float
        c of :func:`running_coupling`, nu J = c/ln(T/T_K): 1/2 solves the scaling equation of this Hamiltonian
        (default), the paper prints 2.

    Returns
    -------
    float or ndarray
        :math:`2\pi S(S+1)\,c^2/\ln^2(T/T_K)`. With c = 2 this is Eq. (52) as printed.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or the temperature is not above `t_k`.

    Warns
    -----
    ValidityWarning
        If the rate exceeds the unitarity bound 2 n_s/(pi nu): the Born approximation then does not hold.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (6) and (52).

    Examples
    --------
    >>> round(spin_flip_rate(np.e**4, 0.5, 1.0), 6)
    0.073631
    """
    two_s = twice_spin("spin", spin)
    constant = positive("prefactor", prefactor)
    t, kondo = broadcast(
        temperature=real_array("temperature", temperature, low=0.0), t_k=real_array("t_k", t_k, low=0.0)
    )
    rate = 2 * np.pi * (two_s * (two_s + 2) / 4) * (constant / _logarithm(t, kondo)) ** 2
    if (rate > 2 / np.pi).any():
        warnings.warn(
            ValidityWarning(
                "spin_flip_rate: the Born rate exceeds the unitarity bound 2 n_s/(pi nu); it needs "
                "ln(T/T_K) > pi c sqrt(S(S+1))"
            ),
            stacklevel=2,
        )
    return plain(rate)


def interaction_per_rate(
    temperature: ArrayLike, spin: float, t_k: ArrayLike, transit_energy: ArrayLike
) -> Result:
    r"""Product T_sg tau_s: interaction of neighbouring spins over the rate at which they flip electrons.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_k : array_like
        Kondo temperature, positive.
    transit_energy : array_like
        :math:`\hbar v_F n_s^{1/3}`, the energy at which the exchange between neighbours is taken; above
        `t_k`.

    Returns
    -------
    float or ndarray
        :math:`\ln^2(T/T_K) / [4\pi^2 S(S+1) \ln^2(v_F n_s^{1/3}/T_K)]`, independent of the prefactor of
        Eq. (2).

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or a temperature or the transit energy is not above `t_k`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (53).

    Examples
    --------
    >>> round(interaction_per_rate(100.0, 0.5, 1.0, 100.0), 12) == round(1 / (3 * np.pi**2), 12)
    True
    """
    two_s = twice_spin("spin", spin)
    t, kondo, transit = broadcast(
        temperature=real_array("temperature", temperature, low=0.0),
        t_k=real_array("t_k", t_k, low=0.0),
        transit_energy=real_array("transit_energy", transit_energy, low=0.0),
    )
    if not (transit > kondo).all():
        raise ValueError(
            f"transit_energy must lie above t_k, got transit_energy = {float(np.min(transit)):g} "
            f"and t_k = {float(np.max(kondo)):g}"
        )
    ratio = _logarithm(t, kondo) / _logarithm(transit, kondo)
    return plain(ratio**2 / (np.pi**2 * two_s * (two_s + 2)))


def weak_localization_correction(
    temperature: ArrayLike,
    spin: float,
    t_sg: float,
    t_k: float,
    transit_energy: float,
    *,
    interacting: bool = True,
) -> Result:
    r"""Weak-localization correction of a wire against temperature, above T_K and T_sg.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : float
        Interaction scale of Eq. (10) and Kondo temperature, positive.
    transit_energy : float
        :math:`\hbar v_F n_s^{1/3}`, above `t_k`.
    interacting : bool
        Whether the first virial correction is included.

    Returns
    -------
    float or ndarray
        :math:`\ln(T/T_K)\,[1 + T_{sg}\tau_s F(T\tau_s)]`: the correction in units of its value for free
        spins at ln(T/T_K) = 1. F is :func:`weak_localization_crossover`, T_sg tau_s is Eq. (53).

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or the temperature is not above `t_k`.

    Warns
    -----
    ValidityWarning
        If a temperature is not above `t_sg`, where the virial expansion fails.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (51), (53) and (54).

    Examples
    --------
    >>> float(weak_localization_correction(np.e, 0.5, 1.0, 1.0, 50.0, interacting=False))
    1.0
    """
    t = real_array("temperature", temperature, low=0.0)
    scale, kondo = positive("t_sg", t_sg), positive("t_k", t_k)
    product = np.asarray(interaction_per_rate(t, spin, kondo, transit_energy))
    logarithm = _logarithm(t, np.asarray(kondo))
    if not interacting:
        return plain(logarithm)
    if (t <= scale).any():
        warnings.warn(
            ValidityWarning(f"weak_localization_correction: the virial expansion needs T > T_sg = {scale:g}"),
            stacklevel=2,
        )
    ratio = np.log(t) - math.log(scale)
    if (ratio < -500).any():
        raise ValueError(
            f"temperature must lie above exp(-500) t_sg, got {float(t.min()):g} for t_sg = {scale:g}"
        )
    # Far above this limit the crossover is constant.
    x = np.exp(np.minimum(ratio + np.log(product), 600.0))
    return plain(logarithm * (1 + product * np.asarray(weak_localization_crossover(x, spin))))


def weak_localization_minimum(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> Result:
    r"""Temperature of the minimum of Eq. (54), exact.

    With a = alpha_S T_sg the extrema of ln(T/T_K)(1 + a/2T) obey T = (a/2)[ln(T/T_K) - 1]; the minimum is the
    upper solution.

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale of Eq. (10) and Kondo temperature, positive, one unit.

    Returns
    -------
    float or ndarray
        Temperature of the minimum, in the unit of the arguments, at or above e^2 T_K. Relative accuracy
        1e-14, less at the threshold alpha_S T_sg = 2 e^2 T_K, where minimum and maximum merge.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or alpha_S T_sg < 2 e^2 T_K, where Eq. (54) has no minimum.

    Notes
    -----
    z = ln(T/T_K) - 1 solves z - ln z = ln(a/(2 e T_K)), z >= 1: -z is the branch W_{-1} of Lambert's
    function. Newton's method from an upper bound converges from one side.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (54) and (29).

    Examples
    --------
    >>> t = weak_localization_minimum(0.5, 100.0, 1.0)
    >>> bool(abs(t / (alpha_s(0.5) * 50.0 * (np.log(t) - 1)) - 1) < 1e-13)
    True
    """
    two_s = twice_spin("spin", spin)
    scale, kondo = broadcast(t_sg=real_array("t_sg", t_sg, low=0.0), t_k=real_array("t_k", t_k, low=0.0))
    half = np.asarray(alpha_s(two_s / 2)) / 2
    excess = np.log(half) + np.log(scale) - np.log(kondo) - 2
    if not (excess >= 0).all():
        raise ValueError(
            "t_sg/t_k must be at least 2 e^2/alpha_S for Eq. (54) to have a minimum, here "
            f"{math.e**2 / float(half):g}, got {float(np.min(np.exp(excess))) * math.e**2 / float(half):g}"
        )
    z = 1 + np.sqrt(2 * excess) + excess
    for _ in range(60):
        change = z * (z - np.log(z) - 1 - excess) / np.maximum(z - 1, 1e-300)
        z = np.maximum(z - change, 1.0)
        if (np.abs(change) <= 1e-15 * z).all():
            break
    return plain(half * z * scale)
