r"""A screened spin 1/2 below the Kondo temperature: local Fermi liquid, its scales, its phase relaxation.

Scattering matrices are returned as nu Im T, rates of an alloy in units of n_s/nu (an energy; nu is the
density of states per spin direction, n_s the number of impurities per volume).
"""

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.quadrature import integrate
from ..numerics.validation import FloatArray, ValidityWarning, plain, positive, real_array

WILSON_NUMBER = math.exp(np.euler_gamma + 0.25) / math.pi**1.5
"""w of the susceptibility w (g mu_B)^2/(4 T_W) at zero temperature, T_W Wilson's Kondo temperature."""

_RATES = ("inelastic", "printed")


@dataclass(frozen=True)
class KondoTemperatures:
    r"""One spin-1/2 Kondo scale under its names; all in the same unit.

    Attributes
    ----------
    phase_shift : float
        T_0 of the phase shift pi/2 + energy/T_0 (Nozieres).
    specific_heat : float
        The scale for which the impurity specific heat is pi^2 T/T_K: the T_K of Eqs. (32), (33), (56)-(58).
    wilson : float
        T_W of the susceptibility (g mu_B)^2 [1 - 1/ln(T/T_W) - ...]/(4T) at high temperature, without a term
        1/ln^2 of its own: the scale that belongs to running couplings.
    """

    phase_shift: float
    specific_heat: float
    wilson: float


def kondo_temperatures(
    *, phase_shift: float | None = None, specific_heat: float | None = None, wilson: float | None = None
) -> KondoTemperatures:
    r"""Translate one Kondo temperature of a spin-1/2 impurity into the others.

    Parameters
    ----------
    phase_shift, specific_heat, wilson : float, optional
        Exactly one of them, from 1e-300 to 1e300: see :class:`KondoTemperatures`.

    Returns
    -------
    KondoTemperatures
        Exact ratios: specific_heat = (3 pi/2) phase_shift, phase_shift = 4 wilson/(pi w) with
        w = exp(C + 1/4)/pi^(3/2), C Euler's constant.

    Raises
    ------
    TypeError, ValueError
        If not exactly one scale is given, or it is out of range.

    Notes
    -----
    The impurity adds the density of states 1/(pi T_0) per spin, hence C_imp = (2 pi/3) T/T_0; Wilson's
    ratio 2 gives the susceptibility (g mu_B)^2/(pi T_0), to be compared with w (g mu_B)^2/(4 T_W).

    References
    ----------
    Nozieres, J. Low Temp. Phys. 17, 31 (1974); Affleck and Ludwig, Phys. Rev. B 48, 7297 (1993);
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (32), (33).

    Examples
    --------
    >>> scales = kondo_temperatures(wilson=1.0)
    >>> round(scales.phase_shift, 4), round(scales.specific_heat, 4)
    (3.1001, 14.609)
    """
    given = {"phase_shift": phase_shift, "specific_heat": specific_heat, "wilson": wilson}
    named = {name: positive(name, value) for name, value in given.items() if value is not None}
    if len(named) != 1:
        raise ValueError(f"give exactly one of phase_shift, specific_heat, wilson, got {sorted(named)}")
    to_phase_shift = {
        "phase_shift": 1.0,
        "specific_heat": 2 / (3 * math.pi),
        "wilson": 4 / (math.pi * WILSON_NUMBER),
    }
    ((name, value),) = named.items()
    if not 1e-300 <= value <= 1e300:
        raise ValueError(f"{name} must lie in [1e-300, 1e300], got {value!r}")
    t_0 = value * to_phase_shift[name]
    return KondoTemperatures(t_0, t_0 * 1.5 * math.pi, t_0 * math.pi * WILSON_NUMBER / 4)


def _reduced(energy: ArrayLike, temperature: ArrayLike, t_k: float) -> tuple[FloatArray, FloatArray]:
    # Energy and pi T in units of T_0 = 2 T_K / (3 pi), T_K the specific-heat scale of Eq. (32).
    t_0 = 2 * positive("t_k", t_k) / (3 * math.pi)
    energies = real_array("energy", energy)
    heat = real_array("temperature", temperature, low=0.0, open_low=False)
    with np.errstate(over="ignore"):
        energies, heat = energies / t_0, math.pi * (heat / t_0)
    if not ((np.abs(energies) < 1e150).all() and (heat < 1e150).all()):
        raise ValueError(f"t_k must exceed energy and temperature times 1e-150, got {t_k!r}")
    if (np.maximum(np.abs(energies), heat) > 1.0).any():
        warnings.warn(
            ValidityWarning(
                "Fermi-liquid expansion holds for |energy| and pi T well below T_0 = 2 T_K/(3 pi); "
                f"largest ratio {float(np.max(np.maximum(np.abs(energies), heat))):.3g}"
            ),
            stacklevel=3,
        )
    return energies, heat


def fermi_liquid_t_matrix(
    energy: ArrayLike, temperature: ArrayLike, t_k: float
) -> NDArray[np.float64] | float:
    r"""Scattering matrix of a screened spin 1/2 to second order in energy and temperature.

    .. math:: \nu\,\mathrm{Im}\,T = \frac1\pi - \frac{9\pi}{8}\frac{3\varepsilon^2+\pi^2T^2}{T_K^2}
              = \frac1\pi\Bigl[1-\frac{3\varepsilon^2+\pi^2T^2}{2T_0^2}\Bigr] .

    Parameters
    ----------
    energy : array_like
        Electron energy from the Fermi level, finite.
    temperature : array_like
        Temperature, at least 0, same unit.
    t_k : float
        Specific-heat Kondo temperature (:class:`KondoTemperatures`), positive.

    Returns
    -------
    float or ndarray
        nu Im T of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Warns
    -----
    ValidityWarning
        If an energy or pi T exceeds T_0 = 2 T_K/(3 pi).

    References
    ----------
    Nozieres, J. Low Temp. Phys. 17, 31 (1974); Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (31), (32).

    Examples
    --------
    >>> round(fermi_liquid_t_matrix(0.0, 0.0, 1.0) * np.pi, 12)
    1.0
    """
    e, p = _reduced(energy, temperature, t_k)
    return plain(np.asarray((1.0 - (3.0 * e**2 + p**2) / 2.0) / math.pi))


def fermi_liquid_resistivity(temperature: ArrayLike, t_k: float) -> NDArray[np.float64] | float:
    r"""Resistivity of screened spins 1/2 over its unitarity value, :math:`1-\frac{9\pi^4}4(T/T_K)^2`.

    Parameters
    ----------
    temperature : array_like
        Temperature, at least 0.
    t_k : float
        Specific-heat Kondo temperature (:class:`KondoTemperatures`), positive, same unit.

    Returns
    -------
    float or ndarray
        Ratio to the unitarity resistivity 3 n_s/(pi e^2 nu^2 v_F^2).

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Warns
    -----
    ValidityWarning
        If pi T exceeds T_0 = 2 T_K/(3 pi), where the expression is negative.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (33), (34).

    Examples
    --------
    >>> round(1 - fermi_liquid_resistivity(0.01, 1.0), 12) == round(9 * np.pi**4 / 4 * 1e-4, 12)
    True
    """
    _, p = _reduced(0.0, temperature, t_k)
    return plain(np.asarray(1.0 - p**2))


def _rate(name: str) -> str:
    if name not in _RATES:
        raise ValueError(f"rate must be one of {_RATES}, got {name!r}")
    return name


def _reduced_rate(e: FloatArray, p: FloatArray, rate: str) -> FloatArray:
    # Decay rate times pi nu / n_s for energy e and pi T = p in units of T_0.
    return e**2 + p**2 if rate == "inelastic" else (3.0 * e**2 + p**2) / 2.0


def cooperon_decay_rate(
    energy: ArrayLike,
    temperature: ArrayLike,
    t_k: float,
    *,
    rate: Literal["inelastic", "printed"] = "inelastic",
) -> NDArray[np.float64] | float:
    r"""Decay rate of the Cooperon from screened spins 1/2, in units of n_s/nu.

    Parameters
    ----------
    energy : array_like
        Electron energy from the Fermi level, finite.
    temperature : array_like
        Temperature, at least 0, same unit.
    t_k : float
        Specific-heat Kondo temperature (:class:`KondoTemperatures`), positive.
    rate : {"inelastic", "printed"}
        "inelastic": :math:`\frac{9\pi}4(\varepsilon^2+\pi^2T^2)/T_K^2`, the rate of inelastic collisions of
        one electron. "printed": :math:`\frac{9\pi}8(3\varepsilon^2+\pi^2T^2)/T_K^2`, Eq. (56).

    Returns
    -------
    float or ndarray
        Rate times nu/n_s of the broadcast shape, not negative.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Warns
    -----
    ValidityWarning
        If an energy or pi T exceeds T_0 = 2 T_K/(3 pi).

    Notes
    -----
    The one-electron amplitude S has |S|^2 = 1 - eta, eta = 2 (energy^2 + pi^2 T^2)/T_0^2, and the inelastic
    rate is n_s eta/(2 pi nu). Equation (56) is n_s Im T-tilde: it counts the elastic phase shift, which keeps
    phase coherence, and half of the inelastic part.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (55), (56); Zarand, Borda, von Delft and Andrei,
    Phys. Rev. Lett. 93, 107204 (2004).

    Examples
    --------
    >>> ratio = cooperon_decay_rate(0.0, 0.01, 1.0) / cooperon_decay_rate(0.0, 0.01, 1.0, rate="printed")
    >>> round(ratio, 12)
    2.0
    """
    name = _rate(rate)
    e, p = _reduced(energy, temperature, t_k)
    return plain(np.asarray(_reduced_rate(e, p, name) / math.pi))


def weak_localization_coefficient(rate: Literal["inelastic", "printed"] = "inelastic") -> float:
    r"""Number b of :math:`\Delta\sigma_{wl}=b\,\frac{e^2}\hbar\sqrt{\nu D/n_s}\,\frac{T_K}T`.

    Parameters
    ----------
    rate : {"inelastic", "printed"}
        Decay rate of the Cooperon, see :func:`cooperon_decay_rate`.

    Returns
    -------
    float
        b of Eq. (58), absolute error below 1e-14; T_K is the specific-heat Kondo temperature.

    Raises
    ------
    ValueError
        If `rate` is unknown.
    ConvergenceError
        If the quadrature does not converge.

    Notes
    -----
    The thermal average (57) of the inverse root of the rate, adaptive Gauss panels; some 500 evaluations.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (57), (58).

    Examples
    --------
    >>> weak_localization_coefficient() < weak_localization_coefficient("printed")
    True
    """
    name = _rate(rate)

    def integrand(x: FloatArray) -> FloatArray:
        # x = energy/T; the weight 1/(4 cosh^2(x/2)) in a form that cannot overflow, both signs of x.
        weight = 2.0 * np.exp(-x) / (1.0 + np.exp(-x)) ** 2
        decay = 2.25 * math.pi**2 * _reduced_rate(x, np.full_like(x, math.pi), name) / math.pi
        return np.asarray(weight / np.sqrt(decay))

    result = integrate(integrand, [0.0, 2.0, 8.0, 40.0], rtol=1e-14, order=24)
    return float(result.value) / (2 * math.pi)
