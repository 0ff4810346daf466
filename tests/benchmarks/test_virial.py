"""Quenching factors of eight spins 1/2 at 16 temperatures: multiplets of total spin, or the full space."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from disorder.magnetic_alloys import cluster_quenching

SPINS = 8
TEMPERATURE = np.geomspace(0.25, 20.0, 16)
COUPLINGS = np.ones((SPINS, SPINS)) - np.eye(SPINS)
pytestmark = pytest.mark.benchmark(group="quenching of 8 spins 1/2")


@pytest.fixture(scope="module")
def reference():
    """Equal couplings in closed form: spin 1/2 on top of the total spin l of the others, energy J(J+1)/2."""
    others = SPINS - 1
    partition, sums = np.zeros_like(TEMPERATURE), np.zeros_like(TEMPERATURE)
    for twice_l in range(others % 2, others + 1, 2):
        k = (others - twice_l) // 2
        count = comb(others, k) - (comb(others, k - 1) if k else 0)
        l = twice_l / 2  # noqa: E741
        for j in {l + 0.5, abs(l - 0.5)}:
            beta_e = j * (j + 1) / (2 * TEMPERATURE)
            partition += count * (2 * j + 1) * np.exp(-beta_e)
            lande = 0.0 if j == 0 else (j * (j + 1) + 0.75 - l * (l + 1)) / (2 * j * (j + 1))
            diagonal = lande**2 * j * (j + 1) * (2 * j + 1)
            sums += count * diagonal * np.exp(-beta_e)
            other = 2 * l - j
            if other >= 0 and other != j:
                mean = (j * (j + 1) + other * (other + 1)) / (4 * TEMPERATURE)
                y = (j * (j + 1) - other * (other + 1)) / (4 * TEMPERATURE)
                sums += count * (0.75 * (2 * j + 1) - diagonal) * np.exp(-mean) * y / np.sinh(y)
    return sums / (0.75 * partition)


def _full_space():
    size = 2**SPINS
    states = np.arange(size)
    up = (states[:, None] >> np.arange(SPINS)) & 1
    hamiltonian = np.zeros((size, size))
    for i, j in combinations(range(SPINS), 2):
        v = COUPLINGS[i, j]
        hamiltonian[states, states] += v * (up[:, i] - 0.5) * (up[:, j] - 0.5)
        flip = states[up[:, i] != up[:, j]]
        hamiltonian[flip ^ (1 << i) ^ (1 << j), flip] += v / 2
    energies, vectors = np.linalg.eigh(hamiltonian)
    energies -= energies[0]
    elements = [vectors.T @ ((up[:, i] - 0.5)[:, None] * vectors) for i in range(SPINS)]
    strengths = np.array([part**2 for part in elements])
    result = []
    for temperature in TEMPERATURE:
        y = (energies[:, None] - energies) / (2 * temperature)
        factor = np.where(y == 0, 1.0, y / np.sinh(np.where(y == 0, 1.0, y)))
        weight = np.exp(-(energies[:, None] + energies) / (2 * temperature)) * factor
        partition = np.exp(-energies / temperature).sum()
        result.append(3 * (strengths * weight).sum(axis=(1, 2)) / (0.75 * partition))
    return np.array(result)


def test_multiplets(benchmark, reference):
    factor = benchmark(lambda: cluster_quenching(COUPLINGS, TEMPERATURE, 0.5).factor)
    error = float(np.abs(factor - reference[:, None]).max())
    assert error < 1e-13
    benchmark.extra_info.update(what="multiplets, numba", error=error, role="ours")


def test_full_space(benchmark, reference):
    factor = benchmark.pedantic(_full_space, rounds=3)
    error = float(np.abs(factor - reference[:, None]).max())
    assert error < 1e-11
    benchmark.extra_info.update(what="full space, NumPy", error=error, role="alternative")
