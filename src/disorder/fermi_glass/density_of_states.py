"""Density of states per site and spin with disorder: kernel polynomials and diagonalization."""

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from threadpoolctl import threadpool_limits

from ..numerics.ensemble import run_ensemble
from ..numerics.seeds import child_seed, seed_sequence
from ..numerics.validation import FloatArray, integer, plain, real_array, real_scalar
from .clean_band import SMALLEST_WIDTH
from .kernel_polynomials import chebyshev_moments, jackson_factors, sum_polynomials
from .lattice import LARGEST_LATTICE, _check_memory, _energy, hamiltonian, site_energies

METHODS = ("kernel polynomials", "diagonalization")
# The spectrum fills the interval of the Chebyshev polynomials up to this margin on either side.
MARGIN = 0.01
LARGEST_DIAGONALIZATION = 181


@dataclass(frozen=True)
class DensityOfStates:
    """Density of states per site and spin, averaged over configurations of the site energies.

    Attributes
    ----------
    energy : ndarray
        Where it is given.
    density : ndarray
        Mean over the configurations, smoothed with `resolution`, in 1/energy; of the shape of `energy`.
    error : ndarray
        Standard error of the mean, from the spread between configurations (it contains the noise of the
        random vectors).
    resolution : float
        Standard deviation of the smoothing kernel at the centre of the band; smaller towards its ends.
    moments : ndarray
        Mean Chebyshev moments tr T_n((H - centre)/half_width)/N.
    centre, half_width : float
        Map of the band onto (-1, 1).
    """

    energy: FloatArray
    density: FloatArray
    error: FloatArray
    resolution: float
    moments: FloatArray
    centre: float
    half_width: float


def _band(disorder: float, t: float, diagonal: float) -> tuple[float, float]:
    # The dispersion is linear in cos kx and in cos ky: its ends lie where both are +1 or -1.
    corners = (-4 * t - 4 * diagonal, 4 * t - 4 * diagonal, 4 * diagonal)
    low, high = min(corners) - disorder / 2, max(corners) + disorder / 2
    if high - low < SMALLEST_WIDTH:
        raise ValueError(
            "hopping, diagonal_hopping and disorder must not all be zero: the density is a delta function, "
            f"got a band from {low:g} to {high:g}"
        )
    return (low + high) / 2, (1 + MARGIN) * (high - low) / 2


def _configuration_moments(
    seed: np.random.SeedSequence,
    size: int,
    disorder: float,
    t: float,
    diagonal: float,
    method: str,
    moments: int,
    vectors: int,
) -> FloatArray:
    """Chebyshev moments of one configuration: the task of the ensemble."""
    centre, scale = _band(disorder, t, diagonal)
    if method == "diagonalization":
        matrix = hamiltonian(size, disorder, hopping=t, diagonal_hopping=diagonal, seed=seed)
        _check_memory(size, 8 * size**4)
        with threadpool_limits(1, user_api="blas"):
            energies = scipy.linalg.eigvalsh(
                matrix.toarray(order="F"), overwrite_a=True, check_finite=False, driver="evd"
            )
        angle = np.arccos(np.clip((energies - centre) / scale, -1.0, 1.0))
        return np.array([np.cos(n * angle).mean() for n in range(moments)])
    onsite = (site_energies(size, disorder, seed=seed).reshape(size, size) - centre) / scale
    # Another stream than that of the site energies, and none that the caller might spawn.
    rng = np.random.default_rng(child_seed(seed, 2**32 - 1))
    total = np.zeros(moments)
    for _ in range(vectors):
        signs = np.asarray(2 * rng.integers(0, 2, (size, size)) - 1, dtype=np.float64)
        total += chebyshev_moments(onsite, t / scale, diagonal / scale, signs, moments)
    return total / vectors


def sample_density_of_states(
    energy_grid: ArrayLike,
    size: int,
    disorder: float,
    method: str = "kernel polynomials",
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    realisations: int = 15,
    moments: int = 256,
    vectors: int = 8,
    seed: int | np.random.SeedSequence = 0,
    executor: Executor | None = None,
) -> DensityOfStates:
    """Density of states per site and spin with its error, over an ensemble of configurations.

    Parameters
    ----------
    energy_grid : array_like
        Energies, any real numbers and shape, in the unit of the hoppings.
    size : int
        Sites along each side of the periodic lattice, 3 to 4096; up to 181 for diagonalization.
    disorder : float
        Width W of the uniform distribution of site energies, 0 to 1e300.
    method : {"kernel polynomials", "diagonalization"}
        Chebyshev moments by products of H with random vectors, or from all eigenvalues.
    hopping, diagonal_hopping : float
        t and t', either sign, up to 1e300.
    realisations : int
        Number of configurations, at least 2.
    moments : int
        Number of Chebyshev moments, 2 to 100000; the resolution is pi/moments times half the bandwidth.
    vectors : int
        Random vectors for each configuration, at least 1; without effect on diagonalization.
    seed : int or numpy.random.SeedSequence
        Configuration i gets child i of it; both methods see the same configurations.
    executor : concurrent.futures.Executor, optional
        Where to run, see :func:`disorder.numerics.ensemble.run_ensemble`; the digits do not depend on it.

    Returns
    -------
    DensityOfStates
        Both methods return the same smoothed density; their difference is the noise of the random
        vectors. Its relative variance is at most 1/(sqrt(pi) realisations vectors n), n being the number
        of states of one configuration within the resolution.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the band has no width at all.
    MemoryError
        If a matrix does not fit the available memory.

    Notes
    -----
    The smoothing is Jackson's kernel: positive, normalized, nearly Gaussian with the standard deviation
    `resolution` times sqrt(1 - x^2), x = (energy - centre)/half_width.
    Cost for one configuration: size**2*moments*vectors/2 sites visited, 20 ms at size 60; or size**6.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 3; Weisse et al., Rev. Mod. Phys. 78, 275 (2006).

    Examples
    --------
    >>> result = sample_density_of_states([-20.0, 0.0], 16, 9.0, realisations=4, moments=32)
    >>> float(result.density[0]), bool(0.05 < result.density[1] < 0.15)
    (0.0, True)
    """
    energy = real_array("energy_grid", energy_grid)
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}")
    dense = method == "diagonalization"
    size = integer("size", size, low=3, high=LARGEST_DIAGONALIZATION if dense else LARGEST_LATTICE)
    width = _energy("disorder", disorder, 0.0)
    t, diagonal = _energy("hopping", hopping), _energy("diagonal_hopping", diagonal_hopping)
    count = integer("moments", moments, low=2, high=100_000)
    centre, scale = _band(width, t, diagonal)
    samples = np.array(
        run_ensemble(
            _configuration_moments,
            integer("realisations", realisations, low=2),
            seed=seed_sequence(seed),
            arguments=(size, width, t, diagonal, method, count, integer("vectors", vectors, low=1)),
            executor=executor,
            progress=False,
        )
    )
    with np.errstate(over="ignore"):
        x = (energy - centre) / scale
    values = sum_polynomials(x, samples)
    density = values.mean(axis=0) / scale
    error = values.std(axis=0, ddof=1) / np.sqrt(len(samples)) / scale
    resolution = float(np.pi * scale / count)
    return DensityOfStates(energy, density, error, resolution, samples.mean(axis=0), centre, scale)


def fermi_level(sample: DensityOfStates, filling: float) -> float:
    """Energy up to which the smoothed density of states holds the given part of all states.

    Parameters
    ----------
    sample : DensityOfStates
        From :func:`sample_density_of_states`.
    filling : float
        Occupied part of the states of one spin direction, above 0 and below 1.

    Returns
    -------
    float
        In the unit of the hoppings, accurate to 1e-12 of the bandwidth for the smoothed density.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The density integrates to 1 - (angle + 2 sum_n g_n mu_n sin(n angle)/n)/pi, x = cos(angle), which is
    monotonic because the kernel is positive.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), N(0) of Fig. 2(b).

    Examples
    --------
    >>> square = sample_density_of_states(0.0, 64, 0.0, diagonal_hopping=0.0, realisations=2, moments=32)
    >>> bool(abs(fermi_level(square, 0.5)) < 0.05)
    True
    """
    if not isinstance(sample, DensityOfStates):
        raise TypeError(f"sample must be a DensityOfStates, got {sample!r}")
    part = real_scalar("filling", filling, low=0.0, high=1.0)
    n = np.arange(1, len(sample.moments))
    weights = 2 * jackson_factors(len(sample.moments))[1:] * sample.moments[1:] / n

    def excess(angle: float) -> float:
        return float(1 - (angle + weights @ np.sin(n * angle)) / np.pi - part)

    angle = brentq(excess, 0.0, np.pi, xtol=1e-13)
    return float(sample.centre + sample.half_width * np.cos(angle))


def density_of_states(
    energy_grid: ArrayLike,
    size: int,
    disorder: float,
    method: str = "kernel polynomials",
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    realisations: int = 15,
    moments: int = 256,
    vectors: int = 8,
    seed: int | np.random.SeedSequence = 0,
    executor: Executor | None = None,
) -> FloatArray | float:
    """Density of states per site and spin, averaged over configurations.

    Parameters
    ----------
    energy_grid, size, disorder, method, hopping, diagonal_hopping, moments, vectors, seed, executor
        See :func:`sample_density_of_states`.
    realisations : int
        Number of configurations, at least 2.

    Returns
    -------
    float or ndarray
        Of the shape of `energy_grid`, in 1/energy. :func:`sample_density_of_states` adds the error.

    Raises
    ------
    TypeError, ValueError, MemoryError
        See :func:`sample_density_of_states`.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 3.

    Examples
    --------
    >>> energy = np.linspace(-12.0, 8.0, 401)
    >>> density = density_of_states(energy, 16, 9.0, realisations=4, moments=32)
    >>> round(float(np.trapezoid(density, energy)), 3)
    1.0
    """
    result = sample_density_of_states(
        energy_grid,
        size,
        disorder,
        method,
        hopping=hopping,
        diagonal_hopping=diagonal_hopping,
        realisations=realisations,
        moments=moments,
        vectors=vectors,
        seed=seed,
        executor=executor,
    )
    return plain(result.density)
