"""Half of the ground state: moments without a mean field."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import integer, real_array, real_scalar

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
