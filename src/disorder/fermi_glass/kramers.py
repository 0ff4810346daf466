"""Spin-orbit coupling: Kramers pairs of a disordered lattice and the repulsion inside a pair."""

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, integer, real_scalar
from .lattice import hamiltonian

_LARGEST = 32


def spin_orbit_eigenstates(
    size: int,
    disorder: float,
    spin_orbit: float,
    *,
    zeeman: float = 0.0,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    seed: int | np.random.SeedSequence,
) -> tuple[FloatArray, NDArray[np.complex128]]:
    r"""Eigenstates of the t-t'-W model with a Rashba coupling, which breaks inversion but no time reversal.

    Parameters
    ----------
    size : int
        Side of the periodic lattice, 3 to 32.
    disorder : float
        W >= 0, width of the distribution of site energies.
    spin_orbit : float
        Amplitude of i (sigma_y along x, -sigma_x along y) on each nearest-neighbour bond, energy.
    zeeman : float
        Amplitude of sigma_z on each site, energy; breaks time reversal.
    hopping, diagonal_hopping : float
        t and t'.
    seed : int or numpy.random.SeedSequence
        Of the site energies, as in :func:`eigenstates`.

    Returns
    -------
    energies : ndarray, shape (2 size^2,)
        In rising order; in pairs if `zeeman` is zero.
    states : ndarray of complex, shape (2 size^2, 2 size^2)
        By columns; spin up on the sites first, then spin down.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Notes
    -----
    Dense diagonalisation, 64 size^4 bytes a matrix.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), end of Section V.

    Examples
    --------
    >>> energies, states = spin_orbit_eigenstates(3, 2.0, 0.5, seed=1)
    >>> bool(np.allclose(energies[::2], energies[1::2]))
    True
    """
    size = integer("size", size, low=3, high=_LARGEST)
    coupling, field = real_scalar("spin_orbit", spin_orbit), real_scalar("zeeman", zeeman)
    spinless = hamiltonian(
        size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=seed
    ).toarray()
    sites = np.arange(size * size).reshape(size, size)

    def current(axis: int) -> FloatArray:
        ahead = np.roll(sites, -1, axis=axis).ravel()
        shift = sparse.csr_array(
            (np.ones(sites.size), (ahead, sites.ravel())), shape=spinless.shape
        ).toarray()
        return np.asarray(shift - shift.T, dtype=np.float64)

    # i (shift - transposed) sigma_y is real: its blocks are +-(shift - transposed).
    along_x, along_y = coupling * current(0), 1j * coupling * current(1)
    one = field * np.eye(sites.size)
    matrix = np.block([[spinless + one, along_x - along_y], [-along_x - along_y, spinless - one]])
    with threadpool_limits(1, user_api="blas"):
        energies, states = scipy.linalg.eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    return energies, states


def kramers_forward_scattering(states: ArrayLike, interaction: float) -> FloatArray:
    r"""Repulsion of two particles in a state and its Kramers partner, for an on-site interaction.

    Parameters
    ----------
    states : array_like, shape (2 sites, N)
        Normalized states by columns, spin up on the sites first, then spin down.
    interaction : float
        U, energy of either sign.

    Returns
    -------
    ndarray, shape (N,)
        U sum_i rho_a(i)^2 with the density rho_a of both spins, exchange included; the same for both
        members of a pair.

    Raises
    ------
    TypeError, ValueError
        If the states are not normalized or do not hold two spins.

    Notes
    -----
    The partner of (u, v) is (v*, -u*), and the amplitude of finding both on one site is -(|u|^2 + |v|^2).

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), end of Section V.

    Examples
    --------
    >>> kramers_forward_scattering([[0.6], [0.0], [0.0], [0.8j]], 1.0)
    array([0.5392])
    """
    try:
        raw = np.asarray(states)
    except ValueError as error:
        raise ValueError(f"states must be a rectangular array, got {states!r}") from error
    if raw.dtype.kind not in "iufc" or raw.ndim != 2 or raw.shape[0] % 2 or not raw.size:
        raise ValueError(
            f"states must hold complex numbers, two rows for each site, got shape {raw.shape}, {raw.dtype}"
        )
    density = np.abs(raw) ** 2
    if not np.allclose(density.sum(axis=0), 1.0, atol=1e-8):
        raise ValueError("states must be finite normalized columns, sum of squares 1")
    u = real_scalar("interaction", interaction)
    half = raw.shape[0] // 2
    return np.asarray(u * ((density[:half] + density[half:]) ** 2).sum(axis=0))
