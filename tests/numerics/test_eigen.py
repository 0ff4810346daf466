"""The small eigenproblem solver against LAPACK and exact spectra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.numerics.eigen import symmetric_eigensystem


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6), st.integers(1, 30), st.sampled_from(["plain", "degenerate", "graded", "integer"])
)
def test_against_lapack(seed, n, kind):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    if kind == "degenerate":
        q, _ = np.linalg.qr(a)
        a = q @ np.diag(rng.integers(-1, 2, n).astype(float)) @ q.T
    elif kind == "graded":
        a *= np.outer(10.0 ** -np.arange(n), 10.0 ** -np.arange(n)) ** 0.2
    elif kind == "integer":
        a = rng.integers(-1, 2, (n, n)).astype(float)
    a = np.tril(a) + np.tril(a, -1).T
    values, vectors = symmetric_eigensystem(a)
    size = max(np.abs(a).max(), 1e-300)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(a), atol=2e-14 * n * size)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(n), atol=1e-14 * n + 1e-14)
    np.testing.assert_allclose(a @ vectors, vectors * values, atol=3e-14 * n * size)


def test_chain_in_closed_form():
    n = 40
    chain = np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    exact = np.sort(2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1)))
    np.testing.assert_allclose(symmetric_eigensystem(chain)[0], exact, atol=1e-14)


def test_stacks_and_extreme_scales():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 2, 5, 5))
    a = a + np.swapaxes(a, -1, -2)
    values, vectors = symmetric_eigensystem(a)
    assert values.shape == (3, 2, 5)
    np.testing.assert_allclose(vectors * values[..., None, :] @ np.swapaxes(vectors, -1, -2), a, atol=1e-13)
    for scale in (1e-300, 1e300):
        np.testing.assert_allclose(symmetric_eigensystem(scale * a)[0] / scale, values, atol=1e-13)
    assert not symmetric_eigensystem(np.zeros((4, 4)))[0].any()


@pytest.mark.parametrize(
    ("matrices", "error"),
    [
        ([[1.0, 2.0], [0.0, 1.0]], ValueError),
        ([[1.0, np.nan], [np.nan, 1.0]], ValueError),
        ([1.0, 2.0], ValueError),
        (np.zeros((2, 3)), ValueError),
        (np.zeros((0, 0)), ValueError),
        ([[1j]], TypeError),
    ],
)
def test_bad_input(matrices, error):
    with pytest.raises(error, match="matrices"):
        symmetric_eigensystem(matrices)
