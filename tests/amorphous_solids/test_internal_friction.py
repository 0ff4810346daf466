"""Formulas of Sections 6 and 7: mpmath, inverse problems, limits, the steps between them, bad input."""

import math
import warnings
from contextlib import contextmanager

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import (
    amplitude_friction,
    cluster_friction,
    coherence_logarithm,
    coherence_radius,
    effective_cluster_size,
    effective_coupling,
    internal_friction,
    largest_cluster,
    quasiuniform_density,
    relaxation_amplitude,
    smallest_log_amplitude,
)
from disorder.numerics.validation import ValidityWarning

logs = st.floats(-60.0, 60.0)
kelvins = st.floats(1e-6, 10.0)
widths = st.floats(20.0, 1e5)
examples = settings(max_examples=30, deadline=None)


@contextmanager
def quiet():
    """The range of a formula is not the subject of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        yield


def reference_coefficients():
    """B and C of (6.19) by quadrature to 25 digits; the first term of B from (6.14)."""
    with mp.workdps(30):
        first = 2 * mp.quad(lambda x: mp.log(x) / x**1.5, [1, mp.inf])
        # Halved at 1/2 by x -> 1 - x where the integrand is singular at both ends.
        second = mp.quad(
            lambda x: mp.log(x) / x**1.5 * ((1 - x) ** -1.5 - 1), [0, mp.mpf("0.01"), mp.mpf("0.5"), 1]
        )
        c = 2 * mp.quad(lambda x: mp.log(x) * mp.log(1 - x) / (x * (1 - x)) ** 1.5, [0, mp.mpf("0.01"), 0.5])
        return first - 2 * second, c


@pytest.fixture(scope="module")
def coefficients():
    return reference_coefficients()


def test_the_number_in_front(coefficients):
    # 3 eta/pi with eta = 1/B, and ln(W/T) = ln(W/Delta_0) = 1 read off by division.
    b, _ = coefficients
    t, omega, width = 0.1, 1e3, 100.0
    value = internal_friction(t, omega, width)
    depth = math.log(width) - 0.5 * math.log(omega / (1e8 * t))
    prefactor = value * math.log(width / t) * depth
    assert prefactor == pytest.approx(float(3 / (mp.pi * b)), rel=1e-12)
    assert round(prefactor, 2) == 0.04  # as printed


def test_the_quoted_order_of_magnitude():
    # W = 100 K, omega = 1000 per second, T = 0.1 K: ln 1000 and ln 10000 by hand.
    by_hand = 3 / (8 * math.pi**2) / (3 * math.log(10) * 4 * math.log(10))
    assert internal_friction(0.1, 1e3, 100.0) == pytest.approx(by_hand, rel=1e-12)
    for t in (0.03, 0.1, 1.0, 10.0):
        assert 10**-3.5 < internal_friction(t, 1e3, 100.0) < 10**-2.5


@given(kelvins, widths, st.floats(1.0, 1e6), st.floats(0.05, 0.9), st.floats(0.1, 40.0))
@examples
def test_the_steps_from_the_distribution_to_the_friction(t, width, omega, coupling, ratio):
    # (7.7) with (6.23), (6.24), (7.2), (7.9), step by step: the amplitude of a centre cancels.
    amplitude = relaxation_amplitude(t, omega)
    if amplitude >= min(t, 0.5 * width):
        return
    first = width * (amplitude / width) ** (1 / (1 + ratio))
    flow = coupling * coherence_logarithm(t, width)
    size = effective_cluster_size(amplitude, first, width)
    logarithm = math.log(size) + (2 * math.log(2) - 1) * math.log(flow)
    if abs(logarithm) < 1e-3:
        return
    depth = math.log(width / first)
    with quiet():
        density = quasiuniform_density(amplitude, flow, first, width)
    # Delta_0 P U = (density P_0)(n U_0), and chi = pi P_0 U_0.
    friction = density * size * coupling / math.pi
    assert friction == pytest.approx(internal_friction(t, omega, width) * logarithm, rel=1e-9)
    # The same from the density of n-clusters, (6.21).
    clusters = logarithm / (8 * math.pi * size**2 * flow)
    if clusters > 0:
        assert cluster_friction(size, clusters, coupling, depth) == pytest.approx(friction, rel=1e-9)
        # And from the density in x = chi depth/3: n-clusters sit at x = n x*, spread over dn = dx/x*.
        centres = size * clusters / (coupling * depth / 3)
        assert amplitude_friction(centres, coupling) == pytest.approx(friction, rel=1e-9)


@given(kelvins, widths)
@examples
def test_coherence_region(t, width):
    xi = coherence_logarithm(t, width)
    assert xi == pytest.approx(float(mp.log(mp.mpf(width) / mp.mpf(t)) / 3), rel=1e-13)
    # xi = ln(R_T/R_min) with both radii from the same condition.
    radii = coherence_radius(t, 7.0) / coherence_radius(width, 7.0)
    assert math.log(radii) == pytest.approx(xi, rel=1e-12)
    assert 7.0 / coherence_radius(t, 7.0) ** 3 == pytest.approx(t, rel=1e-12)


@given(kelvins, st.floats(1e-3, 1e9), st.floats(1e4, 1e12))
@examples
def test_relaxation_at_the_sound_frequency(t, omega, rate):
    amplitude = relaxation_amplitude(t, omega, golden_rule_rate=rate)
    assert rate * amplitude**2 * t == pytest.approx(omega, rel=1e-12)


@given(st.floats(1.0, 50.0), st.floats(1e-4, 1.0), st.floats(2.0, 1e4))
@examples
def test_effective_size_inverts_the_amplitude_of_an_n_cluster(size, first, width):
    # (5.21): Delta_0 = Delta_* (Delta_*/W)^(n - 1).
    amplitude = first * (first / width) ** (size - 1)
    if amplitude < 1e-300:
        return
    assert effective_cluster_size(amplitude, first, width) == pytest.approx(size, rel=1e-11)


@given(st.floats(2.0, 200.0), st.floats(1.0, 30.0))
@examples
def test_distribution_is_the_density_of_clusters_with_that_amplitude(size, t):
    # The delta function of the paper: Delta_0 P = P_n dn/d ln Delta_0 at n = n_eff, with (6.21).
    first, width = 10.0, 30.0
    amplitude = first * (first / width) ** (size - 1)
    eta, a = 1 / (8 * mp.pi), 2 * mp.log(2) - 1
    step = mp.mpf("1e-6")
    depth = lambda n: mp.log(width) - mp.log(first) - (n - 1) * mp.log(mp.mpf(first) / width)  # noqa: E731
    jacobian = 2 * step / (depth(size + step) - depth(size - step))
    expected = eta * mp.log(size * mp.mpf(t) ** a) / (mp.mpf(size) ** 2 * t) * jacobian
    with quiet():
        value = quasiuniform_density(amplitude, t, first, width)
    assert value == pytest.approx(float(expected), rel=1e-8)


def test_growth_exponent_of_the_logarithm(coefficients):
    b, c = coefficients
    amplitude = 1e-9
    one, many = (quasiuniform_density(amplitude, t, 1.0, 100.0) * t for t in (2.0, 20.0))
    size = effective_cluster_size(amplitude, 1.0, 100.0)
    unit = float(1 / b) * math.log(100.0) / math.log(100.0 / amplitude) ** 2
    assert (many - one) / unit == pytest.approx(float(c / b) * math.log(10.0), rel=1e-9)
    assert one / unit == pytest.approx(math.log(size) + float(c / b) * math.log(2.0), rel=1e-9)


def test_the_logarithm_must_be_large():
    with pytest.warns(ValidityWarning, match="quasiuniform_density"):
        assert quasiuniform_density(0.01, 0.5, 1.0, 100.0) > 0
    with pytest.warns(ValidityWarning, match="quasiuniform_density"):
        assert quasiuniform_density(0.5, 0.3, 1.0, 100.0) < 0


@given(st.floats(0.0, 8.0, exclude_min=True), st.floats(0.01, 10.0))
@examples
def test_lower_end_is_the_amplitude_of_the_largest_cluster(t, first):
    # Delta_* (Delta_*/W)^(n - 1) at n = n_max, not W (Delta_*/W)^(n - 1): at n = 1 the end is Delta_* itself.
    width = 50.0
    size = mp.exp(mp.sqrt(16 * mp.pi * t))
    expected = mp.log(first) - mp.log(width) + (size - 1) * mp.log(mp.mpf(first) / width)
    assert smallest_log_amplitude(t, first, width) == pytest.approx(float(expected), rel=1e-10)


def test_the_range_of_amplitudes_closes_as_the_clusters_shrink_to_centres():
    assert smallest_log_amplitude(1e-12, 1.0, 100.0) == pytest.approx(math.log(1.0 / 100.0), rel=1e-5)


@given(kelvins, st.floats(1.0, 1e5), widths, st.floats(1.01, 3.0))
@examples
def test_friction_is_monotonic(t, omega, width, factor):
    with quiet():
        here = internal_friction(t, omega, width)
        assert internal_friction(t, omega * factor, width) > here
        assert internal_friction(t, omega, width * factor) < here
        # Delta_0 depends on omega/A alone.
        scaled = internal_friction(t, omega * factor, width, golden_rule_rate=1e8 * factor)
    assert scaled == pytest.approx(here, rel=1e-12)


def test_no_thermal_excitation_is_fast_enough():
    # omega = A T^3 is the largest rate of excitations of energy T.
    t = 1e-3
    edge = 1e8 * t**3
    internal_friction(t, 0.99 * edge, 100.0)
    with pytest.warns(ValidityWarning, match="internal_friction"):
        internal_friction(t, 1.01 * edge, 100.0)


@given(st.floats(0.01, 1.0), st.floats(1e-3, 1.0))
@examples
def test_bound_on_the_size(coupling, moment):
    size = largest_cluster(coupling, moment)
    if size >= 1:
        assert effective_coupling(size, coupling, moment) == pytest.approx(1.0, rel=1e-12)
        assert effective_coupling(4 * size, coupling, moment) == pytest.approx(2.0, rel=1e-12)
    # With I_1/2 = 1/(2t) the bound is (2t/chi)^2 = (2 xi)^2: the coupling drops out.
    xi = 1 / (2 * moment * coupling)
    assert size == pytest.approx((2 * xi) ** 2, rel=1e-12)


def test_arrays_broadcast():
    t = np.array([0.05, 0.1, 0.5])
    table = internal_friction(t[:, None], [1e2, 1e3], 100.0)
    assert table.shape == (3, 2)
    assert table[1, 1] == internal_friction(0.1, 1e3, 100.0)
    assert isinstance(internal_friction(0.1, 1e3, 100.0), float)
    assert largest_cluster([0.1, 0.2], [[0.5], [0.6], [0.7]]).shape == (3, 2)
    with pytest.raises(ValueError, match=r"temperature.*shape|shape.*temperature"):
        internal_friction([0.1, 0.2], [1.0, 2.0, 3.0], 100.0)


CALLS = [
    (coherence_logarithm, {"energy": 0.1, "bandwidth": 100.0}),
    (coherence_radius, {"energy": 0.1, "interaction": 2.0}),
    (relaxation_amplitude, {"temperature": 0.1, "frequency": 1e3, "golden_rule_rate": 1e8}),
    (effective_cluster_size, {"amplitude": 0.01, "initial_amplitude": 1.0, "bandwidth": 100.0}),
    (quasiuniform_density, {"amplitude": 1e-9, "t": 3.0, "initial_amplitude": 1.0, "bandwidth": 100.0}),
    (smallest_log_amplitude, {"t": 1.0, "initial_amplitude": 1.0, "bandwidth": 100.0}),
    (internal_friction, {"temperature": 0.1, "frequency": 1e3, "bandwidth": 100.0, "golden_rule_rate": 1e8}),
    (cluster_friction, {"size": 2.5, "density": 0.1, "coupling": 0.3, "initial_depth": 4.0}),
    (amplitude_friction, {"centres": 0.1, "coupling": 0.3}),
    (effective_coupling, {"size": 10.0, "coupling": 0.3, "half_moment": 0.5}),
    (largest_cluster, {"coupling": 0.3, "half_moment": 0.5}),
]
ARGUMENTS = [(function, call, name) for function, call in CALLS for name in call]


@pytest.mark.parametrize(
    ("function", "call", "name"), ARGUMENTS, ids=[f"{f.__name__}-{name}" for f, _, name in ARGUMENTS]
)
def test_bad_input(function, call, name):
    assert isinstance(function(**call), float)
    zero = [] if name in ("density", "centres") else [0.0]
    for bad in (math.nan, math.inf, -math.inf, -1.0, *zero, "1", None, 1j, True, [1.0, math.nan], object()):
        with pytest.raises((TypeError, ValueError), match=name):
            function(**{**call, name: bad})


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: coherence_logarithm(100.0, 100.0), "energy"),
        (lambda: effective_cluster_size(200.0, 1.0, 100.0), "amplitude"),
        (lambda: effective_cluster_size(0.1, 100.0, 100.0), "initial_amplitude"),
        (lambda: internal_friction(100.0, 1e3, 100.0), "temperature"),
        (lambda: internal_friction(1.0, 1e14, 100.0), "frequency"),
        (lambda: smallest_log_amplitude(1e4, 1.0, 100.0), "t must"),
        (lambda: effective_coupling(0.5, 0.1, 0.5), "size"),
        (lambda: cluster_friction(0.5, 0.1, 0.3, 4.0), "size"),
    ],
)
def test_out_of_range(call, name):
    with pytest.raises(ValueError, match=name):
        call()


@given(st.lists(st.floats(-290.0, 290.0), min_size=4, max_size=4), st.sampled_from(CALLS))
@settings(max_examples=50, deadline=None)
def test_extreme_but_legal_stays_finite(exponents, entry):
    function, call = entry
    values = {name: 10.0**e for name, e in zip(call, exponents, strict=False)}
    with quiet():
        try:
            assert math.isfinite(function(**values))
        except ValueError:
            return
