"""Weak localization against temperature: rates, T_sg tau_s, the full correction and its minimum."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import lambertw

from disorder.magnetic_alloys import (
    PRINTED_PREFACTOR,
    alpha_s,
    interaction_per_rate,
    resistivity_maximum,
    running_coupling,
    spin_flip_rate,
    weak_localization_correction,
    weak_localization_crossover,
    weak_localization_minimum,
    weak_localization_plateau,
)
from disorder.numerics.validation import ValidityWarning

quick = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("spin", [0.5, 1.0, 3.5])
def test_rate_is_the_golden_rule(spin):
    """(6) with the coupling of (2): 2 pi nu n_s J^2 S(S+1) in units n_s/nu."""
    t = np.geomspace(1e6, 1e12, 5)
    coupling = running_coupling(t, 1.0)
    np.testing.assert_allclose(
        spin_flip_rate(t, spin, 1.0), 2 * np.pi * coupling**2 * spin * (spin + 1), rtol=1e-13
    )


def test_rate_as_printed():
    """(52) with its factor 8 pi, and the factor 16 between it and the rate of the one-loop coupling."""
    t, logarithm = math.exp(40.0), 40.0
    printed = spin_flip_rate(t, 1.5, 1.0, prefactor=PRINTED_PREFACTOR)
    assert printed == pytest.approx(8 * math.pi * 3.75 / logarithm**2, rel=1e-13)
    assert printed / spin_flip_rate(t, 1.5, 1.0) == pytest.approx(16.0, rel=1e-14)


def test_rate_warns_above_the_unitarity_bound():
    """The bound 2 n_s/(pi nu) is met at ln(T/T_K) = pi c sqrt(S(S+1))."""
    edge = math.exp(math.pi * 0.5 * math.sqrt(0.75))
    assert spin_flip_rate(edge * (1 + 1e-9), 0.5, 1.0) == pytest.approx(2 / math.pi, rel=1e-8)
    with pytest.warns(ValidityWarning, match="unitarity"):
        spin_flip_rate(edge * (1 - 1e-9), 0.5, 1.0)
    edge = math.exp(math.pi * 2 * math.sqrt(0.75))
    with pytest.warns(ValidityWarning, match="unitarity"):
        spin_flip_rate(edge * (1 - 1e-9), 0.5, 1.0, prefactor=2.0)


@quick
@given(st.floats(0.1, 5), st.floats(1.0, 30), st.floats(1.0, 30), st.integers(1, 10))
def test_product_does_not_depend_on_the_prefactor(c, log_t, log_transit, two_s):
    """(53) from (6), (9) and (10) for any c in nu J = c/ln: n_s nu J0^2/(2 pi) times tau_s."""
    spin, density, concentration = two_s / 2, 0.8, 3e-4
    exchange = c / log_t / density
    exchange_neighbours = c / log_transit / density
    tau = 1 / (2 * math.pi * density * concentration * exchange**2 * spin * (spin + 1))
    t_sg = concentration * density * exchange_neighbours**2 / (2 * math.pi)
    value = interaction_per_rate(math.exp(log_t), spin, 1.0, math.exp(log_transit))
    assert value == pytest.approx(t_sg * tau, rel=1e-12)


def test_logarithm_keeps_its_digits_near_t_k():
    t = 1.0 + 2.0**-40
    value = interaction_per_rate(t, 0.5, 1.0, math.e)
    assert value == pytest.approx(2.0**-80 / (3 * math.pi**2), rel=1e-9)
    assert interaction_per_rate(1e300, 0.5, 1e-300, 1e300) == pytest.approx(1 / (3 * math.pi**2))


def test_correction_limits():
    """(54) for T tau_s << 1 and (51) for T tau_s >> 1, with tau_s taken from (53)."""
    spin, t_sg, t_k, transit = 0.5, 1e3, 1.0, 1e5
    t = 2e3
    product = interaction_per_rate(t, spin, t_k, transit)
    x = t / t_sg * product
    assert x < 0.1
    full = weak_localization_correction(t, spin, t_sg, t_k, transit)
    assert full == pytest.approx(math.log(t) * (1 + float(alpha_s(spin)) * t_sg / (2 * t)), rel=1e-3)
    assert full == pytest.approx(
        math.log(t) * (1 + product * weak_localization_crossover(x, spin)), rel=1e-13
    )
    t = 1e9
    product = interaction_per_rate(t, spin, t_k, transit)
    full = weak_localization_correction(t, spin, t_sg, t_k, transit)
    assert full == pytest.approx(math.log(t) * (1 + product * weak_localization_plateau(spin)), rel=1e-5)
    free = weak_localization_correction(t, spin, t_sg, t_k, transit, interacting=False)
    assert free == pytest.approx(math.log(t), rel=1e-15)


def test_interaction_raises_the_correction():
    t = np.geomspace(1.1, 1e4, 60)
    with_pairs = weak_localization_correction(t, 1, 1.0, 0.01, 100.0)
    without = weak_localization_correction(t, 1, 1.0, 0.01, 100.0, interacting=False)
    assert (with_pairs > without).all()
    with pytest.warns(ValidityWarning, match="T_sg = 1"):
        weak_localization_correction(1.0, 1, 1.0, 0.01, 100.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weak_localization_correction(0.5, 1, 1.0, 0.01, 100.0, interacting=False)


def test_correction_at_extreme_scales():
    plateau = weak_localization_plateau(0.5) / (3 * math.pi**2)
    hot = weak_localization_correction(1e300, 0.5, 1e-300, 1e-300, 1e300)
    assert hot == pytest.approx(600 * math.log(10) * (1 + plateau), rel=1e-12)
    with pytest.warns(ValidityWarning, match="T_sg"):
        cold = weak_localization_correction(1.0 + 2.0**-50, 0.5, 1e200, 1.0, 1e300)
    assert cold == pytest.approx(2.0**-50 * float(alpha_s(0.5)) / 2 * 1e200, rel=1e-12)
    with (
        pytest.raises(ValueError, match="temperature must lie above"),
        pytest.warns(ValidityWarning, match="T_sg"),
    ):
        weak_localization_correction(1e-250, 0.5, 1e300, 1e-300, 1.0)


@quick
@given(st.floats(2.8, 600), st.integers(1, 12))
def test_minimum_is_stationary(logarithm, two_s):
    """Derivatives of ln(T/T_K)(1 + a/2T) by mpmath: the first vanishes, the second is positive."""
    ratio = math.exp(logarithm) / float(alpha_s(two_s / 2))
    t = weak_localization_minimum(two_s / 2, ratio, 1.0)
    with mp.workdps(30):
        a = mp.mpf(float(alpha_s(two_s / 2))) * mp.mpf(ratio)

        def correction(s):
            return s * (1 + a / (2 * mp.exp(s)))

        s = mp.log(mp.mpf(t))
        first = 1 + a / (2 * mp.exp(s)) * (1 - s)
        second = a / (2 * mp.exp(s)) * (s - 2)
        assert abs(first) < 1e-13 * (1 + s)
        assert second > 0
        assert abs(mp.diff(correction, s)) < 1e-10


def test_minimum_by_lambert_and_its_threshold():
    alpha = float(alpha_s(0.5))
    ratio = np.array([15.0, 40.0, 1e3, 1e30])
    z = -lambertw(-2 * math.e / (alpha * ratio), -1).real
    np.testing.assert_allclose(weak_localization_minimum(0.5, ratio, 1.0), alpha * ratio / 2 * z, rtol=1e-13)
    np.testing.assert_allclose(
        weak_localization_minimum(0.5, ratio * 7.0, 7.0), 7 * alpha * ratio / 2 * z, rtol=1e-13
    )
    threshold = 2 * math.e**2 / alpha
    assert weak_localization_minimum(0.5, threshold * (1 + 1e-9), 1.0) == pytest.approx(math.e**2, rel=1e-3)
    with pytest.raises(ValueError, match="to have a minimum"):
        weak_localization_minimum(0.5, threshold * (1 - 1e-9), 1.0)
    extreme = weak_localization_minimum(0.5, 1e300, 1e-300)
    logarithm = math.log(extreme) + 300 * math.log(10)
    assert extreme == pytest.approx(alpha * 1e300 / 2 * (logarithm - 1), rel=1e-13)


def test_minimum_and_maximum_agree_to_leading_logarithm_only():
    """(54) gives (a/2)(ln - 1), (27) gives (a/2)(ln + 2): the ratio tends to 1 like 3/ln."""
    alpha = float(alpha_s(0.5))
    for ratio in (1e3, 1e20, 1e200):
        low = weak_localization_minimum(0.5, ratio, 1.0)
        high = resistivity_maximum(0.5, ratio, 1.0)
        assert low == pytest.approx(alpha * ratio / 2 * (math.log(low) - 1), rel=1e-12)
        assert high == pytest.approx(alpha * ratio / 2 * (math.log(high) + 2), rel=1e-12)
    assert 0 < high / low - 1 < 4 / math.log(ratio)


def test_full_correction_has_its_minimum_where_the_formula_says():
    """With T tau_s small at the minimum, the minimum of the full correction is that of (54)."""
    t_sg, transit = 1e4, 1e40
    predicted = weak_localization_minimum(0.5, t_sg, 1.0)
    t = predicted * np.exp(np.linspace(-0.3, 0.3, 601))
    values = weak_localization_correction(t, 0.5, t_sg, 1.0, transit)
    assert t[int(np.argmin(values))] == pytest.approx(predicted, rel=0.02)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0])
def test_bad_numbers(bad):
    cases = {
        "temperature": [
            lambda: spin_flip_rate(bad, 0.5, 1.0),
            lambda: interaction_per_rate([bad, 5.0], 0.5, 1.0, 9.0),
            lambda: weak_localization_correction(bad, 0.5, 1.0, 1.0, 9.0),
        ],
        "t_k": [
            lambda: spin_flip_rate(5.0, 0.5, bad),
            lambda: interaction_per_rate(5.0, 0.5, bad, 9.0),
            lambda: weak_localization_correction(5.0, 0.5, 1.0, bad, 9.0),
            lambda: weak_localization_minimum(0.5, 99.0, bad),
        ],
        "t_sg": [
            lambda: weak_localization_correction(5.0, 0.5, bad, 1.0, 9.0),
            lambda: weak_localization_minimum(0.5, bad, 1.0),
        ],
        "transit_energy": [
            lambda: interaction_per_rate(5.0, 0.5, 1.0, bad),
            lambda: weak_localization_correction(5.0, 0.5, 1.0, 1.0, bad),
        ],
        "prefactor": [lambda: spin_flip_rate(5.0, 0.5, 1.0, prefactor=bad)],
        "spin": [
            lambda: spin_flip_rate(5.0, bad, 1.0),
            lambda: interaction_per_rate(5.0, bad, 1.0, 9.0),
            lambda: weak_localization_correction(5.0, bad, 1.0, 1.0, 9.0),
            lambda: weak_localization_minimum(bad, 99.0, 1.0),
        ],
    }
    for name, calls in cases.items():
        for call in calls:
            with pytest.raises(ValueError, match=f"{name} must"):
                call()


def test_bad_relations_and_types():
    for call in (
        lambda: spin_flip_rate(1.0, 0.5, 1.0),
        lambda: interaction_per_rate(0.9, 0.5, 1.0, 9.0),
        lambda: weak_localization_correction([5.0, 1.0], 0.5, 1.0, 1.0, 9.0),
    ):
        with pytest.raises(ValueError, match="temperature must lie above t_k"):
            call()
    with pytest.raises(ValueError, match="transit_energy must lie above t_k"):
        interaction_per_rate(5.0, 0.5, 1.0, 1.0)
    with pytest.raises(ValueError, match="broadcast"):
        weak_localization_minimum(0.5, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="temperature must"):
        spin_flip_rate("5", 0.5, 1.0)
    with pytest.raises(TypeError, match="spin must"):
        weak_localization_minimum("1", 99.0, 1.0)
    assert weak_localization_minimum(0.5, np.full((2, 1), 99.0), np.ones(3)).shape == (2, 3)
    assert isinstance(weak_localization_minimum(0.5, 99.0, 1.0), float)
