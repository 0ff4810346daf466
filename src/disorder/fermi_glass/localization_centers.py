"""Where eigenstates sit on a periodic lattice, and random choices of pairs and quadruples of them.

States are the columns of a real matrix with one row a site; site = size*x + y. Lengths are in lattice
constants, overlaps are matrix elements in units of U.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.seeds import seed_sequence
from ..numerics.validation import FloatArray, broadcast, integer, plain, positive, real_array
from .matrix_elements import IntArray, normalised_columns, real_matrix


def lattice_columns(states: Any, size: int) -> tuple[FloatArray, int]:
    array = normalised_columns(states)
    size = integer("size", size, low=3)
    if array.shape[0] != size * size:
        raise ValueError(f"states must have size^2 = {size * size} rows, got shape {array.shape}")
    return array, size


def overlap_matrix(overlaps: Any, count: int) -> FloatArray:
    array = real_matrix("overlaps", overlaps)
    if array.shape != (count, count):
        raise ValueError(f"overlaps must have the shape {(count, count)} of the states, got {array.shape}")
    if not np.isfinite(array.sum()):
        raise ValueError("overlaps must be finite, got NaN or infinity")
    return array


def state_window(window: tuple[int, int] | None, count: int) -> tuple[int, int]:
    if window is None:
        window = (0, count)
    try:
        start, stop = window
    except (TypeError, ValueError):
        raise TypeError(f"window must be None or (start, stop), got {window!r}") from None
    start, stop = integer("window start", start, low=0), integer("window stop", stop, high=count)
    if stop - start < 2:
        raise ValueError(f"window must hold at least two states, got {window!r}")
    return start, stop


def state_centers(states: ArrayLike, size: int) -> IntArray:
    """Position of the largest modulus of every state.

    Parameters
    ----------
    states : array_like, shape (size^2, N)
        Real normalised states by columns.
    size : int, at least 3
        Sites along one side of the lattice.

    Returns
    -------
    ndarray of int, shape (N, 2)
        Coordinates x and y between 0 and size - 1; the first site where several share the maximum.

    Raises
    ------
    TypeError, ValueError
        If the states are no finite real matrix with normalised columns and size^2 rows.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), text below Eq. (12).

    Examples
    --------
    >>> state_centers(np.eye(9)[:, [0, 5]], 3)
    array([[0, 0],
           [1, 2]])
    """
    array, size = lattice_columns(states, size)
    return centers_of(array, size)


def centers_of(array: FloatArray, size: int) -> IntArray:
    column = np.arange(array.shape[1])
    high, low = array.argmax(axis=0), array.argmin(axis=0)
    top, bottom = array[high, column], -array[low, column]
    site = np.where(top > bottom, high, low)
    site = np.where(top == bottom, np.minimum(high, low), site)
    return np.stack(np.divmod(site, size), axis=1)


def minimum_image_distance(first: ArrayLike, second: ArrayLike, size: int) -> NDArray[np.float64] | float:
    """Distance of two points on a periodic square lattice: the shortest one to any image.

    Parameters
    ----------
    first, second : array_like, shape (..., 2)
        Coordinates in lattice constants, any real numbers; the leading axes broadcast.
    size : int, at least 3
        Period along both axes.

    Returns
    -------
    float or ndarray
        Of the broadcast shape without the last axis, between 0 and size/sqrt(2).

    Raises
    ------
    TypeError, ValueError
        If an argument is not real and finite or has no last axis of length 2.

    Examples
    --------
    >>> minimum_image_distance([0, 0], [57, 4], 60)
    5.0
    """
    start, end = real_array("first", first), real_array("second", second)
    for name, point in (("first", start), ("second", end)):
        if point.ndim == 0 or point.shape[-1] != 2:
            raise ValueError(f"{name} must have a last axis of length 2, got shape {point.shape}")
    size = integer("size", size, low=3)
    start, end = broadcast(first=start, second=end)
    # Reduced one by one: the difference of two huge coordinates could overflow.
    along = np.abs(np.remainder(start, size) - np.remainder(end, size))
    along = np.minimum(along, size - along)
    return plain(np.hypot(along[..., 0], along[..., 1]))


@dataclass(frozen=True)
class SampledPairs:
    """Pairs of different states, drawn without repetition.

    Attributes
    ----------
    first, second : ndarray of int
        Numbers of the states.
    distance : ndarray
        Minimum-image distance of their centres, in lattice constants.
    overlap : ndarray
        U_aacc/U.
    """

    first: IntArray
    second: IntArray
    distance: FloatArray
    overlap: FloatArray


def sample_pairs(
    overlaps: ArrayLike,
    states: ArrayLike,
    size: int,
    count: int,
    *,
    window: tuple[int, int] | None = None,
    seed: int | np.random.SeedSequence,
) -> SampledPairs:
    """Randomly chosen pairs of different states with their distance and overlap.

    Parameters
    ----------
    overlaps : array_like, shape (N, N)
        Matrix of :func:`hubbard_overlaps`.
    states : array_like, shape (size^2, N)
        The real normalised states, by columns.
    size : int, at least 3
        Sites along one side of the periodic lattice.
    count : int, at least 1
        Number of pairs, at most the number of different pairs in the window.
    window : (int, int), optional
        Use states start to stop - 1 only; all by default.
    seed : int or SeedSequence
        Of the random choice.

    Returns
    -------
    SampledPairs
        In the order drawn, no pair twice.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or there are fewer pairs than asked for.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 1(a).

    Examples
    --------
    >>> from disorder.fermi_glass import eigenstates, hubbard_overlaps
    >>> energies, states = eigenstates(8, 9.0, seed=1)
    >>> pairs = sample_pairs(hubbard_overlaps(states), states, 8, 100, seed=2)
    >>> bool((pairs.first != pairs.second).all() and (pairs.overlap > 0).all())
    True
    """
    array, size = lattice_columns(states, size)
    start, stop = state_window(window, array.shape[1])
    matrix = overlap_matrix(overlaps, array.shape[1])
    states_inside = stop - start
    available = states_inside * (states_inside - 1) // 2
    count = integer("count", count, low=1, high=available)
    chosen = np.random.default_rng(seed_sequence(seed)).choice(available, size=count, replace=False)
    # Pair number k = a(a - 1)/2 + c with c < a.
    first = np.floor((1 + np.sqrt(1 + 8 * chosen)) / 2).astype(np.int64)
    first -= first * (first - 1) // 2 > chosen
    first += first * (first + 1) // 2 <= chosen
    second = chosen - first * (first - 1) // 2
    center = centers_of(array[:, start:stop], size)
    overlap = matrix[start + first, start + second]
    return SampledPairs(
        first=start + first,
        second=start + second,
        distance=np.asarray(minimum_image_distance(center[first], center[second], size)),
        overlap=overlap,
    )


def sample_quadruples(
    states: ArrayLike,
    size: int,
    count: int,
    *,
    reach: float | None = None,
    seed: int | np.random.SeedSequence,
) -> IntArray:
    """Randomly chosen groups of four different states, anywhere or close together.

    Parameters
    ----------
    states : array_like, shape (size^2, N)
        The real normalised states, by columns, at least four.
    size : int, at least 3
        Sites along one side of the periodic lattice.
    count : int, at least 1
        Number of groups.
    reach : float, optional
        Largest distance of the centres of the last three states from that of the first, in lattice
        constants, positive; no restriction by default.
    seed : int or SeedSequence
        Of the random choice.

    Returns
    -------
    ndarray of int, shape (count, 4)
        Numbers of the states. The first is uniform among the states with three others in reach, these
        three are uniform among the states in reach; groups may occur twice.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or no state has three others in reach.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (9), (10).

    Examples
    --------
    >>> sample_quadruples(np.eye(9), 3, 2, seed=1).shape
    (2, 4)
    """
    array, size = lattice_columns(states, size)
    count = integer("count", count, low=1)
    total = array.shape[1]
    if total < 4:
        raise ValueError(f"states must hold at least four columns, got shape {array.shape}")
    radius = float(size) if reach is None else positive("reach", reach)
    rng = np.random.default_rng(seed_sequence(seed))
    center = centers_of(array, size)
    along = np.minimum(np.arange(size), size - np.arange(size))
    near = np.hypot(along[:, None], along) <= radius
    # States in reach of every site: a periodic convolution of small integers, exact after rounding.
    occupied = np.zeros((size, size))
    np.add.at(occupied, (center[:, 0], center[:, 1]), 1.0)
    inside = np.rint(np.fft.irfft2(np.fft.rfft2(occupied) * np.fft.rfft2(near), s=(size, size)))
    allowed = np.flatnonzero(inside[center[:, 0], center[:, 1]] >= 4)
    if allowed.size == 0:
        raise ValueError(f"reach must let some state have three others within it, got {reach!r}")
    groups = np.empty((count, 4), dtype=np.int64)
    for group, first in zip(groups, rng.choice(allowed, size=count), strict=True):
        apart = np.abs(center - center[first])
        others = np.flatnonzero(near[apart[:, 0], apart[:, 1]])
        group[0] = first
        group[1:] = rng.choice(others[others != first], size=3, replace=False)
    return groups
