"""The flow (6.3) to t = 3: W(s) on panels in ln s, against sums over sizes that are cut off."""

import math

import numpy as np
import pytest
from scipy.fft import irfft, rfft
from scipy.integrate import solve_ivp

from disorder.amorphous_solids import solve_square_root
from disorder.amorphous_solids.bernstein_matrix import flow_grid
from disorder.amorphous_solids.square_root_flow import SquareRootFlow
from disorder.numerics.jit import kernel

TIME = 3.0
# At t = 3 P_n falls as exp(-0.0060 n). The grid in s loses 1e-15 of the mass, and so does a cut at 8192;
# 4096 is the least power of two with which I_1/2 has an error below 1e-8.
SIZES = (4096, 8192)
TILT = 0.0058


@kernel
def pair_sums(weighted, result):
    """Source of (6.3) by the plain double loop over pairs, each pair once."""
    for n in range(2, weighted.size + 1):
        total = 0.0
        for k in range(1, (n - 1) // 2 + 1):
            total += weighted[k - 1] * weighted[n - k - 1]
        total *= 2
        if n % 2 == 0:
            total += weighted[n // 2 - 1] ** 2
        result[n - 1] = total


def _sums(time, size, tilt, rtol, how, atol=None):
    """(6.3) cut at `size`, integrated for P_n exp(tilt (n - 1))."""
    root = np.sqrt(np.arange(1, size + 1))
    fold = np.exp(-tilt * np.arange(size))
    source = np.zeros(size)

    def rate(_, q):
        weighted = root * q
        if how == "fft":
            source[1:] = irfft(rfft(weighted, 2 * size) ** 2)[: size - 1]
        else:
            pair_sums(weighted, source)
        return math.exp(tilt) * source - 2 * weighted * (weighted @ fold)

    start = np.zeros(size)
    start[0] = 1.0
    found = solve_ivp(rate, (0.0, time), start, method="DOP853", rtol=rtol, atol=atol or 1e-3 * rtol)
    return found.y[:, -1] * fold


@pytest.fixture(scope="module")
def reference():
    return solve_square_root(4.0).moment(TIME, 0.5)


def _half(densities):
    return float(np.sqrt(np.arange(1, densities.size + 1)) @ densities)


@pytest.mark.benchmark(group="square-root flow to t = 3, I_1/2")
class TestFlow:
    def test_panels(self, benchmark, reference):
        rtol, bound = 1e-9, 1e-8
        flow = benchmark(SquareRootFlow, TIME, rtol)
        error = abs(flow.moment(TIME, 0.5) / reference - 1)
        benchmark.extra_info.update(what=f"W(s) on panels, tolerance {rtol:g}", error=error, role="ours")
        assert error < bound
        # A second route: the densities, summed only up to the cut-off of the others.
        n = np.arange(1, SIZES[0] + 1)
        assert _half(flow.densities(TIME, n)) == pytest.approx(reference, rel=10 * bound)

    @pytest.mark.parametrize("size", SIZES)
    def test_direct_sum(self, benchmark, reference, size):
        pair_sums(np.ones(4), np.zeros(4))
        values = benchmark.pedantic(_sums, (TIME, size, 0.0, 1e-8, "sum"), rounds=1)
        error = abs(_half(values) / reference - 1)
        benchmark.extra_info.update(
            what=f"{size} sizes, DOP853, compiled double loop", error=error, role="alternative"
        )
        assert error < 1e-8

    @pytest.mark.parametrize("size", SIZES)
    def test_fft(self, benchmark, reference, size):
        values = benchmark.pedantic(_sums, (TIME, size, TILT, 1e-8, "fft"), rounds=1)
        error = abs(_half(values) / reference - 1)
        benchmark.extra_info.update(what=f"{size} tilted sizes, DOP853, FFT", error=error, role="alternative")
        assert error < 1e-7


@pytest.mark.benchmark(group="square-root flow to t = 3, P_n of all n to 8192")
class TestDensities:
    """Every P_n to a relative 1e-8; a direct sum needs absolute tolerances far below the smallest of them."""

    @staticmethod
    def size(benchmark):
        return 8192 if benchmark.enabled else 1024

    def test_chain(self, benchmark):
        n = np.arange(1, self.size(benchmark) + 1)
        values = benchmark(lambda: SquareRootFlow(TIME, 1e-11).densities(TIME, n))
        reference = SquareRootFlow(TIME + 0.2, 1e-13).densities(TIME, n)
        error = np.abs(values / reference - 1).max()
        benchmark.extra_info.update(what="flow, chain and panels of sizes", error=error, role="ours")
        assert error < 1e-8

    def test_direct_sum(self, benchmark):
        size = self.size(benchmark)
        pair_sums(np.ones(4), np.zeros(4))
        reference = SquareRootFlow(TIME, 1e-13).densities(TIME, np.arange(1, size + 1))
        values = benchmark.pedantic(_sums, (TIME, size, 0.0, 1e-8, "sum", 1e-8 * reference[-1]), rounds=1)
        error = np.abs(values / reference - 1).max()
        benchmark.extra_info.update(what="DOP853, compiled double loop", error=error, role="alternative")
        # Cut at 1024 the sums lose what larger clusters take away.
        assert error < (1e-6 if benchmark.enabled else 1e-2)


@pytest.mark.benchmark(group="square-root flow, P_100 at t = 1/2")
class TestTail:
    """P_100(1/2) is 5e-22: an FFT without tilt returns its round-off."""

    def test_chain(self, benchmark):
        value = benchmark(lambda: SquareRootFlow(0.5).densities(0.5, 100))
        exact = _sums(0.5, 256, 0.42, 1e-13, "sum")[99]
        error = abs(value / exact - 1)
        benchmark.extra_info.update(what="flow and chain of sizes", error=error, role="ours")
        assert error < 1e-9

    @pytest.mark.parametrize(("tilt", "bound"), [(0.0, math.inf), (0.42, 1e-6)])
    def test_fft(self, benchmark, tilt, bound):
        value = benchmark.pedantic(_sums, (0.5, 256, tilt, 1e-12, "fft"), rounds=1)[99]
        exact = solve_square_root(0.5).densities(0.5, 100)
        error = abs(value / exact - 1)
        how = "tilted" if tilt else "plain"
        benchmark.extra_info.update(what=f"DOP853, {how} FFT", error=error, role="alternative")
        assert error < bound
        if not tilt:
            assert error > 10


@pytest.mark.benchmark(group="square-root flow, cost against ln n_max")
class TestCost:
    """One right-hand side at t = 10 (n_max about 1e6) and t = 1000 (n_max about 1e93)."""

    @pytest.mark.parametrize("time", [10.0, 1000.0])
    def test_right_hand_side(self, benchmark, time):
        grid = flow_grid(1e-11 * math.exp(-math.sqrt(16 * math.pi * time)))
        mass = -np.expm1(-grid.s)
        value = benchmark(grid.apply, mass)
        error = float(np.abs(value / mass - 1).max())
        role = "ours" if time == 10.0 else "alternative"
        benchmark.extra_info.update(what=f"{grid.s.size} nodes, t = {time:g}", error=error, role=role)
        assert error < 1e-13
