"""The model of Hatsugai and Kohmoto: an interaction that is diagonal in the states, solved exactly.

Each state a is its own problem, xi_a (n_up + n_down) + U_a n_up n_down, the single state of Eq. (A9). Sums
over a flat band are done in closed form. Against it stand the moments of a Fermi glass, which couple.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, broadcast, plain, positive, real_array, real_scalar
from .arguments import symmetric_matrix

Value = NDArray[np.float64] | float
_MOST_MOMENTS = 10


@dataclass(frozen=True)
class DiagonalGroundState:
    """Exact ground state of levels that do not know of each other.

    Attributes
    ----------
    occupation : ndarray of int, shape (N,)
        0, 1 or 2 particles in each level.
    energy : float
        Ground-state energy, from the chemical potential.
    singly_occupied : int
        Number of levels with one particle.
    log_degeneracy : float
        Logarithm of the number of ground states: ln 2 for each spin, ln 2 or more at each crossing of levels.
    """

    occupation: NDArray[np.int64]
    energy: float
    singly_occupied: int
    log_degeneracy: float


@dataclass(frozen=True)
class FlatBandThermodynamics:
    """Thermodynamics per volume of levels with a constant density of states, chemical potential inside.

    Attributes
    ----------
    grand_potential : float or ndarray
        Measured from -N(0)(D - U/2)^2, the energy of the best state at T = 0 without singly occupied levels.
    entropy, heat_capacity : float or ndarray
        At fixed chemical potential.
    magnetization : float or ndarray
        <n_up - n_down> per volume.
    susceptibility : float or ndarray
        Derivative of the magnetization with respect to the field.
    singly_occupied : float or ndarray
        Number of levels with one particle per volume.
    """

    grand_potential: Value
    entropy: Value
    heat_capacity: Value
    magnetization: Value
    susceptibility: Value
    singly_occupied: Value


def hatsugai_kohmoto_ground_state(energies: ArrayLike, interaction: ArrayLike) -> DiagonalGroundState:
    r"""Ground state of sum_a [xi_a n_a + U_a n_a,up n_a,down] at given chemical potential.

    Parameters
    ----------
    energies : array_like, shape (N,)
        xi_a from the chemical potential.
    interaction : float or array_like, shape (N,)
        U, the same for all levels, or one for each, of either sign; the unit of `energies`.

    Returns
    -------
    DiagonalGroundState
        Levels with xi_a < -U_a are doubly, those with -U_a < xi_a < 0 singly occupied; for U_a < 0 a level is
        empty or holds a pair, which it does for xi_a < |U_a|/2. Where two occupations have the same energy
        the larger one is given, and `log_degeneracy` counts all.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number or the shapes do not broadcast.

    References
    ----------
    Y. Hatsugai and M. Kohmoto, J. Phys. Soc. Jpn. 61, 2056 (1992); Lau and Ng, Phys. Rev. B 110, 075153
    (2024), Section V and Eq. (A9).

    Examples
    --------
    >>> state = hatsugai_kohmoto_ground_state([-3.0, -1.0, -0.5, 1.0], 2.0)
    >>> state.occupation, state.singly_occupied, state.energy
    (array([2, 1, 1, 0]), 2, -5.5)
    """
    xi = real_array("energies", energies, ndim=1)
    u = real_array("interaction", interaction)
    if u.ndim > 1 or (u.ndim == 1 and u.shape != xi.shape):
        raise ValueError(f"interaction must be a number or have shape {xi.shape}, got {u.shape}")
    with np.errstate(over="ignore"):
        levels = np.stack((0 * xi, xi, 2 * xi + u))
    if not np.isfinite(levels).all():
        raise ValueError("energies and interaction must keep 2 xi + U below 1.8e308")
    lowest = levels.min(axis=0)
    ground = levels == lowest
    occupation = 2 - np.argmax(ground[::-1], axis=0)
    states = (ground * np.array([1, 2, 1])[:, None]).sum(axis=0)
    return DiagonalGroundState(
        occupation, float(lowest.sum()), int((occupation == 1).sum()), float(np.log(states).sum())
    )


def _squared_angle(level: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return g = arcosh(e^L)^2, continued to L < 0 as -arccos(e^L)^2, half g' and half g''."""
    # With eta = arcosh(e^L) and tau = tanh(eta), tau^2 = 1 - e^{-2L}; for L < 0 eta = i alpha.
    high, low = np.maximum(level, 0.0), np.minimum(level, 0.0)
    tau = np.sqrt(-np.expm1(-2 * high))
    eta = high + np.log1p(tau)
    sine = np.sqrt(-np.expm1(2 * low))
    alpha = np.arctan2(sine, np.exp(low))
    tau2 = -np.expm1(-2 * np.maximum(level, -0.5))
    near = np.abs(tau2) < 0.04
    # Near L = 0: eta/tau = sum tau^2k/(2k+1), and its derivative in L is sum 2 tau^2k/((2k+1)(2k+3)).
    k = np.arange(12)
    powers = np.where(near, tau2, 0.0)[..., None] ** k
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(level > 0, eta / tau, alpha * np.exp(low) / sine)
        slope_high = (tau - eta * np.exp(-2 * high)) / tau**3
        slope_low = np.exp(low) * (alpha - np.exp(low) * sine) / sine**3
    slope = np.where(level > 0, slope_high, slope_low)
    ratio = np.where(near, powers @ (1 / (2 * k + 1)), ratio)
    slope = np.where(near, powers @ (2 / ((2 * k + 1) * (2 * k + 3))), slope)
    return np.where(level > 0, eta * eta, -alpha * alpha), ratio, slope


def _temperature_terms(
    level: FloatArray, field: FloatArray, g: FloatArray, ratio: FloatArray, slope: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Entropy and its temperature derivative by T and N(0), without the part of the free electrons.

    The plain forms g - r a and g - 2 r a + r' a^2 with a = L - lambda lose all digits at low temperature,
    where each term is (U/2T)^2; there they are rewritten in what is left.
    """
    y = np.abs(field)
    decay = np.exp(-2 * y)
    spread = np.log1p(decay) - math.log(2.0) + 2 * y * decay / (1 + decay)
    curie = ratio * (2 * y * np.exp(-y) / (1 + decay)) ** 2
    large = level > 1.0
    # Below: the plain forms; r' a^2 is small for L -> -infinity, where r' falls as e^L.
    bounded = np.where(large, 0.0, level - spread)
    entropy = g - ratio * bounded
    with np.errstate(under="ignore"):
        capacity = g - 2 * ratio * bounded + np.sign(slope) * (np.sqrt(np.abs(slope)) * bounded) ** 2
        high = np.where(large, level, 1.0)
        faded = np.exp(-high)
        tau = np.sqrt(-np.expm1(-2 * high))
        eta = high + np.log1p(tau)
        rest = np.log1p(tau) + spread
        a = high - spread
        entropy_high = eta * rest - (eta * faded) * (a * faded) / (tau * (1 + tau))
        capacity_high = (
            rest**2
            - 2 * (eta * faded) * (a * faded) / (tau * (1 + tau))
            + (a * faded) ** 2 * (tau - eta) / tau**3
        )
    return np.where(large, entropy_high, entropy), np.where(large, capacity_high, capacity) + curie


def flat_band_thermodynamics(
    interaction: ArrayLike, temperature: ArrayLike, field: ArrayLike = 0.0, density_of_states: float = 1.0
) -> FlatBandThermodynamics:
    r"""Exact thermodynamics of the Hatsugai-Kohmoto model with a constant density of states.

    Parameters
    ----------
    interaction : array_like
        U, energy, of either sign.
    temperature : array_like
        T > 0, energy.
    field : array_like
        h, energy; the levels of the two spins lie at xi - h and xi + h.
    density_of_states : float
        N(0) > 0, per energy, volume and one spin.

    Returns
    -------
    FlatBandThermodynamics
        Entropy, heat capacity, magnetization, susceptibility, number of singly occupied levels and grand
        potential per volume; relative accuracy about 1e-13 while the result is not a difference of the
        free-electron part and the rest.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, the shapes do not broadcast, or U/T, h/T or a result overflows.

    Notes
    -----
    With L = U/2T + ln cosh(h/T) and eta = arcosh(e^L) the grand potential is -N(0) [(D - U/2)^2 + pi^2 T^2/3
    + T^2 eta^2], up to exp(-D/T) where -D is the lower edge of the band; for L < 0, eta^2 = -arccos(e^L)^2.
    Its first term, the energy of the best state without singly occupied levels, is left out.

    References
    ----------
    Y. Hatsugai and M. Kohmoto, J. Phys. Soc. Jpn. 61, 2056 (1992); Lau and Ng, Phys. Rev. B 110, 075153
    (2024), Section V.

    Examples
    --------
    >>> cold = flat_band_thermodynamics(2.0, 1e-6)
    >>> round(cold.singly_occupied, 4), round(float(cold.entropy / np.log(2)), 4)
    (2.0, 2.0)
    """
    n0 = positive("density_of_states", density_of_states)
    u, t, h = broadcast(
        interaction=real_array("interaction", interaction),
        temperature=real_array("temperature", temperature, low=0.0),
        field=real_array("field", field),
    )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        y = h / t
        level = u / (2 * t) + np.abs(y) + np.log1p(np.exp(-2 * np.abs(y))) - math.log(2.0)
        if not (np.isfinite(level) & (np.abs(level) < 1e150)).all():
            raise ValueError("interaction, field and temperature must keep |U|/T and |h|/T below 1e150")
        g, ratio, slope = _squared_angle(level)
        entropy, capacity = _temperature_terms(level, y, g, ratio, slope)
        tanh = np.tanh(y)
        # 1/cosh^2 without the overflow of cosh.
        bell = (2 * np.exp(-np.abs(y)) / (1 + np.exp(-2 * np.abs(y)))) ** 2
        single = 2 * n0 * (t * ratio)
        values = (
            -n0 * (t * (t * (g + np.pi**2 / 3))),
            2 * n0 * (t * (entropy + np.pi**2 / 3)),
            2 * n0 * (t * (capacity + np.pi**2 / 3)),
            single * tanh,
            2 * n0 * (slope * tanh**2 + ratio * bell),
            single,
        )
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("interaction, temperature, field and density_of_states give a result beyond 1.8e308")
    return FlatBandThermodynamics(*(plain(np.asarray(value)) for value in values))


def moment_levels(overlaps: ArrayLike, interaction: float, *, exchange: bool = True) -> FloatArray:
    r"""Energies of the 2^M spin states of M singly occupied states, in first order in the interaction.

    Parameters
    ----------
    overlaps : array_like, shape (M, M)
        U_aacc/U between the singly occupied states, symmetric; the diagonal has no effect. M from 1 to 10.
    interaction : float
        U, energy.
    exchange : bool
        Whether the spins can flip, as in the Hamiltonian; otherwise the energies of Eq. (13), which knows
        only occupation numbers.

    Returns
    -------
    ndarray, shape (2^M,)
        In rising order; zero for parallel spins.

    Raises
    ------
    TypeError, ValueError
        If the overlaps are not symmetric or there are more than 10 moments.

    Notes
    -----
    U K_ac n_a,up n_c,down and its exchange partner give U K_ac (1/2 - 2 S_a.S_c): no cost for a triplet and
    2 U K_ac for a singlet. Without the flips, 1/2 - 2 S^z_a S^z_c, an Ising model. Dense, 2^M states.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (4), (13).

    Examples
    --------
    >>> print(moment_levels([[1.0, 0.25], [0.25, 1.0]], 2.0).round(12) + 0)
    [0. 0. 0. 1.]
    >>> print(moment_levels([[1.0, 0.25], [0.25, 1.0]], 2.0, exchange=False))
    [0.  0.  0.5 0.5]
    """
    k = symmetric_matrix("overlaps", overlaps)
    moments = k.shape[0]
    if moments > _MOST_MOMENTS:
        raise ValueError(f"overlaps must have at most {_MOST_MOMENTS} rows, got shape {k.shape}")
    u = real_scalar("interaction", interaction)
    if not isinstance(exchange, bool):
        raise TypeError(f"exchange must be True or False, got {exchange!r}")
    states = np.arange(2**moments)
    diagonal = np.zeros(states.size)
    hamiltonian = np.zeros((states.size, states.size)) if exchange else None
    with np.errstate(over="ignore", invalid="ignore"):
        for a in range(moments):
            for c in range(a):
                differ = ((states >> a) ^ (states >> c)) & 1 == 1
                diagonal[differ] += u * k[a, c]
                if hamiltonian is not None:
                    swapped = states[differ] ^ (1 << a) ^ (1 << c)
                    hamiltonian[states[differ], swapped] -= u * k[a, c]
    if not np.isfinite(diagonal).all():
        raise ValueError("overlaps and interaction must keep the sum of U K below 1.8e308")
    if hamiltonian is None:
        return np.asarray(np.sort(diagonal), dtype=np.float64)
    hamiltonian[states, states] = diagonal
    return np.asarray(np.linalg.eigvalsh(hamiltonian), dtype=np.float64)
