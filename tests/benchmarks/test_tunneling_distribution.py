"""P(L, t) for b_km = 1 with freezing at t = 60: coarsening grid with exact unions, or direct convolution."""

import numba
import numpy as np
import pytest

from disorder.amorphous_solids import GammaAmplitudes, exponential_tunneling_distribution
from disorder.amorphous_solids.frozen_clusters import evaluate, solve_freezing

X_STAR, T_END = 4.0, 60.0
DEPTH = np.concatenate((np.geomspace(0.5, 55.0, 40), np.linspace(61.0, 300.0, 40)))
pytestmark = pytest.mark.benchmark(group="amplitudes with freezing to t = 60")


@pytest.fixture(scope="module")
def reference():
    """Closed form, per unit of x = |L| / 3."""
    return 3 * exponential_tunneling_distribution(-3 * DEPTH, T_END, 3 * X_STAR)


@numba.njit(error_model="numpy")
def _direct(density, step, steps):
    """Uniform grid, one Euler step of the unions with the direct double sum, and an exact shift, per step."""
    size = density.size
    frozen = np.empty(steps)
    for k in range(steps):
        frozen[k] = density[0]
        total = step * (density.sum() - 0.5 * density[0])
        changed = np.empty(size)
        for i in range(size):
            pairs = 0.0
            for j in range(i + 1):
                weight = 0.5 if j == 0 or j == i else 1.0
                pairs += weight * density[j] * density[i - j]
            changed[i] = density[i] + step * (step * pairs * (i > 0) - 2 * total * density[i])
        density[: size - 1] = changed[1:]
        density[size - 1] = 0.0
    return frozen


def _by_double_sum():
    step = 0.1
    nodes = np.arange(0.0, 480.0, step)
    density = np.exp(-nodes / X_STAR) / X_STAR
    frozen = _direct(density, step, round(T_END / step))
    values = np.concatenate((frozen, density))
    return np.interp(DEPTH, np.arange(values.size) * step, values)


def _ours():
    solve_freezing.cache_clear()
    initial = GammaAmplitudes(3 * X_STAR)
    coarse, fine = (
        evaluate(solve_freezing(initial, 1.0, T_END, resolution), initial, 1.0, DEPTH)
        for resolution in (48, 96)
    )
    return (4 * fine - coarse) / 3


def test_coarsening_grid(benchmark, reference):
    values = benchmark.pedantic(_ours, rounds=5, warmup_rounds=1)
    error = float(np.abs(values / reference - 1).max())
    assert error < 1e-3
    benchmark.extra_info.update(what="coarsening grid, exact unions by FFT", error=error, role="ours")


def test_double_sum(benchmark, reference):
    values = benchmark.pedantic(_by_double_sum, rounds=1, warmup_rounds=1)
    error = float(np.abs(values / reference - 1).max())
    assert error < 0.2
    benchmark.extra_info.update(what="uniform grid, double sum, numba", error=error, role="alternative")
