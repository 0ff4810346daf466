"""Kernel polynomials: Chebyshev moments of a Hamiltonian on the lattice, and the density made of them."""

import numpy as np
from numpy.polynomial import chebyshev

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray


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
def chebyshev_moments(
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


def jackson_factors(count: int) -> FloatArray:
    """Factors g_n that turn a sum of Chebyshev polynomials into a smooth, positive average."""
    n, top = np.arange(count), count + 1
    angle = np.pi * n / top
    return np.asarray(((top - n) * np.cos(angle) + np.sin(angle) / np.tan(np.pi / top)) / top)


def sum_polynomials(x: FloatArray, moments: FloatArray) -> FloatArray:
    """Density on (-1, 1) from the moments (..., M) at the points x; zero outside."""
    coefficients = 2 * jackson_factors(moments.shape[-1]) * moments
    coefficients[..., 0] /= 2
    inside = np.abs(x) < 1
    safe = np.where(inside, x, 0.0)
    values = chebyshev.chebval(safe, np.moveaxis(coefficients, -1, 0)) / (np.pi * np.sqrt(1 - safe**2))
    return np.where(inside, values, 0.0)
