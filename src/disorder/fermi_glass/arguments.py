"""Checks of arguments that several subjects of this paper share: symmetric matrices and occupations."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, real_array

BoolArray = NDArray[np.bool_]
_TOLERANCE = 1e-10


def symmetric_matrix(
    name: str,
    value: ArrayLike,
    *,
    count: int | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> FloatArray:
    """Return `value` as a new float64 matrix that equals its transpose to 1e-10 of its largest entry.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        Real numbers.
    count : int, optional
        Required number of rows; any number but zero by default.
    low, high : float
        Open interval of the entries.

    Returns
    -------
    ndarray, shape (count, count)

    Raises
    ------
    TypeError, ValueError
        If `value` is no such matrix.

    Examples
    --------
    >>> symmetric_matrix("overlaps", [[1, 2], [2, 1]])
    array([[1., 2.],
           [2., 1.]])
    """
    matrix = real_array(name, value, ndim=2, low=low, high=high)
    if count is None and (matrix.shape[0] != matrix.shape[1] or not matrix.size):
        raise ValueError(f"{name} must be square and not empty, got shape {matrix.shape}")
    if count is not None and matrix.shape != (count, count):
        raise ValueError(f"{name} must have shape ({count}, {count}), got {matrix.shape}")
    with np.errstate(over="ignore"):
        difference = float(np.abs(matrix - matrix.T).max(initial=0.0))
    if difference > _TOLERANCE * float(np.abs(matrix).max(initial=0.0)):
        raise ValueError(f"{name} must be symmetric, got entries that differ by {difference:.3g}")
    return matrix


def occupied_states(name: str, value: Any, count: int) -> BoolArray:
    """Return `value` as a new array of `count` booleans, or raise.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        Occupation numbers, booleans or 0 and 1.
    count : int
        Required number of states.

    Returns
    -------
    ndarray of bool, shape (count,)

    Raises
    ------
    TypeError, ValueError
        If `value` is no such array.

    Examples
    --------
    >>> occupied_states("up", [1, 0], 2)
    array([ True, False])
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must have shape ({count},), got {value!r}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold occupation numbers 0 or 1, got {value!r}")
    if array.shape != (count,):
        raise ValueError(f"{name} must have shape ({count},), one entry per state, got {array.shape}")
    if not ((array == 0) | (array == 1)).all():
        raise ValueError(f"{name} must hold occupation numbers 0 or 1, got {value!r}")
    return array.astype(np.bool_)
