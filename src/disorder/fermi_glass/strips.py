"""Localization length of long strips, from the decay of their Green function.

A strip of M sites across (periodic) grows slice by slice. With G_n the Green function of the first n slices
at its last slice, and x_n the row of the Green function that leads from one site of the first slice to the
last one,

    G_n = (E - H_n - T^T G_{n-1} T)^{-1},      x_n = x_{n-1} T G_n .

|x_n| falls as exp(-gamma n): gamma is the smallest Lyapunov exponent. No inverse of T is needed, which for
diagonal hopping beyond half the straight one can be almost singular.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError
from ..numerics.seeds import seed_sequence
from ..numerics.validation import (
    FloatArray,
    broadcast,
    integer,
    plain,
    real_array,
    real_scalar,
)

# A block must be this many decay lengths long, so that neighbouring blocks are nearly independent.
_BLOCK = 5.0
_RANGE = 1e100


@kernel
def _dress(green: FloatArray, half: FloatArray, straight: float, diagonal: float) -> None:
    # green becomes T green T for T = straight + diagonal (one up and one down); its sign drops out.
    size = green.shape[0]
    for i in range(size):
        above, below = (i + 1) % size, (i - 1) % size
        for j in range(size):
            half[i, j] = straight * green[i, j] + diagonal * (green[above, j] + green[below, j])
    for i in range(size):
        for j in range(size):
            right, left = (j + 1) % size, (j - 1) % size
            green[i, j] = straight * half[i, j] + diagonal * (half[i, right] + half[i, left])


@kernel
def _grow(
    energy: float,
    straight: float,
    diagonal: float,
    potential: FloatArray,
    green: FloatArray,
    row: FloatArray,
) -> float:
    # Adds the slices of `potential`. `green` and `row` are kept, `row` up to a factor that the result holds.
    length, width = potential.shape
    half = np.empty((width, width))
    hopped = np.empty(width)
    decay = 0.0
    for n in range(length):
        _dress(green, half, straight, diagonal)
        for i in range(width):
            for j in range(width):
                green[i, j] = -green[i, j]
            green[i, i] += energy - potential[n, i]
            hopped[i] = straight * row[i] + diagonal * (row[(i + 1) % width] + row[(i - 1) % width])
        if width > 1:
            for i in range(width):
                j = (i + 1) % width
                green[i, j] += straight
                green[j, i] += straight
        green[:] = np.linalg.inv(green)
        row[:] = 0.0
        for i in range(width):
            for j in range(width):
                row[j] += hopped[i] * green[i, j]
        largest = np.abs(row).max()
        if not 0.0 < largest < math.inf:
            return math.nan  # a clean level was hit
        row /= largest
        decay -= math.log(largest)
    return decay


@dataclass(frozen=True)
class StripLocalization:
    """Decay of the Green function along a strip; see :func:`strip_localization`.

    Attributes
    ----------
    exponent, exponent_error : float or ndarray
        Smallest Lyapunov exponent, per lattice constant, and its standard error.
    blocks : ndarray, shape (..., blocks)
        The same from each block of slices; `exponent` is their mean.
    """

    exponent: float | FloatArray
    exponent_error: float | FloatArray
    blocks: FloatArray

    @property
    def amplitude_length(self) -> float | FloatArray:
        """Decay length of the amplitude, 1/gamma: the usual lambda of a strip, in lattice constants."""
        return 1 / self.exponent

    @property
    def density_length(self) -> float | FloatArray:
        """Decay length of the density, 1/(2 gamma): the L of the paper's Eq. (8), in lattice constants."""
        return 0.5 / self.exponent

    @property
    def density_length_error(self) -> float | FloatArray:
        """Standard error of `density_length`."""
        return self.density_length * (self.exponent_error / self.exponent)


def strip_localization(
    energy: ArrayLike,
    width: int,
    disorder: ArrayLike,
    *,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    length: int = 20_000,
    blocks: int = 20,
    seed: int | np.random.SeedSequence,
) -> StripLocalization:
    r"""Localization length along a strip that is periodic across.

    Parameters
    ----------
    energy : float or array_like
        Energy, in the unit of the hopping.
    width : int
        Sites across, 1 (a chain, which has no diagonal bonds) or from 3 to 256.
    disorder : float or array_like
        Width W > 0 of the uniform distribution of site energies; broadcasts against `energy`.
    hopping, diagonal_hopping : float
        Amplitudes t and t' of Eq. (12); not both zero (and t not zero for a chain).
    length : int
        Slices that are counted, at least `blocks`; one more block is grown before them and dropped.
    blocks : int
        Number of blocks, at least 4, whose scatter gives the error.
    seed : int or SeedSequence
        Site energies are drawn slice by slice, the same random numbers for every energy and disorder.

    Returns
    -------
    StripLocalization
        Exponent, standard error, and decay lengths of amplitude and density.

    Raises
    ------
    ConvergenceError
        If a block is shorter than five decay lengths of the amplitude: take a larger `length`.
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    Recursive Green functions; :math:`\sim M^3` operations a slice. The relative error is about
    :math:`(\gamma\,\mathrm{length})^{-1/2}` or better. At an energy outside the band a strip decays as well:
    the exponent says nothing about the existence of states there.

    References
    ----------
    MacKinnon and Kramer, Phys. Rev. Lett. 47, 1546 (1981).
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (8).

    Examples
    --------
    >>> strip = strip_localization(-0.3, 8, 9.0, length=20_000, seed=1)
    >>> 2.3 < strip.density_length < 3.1
    True
    """
    width = integer("width", width, low=1, high=256)
    if width == 2:
        raise ValueError("width must be 1 or at least 3 (two rows would be neighbours twice), got 2")
    hopping = real_scalar("hopping", hopping)
    diagonal_hopping = real_scalar("diagonal_hopping", diagonal_hopping)
    if width == 1:
        diagonal_hopping = 0.0
    if hopping == 0 and diagonal_hopping == 0:
        raise ValueError(f"hopping must not be zero, got {hopping:g} and no diagonal hopping")
    blocks = integer("blocks", blocks, low=4)
    length = integer("length", length, low=blocks)
    grid = broadcast(energy=real_array("energy", energy), disorder=real_array("disorder", disorder, low=0.0))
    reach = max(abs(hopping), abs(diagonal_hopping))
    largest = max(reach, float(np.abs(grid[0]).max(initial=0)), float(grid[1].max(initial=0)))
    if largest > _RANGE * reach:
        raise ValueError(f"hopping must be at least 1e-100 of energy and disorder, got {reach:g}")
    slices = length // blocks
    values = np.empty((*grid[0].shape, blocks))
    with threadpool_limits(1, user_api="blas"):
        for place in np.ndindex(grid[0].shape):
            # All energies in a unit that is not smaller than any of them, so that nothing can overflow.
            unit = max(reach, float(abs(grid[0][place])), float(grid[1][place]))
            model = float(grid[0][place]) / unit, hopping / unit, diagonal_hopping / unit
            rng = np.random.default_rng(seed_sequence(seed))
            green = np.zeros((width, width))
            row = np.zeros(width)
            row[0] = 1.0
            for block in range(-1, blocks):
                potential = (rng.random((slices, width)) - 0.5) * (grid[1][place] / unit)
                try:
                    decay = _grow(*model, potential, green, row)
                except np.linalg.LinAlgError:
                    raise ConvergenceError(
                        f"energy {grid[0][place]:g} is a level of the clean strip, and disorder "
                        f"{grid[1][place]:g} is below the rounding error"
                    ) from None
                if block >= 0:
                    values[(*place, block)] = decay / slices
    exponent = values.mean(axis=-1)
    error = values.std(axis=-1, ddof=1) / math.sqrt(blocks)
    shortest = float(exponent.min(initial=math.inf))
    if not shortest * slices >= _BLOCK:
        raise ConvergenceError(
            f"a block of {slices} slices must hold {_BLOCK:g} decay lengths; the exponent is {shortest:g}, "
            f"take length above {length}"
        )
    return StripLocalization(plain(exponent), plain(error), values)


@dataclass(frozen=True)
class StripExtrapolation:
    """Limit of wide strips; see :func:`strip_extrapolation`.

    Attributes
    ----------
    exponent, exponent_error : float
        Inverse decay length of the amplitude in two dimensions, 1/xi, per lattice constant.
    constant, constant_error : float
        The c of M gamma_M = M/xi + c.
    chi_squared : float
        Weighted sum of squared deviations; `widths` minus two is expected of a good fit.
    """

    exponent: float
    exponent_error: float
    constant: float
    constant_error: float
    chi_squared: float

    @property
    def density_length(self) -> float:
        """Decay length of the density in two dimensions, xi/2, in lattice constants."""
        return 0.5 / self.exponent

    @property
    def density_length_error(self) -> float:
        """Standard error of `density_length`."""
        return self.density_length * self.exponent_error / self.exponent


def strip_extrapolation(widths: ArrayLike, exponents: ArrayLike, errors: ArrayLike) -> StripExtrapolation:
    """Exponent of infinitely wide strips, from a straight line through M gamma_M against M.

    Parameters
    ----------
    widths : array_like, shape (widths,)
        Widths M of at least three strips, all well above the decay length.
    exponents, errors : array_like, shape (widths,)
        Smallest Lyapunov exponent of each and its standard error, above zero.

    Returns
    -------
    StripExtrapolation
        With standard errors that assume independent strips and a straight line: statistical errors only.

    Raises
    ------
    ConvergenceError
        If the exponent of the limit is not above zero.
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    One-parameter scaling makes M gamma_M a function of M/xi alone, which becomes M/xi + c for M >> xi with
    one c for all disorders. Narrow strips lie below the line, so that the length comes out too short.

    References
    ----------
    MacKinnon and Kramer, Phys. Rev. Lett. 47, 1546 (1981).

    Examples
    --------
    >>> limit = strip_extrapolation([10, 20, 40], [0.3, 0.25, 0.225], [0.01, 0.01, 0.01])
    >>> round(limit.exponent, 12), round(limit.constant, 12)
    (0.2, 1.0)
    """
    widths = real_array("widths", widths, ndim=1, low=0.0)
    exponents = real_array("exponents", exponents, ndim=1, low=0.0)
    errors = real_array("errors", errors, ndim=1, low=0.0)
    if not widths.size == exponents.size == errors.size:
        sizes = f"{widths.size}, {exponents.size}, {errors.size}"
        raise ValueError(f"widths, exponents and errors must have the same length, got {sizes}")
    if np.unique(widths).size < 3:
        raise ValueError(f"widths must hold at least three different widths, got {widths!r}")
    design = np.column_stack((np.ones(widths.size), 1 / widths)) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    slope, constant = covariance @ (design.T @ (exponents / errors))
    if slope <= 0:
        raise ConvergenceError(f"the widths do not show a finite length: the exponent tends to {slope:g}")
    deviations = exponents / errors - design @ np.array([slope, constant])
    spread = np.sqrt(np.diag(covariance))
    return StripExtrapolation(
        float(slope), float(spread[0]), float(constant), float(spread[1]), float(deviations @ deviations)
    )
