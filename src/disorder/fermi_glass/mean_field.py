"""Short-range interactions of any form: matrix elements, mean-field Hamiltonian, energy, fixed point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, integer, positive, real_array, real_scalar
from .arguments import symmetric_matrix
from .lattice import BONDS

LARGEST_TENSOR = 64
# Beyond this a product of two entries could overflow.
_LARGEST = 1e150
TOLERANCE = 1e-10


@dataclass(frozen=True)
class MeanField:
    """A self-consistent non-magnetic mean field.

    Attributes
    ----------
    hamiltonian : ndarray
        h^HF, shape (N, N).
    energies, states : ndarray
        Its eigenvalues in rising order and its eigenstates by columns.
    density_matrix : ndarray
        <c+_j c_i> of one spin direction, shape (N, N).
    energy : float
        Total energy of both spin directions.
    residual : float
        Largest entry of the commutator of `hamiltonian` and `density_matrix`.
    iterations : int
        Diagonalizations that it took.
    """

    hamiltonian: FloatArray
    energies: FloatArray
    states: FloatArray
    density_matrix: FloatArray
    energy: float
    residual: float
    iterations: int


def _density(name: str, value: ArrayLike, count: int) -> FloatArray:
    matrix = symmetric_matrix(name, value, count=count, low=-_LARGEST, high=_LARGEST)
    if float(np.abs(matrix).max()) > 1 + 1e-9:
        raise ValueError(f"{name} must have entries between -1 and 1, got {float(np.abs(matrix).max()):g}")
    return matrix


def _model(
    single_particle: ArrayLike, same_spin: ArrayLike, opposite_spin: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    h = symmetric_matrix("single_particle", single_particle, low=-_LARGEST, high=_LARGEST)
    same = symmetric_matrix("same_spin", same_spin, count=len(h), low=-_LARGEST, high=_LARGEST)
    opposite = symmetric_matrix("opposite_spin", opposite_spin, count=len(h), low=-_LARGEST, high=_LARGEST)
    return h, same, opposite


def _densities(own: ArrayLike, other: ArrayLike | None, count: int) -> tuple[FloatArray, FloatArray]:
    first = _density("density_matrix", own, count)
    return first, first if other is None else _density("other_density_matrix", other, count)


def short_range_interaction(
    size: int, on_site: float = 0.0, nearest: float = 0.0, diagonal: float = 0.0
) -> FloatArray:
    """Interaction U_ij of two sites of the periodic square lattice, up to next-nearest neighbours.

    Parameters
    ----------
    size : int
        Sites along each side, 3 to 64.
    on_site, nearest, diagonal : float
        U_ij for i = j, for nearest and for next-nearest neighbours, either sign.

    Returns
    -------
    ndarray
        Real symmetric, shape (size**2, size**2), the site at (x, y) having the index size*x + y.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (1).

    Examples
    --------
    >>> short_range_interaction(3, 2.0, nearest=0.5)[0]
    array([2. , 0.5, 0.5, 0.5, 0. , 0. , 0.5, 0. , 0. ])
    """
    size = integer("size", size, low=3, high=64)
    near, far = real_scalar("nearest", nearest), real_scalar("diagonal", diagonal)
    matrix = real_scalar("on_site", on_site) * np.eye(size * size)
    sites = np.arange(size * size).reshape(size, size)
    for dx, dy in BONDS:
        other = np.roll(sites, (-dx, -dy), axis=(0, 1)).ravel()
        matrix[sites.ravel(), other] = matrix[other, sites.ravel()] = far if dx and dy else near
    return matrix


def interaction_tensor(states: ArrayLike, interaction: ArrayLike) -> FloatArray:
    """All matrix elements U_abce = sum_ij U_ij phi_a(i) phi_b(i) phi_c(j) phi_e(j) of real states.

    Parameters
    ----------
    states : array_like
        Shape (N, n), one state a column, n up to 64.
    interaction : array_like
        U_ij of one pair of spin directions, symmetric, shape (N, N), in any unit of energy.

    Returns
    -------
    ndarray
        Shape (n, n, n, n), in the unit of `interaction`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Two matrix products, of n**2 N**2 + n**4 N steps.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), below Eq. (4).

    Examples
    --------
    >>> interaction_tensor([[0.6, 0.8], [0.8, -0.6]], np.eye(2))[0, 0, 1, 1].round(6)
    np.float64(0.4608)
    """
    basis = real_array("states", states, ndim=2, low=-1e50, high=1e50)
    count = basis.shape[1]
    if not 1 <= count <= LARGEST_TENSOR:
        raise ValueError(f"states must have 1 to {LARGEST_TENSOR} columns, got shape {basis.shape}")
    coupling = symmetric_matrix("interaction", interaction, count=len(basis), low=-_LARGEST, high=_LARGEST)
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), count * count)
    return np.asarray(pairs.T @ (coupling @ pairs)).reshape((count,) * 4)


def one_body_density_matrix(states: ArrayLike, occupations: ArrayLike) -> FloatArray:
    """Density matrix <c+_j c_i> = sum_a phi_a(i) phi_a(j) n_a of one spin direction, real states.

    Parameters
    ----------
    states : array_like
        Shape (N, n), one state a column.
    occupations : array_like
        n_a, shape (n,), numbers from 0 to 1 or an array of booleans.

    Returns
    -------
    ndarray
        Real symmetric, shape (N, N); the diagonal holds the densities <n_i>.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (3), (7).

    Examples
    --------
    >>> one_body_density_matrix([[0.6, 0.8], [0.8, -0.6]], [1.0, 0.0])
    array([[0.36, 0.48],
           [0.48, 0.64]])
    """
    basis = real_array("states", states, ndim=2, low=-1e100, high=1e100)
    given = occupations
    if isinstance(given, np.ndarray) and given.dtype == np.bool_:
        given = given.astype(np.float64)
    filling = real_array("occupations", given, ndim=1, low=0.0, high=1.0, open_low=False, open_high=False)
    if basis.shape[1] != len(filling):
        raise ValueError(
            f"occupations must hold one number for each column of states, got shapes {filling.shape} "
            f"and {basis.shape}"
        )
    return np.asarray((basis * filling) @ basis.T)


def mean_field_hamiltonian(
    single_particle: ArrayLike,
    same_spin: ArrayLike,
    opposite_spin: ArrayLike,
    density_matrix: ArrayLike,
    other_density_matrix: ArrayLike | None = None,
) -> FloatArray:
    r"""Hartree-Fock Hamiltonian h^HF_ij = -t^HF_ij + W^HF_i delta_ij of one spin direction.

    Parameters
    ----------
    single_particle : array_like
        h_ij = -t_ij + W_i delta_ij, real symmetric, shape (N, N).
    same_spin, opposite_spin : array_like
        U_ij between equal and between opposite spins, real symmetric, shape (N, N), either sign.
    density_matrix : array_like
        <c+_j c_i> of the spin direction in question, real symmetric, shape (N, N), entries -1 to 1.
    other_density_matrix : array_like, optional
        That of the opposite direction; by default the same, the non-magnetic case.

    Returns
    -------
    ndarray
        Real symmetric, shape (N, N).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Exchange acts between equal spins only: t^HF_ij = t_ij + U_ij^(same) <c+_j c_i>. Its diagonal, an
    energy -U_ii^(same) <n_i>, cancels the repulsion of a particle by itself in W^HF.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (5a), (5b), (6), (A1).

    Examples
    --------
    >>> mean_field_hamiltonian([[0, -1], [-1, 0]], np.zeros((2, 2)), 3 * np.eye(2), np.full((2, 2), 0.5))
    array([[ 1.5, -1. ],
           [-1. ,  1.5]])
    """
    h, same, opposite = _model(single_particle, same_spin, opposite_spin)
    own, other = _densities(density_matrix, other_density_matrix, len(h))
    return _hamiltonian(h, same, opposite, own, other)


def _hamiltonian(
    h: FloatArray, same: FloatArray, opposite: FloatArray, own: FloatArray, other: FloatArray
) -> FloatArray:
    return np.asarray(h + np.diag(same @ own.diagonal() + opposite @ other.diagonal()) - same * own)


def mean_field_energy(
    single_particle: ArrayLike,
    same_spin: ArrayLike,
    opposite_spin: ArrayLike,
    density_matrix: ArrayLike,
    other_density_matrix: ArrayLike | None = None,
) -> float:
    """Expectation value of the Hamiltonian in a Slater determinant, both spin directions.

    Parameters
    ----------
    single_particle, same_spin, opposite_spin, density_matrix, other_density_matrix : array_like
        See :func:`mean_field_hamiltonian`.

    Returns
    -------
    float
        In the unit of the arguments. The one-body term that `same_spin` has at i = j, U_ii n_i/2 because
        n_i^2 = n_i, is left out: it belongs to the site energies.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (1), (13), (14).

    Examples
    --------
    >>> half = np.full((2, 2), 0.5)
    >>> mean_field_energy([[0, -1], [-1, 0]], np.zeros((2, 2)), 3 * np.eye(2), half)
    -0.5
    """
    h, same, opposite = _model(single_particle, same_spin, opposite_spin)
    own, other = _densities(density_matrix, other_density_matrix, len(h))
    return _energy_of(h, same, opposite, own, other)


def _energy_of(
    h: FloatArray, same: FloatArray, opposite: FloatArray, own: FloatArray, other: FloatArray
) -> float:
    total = float(own.diagonal() @ opposite @ other.diagonal())
    for rho in (own, other):
        density = rho.diagonal()
        total += float((h * rho).sum() + (density @ same @ density - (same * rho**2).sum()) / 2)
    return total


def self_consistent_mean_field(
    single_particle: ArrayLike,
    same_spin: ArrayLike,
    opposite_spin: ArrayLike,
    pairs: int,
    *,
    mixing: float = 0.5,
    tolerance: float = TOLERANCE,
    max_iterations: int = 300,
) -> MeanField:
    """Non-magnetic self-consistent solution of the mean-field equations at fixed particle number.

    Parameters
    ----------
    single_particle, same_spin, opposite_spin : array_like
        See :func:`mean_field_hamiltonian`.
    pairs : int
        Doubly occupied states, 0 to N; the lowest of h^HF are taken.
    mixing : float
        Part of the new density matrix in each step, above 0 to 1.
    tolerance : float
        Allowed change of any entry of the density matrix between input and output.
    max_iterations : int
        At least 1.

    Returns
    -------
    MeanField

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    ConvergenceError
        If the iteration does not reach the tolerance, as happens when U is not weak against the gap
        between the last occupied and the first empty state.

    Notes
    -----
    Damped iteration; each step costs one diagonalization. It finds a stationary point, not necessarily
    the lowest one, and no magnetic one.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (5a), (5b), (6), (7).

    Examples
    --------
    >>> result = self_consistent_mean_field([[0, -1], [-1, 1]], np.zeros((2, 2)), np.eye(2), 1)
    >>> d = result.density_matrix[0, 0] - result.density_matrix[1, 1]
    >>> bool(abs(d - (1 - d) / np.hypot(1 - d, 2)) < 1e-9)
    True
    """
    h, same, opposite = _model(single_particle, same_spin, opposite_spin)
    filled = integer("pairs", pairs, low=0, high=len(h))
    part = real_scalar("mixing", mixing, low=0.0, high=1.0, open_high=False)
    accuracy = positive("tolerance", tolerance)
    steps = integer("max_iterations", max_iterations, low=1)
    with threadpool_limits(1, user_api="blas"):
        density: Any = None
        change = np.inf
        for iteration in range(1, steps + 1):
            matrix = h if density is None else _hamiltonian(h, same, opposite, density, density)
            energies, states = scipy.linalg.eigh(matrix, check_finite=False)
            new = states[:, :filled] @ states[:, :filled].T
            if density is None:
                density = new
                continue
            change = float(np.abs(new - density).max())
            if change <= accuracy:
                field = _hamiltonian(h, same, opposite, new, new)
                energies, states = scipy.linalg.eigh(field, check_finite=False)
                residual = float(np.abs(field @ new - new @ field).max())
                total = _energy_of(h, same, opposite, new, new)
                return MeanField(field, energies, states, new, total, residual, iteration + 1)
            density = (1 - part) * density + part * new
    raise ConvergenceError(
        f"the density matrix still changes by {change:.1e} after {steps} iterations, allowed {accuracy:.1e}; "
        "take a smaller mixing or a weaker interaction"
    )
