"""Self-energy of the singlet Cooperon: spin algebra, Matsubara sums, contour and continuation."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.magnetic_alloys import (
    exchange_vertex,
    pair_lines,
    singlet_component,
    vertex_continuation,
    vertex_sum,
)

quick = settings(max_examples=30, deadline=None)
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def detailed_balance_lines(transitions, weights, temperature):
    """Each transition with its partner: K(-omega) = exp(omega/T) K(omega)."""
    omega = np.concatenate((transitions, -np.asarray(transitions)))
    strength = np.concatenate((weights, np.asarray(weights) * np.exp(np.asarray(transitions) / temperature)))
    return omega, strength


def golden_rule(energy, omega, strength, temperature):
    """The energy factor of (25) and (50), summed over lines."""
    return float(
        (strength * (np.exp(energy / temperature) + 1) / (np.exp((energy - omega) / temperature) + 1)).sum()
    )


def test_singlet_and_triplet_of_the_exchange():
    """sum_a sigma^a sigma^a is -3 in the singlet and +1 in the triplet; the identity is +1 in both."""
    vertex = exchange_vertex(np.eye(3))
    matrix = vertex.transpose(0, 2, 1, 3).reshape(4, 4)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [-3, 1, 1, 1], atol=1e-14)
    state = np.array([0, 1, -1, 0]) / math.sqrt(2)
    assert singlet_component(vertex) == pytest.approx(state @ matrix @ state)
    assert singlet_component(vertex) == pytest.approx(-3)
    identity = np.einsum("ij,kl->ijkl", np.eye(2), np.eye(2))
    assert singlet_component(identity) == pytest.approx(1.0)


@quick
@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9))
def test_singlet_sees_minus_the_trace(entries):
    """For any correlations the singlet vertex is minus their trace when they are symmetric."""
    correlations = np.reshape(entries, (3, 3))
    symmetric = correlations + correlations.T
    assert singlet_component(exchange_vertex(symmetric)) == pytest.approx(-np.trace(symmetric), abs=1e-12)
    antisymmetric = correlations - correlations.T
    assert abs(singlet_component(exchange_vertex(antisymmetric))) < 1e-12


def test_free_spin_rates_of_the_channels():
    """1/tau_s from the lines minus the vertex: 2/tau_s for the singlet, 2/(3 tau_s) for the triplet."""
    isotropic = exchange_vertex(np.eye(3) / 3)
    matrix = isotropic.transpose(0, 2, 1, 3).reshape(4, 4)
    rates = 1 - np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(sorted(rates), [2 / 3, 2 / 3, 2 / 3, 2], rtol=1e-13)


@pytest.mark.parametrize("spin", [0.5, 1.0, 2.5])
def test_pair_lines(spin):
    """Sum rule, detailed balance, and the correlator of two spins by exact diagonalisation."""
    temperature, coupling = 0.8, -1.3
    omega, strength = pair_lines(coupling, spin, temperature)
    assert strength.sum() == pytest.approx(spin * (spin + 1), rel=1e-13)
    for w, b in zip(omega, strength, strict=True):
        partner = np.isclose(omega, -w)
        assert np.any(np.isclose(strength[partner], b * math.exp(w / temperature), rtol=1e-12))
    n = round(2 * spin) + 1
    m = spin - np.arange(n)
    up = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1)
    one = [(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)]
    first = [np.kron(s, np.eye(n)) for s in one]
    second = [np.kron(np.eye(n), s) for s in one]
    levels, states = np.linalg.eigh(coupling * sum(a @ b for a, b in zip(first, second, strict=True)))
    weight = np.exp(-(levels - levels[0]) / temperature)
    weight /= weight.sum()
    elements = sum(np.abs(states.conj().T @ s @ states) ** 2 for s in first)
    gaps = levels[:, None] - levels[None, :]
    for beta in (0.3, -0.7, 1.1):
        exact = (weight[:, None] * elements * np.exp(beta * gaps)).sum()
        assert (strength * np.exp(beta * omega)).sum() == pytest.approx(exact, rel=1e-12)


@quick
@given(st.integers(0, 6), st.integers(0, 6), st.floats(-3, 3), st.integers(1, 6), st.floats(0.2, 4))
def test_digamma_form_is_the_matsubara_sum(upper, lower, coupling, two_s, temperature):
    omega, strength = pair_lines(coupling, two_s / 2, temperature)
    direct = vertex_sum(upper, lower, omega, strength, temperature)
    ends = np.pi * temperature * (2 * upper + 1), np.pi * temperature * (2 * lower + 1)
    continued = vertex_continuation(1j * ends[0], -1j * ends[1], omega, strength, temperature)
    assert continued == pytest.approx(direct, rel=1e-10, abs=1e-12)


def test_matsubara_sum_term_by_term():
    """Against K(i omega_m) as the Fourier integral of the imaginary-time correlator (B2), sign e^{+...}."""
    temperature, omega, strength = (
        0.7,
        np.array([0.9, -0.9, 0.0]),
        np.array([0.3, 0.3 * math.exp(0.9 / 0.7), 0.5]),
    )
    tau, weight = np.polynomial.legendre.leggauss(60)
    tau, weight = (tau + 1) / (2 * temperature), weight / (2 * temperature)
    total = 0.0
    for m in range(-2, 4):
        correlator = (strength * np.exp(np.outer(tau, omega))).sum(axis=1)
        total += temperature * (weight * correlator * np.exp(2j * np.pi * temperature * m * tau)).sum()
    assert vertex_sum(3, 2, omega, strength, temperature) == pytest.approx(complex(total), rel=1e-12)


@quick
@given(st.floats(-5, 5), st.floats(-3, 3), st.integers(1, 7))
def test_equal_energies_give_the_factor_of_the_self_energy(energy, coupling, two_s):
    """(C8) at eps_1' = eps_2 is real and equals the energy factor of (50)."""
    omega, strength = pair_lines(coupling, two_s / 2, 1.0)
    value = vertex_continuation(energy, energy, omega, strength, 1.0)
    assert value.real == pytest.approx(golden_rule(energy, omega, strength, 1.0), rel=1e-10)
    assert abs(value.imag) < 1e-10 * value.real


@pytest.mark.parametrize(("first", "second"), [(0.7, 0.7), (1.9, -0.4), (-0.8, 0.3)])
def test_contour_integrals_for_a_relaxing_spin(first, second):
    """(C8) with its cuts at omega + eps +- i0, for K(i omega) = 1/(gamma + |omega|), by two routes.

    The sum over the window is a digamma function of its ends; the contour gives three real integrals.
    """
    temperature, gamma = mp.mpf("0.6"), mp.mpf("0.45")
    two_pi_t = 2 * mp.pi * temperature

    def above(w):
        return 1 / (gamma - 1j * w)

    def below(w):
        return 1 / (gamma + 1j * w)

    with mp.workdps(25):
        e1, e2 = mp.mpf(first), mp.mpf(second)
        exact = (
            mp.digamma(mp.mpf(1) / 2 + (gamma - 1j * e1) / two_pi_t)
            + mp.digamma(mp.mpf(1) / 2 + (gamma + 1j * e2) / two_pi_t)
            - 2 * mp.digamma(gamma / two_pi_t)
        ) / (2 * mp.pi) - temperature / gamma

        def integrand(w):
            half = 2 * temperature
            cut = mp.coth(w / half) * (above(w) - below(w)) if w != 0 else 4j * temperature / gamma**2
            return cut - mp.tanh((w - e1) / half) * above(w) + mp.tanh((w - e2) / half) * below(w)

        contour = mp.quad(integrand, [-60, -10, -3, 0, 3, 10, 60]) / (4j * mp.pi)
        assert abs(contour - exact) < mp.mpf(10) ** -15

        def shifted(w):
            """The tanh integrals of the printed (C8): argument omega + eps_1' + i0 and omega + eps_2 - i0."""
            half = 2 * temperature
            cut = mp.coth(w / half) * (above(w) - below(w))
            return cut - mp.tanh(w / half) * (above(w + e1) - below(w + e2))

        window = mp.mpf(4000)
        printed = mp.quad(shifted, [-window, -100, -10, -3, mp.mpf(-1) / 10**9]) + mp.quad(
            shifted, [mp.mpf(1) / 10**9, 3, 10, 100, window]
        )
        assert abs(printed / (4j * mp.pi) - exact) < 2e-3


def test_signs_of_the_two_parts_of_the_self_energy():
    """Vertex (C3), (C5)-(C7) and the T-matrix part (C4) must both lower the Cooperon, as in (50).

    In units of nu n_s J^2, with 4 pi^2 delta delta taken out: (50) is -factor for each of the two parts.
    """
    energy, temperature = 0.4, 1.0
    omega, strength = pair_lines(0.9, 1.0, temperature)
    factor = golden_rule(energy, omega, strength, temperature)
    vertex = singlet_component(exchange_vertex(np.eye(3) / 3))
    from_vertex = 2 * math.pi * vertex.real * factor / (2 * math.pi) * (2 * math.pi)
    assert from_vertex / (2 * math.pi) == pytest.approx(-factor)
    # Im T = pi nu J^2 factor stands for -Im of the retarded T: T(eps_1 > 0) = -i a, T(eps_2 < 0) = +i a.
    a = math.pi * factor
    as_printed = -(-1j * a - 1j * a) / (2j * math.pi)
    assert as_printed.real == pytest.approx(factor)
    assert (2 * math.pi * -as_printed / (2 * math.pi)).real == pytest.approx(-factor)


def test_real_prefactor_of_the_continued_vertex_cannot_give_a_real_vertex():
    """K(omega + i0) - K(omega - i0) = i(e^{omega/T} - 1)K is imaginary: the prefactor must be i pi J^2.

    Checked on a Lorentzian line made of many lines: the discontinuity is -2 pi i times the residue density.
    """
    omega, strength = detailed_balance_lines([0.7], [0.2], 1.0)
    eta, w = 1e-4, np.linspace(0.5, 0.9, 400001)
    residues = strength * -np.expm1(omega)
    upper = (residues / (w[:, None] + 1j * eta - omega)).sum(axis=1)
    lower = (residues / (w[:, None] - 1j * eta - omega)).sum(axis=1)
    jump = ((upper - lower) * (w[1] - w[0])).sum()
    assert jump == pytest.approx(1j * math.expm1(0.7) * 2 * math.pi * 0.2, rel=2e-3)


def test_large_and_small_arguments():
    omega, strength = pair_lines(1e-9, 0.5, 1.0)
    assert vertex_continuation(0.3, 0.3, omega, strength, 1.0).real == pytest.approx(0.75, rel=1e-8)
    omega, strength = pair_lines(100.0, 0.5, 1.0)
    assert vertex_continuation(0.0, 0.0, omega, strength, 1.0).real == pytest.approx(0.0, abs=1e-12)
    omega, strength = pair_lines(-100.0, 0.5, 1.0)
    assert vertex_continuation(0.0, 0.0, omega, strength, 1.0).real == pytest.approx(0.5, rel=1e-12)
    omega, strength = pair_lines(1e300, 0.5, 1e-300)
    assert strength.sum() == pytest.approx(0.75)


def test_bad_input():
    good = ([1.0, -1.0], [0.2, 0.5], 1.0)
    with pytest.raises(ValueError, match="shape"):
        exchange_vertex(np.eye(2))
    with pytest.raises(ValueError, match="correlations must"):
        exchange_vertex(np.full((3, 3), np.nan))
    with pytest.raises(TypeError, match="scattering must"):
        singlet_component(np.full((2, 2, 2, 2), "a"))
    with pytest.raises(ValueError, match="scattering must"):
        singlet_component(np.full((2, 2, 2, 2), np.inf))
    with pytest.raises(ValueError, match="scattering must"):
        singlet_component(np.zeros((2, 2)))
    for bad in (math.nan, math.inf, "1"):
        with pytest.raises((ValueError, TypeError), match="coupling must"):
            pair_lines(bad, 0.5, 1.0)
    for bad in (math.nan, 0.0, -1.0):
        with pytest.raises(ValueError, match="temperature must"):
            pair_lines(1.0, 0.5, bad)
        with pytest.raises(ValueError, match="temperature must"):
            vertex_sum(1, 1, *good[:2], bad)
    with pytest.raises(ValueError, match="spin must"):
        pair_lines(1.0, 0.3, 1.0)
    for low, high in ((-1, 0), (0, -1)):
        with pytest.raises(ValueError, match="must lie"):
            vertex_sum(low, high, *good)
    with pytest.raises(TypeError, match="upper must"):
        vertex_sum(1.0, 1, *good)
    with pytest.raises(ValueError, match="upper must"):
        vertex_continuation(-1j, 0.0, *good)
    with pytest.raises(ValueError, match="lower must"):
        vertex_continuation(0.0, 1j, *good)
    with pytest.raises(ValueError, match="upper must"):
        vertex_continuation(math.nan, 0.0, *good)
    with pytest.raises(TypeError, match="lower must"):
        vertex_continuation(0.0, "0", *good)
    with pytest.raises(ValueError, match="strengths must"):
        vertex_sum(1, 1, [1.0], [0.2, 0.3], 1.0)
    with pytest.raises(ValueError, match="strengths must"):
        vertex_sum(1, 1, [1.0], [-0.2], 1.0)
    with pytest.raises(ValueError, match="transitions must"):
        vertex_sum(1, 1, [800.0], [0.2], 1.0)
    with pytest.raises(ValueError, match="transitions must"):
        vertex_sum(1, 1, [[1.0]], [0.2], 1.0)
