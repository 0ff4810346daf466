"""Ground states of occupations: incremental Monte Carlo, and the cut with and without persistency."""

import importlib

import numpy as np
import pytest
from scipy import optimize, sparse

from disorder.fermi_glass import eigenstates, grand_canonical_minimum, ground_state, hubbard_overlaps

cut = importlib.import_module("disorder.fermi_glass.minimum_cut")
moves = importlib.import_module("disorder.fermi_glass.occupation_moves")


def _problem(size):
    energies, states = eigenstates(size, 9.0, seed=0)
    return energies, hubbard_overlaps(states)


@pytest.fixture(scope="module")
def lattice():
    """Of the paper's size: levels and overlaps of 3600 states drawn without a diagonalisation."""
    rng = np.random.default_rng(0)
    energies = np.sort(rng.uniform(-5.3, 5.3, 3600))
    # Overlaps of exponential states with random centres: the shape of the true ones, at once.
    x, y = rng.uniform(0, 60, (2, 3600))
    distance = [np.abs(c[:, None] - c) for c in (x, y)]
    distance = np.hypot(*(np.minimum(d, 60 - d) for d in distance))
    return energies, 0.02 * np.exp(-distance / 3.0)


@pytest.fixture(scope="module")
def small():
    return _problem(24)


STEPS = 100
GROUP = "a hundred Monte Carlo steps, 3600 states, N = 3000"


@pytest.mark.benchmark(group=GROUP)
def test_incremental_moves(benchmark, lattice):
    energies, overlaps = lattice
    occupied = np.tile(np.arange(3600) < 1500, 2)
    filled, empty = np.flatnonzero(occupied), np.flatnonzero(~occupied)
    field = moves._fields(energies, overlaps, 2.0, occupied[:3600], occupied[3600:])
    draws = np.random.default_rng(1).random((1000, STEPS, 3))
    rounds = iter(draws)
    accepted = benchmark.pedantic(
        lambda: moves._metropolis(overlaps, 2.0, field, filled, empty, next(rounds), 0.1),
        rounds=500,
        warmup_rounds=1,
    )
    assert 0 <= accepted <= STEPS
    occupied[:] = False
    occupied[filled] = True
    fresh = moves._fields(energies, overlaps, 2.0, occupied[:3600], occupied[3600:])
    error = float(np.abs(field - fresh).max())
    assert error < 1e-10
    benchmark.extra_info.update(what="fields kept and updated", error=error, role="ours")


@pytest.mark.benchmark(group=GROUP)
def test_recomputed_energy(benchmark, lattice):
    energies, overlaps = lattice
    rng = np.random.default_rng(1)
    state = np.tile(np.arange(3600) < 1500, 2).astype(float)

    def energy(spins):
        up, down = spins[:3600], spins[3600:]
        return energies @ (up + down) + 2.0 * up @ (overlaps @ down)

    def run():
        spins, value = state, energy(state)
        for _ in range(STEPS):
            changed = spins.copy()
            source = rng.choice(np.flatnonzero(spins))
            changed[rng.choice(np.flatnonzero(spins == 0))] = 1.0
            changed[source] = 0.0
            new = energy(changed)
            if new <= value or rng.random() < np.exp((value - new) / 0.1):
                spins, value = changed, new
        return value

    value = benchmark.pedantic(run, rounds=1)
    assert np.isfinite(value)
    benchmark.extra_info.update(what="energy recomputed by a matrix product", error=1e-10, role="alternative")


@pytest.mark.benchmark(group="exact ground state, 3600 states, N = 3000, U = 2t")
def test_exact_full_size(benchmark, lattice):
    energies, overlaps = lattice
    found = benchmark.pedantic(lambda: ground_state(energies, overlaps, 2.0, 3000), rounds=3, warmup_rounds=1)
    assert found.bound < 1e-2
    benchmark.extra_info.update(
        what="persistency and minimum cuts, N by mu",
        error=found.bound,
        undecided=found.undecided,
        role="ours",
    )


MU = 0.5


@pytest.fixture(scope="module")
def least(small):
    return grand_canonical_minimum(*small, 2.0, MU)


@pytest.mark.benchmark(group="minimum at one chemical potential, 576 states, U = 2t")
def test_persistency_and_cut(benchmark, small):
    found = benchmark.pedantic(lambda: grand_canonical_minimum(*small, 2.0, MU), rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(what="persistency, then the cut", error=found.bound, role="ours")


@pytest.mark.benchmark(group="minimum at one chemical potential, 576 states, U = 2t")
def test_whole_network(benchmark, small, least):
    energies, overlaps = small
    cost = energies - MU
    x, z, bound = benchmark.pedantic(
        lambda: cut.bipartite_cut(cost, cost, 2.0 * overlaps), rounds=3, warmup_rounds=1
    )
    up, down = x.astype(float), 1.0 - z
    error = abs(cost @ (up + down) + 2.0 * up @ overlaps @ down - least.grand_potential)
    assert error < 1e-9
    assert abs(bound + cost.sum() - least.grand_potential) < 1e-9
    benchmark.extra_info.update(what="the whole network in the cut", error=error, role="alternative")


@pytest.mark.benchmark(group="minimum at one chemical potential, 36 states, U = 2t")
def test_small_cut(benchmark):
    energies, overlaps = _problem(6)
    found = benchmark.pedantic(
        lambda: grand_canonical_minimum(energies, overlaps, 2.0, MU), rounds=5, warmup_rounds=1
    )
    benchmark.extra_info.update(what="persistency, then the cut", error=found.bound, role="ours")


@pytest.mark.benchmark(group="minimum at one chemical potential, 36 states, U = 2t")
def test_integer_program(benchmark):
    """Up, down and one product for each pair: products are at least x + w - 1."""
    energies, overlaps = _problem(6)
    n = energies.size
    cost = np.concatenate([energies - MU, energies - MU, 2.0 * overlaps.ravel()])
    one, unit = np.ones((n, 1)), sparse.eye_array(n)
    rows = sparse.hstack([sparse.kron(unit, one), sparse.kron(one, unit), -sparse.eye_array(n * n)])
    limit = optimize.LinearConstraint(rows.tocsr(), -np.inf, 1.0)
    whole = np.concatenate([np.ones(2 * n), np.zeros(n * n)])

    def solve():
        return optimize.milp(cost, constraints=limit, integrality=whole, bounds=optimize.Bounds(0, 1))

    result = benchmark.pedantic(solve, rounds=3, warmup_rounds=1)
    error = abs(result.fun - grand_canonical_minimum(energies, overlaps, 2.0, MU).grand_potential)
    assert error < 1e-6
    benchmark.extra_info.update(what="mixed-integer program (HiGHS)", error=error, role="alternative")
