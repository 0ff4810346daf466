"""Drude formula, T-matrix on pairs (Section III) and its derivation by contour integration (Appendix B)."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from disorder.magnetic_alloys import (
    alpha_s,
    cut_contributions,
    drude_conductivity,
    golden_rule_t_matrix,
    kondo_resistivity,
    matsubara_correlator,
    matsubara_t_matrix,
    pair_energies,
    pair_matrix_elements,
    retarded_t_matrix,
    spin_correlator,
    t_matrix,
    t_matrix_correction,
    thermal_average,
)
from disorder.numerics.validation import ValidityWarning

FREE = ([0.0], [[1.5]], [2.0])


def pair(coupling, spin):
    """Levels, strengths and degeneracies of one pair, for the cluster functions."""
    degeneracies = 2 * np.arange(round(2 * spin) + 1) + 1.0
    strengths = degeneracies[:, None] * pair_matrix_elements(spin)
    return np.asarray(pair_energies(coupling, spin)), strengths, degeneracies


def random_cluster(seed):
    """A cluster without symmetries: random levels, random symmetric strengths."""
    rng = np.random.default_rng(seed)
    strengths = rng.random((4, 4))
    return rng.normal(size=4) * 2, strengths + strengths.T, rng.integers(1, 4, 4).astype(float)


def lines(temperature, energies, strengths, degeneracies):
    """(omega, weight) of K(omega)/2 pi = sum of weight delta(omega - E + E'), Eq. (4), in plain loops."""
    weights = [math.exp(-e / temperature) for e in energies]
    z = sum(g * w for g, w in zip(degeneracies, weights, strict=True))
    n = range(len(energies))
    return [(energies[i] - energies[j], weights[i] / z * strengths[i][j]) for i in n for j in n]


# Drude formula


def test_momentum_integral_gives_the_density_of_states():
    """(18) to (20): int G^R G^A dxi = pi/Im Sigma, and the prefactors of the two forms agree."""
    temperature = 0.7

    def gamma(e):
        return 0.4 + 0.1 * np.tanh(e)

    def product(xi, e):
        sigma = complex(0.2, -gamma(e))
        return abs(1 / (e - xi - sigma)) ** 2

    for e in (-1.0, 0.3):
        full = quad(product, -np.inf, np.inf, args=(e,), epsabs=1e-12)[0]
        assert full == pytest.approx(math.pi / gamma(e), rel=1e-8)

    # (e^2 v^2/6) nu int pi/Gamma / (T cosh^2) d eps/2 pi in units of e^2 nu v^2/3.
    eighteen = quad(lambda e: 0.5 * math.pi / gamma(e) / (temperature * math.cosh(e / 2 / temperature) ** 2)
                    / (2 * math.pi), -40, 40, epsabs=1e-13)[0]  # fmt: skip
    assert drude_conductivity(gamma, temperature) == pytest.approx(eighteen, rel=1e-10)


def test_matthiessen_rule_to_first_order():
    """(20)-(24): the resistivity is rho_e plus the average of n_s Im T, up to second order in it."""
    temperature, tau = 0.5, 3.0

    def im_t(e):
        return 1 / (1 + e**2)

    def resistivity(n_s):
        return 1 / drude_conductivity(lambda e: 1 / (2 * tau) + n_s * im_t(e), temperature)

    # In units of 3/(e^2 nu v_F^2): rho_e = 1/(2 tau), Delta rho = n_s <Im T>.
    assert resistivity(0.0) == pytest.approx(1 / (2 * tau), rel=1e-12)
    first = thermal_average(im_t, temperature)
    errors = [resistivity(n) - 1 / (2 * tau) - n * first for n in (1e-3, 2e-3)]
    assert errors[1] / errors[0] == pytest.approx(4, rel=2e-2)
    assert all(error < 0 for error in errors)  # a spread of rates always conducts better than its mean
    assert abs(errors[0]) < 1e-3 * first * 1e-2


@settings(max_examples=25, deadline=None)
@given(temperature=st.floats(1e-3, 1e3), x=st.floats(-12, 12))
def test_thermal_average_of_the_blocking_factor(temperature, x):
    """(25) to (26): average of (1 + e^(eps/T))/(1 + e^((eps-omega)/T)) is (omega/T)/(1 - e^(-omega/T))."""
    average = thermal_average(
        lambda e: np.exp(np.logaddexp(0, e / temperature) - np.logaddexp(0, e / temperature - x)), temperature
    )
    expected = 1.0 if abs(x) < 1e-12 else x / -math.expm1(-x)
    assert average == pytest.approx(expected, rel=1e-10)


def test_thermal_moments():
    assert thermal_average(np.ones_like, 3.0) == pytest.approx(1, rel=1e-13)
    assert thermal_average(lambda e: e**4, 1.0) == pytest.approx(7 * math.pi**4 / 15, rel=1e-12)
    assert thermal_average(lambda e: e**3, 1.0) == pytest.approx(0, abs=1e-10)


# pairs


def literal_correction(x, two_s):
    """t(x) as (16) and (25) define it: an integral over couplings of thermal weights, in mpmath."""
    spin = mp.mpf(two_s) / 2

    def bracket(y):
        z = mp.fsum((2 * j + 1) * mp.exp(-y * j * (j + 1) / 2) for j in range(two_s + 1))
        total = mp.mpf(-1)
        for j in range(two_s + 1):
            weight = mp.exp(-y * mp.mpf(j * (j + 1)) / 2) / (spin * (spin + 1) * z)
            total += weight * (2 * j + 1) * mp.mpf(j * (j + 1)) / 4
            for k, u in ((j, y * j), (j + 1, -y * (j + 1))):
                if 1 <= k <= two_s:
                    strength = mp.mpf(k * ((two_s + 1) ** 2 - k * k)) / 4
                    total += weight * strength * (1 + mp.exp(x)) / (1 + mp.exp(x - u))
        return total / y**2

    edges = [mp.mpf("1e-9"), 0.1, 0.5, 1, 2, 4, 8, 16, 32, 64, 128]
    inner = mp.quad(lambda y: bracket(y) + bracket(-y), edges, maxdegree=5)
    return mp.mpf(4) / 3 * (inner - (1 + mp.mpf(1) / (two_s + 2)) / 128)


@pytest.mark.parametrize(("x", "two_s"), [(0.0, 1), (2.5, 1), (1.0, 3), (-6.0, 2)])
def test_correction_against_the_definition(x, two_s):
    with mp.workdps(35):
        reference = literal_correction(mp.mpf(x), two_s)
    assert t_matrix_correction(x, two_s / 2) == pytest.approx(float(reference), rel=1e-7)


@pytest.mark.parametrize("spin", [0.5, 1, 3.5, 20])
def test_thermal_average_of_the_correction_is_minus_alpha(spin):
    average = thermal_average(lambda e: t_matrix_correction(e, spin), 1.0, rtol=1e-11)
    assert average == pytest.approx(-alpha_s(spin), rel=1e-11)


@pytest.mark.parametrize("spin", [0.5, 2.5])
def test_correction_at_large_energy(spin):
    """Hot electrons are blocked only from transitions beyond their own energy."""
    limit = -4 / 3 * (2 * spin + 1) / (spin + 1)
    for x in (1e3, 1e6):
        assert x * t_matrix_correction(x, spin) == pytest.approx(limit, rel=4 / x**2)
    # Continuous where the panels change.
    near = t_matrix_correction(np.array([80 - 1e-9, 80 + 1e-9, 84 - 1e-9, 84 + 1e-9]), spin)
    assert near[::2] == pytest.approx(near[1::2], rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(x=st.floats(-200, 200), two_s=st.integers(1, 8))
def test_correction_is_even_and_negative(x, two_s):
    value = t_matrix_correction(x, two_s / 2)
    assert value < 0
    assert t_matrix_correction(-x, two_s / 2) == value


@pytest.mark.parametrize("spin", [0.5, 1.5])
def test_correction_from_the_correlator(spin):
    """(25) with K(omega) from its own module: elastic line, minus its loss, plus the regular part."""
    temperature, t_sg, e = 3.0, 0.01, 1.7
    scale = 2 * math.pi * spin * (spin + 1)

    def gain(omega):
        kernel = spin_correlator(omega, temperature, spin, t_sg)
        return float(kernel) * (
            (1 + math.exp(e / temperature)) / (1 + math.exp((e - omega) / temperature)) - 1
        )

    def paired(omega):
        return gain(omega) + gain(-omega)

    total = sum(quad(paired, a, b, epsabs=1e-12, limit=200)[0] for a, b in ((1e-3, 1), (1, 10), (10, 200)))
    # gain + reverse is finite at omega = 0; beyond 200 the rate of lines that cool the electron is cut off.
    total += paired(1e-3) * 1e-3
    total -= 8 * math.pi / 3 * t_sg * spin * (spin + 1) * (2 * spin + 1) / (spin + 1) / 200
    assert 1 + total / scale == pytest.approx(t_matrix(e, temperature, spin, t_sg), rel=2e-7)


def test_average_of_the_t_matrix_is_the_resistivity():
    """(24), (25) give (27): with the logarithm of thermal electrons the prefactors cancel."""
    temperature, t_sg, t_k = 30.0, 1.0, 0.5
    average = thermal_average(lambda e: t_matrix(e, temperature, 1.5, t_sg), temperature)
    expected = kondo_resistivity(temperature, 1.5, t_sg, t_k) * math.log(temperature / t_k) ** 2
    assert average == pytest.approx(expected, rel=1e-11)


def test_t_matrix_warns_and_scales():
    assert t_matrix([0.0, 5.0], 10.0, 1, 0.1).shape == (2,)
    assert isinstance(t_matrix(0.0, 10.0, 1, 0.1), float)
    deviation = [t_matrix(2 * f, 10.0 * f, 1, 0.5 * f) for f in (1e-200, 1.0, 1e200)]
    assert deviation[0] == pytest.approx(deviation[1], rel=1e-13) == deviation[2]
    with pytest.warns(ValidityWarning, match="above 2 alpha_S"):
        t_matrix(0.0, 1.0, 1, 1.0)


# Appendix B


@pytest.mark.parametrize("seed", [1, 2])
def test_matsubara_correlator_from_imaginary_time(seed):
    """K(tau) with exponent +(E - E') tau is the one that is periodic: K(tau) = K(1/T - tau)."""
    temperature, cluster = 0.8, random_cluster(seed)
    spectrum = lines(temperature, *cluster)

    def correlator(tau, sign):
        return sum(w * math.exp(sign * delta * tau) for delta, w in spectrum)

    beta = 1 / temperature
    for tau in (0.1, 0.5):
        assert correlator(tau, +1) == pytest.approx(correlator(beta - tau, +1), rel=1e-12)
        # Exponent as printed in (B2): holds for -1/T < tau < 0 only.
        assert correlator(-tau, -1) == pytest.approx(correlator(-(beta - tau), -1), rel=1e-12)
        assert correlator(tau, -1) != pytest.approx(correlator(beta - tau, -1), rel=1e-3)
    for n in (0, 1, -3):
        omega = 2 * math.pi * n * temperature
        value = quad(lambda tau, w=omega: math.cos(w * tau) * correlator(tau, +1), 0, beta, epsabs=1e-12)[0]
        assert matsubara_correlator(n, temperature, *cluster) == pytest.approx(value, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("n", [0, 2, -1, -5])
def test_matsubara_sum(n):
    """(B4) with the factor T, summed term by term over a large symmetric range."""
    temperature, cluster = 0.6, random_cluster(3)
    m = np.arange(-3000, 3001)
    sign = np.sign((2 * n + 1) * math.pi - 2 * math.pi * m)
    total = -1j * temperature * (matsubara_correlator(m, temperature, *cluster) * sign).sum()
    assert matsubara_t_matrix(n, temperature, *cluster) == pytest.approx(total, rel=1e-3)
    edge = matsubara_correlator(3000, temperature, *cluster) * temperature * 10
    assert abs(matsubara_t_matrix(n, temperature, *cluster) - total) < edge


def test_sum_rule_at_high_frequency():
    cluster = random_cluster(4)
    total = sum(weight for _, weight in lines(1.0, *cluster))
    assert matsubara_t_matrix(10**6, 1.0, *cluster) == pytest.approx(-1j * total, rel=1e-5)
    assert golden_rule_t_matrix(1e6, 1.0, *cluster) == pytest.approx(total, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.1, 30), n=st.integers(0, 30))
def test_continuation(seed, temperature, n):
    """The retarded function passes through the Matsubara values and gives the golden rule at real energy."""
    cluster = random_cluster(seed)
    up = retarded_t_matrix(1j * math.pi * temperature * (2 * n + 1), temperature, *cluster)
    assert complex(up) == pytest.approx(
        complex(matsubara_t_matrix(n, temperature, *cluster)), rel=1e-10, abs=1e-12
    )
    energies = np.linspace(-8, 8, 5)
    rate = -retarded_t_matrix(energies, temperature, *cluster).imag
    assert rate == pytest.approx(golden_rule_t_matrix(energies, temperature, *cluster), rel=1e-9)


def test_causality():
    """Real and imaginary part obey the dispersion relation: no singularity above the real axis."""
    temperature, cluster = 0.5, pair(1.0, 1)
    total = sum(weight for _, weight in lines(temperature, *cluster))

    def residue(e, e0):
        return (total - float(golden_rule_t_matrix(e, temperature, *cluster))) / (e - e0)

    e0 = 0.4
    folded = quad(lambda d: residue(e0 + d, e0) + residue(e0 - d, e0), 1e-9, 200, limit=400, epsabs=1e-11)[0]
    # T + i total vanishes at infinity: Re T(e0) = (1/pi) P int Im T/(e - e0), Im T = total - golden rule.
    assert retarded_t_matrix(e0, temperature, *cluster).real == pytest.approx(folded / math.pi, rel=1e-4)


@pytest.mark.parametrize("n", [0, 1, 6, -1, -4])
def test_cut_contributions(n):
    """(B6): T = + tanh integral - sign * coth integral; both printed signs are reversed."""
    temperature, cluster = 0.7, random_cluster(5)
    upper, axis = cut_contributions(n, temperature, *cluster)
    exact = complex(matsubara_t_matrix(n, temperature, *cluster))
    sign = 1 if n >= 0 else -1
    assert upper - sign * axis == pytest.approx(exact, rel=1e-9)
    assert -upper + sign * axis == pytest.approx(-exact, rel=1e-9)
    # The integral along the upper cut, from the spectral form of K at complex frequency.
    spectrum = lines(temperature, *cluster)
    epsilon = (2 * n + 1) * math.pi * temperature

    def integrand(w):
        z = complex(w, epsilon)
        k = sum(weight * math.expm1(delta / temperature) / (z + delta) for delta, weight in spectrum)
        return math.tanh(w / 2 / temperature) * k / (2 * math.pi)

    tail = 1e4
    value = sum(quad(lambda w: integrand(w).imag, a, b, epsabs=1e-12, limit=400)[0]
                for a, b in ((-tail, -50), (-50, 0), (0, 50), (50, tail)))  # fmt: skip
    assert upper.imag == pytest.approx(value, rel=1e-5)
    assert upper.real == 0
    assert axis == pytest.approx(1j * sum(weight for _, weight in spectrum), rel=1e-12)


def test_contour_orientation():
    """(B5): +i belongs to a clockwise contour, for each half plane bounded by a line off the real axis."""
    with mp.workdps(25):
        t, a, eta = mp.mpf("0.7"), mp.mpf("1.3"), mp.mpf("0.7") * mp.pi / 2

        def f(z):
            return 1 / (a**2 - z**2) ** 2

        def line(height):
            g = lambda x: mp.coth(mp.mpc(x, height) / (2 * t)) * f(mp.mpc(x, height))  # noqa: E731
            return mp.quad(g, [-mp.inf, -5, -1, 0, 1, 5, mp.inf])

        # Frequencies other than zero: clockwise runs left on the upper line, right on the lower one.
        contour = mp.mpc(0, 1) / (4 * mp.pi) * (-line(eta) + line(-eta))
        direct = 2 * t * mp.nsum(lambda m: f(mp.mpc(0, 2 * mp.pi * m * t)), [1, mp.inf])
    assert abs(contour - direct) < 1e-12


def test_discontinuity_is_the_real_time_correlator():
    """(B8) with the sign that (B2) gives: K(omega) = -i [K(omega+i0) - K(omega-i0)]/(e^(omega/T) - 1)."""
    temperature, cluster = 0.9, random_cluster(6)
    spectrum = [line for line in lines(temperature, *cluster) if line[0]]

    def k(z):
        return sum(weight * math.expm1(delta / temperature) / (z + delta) for delta, weight in spectrum)

    eta = 1e-7
    for omega, weight in spectrum:
        jump = k(complex(omega, eta)) - k(complex(omega, -eta))
        # A line 2 pi w delta(omega) broadened to a Lorentzian of width eta has the height 2 w/eta.
        value = -1j * jump / math.expm1(omega / temperature)
        assert value.real * eta / 2 == pytest.approx(weight, rel=1e-5)


def test_free_spin_and_static_line():
    for n in (0, 3, -2):
        assert complex(matsubara_t_matrix(n, 0.3, *FREE)) == pytest.approx((-1) ** (n < 0) * -0.75j)
    assert complex(retarded_t_matrix(0.2, 0.3, *FREE)) == pytest.approx(-0.75j)
    # A degenerate level is the limit of a narrow splitting.
    split = ([0.0, 1e-7], [[0.2, 0.4], [0.4, 0.3]])
    merged = ([0.0, 0.0], [[0.2, 0.4], [0.4, 0.3]])
    for function in (matsubara_t_matrix, matsubara_correlator):
        assert function([0, 2], 1.0, *split) == pytest.approx(
            function([0, 2], 1.0, *merged), rel=1e-6, abs=1e-6
        )
    energies = np.array([-1.0, 0.5])
    assert retarded_t_matrix(energies, 1.0, *split) == pytest.approx(
        retarded_t_matrix(energies, 1.0, *merged), rel=1e-6
    )


def test_very_cold_cluster():
    """A gap of 1000 T: at the Fermi level only the elastic line of the ground state is left."""
    energies, strengths = [0.0, 1000.0], [[0.25, 0.5], [0.5, 0.25]]
    assert golden_rule_t_matrix(0.0, 1.0, energies, strengths) == pytest.approx(0.25)
    # An electron above the gap scatters with the full strength, and so does a hole below it.
    assert golden_rule_t_matrix([2000.0, -2000.0], 1.0, energies, strengths) == pytest.approx([0.75, 0.75])
    assert -retarded_t_matrix([0.0, 2000.0], 1.0, energies, strengths).imag == pytest.approx([0.25, 0.75])


CLUSTER_FUNCTIONS = [
    matsubara_correlator,
    matsubara_t_matrix,
    retarded_t_matrix,
    golden_rule_t_matrix,
    cut_contributions,
]


@pytest.mark.parametrize("function", CLUSTER_FUNCTIONS)
def test_bad_cluster(function):
    good = [0.0, 1.0], [[0.2, 0.4], [0.4, 0.3]]
    for temperature in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="temperature must"):
            function(1, temperature, *good)
    for energies in ([math.nan, 1.0], [0.0, math.inf], [0.0, 1e300], [[0.0, 1.0]]):
        with pytest.raises(ValueError, match="energies must"):
            function(1, 1.0, energies, good[1])
    for strengths in (
        [[0.2, 0.4]],
        [[0.2, 0.4], [0.1, 0.3]],
        [[-0.2, 0.4], [0.4, 0.3]],
        [[math.nan] * 2] * 2,
    ):
        with pytest.raises(ValueError, match="strengths must"):
            function(1, 1.0, good[0], strengths)
    with pytest.raises(ValueError, match="degeneracies"):
        function(1, 1.0, *good, [1.0, 0.0])
    with pytest.raises(ValueError, match="degeneracies"):
        function(1, 1.0, *good, [1.0])
    with pytest.raises(TypeError, match="must"):
        function("a", 1.0, *good)
    with pytest.raises(ValueError, match="strengths must have shape"):
        function(1, 1.0, [], np.zeros((0, 0)))


def test_bad_frequency_and_energy():
    for function in (matsubara_correlator, matsubara_t_matrix, cut_contributions):
        with pytest.raises(TypeError, match="n must"):
            function(0.5, 1.0, *FREE)
        with pytest.raises(ValueError, match="n must lie"):
            function(10**8, 1.0, *FREE)
    for bad in (math.nan, math.inf, 1e10):
        for function in (retarded_t_matrix, golden_rule_t_matrix):
            with pytest.raises(ValueError, match="energy must"):
                function(bad, 1.0, *FREE)
    with pytest.raises(ValueError, match="energy must"):
        retarded_t_matrix(-1j, 1.0, *FREE)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 2e6])
def test_bad_pair_energy(bad):
    with pytest.raises(ValueError, match="x must"):
        t_matrix_correction(bad, 0.5)
    with pytest.raises(ValueError, match="must"):
        t_matrix([0.0, bad], 1.0, 0.5, 0.1)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, "1", None])
def test_bad_scales(bad):
    for call in (
        lambda: t_matrix(0.0, bad, 0.5, 0.1),
        lambda: t_matrix(0.0, 1.0, 0.5, bad),
        lambda: t_matrix_correction(0.0, bad),
        lambda: thermal_average(np.ones_like, bad),
        lambda: drude_conductivity(np.ones_like, bad),
        lambda: thermal_average(np.ones_like, 1.0, rtol=bad),
    ):
        with pytest.raises((ValueError, TypeError), match="must"):
            call()


def test_bad_functions():
    with pytest.raises(ValueError, match="self_energy must"):
        drude_conductivity(lambda e: e, 1.0)
    with pytest.raises(ValueError, match="function must return the shape"):
        thermal_average(lambda e: np.ones(3), 1.0)
    with pytest.raises(ValueError, match="finite"):
        thermal_average(lambda e: np.full_like(e, np.nan), 1.0)
