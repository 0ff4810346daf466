"""Excitation energies of a few interacting centres, and their densities of states for weak interactions."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, broadcast, integer, plain, positive, real_array, real_scalar
from .coupling_distributions import CouplingDistribution, coupling_distribution

_MOST_CENTRES = 16
_LARGEST = 1e100


def interaction_parameter(density: float, coupling: float, bandwidth: float) -> float:
    """Dimensionless strength chi of the interaction for a flat band of excitation energies.

    Parameters
    ----------
    density : float
        Number n of centres per volume, positive.
    coupling : float
        U_0 = <|u|>, energy times volume, positive.
    bandwidth : float
        W, positive: one-centre excitation energies are uniform between 0 and W, so that P_0 = n/W.

    Returns
    -------
    float
        chi = pi n U_0/W.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive number, or the result is no normal number.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.5), (2.15) and the text after (2.17).

    Examples
    --------
    >>> round(interaction_parameter(density=0.01, coupling=1.0, bandwidth=2.0), 6)
    0.015708
    """
    logarithm = math.log(positive("density", density)) + math.log(positive("coupling", coupling))
    logarithm -= math.log(positive("bandwidth", bandwidth))
    if not -700 < logarithm < 700:
        raise ValueError(f"density, coupling and bandwidth give chi = pi exp({logarithm:.4g}), out of range")
    ratio = density * coupling / bandwidth if 1e-150 < density * coupling < 1e150 else math.exp(logarithm)
    return math.pi * float(ratio)


def shortest_distance(coupling: float, bandwidth: float) -> float:
    """Distance R_min at which two centres interact with the energy of the whole band.

    Parameters
    ----------
    coupling : float
        U_0 = <|u|>, energy times volume, positive.
    bandwidth : float
        W, energy, positive.

    Returns
    -------
    float
        R_min = (U_0/W)^(1/3), length.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive number.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (2.16).

    Examples
    --------
    >>> round(shortest_distance(coupling=8.0, bandwidth=1.0), 12)
    2.0
    """
    return math.cbrt(positive("coupling", coupling)) / math.cbrt(positive("bandwidth", bandwidth))


def _centres(
    energies: ArrayLike, couplings: ArrayLike, name: str = "energies"
) -> tuple[FloatArray, FloatArray]:
    first = real_array(name, energies, low=-_LARGEST, high=_LARGEST)
    matrix = real_array("couplings", couplings, low=-_LARGEST, high=_LARGEST)
    if first.ndim < 1 or not 1 <= first.shape[-1] <= _MOST_CENTRES:
        raise ValueError(
            f"{name} must have a last axis of 1 to {_MOST_CENTRES} centres, got shape {first.shape}"
        )
    count = first.shape[-1]
    if matrix.ndim < 2 or matrix.shape[-2:] != (count, count):
        raise ValueError(
            f"couplings must have last axes of shape ({count}, {count}) as {name} {first.shape}, "
            f"got {matrix.shape}"
        )
    if (matrix != np.swapaxes(matrix, -1, -2)).any() or np.diagonal(matrix, axis1=-2, axis2=-1).any():
        raise ValueError("couplings must be symmetric with zeros on the diagonal")
    try:
        shape = np.broadcast_shapes(first.shape[:-1], matrix.shape[:-2])
    except ValueError:
        raise ValueError(
            f"energies {first.shape} and couplings {matrix.shape} must broadcast in their leading axes"
        ) from None
    return np.broadcast_to(first, (*shape, count)), np.broadcast_to(matrix, (*shape, count, count))


def excitation_energies(energies: ArrayLike, couplings: ArrayLike) -> FloatArray:
    """Energies of all simultaneous flips of N centres out of their ground state.

    Parameters
    ----------
    energies : array_like, shape (..., N)
        Energies eps_i of the flips of single centres, N up to 16.
    couplings : array_like, shape (..., N, N)
        U_ij, symmetric, zero diagonal; positive where the two flips attract each other.

    Returns
    -------
    ndarray, shape (..., 2^N)
        Sum of eps_i over the flipped centres minus the sum of U_ij over their pairs; bit i of the index says
        whether centre i is flipped. Round-off of a sum of N^2/2 terms.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    A spin Hamiltonian sum omega_i S_i + sum_(i<j) V_ij S_i S_j with spins +-1/2 has
    eps_i = -2 S_i (omega_i + sum_j V_ij S_j) and U_ij = -4 S_i S_j V_ij.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.2), (2.6), (2.11).

    Examples
    --------
    >>> excitation_energies([1.0, 2.0], [[0.0, 0.5], [0.5, 0.0]])
    array([0. , 1. , 2. , 2.5])
    """
    first, matrix = _centres(energies, couplings)
    result = np.zeros((*first.shape[:-1], 1))
    for centre in range(first.shape[-1]):
        # Flip this centre on top of every set of the ones before it.
        flips = (np.arange(2**centre)[:, None] >> np.arange(centre)) & 1
        attraction = np.einsum("sj,...j->...s", flips, matrix[..., centre, :centre])
        result = np.concatenate((result, result + first[..., centre, None] - attraction), axis=-1)
    return result


def is_stable(
    energies: ArrayLike, couplings: ArrayLike, largest_flip: int | None = None
) -> NDArray[np.bool_]:
    """Whether no simultaneous flip of the centres lowers the energy.

    Parameters
    ----------
    energies, couplings
        As in :func:`excitation_energies`.
    largest_flip : int, optional
        Most centres that flip at once; all of them by default, 3 in the paper.

    Returns
    -------
    ndarray of bool, shape (...)
        True where all these excitation energies are positive.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (2.11).

    Examples
    --------
    >>> bool(is_stable([1.0, 2.0], [[0.0, 3.5], [3.5, 0.0]]))
    False
    """
    flips = excitation_energies(energies, couplings)
    count = round(math.log2(flips.shape[-1]))
    most = count if largest_flip is None else integer("largest_flip", largest_flip, low=1)
    flipped = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).sum(axis=1)
    return np.asarray((flips[..., (flipped >= 1) & (flipped <= most)] > 0).all(axis=-1))


def transition_sizes(fields: ArrayLike, couplings: ArrayLike) -> NDArray[np.int64]:
    """How many centres flip together when the field of the first one is swept through its transition.

    Parameters
    ----------
    fields : array_like, shape (..., N)
        omega_i of the Hamiltonian (2.2), N up to 16; the first one does not matter, it is swept.
    couplings : array_like, shape (..., N, N)
        Couplings of S_i S_j in (2.2), symmetric, zero diagonal.

    Returns
    -------
    ndarray of int, shape (...)
        Number n of centres, the first included, in which the ground states with the first centre up and
        down differ.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The ground-state energy is concave in omega_1 and its slope is S_1, so that the first centre flips exactly
    once in a sweep. For a flat distribution of omega_1 the zero-energy excitations with n centres that
    contain it thus have the density P_0 times the probability of n: the sum of n P_n(0) is P_0, whatever the
    interactions.
    All 2^N states are compared.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.2), (2.18), (4.9).

    Examples
    --------
    >>> transition_sizes([[0.0, 0.1], [0.0, 5.0]], [[0.0, 1.0], [1.0, 0.0]])
    array([2, 1])
    """
    first, matrix = _centres(fields, couplings, "fields")
    count = first.shape[-1]
    spins = ((np.arange(2 ** (count - 1))[:, None] >> np.arange(count - 1)) & 1) - 0.5
    pairs = np.einsum("si,...ij,sj->...s", spins, matrix[..., 1:, 1:], spins, optimize=True) / 2
    rest = first[..., 1:] @ spins.T + pairs
    shift = matrix[..., 0, 1:] @ spins.T / 2
    up, down = spins[np.argmin(rest + shift, axis=-1)], spins[np.argmin(rest - shift, axis=-1)]
    return np.asarray(1 + (up != down).sum(axis=-1), dtype=np.int64)


def _first_order(
    energy: ArrayLike, chi: ArrayLike, xi: ArrayLike, distribution: str | CouplingDistribution
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    law = coupling_distribution(distribution)
    delta, strength, log_ratio = broadcast(
        energy=real_array("energy", energy, low=0.0, open_low=False, high=_LARGEST),
        chi=real_array("chi", chi, low=0.0, open_low=False, high=_LARGEST),
        xi=real_array("xi", xi, low=0.0, open_low=False, high=_LARGEST),
    )
    shell = -delta * np.expm1(-3 * log_ratio) / 3
    inner = np.asarray(law.truncated_integral(delta * np.exp(-3 * log_ratio)))
    return strength, log_ratio, shell, (np.asarray(law.truncated_integral(delta)) - inner) / 3


def pair_density_of_states(
    energy: ArrayLike,
    chi: ArrayLike,
    xi: ArrayLike,
    distribution: str | CouplingDistribution = "bimodal",
) -> NDArray[np.float64] | float:
    """Density of states of pair excitations to first order in the interaction, at any energy.

    Parameters
    ----------
    energy : array_like
        Delta in units of U_0/R_max^3, at least 0.
    chi : array_like
        pi P_0 U_0, at least 0.
    xi : array_like
        ln(R_max/R_min), at least 0.
    distribution : str or CouplingDistribution
        Of the interaction constant of two centres.

    Returns
    -------
    ndarray or float
        P_2(Delta)/P_0, exact in the first order; (2.17) is its value at zero energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The mean of Delta + u/R^3 where it is positive is Delta + (<|u|> - <min(|u|, x)>)/2R^3 with x = Delta R^3;
    its integral over R is a closed form for each distribution. Cost: one evaluation per entry.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.12), (2.14), (2.17).

    Examples
    --------
    >>> round(pair_density_of_states(energy=0.6, chi=0.1, xi=4.0), 9)
    0.419999877
    """
    strength, log_ratio, shell, blocked = _first_order(energy, chi, xi, distribution)
    return plain(strength * (log_ratio + 2 * shell - blocked))


def single_density_of_states(
    energy: ArrayLike,
    chi: ArrayLike,
    xi: ArrayLike,
    distribution: str | CouplingDistribution = "bimodal",
) -> NDArray[np.float64] | float:
    """Density of states of one-centre excitations to first order in the interaction: the dipole gap.

    Parameters
    ----------
    energy, chi, xi, distribution
        As in :func:`pair_density_of_states`.

    Returns
    -------
    ndarray or float
        P_1(Delta)/P_0, exact in the first order; (2.20) is its value at zero energy. Negative where the first
        order is no longer enough.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    At every energy P_1 + 2 (P_2 - free pairs) = P_0, where the free pairs, 2 chi Delta (R_max^3 -
    R_min^3)/(3 U_0), are the density without interaction.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.18)-(2.20).

    Examples
    --------
    >>> round(single_density_of_states(energy=0.0, chi=0.1, xi=4.0), 12)
    0.2
    """
    strength, log_ratio, _, blocked = _first_order(energy, chi, xi, distribution)
    return plain(1 - 2 * strength * (log_ratio - blocked))


def density_series(
    order: int, kernel: Callable[[int, int], Any] | None = None, *, exact: bool = False
) -> NDArray[Any]:
    """Taylor coefficients of the cluster densities in t = chi xi, from the renormalization group equation.

    Parameters
    ----------
    order : int
        Highest power of t, 0 to 60.
    kernel : callable, optional
        b(k, m), symmetric and non-negative; 1 by default. With `exact` it returns int or Fraction.
    exact : bool
        Whether to compute in rational numbers.

    Returns
    -------
    ndarray, shape (order + 1, order + 1)
        Row n - 1 holds the coefficients of P_n/P_0; P_n starts with t^(n-1). Fractions (dtype object) or
        floats (round-off of the recurrence).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the kernel is not symmetric, finite and non-negative.

    Notes
    -----
    Power by power; cost of order^4/8 products.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.6), (2.24)-(2.26).

    Examples
    --------
    >>> print(density_series(2, exact=True))
    [[Fraction(1, 1) Fraction(-2, 1) Fraction(3, 1)]
     [Fraction(0, 1) Fraction(1, 1) Fraction(-3, 1)]
     [Fraction(0, 1) Fraction(0, 1) Fraction(1, 1)]]
    """
    order = integer("order", order, low=0, high=60)
    if kernel is not None and not callable(kernel):
        raise TypeError(f"kernel must be callable or None, got {kernel!r}")
    if not isinstance(exact, bool):
        raise TypeError(f"exact must be True or False, got {exact!r}")
    number: Any = Fraction if exact else float
    zero = number(0)
    b = [[zero] * (order + 2) for _ in range(order + 2)]
    for k in range(1, order + 1):
        for m in range(1, order + 2 - k):
            value = 1 if kernel is None else kernel(k, m)
            if exact and (isinstance(value, bool) or not isinstance(value, int | Fraction)):
                raise TypeError(f"kernel must return int or Fraction if exact, got {value!r} for ({k}, {m})")
            b[k][m] = number(value) if exact else real_scalar("kernel", value, low=0.0, open_low=False)
            if b[k][m] < 0:
                raise ValueError(f"kernel must be non-negative, got {value!r} for ({k}, {m})")
    for k in range(1, order + 1):
        for m in range(1, min(k, order + 2 - k)):
            if not math.isclose(b[k][m], b[m][k], rel_tol=1e-12):
                raise ValueError(f"kernel must be symmetric, got {b[k][m]} and {b[m][k]} for ({k}, {m})")
    p = [[zero] * (order + 1) for _ in range(order + 2)]
    p[1][0] = number(1)
    for power in range(order):
        # The product of clusters k and n has power k + n - 2 at least, which bounds all sums.
        for n in range(1, power + 3):
            change = zero
            for k in range(1, power + 3 - n):
                product = sum((p[n][i] * p[k][power - i] for i in range(n - 1, power - k + 2)), zero)
                change -= 2 * b[k][n] * product
            for k in range(1, n):
                product = sum((p[k][i] * p[n - k][power - i] for i in range(k - 1, power - n + k + 2)), zero)
                change += b[k][n - k] * product
            if n <= order + 1:
                p[n][power + 1] = change / (power + 1)
    return np.array(p[1:], dtype=object if exact else np.float64)
