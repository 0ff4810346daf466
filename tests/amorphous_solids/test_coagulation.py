"""The renormalization group equation (4.6): exact solutions, conservation, gelation, amplitudes."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import gammaln

from disorder.amorphous_solids import cluster_densities, cluster_moment, gelation_time
from disorder.numerics.quadrature import ConvergenceError


def product(k, m):
    return k * m


def total(k, m):
    return k + m


def one(k, m):
    return np.ones(np.broadcast_shapes(k.shape, m.shape))


def root(k, m):
    return np.sqrt(k * m)


def series(kernel, order):
    """Exact Taylor coefficients p[n][j] of P_n = sum p t^j by repeated use of (4.6), n <= order + 1."""
    p = {n: [Fraction(0)] * (order + 1) for n in range(1, order + 2)}
    p[1][0] = Fraction(1)
    for j in range(order):
        for n in p:
            change = Fraction(0)
            for i in range(j + 1):
                change -= 2 * p[n][i] * sum(kernel(k, n) * p[k][j - i] for k in range(1, j - i + 2))
                change += sum(kernel(k, n - k) * p[k][i] * p[n - k][j - i] for k in range(1, n))
            p[n][j + 1] = change / (j + 1)
    return p


def evaluate(p, n, t):
    return float(sum(c * Fraction(t) ** j for j, c in enumerate(p[n])))


def exact_product(n, t):
    """P_n for b = k m before gelation (McLeod): n^(n-2) (2t)^(n-1) exp(-2nt)/n!."""
    return np.exp((n - 2) * np.log(n) + (n - 1) * np.log(2 * t) - 2 * n * t - gammaln(n + 1.0))


def exact_sum(n, t):
    """P_n for b = k + m: exp(-2t) (n f)^(n-1) exp(-n f)/n!, f = 1 - exp(-2t)."""
    f = -np.expm1(-2 * t)
    return np.exp(-2 * t + (n - 1) * np.log(n * f) - n * f - gammaln(n + 1.0))


# Two clusters: the step from (4.3) to (4.6)


def test_gain_and_loss_integrals():
    # (4.4) to (4.5) for Gaussian couplings of mean modulus b: the shell seen from one cluster.
    b, r1, r2 = 1.7, 1.0, 6.0
    sigma = b * math.sqrt(math.pi / 2)

    def density(u):
        return math.exp(-(u**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))

    def shell(function):
        def at(logarithm):
            r = r1 * math.exp(logarithm)
            return 4 * math.pi * r**3 * quad(lambda u: density(u) * function(u / r**3), 0, 12 * sigma)[0]

        return quad(at, 0, math.log(r2 / r1))[0]

    log = math.log(r2 / r1)
    # Loss: area of energies e_1 > 0 with e_1 < U (only U > 0 contributes): integral of theta = U.
    loss = shell(lambda x: quad(lambda e: 1.0 if e < x else 0.0, 0, x)[0])
    assert loss == pytest.approx(2 * math.pi * b * log, rel=1e-7)
    # Gain: length of the line e_1 + e_2 = U in the quadrant, half for pairs counted twice.
    gain = shell(lambda x: 0.5 * quad(lambda e: 1.0 if x - e > 0 else 0.0, 0, x)[0])
    assert gain == pytest.approx(math.pi * b * log, rel=1e-7)


def test_unions_of_three_are_of_higher_order():
    # In a step d = chi ln(R_2/R_1) from single centres P_2 ~ d, P_3 ~ d^2: (4.5) may stop at pairs.
    for step in (1e-3, 1e-4):
        p = cluster_densities(step, [1, 2, 3, 4], kernel=total)
        assert p[1] == pytest.approx(2 * step, rel=20 * step)
        assert p[2] == pytest.approx(2 * 3 * step**2, rel=40 * step)
        assert p[3] / p[1] < 60 * step**2
        assert p[0] == pytest.approx(1 - 4 * step, abs=40 * step**2)


def test_strong_coupling_radius():
    # (4.1): at R_* = R_min exp(1/chi), t = 1, clusters of several centres hold half of all centres or more.
    for kernel in ("constant", "sqrt"):
        alone = cluster_densities([0.1, 1.0, 10.0], 1, kernel=kernel)
        assert alone[0] > 0.75
        assert 0.1 < alone[1] < 0.5
        assert alone[2] < 0.02
    # Half of the centres are alone at R_min exp(c/chi), c = sqrt(2) - 1 for b = 1.
    half = math.sqrt(2) - 1
    assert cluster_densities(half, 1, kernel="constant") == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("b12", [Fraction(1), Fraction(4, 3), Fraction(3, 2), Fraction(2)])
def test_expansion_to_second_order(b12):
    p = series(lambda k, m: b12 if k + m == 3 else Fraction(1), 2)
    assert p[1] == [1, -2, 4 - b12]
    assert p[2] == [0, 1, -(2 + b12)]
    assert p[3] == [0, 0, b12]
    table = np.ones((8, 8))
    table[0, 1] = table[1, 0] = float(b12)
    t = 1e-4
    values = cluster_densities(t, [1, 2, 3], kernel=table)
    np.testing.assert_allclose(values, [evaluate(p, n, t) for n in (1, 2, 3)], atol=50 * t**3)
    assert values[1] - t == pytest.approx(-float(2 + b12) * t**2, rel=1e-2)


# The general solver against exact results


@pytest.mark.parametrize(
    "kernel",
    [
        product,
        total,
        lambda k, m: 1 + 3 * k * m / (k + m),
        lambda k, m: (k - m) ** 2 + 1,
        lambda k, m: k**2 * m**2,
    ],
)
def test_exact_series(kernel):
    def rational(k, m):
        k, m = Fraction(k), Fraction(m)
        return kernel(k, m)

    order = 11
    p = series(rational, order)
    size = 64
    k = np.arange(1.0, size + 1)
    table = np.array(kernel(k[:, None], k[None, :]), dtype=float)
    t = 2.0**-12 if kernel(3.0, 3.0) > 10 else 2.0**-9
    values = cluster_densities(t, [1, 2, 3, 4, 5], kernel=table)
    np.testing.assert_allclose(values, [evaluate(p, n, t) for n in range(1, 6)], rtol=1e-12)
    # The leading coefficient of a tail: only the gain enters.
    leading = cluster_densities(1e-9, 12, kernel=table)
    assert leading == pytest.approx(float(p[12][11]) * 1e-99, rel=1e-5)


def test_constant_kernel_in_the_general_solver():
    t = np.array([1e-3, 0.1, 1.0, 2.5, 4.0])
    n = np.array([1, 2, 3, 17, 100, 641, 1000])
    exact = cluster_densities(t, n, kernel="constant")
    values = cluster_densities(t, n, kernel=one)
    keep = exact > 1e-290
    np.testing.assert_allclose(values[keep], exact[keep], rtol=1e-10)
    assert values[-1, -1] > 1e-100
    for order in (0, 0.5, 1, 2, 3.3):
        np.testing.assert_allclose(
            cluster_moment(t, order, kernel=one), cluster_moment(t, order, kernel="constant"), rtol=1e-10
        )


def test_product_kernel_before_gelation():
    t = np.array([0.01, 0.2, 0.3])
    n = np.array([1, 2, 5, 30, 200, 1000])
    values = cluster_densities(t, n, kernel=product)
    exact = exact_product(n[None, :], t[:, None])
    keep = exact > 1e-290
    np.testing.assert_allclose(values[keep], exact[keep], rtol=2e-10)
    np.testing.assert_allclose(cluster_moment(t, 0, kernel=product), 1 - t, rtol=1e-11)
    np.testing.assert_allclose(cluster_moment(t, 2, kernel=product), 1 / (1 - 2 * t), rtol=1e-9)


def test_sum_kernel():
    t = np.array([0.05, 0.3, 0.42])
    n = np.array([1, 2, 7, 60, 400])
    values = cluster_densities(t, n, kernel=total)
    exact = exact_sum(n[None, :], t[:, None])
    keep = exact > 1e-290
    np.testing.assert_allclose(values[keep], exact[keep], rtol=1e-10)
    np.testing.assert_allclose(cluster_moment(t, 0, kernel=total), np.exp(-2 * t), rtol=1e-11)
    np.testing.assert_allclose(cluster_moment(t, 2, kernel=total), np.exp(4 * t), rtol=1e-9)


def test_square_root_kernel_two_ways():
    n = np.array([1, 2, 10, 100, 300])
    t = np.array([0.1, 0.5])
    np.testing.assert_allclose(cluster_densities(t, n), cluster_densities(t, n, kernel=root), rtol=1e-10)
    for order in (0, 0.5, 1):
        np.testing.assert_allclose(
            cluster_moment(t, order), cluster_moment(t, order, kernel=root), rtol=1e-10
        )
    # The tail that absolute round-off would bury: direct summation with 2000 sizes gave these digits.
    assert cluster_densities(0.5, 100) == pytest.approx(5.45154820965e-22, rel=1e-10)
    assert cluster_densities(0.5, 1) == pytest.approx(0.4192939711642, rel=1e-11)


def test_scale_of_the_kernel_is_a_scale_of_time():
    n = [1, 4, 40]
    for scale in (1e-250, 1e250):
        values = cluster_densities(0.4 / scale, n, kernel=lambda k, m, c=scale: c * (k + m))
        np.testing.assert_allclose(values, cluster_densities(0.4, n, kernel=total), rtol=1e-10)


def test_kernels_with_zeros():
    # Only equal sizes unite: sizes are powers of two, and P_1 = 1/(1 + 2t).
    values = cluster_densities([0.3, 2.0], [1, 2, 3, 4, 6, 8], kernel=lambda k, m: 1.0 * (k == m))
    assert (values[:, [2, 4]] == 0).all()
    np.testing.assert_allclose(values[:, 0], [1 / 1.6, 1 / 5], rtol=1e-12)
    assert (values[:, [1, 3, 5]] > 0).all()
    # Single centres never unite.
    inert = cluster_densities([0.0, 5.0], [1, 2, 3], kernel=lambda k, m: (k - 1) * (m - 1))
    np.testing.assert_allclose(inert, [[1, 0, 0], [1, 0, 0]], rtol=1e-12)


def test_single_centres_only():
    # Without clusters of two or more, (4.6) is dP_1/dt = -2 P_1^2, and P_1 = 1/(1 + 2t).
    t = np.array([0.0, 0.1, 1.0, 30.0])
    alone = cluster_densities(t, [1, 2, 3], kernel=lambda k, m: 1.0 * (k * m == 1))
    np.testing.assert_allclose(alone[:, 0], 1 / (1 + 2 * t), rtol=1e-12)
    np.testing.assert_allclose(alone[:, 1], t / (1 + 2 * t), rtol=1e-11)
    assert (alone[:, 2] == 0).all()
    # Clusters take more single centres away, for every kernel with b_1n > 0, and change the power of t.
    assert (cluster_densities(t[1:], 1) < alone[1:, 0]).all()
    constant = cluster_densities(t, 1, kernel="constant")
    np.testing.assert_allclose(constant, 1 / (1 + t) ** 2, rtol=1e-14)


# Conservation


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.fractions(-3, 3), min_size=6, max_size=6),
    st.lists(st.fractions(0, 4), min_size=36, max_size=36),
)
def test_interchange_of_the_double_sum(density, entries):
    # (4.10) and the loss term, exactly, for any symmetric kernel and finitely many sizes: they cancel.
    b = [[entries[6 * min(i, j) + max(i, j)] for j in range(6)] for i in range(6)]
    gain = sum(
        n * b[k - 1][n - k - 1] * density[k - 1] * density[n - k - 1]
        for n in range(2, 13)
        for k in range(max(1, n - 6), min(n - 1, 6) + 1)
    )
    loss = sum(
        2 * n * density[n - 1] * b[k - 1][n - 1] * density[k - 1] for n in range(1, 7) for k in range(1, 7)
    )
    assert gain == loss


@pytest.mark.parametrize(
    "kernel",
    [
        "constant",
        "sqrt",
        total,
        lambda k, m: 1 + np.abs(k - m),
        lambda k, m: 1 / (k + m),
        lambda k, m: np.sqrt(k) + np.sqrt(m),
    ],
)
def test_particles_are_conserved(kernel):
    # Most of these kernels are not multiplicative.
    t = np.array([0.0, 0.1, 0.3, 0.4])
    np.testing.assert_allclose(cluster_moment(t, 1, kernel=kernel), 1, rtol=1e-10)
    n = np.arange(1, 800)
    np.testing.assert_allclose(cluster_densities(t[:3], n, kernel=kernel) @ n, 1, rtol=1e-10)


def test_multiplicative_kernel_loses_particles():
    # b = k m is multiplicative. For t >= 1/2 (4.6) has the solution c_n/(2t), c_n = P_n(1/2): I_1 = 1/(2t).
    size = 1_000_000
    n = np.arange(1.0, size + 1)
    c = exact_product(n, 0.5)
    first = n @ c
    tail = math.sqrt(2 / math.pi) / math.sqrt(size)  # n c_n ~ n^(-3/2)/sqrt(2 pi)
    assert first + tail == pytest.approx(1, abs=1e-8)
    for t in (0.5, 0.8, 3.0):
        p = c / (2 * t)
        mass = 1 / (2 * t)
        for size in (1, 2, 3, 10):
            k = np.arange(1, size)
            gain = (k * (size - k) * p[k - 1] * p[size - k - 1]).sum()
            loss = 2 * p[size - 1] * size * mass
            assert gain - loss == pytest.approx(-p[size - 1] / t, rel=1e-11)
    # So the solver refuses there, and says when the infinite cluster appears.
    with pytest.raises(ValueError, match=r"below 0\.5, where"):
        cluster_densities(0.6, 1, kernel=product)
    with pytest.raises(ValueError, match="gelation"):
        cluster_moment([0.1, 0.6], 1, kernel=product)
    with pytest.raises(ValueError, match="below 0, where"):
        cluster_densities(0.01, 1, kernel=lambda k, m: k**2 + m**2)


def test_gelation_by_the_second_moment():
    # Second route to the gelation time of (k m)^0.8: 1/I_2 vanishes there as a power; bracket it.
    def kernel(k, m):
        return (k * m) ** 0.8

    expected = gelation_time(kernel)
    t = np.array([0.3, 0.4, 0.5])
    second = np.log(cluster_moment(t, 2, kernel=kernel))

    def curvature(end):
        # I_2 = C (end - t)^-g is a straight line in these logarithms.
        x = np.log(end - t)
        return (second[2] - second[1]) / (x[1] - x[2]) - (second[1] - second[0]) / (x[0] - x[1])

    assert brentq(curvature, 0.6, 5.0) == pytest.approx(expected, rel=0.02)


def test_loss_of_particles_raises():
    with pytest.raises(ConvergenceError, match="sizes up to 8 "):
        cluster_densities(1.0, 1, kernel=np.ones((8, 8)))
    with pytest.raises(ConvergenceError, match="sizes up to 40 "):
        cluster_moment(0.7, 2, kernel=np.ones((40, 40)))


# Amplitudes: (4.12)-(4.16)


def test_amplitude_of_a_union():
    # Delta_0 = D1 D2 R^3/U_0 and W = U_0/R_min^3: L = L1 + L2 + 3 xi.
    rng = np.random.default_rng(1)
    for d1, d2, r, r_min, u0 in np.exp(rng.normal(size=(20, 5))):
        w = u0 / r_min**3
        united = d1 * d2 * r**3 / u0
        log = math.log(d1 / w) + math.log(d2 / w) + 3 * math.log(r / r_min)
        assert math.log(united / w) == pytest.approx(log, abs=1e-12)
    # Neglected: energies U y and U (1 - y), y uniform, give D/(2 U y (1 - y)): a factor e^2/2.
    mean = quad(lambda y: -math.log(2 * y * (1 - y)), 0, 1)[0]
    assert math.exp(mean) == pytest.approx(math.e**2 / 2, rel=1e-9)


def right_hand_side(n, length, t, chi, densities, b):
    """(4.15) literally; `densities` maps a size to a function of L <= 0 that vanishes beyond L = -60."""
    edge = 3 * t / chi
    if n == 1:
        totals = sum(b(k, 1) * quad(p, -60, -edge, epsabs=1e-13, limit=200)[0] for k, p in densities.items())
        return -2 * densities[1](length) * (abs(length) > edge) * totals
    # L2 = L - L1 - 3t/chi, and both |L_i| > 3t/chi.
    start, stop = length, -edge
    if start >= stop:
        return 0.0
    integrand = lambda x: densities[1](x) * densities[1](length - x - edge) * (abs(length - x - edge) > edge)  # noqa: E731
    return b(1, 1) * quad(integrand, start, stop, epsabs=1e-13, limit=200)[0]


def test_generalised_equation():
    chi, t = 0.1, 0.2
    edge = 3 * t / chi  # 6
    densities = {
        1: lambda x: math.exp(-((x + 12) ** 2) / 8),
        2: lambda x: 0.3 * math.exp(-((x + 15) ** 2) / 4),
    }

    def b(k, m):
        return {1: 1.0, 2: 1.3, 4: 1.6}[k * m]

    # With x = chi |L|/3 and y = x - t unions add, y = y1 + y2, and the step functions say y > 0.
    for length in (-40.0, -22.0, -13.0, -7.0):
        y = abs(length) - edge
        direct = quad(
            lambda z, y=y: densities[1](-z - edge) * densities[1](-(y - z) - edge), 0, y, epsabs=1e-13
        )[0]
        assert right_hand_side(2, length, t, chi, densities, b) == pytest.approx(direct, abs=1e-9)
    assert right_hand_side(2, -5.0, t, chi, densities, b) == 0
    assert right_hand_side(1, -5.0, t, chi, densities, b) == 0
    assert right_hand_side(1, -7.0, t, chi, densities, b) < 0

    # Integrated over L: what active pairs lose and gain is (4.6) for the active densities.
    active = {n: quad(p, -60, -edge, epsabs=1e-12)[0] for n, p in densities.items()}
    total_gain = quad(lambda x: right_hand_side(2, x, t, chi, densities, b), -60, -edge, epsabs=1e-9)[0]
    assert total_gain == pytest.approx(active[1] ** 2, rel=1e-6)
    total_loss = quad(lambda x: right_hand_side(1, x, t, chi, densities, b), -60, -edge, epsabs=1e-9)[0]
    assert total_loss == pytest.approx(-2 * active[1] * (active[1] + 1.3 * active[2]), rel=1e-6)

    # Unions keep the sum of y over active clusters (here of size 1 uniting with size 1).
    single = {1: densities[1]}
    moment = [
        quad(
            lambda x, n=n: (abs(x) - edge) * right_hand_side(n, x, t, chi, single, b), -60, -edge, epsabs=1e-8
        )[0]
        for n in (1, 2)
    ]
    assert sum(moment) == pytest.approx(0, abs=1e-6 * abs(moment[0]))


def test_exact_solution_with_step_functions():
    # b = 1, summed over n, exponential in y: d_t P - d_y P = -2 P N + P*P at random points, to 30 digits.
    with mpmath.workdps(32):
        x_star = mpmath.mpf("1.7")
        b_end = mpmath.exp(-x_star) / x_star

        def slope(b):
            return -(b**2) * mpmath.log(b / b_end)

        for t in (mpmath.mpf("0.2"), mpmath.mpf("1.1")):
            b = mpmath.odefun(lambda _, b: slope(b), 0, 1 / x_star, tol=mpmath.mpf("1e-26"))(t)
            a = -slope(b)
            a_slope = -(2 * b * mpmath.log(b / b_end) + b) * a  # dA/dt = dA/dB B', A = B^2 ln(B/B_end)
            number, mass = a / b, a / b**2
            for y in (mpmath.mpf("0.1"), mpmath.mpf("2.3")):
                p = a * mpmath.exp(-b * y)
                time_derivative = (a_slope / a + y * a) * p
                union = a**2 * y * mpmath.exp(-b * y)
                assert mpmath.fabs(time_derivative + b * p - (-2 * p * number + union)) < 1e-24
            # The budget dM/dt = -N holds: M = ln(B/B_end), so that M' = B'/B = -A/B.
            assert mpmath.fabs(mass - mpmath.log(b / b_end)) < 1e-24
            assert mpmath.fabs(slope(b) / b + number) < 1e-24


# Closed forms of the constant kernel


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(1, 10**6))
def test_constant_densities(t, n):
    with mpmath.workdps(40):
        x = mpmath.mpf(t)
        exact = (x / (1 + x)) ** (n - 1) / (1 + x) ** 2
    value = cluster_densities(t, n, kernel="constant")
    if exact > 1e-300:
        assert value == pytest.approx(float(exact), rel=1e-12)
    else:
        assert 0 <= value < 1e-299


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-4, 300.0), st.floats(0.0, 30.0))
def test_constant_moments(t, order):
    with mpmath.workdps(40):
        x = mpmath.mpf(t)
        exact = mpmath.polylog(-mpmath.mpf(order), x / (1 + x)) / (x * (1 + x))
    assert cluster_moment(t, order, kernel="constant") == pytest.approx(float(exact), rel=2e-13)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1e12))
def test_first_moments_of_the_constant_kernel(t):
    moments = cluster_moment(t, [0, 1, 2], kernel="constant")
    np.testing.assert_allclose(moments, [1 / (1 + t), 1, 1 + 2 * t], rtol=2e-13)


# What the functions owe their caller


def test_shapes_and_scalars():
    for kernel in ("constant", "sqrt", one, np.ones((200, 200))):
        assert type(cluster_densities(0.1, 3, kernel=kernel)) is float
        assert type(cluster_moment(0.1, 1, kernel=kernel)) is float
        grid = cluster_densities([[0.1], [0.2]], [1, 2, 5], kernel=kernel)
        assert grid.shape == (2, 1, 3)
        assert grid[1, 0, 2] == pytest.approx(cluster_densities(0.2, 5, kernel=kernel), rel=1e-10)
        assert cluster_densities(0.1, [], kernel=kernel).shape == (0,)
        assert cluster_densities(np.zeros(0), [1, 2], kernel=kernel).shape == (0, 2)
        assert cluster_densities(0.0, [1, 2], kernel=kernel).tolist() == [1, 0]
        moments = cluster_moment([[0.1], [0.2]], [0, 1], kernel=kernel)
        assert moments.shape == (2, 2)
        assert moments[1, 0] == pytest.approx(cluster_moment(0.2, 0, kernel=kernel), rel=1e-10)
    assert cluster_densities(0.1, 3.0) == cluster_densities(0.1, 3)


def test_extreme_values():
    for t in (5e-324, 1e-300, 1e-20, 1e20, 1e300):
        values = cluster_densities(t, [1, 2, 10**9], kernel="constant")
        assert np.isfinite(values).all()
        assert cluster_moment(t, 0, kernel="constant") == pytest.approx(1 / (1 + t), rel=1e-13)
        assert cluster_moment(t, 1, kernel="constant") == pytest.approx(1, rel=1e-13)
    for t in (1e-300, 1e-200, 1e-20):
        for kernel in ("sqrt", root):
            values = cluster_densities(t, [1, 2, 50], kernel=kernel)
            np.testing.assert_allclose(values, [1, t, 0], rtol=1e-10)
    with pytest.raises(ValueError, match="order"):
        cluster_moment(1e200, 3, kernel="constant")
    with pytest.raises(ValueError, match="order"):
        cluster_moment(1.0, 900, kernel="constant")


@pytest.mark.parametrize("kernel", ["constant", "sqrt", one, np.ones((20, 20))])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, -1e-300, "1", None, 1j, True, [[0.1], [0.2, 0.3]]])
def test_bad_times(bad, kernel):
    with pytest.raises((TypeError, ValueError), match="t must"):
        cluster_densities(bad, 1, kernel=kernel)
    with pytest.raises((TypeError, ValueError), match="t must"):
        cluster_moment(bad, 1, kernel=kernel)


@pytest.mark.parametrize("kernel", ["constant", "sqrt", one, np.ones((20, 20))])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 0, -1, 1.5, "1", None, 1j, True, [1, 0], 1e300])
def test_bad_sizes(bad, kernel):
    with pytest.raises((TypeError, ValueError), match="sizes must"):
        cluster_densities(0.1, bad, kernel=kernel)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, "1", None, 1j, True])
def test_bad_orders(bad):
    for kernel in ("constant", "sqrt", one):
        with pytest.raises((TypeError, ValueError), match="order"):
            cluster_moment(0.1, bad, kernel=kernel)
    with pytest.raises(ValueError, match="broadcast"):
        cluster_moment([0.1, 0.2], [0, 1, 2], kernel="constant")


def test_bad_kernels():
    for bad in ("square", None, -np.ones((3, 3)), lambda k, m: k - m, np.full((2, 2), math.nan)):
        with pytest.raises((TypeError, ValueError), match="kernel"):
            cluster_densities(0.1, 1, kernel=bad)
        with pytest.raises((TypeError, ValueError), match="kernel"):
            cluster_moment(0.1, 1, kernel=bad)
    with pytest.raises(ValueError, match="sizes"):
        cluster_densities(0.1, 21, kernel=np.ones((20, 20)))
    with pytest.raises(ValueError, match=r"\bt must"):
        cluster_densities(1e9, 1)


def test_interruption_leaves_nothing_behind(capfd):
    calls = []

    def interrupted(k, m):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return k + m

    with pytest.raises(KeyboardInterrupt):
        cluster_densities(0.3, [1, 80], kernel=interrupted)
    again = cluster_densities(0.3, [1, 80], kernel=interrupted)
    np.testing.assert_array_equal(again, cluster_densities(0.3, [1, 80], kernel=total))
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
