"""Landau functional of the Fermi glass: quasi-particle energies, Landau interaction, forward scattering.

Everything here is first order in the interaction, where the functional is exact for fluctuations of any size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, real_array, real_scalar
from .arguments import BoolArray, occupied_states, symmetric_matrix
from .occupation_energy import addition_energy


@dataclass(frozen=True)
class LandauFunctional:
    """Quadratic form in the change of the occupations of a reference state.

    Attributes
    ----------
    quasiparticle_energies : ndarray, shape (2, N)
        Derivative of the energy with respect to each occupation, spin up and spin down.
    opposite : ndarray, shape (N, N)
        Landau interaction of opposite spins.
    same : ndarray, shape (N, N)
        Landau interaction of equal spins; its diagonal vanishes.
    up, down : ndarray of bool, shape (N,)
        Occupations of the reference state.
    """

    quasiparticle_energies: FloatArray
    opposite: FloatArray
    same: FloatArray
    up: BoolArray
    down: BoolArray


def _orthonormal(states: Any) -> FloatArray:
    columns = real_array("states", states, ndim=2)
    if columns.shape[0] < columns.shape[1] or not columns.size:
        raise ValueError(f"states must hold at most as many columns as sites, got shape {columns.shape}")
    if not np.allclose(np.einsum("ia,ia->a", columns, columns), 1.0, atol=1e-8):
        raise ValueError("states must be normalized columns, sum of squares 1")
    return columns


def _pair_potential(name: str, value: Any, sites: int) -> sparse.csr_array:
    """Return the interaction as a sparse symmetric matrix U_ij; a number is an on-site interaction."""
    if sparse.issparse(value):
        matrix = sparse.csr_array(value)
        real_array(name, matrix.data)
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        matrix = sparse.csr_array(real_array(name, value, ndim=2))
    else:
        strength = real_scalar(name, value)
        return sparse.csr_array(sparse.diags_array(np.full(sites, strength), format="csr"))
    if matrix.shape != (sites, sites):
        raise ValueError(f"{name} must be a number or have shape ({sites}, {sites}), got {matrix.shape}")
    difference = abs(matrix - matrix.T)
    if difference.nnz and difference.max() > 1e-10 * abs(matrix).max():
        raise ValueError(f"{name} must be symmetric, got a difference of {difference.max():g}")
    return matrix.astype(np.float64)


def landau_interaction(states: ArrayLike, opposite: Any, same: Any = 0.0) -> tuple[FloatArray, FloatArray]:
    r"""Landau interaction of quasi-particles in real orthonormal states, for any interaction U_ij.

    Parameters
    ----------
    states : array_like, shape (sites, N)
        Real normalized states by columns.
    opposite, same : float or matrix of shape (sites, sites)
        Interaction of opposite and of equal spins: a number is an on-site interaction, a symmetric matrix
        (NumPy or SciPy sparse) is U_ij, for instance :func:`short_range_interaction`.
        Energies of any sign.

    Returns
    -------
    opposite, same : ndarray, shape (N, N)
        f_{a up, c down} = sum_ij U_ij phi_a(i)^2 phi_c(j)^2, and f_{a up, c up} = sum_ij U_ij
        [phi_a(i)^2 phi_c(j)^2 - phi_a(i) phi_c(i) phi_a(j) phi_c(j)], whose diagonal vanishes; energies.

    Raises
    ------
    TypeError, ValueError
        If the states are not normalized or an interaction is not symmetric.

    Notes
    -----
    Two matrix products for the direct part, one over the bonds of `same` for the exchange part. An on-site
    interaction of equal spins drops out, as it must: there direct and exchange part are equal.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (16) and the line below it.

    Examples
    --------
    >>> f, same = landau_interaction(np.eye(2), 3.0)
    >>> f
    array([[3., 0.],
           [0., 3.]])
    """
    columns = _orthonormal(states)
    sites = columns.shape[0]
    potentials = [_pair_potential("opposite", opposite, sites), _pair_potential("same", same, sites)]
    weights = columns**2
    with threadpool_limits(1, user_api="blas"):
        direct = weights.T @ (potentials[0] @ weights)
        parallel = np.zeros_like(direct)
        bonds = sparse.coo_array(sparse.triu(potentials[1], k=1))
        if bonds.nnz:
            # Per bond i < j and pair of states: (w_ia w_jc + w_ja w_ic) - 2 p_a p_c with p = phi_i phi_j.
            row, column = bonds.coords
            product = columns[row] * columns[column]
            off_site = potentials[1] - sparse.diags_array(potentials[1].diagonal(), format="csr")
            parallel = weights.T @ (off_site @ weights) - 2 * (product * bonds.data[:, None]).T @ product
    direct, parallel = (direct + direct.T) / 2, (parallel + parallel.T) / 2
    np.fill_diagonal(parallel, 0.0)
    return direct, parallel


def forward_scattering(states: ArrayLike, interaction: Any) -> FloatArray:
    r"""Forward-scattering amplitude f_{a up, a down} of every state: the repulsion of two particles in it.

    Parameters
    ----------
    states : array_like, shape (sites, N)
        Real normalized states by columns.
    interaction : float or matrix of shape (sites, sites)
        Interaction of opposite spins; a number is an on-site interaction. Energies of any sign.

    Returns
    -------
    ndarray, shape (N,)
        sum_ij U_ij phi_a(i)^2 phi_a(j)^2, energy; for an on-site interaction U times the inverse
        participation ratio, that is U/L_a^2 with the participation length L_a.

    Raises
    ------
    TypeError, ValueError
        If the states are not normalized or the interaction is not symmetric.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Section V, below Eq. (16).

    Examples
    --------
    >>> forward_scattering(np.full((4, 1), 0.5), 2.0)
    array([0.5])
    """
    columns = _orthonormal(states)
    potential = _pair_potential("interaction", interaction, columns.shape[0])
    weights = columns**2
    return np.asarray(np.einsum("ia,ia->a", weights, potential @ weights))


def landau_functional(
    energies: ArrayLike, opposite: ArrayLike, up: ArrayLike, down: ArrayLike, same: ArrayLike | None = None
) -> LandauFunctional:
    r"""Landau functional around a reference state of given occupations.

    Parameters
    ----------
    energies : array_like, shape (N,)
        Energies xi_a of the states without interaction, from the chemical potential.
    opposite : array_like, shape (N, N)
        Landau interaction of opposite spins (:func:`landau_interaction`, or U times
        :func:`hubbard_overlaps`), energy.
    up, down : array_like, shape (N,)
        Occupations of the reference, 0 or 1.
    same : array_like, shape (N, N), optional
        Landau interaction of equal spins, with zeros on the diagonal; none by default (on-site interaction).

    Returns
    -------
    LandauFunctional
        With quasi-particle energies xi_a + sum over all other particles of f. For an occupied state they
        hold the repulsion of its own partner.

    Raises
    ------
    TypeError, ValueError
        If shapes do not agree, a matrix is not symmetric, or an occupation is neither 0 nor 1.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (13), (15a), (16).

    Examples
    --------
    >>> functional = landau_functional([-1.0], [[3.0]], [1], [1])
    >>> functional.quasiparticle_energies.ravel()
    array([2., 2.])
    >>> landau_energy(functional, [0], [-1])
    -2.0
    """
    xi = real_array("energies", energies, ndim=1)
    f_opposite = symmetric_matrix("opposite", opposite, count=xi.size)
    f_same = np.zeros_like(f_opposite) if same is None else symmetric_matrix("same", same, count=xi.size)
    if f_same.diagonal().any():
        raise ValueError("same must vanish on the diagonal: no state holds two particles of one spin")
    n_up, n_down = occupied_states("up", up, xi.size), occupied_states("down", down, xi.size)
    quasi = addition_energy(xi, f_opposite, 1.0, n_up, n_down, equal_spin=f_same)
    return LandauFunctional(quasi, f_opposite, f_same, n_up, n_down)


def _change(name: str, value: Any, reference: BoolArray) -> FloatArray:
    change = real_array(name, value, ndim=1)
    if change.shape != reference.shape:
        raise ValueError(f"{name} must have shape {reference.shape}, got {change.shape}")
    allowed = np.where(reference, -1.0, 1.0)
    bad = (change != 0) & (change != allowed)
    if bad.any():
        a = int(np.flatnonzero(bad)[0])
        state = "occupied" if reference[a] else "empty"
        raise ValueError(
            f"{name} must be 0 or {allowed[a]:g} for state {a}, which is {state}, got {change[a]!r}"
        )
    return change


def landau_energy(functional: LandauFunctional, change_up: ArrayLike, change_down: ArrayLike) -> float:
    r"""Energy of a change of the occupations, exact in first order.

    Parameters
    ----------
    functional : LandauFunctional
        From :func:`landau_functional`.
    change_up, change_down : array_like, shape (N,)
        delta n: 0 or -1 for an occupied, 0 or 1 for an empty state.

    Returns
    -------
    float
        sum xi delta n + 1/2 sum f delta n delta n, energy.

    Raises
    ------
    TypeError, ValueError
        If a change is not possible in the reference state.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (16).

    Examples
    --------
    >>> empty = landau_functional([1.0], [[3.0]], [0], [0])
    >>> landau_energy(empty, [1], [1])
    5.0
    """
    if not isinstance(functional, LandauFunctional):
        raise TypeError(f"functional must be a LandauFunctional, got {functional!r}")
    up = _change("change_up", change_up, functional.up)
    down = _change("change_down", change_down, functional.down)
    linear = functional.quasiparticle_energies[0] @ up + functional.quasiparticle_energies[1] @ down
    pairs = (up @ functional.same @ up + down @ functional.same @ down) / 2 + up @ functional.opposite @ down
    return float(linear + pairs)
