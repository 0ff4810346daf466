"""Linear response: finite differences, Fock space, Kubo integrals, Matsubara sums, closed forms."""

import math
from itertools import product

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    density_matrix_response,
    hamiltonian,
    level_susceptibility,
    linear_response,
    restricted_hartree_fock,
    single_state_levels,
    site_response,
    unrestricted_hartree_fock,
)

DIMER = np.array([[0.0, -1.0], [-1.0, 0.0]])
SETTINGS = settings(max_examples=20, deadline=None)


def cluster(seed, size=4, disorder=9.0):
    return hamiltonian(size, disorder, seed=seed).toarray()


def fermi(e, mu, temperature):
    return 0.5 * (1 - np.tanh((np.asarray(e) - mu) / temperature / 2))


# ------------------------------------------------------------------ (A5), (A6), (A7) against self-consistency


@pytest.mark.parametrize("u", [0.0, 0.8])
@pytest.mark.parametrize("temperature", [0.0, 0.4])
def test_susceptibility_is_the_derivative_of_hartree_fock(u, temperature):
    """All sites of a 3x3 cluster: moments of unrestricted states in a small field at one site."""
    h = cluster(3, 3)
    state = restricted_hartree_fock(h, u, particles=8, temperature=temperature)
    response = linear_response(state)
    assert response.stable
    step = 2e-4
    for site in range(0, 9, 3):
        field = step * np.eye(9)[site]
        plus, minus = (
            unrestricted_hartree_fock(
                h,
                u,
                state.density_up.clip(0, 1),
                state.density_down.clip(0, 1),
                particles=8,
                temperature=temperature,
                field=sign * field,
            ).magnetization
            for sign in (1, -1)
        )
        assert np.allclose((plus - minus) / (2 * step), response.susceptibility[:, site], atol=3e-5)


def test_levels_answer_to_fields_between_levels():
    """(A5): without feedback, M_aa' = chi_aa' B_a'a for a field of any shape."""
    h, temperature = cluster(5, 3), 0.3
    state = restricted_hartree_fock(h, 1.0, particles=8, temperature=temperature)
    offset = h + np.diag(state.density_up - state.chemical_potential)
    chi = level_susceptibility(state.energies_up, state.occupations_up, temperature)
    b = np.random.default_rng(1).uniform(-1, 1, 9)
    step = 1e-4
    moment = 0.0
    for sign in (1, -1):
        up, down = (
            scipy.linalg.expm((offset - spin * sign * step * np.diag(b)) / temperature) for spin in (1, -1)
        )
        rho = [np.linalg.inv(np.eye(9) + x) for x in (up, down)]
        moment = moment + sign * (rho[0] - rho[1]) / (2 * step)
    phi = state.states_up
    assert np.allclose(phi.T @ moment @ phi, chi * (phi.T * b @ phi), atol=1e-6)


@given(st.integers(0, 10**6), st.floats(0.05, 2), st.floats(0.1, 4))
@SETTINGS
def test_response_is_bounded_and_isolated_below_isothermal(seed, temperature, u):
    """0 <= chi_aa' <= 1/(2T); hence stable above T = U/4; the isolated response is never larger."""
    state = restricted_hartree_fock(cluster(seed, 3), u, particles=8, temperature=temperature)
    isothermal, isolated = linear_response(state), linear_response(state, response="isolated")
    assert isothermal.levels.min() >= 0
    assert isothermal.levels.max() <= 1 / (2 * temperature) + 1e-12
    assert isothermal.eigenvalue >= 1 - u / (4 * temperature) - 1e-9
    assert isolated.eigenvalue >= isothermal.eigenvalue - 1e-12
    difference = np.linalg.eigvalsh(isothermal.bare - isolated.bare)
    assert difference.min() >= -1e-10


def test_uniform_field():
    """Isothermal: sum of -2 f', Curie at high temperature; isolated: zero, the moment is conserved."""
    temperature = 0.5
    state = restricted_hartree_fock(cluster(2, 3), 0.0, particles=8, temperature=temperature)
    ones = np.ones(9)
    e = state.energies_up
    slope = fermi(e, state.chemical_potential, temperature) * fermi(
        -e, -state.chemical_potential, temperature
    )
    assert ones @ linear_response(state).bare @ ones == pytest.approx(2 * slope.sum() / temperature)
    assert abs(ones @ linear_response(state, response="isolated").bare @ ones) < 1e-12


def test_bubble_of_matsubara_functions_is_isothermal():
    """-2 T sum_n G_a G_a' at zero frequency includes the diagonal -2 f'."""
    mp = pytest.importorskip("mpmath")
    temperature, e = mp.mpf("0.4"), (mp.mpf("-0.3"), mp.mpf("0.5"))
    chi = level_susceptibility([-0.3, 0.5], fermi([-0.3, 0.5], 0.0, 0.4), 0.4)
    for a, b in ((0, 0), (0, 1), (1, 1)):

        def term(n, x=e[a], y=e[b]):
            frequency = 1j * mp.pi * temperature * (2 * n + 1)
            return -4 * temperature * mp.re(1 / ((frequency - x) * (frequency - y)))

        assert chi[a, b] == pytest.approx(float(mp.nsum(term, [0, mp.inf])), rel=1e-9)


# ------------------------------------------------------------------ stability


@pytest.mark.parametrize("u", [0.5, 1.9, 2.1, 5.0])
def test_dimer_is_unstable_beyond_two_t(u):
    """Coulson and Fischer: eigenvalue 1 - U/2t; the mode is staggered."""
    response = linear_response(restricted_hartree_fock(DIMER, u, particles=2))
    assert response.eigenvalue == pytest.approx(1 - u / 2, abs=1e-10)
    assert response.stable == (u < 2)
    assert response.mode[0] == pytest.approx(-response.mode[1])


@given(st.floats(-0.95, -0.05), st.floats(0.5, 4), st.floats(0.02, 0.5))
@SETTINGS
def test_single_state_isothermal_and_isolated(fraction, u, temperature):
    """Eigenvalue 1 - U n(1-n)/T, negative at low T in the whole window; isolated: always one."""
    state = restricted_hartree_fock([[fraction * u]], u, chemical_potential=0.0, temperature=temperature)
    n = state.density_up[0]
    assert linear_response(state).eigenvalue == pytest.approx(1 - u * n * (1 - n) / temperature, rel=1e-9)
    assert linear_response(state, response="isolated").eigenvalue == 1.0


def test_eigenvalue_is_the_curvature_of_the_energy():
    """Second difference of the Hartree-Fock energy along pair rotations: Delta - 2U K, with cross terms."""
    h, u = cluster(4, 3), 1.5
    state = restricted_hartree_fock(h, u, particles=8)
    response = linear_response(state)
    phi, e = state.states_up, state.energies_up
    pairs = [(a, c) for a in range(4) for c in range(4, 9)]
    v = np.array([phi[:, a] * phi[:, c] for a, c in pairs])
    gap = np.array([e[c] - e[a] for a, c in pairs])
    hessian = np.diag(gap) - 2 * u * v @ v.T
    assert (np.linalg.eigvalsh(hessian)[0] > 0) == response.stable

    def energy(x):
        k = np.zeros((9, 9))
        for angle, (a, c) in zip(x, pairs, strict=True):
            k[c, a], k[a, c] = angle, -angle
        up, down = (phi @ scipy.linalg.expm(sign * k)[:, :4] for sign in (1, -1))
        one = np.sum(up * (h @ up)) + np.sum(down * (h @ down))
        return one + u * (up**2).sum(axis=1) @ (down**2).sum(axis=1)

    x = np.random.default_rng(0).normal(size=len(pairs))
    x /= np.linalg.norm(x)
    step = 1e-3
    second = (energy(step * x) - 2 * energy(0 * x) + energy(-step * x)) / step**2
    # E = E_0 + 2 x (Delta - 2UK) x for rotations by +x and -x.
    assert second / 4 == pytest.approx(x @ hessian @ x, rel=1e-4)
    softest = np.linalg.eigh(np.diag(gap**-0.5) @ hessian @ np.diag(gap**-0.5))[0][0]
    assert softest == pytest.approx(response.eigenvalue, abs=1e-10)


def test_unfilled_order_hides_from_the_isolated_response():
    """A filled level above an empty one: two real frequencies, no growth, although the energy is a saddle."""
    chi = level_susceptibility([0.0, 1.0], [0.0, 1.0], response="isolated")
    assert chi[0, 1] == -2.0
    response = site_response(np.array([[1, 1], [1, -1]]) / math.sqrt(2), chi, 5.0)
    assert response.eigenvalue == pytest.approx(1.0)
    # Random phase equations for Delta = -1: omega^2 = Delta (Delta - 2 U K) > 0.
    delta, k = -1.0, 0.5
    a, b = delta - 5.0 * k, -5.0 * k
    omega = np.linalg.eigvals([[a, b], [-b, -a]])
    assert np.allclose(omega.imag, 0)
    assert omega.real.max() ** 2 == pytest.approx(delta * (delta - 2 * 5.0 * k))


# ------------------------------------------------------------------ (A2), (A3), (A8), (A9), (A10)


def random_symmetric(seed, n=5):
    x = np.random.default_rng(seed).normal(size=(n, n))
    return x + x.T


@given(st.integers(0, 10**6), st.floats(0.3, 3))
@SETTINGS
def test_both_parts_are_the_derivative_of_the_density_matrix(seed, temperature):
    h, v = random_symmetric(seed), random_symmetric(seed + 1)
    thermal, dynamic = density_matrix_response(h, v, temperature)
    step = 1e-5 * temperature
    rho = []
    for sign in (1, -1):
        e, s = np.linalg.eigh(h + sign * step * v)
        w = np.exp((e[0] - e) / temperature)
        rho.append(s * (w / w.sum()) @ s.T)
    assert np.allclose((rho[0] - rho[1]) / (2 * step), thermal + dynamic, atol=1e-6)
    assert abs(np.trace(thermal)) < 1e-12
    assert abs(np.trace(dynamic)) < 1e-12


def test_dynamic_part_is_the_kubo_integral():
    """(A2): i int exp(eta t) [rho, V(t)] dt over the past, eta -> 0, by quadrature in the eigenbasis."""
    h, v, temperature = random_symmetric(1), random_symmetric(2), 0.7
    e, s = np.linalg.eigh(h)
    w = np.exp(-e / temperature)
    rho = s * (w / w.sum()) @ s.T
    element = s.T @ v @ s
    nodes, weights = np.polynomial.legendre.leggauss(40)
    total = np.zeros((5, 5), complex)
    eta, panel = 1e-2, 0.5
    for start in np.arange(-2500.0, 0.0, panel):
        t = start + panel * (nodes + 1) / 2
        phase = np.exp(1j * np.subtract.outer(e, e)[..., None] * t + eta * t)
        total += (phase * weights).sum(axis=-1) * panel / 2
    moved = s @ (total * element) @ s.T
    delta = 1j * (rho @ moved - moved @ rho)
    assert np.allclose(delta.real, density_matrix_response(h, v, temperature)[1], atol=2e-4)


def test_sign_of_the_commutators():
    """(A2) and (A3): Tr(delta rho M) = i int Tr(rho [V(t), M])."""
    h, v, m = (random_symmetric(k) for k in range(3))
    rho = scipy.linalg.expm(-h)
    left = np.trace(1j * (rho @ v - v @ rho) @ m)
    right = 1j * np.trace(rho @ (v @ m - m @ v))
    assert left == pytest.approx(right)


def test_single_state_has_no_dynamic_response():
    """(A9): the field commutes with H, and the whole response is thermal: Curie's law in the window."""
    xi, u, temperature = -0.6, 1.0, 0.05
    levels = single_state_levels(xi, u)
    field = np.diag([0.0, -1.0, 1.0, 0.0])
    thermal, dynamic = density_matrix_response(np.diag(levels), field, temperature)
    assert not dynamic.any()
    moment = -np.trace(thermal @ field)
    z = np.exp(-levels / temperature).sum()
    assert moment == pytest.approx(2 * math.exp(-xi / temperature) / z / temperature, rel=1e-12)
    assert moment * temperature == pytest.approx(1, abs=1e-3)


def fock(h, u):
    """Many-body Hamiltonian, and the operators c+_i c_j, of both spins on the sites of h."""
    size = 2 * len(h)
    states = list(product((0, 1), repeat=size))
    index = {n: k for k, n in enumerate(states)}

    def hop(i, j):
        matrix = np.zeros((len(states), len(states)))
        for n in states:
            if n[j]:
                m, sign = list(n), (-1) ** sum(n[:j])
                m[j] = 0
                if not m[i]:
                    sign *= (-1) ** sum(m[:i])
                    m[i] = 1
                    matrix[index[tuple(m)], index[n]] = sign
        return matrix

    sites = len(h)
    number = [hop(i, i) for i in range(size)]
    total = sum(
        h[i, j] * hop(s * sites + i, s * sites + j)
        for s in (0, 1)
        for i in range(sites)
        for j in range(sites)
    )
    return total + u * sum(number[i] @ number[sites + i] for i in range(sites)), number, hop


def test_free_particles_in_fock_space():
    """(A4b), (A6): the many-body response of two sites at U = 0 is the sum over levels, both parts apart."""
    h, temperature = np.array([[0.3, -1.0], [-1.0, -0.4]]), 0.6
    many, number, _ = fock(h, 0.0)
    moments = [number[i] - number[2 + i] for i in range(2)]
    e, phi = np.linalg.eigh(h)
    f = fermi(e, 0.0, temperature)
    full = site_response(phi, level_susceptibility(e, f, temperature), 0.0).bare
    isolated = site_response(phi, level_susceptibility(e, f, temperature, response="isolated"), 0.0).bare
    for i in range(2):
        for j in range(2):
            parts = [
                np.trace(p @ moments[i]) for p in density_matrix_response(many, -moments[j], temperature)
            ]
            assert sum(parts) == pytest.approx(full[i, j], abs=1e-12)
            assert parts[1] == pytest.approx(isolated[i, j], abs=1e-12)


def test_field_in_the_level_basis():
    """(A4a), (A4b), (A10): H_b = -sum B_aa' M_aa' = b1 + b2, and b1 commutes with the mean field."""
    h = np.array([[0.3, -1.0], [-1.0, -0.4]])
    many, number, hop = fock(h, 0.0)
    b = np.array([0.7, -0.2])
    direct = sum(b[i] * (number[2 + i] - number[i]) for i in range(2))
    _, phi = np.linalg.eigh(h)
    element = phi.T * b @ phi

    def m(a, c):
        return sum(
            phi[i, a] * phi[j, c] * (hop(i, j) - hop(2 + i, 2 + j)) for i in range(2) for j in range(2)
        )

    terms = {(a, c): -element[a, c] * m(a, c) for a in range(2) for c in range(2)}
    assert np.allclose(sum(terms.values()), direct, atol=1e-12)
    diagonal = terms[0, 0] + terms[1, 1]
    assert np.allclose(diagonal @ many, many @ diagonal, atol=1e-12)
    other = terms[0, 1] + terms[1, 0]
    assert not np.allclose(other @ many, many @ other, atol=1e-3)
    site = sum(phi[0, a] * phi[0, c] * m(a, c) for a in range(2) for c in range(2))
    assert np.allclose(site, number[0] - number[2], atol=1e-12)
    printed = sum(phi[0, a] ** 2 * m(a, c) for a in range(2) for c in range(2))
    assert not np.allclose(printed, number[0] - number[2], atol=1e-2)


def test_feedback_is_half_the_interaction():
    """(A1), (A7): a moment m lowers the level of its spin by U m / 2 at fixed density."""
    h, u = DIMER, 3.0
    n, m = np.array([0.9, 1.1]), np.array([0.2, -0.1])
    up, down = h + u * np.diag((n - m) / 2), h + u * np.diag((n + m) / 2)
    mean = h + u * np.diag(n / 2)
    assert np.allclose(up - mean, -u / 2 * np.diag(m))
    assert np.allclose(down - mean, u / 2 * np.diag(m))


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([0.0, math.nan], [1, 0]), "energies"),
        (([0.0, 1.0], [1.2, 0]), "occupations"),
        (([0.0, 1.0], [1, 0, 0]), "shape"),
        (([], []), "shape"),
        (([0.0, 1.0], [1, 0], -0.1), "temperature"),
        (([0.0, 1.0], [1, 0], "1"), "temperature"),
        (([0.0, 1.0], [1, 0.5], 0.3), "Fermi"),
        (([0.0, 1.0], [0.5, 0.5]), "temperature"),
        ((["a"], [1]), "energies"),
    ],
)
def test_bad_levels(arguments, match):
    with pytest.raises((TypeError, ValueError), match=match):
        level_susceptibility(*arguments)


def test_bad_response():
    state = restricted_hartree_fock(DIMER, 1.0, particles=2)
    with pytest.raises(ValueError, match="response"):
        linear_response(state, response="other")
    with pytest.raises(TypeError, match="state"):
        linear_response(DIMER)
    magnetic = unrestricted_hartree_fock(DIMER, 4.0, [1, 0], [0, 1], particles=2)
    with pytest.raises(ValueError, match="paramagnetic"):
        linear_response(magnetic)
    pinned = restricted_hartree_fock([[-0.5]], 1.0, chemical_potential=0.0)
    with pytest.raises(ValueError, match="temperature"):
        linear_response(pinned)


@pytest.mark.parametrize(
    ("states", "levels", "u", "match"),
    [
        (np.eye(2), np.eye(3), 1.0, "size"),
        (np.ones((2, 2)), np.eye(2), 1.0, "states"),
        (np.eye(2), [[0, 1], [2, 0]], 1.0, "levels"),
        (np.eye(2), np.eye(2), math.nan, "interaction"),
    ],
)
def test_bad_sites(states, levels, u, match):
    with pytest.raises((TypeError, ValueError), match=match):
        site_response(states, levels, u)


@pytest.mark.parametrize(
    ("h", "v", "temperature", "match"),
    [
        ([[0, 1], [0, 0]], np.eye(2), 1.0, "hamiltonian"),
        (np.eye(2), np.eye(3), 1.0, "shape"),
        (np.eye(2), np.eye(2), 0.0, "temperature"),
        (np.eye(2), [[math.inf]], 1.0, "perturbation"),
        (np.eye(2), np.ones(2), 1.0, "perturbation"),
    ],
)
def test_bad_density_matrix(h, v, temperature, match):
    with pytest.raises((TypeError, ValueError), match=match):
        density_matrix_response(h, v, temperature)
