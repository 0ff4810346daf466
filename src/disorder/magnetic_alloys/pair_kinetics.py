"""Spin pairs in an electron system that need not be in equilibrium: rates, stationary state, absorption."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, real_array, twice_spin
from .numerical_distribution import Distribution, as_distribution
from .pair_levels import pair_matrix_elements

PairDistribution = Callable[[FloatArray], ArrayLike]

# Couplings are cut here: beyond, the pair sits in one level, and no product below overflows.
_HUGE = 1e300


@kernel
def _populate(log_ratios: FloatArray, out: FloatArray) -> None:
    # out[n, j] is the product of the first j ratios, normalised so that sum_j (2j+1) out[n, j] = 1.
    for n in range(out.shape[0]):
        out[n, 0] = 0.0
        peak = 0.0
        for j in range(1, out.shape[1]):
            out[n, j] = out[n, j - 1] + log_ratios[n, j - 1]
            peak = max(peak, out[n, j])
        total = 0.0
        for j in range(out.shape[1]):
            out[n, j] = np.exp(out[n, j] - peak)
            total += (2 * j + 1) * out[n, j]
        for j in range(out.shape[1]):
            out[n, j] /= total


@kernel
def _absorb(log_ratios: FloatArray, strengths: FloatArray, out: FloatArray) -> None:
    # log_ratios[n, k-1, i-1] belongs to the transition i of a pair with the coupling E_n/k; the opposite
    # coupling has the opposite logarithms. Populations are taken relative to the largest of each sign.
    levels = strengths.size + 1
    for n in range(out.size):
        total = 0.0
        for k in range(1, levels):
            level, top, bottom = 0.0, 0.0, 0.0
            for j in range(1, levels):
                level += log_ratios[n, k - 1, j - 1]
                top, bottom = max(top, level), min(bottom, level)
            level, anti, ferro = 0.0, 0.0, 0.0
            z_anti, z_ferro = 0.0, 0.0
            for j in range(levels):
                if j > 0:
                    level += log_ratios[n, k - 1, j - 1]
                up, down = np.exp(level - top), np.exp(bottom - level)
                z_anti += (2 * j + 1) * up
                z_ferro += (2 * j + 1) * down
                if j == k - 1:
                    anti = up
                if j == k:
                    ferro = down
            total += strengths[k - 1] * (anti / z_anti + ferro / z_ferro)
        out[n] = total


def _strengths(two_s: int) -> FloatArray:
    """Weights k B_k/(S(S+1)) of the transitions k = 1 ... 2S, with B_k = (2k-1) A_{k-1,k}."""
    k = np.arange(1, two_s + 1)
    return np.asarray(
        k * (2 * k - 1) * np.diag(pair_matrix_elements(two_s / 2), 1) * 4 / (two_s * (two_s + 2))
    )


def _stationary_absorption(energy: FloatArray, two_s: int, electrons: Distribution) -> FloatArray:
    """L(E) of stationary pairs at energies of shape (n,)."""
    k = np.arange(1, two_s + 1)
    v = np.clip(energy, -_HUGE, _HUGE)[:, None, None] / k[:, None] * k
    out = np.empty(energy.size)
    _absorb(electrons.log_ratio(v), _strengths(two_s), out)
    return out


def _stationary(coupling: FloatArray, two_s: int, electrons: Distribution) -> FloatArray:
    k = np.arange(1, two_s + 1)
    v = np.clip(coupling.ravel(), -_HUGE, _HUGE)
    out = np.empty((v.size, two_s + 1))
    _populate(electrons.log_ratio(v[:, None] * k), out)
    return out.reshape((*coupling.shape, two_s + 1))


def stationary_pair_distribution(coupling: ArrayLike, spin: float, electron_distribution: Any) -> FloatArray:
    r"""Stationary probabilities P_J(V) of the states of a pair that exchanges energy with the electrons.

    .. math:: \frac{P_k(V)}{P_{k-1}(V)} = \frac{\int f(\varepsilon)[1 - f(\varepsilon - kV)]\,d\varepsilon}
              {\int f(\varepsilon)[1 - f(\varepsilon + kV)]\,d\varepsilon}, \qquad \sum_J (2J+1) P_J = 1 .

    Parameters
    ----------
    coupling : array_like
        V, energy of any sign; positive is antiferromagnetic.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    electron_distribution : FermiDistribution, TwoStepDistribution, NumericalDistribution or callable
        f(energy); a callable maps arrays to occupations in [0, 1], 1 far below and 0 far above its steps.

    Returns
    -------
    ndarray, shape (..., 2S+1)
        Probability of each of the 2J+1 states of level J = 0 ... 2S, along the last axis. Relative accuracy
        1e-14 (1 + |log P_J|) for the two classes of distributions, absolute accuracy 1e-11 for a callable.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range or the callable is no distribution.

    Notes
    -----
    Only neighbouring levels are joined, so the stationary state balances each transition by itself. The
    exchange constant drops out. Logarithms of the ratios are added, so that nothing overflows.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (64), (65); in equilibrium Eq. (66).

    Examples
    --------
    >>> from disorder.magnetic_alloys import FermiDistribution
    >>> stationary_pair_distribution(0.0, 0.5, FermiDistribution(temperature=1.0))
    array([0.25, 0.25])
    """
    v = real_array("coupling", coupling)
    return _stationary(v, twice_spin("spin", spin), as_distribution(electron_distribution))


def pair_transition_rates(coupling: ArrayLike, spin: float, electron_distribution: Any) -> FloatArray:
    r"""Matrix R of the rate equations dP_J/dt = sum_J' R_JJ' P_J' of a pair among the electrons.

    Parameters
    ----------
    coupling : array_like
        V, energy of any sign.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    electron_distribution : FermiDistribution, TwoStepDistribution, NumericalDistribution or callable
        As in :func:`stationary_pair_distribution`.

    Returns
    -------
    ndarray, shape (..., 2S+1, 2S+1)
        R in the unit of energy; times :math:`8\pi\nu^2 \mathcal{J}^2` it is a rate. P_J is the probability of
        one state of level J, so that sum_J (2J+1) R_JJ' = 0. Relative accuracy 1e-14 (1e-12 of the largest
        element for a callable).

    Raises
    ------
    TypeError, ValueError
        As :func:`stationary_pair_distribution`, and if `coupling` is beyond 1e300.

    Notes
    -----
    An electron that takes the pair from J to J' gains :math:`V(\epsilon_J - \epsilon_{J'})`; summed over its
    spin, over both impurities and over its energy this gives
    :math:`R_{J'J} = A_{J'J} \int f(\varepsilon)[1 - f(\varepsilon + E_J - E_{J'})]\,d\varepsilon`
    for the transition from J to J'.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (62), (63).

    Examples
    --------
    >>> from disorder.magnetic_alloys import FermiDistribution
    >>> pair_transition_rates(0.0, 0.5, FermiDistribution(temperature=1.0))
    array([[-0.75,  0.75],
           [ 0.25, -0.25]])
    """
    v = real_array("coupling", coupling)
    two_s = twice_spin("spin", spin)
    if v.size and np.abs(v).max() > 1e300:
        raise ValueError(f"coupling must be below 1e300 in size, got up to {np.abs(v).max():g}")
    electrons = as_distribution(electron_distribution)
    elements = pair_matrix_elements(two_s / 2)
    rates = np.zeros((*v.shape, two_s + 1, two_s + 1))
    for k in range(1, two_s + 1):
        # The electron falls by k V when the pair goes up from k - 1 to k, and the other way round.
        up, down = electrons.window(-k * v), electrons.window(k * v)
        rates[..., k - 1, k - 1] -= elements[k - 1, k] * up
        rates[..., k, k - 1] += elements[k, k - 1] * up
        rates[..., k, k] -= elements[k, k - 1] * down
        rates[..., k - 1, k] += elements[k - 1, k] * down
    return rates


def _absorption(energy: FloatArray, two_s: int, populations: PairDistribution) -> NDArray[np.float64]:
    """L(E) of pairs in any state at energies of shape (n,)."""
    total = np.zeros(energy.shape)
    for k, strength in enumerate(_strengths(two_s), start=1):
        anti, ferro = np.asarray(populations(energy / k)), np.asarray(populations(-energy / k))
        total += strength * (anti[:, k - 1] + ferro[:, k])
    return total


def _checked(pair_distribution: Any, two_s: int) -> PairDistribution:
    """The function P(V) with a check of what it returns."""
    if not callable(pair_distribution):
        raise TypeError(f"pair_distribution must be a function of the coupling, got {pair_distribution!r}")

    def populations(coupling: FloatArray) -> NDArray[np.float64]:
        values = real_array("pair_distribution", pair_distribution(coupling), low=-1e-12)
        if values.shape != (*coupling.shape, two_s + 1):
            raise ValueError(
                f"pair_distribution must map shape {coupling.shape} to {(*coupling.shape, two_s + 1)}, "
                f"got {values.shape}"
            )
        norm = values @ (2 * np.arange(two_s + 1) + 1.0)
        if not np.allclose(norm, 1.0, rtol=0, atol=1e-9):
            raise ValueError(
                f"pair_distribution must have sum_J (2J+1) P_J = 1, got {norm.min()} to {norm.max()}"
            )
        return values

    return populations


def pair_absorption(
    energy: ArrayLike, spin: float, pair_distribution: PairDistribution
) -> NDArray[np.float64] | float:
    r"""Absorption spectrum L(E) of the pairs, averaged over their couplings, for any state of the pairs.

    .. math:: L(E) = \sum_{k=1}^{2S} \frac{k\, B_k}{S(S+1)} [P_{k-1}(E/k) + P_k(-E/k)], \qquad
              B_k = (2k-1) A_{k-1,k} .

    Parameters
    ----------
    energy : array_like
        E, positive for energy taken up by a pair, negative for energy given away.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    pair_distribution : callable
        Maps couplings of shape (n,) to the probabilities of one state of each level, shape (n, 2S+1).

    Returns
    -------
    float or ndarray
        L(E), dimensionless, as accurate as the probabilities. In equilibrium it is
        ``pair_spectrum(E/T, spin)`` for E > 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range or `pair_distribution` is not normalised.

    Notes
    -----
    An electron loses the energy E at the rate (4/3)(T_sg/tau_s) L(E)/E^2 per unit energy when the final state
    is empty. Stationary pairs obey L(-E)/L(E) = window(-E)/window(E) of the electrons.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, the weights of Eq. (70).

    Examples
    --------
    >>> from disorder.magnetic_alloys import FermiDistribution
    >>> electrons = FermiDistribution(temperature=1.0)
    >>> round(pair_absorption(0.0, 0.5, lambda v: stationary_pair_distribution(v, 0.5, electrons)), 15)
    0.5
    """
    e = real_array("energy", energy)
    two_s = twice_spin("spin", spin)
    value = _absorption(e.ravel(), two_s, _checked(pair_distribution, two_s)).reshape(e.shape)
    return float(value) if e.ndim == 0 else value
