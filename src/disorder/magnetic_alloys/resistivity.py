"""Kondo resistivity of an alloy with many magnetic impurities, above T_sg and T_K (Section III.A)."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, ValidityWarning, broadcast, real_array, twice_spin
from .pair_quenching import alpha_s


def _scales(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> tuple[float, FloatArray, FloatArray]:
    alpha = float(alpha_s(twice_spin("spin", spin) / 2))
    sg, kondo = broadcast(t_sg=real_array("t_sg", t_sg, low=0.0), t_k=real_array("t_k", t_k, low=0.0))
    return alpha, sg, kondo


def _log_ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    # Logarithm of above/below, exact also where the two are neighbouring floating-point numbers.
    with np.errstate(over="ignore"):
        near = np.log1p((above - below) / below)
    ratio: FloatArray = np.where(above / 2 < below, near, np.log(above) - np.log(below))
    return ratio


def _temperature_ratio(t_sg: ArrayLike, t_k: ArrayLike, sg: FloatArray, kondo: FloatArray) -> FloatArray:
    if (sg <= kondo).any():
        raise ValueError(f"t_sg must exceed t_k, got t_sg = {t_sg!r}, t_k = {t_k!r}")
    return _log_ratio(sg, kondo)


def _finished(value: FloatArray) -> NDArray[np.float64] | float:
    if not np.isfinite(value).all():
        raise ValueError("the ratio of the scales must keep the result in the range of double precision")
    return float(value) if np.ndim(value) == 0 else value


def kondo_resistivity(
    temperature: ArrayLike, spin: float, t_sg: ArrayLike, t_k: ArrayLike
) -> NDArray[np.float64] | float:
    r"""Kondo resistivity with the Kondo logarithm and the first virial correction, Eq. (27).

    .. math:: \frac{\Delta\rho_K}{\rho_1} = \frac{1 - \alpha_S T_{sg}/T}{\ln^2(T/T_K)}, \qquad
              \rho_1 = \frac{3\pi n_s S(S+1)}{4 e^2 v_F^2 \nu^2}

    Parameters
    ----------
    temperature : array_like
        T, above T_K; any unit, the same as `t_sg` and `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale (10) and Kondo temperature, positive.

    Returns
    -------
    float or ndarray
        Resistivity over rho_1, of the broadcast shape. rho_1 belongs to the coupling 1/(2 nu ln(T/T_K)) that
        solves the scaling equation of the Hamiltonian (1); the paper prints it 16 times as large.

    Raises
    ------
    TypeError, ValueError
        If a scale is not finite and positive, or T is not above T_K.

    Warns
    -----
    ValidityWarning
        If T < 2 alpha_S T_sg: the first virial correction exceeds one half.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (27).

    Examples
    --------
    >>> round(kondo_resistivity(20.0, 0.5, 1.0, 1.0), 6)
    0.105272
    """
    alpha, sg, kondo = _scales(spin, t_sg, t_k)
    t = real_array("temperature", temperature, low=0.0)
    t, sg, kondo = broadcast(temperature=t, t_sg=sg, t_k=kondo)
    if (t <= kondo).any():
        raise ValueError(f"temperature must lie above t_k = {t_k!r}, got {temperature!r}")
    with np.errstate(over="ignore"):
        correction = alpha * (sg / t)
    if (correction > 0.5).any():
        warnings.warn(
            f"kondo_resistivity: first virial correction up to {correction.max():.2g}; Eq. (27) holds for "
            "temperature above 2 alpha_S t_sg",
            ValidityWarning,
            stacklevel=2,
        )
    return _finished((1 - correction) / _log_ratio(t, kondo) ** 2)


def resistivity_maximum(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> NDArray[np.float64] | float:
    r"""Temperature of the maximum of Eq. (27), exactly.

    With a = alpha_S T_sg the maximum obeys T = a [1 + ln(T/T_K)/2], that is
    :math:`T^* = \tfrac{a}{2} z`, :math:`z - \ln z = 2 + \ln(a/2T_K)`, z > 2 (Lambert's function).

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale and Kondo temperature, positive, in one unit.

    Returns
    -------
    float or ndarray
        T*, in that unit, of the broadcast shape; relative accuracy 1e-14.

    Raises
    ------
    TypeError, ValueError
        If a scale is not finite and positive, or alpha_S T_sg <= T_K: then (27) falls monotonically above
        T_K and has no maximum.

    Notes
    -----
    Newton's method from above on a convex function. At the maximum the first virial correction equals
    1/(1 + ln(T*/T_K)/2): it is small only if that logarithm is large.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (27), (29).

    Examples
    --------
    >>> round(resistivity_maximum(0.5, 10.0, 1.0), 6)
    29.800793
    """
    alpha, sg, kondo = _scales(spin, t_sg, t_k)
    logarithm = np.log(alpha / 2) + np.log(sg) - np.log(kondo)
    if (logarithm <= -np.log(2)).any():
        raise ValueError(
            f"t_sg must exceed t_k / alpha_S = t_k / {alpha:.6g} for a maximum to exist, "
            f"got t_sg = {t_sg!r}, t_k = {t_k!r}"
        )
    z = 2 * (logarithm + 2)
    for _ in range(60):
        step = (z - np.log(z) - 2 - logarithm) / (1 - 1 / z)
        z = z - step
        if (np.abs(step) <= 4e-16 * z).all():
            break
    with np.errstate(over="ignore"):
        return _finished(alpha / 2 * z * sg)


def resistivity_maximum_estimate(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> NDArray[np.float64] | float:
    """Leading-logarithm estimate (29) of the temperature of the maximum, (alpha_S/2) T_sg ln(T_sg/T_K).

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale and Kondo temperature, positive, in one unit, T_sg above T_K.

    Returns
    -------
    float or ndarray
        The estimate, in that unit. It lies below the exact position by a factor 2 to 4 unless the
        logarithm is huge.

    Raises
    ------
    TypeError, ValueError
        If a scale is not finite and positive, or T_sg <= T_K.

    Warns
    -----
    ValidityWarning
        If ln(T_sg/T_K) < 2: at the estimated temperature Eq. (27) is negative.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (29).

    Examples
    --------
    >>> round(resistivity_maximum_estimate(0.5, 10.0, 1.0), 6)
    12.72007
    """
    alpha, sg, kondo = _scales(spin, t_sg, t_k)
    logarithm = _temperature_ratio(t_sg, t_k, sg, kondo)
    if (logarithm < 2).any():
        warnings.warn(
            f"resistivity_maximum_estimate: ln(t_sg/t_k) down to {logarithm.min():.2g}; Eq. (29) holds for a "
            "large logarithm: below 2 the first virial correction at the estimate exceeds 1",
            ValidityWarning,
            stacklevel=2,
        )
    with np.errstate(over="ignore"):
        return _finished(alpha / 2 * logarithm * sg)


def frozen_spin_resistivity(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> NDArray[np.float64] | float:
    """Estimate (30) of the Kondo resistivity at T = 0, where every spin is frozen in its local field.

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale and Kondo temperature, positive, in one unit, T_sg above T_K.

    Returns
    -------
    float or ndarray
        Resistivity in the unit rho_1 of :func:`kondo_resistivity`: S/(S+1) / ln^2(T_sg/T_K).

    Raises
    ------
    TypeError, ValueError
        If a scale is not finite and positive, or T_sg <= T_K.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (30).

    Examples
    --------
    >>> round(frozen_spin_resistivity(0.5, np.e, 1.0), 12)
    0.333333333333
    """
    _, sg, kondo = _scales(spin, t_sg, t_k)
    s = twice_spin("spin", spin) / 2
    return _finished(s / (s + 1) / _temperature_ratio(t_sg, t_k, sg, kondo) ** 2)
