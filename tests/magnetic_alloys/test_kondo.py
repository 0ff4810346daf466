"""The Kondo impurity: scaling against exact diagonalisation, Suhl-Nagaoka integrals, local Fermi liquid."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from disorder.magnetic_alloys import (
    PRINTED_PREFACTOR,
    born_t_matrix,
    fermi_liquid_resistivity,
    fermi_liquid_t_matrix,
    kondo_temperatures,
    one_loop_flow,
    running_coupling,
    suhl_nagaoka_t_matrix,
    unitarity_temperature,
)
from disorder.numerics.quadrature import panel_rule
from disorder.numerics.validation import ValidityWarning

SPINS = st.integers(1, 20).map(lambda n: n / 2)


def spin_matrices(spin: float) -> list[np.ndarray]:
    m = np.arange(spin, -spin - 1, -1)
    plus = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1)
    return [(plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m).astype(complex)]


def three_level_energies(spin: float, coupling: float, level: float) -> np.ndarray:
    """Lowest 2(2S+1) energies of J S.sigma for an impurity and electrons in orbitals 0, +level, -level.

    Every pair of orbitals is coupled, as for a contact interaction; of three electrons the lowest states
    hold one electron in the orbital at zero, a filled orbital below and an empty one above.
    """
    orbitals = [0.0, level, -level]
    states = [n for n in range(64) if n.bit_count() == 3]
    index = {n: i for i, n in enumerate(states)}
    pauli = [2 * s for s in spin_matrices(0.5)]
    impurity = spin_matrices(spin)
    dim = round(2 * spin + 1)
    h = np.zeros((len(states) * dim,) * 2, dtype=complex)
    for n, i in index.items():
        energy = sum(orbitals[p // 2] for p in range(6) if n >> p & 1)
        h[i * dim : (i + 1) * dim, i * dim : (i + 1) * dim] += energy * np.eye(dim)
        for p, q in itertools.product(range(6), repeat=2):  # c^dagger_p c_q
            if not n >> q & 1:
                continue
            middle = n ^ (1 << q)
            if middle >> p & 1:
                continue
            sign = (-1) ** ((n & ((1 << q) - 1)).bit_count() + (middle & ((1 << p) - 1)).bit_count())
            j = index[middle | 1 << p]
            block = sum(
                sign * coupling * sigma[p % 2, q % 2] * s for sigma, s in zip(pauli, impurity, strict=True)
            )
            h[j * dim : (j + 1) * dim, i * dim : (i + 1) * dim] += block
    return np.linalg.eigvalsh(h)[: 2 * dim]


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5])
def test_one_loop_scaling_prefactor(spin):
    # The levels S +- 1/2 of J S.sigma lie J(2S+1) apart. One pair of orbitals at +-eps must add 2 J^2/eps to
    # J: with nu dD orbitals on each side, dJ/dlnD = -2 nu J^2, hence nu J = 1/(2 ln(T/T_K)), not 2/ln.
    eps = 1.0
    increments = []
    for j in (2e-3, 1e-3):
        levels = three_level_energies(spin, j, eps)
        upper, lower = round(2 * spin + 2), round(2 * spin)
        splitting = levels[lower:].mean() - levels[:lower].mean()
        assert levels[:lower].std() < 1e-12
        assert levels[lower:].std() < 1e-12
        assert upper + lower == levels.size
        increments.append((splitting / (2 * spin + 1) - j) * eps / j**2)
    extrapolated = 2 * increments[1] - increments[0]
    assert extrapolated == pytest.approx(2.0, abs=2e-4)
    # The same number in the differential equation that the package solves.
    g, h = 0.05, 1e-5
    slope = (one_loop_flow(g, 1.0, math.exp(-h)) - g) / h
    assert slope == pytest.approx(extrapolated * g**2, rel=3e-4)


def test_flow_solves_its_equation_and_diverges_at_t_k():
    for start in (0.08, -0.3):
        solution = solve_ivp(lambda _, g: 2 * g**2, (0.0, 5.0), [start], rtol=1e-11, atol=1e-13)
        assert one_loop_flow(start, 1.0, math.exp(-5.0)) == pytest.approx(solution.y[0, -1], rel=1e-9)
    bare, width = 0.07, 3.0
    t_k = width * math.exp(-1 / (2 * bare))
    temperatures = np.geomspace(2 * t_k, width, 7)
    np.testing.assert_allclose(
        one_loop_flow(bare, width, temperatures), running_coupling(temperatures, t_k), rtol=1e-12
    )
    with pytest.raises(ValueError, match="cutoff"):
        one_loop_flow(bare, width, t_k * 0.99)


@settings(max_examples=30, deadline=None)
@given(st.floats(-2.0, 0.09), st.floats(0.0, 3.0), st.floats(0.0, 2.0))
def test_flow_is_a_group(start, first, second):
    once = one_loop_flow(start, 1.0, math.exp(-first - second))
    twice = one_loop_flow(one_loop_flow(start, 1.0, math.exp(-first)), 1.0, math.exp(-second))
    assert twice == pytest.approx(once, rel=1e-10, abs=1e-300)


def test_running_coupling_values():
    assert running_coupling(math.e**4, 1.0) == pytest.approx(1 / 8, rel=1e-14)
    assert running_coupling(math.e**4, 1.0, prefactor=PRINTED_PREFACTOR) == pytest.approx(0.5, rel=1e-14)
    assert running_coupling(1e308, 1e-300) == pytest.approx(0.5 / (608 * math.log(10)), rel=1e-12)


@pytest.mark.parametrize("spin", [0.5, 1.0, 2.5])
def test_suhl_nagaoka_gives_the_same_prefactor(spin):
    # Far above T_K the resonant form must join Born's golden rule; the printed rate is 16 times too large.
    ratio = np.exp(np.array([100.0, 400.0]))
    exact = np.asarray(suhl_nagaoka_t_matrix(ratio, 1.0, spin))
    deviation = np.asarray(born_t_matrix(ratio, 1.0, spin)) / exact - 1
    expected = 0.75 * math.pi**2 * spin * (spin + 1) / np.log(ratio) ** 2
    np.testing.assert_allclose(deviation, expected, rtol=0.03)
    printed = np.asarray(born_t_matrix(ratio, 1.0, spin, prefactor=PRINTED_PREFACTOR))
    np.testing.assert_allclose(printed / exact, 16 * (1 + expected), rtol=1e-3)


def test_suhl_nagaoka_logarithm_is_the_kondo_integral():
    # X(eps) - X(0) against the principal value of the third-order term, int tanh(e/2T)/(e - eps) de / 2.
    for ratio in (0.7, 4.0, 25.0):
        eps, top = ratio, 4000.0

        def paired(x, eps=eps):
            # Pairs e = eps +- x remove the pole.
            return (math.tanh((eps + x) / 2) - math.tanh((eps - x) / 2)) / x

        value = quad(paired, 0, 60 + 2 * eps, limit=400, epsabs=1e-12)[0] / 2
        value += math.log(top / (60 + 2 * eps))  # beyond: tanh difference is 2
        reference = quad(lambda x: 2 * math.tanh(x / 2) / x, 0, 60, epsabs=1e-12)[0] / 2 + math.log(top / 60)
        x = [_logarithm(suhl_nagaoka_t_matrix(1e3, 1.0, 0.5, e * 1e3), 0.5) for e in (eps, 0.0)]
        assert x[0] - x[1] == pytest.approx(reference - value, abs=1e-9)


def _logarithm(t_matrix, spin):
    q = 1 - 2 * math.pi * t_matrix  # X / sqrt(X^2 + pi^2 S(S+1))
    return q * math.pi * math.sqrt(spin * (spin + 1) / (1 - q * q))


def test_suhl_nagaoka_limits():
    assert suhl_nagaoka_t_matrix(2.0, 2.0, 3.5) == pytest.approx(1 / (2 * math.pi), rel=1e-14)
    x = 1000.0
    with mpmath.workdps(40):
        root = mpmath.sqrt(mpmath.mpf(x) ** 2 + mpmath.pi**2 * mpmath.mpf("0.75"))
        reference = float((1 - x / root) / (2 * mpmath.pi))
        below = float((1 + x / root) / (2 * mpmath.pi))
    # ln(exp(300) / exp(-700)) = 1000; the value is small and must not be a difference of ones.
    assert suhl_nagaoka_t_matrix(math.exp(300.0), math.exp(-700.0), 0.5) == pytest.approx(
        reference, rel=1e-12
    )
    with pytest.warns(ValidityWarning, match="Suhl-Nagaoka"):
        assert suhl_nagaoka_t_matrix(math.exp(-700.0), math.exp(300.0), 0.5) == pytest.approx(
            below, rel=1e-14
        )


@settings(max_examples=40, deadline=None)
@given(SPINS, st.floats(0.0, 300.0), st.floats(-1e3, 1e3))
def test_suhl_nagaoka_obeys_unitarity_and_falls_with_energy(spin, logarithm, energy):
    value = suhl_nagaoka_t_matrix(math.exp(logarithm), 1.0, spin, energy)
    at_zero = suhl_nagaoka_t_matrix(math.exp(logarithm), 1.0, spin)
    assert 0 < value <= at_zero <= 1 / math.pi
    assert value == suhl_nagaoka_t_matrix(math.exp(logarithm), 1.0, spin, -energy)


@pytest.mark.parametrize(("prefactor", "s_half"), [(0.5, 3.898), (2.0, 230.8)])
def test_unitarity_bound(prefactor, s_half):
    # 1 - Re S <= 2 bounds nu Im T by 1/pi; printed prefactor: broken below about 230 T_K for S = 1/2.
    assert unitarity_temperature(0.5, prefactor=prefactor) == pytest.approx(s_half, rel=2e-4)
    for spin in (0.5, 1.5, 3.0):
        limit = unitarity_temperature(spin, prefactor=prefactor)
        at_bound = math.pi * (prefactor / math.log(limit)) ** 2 * spin * (spin + 1)
        assert at_bound == pytest.approx(1 / math.pi, rel=1e-12)
        assert born_t_matrix(1.001 * limit, 1.0, spin, prefactor=prefactor) < 1 / math.pi
        with pytest.warns(ValidityWarning, match="unitarity"):
            assert born_t_matrix(0.999 * limit, 1.0, spin, prefactor=prefactor) > 1 / math.pi


def test_born_rate_is_the_golden_rule():
    # 2 Im T = 2 pi nu J^2 sum_a S_a S_a sigma_a sigma_a: average the matrix product, for a free spin.
    for spin in (0.5, 2.0):
        matrices = zip(spin_matrices(spin), spin_matrices(0.5), strict=True)
        vertex = sum(np.kron(s, 2 * sigma) for s, sigma in matrices)
        squared = np.trace(vertex @ vertex).real / vertex.shape[0]
        j = running_coupling(1e4, 1.0)
        assert 2 * born_t_matrix(1e4, 1.0, spin) == pytest.approx(2 * math.pi * j**2 * squared, rel=1e-12)


# Below the Kondo temperature


def amplitude(energy, heat, t_0):
    """One-electron amplitude of Nozieres' Fermi liquid: phase shift pi/2 + energy/T_0, loss eta."""
    eta = 2 * (energy**2 + (math.pi * heat) ** 2) / t_0**2
    return np.sqrt(1 - eta) * np.exp(2j * (math.pi / 2 + energy / t_0))


@pytest.mark.parametrize(("energy", "heat"), [(1.0, 0.0), (0.0, 1.0), (2.0, 0.7)])
def test_fermi_liquid_t_matrix_from_phase_shift_and_loss(energy, heat):
    scales = kondo_temperatures(specific_heat=1.0)
    errors = []
    for small in (1e-2, 5e-3):
        s = amplitude(energy * small, heat * small, scales.phase_shift)
        exact = (1 - s.real) / (2 * math.pi)
        value = fermi_liquid_t_matrix(energy * small, heat * small, 1.0)
        errors.append(abs(value - exact))
        assert errors[-1] < 0.05 * abs(1 / math.pi - value)
    assert errors[1] < errors[0] / 12  # what is left is of fourth order


def test_printed_coefficient_of_the_residual_t_matrix():
    residual = 1 / math.pi - fermi_liquid_t_matrix(0.02, 0.01, 1.0)
    assert residual == pytest.approx(9 * math.pi / 8 * (3 * 0.02**2 + math.pi**2 * 0.01**2), rel=1e-12)


def test_inelastic_rate_from_phase_space():
    # Golden rule with the quasiparticle interaction fixed by the pinned resonance, nu U = 1/(pi nu T_0): the
    # rate is 2/(pi nu T_0^2) times the phase space, which must be (energy^2 + pi^2 T^2)/2.
    nodes, weights = panel_rule(np.linspace(-45, 45, 31), 16)

    def fermi(x):
        return 0.5 * (1 - np.tanh(x / 2))

    for energy in (0.0, 1.3, 4.0):
        a, b = np.meshgrid(nodes, nodes)
        last = energy + a - b
        loss = fermi(a) * (1 - fermi(b)) * (1 - fermi(last)) + (1 - fermi(a)) * fermi(b) * fermi(last)
        assert weights @ loss @ weights == pytest.approx((energy**2 + math.pi**2) / 2, rel=1e-10)


def test_resistivity_is_the_thermal_average():
    nodes, weights = panel_rule(np.linspace(-40, 40, 33), 16)
    thermal = weights / (4 * np.cosh(nodes / 2) ** 2)
    heat = 1e-3
    average = thermal @ np.asarray(fermi_liquid_t_matrix(heat * nodes, heat, 1.0))
    assert math.pi * average == pytest.approx(fermi_liquid_resistivity(heat, 1.0), rel=1e-13)
    assert 1 - fermi_liquid_resistivity(heat, 1.0) == pytest.approx(9 * math.pi**4 / 4 * heat**2, rel=1e-9)


def test_kondo_temperature_of_the_fermi_liquid_is_the_specific_heat_scale():
    # Entropy of two spin directions with the extra density of states 1/(pi T_0), by its integral.
    scales = kondo_temperatures(specific_heat=1.0)
    nodes, weights = panel_rule(np.linspace(0, 45, 16), 16)
    f = 1 / (np.exp(nodes) + 1)
    entropy = -2 * weights @ (f * np.log(f) + (1 - f) * np.log1p(-f))  # per level density and T, both signs
    heat_per_t = 2 * entropy / (math.pi * scales.phase_shift)
    assert heat_per_t == pytest.approx(math.pi**2, rel=1e-12)  # C = pi^2 T/T_K
    assert scales.specific_heat == 1.0


def test_wilson_ratio_fixes_the_wilson_temperature():
    scales = kondo_temperatures(wilson=1.0)
    with mpmath.workdps(30):
        w = mpmath.exp(mpmath.euler + mpmath.mpf(1) / 4) / mpmath.pi ** mpmath.mpf("1.5")
    # (g mu_B)^2 = 1: chi = w/(4 T_W); chi/chi_band = 2 C/C_band, chi_band = nu/2, C_band = 2 pi^2 nu T/3.
    chi_over_c = float(w) / 4 / (math.pi**2 / scales.specific_heat)
    assert chi_over_c / (0.5 / (2 * math.pi**2 / 3)) == pytest.approx(2.0, rel=1e-12)
    assert scales.specific_heat == pytest.approx(14.6, abs=0.05)
    assert scales.phase_shift == pytest.approx(3.10, abs=0.005)


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-12, 1e12))
def test_kondo_temperatures_round_trip(value):
    scales = kondo_temperatures(phase_shift=value)
    for name in ("specific_heat", "wilson"):
        back = kondo_temperatures(**{name: getattr(scales, name)})
        assert back.phase_shift == pytest.approx(value, rel=1e-13)


def test_fermi_liquid_resistivity_vanishes_within_its_own_kondo_scale():
    zero = 2 / (3 * math.pi**2)
    assert abs(fermi_liquid_resistivity(zero, 1.0)) < 1e-12
    with pytest.warns(ValidityWarning, match="Fermi-liquid"):
        assert fermi_liquid_resistivity(1.01 * zero, 1.0) < 0
    with pytest.warns(ValidityWarning, match="Fermi-liquid"):
        fermi_liquid_t_matrix(-1.0, 0.0, 1.0)


BAD_POSITIVE = [0.0, -1.0, math.nan, math.inf, "1", None, True]


@pytest.mark.parametrize("bad", BAD_POSITIVE)
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: one_loop_flow(0.1, v, 0.5), "bandwidth"),
        (lambda v: one_loop_flow(0.1, 1.0, v), "cutoff"),
        (lambda v: running_coupling(v, 1e-9), "temperature"),
        (lambda v: running_coupling(5.0, v), "t_k"),
        (lambda v: running_coupling(5.0, 1.0, prefactor=v), "prefactor"),
        (lambda v: born_t_matrix(v, 1e-9, 0.5), "temperature"),
        (lambda v: born_t_matrix(50.0, v, 0.5), "t_k"),
        (lambda v: born_t_matrix(50.0, 1.0, v), "spin"),
        (lambda v: born_t_matrix(50.0, 1.0, 0.5, prefactor=v), "prefactor"),
        (lambda v: unitarity_temperature(v), "spin"),
        (lambda v: unitarity_temperature(0.5, prefactor=v), "prefactor"),
        (lambda v: suhl_nagaoka_t_matrix(v, 1e-9, 0.5), "temperature"),
        (lambda v: suhl_nagaoka_t_matrix(5.0, v, 0.5), "t_k"),
        (lambda v: suhl_nagaoka_t_matrix(5.0, 1.0, v), "spin"),
        (lambda v: fermi_liquid_t_matrix(0.0, 0.0, v), "t_k"),
        (lambda v: fermi_liquid_resistivity(0.0, v), "t_k"),
        (lambda v: kondo_temperatures(wilson=v), "wilson|exactly one"),
    ],
)
def test_bad_scalars(call, name, bad):
    with pytest.raises((ValueError, TypeError), match=name):
        call(bad)


@pytest.mark.parametrize("bad", [math.nan, [1.0, math.inf], "x", [[1.0], [2.0, 3.0]], None, 1j])
def test_bad_arrays(bad):
    for call, name in [
        (lambda v: one_loop_flow(v, 1.0, 0.5), "coupling"),
        (lambda v: suhl_nagaoka_t_matrix(5.0, 1.0, 0.5, v), "energy"),
        (lambda v: fermi_liquid_t_matrix(v, 0.0, 1.0), "energy"),
        (lambda v: fermi_liquid_t_matrix(0.0, v, 1.0), "temperature"),
        (lambda v: fermi_liquid_resistivity(v, 1.0), "temperature"),
    ]:
        with pytest.raises((ValueError, TypeError), match=name):
            call(bad)


def test_bad_combinations():
    with pytest.raises(ValueError, match="temperature"):
        running_coupling([2.0, 1.0], 1.0)
    with pytest.raises(ValueError, match="exactly one"):
        kondo_temperatures()
    with pytest.raises(ValueError, match="exactly one"):
        kondo_temperatures(wilson=1.0, phase_shift=2.0)
    with pytest.raises(ValueError, match="spin"):
        born_t_matrix(50.0, 1.0, 0.75)
    with pytest.raises(ValueError, match="prefactor"):
        unitarity_temperature(0.5, prefactor=1e6)
    with pytest.raises(ValueError, match="cutoff"):
        one_loop_flow(0.1, 1.0, 1.5)
    with pytest.raises(ValueError, match="t_k"):
        fermi_liquid_resistivity(1e300, 1e-300)


def test_shapes():
    temperatures = np.array([[10.0, 20.0], [30.0, 40.0]])
    assert np.shape(running_coupling(temperatures, 1.0)) == (2, 2)
    assert isinstance(running_coupling(10, 1), float)
    assert np.shape(suhl_nagaoka_t_matrix(temperatures[:, :1], 1.0, 0.5, np.zeros(3))) == (2, 3)
    assert isinstance(suhl_nagaoka_t_matrix(2.0, 1.0, 0.5), float)
    assert np.shape(fermi_liquid_t_matrix(np.zeros(3), 0.0, 1.0)) == (3,)
    assert isinstance(fermi_liquid_resistivity(0.0, 1.0), float)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.floats(-1e300, 1e300))
def test_extreme_scales_above_t_k(low, high, energy):
    if low >= high:
        low, high = high, low * (1 + 1e-9)
    assert 0 < running_coupling(high, low) < math.inf
    assert 0 < suhl_nagaoka_t_matrix(high, low, 0.5, energy) <= 1 / (2 * math.pi)
    assert one_loop_flow(-1e6, high, low) < 0
    assert kondo_temperatures(wilson=low).specific_heat > low
