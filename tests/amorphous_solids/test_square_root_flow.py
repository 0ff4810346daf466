"""Square-root kernel: Taylor series with many digits, direct sums over sizes, sum rules, late times."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import irfft, rfft
from scipy.integrate import solve_ivp

from disorder.amorphous_solids import SquareRootFlow, solve_square_root, square_root_flow
from disorder.amorphous_solids.bernstein_matrix import flow_grid
from disorder.amorphous_solids.cluster_front import ClusterFront
from disorder.numerics.quadrature import ConvergenceError


def _direct(t, size, tilt, rtol=1e-13, fft=False):
    """(6.3) cut at `size`, for P_n exp(tilt (n - 1)); the plain source is a sum of positive terms."""
    root = np.sqrt(np.arange(1, size + 1))
    fold = np.exp(-tilt * np.arange(size))

    def rate(_, q):
        weighted = root * q
        both = irfft(rfft(weighted, 2 * size) ** 2) if fft else np.convolve(weighted, weighted)
        source = np.concatenate(([0.0], both[: size - 1]))
        return np.exp(tilt) * source - 2 * weighted * (weighted @ fold)

    start = np.zeros(size)
    start[0] = 1.0
    found = solve_ivp(rate, (0.0, t), start, method="DOP853", rtol=rtol, atol=1e-18)
    return found.y[:, -1] * fold


def _taylor(order, digits=40):
    """Coefficients of t^j of P_1 ... P_(order + 1): P_n starts with t^(n - 1), so nothing is cut off."""
    with mp.workdps(digits):
        sizes = order + 1
        root = [mp.sqrt(n) for n in range(sizes + 1)]
        series = [[mp.mpf(0)] * (order + 1) for _ in range(sizes + 1)]
        series[1][0] = mp.mpf(1)
        half = [mp.mpf(0)] * (order + 1)
        for j in range(order):
            half[j] = mp.fsum(root[n] * series[n][j] for n in range(1, j + 2))
            for n in range(1, j + 3):
                value = -2 * root[n] * mp.fdot(half[: j + 1], series[n][j::-1])
                for k in range(1, n):
                    # P_k starts at t^(k - 1) and P_(n - k) at t^(n - k - 1).
                    for i in range(k - 1, j - (n - k - 1) + 1):
                        value += root[k] * root[n - k] * series[k][i] * series[n - k][j - i]
                series[n][j + 1] = value / (j + 1)
        return series


@pytest.fixture(scope="module")
def taylor():
    return _taylor(20)


@pytest.mark.parametrize("size", [1.0, 2.0, 37.5, 1e4, 1e9])
def test_half_derivative_of_exponentials(size):
    """sum n P_n (1 - exp(-s n)) goes to sum sqrt(n) P_n (1 - exp(-s n)), for each n by itself."""
    grid = flow_grid(1e-24)
    mass = -np.expm1(-grid.s * size)
    exact = mass / math.sqrt(size)
    inside = grid.s * size < 1
    value = grid.apply(mass)
    assert np.abs(value / exact - 1)[inside].max() < 2e-14
    # Where W is one to the last digit, g is a difference of numbers of order sqrt(s).
    assert (np.abs(value - exact) / np.sqrt(grid.s)).max() < 3e-15


def test_taylor_series(taylor):
    t = mp.mpf("0.01")
    flow = solve_square_root(0.1)
    exact = [mp.polyval(row[::-1], t) for row in taylor]
    for n in (1, 2, 3, 5, 9):
        assert flow.densities(0.01, n) == pytest.approx(float(exact[n]), rel=1e-12)
    for order in (0.0, 0.5, 0.8, 1.0, 1.5, 2.0, 3.5):
        total = mp.fsum(mp.mpf(n) ** order * exact[n] for n in range(1, len(exact)))
        assert flow.moment(0.01, order) == pytest.approx(float(total), rel=3e-12)


def test_leading_coefficients(taylor):
    """P_n t^(1-n) at t = 0: exact products of square roots."""
    flow = solve_square_root(0.1)
    t = 1e-9
    assert flow.densities(t, 2) / t == pytest.approx(1.0, rel=1e-8)
    assert flow.densities(t, 3) / t**2 == pytest.approx(math.sqrt(2), rel=1e-8)
    assert flow.densities(t, 4) / t**3 == pytest.approx((2 * math.sqrt(6) + 2) / 3, rel=1e-8)
    for n in range(2, 20):
        assert flow.densities(t, n) / t ** (n - 1) == pytest.approx(float(taylor[n][n - 1]), rel=1e-7)


@pytest.mark.parametrize(("t", "size", "tilt"), [(0.5, 256, 0.42), (1.0, 700, 0.145), (1.6, 1024, 0.045)])
def test_direct_summation(t, size, tilt):
    """Whole distribution down to exp(-100), and moments on both sides of every change of formula."""
    reference = _direct(t, size, tilt)
    flow = solve_square_root(t)
    sizes = np.arange(1, size // 2)
    assert np.abs(flow.densities(t, sizes) / reference[: sizes.size] - 1).max() < 1e-10
    n = np.arange(1.0, size + 1)
    for order in (0.0, 0.3, 0.5, 0.75, 0.76, 1.0, 1.24, 1.26, 1.5, 1.9, 2.0, 2.01, 3.0, 4.5):
        assert flow.moment(t, order) == pytest.approx(n**order @ reference, rel=1e-10)


def test_tail_that_plain_fft_loses():
    """P_100(1/2), twenty digits below P_1: from a direct sum with two different tilts, and from ours."""
    values = [_direct(0.5, 256, tilt)[99] for tilt in (0.40, 0.43)]
    assert values[0] == pytest.approx(values[1], rel=1e-10)
    assert solve_square_root(0.5).densities(0.5, 100) == pytest.approx(values[0], rel=1e-10)
    assert 5.4e-22 < values[0] < 5.5e-22


def test_first_thousand_sizes_at_late_times():
    """t = 4, where clusters of 1e5 centres matter: a direct sum over 2^14 sizes."""
    reference = _direct(4.0, 2**14, 0.0015, rtol=1e-10, fft=True)
    sizes = np.arange(1, 1001)
    assert np.abs(solve_square_root(4.0).densities(4.0, sizes) / reference[:1000] - 1).max() < 1e-8


@given(t=st.floats(0.01, 6.0), n=st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_equation_is_satisfied(t, n):
    """(6.3) at any time and size: the derivative of the interpolant against sums of densities."""
    flow = solve_square_root(6.0)
    k = np.arange(1, n + 1)
    p = flow.densities(t, k)
    if p[-1] < 1e-280:
        return
    loss = 2 * math.sqrt(n) * p[-1] * flow.moment(t, 0.5)
    weighted = np.sqrt(k) * p
    gain = float(weighted[:-1] @ weighted[:-1][::-1])
    with flow.front() as front:
        growth = float(front.growth(t, np.array([float(n)]))[0])
    assert growth * p[-1] == pytest.approx(gain - loss, abs=1e-9 * (loss + gain))


@given(t=st.floats(0.02, 30.0))
@settings(max_examples=20, deadline=None)
def test_moment_equations(t):
    """dN/dt = -I_1/2^2 and dI_2/dt = 2 I_3/2^2, (6.5) and (6.9), by central differences of fourth order."""
    flow = solve_square_root(32.0)
    step = 2e-3 * t
    points = t + step * np.array([-2, -1, 1, 2])
    weights = np.array([1, -8, 8, -1]) / (12 * step)
    number = weights @ flow.moment(points, 0.0)
    second = weights @ flow.moment(points, 2.0)
    assert number == pytest.approx(-(flow.moment(t, 0.5) ** 2), rel=1e-8)
    assert second == pytest.approx(2 * flow.moment(t, 1.5) ** 2, rel=1e-7)


def test_single_centres_and_mass():
    """(6.6), and the mass in the densities, which the chain does not enforce."""
    flow = solve_square_root(4.0)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    for t in (0.3, 1.0, 4.0):
        integral = t / 2 * weights @ flow.moment(t / 2 * (nodes + 1), 0.5)
        assert flow.densities(t, 1) == pytest.approx(math.exp(-2 * integral), rel=1e-12)
        with flow.front() as front:
            assert front.sum(t, 1.0) == pytest.approx(1.0, abs=1e-10)
            assert front.sum(t, 0.5) == pytest.approx(flow.moment(t, 0.5), rel=1e-10)
            assert front.sum(t, 1.5) == pytest.approx(flow.moment(t, 1.5), rel=1e-10)
    assert flow.moment(3.0, 1.0) == pytest.approx(1.0, abs=1e-10)


def test_late_times():
    """t I_1/2 goes to 1/2 and t N to 1/4; clusters of 1e30 centres do not disturb the mass."""
    flow = solve_square_root(200.0)
    assert flow.mass_error < 1e-12
    assert flow.t_max >= 200
    products = np.array([[t * flow.moment(t, m) for m in (0.0, 0.5)] for t in (4.0, 30.0, 200.0)])
    errors = np.abs(products / [0.25, 0.5] - 1)
    assert (errors[1:] < errors[:-1]).all()
    assert (errors[-1] < 4e-4).all()
    assert flow.moment(200.0, 2.0) > 1e30


def test_largest_legal_time():
    flow = SquareRootFlow(2000.0, rtol=1e-6)
    assert flow.t_max >= 2000.0
    assert abs(4000.0 * flow.moment(2000.0, 0.5) - 1) < 1e-3


def test_shapes_and_start():
    flow = solve_square_root(1.0)
    assert isinstance(flow, SquareRootFlow)
    assert isinstance(flow.densities(0.5, 3), float)
    assert isinstance(flow.moment(0.5, 0.25), float)
    assert flow.densities([0.0, 0.5], [1, 2, 3]).shape == (2, 3)
    assert flow.densities(np.zeros((2, 2)), np.ones((3, 1))).shape == (2, 2, 3, 1)
    assert flow.densities([], [1, 2]).shape == (0, 2)
    assert np.array_equal(flow.densities(0.0, [1, 2, 300]), [1.0, 0.0, 0.0])
    assert flow.densities(1e-300, 2) == pytest.approx(1e-300)
    for order in (0.0, 0.5, 1.0, 2.0, 3.0):
        assert flow.moment(0.0, order) == pytest.approx(1.0, abs=1e-12)
    assert solve_square_root(0.9) is solve_square_root(0.91)


def test_order_of_requests_does_not_matter():
    """Growth moves the tilt under the densities that exist already."""
    fresh = SquareRootFlow(2.0)
    before = fresh.densities([0.1, 1.0, 2.0], [1, 7, 100, 200])
    far = fresh.densities(1.0, 10**6)
    assert far == 0.0
    after = fresh.densities([0.1, 1.0, 2.0], [1, 7, 100, 200])
    assert np.abs(after / before - 1).max() < 1e-12
    whole = SquareRootFlow(2.0).densities([0.1, 1.0, 2.0], [1, 7, 100, 200, 10**6])
    assert np.abs(whole[:, :-1] / before - 1).max() < 1e-12
    assert np.isfinite(fresh.densities([1e-3, 0.1, 2.0], [1, 10**12])).all()


def test_interrupt_leaves_no_broken_cache(monkeypatch):
    flow = SquareRootFlow(1.0)
    expected = flow.densities(1.0, [1, 300, 1000])
    original, calls = ClusterFront._accept, []

    def stop(self, *arguments):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        original(self, *arguments)

    again = SquareRootFlow(1.0)
    monkeypatch.setattr(ClusterFront, "_accept", stop)
    with pytest.raises(KeyboardInterrupt):
        again.densities(1.0, 1000)
    monkeypatch.undo()
    assert np.array_equal(again.densities(1.0, [1, 300, 1000]), expected)


def test_lost_mass_raises(monkeypatch):
    monkeypatch.setattr(square_root_flow, "flow_grid", lambda smallest: flow_grid(1e-3))
    with pytest.raises(ConvergenceError, match="mass is conserved"):
        SquareRootFlow(1.0)


def test_tolerance():
    """A looser tolerance is cheaper, and as good as it says."""
    fine, coarse = SquareRootFlow(3.0), SquareRootFlow(3.0, rtol=1e-9)
    assert coarse.evaluations < fine.evaluations / 2
    for order in (0.0, 0.5, 1.5, 2.0):
        assert coarse.moment(3.0, order) == pytest.approx(fine.moment(3.0, order), rel=1e-8)
    for bad in (float("nan"), 0.0, -1e-9, 1e-15, 0.1):
        with pytest.raises(ValueError, match="rtol"):
            SquareRootFlow(1.0, bad)
    with pytest.raises(ValueError, match="t_max"):
        SquareRootFlow(-1.0)
    with pytest.raises(TypeError, match="t_max"):
        SquareRootFlow("1")


def test_moments_that_cannot_be_summed_raise():
    with pytest.raises(ConvergenceError):
        solve_square_root(60.0).moment(60.0, 2.5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 2001.0])
def test_bad_time(bad):
    with pytest.raises(ValueError, match="t_max"):
        solve_square_root(bad)
    flow = solve_square_root(1.0)
    with pytest.raises(ValueError, match="t must"):
        flow.moment(bad, 0.5)
    with pytest.raises(ValueError, match="t must"):
        flow.densities(bad, 3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0, -2, 1.5, 2e12])
def test_bad_sizes(bad):
    with pytest.raises(ValueError, match="sizes"):
        solve_square_root(1.0).densities(0.5, bad)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.1, 101])
def test_bad_order(bad):
    with pytest.raises(ValueError, match="order"):
        solve_square_root(1.0).moment(0.5, bad)


@pytest.mark.parametrize("bad", ["1", None, 1j, True, [1.0]])
def test_wrong_types(bad):
    flow = solve_square_root(1.0)
    with pytest.raises(TypeError):
        solve_square_root(bad)
    with pytest.raises(TypeError):
        flow.moment(0.5, bad)
    if not isinstance(bad, list):
        with pytest.raises(TypeError):
            flow.densities(0.5, bad)
        with pytest.raises(TypeError):
            flow.densities(bad, 1)
