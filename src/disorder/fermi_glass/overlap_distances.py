"""How overlaps of eigenstates fall with the distance of their centres on a periodic lattice.

States are the columns of a real matrix with one row a site; site = size*x + y. Lengths are in lattice
constants, overlaps are matrix elements in units of U.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, real_array, real_scalar
from .localization_centers import centers_of, lattice_columns, overlap_matrix, state_window
from .matrix_elements import IntArray, real_matrix

_SYMMETRY_TOLERANCE = 1e-9
_LARGEST = 1e100


@kernel
def _pair_sums(
    overlaps: FloatArray,
    start: int,
    x: IntArray,
    y: IntArray,
    bin_of: IntArray,
    logarithm: bool,
    sums: FloatArray,
    pairs: IntArray,
) -> tuple[float, int]:
    # For every distance bin and state: sum of the overlaps with the other states there, and their number.
    # Returns the largest asymmetry met and the number of entries that cannot be averaged.
    asymmetry, refused = 0.0, 0
    for a in range(x.size):
        for c in range(a):
            b = bin_of[abs(x[a] - x[c]), abs(y[a] - y[c])]
            value = overlaps[start + a, start + c]
            asymmetry = max(asymmetry, abs(value - overlaps[start + c, start + a]))
            if not abs(value) <= _LARGEST or (logarithm and b >= 0 and value <= 0):
                refused += 1
                continue
            if b < 0:
                continue
            if logarithm:
                value = math.log(value)
            sums[b, a] += value
            sums[b, c] += value
            pairs[b, a] += 1
            pairs[b, c] += 1
    return asymmetry, refused


@dataclass(frozen=True)
class DistanceAverage:
    """Overlaps averaged over pairs of states at a distance; unpacks into bins, mean, standard error.

    Attributes
    ----------
    bins : ndarray
        Mean distance of the lattice vectors in each bin, in lattice constants: the same for every
        configuration.
    mean : ndarray
        Average over the pairs of different states in the bin, in the unit of the overlaps.
    standard_error : ndarray
        Of the mean, by leaving out one state at a time; infinite where all pairs share one state.
    pairs : ndarray of int
        Number of pairs.
    """

    bins: FloatArray
    mean: FloatArray
    standard_error: FloatArray
    pairs: IntArray

    def __iter__(self) -> Iterator[FloatArray]:
        return iter((self.bins, self.mean, self.standard_error))


def distance_average(
    overlaps: ArrayLike,
    states: ArrayLike,
    size: int,
    *,
    window: tuple[int, int] | None = None,
    edges: ArrayLike | None = None,
    logarithmic: bool = False,
) -> DistanceAverage:
    r"""Average overlap of two different states against the distance of their centres.

    Parameters
    ----------
    overlaps : array_like, shape (N, N)
        Symmetric matrix of :func:`hubbard_overlaps`.
    states : array_like, shape (size^2, N)
        The real normalised states, by columns, which fix the centres (:func:`state_centers`).
    size : int, at least 3
        Sites along one side of the periodic lattice.
    window : (int, int), optional
        Use states start to stop - 1 only; all by default.
    edges : array_like, optional
        Rising bin edges in lattice constants; a bin contains its lower edge, not its upper one. By default
        bins of unit width around 0, 1, 2, ... up to size/2, of which those without a pair are left out.
    logarithmic : bool
        Average the logarithm and return its exponential: the typical in place of the mean overlap.

    Returns
    -------
    DistanceAverage
        Bins, mean, standard error (and number of pairs). The error holds for one configuration and treats
        states as independent, pairs that share a state as correlated.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, `overlaps` is not symmetric or (logarithmic) not positive, or a bin
        that was asked for holds no pair.

    Notes
    -----
    Distances are minimum-image distances between the sites of largest modulus. The error is the delete-one
    jackknife over states. The cost is that of reading the overlaps once.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 1(b).

    Examples
    --------
    >>> from disorder.fermi_glass import eigenstates, hubbard_overlaps
    >>> energies, states = eigenstates(8, 9.0, seed=1)
    >>> bins, mean, error = distance_average(hubbard_overlaps(states), states, 8)
    >>> print(bins.round(2))
    [0.   1.21 2.16 3.04 4.01]
    """
    array, size = lattice_columns(states, size)
    start, stop = state_window(window, array.shape[1])
    matrix = overlap_matrix(overlaps, array.shape[1])
    if not isinstance(logarithmic, bool | np.bool_):
        raise TypeError(f"logarithmic must be a bool, got {logarithmic!r}")
    limits = (
        np.concatenate(([0.0], np.arange(size // 2 + 1) + 0.5)) if edges is None else _rising("edges", edges)
    )
    center = centers_of(array[:, start:stop], size)
    along = np.minimum(np.arange(size), size - np.arange(size))
    distance = np.hypot(along[:, None], along)
    bin_of = np.searchsorted(limits, distance, side="right") - 1
    bin_of[bin_of == limits.size - 1] = -1
    sums = np.zeros((limits.size - 1, stop - start))
    pairs = np.zeros(sums.shape, dtype=np.int64)
    asymmetry, refused = _pair_sums(
        matrix, start, center[:, 0].copy(), center[:, 1].copy(), bin_of, bool(logarithmic), sums, pairs
    )
    if refused:
        allowed = "positive to average their logarithm" if logarithmic else f"at most {_LARGEST:g} in modulus"
        raise ValueError(f"overlaps must be {allowed}, {refused} pairs are not")
    total, number = sums.sum(axis=1) / 2, pairs.sum(axis=1) // 2
    if asymmetry > _SYMMETRY_TOLERANCE * max(np.abs(np.diag(matrix)).max(), np.finfo(float).tiny):
        raise ValueError(f"overlaps must be symmetric, got entries that differ by {asymmetry:.3g}")
    if edges is not None and (number == 0).any():
        empty = int(np.argmin(number))
        raise ValueError(
            f"edges must enclose pairs in every bin, got none from {limits[empty]:g} to {limits[empty + 1]:g}"
        )
    kept = np.flatnonzero(number)
    if kept.size == 0:
        raise ValueError(f"window must hold two states closer than {limits[-1]:g}, got {(start, stop)}")
    bins = np.array([distance[bin_of == b].mean() for b in kept])
    mean = total[kept] / number[kept]
    error = _jackknife(sums[kept], pairs[kept], total[kept], number[kept])
    if logarithmic:
        mean = np.exp(mean)
        error = mean * error
    return DistanceAverage(bins=bins, mean=mean, standard_error=error, pairs=number[kept])


def _jackknife(sums: FloatArray, pairs: IntArray, total: FloatArray, number: IntArray) -> FloatArray:
    left = number[:, None] - pairs
    states = sums.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (total[:, None] - sums) / left
        spread = ((without - without.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    error = np.sqrt((states - 1) / states * spread)
    return np.where((left > 0).all(axis=1), error, np.inf)


def _rising(name: str, edges: ArrayLike) -> FloatArray:
    limits = real_array(name, edges, ndim=1, low=0.0, open_low=False)
    if limits.size < 2 or not (np.diff(limits) > 0).all():
        raise ValueError(f"{name} must be at least two strictly increasing numbers, got {edges!r}")
    return limits


@dataclass(frozen=True)
class DecayFit:
    """Exponential fitted to averages against distance.

    Attributes
    ----------
    length : float
        Decay length in lattice constants.
    length_error : float
        Standard error of the length: from the errors of the averages if they were given, otherwise from the
        scatter about the line (zero for two points).
    prefactor : float
        Value of the fitted exponential at distance zero.
    chi_squared : float
        Weighted sum of squares if errors were given, otherwise sum of squared residuals of the logarithm.
    points : int
        Number of averages inside the range.
    """

    length: float
    length_error: float
    prefactor: float
    chi_squared: float
    points: int


def _line(x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[float, float, float]:
    middle = float(weight @ x / weight.sum())
    spread = float(weight @ (x - middle) ** 2)
    slope = float(weight @ ((x - middle) * y)) / spread
    return slope, float(weight @ y / weight.sum()) - slope * middle, spread


def fit_decay(
    distance: ArrayLike,
    average: ArrayLike,
    standard_error: ArrayLike | None = None,
    *,
    low: float = 0.0,
    high: float | None = None,
) -> DecayFit:
    r"""Decay length of averages against distance: a straight line through their logarithm.

    .. math:: \langle U_{aacc}\rangle \propto e^{-d/\xi}

    Parameters
    ----------
    distance, average : array_like, shape (n,)
        Distances in lattice constants, not negative, and positive averages.
    standard_error : array_like, shape (n,), optional
        Of the averages, positive; points with an infinite error do not count. Points weigh alike by default.
    low, high : float, optional
        Range of distances of the fit, ends included; all by default.

    Returns
    -------
    DecayFit

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, fewer than two different distances lie in the range of the fit, or the
        averages do not fall.

    Notes
    -----
    Least squares for the logarithm, whose error is the relative error of the average.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 1(b).

    Examples
    --------
    >>> d = np.arange(10.0)
    >>> print(f"{fit_decay(d, 3 * np.exp(-d / 7), high=8.0).length:.6f}")
    7.000000
    """
    x = real_array("distance", distance, ndim=1, low=0.0, high=1e100, open_low=False)
    mean = real_array("average", average, ndim=1, low=0.0)
    low = real_scalar("low", low, low=0.0, open_low=False)
    high = float(x.max(initial=low)) if high is None else real_scalar("high", high, low=low)
    if mean.shape != x.shape:
        raise ValueError(f"average must have the shape {x.shape} of distance, got {mean.shape}")
    sharpness = np.zeros(x.size)
    if standard_error is not None:
        error = real_matrix("standard_error", standard_error)
        ignored = error == np.inf
        error = real_array("standard_error", np.where(ignored, 1.0, error), ndim=1, low=0.0)
        if error.shape != x.shape:
            raise ValueError(f"standard_error must have the shape {x.shape} of distance, got {error.shape}")
        sharpness = np.where(ignored, -np.inf, np.log(mean) - np.log(error))
    used = (x >= low) & (x <= high) & (sharpness > -np.inf)
    x, y, sharpness = x[used], np.log(mean[used]), sharpness[used]
    if np.unique(x).size < 2:
        raise ValueError(f"low and high must enclose at least two distances, got {low:g} and {high:g}")
    # In units of the largest distance and weight, so that nothing overflows.
    unit, top = float(x.max()), float(sharpness.max())
    weight = np.exp(2 * (sharpness - top))
    slope, offset, spread = _line(x / unit, y, weight)
    if not slope < 0:
        raise ValueError(f"average must fall with distance between {low:g} and {high:g}, got slope {slope:g}")
    residual = float(weight @ (y - offset - slope * x / unit) ** 2)
    scale = _exponential(-top) if standard_error is not None else math.sqrt(residual / max(x.size - 2, 1))
    return DecayFit(
        length=-unit / slope,
        length_error=unit * scale / math.sqrt(spread) / slope**2,
        prefactor=_exponential(offset),
        chi_squared=residual * _exponential(2 * top),
        points=int(x.size),
    )


def _exponential(logarithm: float) -> float:
    # The largest number where it would overflow.
    return math.exp(min(logarithm, 709.0))
