"""Exact renormalization-group flow of clusters whose interaction grows as the square root of both sizes.

With b_km = sqrt(k m) and t = chi xi the densities P_n (in units of P_0) obey (6.3)::

    dP_n/dt = -2 sqrt(n) P_n I_1/2 + sum_{k < n} sqrt(k (n - k)) P_k P_{n-k},    P_n(0) = delta_{n1},

I_m = sum n^m P_n. With W(s) = sum n P_n (1 - exp(-s n)) and g(s) = sum sqrt(n) P_n (1 - exp(-s n)) the sums
over all sizes collapse into one function of one variable, dW/dt = d(g^2)/ds, and g is linear in W
(`bernstein_matrix`). Given I_1/2, single densities follow size by size (`cluster_chain`) and, for large
sizes, on a logarithmic grid (`cluster_front`).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import BarycentricInterpolator
from scipy.optimize import brentq
from scipy.special import gamma
from tqdm import tqdm

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, plain, real_array, real_scalar
from .bernstein_matrix import FlowGrid, flow_grid
from .cluster_chain import ClusterChain, panel_ends, time_panels
from .cluster_front import HEAD, LARGEST, ClusterFront

MASS_TOLERANCE = 1e-10
LARGEST_TIME = 2000.0
_DEFINITIONS = ("peak", "mass", "ratio")


class SquareRootFlow:
    """Solution of (6.3) on an interval of time; :func:`solve_square_root` keeps those of full accuracy.

    Parameters
    ----------
    t_max : float
        Time up to which the solution must reach, from 0 to 2000.
    rtol : float
        Tolerance of the integration, 1e-13 to 1e-6. Mass may then be lost by 10 rtol, or 1e-10.

    Attributes
    ----------
    t_max : float
        End of the interval, at least the time asked for.
    evaluations : int
        Right-hand sides that the integration of the flow took.
    mass_error : float
        Largest violation, over the interval, of two sum rules: W at the smallest s, which is the mass in
        clusters too large for the grid, and N(t) = 1 - int I_1/2^2 dt.
    """

    def __init__(self, t_max: float, rtol: float = 1e-13) -> None:
        end = real_scalar("t_max", t_max, low=0.0, high=LARGEST_TIME, open_low=False, open_high=False)
        rtol = real_scalar("rtol", rtol, low=1e-13, high=1e-6, open_low=False, open_high=False)
        self.t_max = t_max = panel_ends(end)[-1]
        # exp(sqrt(16 pi t)) is the order of the largest clusters; s must reach far below its inverse.
        self._grid: FlowGrid = flow_grid(1e-11 * math.exp(-math.sqrt(16 * math.pi * t_max)))
        self._integrate(rtol)
        if not self.mass_error < max(MASS_TOLERANCE, 10 * rtol):
            raise ConvergenceError(
                f"mass is conserved to {self.mass_error:.1e} only up to t = {t_max:g}; "
                f"{MASS_TOLERANCE:g} is required"
            )
        self._front: ClusterFront | None = None

    def _integrate(self, rtol: float) -> None:
        """Integrate d ln W/d ln(1 + t), relatively accurate at all s, together with int I_1/2^2 dt."""
        grid = self._grid
        shape = grid.s.shape
        end = math.log1p(self.t_max)
        bar = tqdm(total=100, desc=f"flow to t = {self.t_max:.3g}", delay=2, leave=False, disable=None)

        def rate(tau: float, state: FloatArray) -> FloatArray:
            bar.update(max(int(100 * tau / end) - bar.n, 0))
            factor = math.exp(tau)
            change, half = grid.rate(state[:-1].reshape(shape), factor)
            return np.append(change, factor * half**2)

        start = np.append(np.log(-np.expm1(-grid.s)), 0.0)
        with bar:
            found: Any = solve_ivp(
                rate, (0.0, end), start, method="DOP853", rtol=rtol, atol=0.1 * rtol, dense_output=True
            )
        if not found.success:
            raise ConvergenceError(f"the flow to t = {self.t_max:g} failed: {found.message}")
        self._solution = found.sol
        self.evaluations = int(found.nfev)
        number = self._moments(found.y[:-1], 0.0)
        balance = float(np.abs(number - 1 + found.y[-1]).max())
        self.mass_error = max(float(np.exp(found.y[0]).max()), balance)

    @contextmanager
    def front(self) -> Iterator[ClusterFront]:
        """Lend the densities on the grid of sizes, which grows on demand; an interrupt discards it."""
        front = self._front
        if front is None:
            times, derivative = time_panels(self.t_max)
            half = self._moment(times.ravel(), 0.5).reshape(times.shape)
            front = ClusterFront(ClusterChain(times, derivative, half))
        self._front = None
        yield front
        self._front = front

    def rest(self, t: float) -> tuple[FloatArray, FloatArray]:
        """Return the nodes s and 1 - W(s, t) = sum n P_n exp(-s n), both of shape (panels, nodes)."""
        values = -np.expm1(self._solution(math.log1p(t))[:-1])
        return self._grid.s.copy(), np.asarray(values.reshape(self._grid.s.shape))

    def _moment(self, times: FloatArray, order: float) -> FloatArray:
        result = np.empty(times.size)
        for first in range(0, times.size, 256):
            part = slice(first, first + 256)
            logs = self._solution(np.log1p(np.minimum(times[part], self.t_max)))[:-1]
            result[part] = self._moments(logs, order)
        return result

    def _moments(self, logs: FloatArray, order: float) -> FloatArray:
        """I_m for m <= 2 from ln W, shape (nodes, times): integrals over s of one sign."""
        grid = self._grid
        low, high = grid.scales[0], grid.scales[-1] * math.exp(grid.width)
        weights = (grid.weights * grid.s ** (1 - order)).ravel()
        tail = np.exp(logs[0]) / grid.s[0, 0]
        if order == 2:
            return np.asarray(tail)
        if order <= 0.75:
            body = weights @ -np.expm1(logs) + low ** (1 - order) / (1 - order)
            return np.asarray(body / gamma(1 - order))
        mass = np.exp(logs)
        below = tail * low ** (2 - order) / (2 - order)
        if order < 1.25:
            shape = (*grid.s.shape, logs.shape[1])
            growth = np.einsum("ij,pjt->pit", grid.derivative, mass.reshape(shape)).reshape(mass.shape)
            return np.asarray((weights @ growth + below) / gamma(2 - order))
        above = high ** (1 - order) / (order - 1)
        return np.asarray((weights @ mass + below + above) * (order - 1) / gamma(2 - order))

    def moment(self, t: ArrayLike, order: float) -> NDArray[np.float64] | float:
        """I_m(t) = sum n^m P_n(t).

        Parameters
        ----------
        t : array_like
            Times between 0 and `t_max`.
        order : float
            Any m >= 0.

        Returns
        -------
        float or ndarray
            Of the shape of `t`. Relative error below 1e-11 for m <= 2 and t <= 100; above m = 2 the densities
            are summed, with a relative error below 1e-9 up to t = 5, and about 1e-6 at t = 10.

        Raises
        ------
        disorder.numerics.quadrature.ConvergenceError
            If m > 2 and the clusters are so large that the sum over densities loses the mass by 1e-5.
        """
        times = real_array("t", t, low=0.0, high=self.t_max, open_low=False, open_high=False)
        power = real_scalar("order", order, low=0.0, high=100.0, open_low=False, open_high=False)
        if power <= 2:
            return plain(self._moment(times.ravel(), power).reshape(times.shape))
        result = np.ones(times.size)
        for i, value in enumerate(times.ravel()):
            if value > 0:
                if 100 * self._moment(np.array([value]), 2.0)[0] > LARGEST:
                    raise ConvergenceError(
                        f"order = {power:g} needs densities of more than {LARGEST:g} centres at t = {value:g}"
                    )
                with self.front() as front:
                    result[i] = front.sum(float(value), power)
                    mass = front.sum(float(value), 1.0)
                if not abs(mass - 1) < 1e-5:
                    raise ConvergenceError(
                        f"the densities at t = {value:g} hold {mass:.7g} of the mass: "
                        f"too inaccurate for order = {power:g}"
                    )
        return plain(result.reshape(times.shape))

    def densities(self, t: ArrayLike, sizes: ArrayLike) -> NDArray[np.float64] | float:
        """P_n(t) in units of P_0.

        Parameters
        ----------
        t : array_like
            Times between 0 and `t_max`.
        sizes : array_like
            Whole numbers n from 1 to 1e12.

        Returns
        -------
        float or ndarray
            Of shape t.shape + sizes.shape. Relative error below 1e-11 for n <= 1e4 and t <= 10, however small
            P_n is; the error of I_1/2 enters as sqrt(n), so that at the front it is 1e-11 at t = 4 and 1e-8
            at t = 10. Values below 1e-308 are returned as zero.
        """
        times = real_array("t", t, low=0.0, high=self.t_max, open_low=False, open_high=False)
        numbers = real_array("sizes", sizes, low=1.0, high=LARGEST, open_low=False, open_high=False)
        if (numbers != np.round(numbers)).any():
            raise ValueError(f"sizes must be whole numbers, got {sizes!r}")
        flat = numbers.ravel()
        result = np.empty((times.size, flat.size))
        if flat.size:
            with self.front() as front:
                for i, value in enumerate(times.ravel()):
                    result[i] = front.densities(float(value), flat) if value > 0 else flat == 1
        return plain(result.reshape(times.shape + numbers.shape))


@lru_cache(maxsize=8)
def _solve(t_max: float) -> SquareRootFlow:
    # Nothing is kept unless the constructor returns, so an interrupt cannot leave half a solution.
    return SquareRootFlow(t_max)


def solve_square_root(t_max: float) -> SquareRootFlow:
    """Solve (6.3), the flow with b_km = sqrt(k m), on 0 <= t <= t_max.

    Parameters
    ----------
    t_max : float
        Largest renormalization time t = chi xi, from 0 to 2000.

    Returns
    -------
    SquareRootFlow
        With methods ``densities(t, sizes)`` and ``moment(t, order)``. Its range reaches at least to `t_max`;
        solutions are kept for the process.

    Raises
    ------
    TypeError, ValueError
        If `t_max` is no real number in the range.
    disorder.numerics.quadrature.ConvergenceError
        If mass is not conserved to 1e-10.

    Notes
    -----
    No size is ever truncated: W(s) contains all of them. The cost of a right-hand side is linear in ln n_max,
    which sets the number of panels in ln s; some 50 ms up to t = 10, seconds at t = 1000.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (6.3) and the remark after Eq. (6.22).

    Examples
    --------
    >>> flow = solve_square_root(1.0)
    >>> round(flow.moment(0.5, 0.0), 12)
    0.619715239011
    """
    end = real_scalar("t_max", t_max, low=0.0, high=LARGEST_TIME, open_low=False, open_high=False)
    return _solve(min(panel_ends(end)[-1], LARGEST_TIME))


def front_position(t: ArrayLike, definition: str = "mass") -> NDArray[np.float64] | float:
    """Size of the clusters at the front of the distribution at time t, for the kernel sqrt(k m).

    Parameters
    ----------
    t : array_like
        Renormalization times, from 0 to 2000, for "peak" from 0.4 to 20.
    definition : str
        "peak": the size (a real number) whose density is largest, in time, at t. "mass": 1/s for which
        sum n P_n exp(-s n) = 1/2; half of the mass is in larger clusters, softly counted. "ratio": I_2/I_1,
        the mean size seen from a random centre.

    Returns
    -------
    float or ndarray
        Of the shape of `t`, at least of order 1; relative error 1e-10 ("mass", "ratio"), 1e-6 ("peak").

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.17), (6.22).

    Examples
    --------
    >>> round(front_position(1.0, "ratio"), 6)
    5.868244
    """
    if not isinstance(definition, str) or definition not in _DEFINITIONS:
        raise ValueError(f"definition must be one of {', '.join(_DEFINITIONS)}, got {definition!r}")
    low, high = (0.4, 20.0) if definition == "peak" else (0.0, LARGEST_TIME)
    times = real_array("t", t, low=low, high=high, open_low=False, open_high=False)
    if not times.size:
        return times
    flow = solve_square_root(float(times.max()))
    if definition == "ratio":
        return flow.moment(times, 2.0)
    find = _peak if definition == "peak" else _half_mass
    return plain(np.array([find(flow, float(value)) for value in times.ravel()]).reshape(times.shape))


def _peak(flow: SquareRootFlow, t: float) -> float:
    with flow.front() as front:
        low, high = 1.0, 2.0
        while front.growth(t, np.array([high]))[0] < 0:
            low, high = high, 2 * high
        if high <= HEAD:
            sizes = np.arange(max(low - 4, 1), high + 5)
        else:
            sizes = np.unique(np.round(np.geomspace(low / 1.5, high * 1.5, 32)))
        growth = front.growth(t, sizes)
    place = int(np.flatnonzero(growth > 0)[0])
    window = slice(max(place - 5, 0), place + 5)
    logs = np.log(sizes[window])
    curve = BarycentricInterpolator(logs, growth[window])
    inside = math.log(sizes[place - 1]), math.log(sizes[place])
    return math.exp(brentq(lambda x: float(curve(x)), *inside, xtol=1e-13))


def _half_mass(flow: SquareRootFlow, t: float) -> float:
    s, rest = flow.rest(t)
    values = rest.ravel() - 0.5
    place = int(np.flatnonzero(values < 0)[0])
    window = slice(max(place - 8, 0), place + 8)
    logs = np.log(s.ravel()[window])
    curve = BarycentricInterpolator(logs, values[window])
    root = brentq(
        lambda x: float(curve(x)), np.log(s.ravel()[place - 1]), np.log(s.ravel()[place]), xtol=1e-13
    )
    return math.exp(-root)
