"""Frozen-spin levels (30), (40), (75): golden rule, printed forms, the maximum of (27), Figs. 1 and 2."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from disorder.magnetic_alloys import (
    alpha_s,
    frozen_resistivity,
    frozen_spin_resistivity,
    kondo_resistivity,
    low_temperature_resistivity,
    residual_scattering_rate,
    resistivity_maximum,
    weak_localization_correction,
    weak_localization_minimum,
)
from disorder.magnetic_alloys.frozen_spins import frozen_level_threshold, frozen_scattering_rate
from disorder.numerics.validation import ValidityWarning

spins = st.integers(1, 14).map(lambda n: n / 2)
larger_spins = st.integers(2, 14).map(lambda n: n / 2)
logarithms = st.floats(0.01, 600.0)


@given(larger_spins, logarithms)
@settings(max_examples=30, deadline=None)
def test_printed_form_of_75(spin, logarithm):
    # 8 pi (n_s/nu) (S - 1/2)^2 / ln^2(T_K/T_sg), literally.
    literal = 8 * math.pi * (spin - 0.5) ** 2 / logarithm**2
    assert frozen_scattering_rate(spin, math.exp(-logarithm), 1.0, prefactor=2.0) == pytest.approx(
        literal, rel=1e-9
    )


@given(spins, logarithms, st.floats(0.1, 3.0))
@settings(max_examples=30, deadline=None)
def test_golden_rule_with_frozen_spins(spin, logarithm, c):
    # 2 pi nu n_s J^2 S^2 with nu J = c/ln, in units n_s/nu: a frozen spin has K = 2 pi S^2 delta(omega).
    rate = frozen_scattering_rate(spin, math.exp(logarithm), 1.0, prefactor=c)
    assert rate == pytest.approx(2 * math.pi * (c / logarithm) ** 2 * spin**2, rel=1e-9)


@given(larger_spins, st.floats(1e-8, 0.2))
@settings(max_examples=30, deadline=None)
def test_freezing_removes_the_spin_flips(spin, glass):
    # S(S+1) -> S^2 for the residual spin S - 1/2: the ratio to (59) at T = tilde T_sg is S_r/(S_r + 1).
    ratio = frozen_scattering_rate(spin, glass, 1.0) / residual_scattering_rate(glass, spin, 1.0)
    assert ratio == pytest.approx((spin - 0.5) / (spin + 0.5), rel=1e-12)


@given(larger_spins, st.floats(5.0, 60.0))
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_weak_scattering_lowers_the_unitary_resistivity(spin, logarithm):
    # (31): n_s Im T~ = 1/(2 tau~_s), so that (40) is 1 - pi/2 times the rate (75) in units n_s/nu.
    glass = math.exp(-logarithm)
    rate = frozen_scattering_rate(spin, glass, 1.0)
    assert 1 - frozen_resistivity(spin, glass, 1.0) == pytest.approx(math.pi / 2 * rate, rel=1e-9)


@given(spins, st.floats(0.5, 40.0))
@settings(max_examples=30, deadline=None)
def test_level_30_from_the_rate(spin, logarithm):
    # rho_1 of (27) belongs to the rate 2 pi c^2 S(S+1).
    rate = frozen_scattering_rate(spin, math.exp(logarithm), 1.0, prefactor=1.0)
    level = frozen_spin_resistivity(spin, math.exp(logarithm), 1.0)
    assert rate / (2 * math.pi * spin * (spin + 1)) == pytest.approx(level, rel=1e-12)


def test_spin_half_is_screened_completely():
    assert frozen_scattering_rate(0.5, 1e-3, 1.0) == 0.0


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
@pytest.mark.filterwarnings("ignore::disorder.numerics.validation.ValidityWarning")
def test_threshold_separates_level_from_maximum(spin):
    threshold = frozen_level_threshold(spin)
    for shift, below in ((1e-6, True), (-1e-6, False), (3.0, True), (-1.0, False)):
        glass = math.exp(threshold + shift)
        top = kondo_resistivity(resistivity_maximum(spin, glass, 1.0), spin, glass, 1.0)
        assert (frozen_spin_resistivity(spin, glass, 1.0) < top) is below


def test_threshold_in_25_digits():
    with mp.workdps(25):
        # S = 1/2: alpha is 4/3 of the integral over couplings of both signs of one minus the quenching.
        def integrand(y):
            y = mp.mpf(y)
            total = mp.mpf(0)
            for u in (y, -y):
                weight = 3 * mp.exp(-u) + 1
                total += 1 - (mp.mpf(2) / 3 * 3 * mp.exp(-u) + 2 * u / (mp.exp(u) - 1)) / weight
            return total / y**2

        alpha = (
            mp.mpf(4)
            / 3
            * (
                mp.quad(integrand, [mp.mpf("1e-8"), 0.5, 1, 2, 4, 8, 16, 32, 64])
                + mp.quad(integrand, [64, mp.inf])
            )
        )
        offset = 2 + mp.log(alpha / 2)
        z = mp.findroot(lambda z: z - mp.log(z) - offset - mp.sqrt(z * (z - 2) / 3), 6)
        expected = z - mp.log(z) - offset
    assert float(alpha) == pytest.approx(float(alpha_s(0.5)), rel=1e-7)
    assert frozen_level_threshold(0.5) == pytest.approx(float(expected), rel=1e-6)


def test_threshold_grows_with_spin_and_is_finite():
    values = [frozen_level_threshold(s) for s in (0.5, 1, 2, 5, 10, 30, 100)]
    assert (np.diff(values) > 0).all()
    assert 2.5 < values[0] < 3.5
    assert values[1] > math.log(1000)


@given(spins, st.floats(7.0, 60.0))
@settings(max_examples=25, deadline=None)
def test_height_of_the_maximum(spin, logarithm):
    # (27) at its maximum is 1/(z(z - 2)), z = 2 T*/(alpha T_sg): used by the threshold.
    glass = math.exp(logarithm)
    top = resistivity_maximum(spin, glass, 1.0)
    z = 2 * top / (alpha_s(spin) * glass)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        assert kondo_resistivity(top, spin, glass, 1.0) == pytest.approx(1 / (z * (z - 2)), rel=1e-9)


@pytest.mark.parametrize("spin", [0.5, 1.0, 2.5])
def test_fig_1_has_two_extrema_at_different_temperatures(spin):
    glass, transit = 1e3, 1e8
    top, bottom = resistivity_maximum(spin, glass, 1.0), weak_localization_minimum(spin, glass, 1.0)
    found = minimize_scalar(
        lambda t: -kondo_resistivity(t, spin, glass, 1.0),
        bounds=(2 * alpha_s(spin) * glass, 100 * top),
        method="bounded",
    )
    assert found.x == pytest.approx(top, rel=1e-3)
    temperature = np.geomspace(1.05 * glass, 1e3 * glass, 2000)
    full = weak_localization_correction(temperature, spin, glass, 1.0, transit)
    assert temperature[full.argmin()] == pytest.approx(bottom, rel=0.02)
    # (a/2)(ln(T/T_K) + 2) against (a/2)(ln(T/T_K) - 1): one T* for both holds to leading logarithm.
    assert 1.2 < top / bottom < 2.5
    far = resistivity_maximum(spin, 1e200, 1.0) / weak_localization_minimum(spin, 1e200, 1.0)
    assert far == pytest.approx(1 + 3 / math.log(1e200), rel=2e-3)


@pytest.mark.parametrize("spin", [0.5, 1.0, 2.5])
def test_weak_localization_needs_a_stronger_interaction_than_resistivity(spin):
    # (27) has a maximum from alpha T_sg = T_K on, (54) a minimum from alpha T_sg = 2 e^2 T_K on.
    glass = 5.0 / alpha_s(spin)
    assert resistivity_maximum(spin, glass, 1.0) > 1
    with pytest.raises(ValueError, match="t_sg"):
        weak_localization_minimum(spin, glass, 1.0)


@pytest.mark.parametrize("spin", [1.0, 1.5, 2.5])
def test_fig_2_is_monotonic_where_the_theory_speaks(spin):
    glass = 1e-6
    hot = np.geomspace(1e2, 1e6, 400)
    cold = np.geomspace(2.5 * alpha_s(spin - 0.5) * glass, 1e-2, 400)
    assert (np.diff(low_temperature_resistivity(cold, spin, glass, 1.0)) < 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ValidityWarning)
        assert (np.diff(kondo_resistivity(hot, spin, glass, 1.0)) < 0).all()
    assert frozen_resistivity(spin, glass, 1.0) > low_temperature_resistivity(cold, spin, glass, 1.0)[0]
    # The printed 4 pi^2 makes the unitary bracket negative over two decades and more below T_K.
    with pytest.warns(ValidityWarning):
        assert low_temperature_resistivity(1e-2, spin, 0.0, 1.0, prefactor=2.0) < 0


@given(st.floats(0.7, 600.0), spins)
@settings(max_examples=30, deadline=None)
def test_maximum_moves_faster_than_the_interaction(logarithm, spin):
    # d ln T*/d ln T_sg = 1/(1 - a/(2T*)) > 1, by implicit differentiation of T = a(1 + ln(T/T_K)/2).
    glass, h = math.exp(logarithm), 1e-5
    up, down = (resistivity_maximum(spin, glass * math.exp(s * h), 1.0) for s in (1, -1))
    slope = math.log(up / down) / (2 * h)
    top = resistivity_maximum(spin, glass, 1.0)
    assert slope == pytest.approx(1 / (1 - alpha_s(spin) * glass / (2 * top)), rel=1e-6)
    assert slope > 1


def test_shapes():
    assert type(frozen_scattering_rate(1, 0.1, 1.0)) is float
    assert frozen_scattering_rate(1, np.array([[0.1, 10.0]]), 1.0).shape == (1, 2)
    assert type(frozen_level_threshold(1)) is float


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0, "1", None, 1j, [[1.0], [1.0, 2.0]]])
def test_bad_input(bad):
    for call in (
        lambda: frozen_scattering_rate(bad, 0.1, 1.0),
        lambda: frozen_scattering_rate(1.0, bad, 1.0),
        lambda: frozen_scattering_rate(1.0, 0.1, bad),
        lambda: frozen_scattering_rate(1.0, 0.1, 1.0, prefactor=bad),
        lambda: frozen_level_threshold(bad),
    ):
        with pytest.raises((TypeError, ValueError), match="must"):
            call()
    with pytest.raises(ValueError, match="differ"):
        frozen_scattering_rate(1.0, 2.0, 2.0)


@given(st.integers(1, 200), st.floats(1e-300, 1e300), st.floats(1e-300, 1e300))
@settings(max_examples=40, deadline=None)
def test_extreme_but_legal(two_s, glass, kondo):
    if glass != kondo:
        assert math.isfinite(frozen_scattering_rate(two_s / 2, glass, kondo))
