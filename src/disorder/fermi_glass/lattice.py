"""The t-t'-W model on a periodic square lattice: dispersion, Hamiltonian, eigenstates, memory."""

from pathlib import Path

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from scipy import sparse
from threadpoolctl import threadpool_limits

from ..numerics.seeds import seed_sequence
from ..numerics.validation import FloatArray, broadcast, integer, plain, real_array, real_scalar

LARGEST_LATTICE = 4096  # for sparse work: 1.7e7 sites, 3 GB
LARGEST_DENSE_LATTICE = 214  # beyond it the entries of a matrix outnumber the 32-bit integers of LAPACK
_DIVIDE_AND_CONQUER = 181  # beyond it the same holds for the workspace of the faster driver
LARGEST_ENERGY = 1e300

# Half of the neighbours of a site; the other half are the same bonds seen from their other end.
BONDS = ((1, 0), (0, 1), (1, 1), (1, -1))


def _energy(name: str, value: float, low: float = -LARGEST_ENERGY) -> float:
    return real_scalar(name, value, low=low, high=LARGEST_ENERGY, open_low=False, open_high=False)


def dispersion(
    kx: ArrayLike, ky: ArrayLike, *, hopping: float = 1.0, diagonal_hopping: float = 0.6
) -> FloatArray | float:
    r"""Band energy of the clean lattice, -2t(cos kx + cos ky) - 4t' cos kx cos ky.

    Parameters
    ----------
    kx, ky : array_like
        Wave vector in inverse lattice constants, any real numbers; broadcast against each other.
    hopping, diagonal_hopping : float
        t between nearest and t' between next-nearest neighbours, either sign, up to 1e300.

    Returns
    -------
    float or ndarray
        Broadcast shape, in the unit of the hoppings; exact to rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Each bond counts once. For t' > t/2 > 0 the band reaches from -4t - 4t' at (0, 0) to 4t' at (pi, 0).

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (12) with W = 0.

    Examples
    --------
    >>> round(dispersion(np.pi, 0.0) - dispersion(0.0, 0.0), 12)
    8.8
    """
    t, diagonal = _energy("hopping", hopping), _energy("diagonal_hopping", diagonal_hopping)
    x, y = broadcast(kx=np.cos(real_array("kx", kx)), ky=np.cos(real_array("ky", ky)))
    return plain(np.asarray(-2 * t * (x + y) - 4 * diagonal * x * y))


def site_energies(size: int, disorder: float, *, seed: int | np.random.SeedSequence) -> FloatArray:
    """Random site energies W_i, independent and uniform between -W/2 and W/2.

    Parameters
    ----------
    size : int
        Sites along each side, 3 to 4096.
    disorder : float
        W, in units of the hopping, 0 to 1e300.
    seed : int or numpy.random.SeedSequence
        The only source of randomness; a sequence is not advanced.

    Returns
    -------
    ndarray
        Shape (size**2,), in the unit of W; the site at (x, y) has the index size*x + y.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), text below Eq. (1).

    Examples
    --------
    >>> values = site_energies(20, 9.0, seed=1)
    >>> values.shape, bool(abs(values).max() < 4.5)
    ((400,), True)
    """
    size = integer("size", size, low=3, high=LARGEST_LATTICE)
    disorder = _energy("disorder", disorder, 0.0)
    return np.random.default_rng(seed_sequence(seed)).uniform(-disorder / 2, disorder / 2, size * size)


def hamiltonian(
    size: int,
    disorder: float,
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    seed: int | np.random.SeedSequence,
) -> sparse.csr_array:
    """Single-particle Hamiltonian h_ij = -t_ij + W_i delta_ij of one configuration, each bond once.

    Parameters
    ----------
    size : int
        Sites along each side of the periodic lattice, 3 to 4096; below 3 two bonds would coincide.
    disorder : float
        W, in units of the hopping, 0 to 1e300.
    hopping, diagonal_hopping : float
        t between nearest and t' between next-nearest neighbours, either sign, up to 1e300.
    seed : int or numpy.random.SeedSequence
        Of the site energies, see :func:`site_energies`.

    Returns
    -------
    scipy.sparse.csr_array
        Real symmetric, shape (size**2, size**2), nine entries a row, in the unit of the hoppings.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The matrix element between neighbours is -t, not -2t: a sum over ordered pairs together with its
    Hermitian conjugate would count each bond twice and give a band of 17.6t instead of 8.8t.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (1), (2), (12).

    Examples
    --------
    >>> h = hamiltonian(3, 0.0, seed=0)
    >>> h.toarray()[0]
    array([ 0. , -1. , -1. , -1. , -0.6, -0.6, -1. , -0.6, -0.6])
    """
    size = integer("size", size, low=3, high=LARGEST_LATTICE)
    t, diagonal = _energy("hopping", hopping), _energy("diagonal_hopping", diagonal_hopping)
    onsite = site_energies(size, disorder, seed=seed)
    count = size * size
    sites = np.arange(count, dtype=np.int32).reshape(size, size)
    columns = np.empty((count, 9), dtype=np.int32)
    values = np.empty((count, 9))
    columns[:, 0], values[:, 0] = sites.ravel(), onsite
    for k, (dx, dy) in enumerate(BONDS):
        for end, sign in ((1, 1), (2, -1)):
            columns[:, 2 * k + end] = np.roll(sites, (-sign * dx, -sign * dy), axis=(0, 1)).ravel()
            values[:, 2 * k + end] = -(diagonal if dx and dy else t)
    starts = np.arange(0, 9 * count + 1, 9, dtype=np.int32)
    matrix = sparse.csr_array((values.ravel(), columns.ravel(), starts), shape=(count, count))
    matrix.sort_indices()
    return matrix


def diagonalization_memory(size: int) -> int:
    """Memory that :func:`eigenstates` takes for one configuration, in bytes.

    Parameters
    ----------
    size : int
        Sites along each side, 3 to 214.

    Returns
    -------
    int
        Bytes at the peak, three square matrices of size**4 doubles (two from size 182 on) and what
        grows with the number of sites only; a third of it stays with the result.

    Raises
    ------
    TypeError, ValueError
        If `size` is not as above.

    Examples
    --------
    >>> round(diagonalization_memory(60) / 1e9, 2), round(diagonalization_memory(80) / 1e9, 2)
    (0.31, 0.99)
    """
    size = integer("size", size, low=3, high=LARGEST_DENSE_LATTICE)
    count = size * size
    matrices = 3 if size <= _DIVIDE_AND_CONQUER else 2
    return 8 * matrices * count**2 + 500 * count


def _available_memory() -> int | None:
    """Bytes that this process can still take, or None where the system does not tell."""
    limits = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(1024 * int(line.split()[1]))
    except (OSError, ValueError, IndexError):
        pass
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        limits.append(limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(limits, default=None)


def _check_memory(size: int, needed: int) -> None:
    available = _available_memory()
    if available is not None and needed > available:
        raise MemoryError(
            f"size = {size} needs {needed / 1e9:.2f} GB, {available / 1e9:.2f} GB are available; "
            "take a smaller lattice or another machine"
        )


def eigenstates(
    size: int,
    disorder: float,
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    seed: int | np.random.SeedSequence,
) -> tuple[FloatArray, FloatArray]:
    """All eigenstates of one configuration on the periodic square lattice.

    Parameters
    ----------
    size : int
        Sites along each side, 3 to 214, as far as the memory goes.
    disorder : float
        W, in units of the hopping, 0 to 1e300.
    hopping, diagonal_hopping : float
        t between nearest and t' between next-nearest neighbours, either sign, up to 1e300.
    seed : int or numpy.random.SeedSequence
        Of the site energies, see :func:`site_energies`.

    Returns
    -------
    energies : ndarray
        Shape (N,) with N = size**2, in rising order, in the unit of the hoppings.
    states : ndarray
        Shape (N, N), real, orthonormal, one state a column; accurate to 1e-14 times the bandwidth.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    MemoryError
        Before anything large is taken, if :func:`diagonalization_memory` exceeds what is available.

    Notes
    -----
    LAPACK's divide and conquer (from size 182 on, relatively robust representations) in one BLAS
    thread, so that configurations run side by side. Time grows as size**6: 8 s at size 60.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (2), (12).

    Examples
    --------
    >>> energies, states = eigenstates(8, 0.0, seed=0)
    >>> round(float(energies[0]), 12), round(float(energies[-1]), 12)
    (-6.4, 2.4)
    """
    needed = diagonalization_memory(size)
    sparse_matrix = hamiltonian(size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=seed)
    _check_memory(size, needed)
    matrix = sparse_matrix.toarray(order="F")
    driver = "evd" if size <= _DIVIDE_AND_CONQUER else "evr"
    with threadpool_limits(1, user_api="blas"):
        energies, states = scipy.linalg.eigh(matrix, driver=driver, overwrite_a=True, check_finite=False)
    return energies, states
