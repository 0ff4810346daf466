r"""Transport by underscreened impurities well below the Kondo temperature: resistivity, weak localization.

Resistivities are ratios to the unitarity value 3 n_s/(pi e^2 nu^2 v_F^2) of Eq. (34).
`spin` is the spin S of the bare impurity; `prefactor` is c of nu |J| = c/ln(T_K/T): 1/2 solves the one-loop
scaling equation, the paper prints 2.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import ValidityWarning, plain, positive, real_array, real_scalar
from .kondo import ONE_LOOP_PREFACTOR, _prefactor
from .pair_quenching import alpha_s
from .underscreened import _logarithm_below, _residual_spin
from .weak_localization import weak_localization_crossover


def low_temperature_resistivity(
    temperature: ArrayLike, spin: float, t_sg: float, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Resistivity of underscreened impurities below T_K in units of the unitarity value (34).

    .. math:: \frac{\Delta\rho_K}{\Delta\rho_U} = 1-\pi^2c^2\,\frac{S^2-1/4}{\ln^2(T_K/T)}
              \Bigl(1-\alpha_{S-1/2}\frac{\tilde T_{sg}}T\Bigr) .

    Parameters
    ----------
    temperature : array_like
        Temperature, in (0, `t_k`).
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_sg : float
        Typical interaction of the residual spins (tilde T_sg), at least 0, same unit; 0 switches it off.
    t_k : float
        Kondo temperature, positive.
    prefactor : float
        c: 1/2 by one-loop scaling (pi^2 c^2 = pi^2/4), 2 as the paper prints (4 pi^2).

    Returns
    -------
    float or ndarray
        Ratio to the unitarity resistivity.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    Warns
    -----
    ValidityWarning
        If a temperature does not exceed `t_sg`, or the result leaves [0, 1], which no scatterer does.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (38).

    Examples
    --------
    >>> round((1 - low_temperature_resistivity(np.exp(-10.0), 1.0, 0.0, 1.0)) * 1600 / np.pi**2, 12)
    3.0
    """
    c, residual = _prefactor(prefactor), _residual_spin(spin)
    logarithm = _logarithm_below("temperature", temperature, t_k)
    heat = real_array("temperature", temperature)
    glass = real_scalar("t_sg", t_sg, low=0.0, open_low=False)
    with np.errstate(over="ignore"):
        correction = float(alpha_s(residual)) * (glass / heat)
    if not (correction < 1e100).all():
        raise ValueError(f"temperature must exceed t_sg times 1e-100, got {temperature!r}")
    values = np.asarray(
        1.0 - (math.pi * c) ** 2 * residual * (residual + 1) / logarithm**2 * (1.0 - correction)
    )
    if (heat <= glass).any():
        warnings.warn(
            ValidityWarning(f"first-order virial expansion of (38) holds for T above t_sg = {glass:g}"),
            stacklevel=2,
        )
    elif ((values < 0.0) | (values > 1.0)).any():
        warnings.warn(
            ValidityWarning(
                "resistivity (38) holds where it lies in [0, 1] of the unitarity value: "
                f"T well below t_k and above alpha t_sg, got a ratio down to {float(np.min(values)):.3g} "
                f"and up to {float(np.max(values)):.3g}"
            ),
            stacklevel=2,
        )
    return plain(values)


def resistivity_crossover(spin: float, t_sg: float, t_k: float) -> float:
    r"""Temperature at which both terms of d(rho)/dT of (38) are equal, exactly.

    Parameters
    ----------
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_sg : float
        Typical interaction of the residual spins, positive.
    t_k : float
        Kondo temperature, same unit, at least alpha_{S-1/2} `t_sg`.

    Returns
    -------
    float
        T = (a/2) W_0(2 e^2 T_K/a), a = alpha_{S-1/2} t_sg, which solves T = a [1 + ln(T_K/T)/2]; between a
        and `t_k`. Below it the interaction, above it the Kondo logarithm dominates the slope.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or `t_k` is below alpha `t_sg` (no crossover below T_K).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (38), (39).

    Examples
    --------
    >>> t, a = resistivity_crossover(1.0, 0.01, 1.0), 0.01 * alpha_s(0.5)
    >>> bool(abs(t - a * (1 - np.log(t) / 2)) < 1e-15)
    True
    """
    residual = _residual_spin(spin)
    glass, scale = positive("t_sg", t_sg), positive("t_k", t_k)
    a = float(alpha_s(residual)) * glass
    if a > scale:
        raise ValueError(
            f"t_k must be at least alpha_(S-1/2) t_sg = {a:g} for a crossover below t_k, got {t_k!r}"
        )
    # z = W_0(2 e^2 T_K/a) by Newton on z + ln z = ln of the argument, which cannot overflow.
    target = math.log(2.0) + 2.0 + math.log(scale) - math.log(a)
    z = max(target - math.log(target), 1.0)
    for _ in range(60):
        step = (z + math.log(z) - target) / (1.0 + 1.0 / z)
        z -= step
        if abs(step) <= 4e-16 * z:
            break
    return a / 2 * z


def resistivity_crossover_estimate(spin: float, t_sg: float, t_k: float) -> float:
    r"""Leading logarithm of :func:`resistivity_crossover`, (alpha_{S-1/2}/2) T_sg ln(T_K/T_sg).

    Parameters
    ----------
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_sg : float
        Typical interaction of the residual spins, in (0, `t_k`).
    t_k : float
        Kondo temperature, positive, same unit.

    Returns
    -------
    float
        Estimate, same unit.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (39); printed there with the index S - 1.

    Examples
    --------
    >>> resistivity_crossover_estimate(1.0, 1e-4, 1.0) < resistivity_crossover(1.0, 1e-4, 1.0)
    True
    """
    residual = _residual_spin(spin)
    scale = positive("t_k", t_k)
    glass = float(_logarithm_below("t_sg", positive("t_sg", t_sg), scale))
    return float(alpha_s(residual)) / 2 * float(t_sg) * glass


def frozen_resistivity(
    spin: float, t_sg: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Resistivity with every residual spin frozen, :math:`1-\pi^2c^2(S-1/2)^2/\ln^2(T_K/\tilde T_{sg})`.

    Parameters
    ----------
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_sg : array_like
        Typical interaction of the residual spins, in (0, `t_k`).
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c of the residual coupling.

    Returns
    -------
    float or ndarray
        Ratio to the unitarity resistivity (34), a mean-field estimate.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    Warns
    -----
    ValidityWarning
        If the result is negative: the coupling at `t_sg` is then no small one.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (40).

    Examples
    --------
    >>> round((1 - frozen_resistivity(1.0, np.exp(-10.0), 1.0)) * 1600 / np.pi**2, 12)
    1.0
    """
    c, residual = _prefactor(prefactor), _residual_spin(spin)
    values = np.asarray(1.0 - (math.pi * c * residual / _logarithm_below("t_sg", t_sg, t_k)) ** 2)
    if (values < 0.0).any():
        warnings.warn(
            ValidityWarning(
                f"frozen resistivity (40) holds for t_sg far below t_k, got {float(np.min(values)):.3g}"
            ),
            stacklevel=2,
        )
    return plain(values)


def residual_weak_localization(
    temperature: ArrayLike, spin: float, t_sg: float, tau_s: ArrayLike
) -> NDArray[np.float64] | float:
    r"""Weak localization below T_K relative to free residual spins, through the whole crossover in T tau.

    Parameters
    ----------
    temperature : array_like
        Temperature, positive.
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1 to 100.
    t_sg : float
        Typical interaction of the residual spins, at least 0, same unit.
    tau_s : array_like
        Scattering time off the residual spins at that temperature, positive, inverse unit (hbar = k_B = 1).

    Returns
    -------
    float or ndarray
        The bracket that multiplies (e^2/2 pi hbar) sqrt(D tau_s/2): (60) for T tau_s >> 1, (61) for
        T tau_s << 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range.

    Warns
    -----
    ValidityWarning
        If a temperature does not exceed `t_sg`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (60), (61).

    Examples
    --------
    >>> residual_weak_localization(1.0, 1.0, 0.0, 1.0)
    1.0
    """
    residual = _residual_spin(spin)
    heat, glass = (
        real_array("temperature", temperature, low=0.0),
        real_scalar("t_sg", t_sg, low=0.0, open_low=False),
    )
    times = real_array("tau_s", tau_s, low=0.0)
    if (heat <= glass).any():
        warnings.warn(
            ValidityWarning(f"first-order virial expansion holds for T above t_sg = {glass:g}"), stacklevel=2
        )
    with np.errstate(over="ignore", under="ignore"):
        product = heat * times
    if not ((product >= 1e-300) & (product <= 1e300)).all():
        raise ValueError(f"tau_s times temperature must lie in [1e-300, 1e300], got tau_s = {tau_s!r}")
    if glass == 0.0:
        return plain(np.ones_like(product))
    crossover = np.asarray(weak_localization_crossover(product, residual))
    with np.errstate(over="ignore"):
        correction = 1.0 + glass * times * crossover
    if not np.isfinite(correction).all():
        raise ValueError(f"t_sg times tau_s must be representable, got t_sg = {t_sg!r}, tau_s = {tau_s!r}")
    return plain(np.asarray(correction))
