"""Residual spins of underscreened impurities: couplings, self-consistent interaction, resistivity."""

import contextlib
import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from disorder.magnetic_alloys import (
    PRINTED_PREFACTOR,
    alpha_s,
    born_t_matrix,
    frozen_resistivity,
    low_temperature_resistivity,
    one_loop_flow,
    residual_coupling,
    residual_glass_temperature,
    residual_scattering_rate,
    resistivity_crossover,
    resistivity_crossover_estimate,
    rkky_energy_share,
    running_coupling,
    self_consistent_interaction,
)
from disorder.numerics.validation import ValidityWarning

SPINS = st.integers(2, 12).map(lambda n: n / 2)


def test_residual_coupling_is_the_ferromagnetic_flow():
    # A ferromagnetic nu J = -1/(2 ln(T_K/T)) at one temperature must stay so at every lower one.
    start = -residual_coupling(1e-2, 1.0)
    for temperature in (1e-3, 1e-9):
        assert one_loop_flow(start, 1e-2, temperature) == pytest.approx(
            -residual_coupling(temperature, 1.0), rel=1e-13
        )
    assert residual_coupling(1e-2, 1.0, prefactor=PRINTED_PREFACTOR) == pytest.approx(2 / math.log(100))


@pytest.mark.parametrize("spin", [1.0, 1.5, 3.0])
def test_residual_rate_is_the_born_rate_of_the_residual_spin(spin):
    # Equal logarithms above and below T_K give equal Born rates 2 n_s Im T for the spin S - 1/2.
    rate = residual_scattering_rate(1e-4, spin, 1.0)
    assert rate == pytest.approx(2 * born_t_matrix(1e4, 1.0, spin - 0.5), rel=1e-13)
    printed = residual_scattering_rate(1e-4, spin, 1.0, prefactor=PRINTED_PREFACTOR)
    assert printed == pytest.approx(8 * math.pi * (spin**2 - 0.25) / math.log(1e4) ** 2, rel=1e-13)


@settings(max_examples=40, deadline=None)
@given(st.floats(-250.0, 0.5), st.sampled_from([0.5, 1.0, 2.0]))
def test_self_consistent_interaction_solves_its_equation(exponent, prefactor):
    g = 10**exponent
    assume(g < 4 / math.e**2)
    concentration = g * 2 * math.pi / prefactor**2
    v = self_consistent_interaction(concentration, 1.0, prefactor=prefactor)
    assert 0 < v <= math.exp(-2.0) * (1 + 1e-7)
    # Residual in the form sqrt(v) ln(1/v) = sqrt(g), whose slope vanishes at the end of the branch.
    assert math.sqrt(v) * math.log(1 / v) == pytest.approx(math.sqrt(g), rel=1e-12)


def test_self_consistent_interaction_against_mpmath():
    for concentration in (1e-12, 1e-4, 0.5):
        with mpmath.workdps(40):
            g = mpmath.mpf(concentration) * 4 / (2 * mpmath.pi)

            def equation(x, g=g):
                return mpmath.log(x) - mpmath.log(g) + 2 * mpmath.log(-mpmath.log(x))

            ends = (g / 10**6, mpmath.exp(-2))
            v = mpmath.findroot(equation, ends, solver="anderson", tol=1e-60)
        value = self_consistent_interaction(concentration, 1.0, prefactor=2.0)
        assert value == pytest.approx(float(v), rel=1e-13)
    assert self_consistent_interaction(3e-4 * 7, 7.0) == pytest.approx(
        7 * self_consistent_interaction(3e-4, 1.0), rel=1e-13
    )


def test_self_consistent_interaction_ends_at_a_minimum_distance():
    for prefactor in (0.5, 2.0):
        limit = 4 / math.e**2 * 2 * math.pi / prefactor**2
        at_end = self_consistent_interaction(limit * (1 - 1e-12), 1.0, prefactor=prefactor)
        assert at_end == pytest.approx(math.exp(-2.0), rel=1e-5)
        with pytest.raises(ValueError, match="concentration"):
            self_consistent_interaction(limit * (1 + 1e-9), 1.0, prefactor=prefactor)


def test_logarithmic_accuracy_of_the_estimate():
    # v = g/ln^2(1/v) against g/ln^2(1/x): the ratio tends to one, but only like ln ln x/ln x.
    exponents = np.array([-4.0, -16.0, -64.0, -256.0])
    exact = np.asarray(self_consistent_interaction(10**exponents, 1.0))
    ratio = np.asarray(residual_glass_temperature(10**exponents, 1.0)) / exact
    assert (ratio > 1).all()
    assert (np.diff(ratio) < 0).all()
    assert ratio[0] > 3
    assert ratio[-1] < 1.12
    # ratio = (ln(1/v)/ln(1/x))^2 with ln(1/v) = ln(1/x) + ln(8 pi) + 2 ln ln(1/v).
    logs = -np.log(10.0) * exponents
    inner = logs + math.log(8 * math.pi) + 2 * np.log(-np.log(exact))
    np.testing.assert_allclose(ratio, (inner / logs) ** 2, rtol=1e-12)
    printed = residual_glass_temperature(1e-5, 1.0, prefactor=2.0)
    assert printed == pytest.approx(2e-5 / (math.pi * math.log(1e5) ** 2), rel=1e-13)


def test_energy_shell_of_the_interaction():
    # Free electrons (m = 1, E_F = 1/2, so k_F = v_F = 1): the static interaction at distance R is the
    # integral over imaginary frequencies of exp(2 i k(w) R), k = sqrt(1 + 2 i w). Cut it at w and compare.
    r = 300.0

    def partial(w):
        def part(take):
            def f(t):
                return take(np.exp(2j * r * (np.sqrt(1 + 2j * t) - 1)))

            return quad(f, 0, w, epsabs=1e-13, epsrel=1e-11, limit=400)[0]

        return part(np.real) + 1j * part(np.imag)

    whole = partial(30 / r)
    for w in (0.1 / r, 0.5 / r, 2.0 / r):
        assert abs(partial(w) / whole) == pytest.approx(rkky_energy_share(w, 1 / r), rel=3e-3)
    # |whole| = v_F/(2R): with the factor 1/R^2 of the squared propagator, the law 1/R^3.
    assert abs(whole) == pytest.approx(1 / (2 * r), rel=3e-3)
    assert rkky_energy_share(1e-9, 1.0) == pytest.approx(2e-9, rel=1e-8)
    assert rkky_energy_share(1e308, 1e-300) == 1.0


@pytest.mark.parametrize(("spin", "table"), [(1.0, 1.10), (2.0, 1.85), (3.0, 2.33), (4.0, 2.69)])
def test_low_temperature_resistivity_coefficients(spin, table):
    # alpha of the spin S - 1/2, against the printed Table I.
    temperature, t_sg = math.exp(-30.0), math.exp(-36.0)
    for prefactor, square in ((0.5, math.pi**2 / 4), (2.0, 4 * math.pi**2)):
        free = low_temperature_resistivity(temperature, spin, 0.0, 1.0, prefactor=prefactor)
        assert (1 - free) == pytest.approx(square * (spin**2 - 0.25) / 900, rel=1e-12)
        coupled = low_temperature_resistivity(temperature, spin, t_sg, 1.0, prefactor=prefactor)
        assert (coupled - free) / (1 - free) / math.exp(-6.0) == pytest.approx(table, abs=6e-3)


def test_unitarity_deficit_of_spin_one():
    # The deficit of spin 1, 3 pi^2/16 / ln^2(T_K/T), as known for the underscreened model.
    value = low_temperature_resistivity(math.exp(-50.0), 1.0, 0.0, 1.0)
    assert (1 - value) * 2500 == pytest.approx(3 * math.pi**2 / 16, rel=1e-12)


def test_printed_prefactor_leaves_no_room():
    # With 4 pi^2 the result is negative for spin 1 down to ln(T_K/T) = pi sqrt(3).
    end = math.exp(-math.pi * math.sqrt(3.0))
    assert 0 <= low_temperature_resistivity(end * (1 - 1e-9), 1.0, 0.0, 1.0, prefactor=2.0) < 1e-8
    with pytest.warns(ValidityWarning, match=r"\[0, 1\]"):
        low_temperature_resistivity(1.01 * end, 1.0, 0.0, 1.0, prefactor=2.0)
    assert low_temperature_resistivity(1.01 * end, 1.0, 0.0, 1.0) > 0.9
    with pytest.warns(ValidityWarning, match="virial"):
        low_temperature_resistivity(1e-9, 1.0, 1.0001e-9, 1.0)


@settings(max_examples=30, deadline=None)
@given(SPINS, st.floats(0.5, 60.0))
def test_crossover_makes_both_slopes_equal(spin, decades):
    # The deficit (1 - a/T)/ln^2(T_K/T) depends on T like on 1/T_K in the logarithm and like on 1/a beside it.
    t_sg = 10**-decades
    assume(float(alpha_s(spin - 0.5)) * t_sg < 0.9)
    t = resistivity_crossover(spin, t_sg, 1.0)
    a = mpmath.mpf(float(alpha_s(spin - 0.5)) * t_sg)

    def deficit(log_k, log_a):
        return (1 - mpmath.exp(log_a) * a / t) / (mpmath.mpf(log_k) - mpmath.log(t)) ** 2

    with mpmath.workdps(40):
        kondo = mpmath.diff(lambda x: deficit(x, 0), 0)
        interaction = mpmath.diff(lambda x: deficit(0, x), 0)
        assert abs(kondo / interaction - 1) < 1e-9
    assert a < t < 1.0


def test_crossover_slopes_of_the_public_function():
    t_sg, h = 1e-6, 1e-4
    t = resistivity_crossover(1.5, t_sg, 1.0)

    def f(log_sg, log_k):
        return low_temperature_resistivity(t, 1.5, t_sg * math.exp(log_sg), math.exp(log_k))

    kondo = (f(0, h) - f(0, -h)) / (2 * h)
    interaction = (f(h, 0) - f(-h, 0)) / (2 * h)
    assert kondo == pytest.approx(interaction, rel=1e-6)
    assert kondo > 0


def test_crossover_against_lambert_and_its_end():
    with mpmath.workdps(30):
        a = mpmath.mpf(float(alpha_s(1.0))) * mpmath.mpf(1e-7)
        reference = float(a / 2 * mpmath.lambertw(2 * mpmath.e**2 / a))
    assert resistivity_crossover(1.5, 1e-7, 1.0) == pytest.approx(reference, rel=1e-14)
    a = float(alpha_s(0.5))
    assert resistivity_crossover(1.0, 1.0, a) == pytest.approx(a, rel=1e-14)  # at the end T = a = T_K
    with pytest.raises(ValueError, match="t_k"):
        resistivity_crossover(1.0, 1.0, 0.999 * a)
    assert resistivity_crossover(1.0, 1e-300, 1e300) > 0


def test_estimate_of_the_crossover():
    # Exactly, T/(leading logarithm) - 1 = [2 - ln(T/T_sg)]/ln(T_K/T_sg): good when the logarithm is large.
    for n in (2, 8, 32, 128):
        t = resistivity_crossover(1.0, 10.0**-n, 1.0)
        ratio = t / resistivity_crossover_estimate(1.0, 10.0**-n, 1.0)
        logarithm = n * math.log(10)
        assert ratio - 1 == pytest.approx((2 - math.log(t) - logarithm) / logarithm, rel=1e-9)
    value = resistivity_crossover_estimate(2.0, 1e-3, 1.0)
    assert value == pytest.approx(1.85 / 2 * 1e-3 * math.log(1e3), rel=2e-3)


@settings(max_examples=30, deadline=None)
@given(SPINS, st.floats(8.0, 60.0), st.floats(0.05, 2.0))
def test_resistivity_falls_with_temperature_below_t_k(spin, logarithm, step):
    # Monotonic wherever the expansion holds: T above alpha T_sg.
    t_sg = math.exp(-logarithm)
    low = 1.01 * float(alpha_s(spin - 0.5)) * t_sg
    assume(low * math.exp(step) < math.exp(-math.pi / 2 * spin))
    first = low_temperature_resistivity(low, spin, t_sg, 1.0)
    second = low_temperature_resistivity(low * math.exp(step), spin, t_sg, 1.0)
    assert second < first <= 1.0


def test_frozen_resistivity():
    for prefactor, square in ((0.5, math.pi**2 / 4), (2.0, 4 * math.pi**2)):
        value = frozen_resistivity(1.5, math.exp(-20.0), 1.0, prefactor=prefactor)
        assert 1 - value == pytest.approx(square / 400, rel=1e-12)
    # Freezing takes S(S+1) to S^2 of the residual spin, at equal logarithm.
    free = low_temperature_resistivity(1e-9, 2.0, 0.0, 1.0)
    assert (1 - frozen_resistivity(2.0, 1e-9, 1.0)) / (1 - free) == pytest.approx(1.5 / 2.5, rel=1e-12)
    with pytest.warns(ValidityWarning, match="frozen"):
        assert frozen_resistivity(3.0, 0.5, 1.0) < 0


BAD_POSITIVE = [0.0, -1.0, math.nan, math.inf, "1", None, True]


@pytest.mark.parametrize("bad", BAD_POSITIVE)
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: residual_coupling(v, 1.0), "temperature"),
        (lambda v: residual_coupling(0.1, v), "t_k"),
        (lambda v: residual_coupling(0.1, 1.0, prefactor=v), "prefactor"),
        (lambda v: residual_scattering_rate(v, 1.0, 1.0), "temperature"),
        (lambda v: residual_scattering_rate(0.1, v, 1.0), "spin"),
        (lambda v: residual_scattering_rate(0.1, 1.0, v), "t_k"),
        (lambda v: self_consistent_interaction(v, 1.0), "concentration"),
        (lambda v: self_consistent_interaction(0.1, v), "t_k"),
        (lambda v: self_consistent_interaction(0.1, 1.0, prefactor=v), "prefactor"),
        (lambda v: residual_glass_temperature(v, 1.0), "concentration"),
        (lambda v: residual_glass_temperature(0.1, v), "t_k"),
        (lambda v: rkky_energy_share(1.0, v), "transit_energy"),
        (lambda v: low_temperature_resistivity(v, 1.0, 0.0, 1.0), "temperature"),
        (lambda v: low_temperature_resistivity(0.01, v, 0.0, 1.0), "spin"),
        (lambda v: low_temperature_resistivity(0.01, 1.0, 0.0, v), "t_k"),
        (lambda v: resistivity_crossover(v, 0.1, 1.0), "spin"),
        (lambda v: resistivity_crossover(1.0, v, 1.0), "t_sg"),
        (lambda v: resistivity_crossover(1.0, 0.1, v), "t_k"),
        (lambda v: resistivity_crossover_estimate(1.0, v, 1.0), "t_sg"),
        (lambda v: resistivity_crossover_estimate(1.0, 0.1, v), "t_k"),
        (lambda v: frozen_resistivity(v, 0.01, 1.0), "spin"),
        (lambda v: frozen_resistivity(1.0, v, 1.0), "t_sg"),
        (lambda v: frozen_resistivity(1.0, 0.01, v), "t_k"),
    ],
)
def test_bad_input(call, name, bad):
    with pytest.raises((ValueError, TypeError), match=name):
        call(bad)


def test_bad_combinations():
    for call in (residual_scattering_rate, low_temperature_resistivity):
        arguments = (0.1, 0.5, 1.0) if call is residual_scattering_rate else (0.1, 0.5, 0.0, 1.0)
        with pytest.raises(ValueError, match="spin"):  # a fully screened spin leaves no residual spin
            call(*arguments)
    with pytest.raises(ValueError, match="temperature"):
        residual_coupling([0.5, 1.0], 1.0)
    with pytest.raises(ValueError, match="t_sg"):
        low_temperature_resistivity(0.1, 1.0, -0.1, 1.0)
    with pytest.raises(ValueError, match="energy"):
        rkky_energy_share([-1.0], 1.0)
    with pytest.raises(ValueError, match="t_sg"):
        frozen_resistivity(1.0, 2.0, 1.0)


def test_shapes():
    grid = np.full((2, 3), 1e-3)
    for function in (residual_coupling, residual_glass_temperature, self_consistent_interaction):
        assert np.shape(function(grid, 1.0)) == (2, 3)
        assert isinstance(function(1e-3, 1.0), float)
    assert np.shape(low_temperature_resistivity(grid, 1.0, 0.0, 1.0)) == (2, 3)
    assert np.shape(low_temperature_resistivity(grid, 1.0, 1e-4, 1.0)) == (2, 3)
    assert isinstance(low_temperature_resistivity(1e-3, 1.0, 1e-4, 1.0), float)
    assert np.shape(frozen_resistivity(1.0, grid, 1.0)) == (2, 3)
    assert isinstance(rkky_energy_share(1.0, 1.0), float)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), SPINS)
def test_extreme_scales_give_a_number_or_a_clear_error(low, high, spin):
    assume(low < high)
    assert 0 < residual_coupling(low, high) < math.inf
    assert 0 < residual_scattering_rate(low, spin, high) < math.inf
    assert 0 <= rkky_energy_share(high, low) <= 1
    assert 0 <= residual_glass_temperature(low, high) < math.inf
    for call in (
        lambda: self_consistent_interaction(low, high),
        lambda: resistivity_crossover(spin, low, high),
    ):
        with contextlib.suppress(ValueError):  # no solution below T_K
            assert 0 <= call() < high


def test_one_step_of_rounding_from_the_kondo_temperature():
    below = np.nextafter(1.0, 0.0)
    assert residual_coupling(below, 1.0) == pytest.approx(0.5 / 2.0**-53, rel=1e-12)
    assert running_coupling(np.nextafter(1.0, 2.0), 1.0) == pytest.approx(0.5 / 2.0**-52, rel=1e-12)
    with pytest.raises(ValueError, match="temperature"):
        low_temperature_resistivity(1e-200, 1.0, 1e-50, 1.0)
