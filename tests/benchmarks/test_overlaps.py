"""Overlaps U_aacc of all pairs of 900 states on 30 x 30 sites: one matrix product, or loops over pairs."""

import numba
import numpy as np
import pytest

from disorder.fermi_glass import eigenstates, hubbard_overlaps

pytestmark = pytest.mark.benchmark(group="overlaps of all pairs, 30 x 30 sites")


@pytest.fixture(scope="module")
def states():
    return eigenstates(30, 9.0, seed=1)[1]


@pytest.fixture(scope="module")
def sample(states):
    """Some pairs in extended precision."""
    rng = np.random.default_rng(1)
    pairs = rng.integers(states.shape[1], size=(300, 2))
    weights = states.astype(np.longdouble) ** 2
    return pairs, np.array([np.sum(weights[:, a] * weights[:, c]) for a, c in pairs])


def _error(overlaps, sample):
    pairs, exact = sample
    return float(np.abs(overlaps[pairs[:, 0], pairs[:, 1]] / exact - 1).max())


@numba.njit
def _numba_pairs(states, overlaps):
    for a in range(states.shape[1]):
        for c in range(a + 1):
            total = 0.0
            for i in range(states.shape[0]):
                total += states[i, a] ** 2 * states[i, c] ** 2
            overlaps[a, c] = total
            overlaps[c, a] = total


def _numpy_pairs(states):
    weights = states**2
    overlaps = np.empty((states.shape[1],) * 2)
    for a in range(states.shape[1]):
        for c in range(a + 1):
            overlaps[a, c] = overlaps[c, a] = weights[:, a] @ weights[:, c]
    return overlaps


def test_matrix_product(benchmark, states, sample):
    overlaps = benchmark(hubbard_overlaps, states)
    error = _error(overlaps, sample)
    assert error < 1e-12
    benchmark.extra_info.update(what="one symmetric matrix product", error=error, role="ours")


def test_numba_loop(benchmark, states, sample):
    overlaps = np.empty((states.shape[1],) * 2)
    _numba_pairs(states[:, :2], np.empty((2, 2)))
    benchmark.pedantic(_numba_pairs, args=(states, overlaps), rounds=2, warmup_rounds=1)
    error = _error(overlaps, sample)
    assert error < 1e-12
    benchmark.extra_info.update(what="loop over pairs and sites, numba", error=error, role="alternative")


def test_numpy_loop(benchmark, states, sample):
    overlaps = benchmark.pedantic(_numpy_pairs, args=(states,), rounds=1)
    error = _error(overlaps, sample)
    assert error < 1e-12
    benchmark.extra_info.update(what="loop over pairs, NumPy", error=error, role="alternative")
