"""alpha_S by the panel kernel, in closed form, by scipy's quad on Eq. (28) as it stands, and in mpmath."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

from disorder.magnetic_alloys import alpha_s, alpha_s_closed_form, pair_matrix_elements

SPIN = 3.5
pytestmark = pytest.mark.benchmark(group="alpha_s(7/2)")


def _extended(spin):
    """alpha_S from Eq. (28) by Gauss-Legendre rules at 40 digits, with a factor 4/3."""
    two_s = round(2 * spin)
    with mp.workdps(40):
        degree = two_s * (two_s + 1) // 2
        coefficients = [mp.mpf(0)] * (degree + 1)
        for j in range(two_s + 1):
            coefficients[degree - j * (j + 1) // 2] = mp.mpf(2 * j + 1)

        def bracket(y):
            q = mp.exp(-y)
            z = mp.polyval(coefficients, q)
            total = mp.mpf(0)
            for k in range(1, two_s + 1):
                x = y * k
                low, high = q ** (k * (k - 1) // 2), q ** (k * (k + 1) // 2)
                total += k * mp.mpf((two_s + 1) ** 2 - k * k) * (low + high - 2 * x * low / mp.expm1(x))
            return total / ((two_s * (two_s + 2)) * z * y**2)

        edges = [0, *(mp.mpf(4) ** n / degree for n in range(-3, 7)), 200]
        inner = mp.quad(lambda y: bracket(y) + bracket(-y), edges, method="gauss-legendre", maxdegree=5)
        return mp.mpf(4) / 3 * (inner + (1 + mp.mpf(1) / (two_s + 2)) / 200)


@pytest.fixture(scope="module")
def reference():
    return float(_extended(SPIN))


def _plain_integrand(y, elements, energies, degeneracies, casimir):
    """Bracket of Eq. (28) over y^2 as printed, both signs of y, in vectorised NumPy."""
    total = 0.0
    for coupling in (y, -y):
        weights = degeneracies * np.exp(-coupling * (energies - (energies[-1] if coupling < 0 else 0.0)))
        x = coupling * (energies[:, None] - energies)
        with np.errstate(over="ignore"):
            factor = np.where(x == 0, 1.0, x / -np.expm1(-np.where(x == 0, 1.0, x)))
        total += 1 - (weights[:, None] * elements * factor).sum() / (casimir * weights.sum())
    return total / y**2


def _quad(spin):
    """Four pieces with the tightest tolerance, and the lower end at which quad is most accurate."""
    levels = np.arange(round(2 * spin) + 1)
    arguments = (pair_matrix_elements(spin), levels * (levels + 1) / 2, 2.0 * levels + 1, spin * (spin + 1))
    low = 1e-5  # the integrand is smooth there, but as printed it cancels to nothing further down
    pieces = [(low, 0.1), (0.1, 1.0), (1.0, 10.0), (10.0, math.inf)]
    options = {"args": arguments, "epsabs": 1e-13, "epsrel": 1e-13, "limit": 200}
    value = sum(quad(_plain_integrand, a, b, **options)[0] for a, b in pieces)
    return 4 / 3 * (value + low * _plain_integrand(low, *arguments))


def test_panels(benchmark, reference):
    value = benchmark(alpha_s, SPIN)
    assert abs(value - reference) < 1e-13
    benchmark.extra_info.update(what="numba Gauss panels", error=abs(value - reference), role="ours")


def test_closed_form(benchmark, reference):
    value = benchmark(alpha_s_closed_form, SPIN)
    assert abs(value - reference) < 1e-12
    benchmark.extra_info.update(
        what="closed form, NumPy roots", error=abs(value - reference), role="alternative"
    )


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
def test_adaptive_quadrature(benchmark, reference):
    value = benchmark.pedantic(_quad, args=(SPIN,), rounds=3)
    assert abs(value - reference) < 1e-6
    benchmark.extra_info.update(what="scipy quad, Eq. (28)", error=abs(value - reference), role="alternative")


def test_extended_precision(benchmark, reference):
    value = benchmark.pedantic(lambda: float(_extended(SPIN)), rounds=1)
    assert value == reference
    benchmark.extra_info.update(what="mpmath, 40 digits", error=0.0, role="alternative")
