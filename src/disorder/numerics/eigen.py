"""Symmetric eigenproblems of many small matrices, inside compiled code and without threads.

LAPACK behind NumPy may split even a matrix of thirty rows over threads, which costs more than it saves where
thousands of matrices wait, and makes digits depend on the machine.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from .jit import kernel
from .validation import FloatArray, real_array


@kernel
def _tridiagonalise(a: FloatArray, d: FloatArray, e: FloatArray) -> None:
    # Householder reduction (EISPACK tred2): a becomes the orthogonal matrix, d the diagonal, e[1:] the rest.
    n = d.size
    for i in range(n - 1, 0, -1):
        h, scale = 0.0, 0.0
        for k in range(i):
            scale += abs(a[i, k])
        if i == 1 or scale == 0.0:
            e[i] = a[i, i - 1]
        else:
            for k in range(i):
                a[i, k] /= scale
                h += a[i, k] * a[i, k]
            f = a[i, i - 1]
            g = -math.sqrt(h) if f >= 0.0 else math.sqrt(h)
            e[i] = scale * g
            h -= f * g
            a[i, i - 1] = f - g
            f = 0.0
            for j in range(i):
                a[j, i] = a[i, j] / h
                g = 0.0
                for k in range(j + 1):
                    g += a[j, k] * a[i, k]
                for k in range(j + 1, i):
                    g += a[k, j] * a[i, k]
                e[j] = g / h
                f += e[j] * a[i, j]
            f /= 2.0 * h
            for j in range(i):
                g = e[j] - f * a[i, j]
                e[j] = g
                for k in range(j + 1):
                    a[j, k] -= a[i, j] * e[k] + g * a[i, k]
        d[i] = h
    d[0] = 0.0
    e[0] = 0.0
    for i in range(n):
        if d[i] != 0.0:
            for j in range(i):
                g = 0.0
                for k in range(i):
                    g += a[i, k] * a[k, j]
                for k in range(i):
                    a[k, j] -= g * a[k, i]
        d[i] = a[i, i]
        a[i, i] = 1.0
        for j in range(i):
            a[i, j] = 0.0
            a[j, i] = 0.0


@kernel
def _implicit_ql(d: FloatArray, e: FloatArray, z: FloatArray) -> bool:
    # QL with implicit shifts (EISPACK tql2): the rows of z, contiguous in memory, become the eigenvectors.
    n = d.size
    for i in range(1, n):
        e[i - 1] = e[i]
    e[n - 1] = 0.0
    for low in range(n):
        for sweep in range(60):
            m = low
            while m < n - 1:
                size = abs(d[m]) + abs(d[m + 1])
                if abs(e[m]) <= 2.3e-16 * size:
                    break
                m += 1
            if m == low:
                break
            if sweep == 59:
                return False
            g = (d[low + 1] - d[low]) / (2.0 * e[low])
            r = math.hypot(g, 1.0)
            g = d[m] - d[low] + e[low] / (g + (r if g >= 0.0 else -r))
            s, c, p = 1.0, 1.0, 0.0
            finished = True
            for i in range(m - 1, low - 1, -1):
                f, b = s * e[i], c * e[i]
                r = math.hypot(f, g)
                e[i + 1] = r
                if r == 0.0:
                    d[i + 1] -= p
                    e[m] = 0.0
                    finished = False
                    break
                s, c = f / r, g / r
                g = d[i + 1] - p
                r = (d[i] - g) * s + 2.0 * c * b
                p = s * r
                d[i + 1] = g + p
                g = c * r - b
                for k in range(n):
                    f = z[i + 1, k]
                    z[i + 1, k] = s * z[i, k] + c * f
                    z[i, k] = c * z[i, k] - s * f
            if finished:
                d[low] -= p
                e[low] = g
                e[m] = 0.0
    return True


@kernel
def symmetric_eigen(matrix: FloatArray, values: FloatArray, rows: FloatArray) -> bool:
    """Kernel: eigenvalues of one matrix (destroyed) in increasing order, eigenvectors as rows."""
    n = values.size
    rest = np.zeros(n)
    _tridiagonalise(matrix, values, rest)
    unsorted = matrix.T.copy()
    good = _implicit_ql(values, rest, unsorted)
    order = np.argsort(values)
    values[:] = values[order]
    rows[:] = unsorted[order]
    return good


@kernel
def _stack(matrices: FloatArray, values: FloatArray, rows: FloatArray) -> bool:
    good = True
    for k in range(matrices.shape[0]):
        good = symmetric_eigen(matrices[k], values[k], rows[k]) and good
    return good


def symmetric_eigensystem(matrices: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues and eigenvectors of one or many small symmetric matrices.

    Parameters
    ----------
    matrices : array_like, shape (..., n, n)
        Real and symmetric, n at least 1; only the lower triangle is read.

    Returns
    -------
    values : ndarray, shape (..., n)
        Increasing; absolute error a few rounding errors of the largest entry.
    vectors : ndarray, shape (..., n, n)
        Orthonormal columns, as from :func:`numpy.linalg.eigh`.

    Raises
    ------
    TypeError, ValueError
        If `matrices` are not finite, real, square and symmetric.
    ArithmeticError
        If the iteration does not converge, which is not known to happen.

    Notes
    -----
    Householder reduction and implicit QL, about 9 n^3 operations on one thread.

    Examples
    --------
    >>> values, vectors = symmetric_eigensystem([[2.0, 1.0], [1.0, 2.0]])
    >>> values.round(12)
    array([1., 3.])
    """
    stack = real_array("matrices", matrices)
    if stack.ndim < 2 or stack.shape[-1] != stack.shape[-2] or stack.shape[-1] < 1:
        raise ValueError(f"matrices must have shape (..., n, n), got {stack.shape}")
    if not np.array_equal(stack, np.swapaxes(stack, -1, -2)):
        raise ValueError("matrices must be symmetric")
    n = stack.shape[-1]
    flat = stack.reshape(-1, n, n)
    scale = np.abs(flat).max(axis=(1, 2))
    scale[scale == 0.0] = 1.0
    values, rows = np.empty(flat.shape[:2]), np.empty_like(flat)
    if not _stack(flat / scale[:, None, None], values, rows):
        raise ArithmeticError("the QL iteration did not converge for one of the matrices")
    values = (values * scale[:, None]).reshape(stack.shape[:-1])
    return values, np.swapaxes(rows, -1, -2).reshape(stack.shape)
