"""Landau functional: exactness, Fock space, interactions of finite range, forward scattering."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from disorder.fermi_glass import (
    eigenstates,
    forward_scattering,
    hubbard_overlaps,
    landau_energy,
    landau_functional,
    landau_interaction,
    participation_length,
    short_range_interaction,
)

seeds = st.integers(0, 2**31)


def first_order_energy(xi, states, u_opposite, u_same, up, down):
    """Expectation value with densities and density matrices of the sites, written without matrix elements."""
    p_up, p_down = (states[:, n == 1] @ states[:, n == 1].T for n in (up, down))
    hartree = np.diag(p_up) @ u_opposite @ np.diag(p_down)
    fock = sum((np.diag(p) @ u_same @ np.diag(p) - (u_same * p * p).sum()) / 2 for p in (p_up, p_down))
    return xi @ (up + down) + hartree + fock


def random_problem(seed, states=7):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(states, states)))[0]
    u_opposite, u_same = (m + m.T for m in rng.normal(size=(2, states, states)))
    xi = rng.normal(size=states)
    occupations = rng.integers(0, 2, size=(4, states))
    return xi, basis, u_opposite, u_same, occupations


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_functional_equals_the_difference_of_first_order_energies(seed):
    xi, basis, u_opposite, u_same, (up, down, new_up, new_down) = random_problem(seed)
    f_opposite, f_same = landau_interaction(basis, u_opposite, u_same)
    functional = landau_functional(xi, f_opposite, up, down, same=f_same)
    expected = first_order_energy(xi, basis, u_opposite, u_same, new_up, new_down) - first_order_energy(
        xi, basis, u_opposite, u_same, up, down
    )
    assert landau_energy(functional, new_up - up, new_down - down) == pytest.approx(expected, abs=1e-10)


def fock_operators(orbitals):
    """Annihilators of `orbitals` modes as dense matrices (Jordan and Wigner)."""
    lower, sign, one = np.array([[0, 1], [0, 0]]), np.diag([1, -1]), np.eye(2)
    operators = []
    for mode in range(orbitals):
        matrix = np.eye(1)
        for place in range(orbitals):
            matrix = np.kron(matrix, sign if place < mode else lower if place == mode else one)
        operators.append(matrix)
    return operators


def test_functional_is_the_expectation_of_the_hamiltonian_in_fock_space():
    rng = np.random.default_rng(3)
    sites = 4
    basis = np.linalg.qr(rng.normal(size=(sites, sites)))[0]
    xi = rng.normal(size=sites)
    u_opposite, u_same = (m + m.T for m in rng.normal(size=(2, sites, sites)))
    c = fock_operators(2 * sites)
    number = [a.T @ a for a in c]
    # Modes: spin up on the sites, then spin down; H_0 from its eigenstates, H' site by site.
    h0 = basis @ np.diag(xi) @ basis.T
    h = sum(h0[i, j] * c[s + i].T @ c[s + j] for i in range(sites) for j in range(sites) for s in (0, sites))
    h = h + sum(u_opposite[i, j] * number[i] @ number[sites + j] for i in range(sites) for j in range(sites))
    h = h + sum(
        u_same[i, j] * number[s + i] @ number[s + j]
        for i, j in combinations(range(sites), 2)
        for s in (0, sites)
    )
    create = [sum(basis[i, a] * c[s + i].T for i in range(sites)) for s in (0, sites) for a in range(sites)]

    def expectation(occupied):
        vector = np.zeros(4**sites)
        vector[0] = 1.0
        for mode in np.flatnonzero(occupied):
            vector = create[mode] @ vector
        return vector @ h @ vector

    f_opposite, f_same = landau_interaction(basis, u_opposite, u_same)
    up, down = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    functional = landau_functional(xi, f_opposite, up, down, same=f_same)
    reference = expectation(np.concatenate((up, down)))
    for change in product((0, 1), repeat=2 * sites):
        new_up, new_down = np.array(change[:sites]), np.array(change[sites:])
        expected = expectation(np.array(change)) - reference
        assert landau_energy(functional, new_up - up, new_down - down) == pytest.approx(expected, abs=1e-10)


def test_on_site_interaction_of_equal_spins_drops_out():
    _, states = eigenstates(4, 3.0, seed=2)
    _, without = landau_interaction(states, 1.0, short_range_interaction(4, 0.0, nearest=0.7))
    _, with_it = landau_interaction(states, 1.0, short_range_interaction(4, 5.0, nearest=0.7))
    np.testing.assert_allclose(with_it, without, atol=1e-13)
    assert not landau_interaction(states, 1.0, 5.0)[1].any()


def test_interaction_by_brute_force_and_for_every_kind_of_matrix():
    _, states = eigenstates(3, 4.0, seed=5)
    u = sparse.csr_array(short_range_interaction(3, 2.0, nearest=-0.4, diagonal=0.3))
    w, dense = states**2, u.toarray()
    direct = np.einsum("ij,ia,jc->ac", dense, w, w)
    exchange = np.einsum("ij,ia,ic,ja,jc->ac", dense, states, states, states, states)
    for matrix in (u, dense, sparse.coo_array(u)):
        opposite, same = landau_interaction(states, matrix, matrix)
        np.testing.assert_allclose(opposite, direct, atol=1e-13)
        np.testing.assert_allclose(same, direct - exchange, atol=1e-13)
    np.testing.assert_allclose(forward_scattering(states, u), direct.diagonal(), atol=1e-13)


def test_on_site_interaction_is_the_overlap():
    _, states = eigenstates(5, 6.0, seed=1)
    np.testing.assert_allclose(landau_interaction(states, 2.5)[0], 2.5 * hubbard_overlaps(states), atol=1e-14)
    np.testing.assert_allclose(
        forward_scattering(states, 2.5), 2.5 / participation_length(states) ** 2, rtol=1e-12
    )


@given(seeds, st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_sum_rule(seed, on_site, nearest, next_nearest):
    """Completeness: the sum over all partners is the integrated interaction, localized or not."""
    _, states = eigenstates(4, 5.0, seed=seed)
    u = short_range_interaction(4, on_site, nearest=nearest, diagonal=next_nearest)
    total = on_site + 4 * nearest + 4 * next_nearest
    opposite, same = landau_interaction(states, u, u)
    np.testing.assert_allclose(opposite.sum(axis=1), total, atol=1e-11)
    # Exchange: sum_c phi_c(i) phi_c(j) = delta_ij leaves the on-site part, which drops out with it.
    np.testing.assert_allclose(same.sum(axis=1), total - on_site, atol=1e-11)
    assert np.abs(opposite - opposite.T).max() == 0


def test_window_of_quasiparticle_energies():
    """Single occupation wins for 0 < xi < f from a full, and for -f < xi < 0 from an empty state."""
    f = 2.0
    for energy in np.linspace(-3.0, 1.0, 41) + 1e-3:
        best = int(np.argmin([0.0, energy, 2 * energy + f]))
        empty = landau_functional([energy], [[f]], [0], [0])
        full = landau_functional([energy], [[f]], [1], [1])
        assert empty.quasiparticle_energies[0, 0] == energy
        assert full.quasiparticle_energies[0, 0] == pytest.approx(energy + f)
        assert (best == 1) == (-f < empty.quasiparticle_energies[0, 0] < 0)
        assert (best == 1) == (0 < full.quasiparticle_energies[1, 0] < f)
        assert landau_energy(full, [-1], [-1]) == pytest.approx(-(2 * energy + f))
        assert landau_energy(full, [-1], [0]) == pytest.approx(-(energy + f))


def test_quasiparticle_energies_depend_on_spin_in_a_magnetic_reference():
    k = np.array([[0.5, 0.1], [0.1, 0.3]])
    functional = landau_functional([0.0, 1.0], k, [1, 0], [0, 0])
    np.testing.assert_allclose(functional.quasiparticle_energies, [[0.0, 1.0], [0.5, 1.1]])


def test_forward_scattering_of_extended_and_localized_states():
    """U/V times 1 for plane waves, 3 for random real states; no V at all for a state on one site."""
    rng = np.random.default_rng(0)
    for volume in (200, 400):
        random = np.linalg.qr(rng.normal(size=(volume, volume)))[0]
        value = volume * forward_scattering(random, 1.0)
        # Var of the mean of phi^4 over a random basis: 96/V per state for independent components.
        assert abs(value.mean() - 3 * volume / (volume + 2)) < 5 * np.sqrt(96) / volume
        wave = np.full((volume, 1), volume**-0.5)
        assert volume * forward_scattering(wave, 1.0)[0] == pytest.approx(1)
        assert forward_scattering(np.eye(volume)[:, :2], 1.0) == pytest.approx([1, 1])


def test_range_of_the_interaction_matters_for_small_states_only():
    """An extended state feels the integrated interaction, a state on one site only U_ii."""
    size = 12
    u = short_range_interaction(size, 1.0, nearest=-0.5)
    wave = np.full((size**2, 1), 1 / size)
    assert forward_scattering(wave, u)[0] == pytest.approx(-1 / size**2)
    assert forward_scattering(np.eye(size**2)[:, :1], u)[0] == pytest.approx(1)


BAD_NUMBERS = (np.nan, np.inf, "1", None, 1j, True, [[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_bad_numbers(bad):
    f = np.array([[1.0, 0.2], [0.2, 1.0]])
    with pytest.raises((TypeError, ValueError), match="opposite"):
        landau_interaction(np.eye(2), bad)
    with pytest.raises((TypeError, ValueError), match="same"):
        landau_interaction(np.eye(2), 1.0, bad)
    with pytest.raises((TypeError, ValueError), match="interaction"):
        forward_scattering(np.eye(2), bad)
    for function in (lambda s: landau_interaction(s, 1.0), lambda s: forward_scattering(s, 1.0)):
        with pytest.raises((TypeError, ValueError), match="states"):
            function([[bad]])
    for position, name in enumerate(("energies", "opposite", "up", "down")):
        arguments = [[0.0, 1.0], f, [1, 0], [0, 1]]
        arguments[position] = bad
        with pytest.raises((TypeError, ValueError), match=name):
            landau_functional(*arguments)
    with pytest.raises((TypeError, ValueError), match="functional"):
        landau_energy(bad, [0], [0])
    with pytest.raises((TypeError, ValueError), match="change_up"):
        landau_energy(landau_functional([0.0], [[1.0]], [0], [0]), [bad] if bad is not True else True, [0])


def test_bad_shapes_and_values():
    f = np.array([[1.0, 0.2], [0.2, 1.0]])
    functional = landau_functional([0.0, 1.0], f, [1, 0], [0, 0])
    for call, match in (
        (lambda: landau_interaction(np.ones((2, 3)), 1.0), "states"),
        (lambda: landau_interaction(2 * np.eye(2), 1.0), "normalized"),
        (lambda: landau_interaction(np.eye(2), np.ones((3, 3))), "opposite"),
        (lambda: landau_interaction(np.eye(2), [[0.0, 1.0], [0.0, 0.0]]), "symmetric"),
        (lambda: forward_scattering(np.eye(2), sparse.csr_array([[0.0, 1.0], [0.0, 0.0]])), "symmetric"),
        (lambda: landau_functional([0.0], f, [1], [1]), "opposite"),
        (lambda: landau_functional([0.0, 1.0], [[1.0, 0.0], [0.5, 1.0]], [1, 0], [0, 0]), "symmetric"),
        (lambda: landau_functional([0.0, 1.0], f, [1], [0, 0]), "up"),
        (lambda: landau_functional([0.0, 1.0], f, [1, 0.5], [0, 0]), "up"),
        (lambda: landau_functional([0.0, 1.0], f, [1, 0], [0, 2]), "down"),
        (lambda: landau_functional([0.0, 1.0], f, [1, 0], [0, 0], same=f), "same"),
        (lambda: landau_energy(functional, [1, 0], [0, 0]), "change_up"),
        (lambda: landau_energy(functional, [0, 0], [-1, 0]), "change_down"),
        (lambda: landau_energy(functional, [0, 0, 0], [0, 0]), "change_up"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
