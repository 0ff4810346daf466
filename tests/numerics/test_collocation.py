"""Polynomials through nodes, and small linear systems."""

import numpy as np

from disorder.numerics.collocation import chebyshev_nodes, derivative_matrix, gauss_solve, lagrange


def test_interpolation_and_derivative():
    nodes = np.array([-1.0, -0.2, 0.5, 0.9])
    points = np.array([-0.2, 0.0, 0.3])
    assert np.allclose(lagrange(nodes, points) @ nodes**3, points**3, atol=1e-14)
    assert np.allclose(derivative_matrix(nodes) @ nodes**3, 3 * nodes**2, atol=1e-13)


def test_gauss_solve():
    rng = np.random.default_rng(7)
    matrix = rng.normal(size=(7, 7))
    matrix[0, 0] = 0.0
    exact = rng.normal(size=7)
    right = matrix @ exact
    gauss_solve(matrix.copy(), right)
    assert np.allclose(right, exact, rtol=1e-11)


def test_chebyshev_nodes_are_the_zeros_of_the_polynomial():
    nodes = chebyshev_nodes(9)
    assert (np.diff(nodes) > 0).all()
    assert np.abs(np.cos(9 * np.arccos(nodes))).max() < 1e-13
