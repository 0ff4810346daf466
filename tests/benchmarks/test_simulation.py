"""One configuration of the simulation: everything but the diagonalisation, against the diagonalisation.

The paper's programme: three interactions, each exactly, by greedy descent, by 1e5 Monte Carlo proposals,
and the control without moments; overlaps; centres, random pairs, averages against distance. A ratio above
1/0.15 = 6.7 means that all the rest takes less than 15 % of the diagonalisation.
"""

import numpy as np
import pytest

from disorder.fermi_glass import PAPER_INTERACTIONS, eigenstates, simulation
from disorder.fermi_glass.simulation import simulate_configuration

SIZE = 60
SEED = np.random.SeedSequence(1)
PROGRAMME = (
    SIZE, 9.0, 1.0, 0.6, 3000, PAPER_INTERACTIONS, PAPER_INTERACTIONS, (100_000,), (-0.91, 0.26), 1000,
)  # fmt: skip
pytestmark = pytest.mark.benchmark(group=f"one lattice of {SIZE} x {SIZE}, all but eigh")


@pytest.fixture(scope="module")
def solved():
    return eigenstates(SIZE, 9.0, seed=np.random.SeedSequence(1, spawn_key=(0,)))


def test_everything_else(benchmark, solved, monkeypatch):
    monkeypatch.setattr(simulation, "eigenstates", lambda *arguments, **options: solved)
    simulate_configuration(SEED, *PROGRAMME)
    result = benchmark.pedantic(simulate_configuration, args=(SEED, *PROGRAMME), rounds=3)
    exact = [m for m in result.minimizations if m.method == "exact"]
    assert len(result.minimizations) == 12
    bound = max(m.bound for m in exact)
    assert bound < 1e-2
    benchmark.extra_info.update(what="overlaps, minima, averages", error=bound, role="ours")


def test_diagonalization(benchmark, solved):
    energies, states = benchmark.pedantic(
        eigenstates, args=(SIZE, 9.0), kwargs={"seed": np.random.SeedSequence(1, spawn_key=(0,))}, rounds=1
    )
    np.testing.assert_array_equal(energies, solved[0])
    error = float(np.abs(states.T @ states - np.eye(SIZE**2)).max())
    assert error < 1e-12
    benchmark.extra_info.update(what="eigh, all states", error=error, role="alternative")
