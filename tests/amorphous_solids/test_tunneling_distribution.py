"""P(L, t) for b_km = 1: Fourier inversion, splitting on a grid, the literal equation on L, closed forms."""

import math
import warnings
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import cumulative_simpson, quad, solve_ivp
from scipy.signal import fftconvolve
from scipy.special import exp1

from disorder.amorphous_solids import (
    GammaAmplitudes,
    NormalAmplitudes,
    UniformAmplitudes,
    active_clusters,
    amplitude_tail,
    cluster_densities,
    cluster_moment,
    exponential_freezing,
    exponential_tunneling_distribution,
    final_plateau,
    freezing_plateau,
    frozen_distribution,
    plateau_distribution,
    plateau_lifetime,
    plateau_scale,
    tunneling_distribution,
)
from disorder.numerics.quadrature import ConvergenceError
from disorder.numerics.validation import ValidityWarning

INITIALS = [
    GammaAmplitudes(9.0),
    GammaAmplitudes(9.0, 6.0),
    NormalAmplitudes(9.0, 2.0),
    UniformAmplitudes(7.0, 11.0),
]


def quiet(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        return function(*arguments)


def literal_equation(initial, chi, t_end, step, extent, *, thetas):
    """Heun steps for Eq. (4.15) summed over n, as printed, on nodes of |L| with linear interpolation."""
    depth = np.arange(0.0, extent, step)
    density = np.asarray(initial.density(-depth))
    # Half a cell at the end of a range with a finite value there.
    density[0] *= 0.5

    def change(density, t):
        shift = 3 * t / chi
        seen = density * np.clip((depth - shift) / step + 0.5, 0, 1) if thetas else density
        total = seen.sum() * step
        pairs = np.concatenate((fftconvolve(seen, seen) * step, [0.0]))
        # L = L_1 + L_2 + 3 t / chi: |L| = |L_1| + |L_2| - 3 t / chi.
        moved = np.interp(depth + shift, np.arange(pairs.size) * step, pairs)
        return -2 * seen * total + moved

    steps = math.ceil(t_end * chi**-1 * 3 / step)
    h = t_end / steps
    for k in range(steps):
        first = change(density, k * h)
        second = change(density + h * first, (k + 1) * h)
        density = density + 0.5 * h * (first + second)
    return depth, density


def test_literal_equation_with_theta_functions():
    """Second route: (4.15) itself on its own L grid against the representation y = x - t."""
    initial, chi, t_end = GammaAmplitudes(4.0, 3.0), 1.5, 5.0
    ours = None
    errors = []
    for step in (0.1, 0.05):
        _, density = literal_equation(initial, chi, t_end, step, 120.0, thetas=True)
        points = np.arange(0.6, 100.0, 0.6)
        index = np.rint(points / step).astype(int)
        ours = tunneling_distribution(-points, t_end, initial, chi)
        away = np.abs(points - 3 * t_end / chi) > 0.3
        errors.append(np.abs(density[index] - ours)[away].max() / ours.max())
    assert errors[1] < 3e-3
    assert errors[1] < 0.6 * errors[0]
    assert (ours[points > 12] > 1e-4 * ours.max()).any()


def test_literal_equation_without_theta_functions():
    """(5.10) solved as printed against the Fourier solution (5.13); t chi^-1 3 stays below the least |L|."""
    initial, chi, t_end = NormalAmplitudes(12.0, 1.0), 2.0, 3.0
    errors = []
    for step in (0.1, 0.05):
        depth, density = literal_equation(initial, chi, t_end, step, 600.0, thetas=False)
        chosen = np.arange(round(5 / step), depth.size, round(2 / step))
        exact = tunneling_distribution(-depth[chosen], t_end, initial, chi, freezing=False, rtol=1e-7)
        errors.append(np.abs(density[chosen] - exact).max() / exact.max())
    assert errors[1] < 5e-3
    assert errors[1] < 0.35 * errors[0]


@pytest.mark.parametrize("initial", INITIALS)
@pytest.mark.parametrize("t", [0.4, 2.0, 6.0])
def test_number_and_first_moments_without_freezing(initial, t):
    """Integrals over all L: 1/(1+t), |L~|, and the second moment of x - t from its own equation."""
    edges = np.unique(
        np.concatenate((np.linspace(-25, 60, 341), np.linspace(60, 1500, 721), [7.0, 11.0, 0.0]))
    )
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = np.diff(edges) / 2
    depth = (edges[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    weight = (half[:, None] * weights).ravel()
    density = tunneling_distribution(-depth, t, initial, freezing=False, rtol=1e-6)
    left = tunneling_distribution(-np.linspace(-300, -25, 2001), t, initial, freezing=False, rtol=1e-6)
    assert weight @ density + left.sum() * 275 / 2000 == pytest.approx(1 / (1 + t), rel=2e-4)
    mean = weight @ (depth * density) + (np.linspace(-300, -25, 2001) @ left) * 275 / 2000
    assert mean == pytest.approx(plateau_scale(t, initial.mean), rel=1e-3)
    y = depth / 3 - t
    left_y = np.linspace(-300, -25, 2001) / 3 - t
    second = weight @ (y**2 * density) + (left_y**2 @ left) * 275 / 2000
    start = initial.mean / 3
    growth = quad(lambda s: 2 * (start - math.log1p(s)) ** 2 - 2 * (start - math.log1p(s)), 0, t)[0]
    exact = (initial.deviation / 3) ** 2 + start**2 + growth
    assert second == pytest.approx(exact, rel=2e-3)


def test_fourier_transform_is_the_printed_one():
    """(5.13) by mpmath at one Q, against the transform of our density."""
    t, chi, q = 1.5, 1.2, 0.37
    initial = GammaAmplitudes(6.0, 4.0)
    p0 = (1 - 1j * q * 6 / 4) ** -4
    # Eq. (5.11): P(Q) = int dL exp(-i Q L) P(L) with L = -|L|.
    inner = mpmath.quad(lambda y: mpmath.exp(-3j * q * y / chi) / (1 + y) ** 2, [0, t])
    printed = complex(1 / ((1 + t) ** 2 * (1 / p0 - inner)))
    log_amplitude = np.linspace(-250, 60, 62001)
    density = tunneling_distribution(log_amplitude, t, initial, chi, freezing=False, rtol=1e-8)
    ours = np.exp(-1j * q * log_amplitude) @ density * (log_amplitude[1] - log_amplitude[0])
    assert abs(ours - printed) < 1e-7


def test_union_times_interpretation():
    """(5.13) as a geometric series: n amplitudes less n - 1 union times of density 1/(1+y)^2."""
    rng = np.random.default_rng(7)
    t, samples = 2.0, 400_000
    sizes = rng.geometric(1 / (1 + t), samples)
    owner = np.repeat(np.arange(samples), sizes)
    total = np.bincount(owner, rng.gamma(4.0, 0.75, owner.size))
    joins = np.repeat(np.arange(samples), sizes - 1)
    u = rng.uniform(0, t / (1 + t), joins.size)
    total -= np.bincount(joins, u / (1 - u), samples)
    counts, edges = np.histogram(3 * total, np.linspace(3, 63, 21))
    points = (edges[:-1, None] + 3 * (np.arange(20) + 0.5) / 20).ravel()
    density = tunneling_distribution(-points, t, GammaAmplitudes(9.0, 4.0), freezing=False)
    expected = density.reshape(20, 20).mean(axis=1) * 3 * (1 + t) * samples
    assert (((counts - expected) ** 2 / expected).sum()) < 20 + 4 * math.sqrt(40)


@pytest.mark.parametrize("initial", INITIALS)
def test_tail_is_the_leading_pole(initial):
    tail = amplitude_tail(4.0, initial)
    far = np.array([-150.0, -250.0, -600.0])
    exact = tunneling_distribution(far, 4.0, initial, freezing=False, rtol=1e-7)
    assert exact == pytest.approx(tail.amplitude * np.exp(tail.rate * far), rel=1e-6)
    # The pole as a root of (5.13) with mpmath's own integral.
    s = mpmath.mpf(tail.rate) * 3
    inner = mpmath.quad(lambda y: mpmath.exp(-s * y) / (1 + y) ** 2, [0, 4])
    transform = initial.transform(np.array([-tail.rate + 0j]))[0].real
    assert transform * float(inner) == pytest.approx(1, rel=1e-10)


def test_pole_tends_to_the_printed_one():
    """(5.15): rate -> 1/((1+t)|L~|) and amplitude -> 1/((1+t)^2 |L~|) for large x* and t, error 1/t."""
    errors = []
    for t in (10.0, 100.0, 1000.0):
        log_scale = 300.0
        tail = amplitude_tail(t, GammaAmplitudes(log_scale, 4.0))
        scale = plateau_scale(t, log_scale)
        errors.append((abs(tail.rate * (1 + t) * scale - 1), abs(tail.amplitude * (1 + t) ** 2 * scale - 1)))
    errors = np.array(errors)
    assert (errors[1:] < 0.15 * errors[:-1]).all()
    assert (errors[-1] < 2e-3).all()


def test_pole_at_large_times():
    """The union times have a heavy tail: -1/(2 X^2), X = chi |L~| / 3, stays for large t."""
    for log_scale in (60.0, 90.0):
        t = 3e4
        scale = plateau_scale(t, log_scale)
        rate = amplitude_tail(t, GammaAmplitudes(log_scale, 4.0)).rate * (1 + t) * scale
        assert (rate - 1) * 2 * (scale / 3) ** 2 == pytest.approx(-1, rel=0.35)


@pytest.mark.parametrize("t", [0.5, 2.0, 20.0, 200.0])
def test_exponential_start_against_the_closed_form(t):
    points = -np.array([0.4, 1.0, 3.0, 5.0, 8.0, 20.0, 50.0, 200.0])
    ours = tunneling_distribution(points, t, GammaAmplitudes(9.0))
    assert ours == pytest.approx(exponential_tunneling_distribution(points, t, 9.0), rel=1e-4)


def test_closed_form_obeys_the_equation():
    """The exponential inserted into d_t P - d_y P = -2 P N + P * P at random points, 30 digits."""
    with mpmath.workdps(30):
        start = mpmath.mpf(3)
        b_end = mpmath.exp(-start) / start

        def rate(t):
            target = mpmath.e1(start) + t * b_end
            g = mpmath.findroot(lambda g: mpmath.e1(g) - target, (start / 2, start))
            return b_end * mpmath.exp(g), g

        def density(y, t):
            b, g = rate(t)
            return b * b * g * mpmath.exp(-b * y)

        for y, t in ((0.7, 0.4), (2.3, 1.9)):
            b, g = rate(t)
            left = mpmath.diff(lambda s, y=y: density(y, s), t) - mpmath.diff(lambda z, t=t: density(z, t), y)
            right = -2 * density(y, t) * b * g + (b * b * g) ** 2 * y * mpmath.exp(-b * y)
            assert abs(left - right) < 1e-18
            state = exponential_freezing(float(t), 9.0)
            assert state.active == pytest.approx(float(b * g), rel=1e-11)
            assert state.moment == pytest.approx(float(g), rel=1e-11)
            printed = float(density(mpmath.mpf(y), mpmath.mpf(t)) / 3)
            assert exponential_tunneling_distribution(-3 * (y + t), t, 9.0) == pytest.approx(
                printed, rel=1e-11
            )


def test_moving_quanta():
    """Independent route: Erlang mixtures turn (4.15) into coagulating quanta lost one by one, exactly."""
    shape, start, t_end, size = 3, 2.0, 4.0, 400
    rate = shape / start
    state = np.zeros(size)
    state[shape - 1] = 1.0

    def change(_, c):
        drift = rate * (np.append(c[1:], 0.0) - c)
        pairs = np.concatenate(([0.0], np.convolve(c, c)[: size - 1]))
        return drift - 2 * c * c.sum() + pairs

    flow = solve_ivp(change, (0, t_end), state, "DOP853", rtol=1e-11, atol=1e-14, dense_output=True)
    initial = GammaAmplitudes(3 * start, shape)
    c = flow.y[:, -1]
    clusters = active_clusters(t_end, initial)
    assert clusters.active == pytest.approx(c.sum(), rel=1e-5)
    assert clusters.moment == pytest.approx(c @ np.arange(1, size + 1) / rate, rel=1e-5)
    y = np.array([0.3, 2.0, 7.0, 15.0])
    k = np.arange(1, size + 1)
    logs = np.multiply.outer(np.log(rate * y), k - 1) - rate * y[:, None]
    logs -= np.array([math.lgamma(j) for j in k])
    exact = rate * np.exp(logs) @ c
    assert 3 * tunneling_distribution(-3 * (y + t_end), t_end, initial) == pytest.approx(exact, rel=1e-4)
    times = np.array([0.5, 1.5, 3.0])
    frozen = 3 * frozen_distribution(-3 * times, initial)
    assert frozen == pytest.approx(rate * flow.sol(times)[0], rel=1e-4)


@pytest.mark.parametrize("initial", INITIALS)
def test_exact_laws_with_freezing(initial):
    """dM/dt = -N and d(N + F)/dt = -N^2 for every initial distribution; M(0) = x*."""
    times = np.linspace(0.0, 12.0, 481)
    state = active_clusters(times, initial)
    spent = cumulative_simpson(state.active, x=times, initial=0.0)
    lost = cumulative_simpson(state.active**2, x=times, initial=0.0)
    assert state.moment == pytest.approx(initial.mean / 3 - spent, abs=2e-4)
    assert state.active + state.frozen == pytest.approx(1 - lost, abs=2e-4)
    # Freezing removes active clusters: N <= 1/(1+t), so M >= x* - ln(1+t).
    assert (state.active <= (1 + 1e-3) / (1 + times)).all()
    assert (state.moment >= initial.mean / 3 - np.log1p(times) - 1e-3).all()


def test_number_of_clusters_is_the_integral_of_the_distribution():
    initial, t = NormalAmplitudes(9.0, 2.0), 5.0
    edges = np.concatenate((np.linspace(0, 40, 401), np.geomspace(40.5, 800, 150)))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = np.diff(edges) / 2
    depth = (edges[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    weight = (half[:, None] * weights).ravel()
    density = tunneling_distribution(-depth, t, initial)
    state = active_clusters(t, initial)
    beyond = depth > 3 * t
    assert weight[beyond] @ density[beyond] == pytest.approx(state.active, rel=1e-3)
    assert weight[~beyond] @ density[~beyond] == pytest.approx(state.frozen, rel=1e-3)
    assert frozen_distribution(-depth[~beyond], initial) == pytest.approx(density[~beyond], abs=1e-4)


def test_theta_functions_do_nothing_before_the_first_freezing():
    """All |L| above 3 t / chi: (5.13) solves (4.15); the first sentence before (5.10)."""
    initial = UniformAmplitudes(7.0, 11.0)
    points = -np.array([7.5, 9.0, 10.5, 15.0, 18.0, 25.0, 60.0])
    with_thetas = tunneling_distribution(points, 2.3, initial)
    without = tunneling_distribution(points, 2.3, initial, freezing=False, rtol=1e-6)
    assert with_thetas == pytest.approx(without, rel=1e-3, abs=5e-6)
    later = tunneling_distribution(points, 4.0, initial)
    assert later[1] > 1.3 * tunneling_distribution(points[1], 4.0, initial, freezing=False)


def test_early_formula_joins_the_grid():
    initial, points = GammaAmplitudes(9.0), -np.array([1e-4, 0.5, 9.0, 30.0])
    edge = 3e-4 * math.sqrt(3.0)
    below = tunneling_distribution(points, 0.999 * edge, initial)
    above = tunneling_distribution(points, 1.001 * edge, initial)
    assert below == pytest.approx(above, rel=1e-5)


@given(st.floats(0, 30), st.floats(0.5, 60), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_scale_and_lifetime(t, log_scale, chi):
    """(5.20) is the end (1+t)|L~| of (5.18); it equals 3 xi at t_m = exp(x*) - 1, the root of (5.22)."""
    scale = plateau_scale(t, log_scale, chi)
    log_f = 3 * ((1 + t) * math.log1p(t) - t) / chi
    assert (1 + t) * scale == pytest.approx(
        (1 + t) * log_scale - log_f, rel=1e-9, abs=1e-9 * (1 + t) * log_scale
    )
    if chi * log_scale / 3 < 30:
        last = plateau_lifetime(log_scale, chi)
        end = (1 + last) * plateau_scale(last, log_scale, chi)
        assert end == pytest.approx(3 * last / chi, rel=1e-9, abs=1e-12 * (1 + last) * log_scale)


def test_plateau_formula():
    t, log_scale, chi = 3.0, 14.0, 1.3
    scale = plateau_scale(t, log_scale, chi)
    depth = np.linspace(0, 4000, 400001)
    density = plateau_distribution(-depth, t, log_scale, chi)
    assert np.trapezoid(density, depth) == pytest.approx(1 / (1 + t), rel=1e-6)
    assert np.trapezoid(depth * density, depth) == pytest.approx(scale, rel=1e-6)
    # (5.19): flat over (5.18) to leading order.
    assert density[0] == pytest.approx(1 / (scale * (1 + t) ** 2), rel=1e-12)
    with pytest.warns(ValidityWarning, match="5.17"):
        plateau_distribution(-20.0, 7.0, 14.0, 1.3)
    with pytest.raises(ValueError, match="t must be"):
        plateau_distribution(-20.0, 1e6, 14.0, 1.3)


def test_plateau_is_reached_for_large_scales():
    """(5.17) against (5.13): the relative error on the plateau falls as 1/t when ln t << x*."""
    worst = []
    for t in (5.0, 20.0, 80.0):
        initial = GammaAmplitudes(900.0, 4.0)
        end = (1 + t) * plateau_scale(t, 900.0)
        points = -np.linspace(4 * 900.0, end, 12)
        exact = tunneling_distribution(points, t, initial, freezing=False, rtol=1e-6)
        worst.append(np.abs(plateau_distribution(points, t, 900.0) / exact - 1).max())
    assert worst[2] < 0.35 * worst[1] < 0.35 * 0.35 * worst[0] * 1.2
    assert worst[2] < 0.01


def test_final_plateau():
    log_scale, chi = 21.0, 0.9
    last = plateau_lifetime(log_scale, chi)
    xi = last / chi
    depth = np.linspace(0, 120 * xi, 300001)
    with pytest.warns(ValidityWarning, match="frozen"):
        density = final_plateau(-depth, log_scale, chi)
    assert density[0] == pytest.approx(1 / (3 * chi * xi**2), rel=1e-12)
    # The integral of (5.24) is 1/t_m: (5.3) for t >> 1.
    assert np.trapezoid(density, depth) == pytest.approx(1 / last, rel=1e-6)
    assert final_plateau(-4 * xi, log_scale, chi) == pytest.approx(math.exp(-4 / 3) / (3 * chi * xi**2))


@pytest.mark.parametrize(
    "initial", [GammaAmplitudes(18.0), GammaAmplitudes(18.0, 25.0), NormalAmplitudes(18.0, 6.0)]
)
def test_attractor(initial):
    """Late active clusters are exponential in y, A = N^2 / M, whatever the start; so is (5.25) replaced."""
    t = 60.0
    state = active_clusters(t, initial)
    y = np.array([0.0, 0.2, 1.0, 3.0, 6.0]) * state.moment / state.active
    density = 3 * tunneling_distribution(-3 * (t + y), t, initial)
    law = state.active**2 / state.moment * np.exp(-state.active * y / state.moment)
    assert density == pytest.approx(law, rel=5e-3)
    # It falls below the leading law by 1/M corrections, and exceeds (5.25) manifold where that is claimed.
    frozen = frozen_distribution(-3 * np.array([40.0, 80.0]), initial)
    leading = quiet(freezing_plateau, -3 * np.array([40.0, 80.0]), 100.0, 18.0)
    assert ((frozen / leading > 0.3) & (frozen / leading < 0.6)).all()
    assert (frozen > 5 * quiet(final_plateau, -3 * np.array([40.0, 80.0]), 18.0)).all()


def test_freezing_plateau_is_the_limit_of_the_closed_form():
    """Relative error falls as 1/M when x* grows at fixed ln t / x*."""
    errors = []
    for start in (20.0, 80.0, 320.0):
        t = math.exp(start / 2)
        points = -3 * np.array([t / 100, t / 2, t, 3 * t])
        exact = exponential_tunneling_distribution(points, t, 3 * start)
        errors.append(np.abs(freezing_plateau(points, t, 3 * start) / exact - 1).max())
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    assert errors[2] < 0.02
    with pytest.warns(ValidityWarning, match="ln"):
        freezing_plateau(-10.0, 10.0, 9.0)
    with pytest.raises(ValueError, match="t must be below"):
        freezing_plateau(-10.0, 30.0, 9.0)


@given(st.floats(0.01, 400), st.floats(0, 1e6))
@settings(max_examples=40, deadline=None)
def test_closed_form_root(start, t):
    state = exponential_freezing(t, 3 * start)
    assert 0 <= state.active <= 1
    assert 0 <= state.moment <= start
    g = state.moment
    if 1e-250 < g < 600 and start < 600:
        left = mpmath.e1(g) - mpmath.e1(start)
        assert float(left) == pytest.approx(
            float(mpmath.exp(-start) * t / start), rel=1e-6, abs=float(1e-10 * exp1(g))
        )


@pytest.mark.parametrize("initial", INITIALS)
def test_initial_distributions(initial):
    """Moments, transform, and twice integrated densities by quadrature."""
    edges = [0.0, 7.0, 9.0, 11.0, 30.0, 400.0]

    def mean_of(function):
        return sum(
            quad(lambda x: function(x) * float(initial.density(-x)), a, b, epsabs=1e-13, limit=200)[0]
            for a, b in pairwise(edges)
        )

    assert mean_of(lambda x: 1.0) == pytest.approx(1, rel=1e-9)
    assert initial.mean == pytest.approx(mean_of(lambda x: x), rel=1e-9)
    assert initial.deviation**2 == pytest.approx(mean_of(lambda x: (x - initial.mean) ** 2), rel=1e-8)
    for s in (0.3 + 0.4j, 0.05 - 2j, -0.05 + 0.1j):
        value = initial.transform(np.array([s]))[0]
        exact = mean_of(lambda x, s=s: np.exp(-s * x).real) + 1j * mean_of(lambda x, s=s: np.exp(-s * x).imag)
        assert abs(value - exact) < 1e-8
    assert initial.transform(np.array([0j]))[0] == pytest.approx(1, abs=1e-12)
    for depth in (-1.0, 5.0, 9.0, 14.0):
        point = np.array([depth])
        short = mean_of(lambda x, d=depth: max(d - x, 0.0))
        assert initial.shortfall(point)[0] == pytest.approx(short, abs=2e-6)
        assert initial.excess(point)[0] - initial.shortfall(point)[0] == pytest.approx(initial.mean - depth)


def test_series_of_the_discrete_equation():
    """(5.3)-(5.5), (5.7): Taylor coefficients of (4.6) with b = 1 in integers, against the closed forms."""
    order, sizes = 12, 6
    # density[n][k] is the coefficient of t^k of P_n.
    density = [[0] * (order + 1) for _ in range(order + 2)]
    density[1][0] = 1
    for k in range(order):
        total = [sum(density[n][j] for n in range(1, order + 2)) for j in range(k + 1)]
        for n in range(1, order + 2):
            loss = 2 * sum(density[n][j] * total[k - j] for j in range(k + 1))
            gain = sum(density[m][j] * density[n - m][k - j] for m in range(1, n) for j in range(k + 1))
            assert (gain - loss) % (k + 1) == 0
            density[n][k + 1] = (gain - loss) // (k + 1)
    for n in range(1, sizes):
        # t^(n-1) (1 + t)^-(n+1)
        closed = [0] * (n - 1) + [(-1) ** j * math.comb(n + j, j) for j in range(order + 2 - n)]
        assert density[n] == closed
        series = sum(c * 0.01**k for k, c in enumerate(closed))
        assert cluster_densities(0.01, n, "constant") == pytest.approx(series, rel=1e-12)
    assert [sum(density[n][k] for n in range(1, order + 2)) for k in range(order)] == [
        (-1) ** k for k in range(order)
    ]
    assert cluster_moment(0.7, 0, "constant") == pytest.approx(1 / 1.7, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_recursion(n):
    """(5.6) by quadrature with the densities (5.7) under the integral."""

    def inner(s):
        sizes = np.arange(1, n)
        values = np.ravel(cluster_densities(s, sizes, "constant"))
        return (1 + s) ** 2 * float(values @ values[::-1])

    t = 2.5
    value = quad(inner, 0, t, epsrel=1e-12)[0] / (1 + t) ** 2
    assert value == pytest.approx(float(np.ravel(cluster_densities(t, n, "constant"))[0]), rel=1e-10)


def test_large_time_form():
    """(5.8), (5.9): the error of the logarithm is (n-1)/(2 t^2) - 2/t."""
    t = 400.0
    n = np.array([1, 10, 400, 4000])
    exact = np.ravel(cluster_densities(t, n, "constant"))
    error = np.log(exact) + 2 * math.log(t) + (n - 1) / t
    assert error == pytest.approx((n - 1) / (2 * t * t) - 2 / t, abs=2e-5)
    assert cluster_moment(t, 0, "constant") * t == pytest.approx(1, rel=1.1 / t)


def test_scalars_and_broadcasting():
    initial = GammaAmplitudes(9.0)
    assert isinstance(tunneling_distribution(-9.0, 1.0, initial), float)
    assert isinstance(frozen_distribution(-9.0, initial), float)
    both = tunneling_distribution(np.array([-5.0, -9.0, 2.0]), np.array([[0.0], [1.0]]), initial)
    assert both.shape == (2, 3)
    assert both[0] == pytest.approx(initial.density([-5.0, -9.0, 2.0]))
    assert (both[:, 2] == 0).all()
    with pytest.raises(ValueError, match="log_amplitude"):
        tunneling_distribution(np.zeros(3), np.zeros(2), initial)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, 1j, True])
def test_bad_numbers(bad):
    initial = GammaAmplitudes(9.0)
    for name, call in {
        "log_amplitude": lambda: tunneling_distribution(bad, 1.0, initial),
        "t": lambda: tunneling_distribution(-1.0, bad, initial),
        "chi": lambda: tunneling_distribution(-1.0, 1.0, initial, bad),
        "rtol": lambda: tunneling_distribution(-1.0, 1.0, initial, rtol=bad),
        "log_scale": lambda: plateau_scale(1.0, bad),
        "mean": lambda: GammaAmplitudes(bad),
        "shape": lambda: GammaAmplitudes(1.0, bad),
        "centre": lambda: NormalAmplitudes(bad, 1.0),
        "width": lambda: NormalAmplitudes(1.0, bad),
        "low": lambda: UniformAmplitudes(bad, 1.0),
        "high": lambda: UniformAmplitudes(0.0, bad),
    }.items():
        with pytest.raises((TypeError, ValueError), match=name):
            call()
    for function in (active_clusters, amplitude_tail):
        with pytest.raises((TypeError, ValueError), match="t must"):
            function(bad, initial)
        with pytest.raises((TypeError, ValueError), match="chi"):
            function(1.0, initial, bad)
    with pytest.raises((TypeError, ValueError), match="log_amplitude"):
        frozen_distribution(bad, initial)


def test_bad_values():
    initial = GammaAmplitudes(9.0)
    with pytest.raises(ValueError, match="t must"):
        tunneling_distribution(-1.0, -1.0, initial)
    with pytest.raises(ValueError, match="chi"):
        tunneling_distribution(-1.0, 1.0, initial, 0.0)
    with pytest.raises(TypeError, match="initial"):
        tunneling_distribution(-1.0, 1.0, "gamma")
    with pytest.raises(TypeError, match="initial"):
        active_clusters(1.0, 9.0)
    with pytest.raises(TypeError, match="freezing"):
        tunneling_distribution(-1.0, 1.0, initial, freezing="no")
    with pytest.raises(ValueError, match="at most 1e"):
        tunneling_distribution(-1.0, 1e300, initial, freezing=False)
    with pytest.raises(ValueError, match="shape"):
        GammaAmplitudes(1.0, 0.5)
    with pytest.raises(ValueError, match="width"):
        NormalAmplitudes(1.0, 4.0)
    with pytest.raises(ValueError, match="high"):
        UniformAmplitudes(2.0, 1.0)
    with pytest.raises(ValueError, match="too small"):
        amplitude_tail(1e-300, NormalAmplitudes(9.0, 0.5))
    with pytest.raises(ValueError, match="below 700"):
        plateau_lifetime(3000.0)
    with pytest.raises(ConvergenceError):
        tunneling_distribution(-9.0, 1.0, NormalAmplitudes(9.0, 1e-5))


@pytest.mark.parametrize("t", [0.0, 1e-12, 1e12, 1e300])
def test_extreme_times(t):
    value = tunneling_distribution([-5.0, -1e300, 1e300], t, GammaAmplitudes(9.0))
    assert np.isfinite(value).all()
    assert value[0] > 0
    for log_scale in (1e-99, 9.0, 1e99):
        state = exponential_freezing(min(t, 1e99), log_scale)
        assert np.isfinite([state.active, state.frozen, state.moment]).all()
        assert math.isfinite(exponential_tunneling_distribution(-5.0, min(t, 1e99), log_scale))
