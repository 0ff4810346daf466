"""A random history of 20000 centres, b_km = sqrt(km), to t = 1: groups and thinning, or cumulative sums."""

import numpy as np
import pytest

from disorder.amorphous_solids import cluster_moment, simulate_coagulation

CENTRES = 20_000
pytestmark = pytest.mark.benchmark(group="random history of 20000 centres")


@pytest.fixture(scope="module")
def reference():
    return float(cluster_moment(1.0, 0.0, "sqrt"))


def _plain(seed):
    """Gillespie's direct method: both partners from the cumulative sum of all charges, at every event."""
    rng = np.random.default_rng(seed)
    size = np.ones(CENTRES)
    time = 0.0
    while True:
        root = np.sqrt(size)
        edges = np.cumsum(root)
        rate = (edges[-1] ** 2 - size.sum()) / CENTRES
        time += rng.exponential(1 / rate)
        if time > 1:
            return size.size / CENTRES
        i = j = 0
        while i == j:
            i, j = np.searchsorted(edges, rng.random(2) * edges[-1])
        size[i] += size[j]
        size[j] = size[-1]
        size = size[:-1]


def test_groups(benchmark, reference):
    call = {"particles": CENTRES, "realisations": 2, "progress": False}
    run = benchmark(lambda: simulate_coagulation(1.0, [1], orders=[0.0], seed=1, **call))
    error = abs(run.moment[0, 0] - reference)
    # The number of events fluctuates less than a Poisson variable: sqrt(0.6/20000).
    assert error < 5 * np.sqrt(0.6 / CENTRES)
    benchmark.extra_info.update(what="two histories, groups of powers of two", error=error, role="ours")


def test_cumulative_sums(benchmark, reference):
    value = benchmark.pedantic(_plain, args=(1,), rounds=1)
    error = abs(value - reference)
    assert error < 5 * np.sqrt(0.6 / CENTRES)
    benchmark.extra_info.update(what="one history, cumulative sums, NumPy", error=error, role="alternative")


@pytest.mark.benchmark(group="random history of a million centres")
def test_a_million_centres(benchmark, reference):
    call = {"particles": 10**6, "realisations": 2, "progress": False}
    run = benchmark.pedantic(
        lambda: simulate_coagulation(1.0, [1], orders=[0.0], seed=2, **call), rounds=2, warmup_rounds=1
    )
    error = abs(run.moment[0, 0] - reference)
    assert error < 5 * np.sqrt(0.6 / 1e6)
    benchmark.extra_info.update(what="two histories, groups of powers of two", error=error, role="ours")
