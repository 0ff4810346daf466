"""Densities on a logarithmic grid of sizes, and the positions of the front."""

import math

import numpy as np
import pytest
from scipy.special import zeta

from disorder.amorphous_solids import front_position, solve_square_root
from disorder.amorphous_solids.cluster_chain import ClusterChain, extend_chain, time_panels
from disorder.amorphous_solids.cluster_front import HEAD, ClusterFront, gregory_weights
from disorder.amorphous_solids.square_root_flow import SquareRootFlow


@pytest.fixture(scope="module")
def flow():
    return solve_square_root(10.0)


@pytest.mark.parametrize("power", [1.5, 2.0, 3.5])
def test_gregory_weights(power):
    weights = gregory_weights()
    last = HEAD - np.arange(weights.size)
    tail = HEAD ** (1 - power) / (power - 1) + weights @ last**-power
    assert tail == pytest.approx(zeta(power, HEAD + 1), rel=1e-12)
    assert weights.sum() == pytest.approx(-0.5)


def test_constant_kernel_as_a_chain():
    """With I_1/2 = 1/(1 + t)/sqrt(n) faked away, the chain of one step is a known linear equation."""
    times, derivative = time_panels(1.0)
    assert times[0, 0] == 0.0
    assert times[-1, -1] >= 1.0
    assert np.allclose(times[1:, 0], times[:-1, -1])
    half = 1 / (1 + times)
    chain = ClusterChain(times, derivative, half)
    # P_1' = -2 P_1/(1 + t), P_2' = -2 sqrt(2) P_2/(1 + t) + P_1^2.
    c = 2 * math.sqrt(2)
    chain.grow(4)
    for p, j in ((0, 5), (2, 3), (len(times) - 1, 15)):
        t = times[p, j]
        assert chain.tilted[p, 0, j] == pytest.approx((1 + t) ** -2, rel=1e-13)
        exact = ((1 + t) ** -3 - (1 + t) ** -c) / (c - 3)
        tilt = math.exp(chain.shift[p, j]) * (t if p == 0 else 1.0)
        assert chain.tilted[p, 1, j] * tilt == pytest.approx(exact, rel=1e-12)
    assert extend_chain is not None


@pytest.mark.parametrize("t", [0.2, 1.0, 3.0, 10.0])
def test_front_against_the_chain_of_all_integers(flow, t):
    """Sizes 257 to 2000 one by one, without interpolation in n, against the panels."""
    with flow.front() as front:
        parent = front.chain
        chain = ClusterChain(parent.times, parent.derivative, parent.half)
        chain.grow(2000)
        p, row, tilt = chain.locate(t)
        sizes = np.arange(257, 2001)
        direct = (chain.tilted[p, sizes - 1] @ row) * np.exp((sizes - 1) * tilt)
        value = front.densities(t, sizes.astype(float))
    kept = direct > 1e-290
    assert kept.any() or t < 1
    assert np.all(np.abs(value[kept] / direct[kept] - 1) < 1e-10)


def test_mass_at_the_front(flow):
    """At t = 10 clusters of 1e5 to 1e7 centres hold the mass."""
    with flow.front() as front:
        assert front.sum(10.0, 1.0) == pytest.approx(1.0, abs=3e-8)
        assert front.sum(10.0, 0.0) == pytest.approx(flow.moment(10.0, 0.0), rel=1e-10)
        assert front.sum(10.0, 2.0) == pytest.approx(flow.moment(10.0, 2.0), rel=1e-6)


def test_high_moments_obey_their_equation(flow):
    """dI_3/dt = 6 I_3/2 I_5/2, from the expansion of dh/dt = -g^2 at s = 0."""
    for t in (0.5, 2.0, 5.0):
        step = 1e-3 * t
        points = t + step * np.array([-2, -1, 1, 2])
        slope = np.array([1, -8, 8, -1]) / (12 * step) @ flow.moment(points, 3.0)
        assert slope == pytest.approx(6 * flow.moment(t, 1.5) * flow.moment(t, 2.5), rel=1e-8)


@pytest.mark.parametrize("t", [0.45, 0.7, 2.0, 8.0])
def test_positions(flow, t):
    """Each definition, checked with sums of densities."""
    ratio = front_position(t, "ratio")
    mass = front_position(t, "mass")
    peak = front_position(t, "peak")
    with flow.front() as front:
        assert ratio == pytest.approx(front.sum(t, 2.0), rel=1e-8)
    last = 40 * mass
    k = np.arange(1.0, min(last, 3e5))
    terms = k * flow.densities(t, k) * np.exp(-k / mass)
    assert terms.sum() == pytest.approx(0.5, rel=1e-8)
    low, high = math.floor(peak), math.floor(peak) + 1
    k = np.arange(1.0, high + 1)
    p = flow.densities(t, k)
    weighted = np.sqrt(k) * p
    rates = [
        weighted[: n - 1] @ weighted[: n - 1][::-1] - 2 * weighted[n - 1] * flow.moment(t, 0.5)
        for n in (low, high)
    ]
    assert rates[0] < 0 < rates[1]


def test_positions_follow_the_front():
    """All three grow together; ln n approaches sqrt(16 pi t) from below, slowly."""
    t = np.array([1.0, 4.0, 10.0])
    logs = np.log([front_position(t, name) for name in ("peak", "mass", "ratio")])
    assert logs.shape == (3, 3)
    assert (np.diff(logs) > 0).all()
    leading = np.sqrt(16 * math.pi * t)
    quality = logs / leading
    assert (quality < 1).all()
    assert (np.diff(quality) > 0).all()
    late = np.array([30.0, 90.0, 200.0])
    quality = np.log(front_position(late, "ratio")) / np.sqrt(16 * math.pi * late)
    assert (np.diff(quality) > 0).all()
    assert 0.9 < quality[-1] < 1


def test_position_shapes():
    assert isinstance(front_position(1.0), float)
    assert front_position([]).shape == (0,)
    assert front_position([[1.0], [2.0]], "peak").shape == (2, 1)
    assert front_position(0.0, "ratio") == pytest.approx(1.0)
    assert front_position(0.0, "mass") == pytest.approx(1 / math.log(2), rel=1e-10)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 4001.0])
def test_bad_time(bad):
    with pytest.raises(ValueError, match="t must"):
        front_position(bad)


def test_bad_definition():
    with pytest.raises(ValueError, match="definition"):
        front_position(1.0, "edge")
    with pytest.raises(ValueError, match="definition"):
        front_position(1.0, None)
    with pytest.raises(ValueError, match="t must"):
        front_position(0.1, "peak")
    with pytest.raises(ValueError, match="t must"):
        front_position(21.0, "peak")
    with pytest.raises(TypeError, match="t must"):
        front_position("1")


def test_front_needs_integers_below(flow):
    with flow.front() as front:
        assert isinstance(front, ClusterFront)
        assert front.size >= 2 * HEAD


def test_second_moment_is_bounded():
    """I_3/2^2 <= I_1 I_2 makes I_2 <= exp(2 t); the growth rate of ln I_2 falls all the time."""
    t = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0])
    second = front_position(t, "ratio")
    assert (second <= np.exp(2 * t) * (1 + 1e-12)).all()
    rate = 2 * solve_square_root(20.0).moment(t, 1.5) ** 2 / second
    assert rate[0] == pytest.approx(2.0)
    assert (np.diff(rate) < 0).all()


def test_half_of_the_mass():
    """Half of the mass lies below exp(sqrt(8 pi t)), all of it below exp(sqrt(16 pi t))."""
    t = np.array([100.0, 200.0])
    squares = np.log(front_position(t, "mass")) ** 2 / (16 * math.pi * t)
    # The distance from one half falls by about the factor sqrt(2).
    assert (squares < 0.5).all()
    assert 1.3 < (0.5 - squares[0]) / (0.5 - squares[1]) < 1.6


def test_densities_at_the_ends_of_panels_are_smooth():
    """A size may lie exactly where the solved panels end: 512 times a power of two, asked for alone."""
    for last in (512, 1024, 2048, 4096):
        n = np.arange(last - 6, last + 1)
        values = np.log(SquareRootFlow(3.0, 1e-10).densities(3.0, n))
        longer = np.log(SquareRootFlow(3.0, 1e-10).densities(3.0, [*n, 3 * last])[:-1])
        assert np.abs(np.diff(values, 3)).max() < 1e-6
        assert np.abs(values - longer).max() < 1e-9
