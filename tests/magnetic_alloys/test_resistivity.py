"""The coefficient alpha_S by independent routes, and the resistivity with its maximum (Section III.A)."""

import math
from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

from disorder.magnetic_alloys import (
    alpha_s,
    alpha_s_closed_form,
    alpha_s_large_spin,
    frozen_spin_resistivity,
    kondo_resistivity,
    pair_matrix_elements,
    pair_spectrum,
    resistivity_maximum,
    resistivity_maximum_estimate,
)
from disorder.numerics.quadrature import logarithmic_edges, panel_rule
from disorder.numerics.validation import ValidityWarning

TABLE_I = {0.5: "1.10", 1: "1.52", 1.5: "1.85", 2: "2.11", 2.5: "2.33", 3: "2.52", 3.5: "2.69"}
SPINS = st.integers(1, 40).map(lambda n: n / 2)
SCALES = st.floats(1e-6, 1e6)


def printed_integrand(y, two_s):
    """Bracket of Eq. (28) over y^2, term by term as it is printed, in mpmath."""
    spin = mp.mpf(two_s) / 2
    casimir = spin * (spin + 1)
    q = mp.exp(-y)
    powers = [mp.mpf(1)]
    for j in range(1, two_s + 1):
        powers.append(powers[-1] * q**j)
    partition = mp.fsum((2 * j + 1) * powers[j] for j in range(two_s + 1))
    total = mp.mpf(0)
    for j in range(two_s + 1):
        total += (2 * j + 1) * mp.mpf(j * (j + 1)) / 4 * powers[j]
        for other in (j - 1, j + 1):
            if 0 <= other <= two_s:
                k = max(j, other)
                strength = mp.mpf(k * ((two_s + 1) ** 2 - k * k)) / 4
                x = y * (k if j > other else -k)
                total += strength * powers[j] * x / -mp.expm1(-x)
    return (1 - total / (casimir * partition)) / y**2


def printed_integral(two_s, digits=25):
    """Integral (28) exactly as printed, by Gauss-Legendre panels at extended precision."""
    with mp.workdps(2 * digits):
        scale = mp.mpf(1) / (two_s * (two_s + 1))
        edges = [mp.mpf(0)]
        while scale < 60:
            edges.append(scale)
            scale *= 4
        edges.append(mp.mpf(80))
        total = mp.mpf(0)
        nodes, weights = gauss_nodes(30)
        for low, high in pairwise(edges):
            half, centre = (high - low) / 2, (high + low) / 2
            for x, w in zip(nodes, weights, strict=True):
                y = centre + half * x
                total += half * w * (printed_integrand(y, two_s) + printed_integrand(-y, two_s))
        frozen = 1 + mp.mpf(1) / (two_s + 2)
        return total + frozen / 80


def gauss_nodes(order):
    """Legendre nodes and weights to the working precision, by Newton's method."""
    nodes, weights = [], []
    for start in np.polynomial.legendre.leggauss(order)[0]:
        x = mp.findroot(lambda t: mp.legendre(order, t), mp.mpf(float(start)))
        slope = order * (x * mp.legendre(order, x) - mp.legendre(order - 1, x)) / (x * x - 1)
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope**2))
    return nodes, weights


@pytest.mark.parametrize("two_s", [1, 3, 7])
def test_alpha_is_four_thirds_of_the_printed_integral(two_s):
    reference = mp.mpf(4) / 3 * printed_integral(two_s)
    assert abs(alpha_s(two_s / 2) - float(reference)) < 1e-14
    # The integral alone is not what Table I prints.
    rounded = f"{float(reference) * 0.75:.2f}"
    assert rounded != TABLE_I[two_s / 2]


def test_alpha_at_spin_twenty():
    reference = mp.mpf(4) / 3 * printed_integral(40, digits=20)
    assert abs(alpha_s(20) - float(reference)) < 1e-13


@pytest.mark.parametrize("spin", list(TABLE_I))
def test_table_one(spin):
    value = alpha_s(spin)
    if spin == 1:
        # 1.5263 is cut off after the second digit instead of rounded.
        assert (f"{math.floor(100 * value) / 100:.2f}", f"{value:.2f}") == ("1.52", "1.53")
    else:
        assert f"{value:.2f}" == TABLE_I[spin]


def test_spin_one_half_in_elementary_terms():
    z = mp.mpc(0.5, -mp.log(3) / (2 * mp.pi))
    exact = mp.mpf(4) / 3 * (mp.im(mp.psi(1, z)) / (3 * mp.pi) - mp.re(mp.psi(0, z)) / 2 - mp.euler / 2)
    assert abs(alpha_s(0.5) - float(exact)) < 1e-15
    assert abs(alpha_s_closed_form(0.5) - float(exact)) < 1e-14


@pytest.mark.parametrize("two_s", range(1, 21))
def test_closed_form_agrees_with_quadrature(two_s):
    assert abs(alpha_s_closed_form(two_s / 2) - alpha_s(two_s / 2)) < 1e-11


@pytest.mark.parametrize("spin", [0.5, 1, 3.5, 20])
def test_alpha_from_the_pair_spectrum(spin):
    """The same number as an integral over energies instead of couplings, with another kernel."""
    nodes, weights = panel_rule(logarithmic_edges(1e-4 / spin**2, 200.0, per_decade=4), order=24)
    spectrum = pair_spectrum(nodes, spin)
    bracket = np.where(
        nodes > 1e-2,
        (1 + np.exp(-nodes)) / 2 - nodes / np.expm1(nodes),
        nodes**2 / 6 - nodes**3 / 12 + nodes**4 / 45 - nodes**5 * 7 / 1440,
    )
    tail = (2 * spin + 1) / (spin + 1) / 2 / 200.0
    assert 8 / 3 * (weights @ (spectrum * bracket / nodes**2) + tail) == pytest.approx(
        alpha_s(spin), abs=1e-9
    )


@pytest.mark.parametrize("spin", [0.5, 1.5])
def test_average_over_positions_and_phases_gives_four_thirds(spin):
    """n_s int d^3r <F(V0 cos(phi)/(r^3 T))> = (4/3)(T_sg/T) int F dy/y^2, the left side by brute force."""
    elements, casimir = pair_matrix_elements(spin), spin * (spin + 1)
    levels = np.arange(round(2 * spin) + 1)
    energies = levels * (levels + 1) / 2

    def lost(y):
        weights = np.exp(-y[..., None] * (energies - energies[-1] * (y[..., None] < 0)))
        weights *= 2 * levels + 1
        weights /= weights.sum(axis=-1, keepdims=True)
        x = y[..., None, None] * (energies[:, None] - energies)
        safe = np.where(x == 0, 1.0, x)
        factor = np.where(x == 0, 1.0, safe / -np.expm1(np.minimum(-safe, 700.0)))
        return 1 - (weights[..., None] * elements * factor).sum(axis=(-1, -2)) / casimir

    # s = r^3 n V0/T on a logarithmic grid, phi on a midpoint grid over one period.
    s, ds = panel_rule(np.geomspace(5e-3, 1e3, 60), order=8)
    phi = (np.arange(400) + 0.5) * 2 * np.pi / 400
    inner = lost(np.cos(phi) / s[:, None]).mean(axis=1)
    # Below the grid every pair is frozen but those with cos(phi) near 0; beyond it F falls as 1/s^2.
    frozen = (1 + 1 / (2 * spin + 2)) / 2
    left = 4 * np.pi / 3 * (ds @ inner + frozen * 5e-3 + inner[-1] * s[-1] ** 2 / 1e3)
    assert left == pytest.approx(alpha_s(spin), rel=5e-3)


def test_large_spin_law():
    spins = np.array([5.0, 10.0, 20.0, 40.0, 80.0])
    n = 2 * spins + 1
    scaled = (alpha_s(spins) - alpha_s_large_spin(spins)) * n**2 / np.log(n)
    # What is left is (4/3)(b ln N + d)/N^2: nearly constant over a factor of fifteen in N.
    assert (np.abs(scaled - 1.5) < 0.06).all()
    # Without the 1/N term it is not.
    coefficient = 4 / 3 * (1 / 3 - 5 * 1.2020569031595942 / (2 * np.pi**2))
    bare = scaled + coefficient * n / np.log(n)
    assert np.ptp(bare) > 10 * np.ptp(scaled)


def test_large_spin_magnon_term():
    """The 1/N coefficient is the finite part of the first correction to the ferromagnetic magnon integral."""

    def correction(x):
        p = mp.exp(-x)
        h = (1 + p) / 2 - x * p / (1 - p)
        slope = -p / 2 - p * (1 - x) / (1 - p) + x * p * p / (1 - p) ** 2
        return 2 * (1 + p) / (1 - p) ** 2 * (-h + x * p * h / (1 - p) - x * slope) / x**2

    with mp.workdps(60):
        near = mp.quad(lambda x: correction(x) + mp.mpf(4) / (3 * x**2), [0, 0.5, 1], method="gauss-legendre")
        far = mp.quad(correction, [1, 5, 20, 60, 150], method="gauss-legendre") - mp.mpf(1) / 150
        finite_part = near + mp.mpf(4) / 3 + far
    assert abs(finite_part - (mp.mpf(1) / 3 - 5 * mp.zeta(3) / (2 * mp.pi**2))) < 1e-12


def test_large_spin_classical_constant():
    """Each half of the classical region gives (gamma - ln pi)/3, the magnons 1/6 - gamma/3 - 4 zeta'(-1)."""

    def vectors(t):
        return (mp.coth(t / 2) / t - 2 / t**2) if t > mp.mpf("1e-3") else mp.mpf(1) / 6 - t**2 / 360

    def magnons(x):
        if x < mp.mpf("1e-3"):
            return 1 / (3 * x) - x / 90
        return (mp.coth(x / 2) - x / 2 / mp.sinh(x / 2) ** 2) / x**2

    with mp.workdps(25):
        classical = mp.quad(vectors, [0, 1]) + mp.quad(lambda t: vectors(t) - 1 / t, [1, 10, 100, mp.inf])
        assert abs(classical - (mp.euler - mp.log(2 * mp.pi))) < 1e-10
        ordered = mp.quad(lambda x: magnons(x) - 1 / (3 * x), [0, 1]) + mp.quad(magnons, [1, 10, 100, mp.inf])
        assert abs(ordered - (mp.mpf(1) / 6 - mp.euler / 3 - 4 * mp.zeta(-1, derivative=1))) < 1e-10


def test_alpha_shapes_and_types():
    assert isinstance(alpha_s(1), float)
    assert isinstance(alpha_s(Fraction(3, 2)), float)
    assert isinstance(alpha_s(np.array(1.5)), float)
    table = alpha_s([[0.5, 1.0], [1.5, 2.0]])
    assert table.shape == (2, 2)
    assert table[1, 0] == alpha_s(1.5)
    assert isinstance(alpha_s_large_spin(3), float)
    assert alpha_s_large_spin([3.0]).shape == (1,)


@settings(max_examples=30, deadline=None)
@given(two_s=st.integers(1, 199))
def test_alpha_grows_with_spin(two_s):
    low, high = alpha_s(two_s / 2), alpha_s((two_s + 1) / 2)
    assert low < high < low + 0.5
    assert low > alpha_s_large_spin(two_s / 2)


@settings(max_examples=40, deadline=None)
@given(spin=SPINS, t_sg=SCALES, t_k=SCALES, data=st.data())
def test_resistivity_formula(spin, t_sg, t_k, data):
    excess = data.draw(st.floats(1.001, 1e4))
    temperature = excess * max(t_k, 2.5 * alpha_s(spin) * t_sg)
    expected = (1 - alpha_s(spin) * t_sg / temperature) / math.log(temperature / t_k) ** 2
    assert kondo_resistivity(temperature, spin, t_sg, t_k) == pytest.approx(expected, rel=1e-9)


def test_resistivity_near_the_kondo_temperature():
    temperature = np.nextafter(1.0, 2.0)
    with pytest.warns(ValidityWarning, match="first virial correction"):
        value = kondo_resistivity(temperature, 0.5, 1.0, 1.0)
    assert value == pytest.approx((1 - alpha_s(0.5)) / np.finfo(float).eps ** 2)


@settings(max_examples=40, deadline=None)
@given(spin=SPINS, t_k=SCALES, excess=st.floats(1.0001, 1e12))
def test_maximum_obeys_lambert_equation(spin, t_k, excess):
    t_sg = t_k * excess / alpha_s(spin)
    maximum = resistivity_maximum(spin, t_sg, t_k)
    a = alpha_s(spin) * t_sg
    assert maximum > max(t_k, a)
    z = -lambertw(-2 * math.exp(-2) * t_k / a, -1).real
    assert maximum == pytest.approx(a * z / 2, rel=1e-11)
    # The size of the first virial correction there.
    assert a / maximum == pytest.approx(1 / (1 + math.log(maximum / t_k) / 2), rel=1e-9)


@pytest.mark.parametrize(("spin", "t_sg"), [(0.5, 5.0), (1, 30.0), (3.5, 1e4)])
def test_maximum_is_the_maximum_of_the_curve(spin, t_sg):
    maximum = resistivity_maximum(spin, t_sg, 1.0)

    def curve(logarithm):
        t = math.exp(logarithm)
        return -(1 - alpha_s(spin) * t_sg / t) / logarithm**2

    found = minimize_scalar(curve, bounds=(math.log(alpha_s(spin) * t_sg), 60), options={"xatol": 1e-10})
    assert maximum == pytest.approx(math.exp(found.x), rel=1e-6)


def test_maximum_exists_only_above_a_threshold():
    threshold = 1 / alpha_s(0.5)
    assert resistivity_maximum(0.5, threshold * (1 + 1e-9), 1.0) == pytest.approx(1.0, rel=1e-4)
    with pytest.raises(ValueError, match=r"t_sg must exceed .*alpha_S.* for a maximum"):
        resistivity_maximum(0.5, threshold * (1 - 1e-9), 1.0)
    # Just below the threshold (27) falls with temperature everywhere above T_K.
    t = np.geomspace(1.0001, 1e6, 400)
    a = alpha_s(0.5) * threshold * 0.999
    assert (np.diff((1 - a / t) / np.log(t) ** 2) < 0).all()


def test_estimate_of_the_maximum():
    """(29) is the leading logarithm: the ratio tends to one, but is 2.3 at T_sg = 10 T_K and 1.24 at 1e12."""
    ratios = [
        resistivity_maximum(0.5, x, 1.0) / resistivity_maximum_estimate(0.5, x, 1.0) for x in (1e1, 1e3, 1e12)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == pytest.approx(2.343, abs=1e-3)
    x = 1e150
    assert resistivity_maximum(0.5, x, 1.0) / resistivity_maximum_estimate(0.5, x, 1.0) < 1.03
    assert resistivity_maximum_estimate(1, 100.0, 1.0) == pytest.approx(alpha_s(1) * 50 * math.log(100))
    with pytest.warns(ValidityWarning, match="large logarithm"):
        resistivity_maximum_estimate(0.5, 5.0, 1.0)


def test_frozen_spins():
    """S^2 instead of S(S+1) in (27), with the coupling that the scale T_sg leaves."""
    for spin in (0.5, 1, 3.5):
        free = 1 / math.log(40.0) ** 2
        assert frozen_spin_resistivity(spin, 40.0, 1.0) == pytest.approx(free * spin**2 / (spin * (spin + 1)))
    # The frozen level lies below the maximum of (27) only while T_sg is far above T_K.
    top = kondo_resistivity(resistivity_maximum(0.5, 1e4, 1.0), 0.5, 1e4, 1.0)
    assert frozen_spin_resistivity(0.5, 1e4, 1.0) < top


def test_broadcasting():
    t_sg = np.array([[10.0], [20.0]])
    t_k = np.array([0.1, 0.2, 0.3])
    for function in (resistivity_maximum, resistivity_maximum_estimate, frozen_spin_resistivity):
        values = function(0.5, t_sg, t_k)
        assert values.shape == (2, 3)
        assert values[1, 2] == function(0.5, 20.0, 0.3)
        assert isinstance(function(0.5, 10.0, 0.1), float)
    assert kondo_resistivity(1e3 * np.ones((2, 1)), 0.5, 1.0, t_k).shape == (2, 3)


BAD = [math.nan, math.inf, -1.0, 0.0]


@pytest.mark.parametrize("bad", [*BAD, 0.25, 1.2, 100.5])
@pytest.mark.parametrize(
    "call",
    [
        alpha_s,
        alpha_s_closed_form,
        lambda s: alpha_s([0.5, s]),
        lambda s: kondo_resistivity(10.0, s, 1.0, 1.0),
        lambda s: resistivity_maximum(s, 10.0, 1.0),
        lambda s: resistivity_maximum_estimate(s, 10.0, 1.0),
        lambda s: frozen_spin_resistivity(s, 10.0, 1.0),
    ],
)
def test_bad_spin(call, bad):
    with pytest.raises(ValueError, match="spin must"):
        call(bad)


@pytest.mark.parametrize("bad", ["1", None, 1j, True, [1, "a"]])
def test_wrong_type(bad):
    with pytest.raises((TypeError, ValueError), match="spin must"):
        alpha_s(bad)
    with pytest.raises((TypeError, ValueError), match="t_sg must"):
        resistivity_maximum(0.5, bad, 1.0)
    with pytest.raises((TypeError, ValueError), match="spin must"):
        alpha_s_large_spin(bad)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("position", [0, 2, 3])
def test_bad_scale(bad, position):
    arguments = [10.0, 0.5, 4.0, 1.0]
    arguments[position] = bad
    name = ("temperature", "spin", "t_sg", "t_k")[position]
    with pytest.raises(ValueError, match=f"{name} must"):
        kondo_resistivity(*arguments)
    if position:
        for function in (resistivity_maximum, resistivity_maximum_estimate, frozen_spin_resistivity):
            with pytest.raises(ValueError, match=f"{name} must"):
                function(*arguments[1:])


def test_out_of_range():
    with pytest.raises(ValueError, match="temperature must lie above t_k"):
        kondo_resistivity([3.0, 1.0], 0.5, 0.1, 1.0)
    for function in (resistivity_maximum_estimate, frozen_spin_resistivity):
        with pytest.raises(ValueError, match="t_sg must exceed t_k"):
            function(0.5, 1.0, 1.0)
    with pytest.raises(ValueError, match="broadcast"):
        kondo_resistivity(np.ones(2) * 100, 0.5, np.ones(3), 1.0)
    with pytest.raises(ValueError, match="spin must"):
        alpha_s_closed_form(10.5)
    with pytest.raises(ValueError, match="range of double precision"):
        resistivity_maximum(0.5, 1.7e308, 1e-300)
    with pytest.raises(ValueError, match="range of double precision"), pytest.warns(ValidityWarning):
        kondo_resistivity(1e-300, 0.5, 1e300, 1e-305)


def test_extreme_but_legal_scales():
    a = alpha_s(0.5) * 1e300
    maximum = resistivity_maximum(0.5, 1e300, 1e-300)
    assert maximum == pytest.approx(a * (1 + (math.log(maximum) + 300 * math.log(10)) / 2), rel=1e-13)
    assert kondo_resistivity(1e300, 0.5, 1e-300, 1e-300) == pytest.approx(
        (600 * math.log(10)) ** -2, rel=1e-13
    )
