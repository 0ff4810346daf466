r"""Kernels b_km of the renormalization group equation: how fast a k-cluster and an m-cluster unite.

b_km is the mean absolute interaction constant of the two clusters over that of two centres, equation (4.7) of
the paper. It is symmetric, non-negative and dimensionless.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, real_array

KernelFunction = Callable[[FloatArray, FloatArray], Any]

# Exponents are read off at these sizes; kernels with logarithmic corrections lie within the margin or above
# it.
_PROBE = 2**15
_MARGIN = 0.02
_SYMMETRY = 1e-12


def _constant(k: FloatArray, m: FloatArray) -> FloatArray:
    return np.ones(np.broadcast_shapes(k.shape, m.shape))


def _square_root(k: FloatArray, m: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(k * m))


NAMED: dict[str, KernelFunction] = {"constant": _constant, "sqrt": _square_root}


@dataclass(frozen=True)
class CoagulationKernel:
    """A checked kernel b_km.

    Attributes
    ----------
    name : str
        "constant", "sqrt", "callable" or "array".
    function : callable
        Maps two arrays of sizes that broadcast (whole numbers as floats) to b_km.
    largest : int or None
        Last size of a table; None when every size is allowed.
    """

    name: Literal["constant", "sqrt", "callable", "array"]
    function: KernelFunction
    largest: int | None = None

    def values(self, k: ArrayLike, m: ArrayLike) -> FloatArray:
        """Evaluate b_km for sizes that broadcast against each other.

        Parameters
        ----------
        k, m : array_like
            Cluster sizes, whole numbers from 1 (to `largest` for a table).

        Returns
        -------
        ndarray
            b_km, finite and non-negative.

        Raises
        ------
        TypeError, ValueError
            If the kernel returns anything else, or a table ends below the sizes.

        Examples
        --------
        >>> coagulation_kernel("sqrt").values([1, 4], 9)
        array([3., 6.])
        """
        first, second = np.asarray(k, dtype=np.float64), np.asarray(m, dtype=np.float64)
        shape = np.broadcast_shapes(first.shape, second.shape)
        with np.errstate(all="ignore"):
            raw = np.asarray(self.function(first, second))
        if raw.dtype.kind not in "iuf":
            raise TypeError(f"kernel must return real numbers, got dtype {raw.dtype}")
        try:
            values = np.array(np.broadcast_to(raw, shape), dtype=np.float64)
        except ValueError:
            raise ValueError(
                f"kernel must map sizes of shape {shape} to values of that shape, got {raw.shape}"
            ) from None
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            where = tuple(index[0] for index in np.nonzero(np.atleast_1d(bad)))
            sizes = [int(np.broadcast_to(size, shape)[where] if shape else size) for size in (first, second)]
            value = values[where] if shape else values
            raise ValueError(
                f"kernel must be finite and non-negative, got b = {value} for sizes {sizes[0]}, {sizes[1]}"
            )
        return values

    def matrix(self, size: int) -> FloatArray:
        """Evaluate b_km for all k, m up to `size`, checked for symmetry.

        Examples
        --------
        >>> coagulation_kernel("constant").matrix(2)
        array([[1., 1.],
               [1., 1.]])
        """
        sizes = np.arange(1.0, size + 1)
        return _symmetric(self.values(sizes[:, None], sizes[None, :]), sizes)


KernelLike = str | KernelFunction | CoagulationKernel | ArrayLike


def _symmetric(values: FloatArray, sizes: FloatArray) -> FloatArray:
    difference = np.abs(values - values.T)
    bad = difference > _SYMMETRY * np.maximum(values, values.T)
    if bad.any():
        i, j = (int(index[0]) for index in np.nonzero(bad))
        k, m = int(sizes[i]), int(sizes[j])
        raise ValueError(
            f"kernel must be symmetric, got b[{k},{m}] = {values[i, j]} and b[{m},{k}] = {values[j, i]}"
        )
    return values


def coagulation_kernel(kernel: KernelLike) -> CoagulationKernel:
    """Check a kernel b_km and bring it to one form.

    Parameters
    ----------
    kernel : {"constant", "sqrt"}, callable or array_like of shape (N, N)
        b_km = 1; b_km = sqrt(k m); a function of two arrays of sizes, which broadcast against each other; or
        a table with b_11 in its corner, for clusters of up to N particles. Symmetric, finite, non-negative.

    Returns
    -------
    CoagulationKernel

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, or values are not real, finite, non-negative and symmetric. A function is
        tried on all sizes to 32 and on powers of two beyond.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.7), (5.1), (6.1).

    Examples
    --------
    >>> coagulation_kernel(lambda k, m: (k + m) / 2).values(3, 5)
    array(4.)
    """
    if isinstance(kernel, CoagulationKernel):
        return kernel
    if isinstance(kernel, str):
        if kernel not in NAMED:
            raise ValueError(f'kernel must be "constant", "sqrt", a function or an array, got {kernel!r}')
        return CoagulationKernel("constant" if kernel == "constant" else "sqrt", NAMED[kernel])
    if callable(kernel):
        checked = CoagulationKernel("callable", kernel)
        checked.matrix(32)
        sizes = np.geomspace(1, _PROBE, 1 + round(math.log2(_PROBE)))
        _symmetric(checked.values(sizes[:, None], sizes[None, :]), sizes)
        return checked
    if kernel is None:
        raise TypeError('kernel must be "constant", "sqrt", a function or an array, got None')
    table = real_array("kernel", kernel, low=0.0, open_low=False)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.size == 0:
        raise ValueError(f"kernel must be a square table b_km, got shape {table.shape}")
    _symmetric(table, np.arange(1.0, len(table) + 1))
    table.setflags(write=False)

    def look_up(k: FloatArray, m: FloatArray) -> NDArray[np.float64]:
        largest = max(k.max(initial=1), m.max(initial=1))
        if largest > len(table):
            raise ValueError(f"kernel is a table to size {len(table)}, size {largest:.0f} is needed")
        entries: NDArray[np.float64] = table[k.astype(np.int64) - 1, m.astype(np.int64) - 1]
        return entries

    return CoagulationKernel("array", look_up, len(table))


@dataclass(frozen=True)
class KernelGrowth:
    """How a kernel grows with the sizes, and what follows for the conservation of particles.

    Attributes
    ----------
    degree : float
        Degree of homogeneity: b_km grows as this power of a common factor of k and m.
    light_exponent : float
        b_1m grows as m to this power.
    gelling : bool
        Whether a cluster of infinite size appears in a finite time: one of the exponents exceeds one.
    instantaneous : bool
        Whether it appears at once: `light_exponent` exceeds one.
    """

    degree: float
    light_exponent: float
    gelling: bool
    instantaneous: bool


def kernel_growth(kernel: KernelLike) -> KernelGrowth:
    r"""Exponents of a kernel, and whether its solution keeps :math:`\sum n\tilde P_n=1` for ever.

    Parameters
    ----------
    kernel : {"constant", "sqrt"}, callable or array_like of shape (N, N)
        See :func:`coagulation_kernel`.

    Returns
    -------
    KernelGrowth
        Exponents from the last doubling below size 32768 (or the end of the table): exact for a homogeneous
        kernel, up to corrections for any other. NaN and not gelling for a table of fewer than 16 sizes.

    Raises
    ------
    TypeError, ValueError
        If the kernel is not valid.

    Notes
    -----
    b_km <= C (k + m) suffices for conservation (White 1980; Ball and Carr 1990): both exponents are at most
    one. A degree above one leads to gelation (Escobedo, Mischler and Perthame 2002), a light exponent above
    one to gelation at once (van Dongen 1987). Exponents count as above one from 1.02 on: kernels that differ
    from a linear one by logarithms cannot be told from sizes alone, and the solver watches the sum itself.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.8)-(4.11).

    Examples
    --------
    >>> kernel_growth("sqrt").gelling, kernel_growth(lambda k, m: k * m).gelling
    (False, True)
    """
    checked = coagulation_kernel(kernel)
    end = _PROBE if checked.largest is None else min(_PROBE, checked.largest // 4 * 4)
    if end < 16:
        return KernelGrowth(math.nan, math.nan, False, False)

    def slope(low: ArrayLike, high: ArrayLike) -> float:
        small, large = float(np.asarray(low)), float(np.asarray(high))
        if small == 0 or large == 0:
            return math.nan if large == 0 else math.inf
        return math.log2(large) - math.log2(small)

    quarter = end // 4
    equal = checked.values([quarter, 2 * quarter], [quarter, 2 * quarter])
    unequal = checked.values([quarter, 2 * quarter], [2 * quarter, 4 * quarter])
    low, high = np.maximum(equal, unequal)  # either may vanish
    degree = slope(low, high)
    light = slope(checked.values(1, end // 2), checked.values(1, end))
    limit = 1 + _MARGIN
    return KernelGrowth(degree, light, degree > limit or light > limit, light > limit)
