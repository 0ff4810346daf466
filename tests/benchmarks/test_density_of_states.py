"""Density of states of two 50 x 50 configurations at W = 9: random vectors, or all eigenvalues."""

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

from disorder.fermi_glass import hamiltonian, sample_density_of_states

SIZE, DISORDER, MOMENTS, SEED = 50, 9.0, 256, 4
ENERGY = np.linspace(-8.0, 5.0, 131)
CENTRE, HALF = -2.0, 1.01 * 8.9
pytestmark = pytest.mark.benchmark(group="density of states of two 50 x 50 lattices")


def _levels():
    with threadpool_limits(1, user_api="blas"):
        return [
            scipy.linalg.eigvalsh(
                hamiltonian(SIZE, DISORDER, seed=child).toarray(order="F"), overwrite_a=True, driver="evd"
            )
            for child in np.random.SeedSequence(SEED).spawn(2)
        ]


def _smoothed(levels):
    """Jackson's kernel summed over the levels, in plain NumPy."""
    n, top = np.arange(MOMENTS), MOMENTS + 1
    jackson = ((top - n) * np.cos(np.pi * n / top) + np.sin(np.pi * n / top) / np.tan(np.pi / top)) / top
    angles = np.arccos((np.concatenate(levels) - CENTRE) / HALF)
    moments = np.array([np.cos(k * angles).mean() for k in n]) * jackson * np.where(n > 0, 2, 1)
    x = (ENERGY - CENTRE) / HALF
    return np.cos(n * np.arccos(x)[:, None]) @ moments / (np.pi * HALF * np.sqrt(1 - x**2))


@pytest.fixture(scope="module")
def levels():
    return _levels()


def test_kernel_polynomials(benchmark, levels):
    options = {"realisations": 2, "moments": MOMENTS, "vectors": 8, "seed": SEED}
    sample_density_of_states(ENERGY, 3, DISORDER, **options)
    density = benchmark(lambda: sample_density_of_states(ENERGY, SIZE, DISORDER, **options).density)
    exact = _smoothed(levels)
    error = float(np.sqrt(np.mean((density / exact - 1) ** 2)))
    assert error < 0.05
    benchmark.extra_info.update(what="kernel polynomials, numba", error=error, role="ours")


def test_eigenvalues(benchmark, levels):
    found = benchmark.pedantic(lambda: (values := _levels(), _smoothed(values))[0], rounds=1)
    # The exact traces of H and H^2 of each configuration measure the error of the levels.
    h = [hamiltonian(SIZE, DISORDER, seed=child) for child in np.random.SeedSequence(SEED).spawn(2)]
    error = max(abs((e**2).sum() / m.power(2).sum() - 1) for e, m in zip(found, h, strict=True))
    assert error < 1e-11
    benchmark.extra_info.update(what="all eigenvalues, LAPACK", error=float(error), role="alternative")
