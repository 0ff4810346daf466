"""The t-t'-W model on a periodic square lattice: Hamiltonian, eigenstates, memory."""

import numpy as np
import scipy.linalg
from scipy import sparse
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, integer, real_scalar

# Largest lattice that is diagonalised without being asked twice: 128 x 128 states take 2 GB a copy.
_LARGEST = 128


def _model(
    size: int, disorder: float, hopping: float, diagonal_hopping: float
) -> tuple[int, float, float, float]:
    return (
        integer("size", size, low=3, high=_LARGEST),
        real_scalar("disorder", disorder, low=0.0, open_low=False),
        real_scalar("hopping", hopping),
        real_scalar("diagonal_hopping", diagonal_hopping),
    )


def site_energies(size: int, disorder: float, *, seed: int | np.random.SeedSequence) -> FloatArray:
    """Random site energies, uniform between -W/2 and W/2; site = size*x + y."""
    size = integer("size", size, low=3)
    disorder = real_scalar("disorder", disorder, low=0.0, open_low=False)
    return np.random.default_rng(seed).uniform(-disorder / 2, disorder / 2, size * size)


def hamiltonian(
    size: int,
    disorder: float,
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    seed: int | np.random.SeedSequence,
) -> sparse.csr_array:
    """Sparse single-particle Hamiltonian of one configuration, each bond once."""
    size, disorder, hopping, diagonal_hopping = _model(size, disorder, hopping, diagonal_hopping)
    sites = np.arange(size * size).reshape(size, size)
    rows, columns, values = [], [], []
    for dx, dy, amplitude in (
        (1, 0, hopping),
        (0, 1, hopping),
        (1, 1, diagonal_hopping),
        (1, -1, diagonal_hopping),
    ):
        neighbour = np.roll(sites, (-dx, -dy), axis=(0, 1)).ravel()
        rows += [sites.ravel(), neighbour]
        columns += [neighbour, sites.ravel()]
        values += [np.full(2 * sites.size, -amplitude)]
    rows.append(sites.ravel())
    columns.append(sites.ravel())
    values.append(site_energies(size, disorder, seed=seed))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(sparse.coo_array(entries, shape=(size * size, size * size)))


def eigenstates(
    size: int,
    disorder: float,
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    seed: int | np.random.SeedSequence,
) -> tuple[FloatArray, FloatArray]:
    """All eigenstates of one configuration: energies (N,) in rising order, states (N, N) by columns."""
    matrix = hamiltonian(
        size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=seed
    ).toarray(order="F")
    with threadpool_limits(1, user_api="blas"):
        energies, states = scipy.linalg.eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    return energies, states
