"""Collision integral of a biased wire: the package against nested calls of scipy.integrate.quad."""

import numpy as np
import pytest
from scipy.integrate import quad

from disorder.magnetic_alloys import (
    TwoStepDistribution,
    collision_integral,
    pair_matrix_elements,
)
from disorder.numerics.quadrature import panel_rule

SPIN = 0.5
WIRE = TwoStepDistribution(position=0.25, bias=10.0, temperature=0.5)
GROUP = "collision integral, biased wire, S = 1/2"


def occupation(energy):
    return 0.75 / (np.exp((energy - 5.0) / 0.5) + 1) + 0.25 / (np.exp((energy + 5.0) / 0.5) + 1)


def plain(energy):
    """Eq. (70) for S = 1/2 as written, E and -E added, one quad call per energy, window integrals by quad."""
    strength = pair_matrix_elements(SPIN)[0, 1] / (SPIN * (SPIN + 1))

    def integral(gain):
        return quad(lambda e: occupation(e) * (1 - occupation(e + gain)), -40, 40, points=[-5, 5], limit=200)[
            0
        ]

    def bracket(loss):
        ratio = integral(-loss) / integral(loss)
        absorb = strength * (1 / (1 + 3 * ratio) + 1 / (3 + ratio))
        out = occupation(energy) * (1 - occupation(energy - loss))
        return absorb * (out - (1 - occupation(energy)) * occupation(energy - loss) * ratio)

    def both(loss):
        return (bracket(loss) + bracket(-loss)) / loss**2

    inner = quad(both, 1e-3, 30, limit=200, points=[abs(energy - 5), abs(energy + 5), 10], epsrel=1e-6)[0]
    return 4 / 3 * (inner + 1e-3 * both(1e-3))


def window(gain):
    """The window integral of the two steps in closed form: pairs of equal and of unequal steps."""
    total = 0.0
    for shift, weight in ((0.0, 10 / 16), (10.0, 3 / 16), (-10.0, 3 / 16)):
        x = (gain + shift) / 0.5
        total = total + weight * 0.5 * np.divide(x, -np.expm1(-x), out=np.ones_like(x), where=x != 0)
    return total


def by_numpy(energies):
    """The same formula in plain NumPy with closed window integrals, on fixed panels."""
    e, w = panel_rule(np.concatenate(([0.0], np.arange(0.05, 60.0, 0.2))), order=12)
    f, below, above = (
        occupation(energies),
        occupation(energies - e[:, None]),
        occupation(energies + e[:, None]),
    )
    ratio = window(-e) / window(e)
    absorb = 1 / (1 + 3 * ratio) + 1 / (3 + ratio)
    loss = f * (1 - below) - (1 - f) * above
    gain = f * (1 - above) - (1 - f) * below
    return 4 / 3 * (w / e**2) @ (absorb[:, None] * (loss + ratio[:, None] * gain))


@pytest.mark.benchmark(group=f"{GROUP}, 200 energies")
def test_panels(benchmark):
    energies = np.linspace(-9.0, 9.0, 200)
    values = benchmark(collision_integral, energies, WIRE, SPIN)
    error = float(np.abs(values - by_numpy(energies)).max())
    benchmark.extra_info.update(what="adaptive panels", error=error, role="ours")
    assert error < 1e-10


@pytest.mark.benchmark(group=f"{GROUP}, 2 energies")
def test_panels_few(benchmark):
    energies = np.array([-5.4, 1.8])
    values = benchmark(collision_integral, energies, WIRE, SPIN)
    error = float(np.abs(values - by_numpy(energies)).max())
    benchmark.extra_info.update(what="adaptive panels", error=error, role="ours")
    assert error < 1e-10


@pytest.mark.benchmark(group=f"{GROUP}, 2 energies")
def test_nested_quad(benchmark):
    energies = np.array([-5.4, 1.8])
    values = benchmark.pedantic(lambda: [plain(e) for e in energies], rounds=1, iterations=1)
    error = float(np.abs(np.array(values) - by_numpy(energies)).max())
    benchmark.extra_info.update(what="scipy.integrate.quad, nested", error=error, role="alternative")
    assert error < 1e-4
