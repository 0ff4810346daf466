"""Density of states per site and spin: kernel polynomials, diagonalization, and the clean band."""

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import agm
from threadpoolctl import threadpool_limits

from ..numerics.ensemble import run_ensemble
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, integer, plain, real_array, real_scalar
from .lattice import LARGEST_LATTICE, _check_memory, _energy, _seed, hamiltonian, site_energies

METHODS = ("kernel polynomials", "diagonalization")
# The spectrum fills the interval of the Chebyshev polynomials up to this margin on either side.
MARGIN = 0.01
LARGEST_DIAGONALIZATION = 181
SMALLEST_WIDTH = 1e-290


@kernel
def _apply(state: FloatArray, result: FloatArray, onsite: FloatArray, t: float, diagonal: float) -> None:
    """result = 2 H state - result, on arrays with one ghost row and column all around."""
    size = onsite.shape[0]
    state[0, 1:-1] = state[size, 1:-1]
    state[size + 1, 1:-1] = state[1, 1:-1]
    state[:, 0] = state[:, size]
    state[:, size + 1] = state[:, 1]
    for x in range(1, size + 1):
        for y in range(1, size + 1):
            near = state[x - 1, y] + state[x + 1, y] + state[x, y - 1] + state[x, y + 1]
            far = state[x - 1, y - 1] + state[x - 1, y + 1] + state[x + 1, y - 1] + state[x + 1, y + 1]
            value = onsite[x - 1, y - 1] * state[x, y] - t * near - diagonal * far
            result[x, y] = 2 * value - result[x, y]


@kernel
def _product(left: FloatArray, right: FloatArray) -> float:
    size = left.shape[0] - 2
    total = 0.0
    for x in range(1, size + 1):
        row = 0.0
        for y in range(1, size + 1):
            row += left[x, y] * right[x, y]
        total += row
    return total


@kernel
def _chebyshev_moments(
    onsite: FloatArray, t: float, diagonal: float, vector: FloatArray, count: int
) -> FloatArray:
    """<v|T_n(H)|v>/<v|v> for n below `count`, two of them per product; the spectrum lies in (-1, 1)."""
    size = onsite.shape[0]
    old = np.zeros((size + 2, size + 2))
    new = np.zeros((size + 2, size + 2))
    old[1:-1, 1:-1] = vector
    norm = _product(old, old)
    _apply(old, new, onsite, t, diagonal)
    new *= 0.5
    moments = np.empty(count)
    moments[0] = 1.0
    moments[1] = _product(old, new) / norm
    for n in range(2, count):
        if n % 2 == 0:
            moments[n] = 2 * _product(new, new) / norm - 1.0
        else:
            _apply(new, old, onsite, t, diagonal)
            old, new = new, old
            moments[n] = 2 * _product(new, old) / norm - moments[1]
    return moments


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
    own = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 2**32 - 1))
    rng = np.random.default_rng(own)
    total = np.zeros(moments)
    for _ in range(vectors):
        signs = np.asarray(2 * rng.integers(0, 2, (size, size)) - 1, dtype=np.float64)
        total += _chebyshev_moments(onsite, t / scale, diagonal / scale, signs, moments)
    return total / vectors


def _jackson(count: int) -> FloatArray:
    """Factors g_n that turn a sum of Chebyshev polynomials into a smooth, positive average."""
    n, top = np.arange(count), count + 1
    angle = np.pi * n / top
    return np.asarray(((top - n) * np.cos(angle) + np.sin(angle) / np.tan(np.pi / top)) / top)


def _sum_polynomials(x: FloatArray, moments: FloatArray) -> FloatArray:
    """Density on (-1, 1) from the moments (..., M) at the points x; zero outside."""
    coefficients = 2 * _jackson(moments.shape[-1]) * moments
    coefficients[..., 0] /= 2
    inside = np.abs(x) < 1
    safe = np.where(inside, x, 0.0)
    values = chebyshev.chebval(safe, np.moveaxis(coefficients, -1, 0)) / (np.pi * np.sqrt(1 - safe**2))
    return np.where(inside, values, 0.0)


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
            seed=_seed(seed),
            arguments=(size, width, t, diagonal, method, count, integer("vectors", vectors, low=1)),
            executor=executor,
            progress=False,
        )
    )
    with np.errstate(over="ignore"):
        x = (energy - centre) / scale
    values = _sum_polynomials(x, samples)
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
    weights = 2 * _jackson(len(sample.moments))[1:] * sample.moments[1:] / n

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


def clean_density_of_states(
    energy: ArrayLike, *, hopping: float = 1.0, diagonal_hopping: float = 0.6
) -> FloatArray | float:
    r"""Density of states per site and spin of the infinite lattice without disorder, in closed form.

    Parameters
    ----------
    energy : array_like
        Any real numbers, in the unit of the hoppings.
    hopping, diagonal_hopping : float
        t and t', either sign, up to 1e300, not both zero.

    Returns
    -------
    float or ndarray
        Of the shape of `energy`, in 1/energy; relative accuracy 1e-13 away from the steps; zero outside
        the band and infinite exactly at the van Hove energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    With t, t' >= 0 (the signs only mirror the band) and the arithmetic-geometric mean agm,

    .. math::

        \rho = \frac{g}{\pi\,\mathrm{agm}(|4t'-\epsilon|,\ 4\sqrt{t^2-t'\epsilon})}
        \quad (t'\epsilon < t^2), \qquad
        \rho = \frac{2}{\pi\,\mathrm{agm}(\sqrt{(\epsilon+4t')^2-16t^2},\ 4\sqrt{t'\epsilon-t^2})}

    where g = 1, except for t' > t/2 and an energy above 4t - 4t', where a second sheet of the band makes
    g = 2. The logarithm sits at t^2/t' for t' > t/2, and at 4t' otherwise.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), App. B (van Hove singularity of Fig. 3); van Hove,
    Phys. Rev. 89, 1189 (1953).

    Examples
    --------
    >>> round(clean_density_of_states(2.4) * float(np.pi * np.sqrt(4 * 0.6**2 - 1.0)) * 2, 12)
    1.0
    """
    e = real_array("energy", energy)
    t, d = abs(_energy("hopping", hopping)), _energy("diagonal_hopping", diagonal_hopping)
    if max(t, abs(d)) < SMALLEST_WIDTH:
        raise ValueError(
            "hopping and diagonal_hopping must not both be zero: the band has no width, "
            f"got {hopping!r} and {diagonal_hopping!r}"
        )
    # A negative t' mirrors the band.
    e, d = (-e, -d) if d < 0 else (e, d)
    low, high = -4 * t - 4 * d, max(4 * d, 4 * t - 4 * d)
    inside = (e >= low) & (e <= high)
    e = np.where(inside, e, low)
    # t^2 - t' e in units of q^2, so that it neither overflows nor vanishes by underflow.
    q = np.maximum(t, np.sqrt(d) * np.sqrt(np.abs(e)))
    with np.errstate(divide="ignore", invalid="ignore"):
        saddle = np.where(q > 0, (t / q) ** 2 - d / q * (e / q), 0.0)
    sheets = np.where((2 * d > t) & (e >= 4 * t - 4 * d), 2.0, 1.0)
    above = np.sqrt(np.maximum(e + 4 * d - 4 * t, 0.0)) * np.sqrt(np.maximum(e + 4 * d + 4 * t, 0.0))
    first = np.where(saddle >= 0, np.abs(4 * d - e), above)
    with np.errstate(divide="ignore"):
        density = sheets / np.pi / agm(first, 4 * q * np.sqrt(np.abs(saddle)))
    return plain(np.where(inside, density, 0.0))
