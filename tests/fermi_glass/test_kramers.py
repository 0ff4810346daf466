"""Kramers pairs: degeneracy from time reversal alone, forward scattering inside a pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    forward_scattering,
    hamiltonian,
    kramers_forward_scattering,
    spin_orbit_eigenstates,
)


def splitting(energies):
    return np.abs(energies[::2] - energies[1::2]).max()


@given(st.floats(0, 12), st.floats(-2, 2), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_pairs_without_inversion(disorder, spin_orbit, seed):
    energies, states = spin_orbit_eigenstates(4, disorder, spin_orbit, seed=seed)
    assert splitting(energies) < 1e-12
    np.testing.assert_allclose(states.conj().T @ states, np.eye(32), atol=1e-12)


def test_inversion_is_broken_and_the_coupling_splits_bands():
    """Without disorder: E = eps(k) -+ 2 lambda |(sin kx, sin ky)|, paired only between k and -k."""
    size, coupling = 5, 0.7
    energies, _ = spin_orbit_eigenstates(size, 0.0, coupling, seed=0)
    k = 2 * np.pi * np.arange(size) / size
    kx, ky = np.meshgrid(k, k)
    band = -2 * (np.cos(kx) + np.cos(ky)) - 4 * 0.6 * np.cos(kx) * np.cos(ky)
    split = 2 * coupling * np.hypot(np.sin(kx), np.sin(ky))
    np.testing.assert_allclose(
        energies, np.sort(np.concatenate((band + split, band - split)).ravel()), atol=1e-12
    )


def test_hamiltonian_bond_by_bond():
    """Site energies, hopping and i lambda (sigma_y along x, -sigma_x along y), with every phase."""
    size, coupling = 3, 0.4
    energies, states = spin_orbit_eigenstates(size, 5.0, coupling, zeeman=0.3, seed=6)
    volume = size**2
    sigma_x, sigma_y, sigma_z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
    h = np.kron(0.3 * sigma_z, np.eye(volume)) + np.kron(np.eye(2), hamiltonian(size, 5.0, seed=6).toarray())
    for site in range(volume):
        x, y = divmod(site, size)
        for other, matrix in (((x + 1) % size * size + y, sigma_y), (x * size + (y + 1) % size, -sigma_x)):
            # Operator that moves a particle from `site` to `other`, and its adjoint.
            move = np.zeros((volume, volume))
            move[other, site] = 1
            term = np.kron(1j * coupling * matrix, move)
            h = h + term + term.conj().T
    np.testing.assert_allclose(h @ states, states * energies, atol=1e-12)


def test_zeeman_field_splits_the_pairs():
    for spin_orbit in (0.0, 0.5):
        energies, _ = spin_orbit_eigenstates(4, 6.0, spin_orbit, zeeman=0.05, seed=3)
        assert splitting(energies) > 0.01
    energies, _ = spin_orbit_eigenstates(4, 6.0, 0.0, zeeman=0.05, seed=3)
    bare, _ = eigenstates(4, 6.0, seed=3)
    np.testing.assert_allclose(energies, np.sort(np.concatenate((bare - 0.05, bare + 0.05))), atol=1e-12)


def test_forward_scattering_is_the_energy_of_the_pair():
    """Expectation of U n_up n_down in the determinant of the two states that the eigensolver returns."""
    _, states = spin_orbit_eigenstates(4, 6.0, 0.8, seed=7)
    f = kramers_forward_scattering(states, 1.7)
    first, second = states[:, ::2], states[:, 1::2]
    determinant = first[:16] * second[16:] - first[16:] * second[:16]
    expected = 1.7 * (np.abs(determinant) ** 2).sum(axis=0)
    np.testing.assert_allclose(f[::2], expected, rtol=1e-10)
    np.testing.assert_allclose(f[1::2], expected, rtol=1e-10)


def test_partner_is_an_eigenstate_and_orthogonal():
    _, states = spin_orbit_eigenstates(3, 5.0, 0.6, seed=1)
    partner = np.concatenate((states[9:].conj(), -states[:9].conj()))
    overlap = np.abs(states.conj().T @ partner)
    for a in range(0, 18, 2):
        assert overlap[a, a] == pytest.approx(0, abs=1e-12)
        assert np.hypot(overlap[a, a], overlap[a + 1, a]) == pytest.approx(1, abs=1e-10)


def test_without_spin_orbit_it_is_the_usual_one():
    energies, states = eigenstates(4, 7.0, seed=2)
    pairs, spinors = spin_orbit_eigenstates(4, 7.0, 0.0, seed=2)
    np.testing.assert_allclose(pairs[::2], energies, atol=1e-12)
    np.testing.assert_allclose(
        kramers_forward_scattering(spinors, 2.0)[::2], forward_scattering(states, 2.0), rtol=1e-9
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, "1", None, 1j, True])
def test_bad_numbers(bad):
    for name in ("size", "disorder", "spin_orbit", "zeeman", "hopping", "diagonal_hopping"):
        call = {"size": 3, "disorder": 1.0, "spin_orbit": 0.5, "seed": 1, name: bad}
        with pytest.raises((TypeError, ValueError), match=name):
            spin_orbit_eigenstates(**call)
    with pytest.raises((TypeError, ValueError), match="states"):
        kramers_forward_scattering(bad, 1.0)
    with pytest.raises((TypeError, ValueError), match="interaction"):
        kramers_forward_scattering([[1.0], [0.0]], bad)


def test_bad_shapes_and_ranges():
    for call, match in (
        (lambda: spin_orbit_eigenstates(2, 1.0, 0.5, seed=1), "size"),
        (lambda: spin_orbit_eigenstates(33, 1.0, 0.5, seed=1), "size"),
        (lambda: spin_orbit_eigenstates(3, -1.0, 0.5, seed=1), "disorder"),
        (lambda: kramers_forward_scattering(np.ones((3, 1)), 1.0), "states"),
        (lambda: kramers_forward_scattering(np.ones((2, 1)), 1.0), "normalized"),
        (lambda: kramers_forward_scattering([[np.nan], [1.0]], 1.0), "normalized"),
        (lambda: kramers_forward_scattering([[1.0], [1.0, 2.0]], 1.0), "states"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
