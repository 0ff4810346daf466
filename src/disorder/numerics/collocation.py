"""Polynomials through given nodes: interpolation, differentiation; small linear systems inside kernels."""

import numpy as np

from .jit import kernel
from .validation import FloatArray


def chebyshev_nodes(count: int) -> FloatArray:
    """Return the `count` increasing Chebyshev nodes of the first kind in (-1, 1)."""
    return np.asarray(-np.cos(np.pi * (2 * np.arange(count) + 1) / (2 * count)))


def lagrange(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """Return the Lagrange polynomials of `nodes` at `points`, shape points.shape + nodes.shape."""
    spread = 2 * (nodes[:, None] - nodes) / (nodes.max() - nodes.min())
    np.fill_diagonal(spread, 1.0)
    weights = 1 / spread.prod(axis=1)
    distance = np.asarray(points)[..., None] - nodes
    hit = distance == 0
    quotient = weights / np.where(hit, 1.0, distance)
    row = quotient / quotient.sum(axis=-1, keepdims=True)
    struck = hit.any(axis=-1)
    row[struck] = hit[struck]
    return np.asarray(row)


def derivative_matrix(nodes: FloatArray) -> FloatArray:
    """Return the differentiation matrix of polynomials through `nodes`."""
    spread = nodes[:, None] - nodes
    np.fill_diagonal(spread, 1.0)
    weights = 1 / spread.prod(axis=1)
    matrix = weights / weights[:, None] / spread
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return np.asarray(matrix)


@kernel
def gauss_solve(matrix: FloatArray, vector: FloatArray) -> None:
    """Overwrite `vector` with the solution of matrix @ x = vector; `matrix` is destroyed."""
    size = vector.size
    for c in range(size):
        pivot = c
        for r in range(c + 1, size):
            if abs(matrix[r, c]) > abs(matrix[pivot, c]):
                pivot = r
        if pivot != c:
            for k in range(size):
                matrix[c, k], matrix[pivot, k] = matrix[pivot, k], matrix[c, k]
            vector[c], vector[pivot] = vector[pivot], vector[c]
        for r in range(c + 1, size):
            factor = matrix[r, c] / matrix[c, c]
            if factor != 0.0:
                for k in range(c + 1, size):
                    matrix[r, k] -= factor * matrix[c, k]
                vector[r] -= factor * vector[c]
    for r in range(size - 1, -1, -1):
        total = vector[r]
        for k in range(r + 1, size):
            total -= matrix[r, k] * vector[k]
        vector[r] = total / matrix[r, r]
