"""One pair of spins: levels, matrix elements, thermal weights, correlator, coupling by free electrons."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.magnetic_alloys import (
    pair_correlator,
    pair_energies,
    pair_level_populations,
    pair_matrix_elements,
    pair_partition_function,
    rkky_coupling,
)
from disorder.magnetic_alloys.pair_levels import broadcast
from disorder.numerics.quadrature import panel_rule

SPINS = [0.5, 1, 1.5, 2, 2.5, 3, 3.5]
spins = st.integers(1, 14).map(lambda two_s: two_s / 2)


def spin_matrices(spin):
    m = np.arange(-spin, spin + 1)
    plus = np.diag(np.sqrt(spin * (spin + 1) - m[:-1] * (m[:-1] + 1)), -1)
    return np.array([(plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m)])


def product_space(spin):
    """S1 and S1.S2 as matrices on the product space, with nothing assumed about their spectrum."""
    single = spin_matrices(spin)
    one = np.eye(single.shape[1])
    first = np.array([np.kron(s, one) for s in single])
    second = np.array([np.kron(one, s) for s in single])
    return first, np.einsum("aij,ajk->ik", first, second)


def exact_elements(two_s):
    """Eqs. (A3) as printed, in rational arithmetic."""
    spin = Fraction(two_s, 2)
    table = [[Fraction(0)] * (two_s + 1) for _ in range(two_s + 1)]
    for j in range(two_s + 1):
        table[j][j] = Fraction(j * (j + 1) * (2 * j + 1), 4 * (2 * j + 1))
        if j < two_s:
            table[j][j + 1] = (j + 1) * (2 * spin - j) * (2 * spin + j + 2) / (4 * (2 * j + 1))
        if j > 0:
            table[j][j - 1] = j * (2 * spin - j + 1) * (2 * spin + j + 1) / (4 * (2 * j + 1))
    return table


@pytest.mark.parametrize("spin", [0.5, 1, 1.5, 2.5])
def test_energies_are_the_spectrum_of_the_coupling(spin):
    _, coupling = product_space(spin)
    levels = np.repeat(pair_energies(-1.7, spin), 2 * np.arange(int(2 * spin) + 1) + 1)
    np.testing.assert_allclose(np.sort(levels), np.linalg.eigvalsh(-1.7 * coupling), atol=1e-12)


def test_energies_have_the_shape_of_the_coupling_and_no_mean():
    for spin in SPINS:
        levels = pair_energies(np.ones((2, 3)), spin)
        assert levels.shape == (2, 3, int(2 * spin) + 1)
        np.testing.assert_allclose(levels @ (2 * np.arange(levels.shape[-1]) + 1), 0.0, atol=1e-12)


@pytest.mark.parametrize("two_s", range(1, 8))
def test_closed_form_equals_the_printed_fractions(two_s):
    exact = np.array([[float(a) for a in row] for row in exact_elements(two_s)])
    np.testing.assert_array_equal(pair_matrix_elements(two_s / 2), exact)


@pytest.mark.parametrize("two_s", range(1, 41))
def test_sum_rule(two_s):
    spin, elements = Fraction(two_s, 2), exact_elements(two_s)
    assert (
        sum((2 * j + 1) * sum(row) for j, row in enumerate(elements)) == spin * (spin + 1) * (two_s + 1) ** 2
    )
    # The stronger statement that P(omega, 0) = delta(omega) does not need but that makes K2(t=0) = S(S+1).
    assert all(sum(row) == spin * (spin + 1) for row in elements)
    np.testing.assert_allclose(
        pair_matrix_elements(two_s / 2).sum(axis=1), float(spin * (spin + 1)), rtol=1e-14
    )


@given(spins)
@settings(max_examples=14, deadline=None)
def test_elements_are_symmetric_in_strength_and_join_neighbours(spin):
    elements = pair_matrix_elements(spin)
    strength = (2 * np.arange(len(elements)) + 1)[:, None] * elements
    np.testing.assert_allclose(strength, strength.T, rtol=1e-14)
    assert (elements[np.abs(np.subtract.outer(*2 * [np.arange(len(elements))])) > 1] == 0).all()
    assert elements[0, 0] == 0
    assert (np.diag(elements, 1) > 0).all()


@pytest.mark.parametrize("spin", [0.5, 1, 1.5])
def test_elements_from_matrices_on_the_product_space(spin):
    first, coupling = product_space(spin)
    energies, states = np.linalg.eigh(coupling)
    j = np.round((np.sqrt(1 + 8 * (energies + spin * (spin + 1))) - 1) / 2).astype(int)
    squares = (np.abs(states.conj().T @ first @ states) ** 2).sum(axis=0)
    sums = np.array(
        [[squares[np.ix_(j == a, j == b)].sum() for b in range(j.max() + 1)] for a in range(j.max() + 1)]
    )
    counts = 2 * np.arange(j.max() + 1) + 1
    np.testing.assert_allclose(sums / counts[:, None], pair_matrix_elements(spin), atol=1e-12)


@given(spins, st.floats(-20, 20), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_populations_against_mpmath(spin, coupling, temperature):
    y = mpmath.mpf(coupling) / temperature
    weights = [(2 * j + 1) * mpmath.exp(-y * j * (j + 1) / 2) for j in range(int(2 * spin) + 1)]
    reference = [float(w / mpmath.fsum(weights)) for w in weights]
    value = pair_level_populations(coupling, temperature, spin)
    np.testing.assert_allclose(value, reference, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize(("coupling", "ground"), [(1e300, 0), (-1e300, -1), (1e-300, None)])
def test_populations_at_extreme_couplings(coupling, ground):
    for spin in (0.5, 3.5, 100):
        for temperature in (1e-300, 1.0, 1e300):
            p = pair_level_populations(coupling, temperature, spin)
            assert p.sum() == pytest.approx(1.0, abs=1e-13)
            if ground is not None and temperature < 1e300:
                assert p[ground] == 1.0


@pytest.mark.parametrize("spin", [0.5, 1, 1.5])
@pytest.mark.parametrize("coupling", [-1.3, 0.0, 2.1])
def test_partition_function_is_the_trace(spin, coupling):
    _, interaction = product_space(spin)
    trace = np.exp(-np.linalg.eigvalsh(coupling * interaction) / 0.7).sum()
    assert pair_partition_function(coupling, 0.7, spin) == pytest.approx(trace, rel=1e-13)
    assert pair_partition_function(0.0, 0.7, spin) == pytest.approx((2 * spin + 1) ** 2, rel=1e-15)


@pytest.mark.parametrize("spin", [0.5, 1, 1.5])
@pytest.mark.parametrize("coupling", [-1.3, 0.9])
def test_correlator_by_evolution_of_the_operators(spin, coupling):
    first, interaction = product_space(spin)
    energies, states = np.linalg.eigh(coupling * interaction)
    spins_there = states.conj().T @ first @ states
    rho = np.exp(-energies / 0.6)
    rho /= rho.sum()
    for t in (-2.0, 0.0, 0.4, 3.1):
        evolution = np.exp(1j * energies * t)
        moved = evolution[:, None] * spins_there * evolution.conj()
        reference = np.einsum("i,aij,aji->", rho, spins_there, moved)
        assert pair_correlator(t, coupling, 0.6, spin) == pytest.approx(reference, abs=1e-12)


def test_correlator_of_the_singlet_turns_with_positive_phase():
    # <S(0)S(t)> of a singlet with triplet V above is (3/4) exp(iVt); Eq. (12) as printed has the other sign.
    assert pair_correlator(0.3, 2.0, 1e-3, 0.5) == pytest.approx(0.75 * np.exp(0.6j), abs=1e-14)
    assert pair_correlator(0.3, 2.0, 1e-3, 0.5).imag > 0


@given(spins, st.floats(-3, 3), st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_correlator_symmetries(spin, coupling, time, temperature):
    value = pair_correlator(time, coupling, temperature, spin)
    norm = spin * (spin + 1)
    assert pair_correlator(-time, coupling, temperature, spin) == pytest.approx(value.conjugate(), abs=1e-11)
    assert abs(value) <= norm * (1 + 1e-12)
    assert pair_correlator(0.0, coupling, temperature, spin) == pytest.approx(norm, rel=1e-13)
    assert pair_correlator(time, 0.0, temperature, spin) == pytest.approx(norm, rel=1e-13)


def test_arrays_broadcast_and_scalars_give_scalars():
    times, couplings = np.linspace(0, 1, 3), np.array([[-1.0], [2.0]])
    table = pair_correlator(times, couplings, 1.0, 1)
    assert table.shape == (2, 3)
    assert table[1, 2] == pair_correlator(1.0, 2.0, 1.0, 1)
    assert pair_level_populations(couplings, [1.0, 2.0], 1).shape == (2, 2, 3)
    assert pair_partition_function(couplings, [1.0, 2.0], 1).shape == (2, 2)
    assert isinstance(pair_partition_function(1, 1, 1), float)
    assert isinstance(pair_correlator(1, 1, 1, 1), complex)
    assert isinstance(rkky_coupling(1.0, 1.0, 1.0), float)
    assert rkky_coupling([[1.0, 2.0]], 1.0, 1.0).shape == (1, 2)


@given(st.floats(1e-6, 300))
@settings(max_examples=50, deadline=None)
def test_rkky_coupling_against_mpmath(x):
    with mpmath.workdps(40):
        argument = mpmath.mpf(x)
        reference = float((mpmath.cos(argument) - mpmath.sin(argument) / argument) / (argument / 2) ** 3)
    scale = 8 / (3 * x) if x < 1 else 8 / x**3
    assert rkky_coupling(x / 2, 1.0, 1.0) == pytest.approx(reference, abs=3e-13 * scale)


def test_rkky_coupling_limits():
    k = 2.5
    assert rkky_coupling(1e-12, k, 3.0) == pytest.approx(-4 / 3 * 3.0 * k**2 / 1e-12, rel=1e-12)
    r = 2000.3 / k
    assert rkky_coupling(r, k, 3.0) * r**3 == pytest.approx(3.0 * np.cos(2 * k * r), abs=3.0 / 4000)


@pytest.mark.parametrize("s", [0.3, 0.8, 1.6])
def test_rkky_coupling_is_the_lindhard_function_of_free_electrons(s):
    # Eq. (9): V(r) with V0 = nu J^2/2 pi must be the Fourier transform of -2 J^2 chi(q), chi = nu F(q/2kF).
    k, v0 = 0.7, 1.3
    r, weights = panel_rule(np.concatenate(([0.0], np.linspace(0.05, 3000, 6000))), 10)
    q = 2 * k * s
    transform = weights @ (4 * np.pi * r * rkky_coupling(r, k, v0) * np.sin(q * r) / q)
    lindhard = 0.5 + (1 - s**2) / (4 * s) * np.log(abs((1 + s) / (1 - s)))
    nu_j_squared = 2 * np.pi * v0
    assert transform == pytest.approx(-2 * nu_j_squared * lindhard, rel=2e-6)


def test_golden_rule_average_of_the_exchange():
    # Eq. (6): the mean of (S.sigma)^2 over all states, which multiplies 2 pi nu n_s J^2.
    for spin in (0.5, 1, 2.5):
        pauli = 2 * spin_matrices(0.5)
        exchange = sum(np.kron(a, b) for a, b in zip(spin_matrices(spin), pauli, strict=True))
        assert np.trace(exchange @ exchange).real / len(exchange) == pytest.approx(
            spin * (spin + 1), rel=1e-13
        )
        # Its constant part of the correlator is the same number: a free spin keeps K(t) = S(S+1).
        assert pair_correlator(12.3, 0.0, 1.0, spin) == pytest.approx(spin * (spin + 1), rel=1e-13)


BAD_SPINS = [0, -0.5, 0.3, 100.5, np.nan, np.inf]
BAD_NUMBERS = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("spin", BAD_SPINS)
def test_bad_spin(spin):
    calls = [
        lambda: pair_energies(1.0, spin),
        lambda: pair_matrix_elements(spin),
        lambda: pair_level_populations(1.0, 1.0, spin),
        lambda: pair_partition_function(1.0, 1.0, spin),
        lambda: pair_correlator(1.0, 1.0, 1.0, spin),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="spin"):
            call()


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_bad_numbers(bad):
    for name, call in [
        ("coupling", lambda: pair_energies(bad, 1)),
        ("coupling", lambda: pair_level_populations([1.0, bad], 1.0, 1)),
        ("temperature", lambda: pair_level_populations(1.0, bad, 1)),
        ("coupling", lambda: pair_partition_function(bad, 1.0, 1)),
        ("temperature", lambda: pair_partition_function(1.0, bad, 1)),
        ("time", lambda: pair_correlator(bad, 1.0, 1.0, 1)),
        ("coupling", lambda: pair_correlator(1.0, bad, 1.0, 1)),
        ("temperature", lambda: pair_correlator(1.0, 1.0, [bad], 1)),
        ("distance", lambda: rkky_coupling(bad, 1.0, 1.0)),
        ("fermi_wavenumber", lambda: rkky_coupling(1.0, bad, 1.0)),
        ("v0", lambda: rkky_coupling(1.0, 1.0, bad)),
    ]:
        with pytest.raises(ValueError, match=name):
            call()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_scales_must_be_positive(value):
    for name, call in [
        ("temperature", lambda: pair_level_populations(1.0, value, 1)),
        ("temperature", lambda: pair_partition_function(1.0, value, 1)),
        ("temperature", lambda: pair_correlator(1.0, 1.0, value, 1)),
        ("distance", lambda: rkky_coupling(value, 1.0, 1.0)),
        ("fermi_wavenumber", lambda: rkky_coupling(1.0, value, 1.0)),
        ("v0", lambda: rkky_coupling(1.0, 1.0, value)),
    ]:
        with pytest.raises(ValueError, match=name):
            call()


def test_wrong_types_and_shapes():
    for call in [
        lambda: pair_energies("1", 1),
        lambda: pair_matrix_elements("1"),
        lambda: pair_matrix_elements([0.5]),
    ]:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="broadcast"):
        pair_correlator([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1)
    with pytest.raises(ValueError, match=r"omega \(2,\), time \(3,\)"):
        broadcast(omega=np.ones(2), time=np.ones(3))
    with pytest.raises(TypeError, match="coupling"):
        pair_level_populations(1j, 1.0, 1)


def test_overflow_is_reported():
    with pytest.raises(ValueError, match="coupling"):
        pair_energies(1e308, 100)
    with pytest.raises(ValueError, match="coupling"):
        pair_partition_function(-1e3, 1.0, 2)
    with pytest.raises(ValueError, match="time"):
        pair_correlator(1e200, 1e200, 1.0, 1)
    with pytest.raises(ValueError, match="distance"):
        rkky_coupling(1e-200, 1e100, 1e100)
