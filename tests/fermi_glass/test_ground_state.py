"""Ground states at fixed particle number against enumeration, bounds, theorems of moments and pairs."""

import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    grand_canonical_minimum,
    ground_state,
    hubbard_overlaps,
    steepest_descent,
)

module = importlib.import_module("disorder.fermi_glass.ground_state")


def all_energies(energies, overlaps, interaction):
    n = len(energies)
    x = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)
    single, count = x @ energies, x.sum(1)
    energy = single[:, None] + single + interaction * (x @ overlaps @ x.T)
    return x, energy, (count[:, None] + count).astype(int)


def sea_energy(energies, overlaps, interaction, particles):
    """The reference: lowest levels doubly occupied, an odd particle in the next one."""
    order = np.argsort(energies, kind="stable")
    up, down = np.zeros((2, len(energies)))
    up[order[: (particles + 1) // 2]] = 1
    down[order[: particles // 2]] = 1
    return energies @ (up + down) + interaction * up @ overlaps @ down


def hull_bound(least, particles):
    """The convex hull of the least energies E(N), from all chords over N."""
    chords = [least[particles]]
    for i in range(particles):
        for j in range(particles + 1, len(least)):
            chords.append(least[i] + (least[j] - least[i]) * (particles - i) / (j - i))
    return min(chords)


def problem(seed, states, kind):
    rng = np.random.default_rng(seed)
    if kind == "lattice":
        energies, vectors = eigenstates(3, 9.0, seed=seed)
        return energies[:states], hubbard_overlaps(vectors)[:states, :states]
    weights = rng.random((states, states)) ** (1 + 3 * rng.integers(2))
    overlaps = weights.T @ weights
    if kind == "zeros":
        overlaps = np.triu(overlaps * (rng.random((states, states)) < 0.5))
        overlaps = overlaps + np.triu(overlaps, 1).T
    return rng.permutation(rng.normal(size=states)), overlaps


cases = st.tuples(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(["any", "zeros", "lattice"])).map(
    lambda args: problem(*args)
)


@given(cases, st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 20.0, -0.5, -3.0]))
@settings(max_examples=25, deadline=None)
def test_exact_against_enumeration(case, interaction):
    """Energy, bound and hull at every particle number."""
    energies, overlaps = case
    _, energy, count = all_energies(energies, overlaps, interaction)
    least = [energy[count == k].min() for k in range(2 * energies.size + 1)]
    tolerance = 1e-12 * (1 + np.abs(energy).max())
    for particles in range(2 * energies.size + 1):
        found = ground_state(energies, overlaps, interaction, particles)
        assert found.up.sum() + found.down.sum() == particles
        assert found.up.sum() >= found.down.sum()
        assert found.singly_occupied == (found.up != found.down).sum()
        up, down = found.up.astype(float), found.down.astype(float)
        value = energies @ (up + down) + interaction * up @ overlaps @ down
        total = found.energy + sea_energy(energies, overlaps, interaction, particles)
        assert abs(total - value) < tolerance
        gap = total - least[particles]
        assert -tolerance < gap <= found.bound + tolerance
        # Few states: branch and bound closes every gap.
        assert gap < tolerance
        assert found.bound < 1e-9
        with pytest.MonkeyPatch.context() as patch:
            # Without it the bound is the distance to the hull, no more than rounding above it.
            patch.setattr(module, "_MOST_BRANCHED", 0)
            rough = ground_state(energies, overlaps, interaction, particles)
        gap = rough.energy + total - found.energy - least[particles]
        assert -tolerance < gap <= rough.bound + tolerance
        assert abs(rough.bound - (gap + least[particles] - hull_bound(least, particles))) < 1e-9


def test_hull_missed(monkeypatch):
    """Three particles of one spin displace one of the other: N = 3 lies under no tangent of E(N)."""
    energies = np.array([0.0, 1.0, 1.0, 1.0])
    overlaps = np.eye(4)
    overlaps[0, :] = overlaps[:, 0] = 1.0
    overlaps[0, 0] = 0.0
    _, energy, count = all_energies(energies, overlaps, 1.0)
    least = [energy[count == k].min() for k in (2, 3, 4)]
    assert least == [0.0, 2.0, 3.0]
    for mu in np.linspace(-1.0, 4.0, 41):
        assert grand_canonical_minimum(energies, overlaps, 1.0, mu).particles != 3
    found = ground_state(energies, overlaps, 1.0, 3)
    assert abs(found.energy - (2.0 - sea_energy(energies, overlaps, 1.0, 3))) < 1e-15
    assert found.bound < 1e-9
    monkeypatch.setattr(module, "_MOST_BRANCHED", 0)
    assert abs(ground_state(energies, overlaps, 1.0, 3).bound - 0.5) < 1e-9


@pytest.mark.parametrize("budget", [0, 20_000, 10**7])
def test_hull_missed_on_a_lattice(monkeypatch, budget):
    """Strong repulsion on 3 x 3 sites: the bound covers the error however early the branching stops."""
    monkeypatch.setattr(module, "_MOST_ARCS", budget)
    open_gaps = 0
    for seed in range(6):
        energies, vectors = eigenstates(3, 4.0, seed=seed)
        overlaps = hubbard_overlaps(vectors)
        _, energy, count = all_energies(energies, overlaps, 20.0)
        for particles in range(2, 8):
            found = ground_state(energies, overlaps, 20.0, particles)
            total = found.energy + sea_energy(energies, overlaps, 20.0, particles)
            assert -1e-11 < total - energy[count == particles].min() <= found.bound + 1e-12
            open_gaps += found.bound > 1e-3
    assert (open_gaps == 0) == (budget == 10**7)


def test_dual_bound_counts_the_decided_states():
    """Window and decided states together: the dual is the tangent of the whole problem."""
    energies, vectors = eigenstates(12, 9.0, seed=2)
    overlaps = hubbard_overlaps(vectors)
    for shift in (-5.0, 5.0):
        search = module._Search(energies + shift, overlaps, 1.0, 120, True)
        for point in search.open(shift - 0.6, shift - 0.3):
            certain = search.window.certain.astype(float)
            assert search.base == 2 * certain.sum() > 40
            base = 2 * (energies + shift) @ certain + certain @ overlaps @ certain
            least = grand_canonical_minimum(energies + shift, overlaps, 1.0, point.mu)
            assert point.particles == least.particles
            assert abs(base + point.dual - (least.grand_potential + 120 * point.mu)) < 1e-9
            assert abs(base + point.energy - point.mu * point.particles - least.grand_potential) < 1e-9


def test_branching_mends_a_bad_start():
    """From the Fermi sea instead of the repaired vertices: only the slack keeps the better ones open."""
    mended = decided = 0
    for seed in range(150):
        energies, overlaps = problem(seed, 5, "zeros")
        energies = np.sort(energies)
        _, energy, count = all_energies(energies, overlaps, 2.0)
        least = [energy[count == k].min() for k in range(11)]
        for particles in range(2, 9):
            if least[particles] - hull_bound(least, particles) < 1e-6:
                continue
            search = module._Search(energies, overlaps, 2.0, particles, True)
            _, top = search.run(*module._start(energies, overlaps, 2.0, particles))
            # The whole problem as the window, whatever the range of chemical potentials decided.
            search.open(-50.0, 50.0)
            up, down = np.arange(5) < (particles + 1) // 2, np.arange(5) < particles // 2
            start = sea_energy(energies, overlaps, 2.0, particles)
            _, _, found, dual = search.branched(up, down, start, search.point(top.mu), False)
            assert abs(found - least[particles]) < 1e-10
            assert dual <= least[particles] + 1e-10
            mended += start > least[particles] + 1e-6
            decided += module.undecided(energies, overlaps, 2.0, top.mu, top.mu).states.size < 5
    assert mended > 5
    assert decided > 5


@given(cases, st.sampled_from([0.1, 1.0, 3.0]))
@settings(max_examples=30, deadline=None)
def test_parallel_moments_never_cost_energy(case, interaction):
    """E(A, B) - E(A or B, A and B) = U sum over A-not-B times B-not-A of K, for all occupations."""
    energies, overlaps = case
    x, energy, _ = all_energies(energies, overlaps, interaction)
    rng = np.random.default_rng(1)
    for _ in range(40):
        a, b = rng.integers(0, len(x), 2)
        first, second = x[a] - x[a & b], x[b] - x[a & b]
        difference = energy[a, b] - energy[a | b, a & b]
        assert abs(difference - interaction * first @ overlaps @ second) < 1e-12 * (1 + abs(energy[a, b]))
        assert difference > -1e-12 * (1 + abs(energy[a, b]))


@given(st.integers(0, 10**6), st.integers(2, 7), st.sampled_from([0.3, 1.0, 5.0]))
@settings(max_examples=30, deadline=None)
def test_positive_overlaps_make_every_minimum_parallel(seed, states, interaction):
    """Strictly positive overlaps: each minimum at fixed N is parallel, and both spin flips of it only."""
    energies, overlaps = problem(seed, states, "any")
    _, energy, count = all_energies(energies, overlaps, interaction)
    for particles in range(2 * states + 1):
        least = energy[count == particles].min()
        minima = np.argwhere((count == particles) & (energy <= least + 1e-12))
        for a, b in minima:
            assert (a & b) in (a, b)
        assert len(minima) == (1 if minima[0][0] == minima[0][1] else 2)
        found = ground_state(energies, overlaps, interaction, particles)
        assert (found.up >= found.down).all()


def test_zero_overlaps_leave_moments_free():
    """Two states that do not touch: parallel and antiparallel moments have the same energy."""
    energies, overlaps = np.array([0.0, 0.1]), np.eye(2)
    _, energy, count = all_energies(energies, overlaps, 1.0)
    least = energy[count == 2].min()
    assert len(np.argwhere((count == 2) & (energy == least))) == 4
    found = ground_state(energies, overlaps, 1.0, 2)
    assert found.up.tolist() == [True, True]
    assert found.singly_occupied == 2
    assert abs(found.energy - (least - 1.0)) < 1e-15


@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from([-0.3, -2.0]))
@settings(max_examples=30, deadline=None)
def test_attraction_pairs_at_every_even_number(seed, states, interaction):
    """Overlaps of wave functions are positive semidefinite: some minimum of an even N has only pairs."""
    energies, overlaps = problem(seed, states, "any")
    _, energy, count = all_energies(energies, overlaps, interaction)
    for particles in range(0, 2 * states + 1, 2):
        least = energy[count == particles].min()
        paired = np.diagonal(energy)[np.diagonal(count) == particles].min()
        assert abs(paired - least) < 1e-11 * (1 + np.abs(energy).max())
        found = ground_state(energies, overlaps, interaction, particles)
        assert found.bound < 1e-8
        assert found.singly_occupied == 0


@given(cases, st.sampled_from([0.0, 0.5, 3.0, -0.5]))
@settings(max_examples=40, deadline=None)
def test_paramagnetic_control(case, interaction):
    """No moments: the least energy of all pairs, above the exact ground state."""
    energies, overlaps = case
    _, energy, count = all_energies(energies, overlaps, interaction)
    pairs, number = np.diagonal(energy), np.diagonal(count)
    for particles in range(0, 2 * energies.size + 1, 2):
        found = ground_state(energies, overlaps, interaction, particles, "paramagnetic")
        assert (found.up == found.down).all()
        assert found.singly_occupied == 0
        assert 2 * found.up.sum() == particles
        total = found.energy + sea_energy(energies, overlaps, interaction, particles)
        gap = total - pairs[number == particles].min()
        tolerance = 1e-12 * (1 + np.abs(energy).max())
        assert -tolerance < gap < tolerance
        assert found.bound < 1e-9
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_MOST_BRANCHED", 0)
            rough = ground_state(energies, overlaps, interaction, particles, "paramagnetic")
        assert -tolerance < rough.energy - found.energy <= rough.bound + tolerance
        exact = ground_state(energies, overlaps, interaction, particles)
        assert found.energy >= exact.energy - exact.bound - tolerance


def test_paramagnetic_bound_is_tight_for_weak_repulsion():
    """With own repulsion in the level, nothing is left to decide when states hardly touch."""
    energies, vectors = eigenstates(12, 12.0, seed=4)
    found = ground_state(energies, hubbard_overlaps(vectors), 0.2, 120, "paramagnetic")
    assert found.bound < 1e-9
    assert ground_state(energies, hubbard_overlaps(vectors), 0.2, 120).energy <= found.energy


def test_no_interaction():
    energies = np.array([0.3, -1.0, 0.7, 0.3])
    for particles in range(9):
        found = ground_state(energies, np.ones((4, 4)), 0.0, particles)
        assert abs(found.energy) < 1e-15
        assert found.bound < 1e-9
    assert ground_state(energies, np.zeros((4, 4)), 5.0, 3).energy == 0.0


def test_degenerate_levels():
    found = ground_state(np.zeros(6), np.eye(6), 1.0, 6)
    assert (found.energy, found.singly_occupied) == (-3.0, 6)
    assert found.bound < 1e-9


def test_empty_and_full():
    for particles in (0, 6):
        for method in ("exact", "paramagnetic", "greedy"):
            found = ground_state([0.0, 1.0, 2.0], np.eye(3), 1.0, particles, method)
            assert (found.energy, found.singly_occupied) == (0.0, 0)
            assert found.up.all() == (particles == 6)
        assert ground_state([0.0, 1.0, 2.0], np.eye(3), 1.0, particles).bound == 0.0


def test_far_levels_cost_no_digits():
    """Energies count from the sea: a far away core neither changes nor blurs them."""
    energies, vectors = eigenstates(8, 9.0, seed=3)
    overlaps = hubbard_overlaps(vectors)
    near = ground_state(energies, overlaps, 2.0, 60)
    shifted = ground_state(energies + 1000.0, overlaps, 2.0, 60)
    assert (near.up == shifted.up).all()
    assert abs(near.energy - shifted.energy) < 1e-10


def test_order_of_levels_does_not_matter():
    energies, vectors = eigenstates(8, 9.0, seed=5)
    order = np.random.default_rng(2).permutation(64)
    overlaps = hubbard_overlaps(vectors)
    for method in ("exact", "greedy"):
        found = ground_state(energies, overlaps, 2.0, 61, method)
        mixed = ground_state(energies[order], overlaps[np.ix_(order, order)], 2.0, 61, method)
        assert abs(found.energy - mixed.energy) < 1e-12
        assert found.singly_occupied == mixed.singly_occupied


@given(cases, st.sampled_from([0.5, 3.0, -0.5]), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_searches_stay_above_the_exact_energy(case, interaction, seed):
    energies, overlaps = case
    particles = energies.size
    exact = ground_state(energies, overlaps, interaction, particles)
    greedy = ground_state(energies, overlaps, interaction, particles, "greedy")
    random = ground_state(energies, overlaps, interaction, particles, "monte_carlo", seed=seed, steps=200)
    for found in (greedy, random):
        assert exact.energy - exact.bound - 1e-12 <= found.energy <= 1e-12
        assert found.bound == math.inf
        assert found.up.sum() + found.down.sum() == particles
    again = steepest_descent(energies, overlaps, interaction, greedy.up, greedy.down)
    assert again.accepted == 0


def test_exact_beats_the_searches_on_a_lattice():
    energies, vectors = eigenstates(16, 9.0, seed=2)
    overlaps = hubbard_overlaps(vectors)
    exact = ground_state(energies, overlaps, 3.0, 214)
    assert exact.bound < 1e-3
    greedy = ground_state(energies, overlaps, 3.0, 214, "greedy")
    random = ground_state(energies, overlaps, 3.0, 214, "monte_carlo", seed=1, steps=2000)
    assert exact.energy <= greedy.energy + 1e-12
    assert greedy.energy < random.energy < 0.0
    assert exact.singly_occupied == exact.up.sum() - exact.down.sum() > 0


def test_integer_input_and_copies():
    overlaps = np.eye(3)
    before = overlaps.copy()
    found = ground_state([0, 1, 2], overlaps.tolist(), 1, np.int64(3))
    assert found.energy == ground_state(np.arange(3.0), overlaps, 1.0, 3).energy
    assert (overlaps == before).all()
    for value in (found.energy, found.bound, found.chemical_potential):
        assert type(value) is float
    assert type(found.singly_occupied) is int


@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.floats(-99, 99),
    st.floats(-99, 99),
    st.booleans(),
    st.sampled_from(["exact", "paramagnetic", "greedy"]),
)
@settings(max_examples=40, deadline=None)
def test_extreme_scales(seed, states, level_power, strength_power, attractive, method):
    energies, overlaps = problem(seed, states, "any")
    strength = (-1.0 if attractive else 1.0) * 10.0**strength_power
    for particles in range(0, 2 * states + 1, 2):
        found = ground_state(energies * 10.0**level_power, overlaps, strength, particles, method)
        assert math.isfinite(found.energy)
        assert found.energy <= 1e-9 * (10.0**level_power + abs(strength))
        assert math.isfinite(found.bound) == (method != "greedy")


GOOD = {
    "energies": [0.0, 1.0, 2.0],
    "overlaps": np.eye(3),
    "interaction": 1.0,
    "particles": 2,
    "method": "exact",
    "seed": None,
    "steps": None,
}


@pytest.mark.parametrize(
    ("name", "bad", "also"),
    [
        ("energies", [0.0, 1.0, math.nan], {}),
        ("overlaps", -np.eye(3), {}),
        ("overlaps", np.array([[1.0, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), {}),
        ("overlaps", np.eye(4), {}),
        ("interaction", math.nan, {}),
        ("interaction", None, {}),
        ("particles", -1, {}),
        ("particles", 7, {}),
        ("particles", 2.0, {}),
        ("particles", True, {}),
        ("particles", 3, {"method": "paramagnetic"}),
        ("method", "simulated annealing", {}),
        ("method", None, {}),
        ("seed", None, {"method": "monte_carlo"}),
        ("seed", -1, {"method": "monte_carlo"}),
        ("seed", 1.5, {"method": "exact"}),
        ("steps", -1, {"method": "monte_carlo", "seed": 1}),
        ("steps", 1e5, {"method": "monte_carlo", "seed": 1}),
        ("steps", 10, {"method": "greedy"}),
    ],
)
def test_bad_input(name, bad, also):
    with pytest.raises((TypeError, ValueError), match=name):
        ground_state(**{**GOOD, **also, name: bad})
