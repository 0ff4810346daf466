"""The mean-field end of the cooling: every spin frozen in its local field, above or below the Kondo scale."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from ..numerics.validation import positive, real_array, twice_spin
from .kondo import ONE_LOOP_PREFACTOR
from .pair_quenching import alpha_s


def frozen_scattering_rate(
    spin: float, t_sg: ArrayLike, t_k: float, *, prefactor: float = ONE_LOOP_PREFACTOR
) -> NDArray[np.float64] | float:
    r"""Rate of scattering off frozen spins, in units of n_s/nu.

    .. math:: \frac{\nu}{n_s\tau_s} = 2\pi c^2\,\frac{S_f^2}{\ln^2(T_{sg}/T_K)}

    Above the Kondo temperature the whole spin freezes, S_f = S; below it what the Kondo effect has left,
    S_f = S - 1/2, with the interaction scale of the residual spins in the place of T_sg.

    Parameters
    ----------
    spin : float
        Spin S of the bare impurity, a multiple of 1/2 from 1/2 to 100.
    t_sg : array_like
        Interaction scale, positive, different from `t_k`: T_sg if it exceeds `t_k`, else the scale of the
        residual spins.
    t_k : float
        Kondo temperature, positive, same unit.
    prefactor : float
        c of nu J = c/ln: 1/2 by one-loop scaling, 2 as the paper prints (then 2 pi c^2 = 8 pi).

    Returns
    -------
    float or ndarray
        The rate, shape of `t_sg`; zero for spin 1/2 below T_K, which is screened completely. An estimate with
        logarithmic accuracy: spins freeze at different fields.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or `t_sg` equals `t_k`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (30), (40), (75).

    Examples
    --------
    >>> round(frozen_scattering_rate(1.0, np.exp(-10.0), 1.0, prefactor=2.0) / np.pi, 12)
    0.02
    """
    full = twice_spin("spin", spin) / 2
    glass = real_array("t_sg", t_sg, low=0.0)
    kondo, c = positive("t_k", t_k), positive("prefactor", prefactor)
    if (glass == kondo).any():
        raise ValueError(f"t_sg must differ from t_k = {t_k!r}, got {t_sg!r}")
    frozen = np.where(glass > kondo, full, full - 0.5)
    close = np.abs(glass / 2 - kondo / 2) < kondo / 4
    near = np.log1p((np.where(close, glass, kondo) - kondo) / kondo)
    logarithm = np.where(close, near, np.log(glass) - math.log(kondo))
    with np.errstate(over="ignore"):
        rate = 2 * math.pi * (c * frozen / logarithm) ** 2
    if not np.isfinite(rate).all():
        raise ValueError(f"prefactor must leave the rate representable, got {prefactor!r}")
    return float(rate) if rate.ndim == 0 else np.asarray(rate)


def frozen_level_threshold(spin: float) -> float:
    r"""Value of ln(T_sg/T_K) above which the frozen resistivity (30) lies below the maximum of Eq. (27).

    At its maximum, T = (alpha_S T_sg/2) z, the right side of (27) is 1/(z(z - 2)) in units of its prefactor.
    The level (30) is S/(S+1)/L^2 in the same units, with L = ln(T_sg/T_K) = z - ln z - 2 - ln(alpha_S/2).

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float
        The threshold L, relative accuracy 1e-12. It grows with the spin: for S > 1/2 the resistivity
        falls from its maximum to the level (30) only at an exponentially large T_sg/T_K.

    Raises
    ------
    TypeError, ValueError
        If `spin` is no multiple of 1/2 in range.

    Notes
    -----
    One root of a monotonic function of z.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (27), (29), (30).

    Examples
    --------
    >>> round(frozen_level_threshold(0.5), 4)
    2.8925
    """
    half = twice_spin("spin", spin) / 2
    offset = 2 + math.log(float(alpha_s(half)) / 2)
    share = math.sqrt(half / (half + 1))

    def excess(z: float) -> float:
        return z - math.log(z) - offset - share * math.sqrt(z * (z - 2))

    # z = 2 is T* = T_K, where L < 0; beyond it L/sqrt(z(z-2)) rises to 1, above every share.
    low = 2.0 + 1e-9
    high = 4.0
    while excess(high) < 0:
        high *= 2
    z = float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))
    return z - math.log(z) - offset
