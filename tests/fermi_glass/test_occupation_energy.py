"""Energies of occupation patterns against exact expectation values in Fock space and against differences."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    addition_energy,
    first_order_energy,
    occupation_stability,
    pair_addition_energy,
)

SPINS = ("up", "down")
FUNCTIONS = (first_order_energy, addition_energy, pair_addition_energy, occupation_stability)


def annihilators(modes):
    """Jordan-Wigner matrices of `modes` fermions."""
    sign, lower, one = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [0.0, 0.0]]), np.eye(2)
    return [reduce(np.kron, [sign] * mode + [lower] + [one] * (modes - mode - 1)) for mode in range(modes)]


def symmetric(rng, count, low=-1.0, high=1.0):
    matrix = rng.uniform(low, high, (count, count))
    return (matrix + matrix.T) / 2


def problem(seed, count=5, *, general=False):
    """Random energies, overlaps of random orthonormal orbitals, a pattern, and equal-spin interactions."""
    rng = np.random.default_rng(seed)
    orbitals = np.linalg.qr(rng.normal(size=(count + 2, count)))[0]
    equal = symmetric(rng, count)
    np.fill_diagonal(equal, 0.0)
    arguments = {
        "energies": np.sort(rng.normal(size=count)),
        "overlaps": (orbitals**2).T @ orbitals**2,
        "interaction": float(rng.uniform(0.0, 4.0)),
        "up": rng.random(count) < 0.5,
        "down": rng.random(count) < 0.5,
    }
    return arguments | ({"equal_spin": equal} if general else {})


def energy_of(arguments, occupied):
    return first_order_energy(**{**arguments, "up": occupied[0], "down": occupied[1]})


def moved(arguments, added=(), removed=()):
    """Change of the energy when particles are added and removed, by two calls for the whole energy."""
    before = np.array([arguments["up"], arguments["down"]])
    after = before.copy()
    for state, spin in removed:
        assert after[spin, state]
        after[spin, state] = False
    for state, spin in added:
        assert not after[spin, state]
        after[spin, state] = True
    return energy_of(arguments, after) - energy_of(arguments, before)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_energy_is_the_expectation_value_in_fock_space(seed):
    sites = 3
    rng = np.random.default_rng(seed)
    orbitals = np.linalg.qr(rng.normal(size=(sites, sites)))[0]
    matrix, equal, opposite = symmetric(rng, sites), symmetric(rng, sites), symmetric(rng, sites)
    c = np.array(annihilators(2 * sites)).reshape(2, sites, 4**sites, 4**sites)
    density = np.einsum("siba,sibc->siac", c, c)
    hamiltonian = sum(matrix[i, j] * c[s, i].T @ c[s, j] for s in (0, 1) for i in range(3) for j in range(3))
    for s in (0, 1):
        for r in (0, 1):
            strength = equal if s == r else opposite
            for i in range(sites):
                for j in range(sites):
                    hamiltonian = hamiltonian + strength[i, j] / 2 * density[s, i] @ density[r, j]
    occupied = rng.random((2, sites)) < 0.6
    state = np.zeros(4**sites)
    state[0] = 1.0
    for s, a in np.argwhere(occupied):
        state = np.einsum("i,iba->ab", orbitals[:, a], c[s]) @ state
    # U_aacc and U_acca by the definition, four factors under a double sum.
    direct = np.einsum("ij,ia,jc->ac", opposite, orbitals**2, orbitals**2)
    same = np.einsum("ij,ia,jc->ac", equal, orbitals**2, orbitals**2)
    same -= np.einsum("ij,ia,ic,jc,ja->ac", equal, *[orbitals] * 4)
    # The double sum over sites contains n_i n_i = n_i: a one-body term, no interaction of two particles.
    contact = sum(equal[i, i] / 2 * (state @ density[s, i] @ state) for s in (0, 1) for i in range(sites))
    # Orbitals are arbitrary, not eigenstates: the energies are expectation values, as in Eq. (14).
    energies = np.einsum("ia,ij,ja->a", orbitals, matrix, orbitals)
    computed = first_order_energy(energies, direct, 1.0, *occupied, equal_spin=same)
    assert np.isclose(computed + contact, state @ hamiltonian @ state, rtol=1e-12, atol=1e-12)


def test_on_site_interaction_couples_opposite_spins_alone():
    rng = np.random.default_rng(3)
    orbitals = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    direct = np.einsum("ij,ia,jc->ac", np.eye(6), orbitals**2, orbitals**2)
    exchange = np.einsum("ij,ia,ic,jc,ja->ac", np.eye(6), *[orbitals] * 4)
    assert np.allclose(direct, exchange, atol=1e-15)
    up, down = rng.random((2, 6)) < 0.5
    energies = rng.normal(size=6)
    expected = energies @ up.astype(float) + energies @ down + 1.7 * np.einsum("a,ac,c", up, direct, down)
    assert np.isclose(first_order_energy(energies, direct, 1.7, up, down), expected, rtol=1e-13)
    assert first_order_energy(energies, direct, 1.7, up, ~up & False) == pytest.approx(energies[up].sum())


@given(seed=st.integers(0, 2**32 - 1), general=st.booleans())
@settings(max_examples=30, deadline=None)
def test_addition_and_removal_are_differences_of_energies(seed, general):
    arguments = problem(seed, general=general)
    fields = addition_energy(**arguments)
    for spin, name in enumerate(SPINS):
        for state in range(5):
            if arguments[name][state]:
                change = -moved(arguments, removed=[(state, spin)])
            else:
                change = moved(arguments, added=[(state, spin)])
            assert np.isclose(fields[spin, state], change, atol=1e-12)


def test_partner_in_the_same_state_raises_the_addition_energy():
    arguments = problem(8)
    arguments["up"][2], arguments["down"][2] = True, False
    alone = addition_energy(**arguments)[0, 2]
    arguments["down"][2] = True
    own = arguments["interaction"] * arguments["overlaps"][2, 2]
    assert np.isclose(addition_energy(**arguments)[0, 2] - alone, own, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1), general=st.booleans())
@settings(max_examples=30, deadline=None)
def test_pairs_are_differences_of_energies(seed, general):
    arguments = problem(seed, general=general)
    for name, first, second in (("opposite", 0, 1), ("up", 0, 0), ("down", 1, 1)):
        pairs = pair_addition_energy(**arguments, spins=name)
        for a in range(5):
            for b in range(5):
                if first == second and a == b:
                    assert pairs[a, b] == np.inf
                elif not arguments[SPINS[first]][a] and not arguments[SPINS[second]][b]:
                    change = moved(arguments, added=[(a, first), (b, second)])
                    assert np.isclose(pairs[a, b], change, atol=1e-12)


def test_two_particles_in_one_empty_state():
    pattern = ([-0.3], [[0.2]], 1.5, [False], [False])
    assert np.isclose(pair_addition_energy(*pattern)[0, 0], 2 * -0.3 + 1.5 * 0.2, rtol=1e-14)


@given(seed=st.integers(0, 2**32 - 1), general=st.booleans(), mu=st.floats(-2.0, 2.0))
@settings(max_examples=40, deadline=None)
def test_stability_against_every_move(seed, general, mu):
    arguments = problem(seed, count=4, general=general)
    arguments["interaction"] *= 1 if seed % 2 else -1
    orbitals = [(state, spin) for state in range(4) for spin in (0, 1)]
    empty = [(state, spin) for state, spin in orbitals if not arguments[SPINS[spin]][state]]
    full = [orbital for orbital in orbitals if orbital not in empty]
    pairs = {
        name: [(x, y) for i, x in enumerate(group) for y in group[:i]]
        for name, group in (("empty", empty), ("full", full))
    }
    moves = {
        "addition": [moved(arguments, added=[x]) - mu for x in empty],
        "removal": [moved(arguments, removed=[x]) + mu for x in full],
        "pair_addition": [moved(arguments, added=xy) - 2 * mu for xy in pairs["empty"]],
        "pair_removal": [moved(arguments, removed=xy) + 2 * mu for xy in pairs["full"]],
        "transfer": [moved(arguments, added=[x], removed=[y]) for x in empty for y in full],
    }
    report = occupation_stability(**arguments, chemical_potential=mu)
    for name, changes in moves.items():
        found = getattr(report, name)
        if not changes:
            assert found is None
            continue
        assert np.isclose(found.energy, min(changes), atol=1e-12)
        added, removed = ([(a, SPINS.index(s)) for a, s in side] for side in (found.added, found.removed))
        shift = mu * (len(added) - len(removed))
        assert np.isclose(moved(arguments, added=added, removed=removed) - shift, found.energy, atol=1e-12)
    margin = min((min(c) for c in moves.values() if c), default=0.0)
    if abs(margin) > 1e-10:
        assert report.grand_canonical == (margin > 0)
    if moves["transfer"] and abs(min(moves["transfer"])) > 1e-10:
        assert report.canonical == (min(moves["transfer"]) > 0)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_pairs_add_nothing_for_repulsion(seed):
    arguments = problem(seed)
    report = occupation_stability(**arguments)
    if report.addition is None or report.addition.energy >= 0:
        assert report.pair_addition is None or report.pair_addition.energy >= 0
    if report.removal is None or report.removal.energy >= 0:
        assert report.pair_removal is None or report.pair_removal.energy >= 0


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_transfers_add_nothing_for_attraction(seed):
    arguments = problem(seed)
    arguments["interaction"] *= -1
    report = occupation_stability(**arguments)
    singles = [move for move in (report.addition, report.removal) if move is not None]
    if report.transfer is not None and all(move.energy >= 0 for move in singles):
        assert report.transfer.energy >= 0


def test_self_consistent_levels_are_addition_energies():
    """Koopmans: the levels of a self-consistent Hartree-Fock solution are E_1, and their sum counts twice."""
    rng = np.random.default_rng(5)
    sites, strength, filled = 8, 1.3, 3
    matrix = np.diag(rng.uniform(-4, 4, sites)) - np.eye(sites, k=1) - np.eye(sites, k=-1)
    density = np.full(sites, filled / sites)
    for _ in range(400):
        levels, orbitals = np.linalg.eigh(matrix + np.diag(strength * density))
        density = 0.5 * density + 0.5 * (orbitals[:, :filled] ** 2).sum(axis=1)
    energies = np.einsum("ia,ij,ja->a", orbitals, matrix, orbitals)
    overlaps = (orbitals**2).T @ orbitals**2
    occupied = np.arange(sites) < filled
    fields = addition_energy(energies, overlaps, strength, occupied, occupied)
    assert np.allclose(fields, levels, atol=1e-12)
    total = first_order_energy(energies, overlaps, strength, occupied, occupied)
    double = strength * (density**2).sum()
    assert np.isclose(total, 2 * levels[:filled].sum() - double, atol=1e-11)
    # A determinant of the same orbitals is a stationary value of the whole energy: rotations change nothing.
    for a in range(filled):
        for b in range(filled, sites):
            assert abs(orbitals[:, a] @ (matrix + np.diag(strength * density)) @ orbitals[:, b]) < 1e-12


@pytest.mark.parametrize("levels", [6, 20])
def test_extended_states_turn_magnetic_at_the_stoner_point(levels):
    spacing, volume = 0.37, levels
    energies = spacing * np.arange(levels)
    overlaps = np.full((levels, levels), 1 / volume)
    sea = np.arange(levels) < levels // 2
    per_spin = 1 / (volume * spacing)  # N(0)
    for product, stable in ((0.99, True), (1.01, False), (1.99, False)):
        report = occupation_stability(energies, overlaps, product / per_spin, sea, sea)
        assert report.canonical is stable
        assert np.isclose(report.transfer.energy, spacing - product / per_spin / volume, rtol=1e-10)
    # At U N(0) = 1 all moments have the same energy: kinetic cost m^2 d, gain U m^2/V.
    reference = first_order_energy(energies, overlaps, 1 / per_spin, sea, sea)
    for m in range(1, levels // 2 + 1):
        up, down = np.arange(levels) < levels // 2 + m, np.arange(levels) < levels // 2 - m
        assert np.isclose(first_order_energy(energies, overlaps, 1 / per_spin, up, down), reference)


def test_empty_and_full_patterns():
    energies, overlaps = [0.5, 1.0], [[0.6, 0.4], [0.4, 0.6]]
    nobody = occupation_stability(energies, overlaps, 1.0, [False] * 2, [False] * 2)
    assert nobody.removal is None
    assert nobody.pair_removal is None
    assert nobody.transfer is None
    assert nobody.grand_canonical
    assert nobody.canonical
    everybody = occupation_stability(energies, overlaps, 1.0, [True] * 2, [True] * 2)
    assert everybody.addition is None
    assert everybody.removal.energy == -2.0
    assert not everybody.grand_canonical
    assert everybody.canonical


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"energies": [0.0, np.nan]}, "energies"),
        ({"energies": [0.0, np.inf]}, "energies"),
        ({"energies": [[0.0, 1.0]]}, "energies"),
        ({"energies": ["a", "b"]}, "energies"),
        ({"energies": None}, "energies"),
        ({"energies": [0.0]}, "overlaps"),
        ({"overlaps": [[1.0, 0.0]]}, "overlaps"),
        ({"overlaps": [[1.0, 0.2], [0.3, 1.0]]}, "symmetric"),
        ({"overlaps": [[1.0, np.nan], [np.nan, 1.0]]}, "overlaps"),
        ({"overlaps": 1.0}, "overlaps"),
        ({"interaction": np.nan}, "interaction"),
        ({"interaction": [1.0]}, "interaction"),
        ({"interaction": "1"}, "interaction"),
        ({"interaction": True}, "interaction"),
        ({"interaction": 1j}, "interaction"),
        ({"up": [True]}, "up"),
        ({"up": [0.5, 1.0]}, "up"),
        ({"up": [np.nan, 1.0]}, "up"),
        ({"up": None}, "up"),
        ({"up": ["x", "y"]}, "up"),
        ({"down": [2, 0]}, "down"),
        ({"down": [-1, 0]}, "down"),
        ({"down": [[True, False]]}, "down"),
        ({"equal_spin": [[0.0, 1.0], [2.0, 0.0]]}, "equal_spin"),
        ({"equal_spin": [[1.0, 0.0], [0.0, 1.0]]}, "diagonal"),
        ({"equal_spin": np.zeros((3, 3))}, "equal_spin"),
        ({"equal_spin": [[0.0, np.inf], [np.inf, 0.0]]}, "equal_spin"),
        ({"interaction": 1e308, "overlaps": [[9.0, 9.0], [9.0, 9.0]]}, "finite"),
        ({"energies": [1.7e308, 1.7e308], "interaction": 1.7e308}, "finite"),
    ],
)
def test_bad_input(function, change, match):
    good = {
        "energies": [0.0, 1.0],
        "overlaps": [[1.0, 1.0], [1.0, 1.0]],
        "interaction": 1.0,
        "up": [True, False],
        "down": [1, 0],
    }
    function(**good)
    with pytest.raises((TypeError, ValueError), match=match):
        function(**{**good, **change})


@pytest.mark.parametrize("bad", ["both", None, 1, ["up"]])
def test_bad_spins(bad):
    with pytest.raises(ValueError, match="spins"):
        pair_addition_energy([0.0], [[1.0]], 1.0, [True], [True], spins=bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "0", None, True])
def test_bad_chemical_potential(bad):
    with pytest.raises((TypeError, ValueError), match="chemical_potential"):
        occupation_stability([0.0], [[1.0]], 1.0, [True], [True], chemical_potential=bad)


def test_no_states():
    assert first_order_energy([], np.zeros((0, 0)), 1.0, [], []) == 0.0
    assert addition_energy([], np.zeros((0, 0)), 1.0, [], []).shape == (2, 0)
    report = occupation_stability([], np.zeros((0, 0)), 1.0, [], [])
    assert report.transfer is None
