"""Crossover of weak localization, 200 points: the package against SciPy's quad at each point."""

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

from disorder.magnetic_alloys import weak_localization_crossover

GROUP = "weak-localization crossover, S = 1/2, 200 points"
POINTS = np.geomspace(1e-3, 1e4, 200)
CHECKED = (0, 85, 110, 199)


def plain(x):
    """F(x) for S = 1/2 with phi as printed; the integrand is rewritten only where it would overflow."""

    def integrand(u):
        z = u * x
        phi = 0.25 - np.imag(np.sqrt(1 + 0.5j * z)) / (z * np.sqrt(1 + z * z / 4))
        spectrum = 1 / (1 + 3 * np.exp(-u)) + 1 / (3 + np.exp(-u))
        return spectrum / u**2 * ((1 + np.exp(-u)) / 2 - u / np.expm1(u) * (1 - 2 * phi))

    total = quad(integrand, 1e-3 * min(1, 1 / x), 1, epsrel=1e-10, epsabs=0, limit=500)[0]
    total += quad(integrand, 1, 50, epsrel=1e-10, epsabs=0, limit=500)[0]
    low = 1e-3 * min(1, 1 / x)
    return 4 / (3 * x) * (total + low * integrand(low) + 4 / 3 / 100)


def reference(x):
    """The same integral in mpmath, on panels."""
    with mp.workdps(36):
        x, start, end = mp.mpf(x), mp.mpf(10) ** -10, mp.mpf(90)

        def integrand(u):
            z = u * x
            phi = mp.mpf(1) / 4 - mp.im(mp.sqrt(1 + 0.5j * z)) / (z * mp.sqrt(1 + z * z / 4))
            spectrum = 1 / (1 + 3 * mp.exp(-u)) + 1 / (3 + mp.exp(-u))
            return spectrum / u**2 * ((1 + mp.exp(-u)) / 2 - u / mp.expm1(u) * (1 - 2 * phi))

        edges = sorted({start, end, *(mp.mpf(10) ** k for k in range(-9, 2)), 1 / x if x > 1 else end})
        total = mp.quad(integrand, edges, method="gauss-legendre", maxdegree=4)
        return float(4 / (3 * x) * (total + start * integrand(start) + mp.mpf(2) / 3 / end))


def worst(values):
    return max(abs(values[i] / reference(POINTS[i]) - 1) for i in CHECKED)


@pytest.mark.benchmark(group=GROUP)
def test_panels(benchmark):
    values = benchmark(weak_localization_crossover, POINTS, 0.5)
    error = worst(values)
    benchmark.extra_info.update(what="Gauss panels shared by all points", error=error, role="ours")
    assert error < 1e-13


@pytest.mark.benchmark(group=GROUP)
def test_quad(benchmark):
    values = benchmark.pedantic(lambda: [plain(x) for x in POINTS], rounds=1, iterations=1)
    error = worst(values)
    benchmark.extra_info.update(what="scipy.integrate.quad, point by point", error=error, role="alternative")
    assert error < 1e-3
