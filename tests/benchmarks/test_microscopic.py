"""Triples of centres to second order: scale by scale with closed energies, or rejection in the volume.

Both measure P_3 of equal |u| in a region so small that rejection finds anything at all. Rejection needs a
window of energies above zero, and its useful share falls as (R_min/R_max)^9 in larger regions; the cost of
the other way does not depend on the region. The figure of merit is the relative variance of a run times its
time.
"""

import numpy as np
import pytest

from disorder.amorphous_solids import three_center_coefficients
from disorder.numerics.jit import kernel

XI = 0.35
SAMPLES = 8192
TRIALS = 4_000_000
WINDOW = 0.5 * np.exp(-3 * XI)
pytestmark = pytest.mark.benchmark(group="triples of centres, second order")


@kernel
def _count_hits(rng, trials, radius, top, window):
    """Centre 1 at the origin, the others in a ball of 2 R_max, so that every chain has room."""
    hits = 0
    u = np.empty(3)
    place = np.empty((2, 3))
    for _ in range(trials):
        for i in range(2):
            while True:
                for k in range(3):
                    place[i, k] = 2 * radius * (2 * rng.random() - 1)
                if (place[i] ** 2).sum() < 4 * radius * radius:
                    break
        e1, e2, e3 = top * rng.random(), top * rng.random(), top * rng.random()
        for j in range(3):
            if j < 2:
                distance = np.sqrt((place[j] ** 2).sum())
            else:
                distance = np.sqrt(((place[0] - place[1]) ** 2).sum())
            u[j] = 0.0
            if 1.0 < distance < radius:
                u[j] = (1.0 if rng.random() < 0.5 else -1.0) / distance**3
        total = e1 + e2 + e3 - u[0] - u[1] - u[2]
        # Without two bonds the three centres are not connected, and vanish with the window.
        bonds = (u != 0.0).sum()
        if bonds > 1 and 0.0 < total < window and e1 + e2 > u[0] and e1 + e3 > u[1] and e2 + e3 > u[2]:
            hits += 1
    return hits


@pytest.fixture(scope="module")
def reference():
    return float(three_center_coefficients([XI], "bimodal", samples=2**21, seed=99).triple[0])


def test_closed_energies(benchmark, reference):
    def run():
        return three_center_coefficients([XI], "bimodal", samples=SAMPLES, seed=1)

    result = benchmark(run)
    error = float(result.triple_error[0]) / reference
    assert abs(result.triple[0] - reference) < 6 * result.triple_error[0]
    benchmark.extra_info.update(
        what="logarithmic radii, closed energies", error=error, role="ours", statistical=True
    )


def test_rejection(benchmark, reference):
    radius, top = np.exp(XI), 3.0
    _count_hits(np.random.default_rng(0), 10, radius, top, WINDOW)
    hits = benchmark.pedantic(
        lambda: _count_hits(np.random.default_rng(1), TRIALS, radius, top, WINDOW), rounds=1
    )
    volume = (4 * np.pi / 3 * (2 * radius) ** 3) ** 2 * top**3 / WINDOW / (6 * np.pi**2)
    assert hits > 10
    value, error = volume * hits / TRIALS, volume * np.sqrt(hits) / TRIALS
    # The window itself adds to the density, in relative order its width times R_max^3/U_0.
    assert abs(value - reference) < 6 * error + 0.5 * reference
    relative = float(error / reference)
    benchmark.extra_info.update(
        what="rejection in the volume", error=relative, role="alternative", statistical=True
    )
