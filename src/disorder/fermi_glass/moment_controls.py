"""Two halves of the ground state: moments without mean field, and mean field without moments."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import integer, real_array, real_scalar

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def isolated_occupations(
    energies: ArrayLike, self_overlaps: ArrayLike, interaction: float, particles: int
) -> IntArray:
    r"""Ground state if only particles in the same state interacted: moments without any mean field.

    .. math:: E = \sum_a \xi_a(n_{a\uparrow}+n_{a\downarrow}) + U\sum_a K_{aa}n_{a\uparrow}n_{a\downarrow}

    Parameters
    ----------
    energies : array_like, shape (states,)
        In any order.
    self_overlaps : array_like, shape (states,)
        K_aa = U_aaaa/U, at least 0.
    interaction : float
        U, at least 0.
    particles : int
        Number of particles, at most 2 per state.

    Returns
    -------
    ndarray of int, shape (states,)
        n_up + n_down: 1 where -U K_aa < xi_a - mu < 0, the window of (A9).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The lowest of the levels xi_a and xi_a + U K_aa are filled, which is exact; at a tie lower states first.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A9).

    Examples
    --------
    >>> isolated_occupations([0.0, 1.0, 1.2], [0.1, 0.5, 0.5], 1.0, 4)
    array([2, 1, 1])
    """
    xi = real_array("energies", energies, ndim=1)
    own = real_array("self_overlaps", self_overlaps, ndim=1, low=0.0, open_low=False)
    if xi.shape != own.shape:
        raise ValueError(f"self_overlaps must have the shape {xi.shape} of energies, got {own.shape}")
    strength = real_scalar("interaction", interaction, low=0.0, open_low=False)
    count = integer("particles", particles, low=0, high=2 * xi.size)
    levels = np.stack([xi, xi + strength * own], axis=1).ravel()
    filled = np.zeros(levels.size, dtype=np.int64)
    filled[np.argsort(levels, kind="stable")[:count]] = 1
    return np.asarray(filled.reshape(-1, 2).sum(axis=1))


def paired_descent(energies: ArrayLike, overlaps: ArrayLike, interaction: float, particles: int) -> BoolArray:
    r"""Steepest descent with both spins alike: the control in which no moment can form.

    Parameters
    ----------
    energies : array_like, shape (states,)
    overlaps : array_like, shape (states, states)
        K_ac = U_aacc/U, symmetric and positive semidefinite, as :func:`hubbard_overlaps` makes them.
    interaction : float
        U, at least 0.
    particles : int
        Even number of particles.

    Returns
    -------
    ndarray of bool, shape (states,)
        Doubly occupied states. No exchange of one of them with an empty one lowers the energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Moving the pair of a to b costs 2(h_b - h_a) + U(K_aa + K_bb - 2K_ab) with h = xi + U K n. The second
    term is never negative, so only pairs with h_b < h_a are looked at. The energy of pairs is not
    submodular, so that this is a local minimum and not a proven one. One move costs some passes over a row.

    Examples
    --------
    >>> paired_descent([0.0, 0.1, 0.2], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 1.0, 4)
    array([ True, False,  True])
    """
    xi = real_array("energies", energies, ndim=1)
    matrix = np.asarray(overlaps)
    if matrix.dtype.kind not in "iuf" or matrix.shape != (xi.size, xi.size):
        raise ValueError(f"overlaps must be real and have shape {(xi.size,) * 2}, got {matrix.shape}")
    strength = real_scalar("interaction", interaction, low=0.0, open_low=False)
    pairs, odd = divmod(integer("particles", particles, low=0, high=2 * xi.size), 2)
    if odd:
        raise ValueError(f"particles must be even to be paired, got {particles}")
    filled = np.zeros(xi.size, dtype=np.bool_)
    filled[np.argsort(xi, kind="stable")[:pairs]] = True
    own = strength * np.diagonal(matrix)
    field = xi + strength * (matrix[filled].sum(axis=0))
    if not np.isfinite(field).all():
        raise ValueError("overlaps must be finite, got NaN or infinity")
    if pairs in (0, xi.size):
        return filled
    tolerance = 1e-12 * float(np.abs(field).max())
    while True:
        sources = np.flatnonzero(filled & (field > field[~filled].min()))
        targets = np.flatnonzero(~filled & (field < field[filled].max()))
        if not sources.size:
            return filled
        cost = (2 * field + own)[targets] - (2 * field - own)[sources, None]
        cost -= 2 * strength * matrix[np.ix_(sources, targets)]
        a, b = np.unravel_index(cost.argmin(), cost.shape)
        if cost[a, b] >= -tolerance:
            return filled
        source, target = int(sources[a]), int(targets[b])
        filled[source], filled[target] = False, True
        field += strength * (matrix[target] - matrix[source])
