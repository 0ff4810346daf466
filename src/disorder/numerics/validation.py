"""Checks of arguments: each returns the clean value or raises an error with argument, value and range."""

import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class ValidityWarning(UserWarning):
    """A formula is used outside the range for which its authors derived it."""


def _inside(value: float, low: float, high: float, open_low: bool, open_high: bool) -> bool:
    above = value > low if open_low else value >= low
    below = value < high if open_high else value <= high
    return above and below


def _interval(low: float, high: float, open_low: bool, open_high: bool) -> str:
    left = "(" if open_low or math.isinf(low) else "["
    right = ")" if open_high or math.isinf(high) else "]"
    return f"{left}{low:g}, {high:g}{right}"


def real_scalar(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = True,
    open_high: bool = True,
) -> float:
    """Return `value` as a finite float inside the given interval.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : object
        A real number (Python, NumPy, or an array with one element and no axes).
    low, high : float
        Ends of the allowed interval.
    open_low, open_high : bool
        Whether an end is excluded.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is no real number.
    ValueError
        If it is NaN, infinite or outside the interval.

    Examples
    --------
    >>> real_scalar("temperature", 2, low=0)
    2.0
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {value!r} of type {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number) or not _inside(number, low, high, open_low, open_high):
        raise ValueError(
            f"{name} must be finite and lie in {_interval(low, high, open_low, open_high)}, got {value!r}"
        )
    return number


def positive(name: str, value: Any) -> float:
    """Return `value` as a finite float above zero, or raise (see :func:`real_scalar`).

    Examples
    --------
    >>> positive("t_sg", 0.5)
    0.5
    """
    return real_scalar(name, value, low=0.0)


def integer(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    """Return `value` as an int inside ``[low, high]``, or raise TypeError/ValueError.

    Examples
    --------
    >>> integer("samples", 10, low=1)
    10
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}")
    number = int(value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"{name} must lie in [{low}, {high}], got {number}")
    return number


def real_array(
    name: str,
    value: ArrayLike,
    *,
    ndim: int | None = None,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = True,
    open_high: bool = True,
) -> FloatArray:
    """Return `value` as a new finite float64 array whose entries lie in the given interval.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        Real numbers.
    ndim : int, optional
        Required number of axes; any by default.
    low, high, open_low, open_high
        As in :func:`real_scalar`.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If an entry is NaN, infinite or outside the interval, or the shape is wrong.

    Examples
    --------
    >>> real_array("energy", [1, 2], ndim=1)
    array([1., 2.])
    """
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of real numbers, got {value!r}") from error
    if raw.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, got {value!r} of dtype {raw.dtype}")
    if ndim is not None and raw.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {raw.shape}")
    array = np.array(raw, dtype=np.float64)
    above = array > low if open_low else array >= low
    below = array < high if open_high else array <= high
    bad = ~(np.isfinite(array) & above & below)
    if bad.any():
        first = array[bad].flat[0] if array.ndim else float(array)
        raise ValueError(
            f"{name} must be finite and lie in {_interval(low, high, open_low, open_high)}, "
            f"got {first!r} ({int(bad.sum())} of {array.size} entries)"
        )
    return array


def twice_spin(name: str, value: Any, *, low: float = 0.5, high: float = 100.0) -> int:
    """Return 2S for a spin S that is a positive multiple of 1/2.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : float or fractions.Fraction
        The spin, one of 1/2, 1, 3/2, ...
    low, high : float
        Smallest and largest spin allowed.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `value` is no real number.
    ValueError
        If it is no multiple of 1/2 or lies outside ``[low, high]``.

    Examples
    --------
    >>> twice_spin("spin", 2.5)
    5
    """
    number = real_scalar(name, value)
    if number != round(2 * number) / 2 or not low <= number <= high:
        raise ValueError(f"{name} must be a multiple of 1/2 in [{low:g}, {high:g}], got {value!r}")
    return round(2 * number)


def broadcast(**arrays: FloatArray) -> list[FloatArray]:
    """Broadcast named arrays against each other, or raise a ValueError that names them with their shapes.

    Examples
    --------
    >>> [array.shape for array in broadcast(omega=np.zeros((2, 1)), temperature=np.ones(3))]
    [(2, 3), (2, 3)]
    """
    try:
        return [np.array(array) for array in np.broadcast_arrays(*arrays.values())]
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"the arguments must have shapes that broadcast, got {shapes}") from None


def plain(values: FloatArray) -> NDArray[np.float64] | float:
    """Return a float for an array without axes, and any other array as it is.

    Examples
    --------
    >>> plain(np.array(2.0))
    2.0
    """
    return float(values[()]) if values.ndim == 0 else values
