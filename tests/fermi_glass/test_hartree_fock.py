"""Restricted and unrestricted Hartree-Fock theory: closed forms, convexity, variational inequalities."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import brentq, minimize

from disorder.fermi_glass import (
    ground_state,
    hamiltonian,
    hubbard_overlaps,
    restricted_hartree_fock,
    unrestricted_hartree_fock,
)
from disorder.fermi_glass.hartree_fock import difference_quotient, fermi_occupations, pair_matrix

DIMER = np.array([[0.0, -1.0], [-1.0, 0.0]])
SETTINGS = settings(max_examples=12, deadline=None)


def cluster(seed, size=4, disorder=9.0):
    return hamiltonian(size, disorder, seed=seed).toarray()


def free_energy(density_matrix, h, u, temperature):
    """2 Tr h rho + U sum n^2 - 2 T S, written out with the eigenvalues of rho."""
    f = np.clip(np.linalg.eigvalsh(density_matrix), 1e-300, 1 - 1e-16)
    entropy = -(f * np.log(f) + (1 - f) * np.log1p(-f)).sum()
    n = density_matrix.diagonal()
    return 2 * np.sum(h * density_matrix) + u * (n @ n) - 2 * temperature * entropy


def rho(state):
    return state.states_up * state.occupations_up @ state.states_up.T


# ------------------------------------------------------------------ closed forms


@pytest.mark.parametrize("u", [0.0, 0.7, 3.0])
def test_dimer_restricted(u):
    state = restricted_hartree_fock(DIMER, u, particles=2)
    assert state.energy == pytest.approx(-2 + u / 2, abs=1e-12)
    assert state.gap == pytest.approx(2, abs=1e-12)
    assert state.chemical_potential == pytest.approx(u / 2, abs=1e-12)


@pytest.mark.parametrize("u", [2.1, 4.0, 9.0])
def test_dimer_unrestricted(u):
    """Moments sqrt(1 - (2t/U)^2) and energy -2 t^2/U beyond U = 2t."""
    state = unrestricted_hartree_fock(DIMER, u, [0.9, 0.1], [0.1, 0.9], particles=2)
    assert state.energy == pytest.approx(-2 / u, abs=1e-12)
    assert abs(state.magnetization[0]) == pytest.approx(math.sqrt(1 - 4 / u**2), abs=1e-8)


def test_dimer_below_the_threshold():
    state = unrestricted_hartree_fock(DIMER, 1.6, [0.9, 0.1], [0.1, 0.9], particles=2)
    assert np.abs(state.magnetization).max() < 1e-8
    assert state.energy == pytest.approx(-2 + 0.8, abs=1e-12)


@given(st.floats(-2, 1), st.floats(0.1, 3), st.floats(0.05, 2))
@SETTINGS
def test_single_site_at_a_temperature(xi, u, temperature):
    """n = f(xi + U n), solved by bisection."""
    n = brentq(lambda n: n - 1 / (1 + math.exp((xi + u * n) / temperature)), 0, 1, xtol=1e-15)
    state = restricted_hartree_fock([[xi]], u, chemical_potential=0.0, temperature=temperature)
    assert state.density_up[0] == pytest.approx(n, abs=1e-10)


@given(st.floats(-0.98, -0.02), st.floats(0.2, 5))
@SETTINGS
def test_single_site_is_pinned(fraction, u):
    """At T = 0 the level xi + U n stays at the Fermi level for -U < xi < 0."""
    state = restricted_hartree_fock([[fraction * u]], u, chemical_potential=0.0)
    assert state.density_up[0] == pytest.approx(-fraction, abs=3e-5)
    assert state.pinned == 2
    assert state.energy == pytest.approx(-(fraction**2) * u, rel=1e-4)


@pytest.mark.parametrize(("xi", "n"), [(-1.2, 1.0), (0.3, 0.0)])
def test_single_site_outside_the_window(xi, n):
    state = restricted_hartree_fock([[xi]], 1.0, chemical_potential=0.0)
    assert state.density_up[0] == n
    assert state.pinned == 0


# ------------------------------------------------------------------ the restricted minimum


@given(st.integers(0, 10**6), st.floats(0.1, 8), st.sampled_from([0.0, 0.02, 0.5]))
@SETTINGS
def test_restricted_state_is_self_consistent(seed, u, temperature):
    h = cluster(seed)
    state = restricted_hartree_fock(h, u, particles=14, temperature=temperature)
    again = h + u * np.diag(state.density_up)
    assert np.abs(again @ state.states_up - state.states_up * state.energies_up).max() < 1e-7
    assert state.particles == pytest.approx(14, abs=1e-9)
    assert np.allclose(state.density_up, rho(state).diagonal(), atol=1e-12)
    if temperature:
        x = (state.energies_up - state.chemical_potential) / temperature
        assert np.allclose(state.occupations_up, 0.5 * (1 - np.tanh(x / 2)), atol=1e-10)
    else:
        # Filled below, empty above, fractions only at the Fermi level: the conditions of a convex minimum.
        f, e = state.occupations_up, state.energies_up
        assert e[f > 1e-6].max() <= e[f < 1 - 1e-6].min() + 1e-4


@given(st.integers(0, 10**6), st.floats(0.5, 6), st.sampled_from([0.0, 0.3]), st.floats(0.001, 1))
@SETTINGS
def test_restricted_state_is_the_lowest_of_all(seed, u, temperature, weight):
    """No mixture with a random density matrix of as many particles has a lower free energy."""
    h = cluster(seed, 3)
    state = restricted_hartree_fock(h, u, particles=8, temperature=temperature)
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(9, 9)))
    f = rng.permutation([1.0, 1, 1, 0.6, 0.4, 0, 0, 0, 0])
    other = basis * f @ basis.T
    assert free_energy(rho(state), h, u, temperature) == pytest.approx(state.free_energy, rel=1e-9, abs=1e-9)
    mixed = (1 - weight) * rho(state) + weight * other
    assert free_energy(mixed, h, u, temperature) >= state.free_energy - 1e-8


def test_restricted_against_a_general_minimizer():
    """Three sites, T = 0.2: Nelder-Mead over symmetric matrices Q with rho = 1/(1 + exp Q)."""
    h = np.array([[0.3, -1, 0.2], [-1, -0.4, -0.5], [0.2, -0.5, 0.1]])

    def value(q):
        e, v = np.linalg.eigh([[q[0], q[3], q[4]], [q[3], q[1], q[5]], [q[4], q[5], q[2]]])
        f = 1 / (1 + np.exp(np.clip(e, -200, 200)))
        density = v * f @ v.T
        return free_energy(density, h, 2.0, 0.2) - 2 * 0.7 * f.sum()

    best = minimize(value, np.zeros(6), method="BFGS", options={"gtol": 1e-9})
    state = restricted_hartree_fock(h, 2.0, chemical_potential=0.7, temperature=0.2)
    assert state.free_energy - 0.7 * state.particles == pytest.approx(best.fun, abs=1e-9)


def test_pinned_cluster_and_its_instability():
    """Pinned levels agree, and moving them apart lowers the energy by U sum (delta n)^2 exactly."""
    h = cluster(1, 6)
    state = restricted_hartree_fock(h, 1.0, particles=30)
    partly = (state.occupations_up > 1e-3) & (state.occupations_up < 1 - 1e-3)
    assert partly.sum() == 2 == state.pinned // 2
    assert np.ptp(state.energies_up[partly]) < 1e-4
    first, second = state.states_up[:, partly].T
    shift = 0.1 * (first**2 - second**2)
    up, down = state.density_up + shift, state.density_down - shift
    kinetic = 2 * np.sum(h * rho(state))
    assert kinetic + up @ down == pytest.approx(state.energy - shift @ shift, abs=1e-9)


def test_energies_of_the_two_fillings_agree():
    h = cluster(3)
    one = restricted_hartree_fock(h, 2.0, particles=14, temperature=0.3)
    two = restricted_hartree_fock(h, 2.0, chemical_potential=one.chemical_potential, temperature=0.3)
    assert np.allclose(one.density_up, two.density_up, atol=1e-9)
    assert one.energy == pytest.approx(two.energy, abs=1e-8)


def test_no_interaction_is_the_free_problem():
    h = cluster(5)
    e = np.linalg.eigvalsh(h)
    assert restricted_hartree_fock(h, 0.0, particles=14).energy == pytest.approx(2 * e[:7].sum(), abs=1e-10)
    assert restricted_hartree_fock(sparse.csr_array(h), 0.0, particles=14).energy == pytest.approx(
        2 * e[:7].sum(), abs=1e-10
    )


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e150])
def test_energies_scale_together(scale):
    h = cluster(2)
    one = restricted_hartree_fock(h, 2.0, particles=14)
    two = restricted_hartree_fock(scale * h, scale * 2.0, particles=14)
    assert two.energy == pytest.approx(scale * one.energy, rel=1e-9)


def test_entropy_and_free_energy_of_a_free_site():
    state = restricted_hartree_fock([[0.0]], 0.0, chemical_potential=0.0, temperature=1.0)
    assert state.entropy == pytest.approx(2 * math.log(2), abs=1e-14)
    assert state.free_energy == pytest.approx(-2 * math.log(2), abs=1e-14)


# ------------------------------------------------------------------ unrestricted


@given(st.integers(0, 10**6), st.floats(0.3, 8))
@SETTINGS
def test_unrestricted_is_stationary_and_below_its_start(seed, u):
    """Filled below empty for each spin, and not above the restricted state from which it starts."""
    h = cluster(seed)
    restricted = restricted_hartree_fock(h, u, particles=14)
    kick = 0.1 * np.random.default_rng(seed).uniform(-1, 1, 16)
    up = np.clip(restricted.density_up + kick, 0, 1)
    down = np.clip(restricted.density_down - kick, 0, 1)
    state = unrestricted_hartree_fock(h, u, up, down, particles=14)
    assert state.energy <= restricted.energy + 1e-7
    assert state.residual <= 1e-10
    for e, s, f, n, other in (
        (state.energies_up, state.states_up, state.occupations_up, state.density_up, state.density_down),
        (
            state.energies_down,
            state.states_down,
            state.occupations_down,
            state.density_down,
            state.density_up,
        ),
    ):
        assert np.abs((h + u * np.diag(other)) @ s - s * e).max() < 1e-7
        assert np.allclose(s**2 @ f, n, atol=1e-12)
        assert set(f) <= {0.0, 1.0}
    one_body = sum(
        np.sum(h * (s * f @ s.T))
        for s, f in (
            (state.states_up, state.occupations_up),
            (state.states_down, state.occupations_down),
        )
    )
    assert state.energy == pytest.approx(one_body + u * (state.density_up @ state.density_down), abs=1e-9)


@pytest.mark.parametrize("u", [0.5, 2.0, 4.0])
def test_relaxed_states_lie_below_first_order_ones(u):
    """E_UHF <= min E^(1), and E_RHF <= the sea: frozen occupations are determinants too."""
    for seed in range(4):
        h = cluster(seed, 6)
        energies, states = np.linalg.eigh(h)
        overlaps = hubbard_overlaps(states)
        frozen = ground_state(energies, overlaps, u, 30)
        sea = 2 * energies[:15].sum() + u * overlaps[:15, :15].sum()
        up, down = (states[:, n] ** 2 @ np.ones(n.sum()) for n in (frozen.up, frozen.down))
        state = unrestricted_hartree_fock(h, u, np.clip(up, 0, 1), np.clip(down, 0, 1), particles=30)
        assert state.energy <= sea + frozen.energy + 1e-9
        assert restricted_hartree_fock(h, u, particles=30).energy <= sea + 1e-9


def test_weak_interaction_is_first_order():
    """Deviation from the first-order energy of the sea is of second order in U."""
    h = cluster(2, 6)
    energies, states = np.linalg.eigh(h)
    overlap = hubbard_overlaps(states)[:15, :15].sum()
    shifts = []
    for u in (0.02, 0.01):
        state = restricted_hartree_fock(h, u, particles=30)
        shifts.append(2 * energies[:15].sum() + u * overlap - state.energy)
    assert shifts[0] > 0
    assert shifts[0] / shifts[1] == pytest.approx(4, abs=0.05)


def test_spins_turn_over():
    """Three sites, all bonds +1: two particles in the two levels at -1 are parallel, without repulsion."""
    h = np.ones((3, 3)) - np.eye(3)
    state = unrestricted_hartree_fock(h, 1.0, [0.4, 0.3, 0.3], [0.3, 0.4, 0.3], particles=2)
    assert abs(state.occupations_up.sum() - state.occupations_down.sum()) == 2
    assert state.energy == pytest.approx(-2, abs=1e-12)


def test_spin_symmetry_and_field():
    h = cluster(4)
    b = np.random.default_rng(0).uniform(-0.3, 0.3, 16)
    one = unrestricted_hartree_fock(h, 1.0, [0.4] * 16, [0.4] * 16, particles=14, field=b, temperature=0.4)
    two = unrestricted_hartree_fock(h, 1.0, [0.4] * 16, [0.4] * 16, particles=14, field=-b, temperature=0.4)
    assert np.allclose(one.density_up, two.density_down, atol=1e-9)
    assert one.magnetization @ b > 0


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_unrestricted_without_moments_is_restricted(temperature):
    h = cluster(6)
    one = restricted_hartree_fock(h, 0.3, chemical_potential=-0.2, temperature=temperature)
    two = unrestricted_hartree_fock(
        h, 0.3, [0.5] * 16, [0.4] * 16, chemical_potential=-0.2, temperature=temperature
    )
    assert np.allclose(one.density_up, two.density_up, atol=1e-8)
    assert one.free_energy == pytest.approx(two.free_energy, abs=1e-8)


# ------------------------------------------------------------------ building blocks


@given(st.floats(-3, 3), st.floats(1e-9, 3), st.floats(0.01, 2))
@SETTINGS
def test_difference_quotient_without_cancellation(e, gap, temperature):
    mp = pytest.importorskip("mpmath")
    energies = np.array([e, e + gap])
    f = np.array([float(1 / (1 + mp.exp(mp.mpf(x) / temperature))) for x in energies])
    with mp.workdps(40):
        a, b = (1 / (1 + mp.exp(mp.mpf(float(x)) / mp.mpf(temperature))) for x in energies)
        exact = float((b - a) / (mp.mpf(float(energies[1])) - mp.mpf(float(energies[0]))))
    value = difference_quotient(energies, f, temperature)
    assert value[0, 1] == pytest.approx(exact, rel=1e-9)
    assert value[0, 0] == pytest.approx(-f[0] * (1 - f[0]) / temperature, rel=1e-12)


def test_pair_matrix_is_the_sum():
    rng = np.random.default_rng(0)
    phi, w = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    w += w.T
    assert np.allclose(pair_matrix(phi, w), np.einsum("ab,ia,ib,ja,jb->ij", w, phi, phi, phi, phi))


@given(st.integers(0, 1000), st.floats(0.3, 8.7), st.floats(1e-4, 10))
@SETTINGS
def test_fermi_occupations_count(seed, count, temperature):
    e = np.random.default_rng(seed).normal(size=9)
    f, mu = fermi_occupations(e, count, 0.0, temperature)
    assert f.sum() == pytest.approx(count, abs=1e-9)
    assert np.allclose(f, 0.5 * (1 - np.tanh((e - mu) / temperature / 2)), atol=1e-12)


# ------------------------------------------------------------------ bad input

BAD_NUMBERS = [math.nan, math.inf, "1", 1j, None, True]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize("name", ["interaction", "particles", "temperature"])
def test_bad_numbers(name, bad):
    good = {"interaction": 1.0, "particles": 2, "temperature": 0.1}
    with pytest.raises((TypeError, ValueError), match=name):
        restricted_hartree_fock(DIMER, **{**good, name: bad})
    with pytest.raises((TypeError, ValueError), match=name):
        unrestricted_hartree_fock(DIMER, density_up=[1, 0], density_down=[0, 1], **{**good, name: bad})


@pytest.mark.parametrize(
    ("matrix", "options", "match"),
    [
        ([[0, 1], [2, 0]], {"particles": 2}, "matrix must be symmetric"),
        ([0, 1], {"particles": 2}, "matrix"),
        ([[0, 1]], {"particles": 2}, "matrix must be square"),
        ([[math.nan]], {"particles": 1}, "matrix"),
        (DIMER, {}, "particles"),
        (DIMER, {"particles": 2, "chemical_potential": 0.0}, "chemical_potential"),
        (DIMER, {"particles": 0}, "particles"),
        (DIMER, {"particles": 4}, "particles"),
        (DIMER, {"particles": -1}, "particles"),
        (DIMER, {"particles": 2, "temperature": -1.0}, "temperature"),
        (DIMER, {"particles": 2, "temperature": 1e-9}, "temperature"),
    ],
)
def test_bad_restricted(matrix, options, match):
    with pytest.raises((TypeError, ValueError), match=match):
        restricted_hartree_fock(matrix, 1.0, **options)


def test_attraction_is_refused():
    with pytest.raises(ValueError, match="interaction"):
        restricted_hartree_fock(DIMER, -1.0, particles=2)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"density_up": [1, 0, 0]}, "density_up"),
        ({"density_up": [1.5, 0]}, "density_up"),
        ({"density_down": [-0.1, 0]}, "density_down"),
        ({"density_down": [math.nan, 0]}, "density_down"),
        ({"field": [0.1]}, "field"),
        ({"field": [math.inf, 0]}, "field"),
        ({"particles": 2.5}, "particles"),
    ],
)
def test_bad_unrestricted(change, match):
    good = {"density_up": [1, 0], "density_down": [0, 1], "particles": 2}
    with pytest.raises((TypeError, ValueError), match=match):
        unrestricted_hartree_fock(DIMER, 1.0, **{**good, **change})
