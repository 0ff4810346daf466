r"""One Kondo impurity above the Kondo temperature: running coupling and scattering matrix.

The Hamiltonian is :math:`\mathcal J\,\hat{\mathbf S}\cdot\hat{\boldsymbol\sigma}` with Pauli matrices, nu is
the density of states per spin direction. Couplings are returned as nu J and scattering matrices as nu Im T,
so that every return value is a pure number.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from ..numerics.validation import (
    FloatArray,
    ValidityWarning,
    plain,
    positive,
    real_array,
    real_scalar,
    twice_spin,
)

ONE_LOOP_PREFACTOR = 0.5
"""c of nu J = c/ln(T/T_K) by one-loop scaling."""

PRINTED_PREFACTOR = 2.0
"""c that Eqs. (2), (9) and (35) of the paper print."""


def _logarithm_above(temperature: ArrayLike, t_k: float) -> FloatArray:
    scale = positive("t_k", t_k)
    values = real_array("temperature", temperature, low=scale)
    return _log_ratio(values, np.asarray(scale))


def _log_ratio(high: FloatArray, low: FloatArray) -> FloatArray:
    # ln(high/low) for high > low > 0, exact near one and without overflow; high - low is exact below 2 low.
    close = np.minimum(high - low, low) / low
    return np.asarray(np.where(close < 1.0, np.log1p(close), np.log(high) - np.log(low)))


def _prefactor(prefactor: float) -> float:
    return real_scalar("prefactor", prefactor, low=1e-6, high=1e6, open_low=False, open_high=False)


def one_loop_flow(coupling: ArrayLike, bandwidth: float, cutoff: ArrayLike) -> NDArray[np.float64] | float:
    r"""Coupling nu J after one-loop scaling has reduced the band from `bandwidth` to `cutoff`.

    .. math:: \frac{d(\nu\mathcal J)}{d\ln D} = -2(\nu\mathcal J)^2, \qquad
              \nu\mathcal J(D') = \frac{\nu\mathcal J}{1-2\nu\mathcal J\ln(D/D')} .

    Parameters
    ----------
    coupling : array_like
        Bare nu J, from -1e6 to 1e6; positive (antiferromagnetic) or negative (ferromagnetic).
    bandwidth : float
        Initial half width D of the band, positive.
    cutoff : array_like
        Final half width, in (0, `bandwidth`], same unit.

    Returns
    -------
    float or ndarray
        nu J at the cutoff, of the broadcast shape; exact solution of the equation.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and in range, or the coupling diverges above the cutoff: an
        antiferromagnetic coupling exists only for a cutoff above ``bandwidth * exp(-1/(2 coupling))``.

    References
    ----------
    Anderson, J. Phys. C 3, 2436 (1970); Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (35).

    Examples
    --------
    >>> round(one_loop_flow(0.1, 1.0, np.exp(-2.0)), 12)
    0.166666666667
    """
    bare = real_array("coupling", coupling, low=-1e6, high=1e6, open_low=False, open_high=False)
    width = positive("bandwidth", bandwidth)
    ends = real_array("cutoff", cutoff, low=0.0, high=width, open_high=False)
    denominator = 1.0 - 2.0 * bare * _log_ratio(np.asarray(width), ends)
    if (denominator <= 0.0).any():
        raise ValueError(
            f"cutoff must lie above the Kondo temperature bandwidth * exp(-1/(2 coupling)), got {cutoff!r}"
        )
    return plain(np.asarray(bare / denominator))


def running_coupling(
    temperature: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Exchange coupling of thermal electrons above T_K, :math:`\nu\mathcal J = c/\ln(T/T_K)`.

    Parameters
    ----------
    temperature : array_like
        Temperature, above `t_k`.
    t_k : float
        Kondo temperature of the one-loop equation, positive, same unit.
    prefactor : float
        The number c, from 1e-6 to 1e6: 1/2 solves the scaling equation of this Hamiltonian, the paper
        prints 2.

    Returns
    -------
    float or ndarray
        nu J, positive; logarithmic accuracy in T/T_K.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite, real and positive, or a temperature does not exceed `t_k`.

    Notes
    -----
    c = 1/2 is the solution of :func:`one_loop_flow` that diverges at the cutoff T_K. Rates grow as c squared.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (2).

    Examples
    --------
    >>> round(running_coupling(np.e**5, 1.0), 12)
    0.1
    """
    return plain(np.asarray(_prefactor(prefactor) / _logarithm_above(temperature, t_k)))


def born_t_matrix(
    temperature: ArrayLike, t_k: float, spin: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Born scattering matrix of a free impurity, :math:`\pi(\nu\mathcal J)^2S(S+1)`.

    Parameters
    ----------
    temperature : array_like
        Temperature, above `t_k`.
    t_k : float
        Kondo temperature, positive, same unit.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    prefactor : float
        c of :func:`running_coupling`.

    Returns
    -------
    float or ndarray
        nu Im T, positive. The rate (6) of the paper is 1/tau_s = 2 n_s Im T.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a temperature does not exceed `t_k`.

    Warns
    -----
    ValidityWarning
        If nu Im T exceeds the unitarity bound 1/pi, which no scatterer can.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (5), (6), (25).

    Examples
    --------
    >>> round(born_t_matrix(np.exp(5.0), 1.0, 0.5) / np.pi, 12)
    0.0075
    """
    two_s = twice_spin("spin", spin)
    coupling = _prefactor(prefactor) / _logarithm_above(temperature, t_k)
    values = np.asarray(math.pi * coupling**2 * (two_s * (two_s + 2) / 4))
    if (values * math.pi > 1.0).any():
        limit = unitarity_temperature(spin, prefactor=prefactor)
        warnings.warn(
            ValidityWarning(f"Born scattering matrix breaks unitarity: T must be above {limit:g} T_K"),
            stacklevel=2,
        )
    return plain(values)


def unitarity_temperature(spin: float, *, prefactor: float = ONE_LOOP_PREFACTOR) -> float:
    r"""T/T_K at which the Born rate reaches the unitarity bound :math:`1/\tau\le 2n_s/(\pi\nu)`.

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    prefactor : float
        c of :func:`running_coupling`.

    Returns
    -------
    float
        exp(pi c sqrt(S(S+1))); below it :func:`born_t_matrix` is impossible for any scatterer.

    Raises
    ------
    TypeError, ValueError
        If `spin` or `prefactor` is out of range, or the result exceeds the floating-point range.

    References
    ----------
    Optical theorem; Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (6), (52).

    Examples
    --------
    >>> round(unitarity_temperature(0.5), 3)
    3.898
    >>> round(unitarity_temperature(0.5, prefactor=2.0))
    231
    """
    two_s = twice_spin("spin", spin)
    exponent = math.pi * _prefactor(prefactor) * math.sqrt(two_s * (two_s + 2) / 4)
    if exponent > 700.0:
        raise ValueError(f"prefactor must keep T/T_K below 1e304, got {prefactor!r} at spin {spin!r}")
    return math.exp(exponent)


def suhl_nagaoka_t_matrix(
    temperature: ArrayLike, t_k: float, spin: float, energy: ArrayLike = 0.0
) -> NDArray[np.float64] | float:
    r"""Scattering matrix of the Suhl-Nagaoka equations in Hamann's form, for all temperatures.

    .. math:: \nu\,\mathrm{Im}\,T = \frac1{2\pi}\Bigl[1-\frac{X}{\sqrt{X^2+\pi^2S(S+1)}}\Bigr], \qquad
              X = \ln\frac T{T_K} + \mathrm{Re}\,\psi\Bigl(\tfrac12+\tfrac{i\varepsilon}{2\pi T}\Bigr)
              - \psi\bigl(\tfrac12\bigr) .

    Parameters
    ----------
    temperature : array_like
        Temperature, positive.
    t_k : float
        Kondo temperature, positive, same unit.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    energy : array_like
        Electron energy from the Fermi level, same unit; X is exact to third order of perturbation theory.

    Returns
    -------
    float or ndarray
        nu Im T between 0 and 1/pi, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Warns
    -----
    ValidityWarning
        Below T_K, where the equations miss the Fermi liquid (they approach unitarity by inverse squares of
        logarithms for every spin).

    References
    ----------
    Hamann, Phys. Rev. 158, 570 (1967); Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (25), (52).

    Examples
    --------
    >>> round(suhl_nagaoka_t_matrix(1.0, 1.0, 0.5) * 2 * np.pi, 12)
    1.0
    """
    two_s = twice_spin("spin", spin)
    scale = positive("t_k", t_k)
    heat = real_array("temperature", temperature, low=0.0)
    energies = real_array("energy", energy)
    if (heat < scale).any():
        warnings.warn(
            ValidityWarning(f"Suhl-Nagaoka scattering matrix holds for T above T_K = {scale:g}"), stacklevel=2
        )
    with np.errstate(over="ignore"):
        ratio = np.minimum(np.abs(energies) / heat, 1e300) / (2 * math.pi)
    shift = np.real(digamma(0.5 + 1j * ratio)) - float(digamma(0.5))
    x = np.log(heat) - math.log(scale) + shift
    p2 = math.pi**2 * two_s * (two_s + 2) / 4
    root = np.sqrt(x * x + p2)
    # 1 - x/root without cancellation for large positive x.
    return plain(np.asarray(np.where(x > 0, p2 / (root * (root + np.abs(x))), 1 - x / root) / (2 * math.pi)))
