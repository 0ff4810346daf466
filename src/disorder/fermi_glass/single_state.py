"""One localized state with on-site repulsion or attraction, in a field: exact and in Hartree-Fock.

The state holds no particle, one, or two; the field B couples to n_down - n_up. Energies are counted from the
chemical potential.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, broadcast, plain, real_array

Number = NDArray[np.float64] | float

_STEPS = 240
# Colder than that a level cannot be placed at the chemical potential in double precision.
_COLDEST = 1e-12


@kernel
def _fermi(energy: float, temperature: float) -> float:
    x = energy / temperature
    if x > 0:
        return math.exp(-x) / (1 + math.exp(-x))
    return 1 / (1 + math.exp(x))


@kernel
def _log_slope(energy: float, temperature: float) -> float:
    # ln(-T df/d energy)
    x = abs(energy / temperature)
    return -x - 2 * math.log1p(math.exp(-x))


@kernel
def _return_map(level: float, energy: float, u: float, field: float, temperature: float) -> float:
    # Level of an up spin after the down spin has answered to an up spin at `level`.
    other = energy + field + u * _fermi(level, temperature)
    return energy - field + u * _fermi(other, temperature)


@kernel
def _log_growth(level: float, energy: float, u: float, field: float, temperature: float) -> float:
    # Logarithm of the slope of the map above.
    other = energy + field + u * _fermi(level, temperature)
    scale = 2 * (math.log(abs(u)) - math.log(temperature))
    return scale + _log_slope(level, temperature) + _log_slope(other, temperature)


@kernel
def _crossing(
    low: float, high: float, rising: bool, energy: float, u: float, field: float, temperature: float
) -> float:
    # Where the slope of the map passes one, between a point where it is smaller and the point of its maximum.
    for _ in range(_STEPS):
        middle = low + (high - low) / 2
        if (_log_growth(middle, energy, u, field, temperature) < 0) == rising:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2


@kernel
def _fixed_point(
    low: float, high: float, energy: float, u: float, field: float, temperature: float
) -> tuple[float, bool]:
    # A stable one, where map(level) - level falls through zero.
    if _return_map(low, energy, u, field, temperature) < low:
        return low, False
    if _return_map(high, energy, u, field, temperature) > high:
        return high, False
    for _ in range(_STEPS):
        middle = low + (high - low) / 2
        if _return_map(middle, energy, u, field, temperature) >= middle:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2, True


@kernel
def _grand_potential(up_level: float, down_level: float, u: float, temperature: float) -> float:
    total = -u * _fermi(up_level, temperature) * _fermi(down_level, temperature)
    for level in (up_level, down_level):
        total += min(level, 0.0) - temperature * math.log1p(math.exp(-abs(level / temperature)))
    return total


@kernel
def _hartree_fock(energy: float, u: float, temperature: float, field: float) -> tuple[float, float]:
    # The map of the up level on itself rises, and has a negative Schwarzian derivative, being a chain of
    # logistic functions: its slope has no minimum but at the ends. Hence it exceeds one on one interval at
    # most, there are one or three fixed points, and the stable ones lie beside that interval.
    if u == 0.0:
        return energy - field, energy + field
    low, high = energy - field + min(u, 0.0), energy - field + max(u, 0.0)
    left, right = low, high
    for _ in range(_STEPS):
        first, second = left + (right - left) / 3, right - (right - left) / 3
        if _log_growth(first, energy, u, field, temperature) < _log_growth(
            second, energy, u, field, temperature
        ):
            left = first
        else:
            right = second
    peak = left + (right - left) / 2
    if _log_growth(peak, energy, u, field, temperature) <= 0:
        level = _fixed_point(low, high, energy, u, field, temperature)[0]
        return level, energy + field + u * _fermi(level, temperature)
    lower = _crossing(low, peak, True, energy, u, field, temperature)
    upper = _crossing(peak, high, False, energy, u, field, temperature)
    best, best_potential = 0.0, math.inf
    for a, b in ((low, lower), (upper, high)):
        level, found = _fixed_point(a, b, energy, u, field, temperature)
        if found:
            other = energy + field + u * _fermi(level, temperature)
            potential = _grand_potential(level, other, u, temperature)
            if potential < best_potential:
                best, best_potential = level, potential
    return best, energy + field + u * _fermi(best, temperature)


@kernel
def _paramagnetic_level(energy: float, u: float, temperature: float) -> float:
    # Root of level = energy + u f(level) for repulsion: the right side falls.
    low, high = energy, energy + u
    for _ in range(_STEPS):
        middle = low + (high - low) / 2
        if energy + u * _fermi(middle, temperature) >= middle:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2


@kernel
def _hartree_fock_levels(
    energy: FloatArray,
    u: FloatArray,
    temperature: FloatArray,
    field: FloatArray,
    magnetic: bool,
    out: FloatArray,
) -> None:
    for i in range(energy.size):
        if magnetic or u[i] <= 0:
            out[0, i], out[1, i] = _hartree_fock(energy[i], u[i], temperature[i], field[i])
        else:
            out[0, i] = out[1, i] = _paramagnetic_level(energy[i], u[i], temperature[i])


def _finite(*values: FloatArray) -> None:
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("energy, interaction, field and temperature must keep the result finite")


def _levels(energy: FloatArray, interaction: FloatArray, field: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore"):
        empty, double = np.zeros_like(energy), 2 * energy + interaction
        result = np.stack([empty, energy - field, energy + field, double], axis=-1)
    _finite(result)
    return result


# Number of particles, moment and double occupation of the four states, in the order of the levels.
_PARTICLES = np.array([0.0, 1.0, 1.0, 2.0])
_MOMENTS = np.array([0.0, 1.0, -1.0, 0.0])


def single_state_levels(energy: ArrayLike, interaction: ArrayLike, field: ArrayLike = 0.0) -> FloatArray:
    r"""Energies of the four many-body states of one localized state: empty, up, down, double.

    Parameters
    ----------
    energy : array_like
        xi, energy of the state from the chemical potential.
    interaction : array_like
        U_aaaa, energy, of either sign.
    field : array_like
        B, energy; the perturbation is B (n_down - n_up). The arrays are broadcast.

    Returns
    -------
    ndarray, shape (..., 4)
        0, xi - B, xi + B, 2 xi + U. Exact.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite and real, shapes do not broadcast, or a level overflows.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A9) and the text after it.

    Examples
    --------
    >>> single_state_levels(-1.0, 1.5, 0.25)
    array([ 0.  , -1.25, -0.75, -0.5 ])
    """
    e, u, b = broadcast(
        energy=real_array("energy", energy),
        interaction=real_array("interaction", interaction),
        field=real_array("field", field),
    )
    return _levels(e, u, b)


@dataclass(frozen=True)
class SingleStateGround:
    """Ground state of one localized state; means over the ground states where several are degenerate.

    Attributes
    ----------
    energy : float or ndarray
        Of the ground state, from the chemical potential.
    occupation, moment : float or ndarray
        n_up + n_down and n_up - n_down.
    degeneracy : float or ndarray
        Number of ground states, 1 to 4.
    """

    energy: Number
    occupation: Number
    moment: Number
    degeneracy: Number


def single_state_ground_state(
    energy: ArrayLike, interaction: ArrayLike, field: ArrayLike = 0.0
) -> SingleStateGround:
    """Ground state of one localized state: single for -U < xi < 0, and never single for attraction.

    Parameters
    ----------
    energy, interaction, field : array_like
        As in :func:`single_state_levels`.

    Returns
    -------
    SingleStateGround
        Degenerate states, equal to the last bit, have equal weights, as in the limit T to 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`single_state_levels`.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A9); Section IV for the attractive case.

    Examples
    --------
    >>> [single_state_ground_state(xi, 1.0).occupation for xi in (-1.25, -0.75, -0.25, 0.25)]
    [2.0, 1.0, 1.0, 0.0]
    """
    levels = single_state_levels(energy, interaction, field)
    lowest = levels.min(axis=-1)
    ground = (levels == lowest[..., None]).astype(float)
    count = ground.sum(axis=-1)
    return SingleStateGround(
        plain(lowest),
        plain(np.asarray(ground @ _PARTICLES / count)),
        plain(np.asarray(ground @ _MOMENTS / count)),
        plain(np.asarray(count)),
    )


@dataclass(frozen=True)
class SingleState:
    """One localized state in equilibrium with a reservoir of particles.

    Attributes
    ----------
    up, down : float or ndarray
        Mean occupation by each spin.
    double : float or ndarray
        Mean of n_up n_down; in Hartree-Fock the product of the means.
    susceptibility : float or ndarray
        Isothermal: derivative of up - down with respect to the field B; inverse energy.
    grand_potential : float or ndarray
        Energy, zero for the empty state.
    """

    up: Number
    down: Number
    double: Number
    susceptibility: Number
    grand_potential: Number


def _thermal_arguments(
    energy: ArrayLike, interaction: ArrayLike, temperature: ArrayLike, field: ArrayLike
) -> list[FloatArray]:
    return broadcast(
        energy=real_array("energy", energy),
        interaction=real_array("interaction", interaction),
        temperature=real_array("temperature", temperature, low=0.0),
        field=real_array("field", field),
    )


def single_state_thermal(
    energy: ArrayLike, interaction: ArrayLike, temperature: ArrayLike, field: ArrayLike = 0.0
) -> SingleState:
    """Exact equilibrium of one localized state: occupation, moment and isothermal susceptibility.

    Parameters
    ----------
    energy, interaction : array_like
        As in :func:`single_state_levels`.
    temperature : array_like
        T > 0, energy.
    field : array_like
        B, energy. The arrays are broadcast.

    Returns
    -------
    SingleState
        Relative accuracy 1e-14 times the largest level over T.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, shapes do not broadcast, or a result overflows.

    Notes
    -----
    Weights are taken relative to the lowest level: nothing overflows before the result does. The
    susceptibility is the variance of the moment over T.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A8), (A9): the part delta rho_1.

    Examples
    --------
    >>> state = single_state_thermal(-0.5, 1.0, 0.01)
    >>> round(state.up, 12), round(state.susceptibility, 9)
    (0.5, 100.0)
    """
    e, u, t, b = _thermal_arguments(energy, interaction, temperature, field)
    levels = _levels(e, u, b)
    lowest = levels.min(axis=-1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        weights = np.exp(-(levels - lowest[..., None]) / t[..., None])
        total = weights.sum(axis=-1)
        empty, up, down, double = np.moveaxis(weights / total[..., None], -1, 0)
        # Variance of the moment without cancellation: sums of products of probabilities.
        variance = 4 * up * down + (up + down) * (empty + double)
        result = [up + double, down + double, double, variance / t, lowest - t * np.log(total)]
    _finite(*(np.asarray(value) for value in result))
    return SingleState(*(plain(np.asarray(value)) for value in result))


def single_state_hartree_fock(
    energy: ArrayLike,
    interaction: ArrayLike,
    temperature: ArrayLike,
    field: ArrayLike = 0.0,
    *,
    magnetic: bool = True,
) -> SingleState:
    r"""Hartree-Fock equilibrium of one localized state: the self-consistent occupations of least potential.

    .. math:: n_\uparrow=f(\xi-B+U n_\downarrow),\qquad n_\downarrow=f(\xi+B+U n_\uparrow).

    Parameters
    ----------
    energy, interaction, temperature, field : array_like
        As in :func:`single_state_thermal`; the temperature at least 1e-12 of every energy.
    magnetic : bool
        Whether the two spins may differ without a field. If False, `field` must be zero.

    Returns
    -------
    SingleState
        The global minimum of the Hartree-Fock grand potential (with `magnetic` False among equal
        occupations). Two solutions that a symmetry makes equal: up > down, or the larger occupation. The
        susceptibility is that of linear response; for `magnetic` False it is negative beyond the
        instability, where 1 - U n(1-n)/T < 0. Accuracy 1e-13 times the largest level over T.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, shapes do not broadcast, or the result overflows.

    Notes
    -----
    One spin's level is mapped on itself by a rising function with negative Schwarzian derivative, which has
    one or three fixed points: all are bracketed and bisected, none can be missed.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A1), (A6), (A9).

    Examples
    --------
    >>> paramagnet = single_state_hartree_fock(-0.25, 1.0, 1e-6, magnetic=False)
    >>> round(paramagnet.up, 4), round(single_state_hartree_fock(-0.25, 1.0, 1e-6).up, 4)
    (0.25, 1.0)
    """
    if not isinstance(magnetic, bool | np.bool_):
        raise TypeError(f"magnetic must be True or False, got {magnetic!r}")
    e, u, t, b = _thermal_arguments(energy, interaction, temperature, field)
    if not magnetic and (b != 0).any():
        raise ValueError(f"field must be zero for equal spins (magnetic=False), got {field!r}")
    _finite(_levels(e, u, b))
    smallest = _COLDEST * np.maximum(np.maximum(np.abs(e), np.abs(u)), np.abs(b))
    if (t < smallest).any():
        raise ValueError(
            f"temperature must be at least {_COLDEST:g} of every energy, got "
            f"{float(t[t < smallest].flat[0]):g}; for T = 0 use single_state_ground_state"
        )
    flat = np.empty((2, e.size))
    _hartree_fock_levels(e.ravel(), u.ravel(), t.ravel(), b.ravel(), bool(magnetic), flat)
    levels = flat.reshape(2, *e.shape)
    # Without a field the mirror image is as good: up is the majority.
    levels = np.where(b == 0, np.sort(levels, axis=0), levels)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        x = levels / t
        decay = np.exp(-np.abs(x))
        up, down = np.where(x > 0, decay, 1.0) / (1 + decay)
        first, second = decay / (1 + decay) ** 2 / t
        response = first + second + 2 * u * first * second
        stability = 1 - (u * first) * (u * second)
        if not magnetic:
            response, stability = 2 * first, 1 - u * first
        entropy = -(t * np.log1p(decay)).sum(axis=0)
        potential = np.minimum(levels, 0.0).sum(axis=0) + entropy - u * up * down
        result = [up, down, up * down, response / stability, potential]
    _finite(*(np.asarray(value) for value in result))
    return SingleState(*(plain(np.asarray(value)) for value in result))


def mean_moments(expected: ArrayLike, parity: str = "even") -> Number:
    r"""Mean number of singly occupied levels at fixed particle number, for independent levels.

    Levels lie at random (Poisson) on the energy axis, each with a window of single occupation of width
    U_aaaa. At a fixed chemical potential the number in the window is Poisson distributed with mean x. At a
    fixed number of particles M has that number's parity, and every event that adds a particle, a level that
    enters the window or one that leaves it, is counted once:

    .. math:: \langle M\rangle_{even}=x+\tfrac12(1-e^{-2x}),\qquad
              \langle M\rangle_{odd}=x+\tfrac12(1+e^{-2x}) .

    Parameters
    ----------
    expected : array_like
        x = V N(0) <U_aaaa> >= 0, mean number at fixed chemical potential.
    parity : {"even", "odd", "any"}
        Of the number of particles; "any" is the mean of both.

    Returns
    -------
    float or ndarray
        x + (1 - exp(-2x))/2 for even, x + (1 + exp(-2x))/2 for odd, x + 1/2 for any number of particles.

    Raises
    ------
    TypeError, ValueError
        If `expected` is negative or not finite and real, or `parity` is none of the three.

    References
    ----------
    Beyond Lau and Ng, Phys. Rev. B 110, 075153 (2024), Section IV.

    Examples
    --------
    >>> mean_moments(0.0), mean_moments(0.0, parity="odd")
    (0.0, 1.0)
    """
    signs = {"even": -1.0, "odd": 1.0, "any": 0.0}
    if not isinstance(parity, str) or parity not in signs:
        raise ValueError(f"parity must be one of {sorted(signs)}, got {parity!r}")
    x = real_array("expected", expected, low=0.0, open_low=False)
    with np.errstate(under="ignore"):
        if parity == "even":
            return plain(np.asarray(x - np.expm1(-2 * x) / 2))
        return plain(np.asarray(x + 0.5 + signs[parity] * np.exp(-2 * x) / 2))
