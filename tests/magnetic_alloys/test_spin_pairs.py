"""The spin correlator averaged over pairs: spectrum, frequency and time domain."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.magnetic_alloys import (
    correlation_decay,
    pair_correlator,
    pair_energies,
    pair_level_populations,
    pair_matrix_elements,
    pair_spectrum,
    spin_correlator,
    spin_relaxation_rate,
)
from disorder.numerics.quadrature import integrate, panel_rule
from disorder.numerics.validation import ValidityWarning

SPINS = [0.5, 1, 1.5, 2, 2.5, 3, 3.5]
spins = st.integers(1, 10).map(lambda two_s: two_s / 2)


def reference_spectrum(u, spin):
    """exp(|u|/2) sum over k and over both signs of the coupling, to 30 digits."""
    with mpmath.workdps(30):
        u, two_s, total = abs(mpmath.mpf(u)), int(2 * spin), mpmath.mpf(0)
        for k in range(1, two_s + 1):
            for y in (u / k, -u / k):
                z = mpmath.fsum((2 * j + 1) * mpmath.exp(-y * j * (j + 1) / 2) for j in range(two_s + 1))
                total += k * k * ((two_s + 1) ** 2 - k * k) * mpmath.exp(-y * k * k / 2) / (4 * z)
        return mpmath.exp(u / 2) * total / (mpmath.mpf(spin) * (spin + 1))


def literal_correlator(omega, temperature, spin, t_sg):
    """Eq. (17) term by term with physical energies, without the printed factor 1/T."""
    elements = pair_matrix_elements(spin)
    levels = pair_energies(1.0, spin)
    total = 0.0
    for j in range(len(elements)):
        for other in (j - 1, j + 1):
            if 0 <= other < len(elements):
                step = levels[j] - levels[other]
                coupling = omega / step
                # The population of the level is (2J+1) exp(-E_J/T)/Z.
                population = pair_level_populations(coupling, temperature, spin)[j]
                total += population * elements[j, other] * abs(step) / omega**2
    return 8 * np.pi / 3 * t_sg * total


@given(spins, st.floats(-60, 60))
@settings(max_examples=40, deadline=None)
def test_spectrum_against_mpmath(spin, u):
    assert pair_spectrum(u, spin) == pytest.approx(float(reference_spectrum(u, spin)), rel=1e-13)


@given(st.floats(0, 50))
@settings(max_examples=25, deadline=None)
def test_spectrum_of_spin_one_half_in_closed_form(u):
    assert pair_spectrum(u, 0.5) == pytest.approx(1 / (1 + 3 * np.exp(-u)) + 1 / (np.exp(-u) + 3), rel=1e-14)


@pytest.mark.parametrize("spin", [*SPINS, 10, 20, 100])
def test_spectrum_limits(spin):
    low = (4 * spin + 1) * (4 * spin + 3) / (15 * (2 * spin + 1))
    assert pair_spectrum(0.0, spin) == pytest.approx(low, rel=1e-12)
    for u in (200.0, 1e6, 1e308):
        assert pair_spectrum(u, spin) == pytest.approx((2 * spin + 1) / (spin + 1), rel=1e-12)
    assert pair_spectrum(-0.7, spin) == pair_spectrum(0.7, spin)


@given(spins, st.floats(0.01, 30), st.sampled_from([-1, 1]), st.floats(0.3, 30))
@settings(max_examples=40, deadline=None)
def test_correlator_follows_17_without_the_factor_1_over_t(spin, u, sign, temperature):
    omega, t_sg = sign * u * temperature, temperature / 50
    value = spin_correlator(omega, temperature, spin, t_sg)
    assert value == pytest.approx(literal_correlator(omega, temperature, spin, t_sg), rel=1e-11)


def test_units_of_17():
    # K is an inverse energy: a common factor on all energies divides it once; in the printed (17) twice.
    value = spin_correlator(0.8, 1.5, 1, 0.1)
    assert spin_correlator(0.8 * 7, 1.5 * 7, 1, 0.1 * 7) == pytest.approx(value / 7, rel=1e-13)


@pytest.mark.parametrize("spin", [0.5, 2])
def test_correlator_is_the_average_over_positions(spin):
    # Eq. (14) with V = V0 cos(phi)/r^3 and no substitution: the weight of K within a window of frequencies.
    density, v0, temperature, low, high = 0.02, 1.7, 1.3, 0.9, 2.6
    t_sg = density * v0
    elements, two_s = pair_matrix_elements(spin), int(2 * spin)
    phases, phase_weights = panel_rule(np.linspace(0, np.pi, 9), 12)
    gain = loss = 0.0
    for k in range(1, two_s + 1):
        for phase, phase_weight in zip(phases, phase_weights, strict=True):
            near = (v0 * abs(np.cos(phase)) * k / high) ** (1 / 3)
            far = (v0 * abs(np.cos(phase)) * k / low) ** (1 / 3)
            r, weights = panel_rule([near, far], 24)
            p = pair_level_populations(v0 * np.cos(phase) / r**3, temperature, spin)
            volume = weights * 4 * np.pi * r**2 * density * phase_weight / np.pi
            down = volume @ (p[:, k] * elements[k, k - 1])
            up = volume @ (p[:, k - 1] * elements[k - 1, k])
            gives, takes = (down, up) if np.cos(phase) > 0 else (up, down)
            gain += 2 * np.pi * gives
            loss += 2 * np.pi * takes

    def weight(sign):
        return integrate(lambda w: spin_correlator(sign * w, temperature, spin, t_sg), [low, high]).value

    assert weight(+1) == pytest.approx(gain, rel=1e-6)
    assert weight(-1) == pytest.approx(loss, rel=1e-6)
    assert loss > gain


@given(spins, st.floats(0.01, 40))
@settings(max_examples=25, deadline=None)
def test_detailed_balance(spin, u):
    ratio = spin_correlator(-u, 1.0, spin, 1e-3) / spin_correlator(u, 1.0, spin, 1e-3)
    assert np.log(ratio) == pytest.approx(u, rel=1e-12, abs=1e-12)


def test_correlator_shapes():
    omega = np.array([[-1.0, 0.5, 2.0]])
    table = spin_correlator(omega, [[3.0], [4.0]], 1, 0.1)
    assert table.shape == (2, 3)
    assert table[1, 2] == spin_correlator(2.0, 4.0, 1, 0.1)
    assert isinstance(spin_correlator(1, 2, 1, 0.5), float)
    assert correlation_decay(omega, [[3.0], [4.0]], 1, 0.01).shape == (2, 3)
    assert isinstance(correlation_decay(1, 2, 1, 0.1), complex)
    assert isinstance(spin_relaxation_rate(1, 0.5), float)
    assert pair_spectrum(np.zeros((2, 0)), 1).shape == (2, 0)
    assert spin_correlator([], 1.0, 1, 0.1).shape == (0,)
    assert correlation_decay([], 1.0, 1, 0.1).shape == (0,)


def test_extreme_but_legal_frequencies():
    assert spin_correlator(1e300, 1.0, 1, 0.1) == 0.0
    assert spin_correlator(-1e300, 1e-300, 1, 1e-301) == 0.0
    # The thermal factor alone would underflow; with the scale t_sg it does not.
    value = spin_correlator(1e-30, 1e-30 / 760, 0.5, 1e-30 / 1520)
    assert np.log(value) == pytest.approx(np.log(8 * np.pi / 3 * 1e30 / 1520) - 760, rel=1e-12)
    tiny = spin_correlator(-1e-140, 1.0, 0.5, 1e-10)
    assert tiny == pytest.approx(np.pi * 1e-10 / 1e-280, rel=1e-12)


@pytest.mark.parametrize("spin", [0.5, 1, 2.5])
@pytest.mark.parametrize("tau", [0.02, 1.0, 4.0])
def test_decay_is_the_average_of_pair_correlators(spin, tau):
    # S(S+1) + (4/3)(T_sg/T) int dy/y^2 [K2(t, T y) - S(S+1)], straight from (14) in real time.
    temperature, norm, cut = 2.0, spin * (spin + 1), 4000 / tau**0.5

    def integrand(y):
        return (pair_correlator(tau / temperature, temperature * y, temperature, spin) - norm).real / y**2

    def imaginary(y):
        return pair_correlator(tau / temperature, temperature * y, temperature, spin).imag / y**2

    edges = np.concatenate(([1e-3], np.linspace(0.05, 20, 80), np.geomspace(21, cut, 200)))
    real = sum(integrate(lambda y, s=s: integrand(s * y), edges, rtol=1e-9).value for s in (-1, 1))
    imag = sum(integrate(lambda y, s=s: imaginary(s * y), edges, rtol=1e-9).value for s in (-1, 1))
    # Beyond the cut the diagonal element of the ground level is left; below 1e-3 the integrand is constant.
    two_s = int(2 * spin)
    constant = two_s * (two_s + 1) / 4
    real += (constant - norm) / cut - norm / cut + (integrand(1e-3) + integrand(-1e-3)) * 1e-3
    imag += (imaginary(1e-3) + imaginary(-1e-3)) * 1e-3
    value = correlation_decay(tau / temperature, temperature, spin, 1e-4 * temperature)
    assert (value.real - norm) / (4 / 3 * 1e-4) == pytest.approx(real, rel=1e-5, abs=2e-6)
    assert value.imag / (4 / 3 * 1e-4) == pytest.approx(imag, rel=1e-5, abs=2e-6)


@pytest.mark.parametrize(("spin", "tau"), [(0.5, 0.01), (0.5, 2.0), (1, 0.7), (1.5, 0.2)])
def test_decay_against_mpmath(spin, tau):
    # The Fourier integral of (17) with the constant spectrum beyond u = 90 taken in closed form.
    with mpmath.workdps(20):
        end, plateau = mpmath.mpf(90), mpmath.mpf(2 * spin + 1) / (2 * spin + 2)
        pieces = [mpmath.mpf(x) for x in (0, 0.5, 1, 2, 3, 5, 7, 9, 12, 16, 20, 26, 32, 40, 52, 65, 80, 90)]

        def even(u):
            return (
                reference_spectrum(u, spin)
                * (1 + mpmath.exp(-u))
                / 2
                * -2
                * (mpmath.sin(u * tau / 2) / u) ** 2
            )

        def odd(u):
            return -reference_spectrum(u, spin) * mpmath.expm1(-u) / 2 * mpmath.sin(u * tau) / u**2

        angle = end * tau
        real = mpmath.quad(even, pieces, maxdegree=5) - plateau * (
            tau * (mpmath.pi / 2 - mpmath.si(angle)) + (1 - mpmath.cos(angle)) / end
        )
        imag = mpmath.quad(odd, pieces, maxdegree=5) + plateau * (
            mpmath.sin(angle) / end - tau * mpmath.ci(angle)
        )
    value = correlation_decay(tau, 1.0, spin, 0.1) / (spin * (spin + 1)) - 1
    assert value.real == pytest.approx(float(real) * 8 / 3 * 0.1, abs=1e-13)
    assert value.imag == pytest.approx(float(imag) * 8 / 3 * 0.1, abs=1e-13)


@pytest.mark.parametrize("spin", [*SPINS, 20])
def test_sum_rule_and_reality(spin):
    assert correlation_decay(0.0, 3.0, spin, 1.0) == spin * (spin + 1)
    forward = correlation_decay(0.01, 3.0, spin, 1.0)
    assert correlation_decay(-0.01, 3.0, spin, 1.0) == forward.conjugate()
    assert forward.real < spin * (spin + 1)
    assert forward.imag > 0


@pytest.mark.parametrize("spin", [0.5, 1, 3.5, 20])
def test_linear_law(spin):
    t_sg, norm = 1e-9, spin * (spin + 1)
    late = correlation_decay(np.array([1e4, 2e4]), 1.0, spin, t_sg) / norm
    slope = (late[0] - late[1]).real / 1e4
    assert slope == pytest.approx(spin_relaxation_rate(spin, t_sg), rel=1e-6)
    level = 4 / 3 * t_sg * np.pi / 2 * float(pair_spectrum(0.0, spin))
    assert late.imag == pytest.approx(level, rel=1e-3)
    # At times far below 1/T the strong couplings decide: another slope, the limit (2S+1)/(2S+2) for pi C/2.
    early = correlation_decay(1e-5, 1.0, spin, 0.1) / norm
    slope = (1 - early.real) / 1e-5
    assert slope == pytest.approx(4 * np.pi / 3 * 0.1 * (2 * spin + 1) / (2 * spin + 2), rel=1e-3)


def test_relaxation_rate():
    assert spin_relaxation_rate(0.5, 3.0) == pytest.approx(2 * np.pi, rel=1e-15)
    assert spin_relaxation_rate(1, 1.0) == pytest.approx(28 * np.pi / 27, rel=1e-15)
    for spin in SPINS:
        limit = spin_correlator(-1e-7, 1.0, spin, 1e-3) * 1e-14 / (2 * spin * (spin + 1))
        assert spin_relaxation_rate(spin, 1e-3) == pytest.approx(limit, rel=1e-6)


def test_late_times_stay_exact():
    rate = spin_relaxation_rate(0.5, 1e-20)
    value = correlation_decay(1e18, 1.0, 0.5, 1e-20)
    assert 1 - value.real / 0.75 == pytest.approx(rate * 1e18, rel=1e-12)


def test_validity_warnings_name_their_function_and_range():
    with pytest.warns(ValidityWarning, match=r"spin_correlator.*t_sg"):
        spin_correlator(1.0, 1.0, 0.5, 1.0)
    with pytest.warns(ValidityWarning, match=r"correlation_decay.*t_sg"):
        correlation_decay(1e-3, 1.0, 0.5, 2.0)
    with pytest.warns(ValidityWarning, match=r"rate \* \|time\|"):
        correlation_decay(100.0, 1.0, 0.5, 0.5)


@pytest.mark.parametrize("spin", [0, 0.75, -1, 200, np.nan])
def test_bad_spin(spin):
    for call in [
        lambda: pair_spectrum(1.0, spin),
        lambda: spin_correlator(1.0, 1.0, spin, 0.1),
        lambda: correlation_decay(1.0, 1.0, spin, 0.1),
        lambda: spin_relaxation_rate(spin, 1.0),
    ]:
        with pytest.raises(ValueError, match="spin"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_numbers(bad):
    for name, call in [
        ("u", lambda: pair_spectrum([0.0, bad], 1)),
        ("omega", lambda: spin_correlator(bad, 1.0, 1, 0.1)),
        ("temperature", lambda: spin_correlator(1.0, bad, 1, 0.1)),
        ("t_sg", lambda: spin_correlator(1.0, 1.0, 1, [0.1, bad])),
        ("time", lambda: correlation_decay(bad, 1.0, 1, 0.1)),
        ("temperature", lambda: correlation_decay(1.0, bad, 1, 0.1)),
        ("t_sg", lambda: correlation_decay(1.0, 1.0, 1, bad)),
        ("t_sg", lambda: spin_relaxation_rate(1, bad)),
    ]:
        with pytest.raises(ValueError, match=name):
            call()


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_scales_must_be_positive(value):
    for name, call in [
        ("temperature", lambda: spin_correlator(1.0, value, 1, 0.1)),
        ("t_sg", lambda: spin_correlator(1.0, 1.0, 1, value)),
        ("temperature", lambda: correlation_decay(1.0, value, 1, 0.1)),
        ("t_sg", lambda: correlation_decay(1.0, 1.0, 1, value)),
        ("t_sg", lambda: spin_relaxation_rate(1, value)),
    ]:
        with pytest.raises(ValueError, match=name):
            call()


def test_bad_frequencies_types_and_overflow():
    with pytest.raises(ValueError, match="omega must not be 0"):
        spin_correlator([1.0, 0.0], 1.0, 1, 0.1)
    with pytest.raises(ValueError, match="omega"):
        spin_correlator([[1.0], [2.0, 3.0]], 1.0, 1, 0.1)
    with pytest.raises(ValueError, match="broadcast"):
        spin_correlator([1.0, 2.0], [1.0, 2.0, 3.0], 1, 0.1)
    with pytest.raises(ValueError, match="broadcast"):
        correlation_decay([1.0, 2.0], [1.0, 2.0, 3.0], 1, 0.1)
    with pytest.raises(TypeError, match="omega"):
        spin_correlator("fast", 1.0, 1, 0.1)
    with pytest.raises(TypeError, match="time"):
        correlation_decay(1j, 1.0, 1, 0.1)
    with pytest.raises(ValueError, match="omega"):
        spin_correlator(1e-200, 1.0, 1, 0.1)
    with pytest.raises(ValueError, match="time"):
        correlation_decay(1e300, 1e200, 1, 1e100)
    with pytest.raises(ValueError, match="t_sg"):
        spin_relaxation_rate(100, 1e307)
