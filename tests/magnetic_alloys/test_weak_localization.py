"""Weak localization of wires: momentum integrals, phi, and the crossover between Eqs. (51) and (54)."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as scipy_integrate

from disorder.magnetic_alloys import (
    alpha_s,
    field_suppression,
    inelastic_weight,
    pair_spectrum,
    spin_correlator,
    weak_localization_conductivity,
    weak_localization_crossover,
    weak_localization_plateau,
)
from disorder.numerics.quadrature import integrate, logarithmic_edges

SPINS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
quick = settings(max_examples=40, deadline=None)


def surface(dimension):
    """Area of the unit sphere over (2 pi)^d."""
    return {1: 2.0, 2: 2 * math.pi, 3: 4 * math.pi}[dimension] / (2 * math.pi) ** dimension


def momentum_integrals(rate, omega, diffusion, dimension):
    """Integrals over q of 1/(Dq^2 + rate)^2 and of 1/((Dq^2 + rate)^2 + omega^2), by SciPy's quad."""

    def over_q(integrand):
        value = scipy_integrate.quad(integrand, 0, np.inf, epsabs=0, epsrel=1e-11, limit=400)[0]
        return surface(dimension) * value

    return (
        over_q(lambda q: q ** (dimension - 1) / (diffusion * q * q + rate) ** 2),
        over_q(lambda q: q ** (dimension - 1) / ((diffusion * q * q + rate) ** 2 + omega * omega)),
    )


def phi_mp(z, dimension):
    """phi as it stands in Appendix D, and its analogues for films and bulk, in mpmath."""
    z = mp.mpf(z)
    if dimension == 1:
        return mp.mpf(1) / 4 - mp.im(mp.sqrt(1 + 1j * z / 2)) / (z * mp.sqrt(1 + z * z / 4))
    if dimension == 2:
        return (1 - mp.atan(z / 2) / (z / 2)) / 4
    return (1 - 4 / z * mp.im(mp.sqrt(1 + 1j * z / 2))) / 4


def spectrum_mp(u, two_s):
    total = mp.mpf(0)
    for k in range(1, two_s + 1):
        for y in (u / k, -u / k):
            states = sum((2 * j + 1) * mp.exp(-y * mp.mpf(j * (j + 1)) / 2) for j in range(two_s + 1))
            total += k * k * mp.mpf((two_s + 1) ** 2 - k * k) / 4 * mp.exp(-y * k * k / 2) / states
    return mp.exp(u / 2) * total * 4 / (two_s * (two_s + 2))


def crossover_mp(x, two_s, dimension):
    """F(x) from its definition, with alpha_S and phi under one integral, to about 15 digits."""
    x, end, start = mp.mpf(x), mp.mpf(90), mp.mpf(10) ** -9

    def integrand(u):
        thermal = (1 + mp.exp(-u)) / 2 - u / mp.expm1(u) * (1 - 2 * phi_mp(u * x, dimension))
        return spectrum_mp(u, two_s) * thermal / u**2

    edges = sorted({start, end, *(mp.mpf(10) ** k for k in range(-8, 2)), mp.mpf(1) / x if x > 1 else end})
    total = mp.quad(integrand, edges, method="gauss-legendre", maxdegree=4)
    tail = spectrum_mp(end, two_s) / (2 * end)
    return 4 / (3 * x) * (total + integrand(start) * start + tail)


def test_conductivity_is_the_momentum_integral():
    diffusion, tau = 0.7, 3.0
    over_q = scipy_integrate.quad(lambda q: 1 / (diffusion * q * q + 2 / tau), -np.inf, np.inf, epsrel=1e-12)[
        0
    ]
    over_energy = scipy_integrate.quad(lambda e: 1 / (2 * np.cosh(e / 2) ** 2), -60, 60, epsrel=1e-12)[0]
    expected = diffusion * over_q * over_energy / (2 * np.pi) ** 2
    assert weak_localization_conductivity(diffusion, tau) == pytest.approx(expected, rel=1e-10)


def test_conductivity_shapes_and_scaling():
    values = weak_localization_conductivity([[1.0], [4.0]], [1.0, 9.0, 16.0])
    assert values.shape == (2, 3)
    np.testing.assert_allclose(values, np.outer([1, 2], [1, 3, 4]) / (2 * np.pi * np.sqrt(2)), rtol=1e-15)
    assert weak_localization_conductivity(1e300, 1e300) == pytest.approx(1e300 / (2 * np.pi * np.sqrt(2)))


def test_field_adds_a_rate_to_the_singlet():
    """4 e^2 B^2 D <y^2> on top of 2/tau_s, with <y^2> averaged over the section by quadrature."""
    tau, diffusion, area, field = 2.0, 0.3, 5.0, 1.7
    side = math.sqrt(area)
    square = scipy_integrate.quad(lambda y: y * y / side, -side / 2, side / 2)[0]
    radius = math.sqrt(area / math.pi)
    circle = scipy_integrate.quad(lambda y: y * y * 2 * np.sqrt(radius**2 - y * y) / area, -radius, radius)[0]
    scale = 1 / math.sqrt(diffusion * tau * area)
    for section, width in (("square", square), ("round", circle)):
        rate = 2 / tau + 4 * field**2 * diffusion * width
        expected = math.sqrt((2 / tau) / rate)
        assert field_suppression(field / scale, section) == pytest.approx(expected, rel=1e-9)
    assert field_suppression(0.0) == 1.0
    assert field_suppression([-3.0, 3.0])[0] == field_suppression(3.0)
    assert field_suppression(1e308) == pytest.approx(math.sqrt(6) / 1e308)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("z", [0.05, 0.9, 4.0, 60.0])
def test_phi_from_the_momentum_integrals(z, dimension):
    tau, diffusion = 1.6, 0.8
    still, moving = momentum_integrals(2 / tau, z / tau, diffusion, dimension)
    assert inelastic_weight(z, dimension) == pytest.approx((1 - moving / still) / 4, rel=1e-7)


@quick
@given(st.floats(-12, 12), st.sampled_from([1, 2, 3]))
def test_phi_against_mpmath(logarithm, dimension):
    z = 10.0**logarithm
    with mp.workdps(70):
        exact = phi_mp(z, dimension)
        assert abs(inelastic_weight(z, dimension) / exact - 1) < 2e-15
    assert inelastic_weight(-z, dimension) == inelastic_weight(z, dimension)
    assert 0 < inelastic_weight(z, dimension) <= 0.25


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_phi_limits_and_integral(dimension):
    assert inelastic_weight(0.0, dimension) == 0.0
    small = (4 - dimension) * (6 - dimension) / 384
    assert inelastic_weight(1e-6, dimension) == pytest.approx(small * 1e-12, rel=1e-9)
    assert inelastic_weight(1e300, dimension) == pytest.approx(0.25, rel=1e-12)
    z = np.geomspace(1e-3, 1e3, 200)
    assert (np.diff(inelastic_weight(z, dimension)) > 0).all()
    result = integrate(
        lambda z: inelastic_weight(z, dimension) / z**2, logarithmic_edges(1e-3, 1e12), rtol=1e-12
    )
    assert 2 * (float(result.value) + 0.25e-12) == pytest.approx((4 - dimension) * math.pi / 32, rel=1e-11)


def test_phi_integral_of_the_paper():
    """3 pi tau_s/32 for any tau_s; the same from a third power of the Cooperon, without phi."""
    tau = 0.37
    result = integrate(lambda w: inelastic_weight(w * tau) / w**2, logarithmic_edges(1e-3, 1e12), rtol=1e-12)
    assert 2 * (float(result.value) + 0.25e-12) == pytest.approx(3 * math.pi * tau / 32, rel=1e-9)
    powers = [
        scipy_integrate.quad(lambda q, n=n: (q * q + 2 / tau) ** -n, 0, np.inf, epsrel=1e-12)[0]
        for n in (2, 3)
    ]
    assert math.pi / 4 * powers[1] / powers[0] == pytest.approx(3 * math.pi * tau / 32, rel=1e-9)


def test_phi_approaches_a_quarter_as_a_power():
    """In a wire 1/4 - phi = z^(-3/2) at large z."""
    assert (0.25 - inelastic_weight(1e6)) * 1e9 == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("x", "two_s", "dimension"),
    [(1.0, 1, 1), (40.0, 2, 1), (1e4, 3, 1), (0.01, 1, 1), (5.0, 14, 1), (5.0, 1, 2), (5.0, 1, 3)],
)
def test_crossover_against_mpmath(x, two_s, dimension):
    with mp.workdps(36):
        exact = crossover_mp(x, two_s, dimension)
        assert abs(weak_localization_crossover(x, two_s / 2, dimension) / exact - 1) < 1e-13


@pytest.mark.parametrize("spin", [0.5, 2.5])
@pytest.mark.parametrize("x", [0.2, 3.0, 50.0])
def test_crossover_from_the_cooperon(x, spin):
    """(43) with (49) and (50): the correlator of (17), both momentum integrals and the energy integral.

    The elastic part of the correlator at omega = 0 follows from the sum rule: its integral vanishes.
    """
    temperature, t_sg = 1.0, 0.01
    tau = x / temperature

    def singlet(omega):
        # sqrt(rate) integrals over q in closed complex form: I2 and I1 of a wire with D = 1.
        rate = 2 / tau
        still = 1 / (4 * rate**1.5)
        moving = np.imag(1 / (2 * np.sqrt(rate - 1j * omega))) / omega
        return still, moving

    def integrand(omega):
        still, moving = singlet(omega)
        total = np.zeros_like(omega)
        for sign in (1.0, -1.0):
            u = sign * omega / temperature
            thermal = u / -np.expm1(np.minimum(-u, 700.0))
            correlator = spin_correlator(sign * omega, temperature, spin, t_sg)
            # minus the elastic loss that the sum rule assigns to omega = 0, where I1 = I2.
            total += correlator * (thermal * (still + moving) - 2 * still)
        return total

    start = 1e-4
    rule = integrate(integrand, np.geomspace(start, 2e4, 60), rtol=1e-7)
    golden = 1 / (2 * np.pi * spin * (spin + 1) * tau)
    # The ends of the range: constant below, and 1/omega^2 above (one sign of omega survives).
    low = float(integrand(np.array([start]))[0]) * start
    still = singlet(np.array([1.0]))[0]
    high_k = float(np.asarray(spin_correlator(-2e4, temperature, spin, t_sg))) * 2e4
    integral = float(rule.value) + low - 2 * still * high_k
    first = -golden / np.pi * integral
    zeroth = 2 / (2 * np.pi) * (1 / (2 * np.sqrt(2 / tau)))
    expected = first / zeroth / (t_sg * tau)
    assert weak_localization_crossover(x, spin) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("spin", [0.5, 1.0, 3.5])
def test_self_energy_part_is_half_alpha(spin):
    """(D2a): with the elastic part fixed by the sum rule the correlator of (17) gives alpha_S/2."""
    t_sg = 0.01

    def integrand(u):
        both = np.zeros_like(u)
        for sign in (1.0, -1.0):
            both += spin_correlator(sign * u, 1.0, spin, t_sg) * (1 - sign * u / -np.expm1(-sign * u))
        return both

    start = 1e-4
    value = float(integrate(integrand, np.geomspace(start, 700.0, 30), rtol=1e-8).value)
    value += start * float(integrand(np.array([start]))[0])
    tail = float(np.asarray(spin_correlator(-700.0, 1.0, spin, t_sg))) * 700.0
    result = (value + tail) / (4 * np.pi * spin * (spin + 1)) / t_sg
    assert result == pytest.approx(float(alpha_s(spin)) / 2, rel=1e-6)


@pytest.mark.parametrize("spin", SPINS)
def test_crossover_limits(spin):
    """alpha_S/2x corrected by 5x/48 int C u/(e^u - 1), and the plateau with its 1/x correction."""
    alpha = float(alpha_s(spin))
    moment = integrate(lambda u: pair_spectrum(u, spin) * u / np.expm1(u), logarithmic_edges(1e-4, 90.0))
    x = 1e-4
    slope = (weak_localization_crossover(x, spin) - alpha / (2 * x)) / x
    assert slope == pytest.approx(5 / 48 * float(moment.value), rel=1e-4)
    plateau = weak_localization_plateau(spin)
    zero = float(np.asarray(pair_spectrum(0.0, spin)))
    rest = integrate(
        lambda u: (pair_spectrum(u, spin) * u / np.expm1(u) - zero) / u**2,
        np.geomspace(1e-4, 90.0, 30),
        rtol=1e-9,
    )
    first = alpha / 2 + 2 / 3 * (float(rest.value) - zero / 90.0)
    x = 1e5
    assert (weak_localization_crossover(x, spin) - plateau) * x == pytest.approx(first, rel=2e-3)
    assert weak_localization_crossover(1e12, spin) == pytest.approx(plateau, rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("spin", SPINS)
def test_plateau_is_the_integral_of_phi(spin, dimension):
    """(D3): (8/3) C(0) times the integral of phi/z^2 over positive z."""
    zero = float(np.asarray(pair_spectrum(0.0, spin)))
    expected = 8 / 3 * zero * (4 - dimension) * math.pi / 64
    assert weak_localization_plateau(spin, dimension) == pytest.approx(expected, rel=1e-14)
    assert weak_localization_crossover(1e15, spin, dimension) == pytest.approx(expected, rel=1e-12)


def test_plateau_printed_form():
    for spin in SPINS:
        printed = math.pi * (4 * spin + 1) * (4 * spin + 3) / (120 * (2 * spin + 1))
        assert weak_localization_plateau(spin) == pytest.approx(printed, rel=1e-15)
    assert weak_localization_plateau(0.5) == pytest.approx(math.pi / 16, rel=1e-15)


@quick
@given(st.floats(-4, 5), st.floats(0.01, 1), st.integers(1, 12), st.sampled_from([1, 2, 3]))
def test_crossover_is_bracketed(logarithm, step, two_s, dimension):
    """x F increases, F decreases up to S = 5, and F - alpha_S/2x lies between 0 and the plateau."""
    x = 10.0 ** np.array([logarithm, logarithm + step])
    values = weak_localization_crossover(x, two_s / 2, dimension)
    alpha = float(alpha_s(two_s / 2))
    plateau = weak_localization_plateau(two_s / 2, dimension)
    if two_s <= 10:
        assert values[0] > values[1]
    assert (x * values)[1] > (x * values)[0]
    assert (values > alpha / (2 * x)).all()
    assert (values < alpha / (2 * x) + plateau * (1 + 1e-12)).all()
    assert weak_localization_crossover(float(x[0]), two_s / 2, dimension) == pytest.approx(
        values[0], rel=1e-13
    )


def test_crossover_shapes_and_extremes():
    assert isinstance(weak_localization_crossover(2.0, 0.5), float)
    grid = np.array([[0.1, 1.0], [10.0, 1e3]])
    values = weak_localization_crossover(grid, 1)
    assert values.shape == (2, 2)
    assert values[1, 0] == pytest.approx(weak_localization_crossover(10.0, 1), rel=1e-14)
    assert weak_localization_crossover([], 1).shape == (0,)
    assert weak_localization_crossover(1e-300, 0.5) == pytest.approx(
        float(alpha_s(0.5)) / 2 * 1e300, rel=1e-12
    )
    assert weak_localization_crossover(1e300, 0.5) == pytest.approx(math.pi / 16, rel=1e-12)
    assert weak_localization_crossover(1e300, 100) == pytest.approx(weak_localization_plateau(100), rel=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0])
def test_bad_numbers(bad):
    with pytest.raises(ValueError, match="x must"):
        weak_localization_crossover(bad, 0.5)
    with pytest.raises(ValueError, match="x must"):
        weak_localization_crossover([1.0, bad], 0.5)
    with pytest.raises(ValueError, match="diffusion must"):
        weak_localization_conductivity(bad, 1.0)
    with pytest.raises(ValueError, match="tau_s must"):
        weak_localization_conductivity(1.0, bad)
    for call in (
        lambda: weak_localization_crossover(1.0, bad),
        lambda: weak_localization_plateau(bad),
    ):
        with pytest.raises(ValueError, match="spin must"):
            call()


def test_bad_kinds():
    for function, name in ((inelastic_weight, "z"), (field_suppression, "field")):
        with pytest.raises(ValueError, match=f"{name} must"):
            function(math.nan)
        with pytest.raises(TypeError, match=f"{name} must"):
            function("1")
    for call in (
        lambda: inelastic_weight(1.0, 4),
        lambda: inelastic_weight(1.0, 0),
        lambda: weak_localization_crossover(1.0, 0.5, 4),
        lambda: weak_localization_plateau(0.5, -1),
    ):
        with pytest.raises(ValueError, match="dimension must"):
            call()
    with pytest.raises(TypeError, match="dimension must"):
        inelastic_weight(1.0, 1.0)
    with pytest.raises(ValueError, match="section must"):
        field_suppression(1.0, "triangle")
    with pytest.raises(ValueError, match="section must"):
        field_suppression(1.0, None)
    with pytest.raises(TypeError, match="x must"):
        weak_localization_crossover("1", 0.5)
    with pytest.raises(ValueError, match="spin must"):
        weak_localization_crossover(1.0, 0.7)
    with pytest.raises(ValueError, match="broadcast"):
        weak_localization_conductivity([1.0, 2.0], [1.0, 2.0, 3.0])
