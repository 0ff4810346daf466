r"""The renormalization group equation for a general kernel, size by size.

Two passes. The first integrates the clusters up to a truncation that keeps :math:`\sum n\tilde P_n=1`; it
gives the loss rates, which small clusters dominate. With known rates the equation is a triangular chain: a
size gains from smaller ones only. The second pass solves this chain by collocation for the densities over an
exponential that follows their own decay, all terms positive, so that tails keep their relative accuracy.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853, OdeSolution
from tqdm import tqdm

from ..numerics.collocation import derivative_matrix, lagrange
from ..numerics.jit import kernel as compiled
from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray
from .coagulation_kernels import CoagulationKernel, KernelLike, coagulation_kernel, kernel_growth

MAX_SIZE = 4096
MASS_TOLERANCE = 1e-11
_NODES = 16
_BLOCK = 256


@compiled
def _pack(matrix: FloatArray, packed: FloatArray) -> None:
    """Weights of the pairs k + m = n, k <= m, one n after the other."""
    offset = 0
    for i in range(matrix.shape[0]):
        half = (i + 1) // 2
        for k in range(1, half + 1):
            packed[offset] = matrix[k - 1, i - k] * (1.0 if 2 * k == i + 1 else 2.0)
            offset += 1


@compiled
def _gain(density: FloatArray, packed: FloatArray, out: FloatArray) -> None:
    offset = 0
    for i in range(density.size):
        half = (i + 1) // 2
        total = 0.0
        for k in range(half):
            total += packed[offset + k] * density[k] * density[i - 1 - k]
        offset += half
        out[i] = total


@compiled
def _chain(
    first: int,
    weights: FloatArray,
    scaled: FloatArray,
    drift: FloatArray,
    inverse: FloatArray,
    rates: FloatArray,
    times: FloatArray,
    first_rule: FloatArray,
    rule: FloatArray,
    widths: FloatArray,
) -> None:
    """Solve t y' + [(n - 1) drift + rates] y = inverse * gain for the sizes of a block, in their order.

    `scaled` (abscissae, sizes) holds y and is filled; `rates` is 2 t times the loss rate.
    """
    order = first_rule.shape[0]
    panels = widths.size
    system = np.empty((order, order))
    right = np.empty(order)
    for row in range(weights.shape[0]):
        n = first + row
        left = 1.0
        for panel in range(panels):
            start = panel * order
            for i in range(order):
                q = start + i
                total = 0.0
                for k in range(n // 2):
                    total += weights[row, k] * scaled[q, k] * scaled[q, n - 2 - k]
                right[i] = inverse[q] * total
                slope = times[q] * 2.0 / widths[panel]
                # Above n = 1 the value at t = 0 follows from the equation, so the first panel has no left
                # end.
                if panel == 0 and n > 1:
                    for j in range(order):
                        system[i, j] = slope * first_rule[i, j]
                else:
                    right[i] -= slope * rule[i, 0] * left
                    for j in range(order):
                        system[i, j] = slope * rule[i, j + 1]
                system[i, i] += (n - 1) * drift[q] + rates[q, row]
            solution = np.linalg.solve(system, right)
            for i in range(order):
                scaled[start + i, n - 1] = solution[i]
            left = solution[order - 1]


def _radau(order: int) -> FloatArray:
    """Radau points on (-1, 1]: the last one is the right end."""
    coefficients = np.zeros(order + 1)
    coefficients[-2:] = 1.0
    roots = np.polynomial.legendre.legroots(coefficients)
    return np.asarray(-np.sort(roots.real)[::-1])


_POINTS = _radau(_NODES)
_FULL_POINTS = np.append(-1.0, _POINTS)
_FIRST_RULE = derivative_matrix(_POINTS)
_RULE = np.ascontiguousarray(derivative_matrix(_FULL_POINTS)[1:])


class _Truncated:
    """The equation for sizes up to `size`; what unites beyond is lost, and the lost particles are counted."""

    def __init__(self, kernel: CoagulationKernel, size: int, scale: float = 1.0) -> None:
        self.sizes = np.arange(1.0, size + 1)
        self.matrix = scale * kernel.matrix(size)
        self.packed = np.empty(sum((i + 1) // 2 for i in range(size)))
        _pack(self.matrix, self.packed)
        self._gain = np.empty(size)

    def rate(self, t: float, density: FloatArray) -> FloatArray:
        _gain(density, self.packed, self._gain)
        return np.asarray(self._gain - 2 * density * (self.matrix @ density))

    def stepper(self, t_max: float, rtol: float, atol: float) -> DOP853:
        start = np.zeros(self.sizes.size)
        start[0] = 1.0
        # Rates weigh a size by up to its own power: round-off of the many large ones must not add up.
        return DOP853(self.rate, 0.0, start, t_max, rtol=rtol, atol=atol / self.sizes)


class DirectFlow:
    """Solution of the equation for a general kernel on 0 <= t <= t_max.

    `order` is the highest moment that the truncation must hold. Inside, time is in units of t_max.
    """

    def __init__(self, kernel: CoagulationKernel, t_max: float, order: float) -> None:
        self.kernel, self.t_max = kernel, t_max
        limit = MAX_SIZE if kernel.largest is None else min(MAX_SIZE, kernel.largest)
        size = min(64, limit)
        while True:
            reached = self._integrate(size)
            if reached is None:
                self._prepare(size)
                if order <= 1 or self._tail(order) < MASS_TOLERANCE:
                    break
                reached = t_max
            if size == limit:
                what = "table" if limit == kernel.largest else "truncation"
                raise ConvergenceError(
                    f"sizes up to {limit} (the {what}) do not hold the moment of order {max(order, 1.0):g} "
                    f"to {MASS_TOLERANCE:g} at t = {reached:.4g}, t = {t_max:g} was asked for"
                )
            size = min(2 * size, limit)

    def _integrate(self, size: int) -> float | None:
        with np.errstate(over="ignore", invalid="ignore"):  # non-finite states fail the test of the sum
            return self._advance(size)

    def _advance(self, size: int) -> float | None:
        """Integrate; return None, or the time at which particles are lost to larger sizes."""
        system = _Truncated(self.kernel, size, self.t_max)
        stepper = system.stepper(1.0, 1e-12, 1e-16)
        times, pieces, growth = [0.0], [], [0.0]
        second, single = 1.0, 1.0
        hide = None if size >= 1024 else True
        with tqdm(total=1.0, desc=f"coagulation to size {size}", disable=hide, leave=False) as bar:
            while stepper.status == "running":
                message = stepper.step()
                if stepper.status == "failed":
                    raise ConvergenceError(
                        f"the integration of the kernel failed at t = {self.t_max * stepper.t:g}: {message}"
                    )
                if not abs(1 - system.sizes @ stepper.y) < MASS_TOLERANCE:
                    return float(self.t_max * stepper.t)
                times.append(stepper.t)
                pieces.append(stepper.dense_output())
                now = float(system.sizes**2 @ stepper.y), max(float(stepper.y[0]), 1e-300)
                # The shape changes with the second moment, or with the supply of single centres.
                growth.append(growth[-1] + max(math.log(now[0] / second), math.log(single / now[1]) / 2, 0.0))
                second, single = now
                bar.update(stepper.t - stepper.t_old)
        self._bulk = OdeSolution(times, pieces)
        self._growth = np.array(times), np.array(growth)
        self.size = size
        return None

    def _prepare(self, size: int) -> None:
        times, growth = self._growth
        for refinement in range(5):
            count = max(1, math.ceil(growth[-1] / 0.4)) * 2**refinement
            edges = np.interp(np.linspace(0, growth[-1], count + 1), growth, times) if growth[-1] else times
            edges = np.unique(np.concatenate(([0.0], edges[1:-1], [1.0])))
            self._edges, self._widths = edges, np.diff(edges)
            middle = (edges[1:] + edges[:-1]) / 2
            self._times = (middle[:, None] + self._widths[:, None] / 2 * _POINTS).ravel()
            self._density = self._bulk(self._times)
            self._logs = np.empty((self._times.size, 0))
            self._extend(min(size, 64))
            known = np.exp(self._logs + np.log(self._times)[:, None] * np.arange(self._logs.shape[1]))
            if np.abs(known - self._density[: known.shape[1]].T).max() < 1e-11:
                return
        raise ConvergenceError("the two passes of the solution differ by more than 1e-11")

    def _extend(self, largest: int) -> None:
        """Carry the chain on to the size `largest`."""
        order, bulk = _NODES, np.arange(1.0, self.size + 1)
        while (known := self._logs.shape[1]) < largest:
            last = min(largest, max(2 * known, known + 1), known + _BLOCK)
            tilt = self._tilt()
            drift = 1 + self._times * self._slope(tilt)
            scaled = np.zeros((self._times.size, last))
            steps = np.arange(last)
            scaled[:, :known] = np.exp(self._logs - tilt[:, None] * steps[:known])
            news = np.arange(known + 1, last + 1)
            weights = np.zeros((news.size, last // 2))
            for row, n in enumerate(news):
                k = np.arange(1, n // 2 + 1)
                weights[row, : k.size] = (
                    self.t_max * self.kernel.values(k, n - k) * np.where(2 * k == n, 1.0, 2.0)
                )
            loss = self.t_max * self.kernel.values(news[:, None], bulk[None, :]) @ self._density
            rates = 2 * self._times[:, None] * loss.T
            _chain(
                known + 1, weights, scaled, drift, np.exp(-tilt), np.ascontiguousarray(rates), self._times,
                _FIRST_RULE, _RULE, self._widths,
            )  # fmt: skip
            fresh = scaled[:, known:]
            if not (fresh >= 0).all():
                raise ConvergenceError("the chain of densities lost its sign: the kernel varies too abruptly")
            with np.errstate(divide="ignore"):
                logs = np.log(fresh) + tilt[:, None] * steps[known:]
            self._logs = np.concatenate((self._logs, logs), axis=1)
        assert self._logs.shape[0] == self._widths.size * order

    def _tilt(self) -> FloatArray:
        """Logarithmic slope of the largest sizes known, with the factor t taken out."""
        present = np.nonzero(np.isfinite(self._logs).all(axis=0))[0]
        if present.size < 2:
            return np.zeros(self._times.size)
        high = present[-1]
        low = present[present <= high // 2][-1]
        return np.asarray((self._logs[:, high] - self._logs[:, low]) / (high - low))

    def _slope(self, values: FloatArray) -> FloatArray:
        """Derivative in t of a function given at the abscissae."""
        table = values.reshape(-1, _NODES)
        result = np.empty_like(table)
        result[0] = _FIRST_RULE @ table[0]
        left = table[:-1, -1]
        result[1:] = table[1:] @ _RULE[:, 1:].T + left[:, None] * _RULE[:, 0]
        return np.asarray((result * 2 / self._widths[:, None]).ravel())

    def _tail(self, order: float) -> float:
        """Share of the moment that the last octave of sizes holds at the end, times two."""
        terms = self._terms(np.array([1.0]), order)[0]
        return float(2 * terms[terms.size // 2 :].sum() / terms.sum())

    def _terms(self, t: FloatArray, order: float) -> FloatArray:
        sizes = np.arange(1, self.size + 1)
        with np.errstate(over="ignore"):
            terms = np.exp(self._log_densities(t, sizes) + order * np.log(sizes))
        if not np.isfinite(terms).all():
            raise ValueError(f"order must be smaller, the moment of order {order:g} overflows")
        return np.asarray(terms)

    def _log_densities(self, t: FloatArray, sizes: NDArray[np.int64]) -> FloatArray:
        self._extend(int(sizes.max()))
        result = np.full((t.size, sizes.size), -np.inf)
        panel = np.clip(np.searchsorted(self._edges, t) - 1, 0, self._widths.size - 1)
        present = np.isfinite(self._logs[:, sizes - 1]).all(axis=0)
        columns = sizes[present] - 1
        for i, (time, p) in enumerate(zip(t, panel, strict=True)):
            if time == 0:
                result[i, sizes == 1] = 0.0
                continue
            rows = slice(max(p * _NODES - 1, 0), (p + 1) * _NODES)
            point = (time - self._edges[p]) * 2 / self._widths[p] - 1
            share = lagrange(_POINTS if p == 0 else _FULL_POINTS, np.array(point))
            values = share @ self._logs[rows, columns]
            result[i, present] = values + columns * math.log(time)
        return result

    def densities(self, t: FloatArray, sizes: NDArray[np.int64]) -> FloatArray:
        """Return P_n(t), shape (len(t), len(sizes))."""
        return np.asarray(np.exp(self._log_densities(t / self.t_max, sizes)))

    def moment(self, t: FloatArray, order: float) -> FloatArray:
        """Return the moment of the given order, shape (len(t),)."""
        return np.asarray(self._terms(t / self.t_max, order).sum(axis=1))


def _observe(system: _Truncated, density: FloatArray) -> tuple[float, float]:
    """Mean size I_3/I_2 and the time scale I_2/(dI_2/dt)."""
    second = float(system.sizes**2 @ density)
    weighted = system.sizes * density
    growth = 2 * float(weighted @ (system.matrix @ weighted))
    return float(system.sizes**3 @ density) / second, second / growth


def gelation_time(kernel: KernelLike) -> float:
    r"""Time at which a kernel that grows faster than the size makes the first infinite cluster.

    Parameters
    ----------
    kernel : {"constant", "sqrt"}, callable or array_like of shape (N, N), N >= 512
        See :func:`coagulation_kernel`.

    Returns
    -------
    float
        t of the gelation: infinity for a kernel that keeps all particles, 0 if it happens at once. Otherwise
        an extrapolation, to 1e-6 for b = k m (t = 1/2), 1e-4 for (k m)^0.8, a few per cent at worst.

    Raises
    ------
    TypeError, ValueError
        If the kernel is not valid, or its table too short.
    ConvergenceError
        If the extrapolation is uncertain by more than 5 per cent: exponents just above one.

    Notes
    -----
    The second moment I_2 diverges as a power of t_g - t, so r = I_2/(dI_2/dt) vanishes there, about linearly.
    The equation is solved to size 512 until I_3/I_2 = 11; cubics through four points (r, t) give t at r = 0,
    and the sequence of these is accelerated. About half a second.

    References
    ----------
    Ziff, Ernst and Hendriks, J. Phys. A 16, 2293 (1983); Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.6),
    (4.9).

    Examples
    --------
    >>> round(gelation_time(lambda k, m: k * m), 5)
    0.5
    """
    checked = coagulation_kernel(kernel)
    growth = kernel_growth(checked)
    if not growth.gelling or not checked.values(1, 1) > 0:
        return math.inf
    if growth.instantaneous:
        return 0.0
    if checked.largest is not None and checked.largest < 512:
        raise ValueError(f"kernel must be a table of at least 512 sizes to gel, got {checked.largest}")
    system = _Truncated(checked, 512)
    stepper = system.stepper(math.inf, 1e-10, 1e-13)
    marks = list(2.0 ** np.arange(0.5, 3.6, 0.5))
    points: list[tuple[float, float]] = []
    while len(points) < len(marks):
        message = stepper.step()
        if stepper.status != "running" or stepper.nfev > 100_000:
            raise ConvergenceError(f"the integration of the kernel failed at t = {stepper.t:g}: {message}")
        between = stepper.dense_output()
        while len(points) < len(marks) and _observe(system, stepper.y)[0] > marks[len(points)]:
            low, high = stepper.t_old, stepper.t
            for _ in range(48):
                middle = (low + high) / 2
                if _observe(system, between(middle))[0] > marks[len(points)]:
                    high = middle
                else:
                    low = middle
            points.append((high, _observe(system, between(high))[1]))
    times, scales = np.array(points).T
    guesses = [
        float(np.polynomial.Polynomial.fit(scales[i : i + 4] / scales[0], times[i : i + 4], 3)(0.0))
        for i in range(len(marks) - 3)
    ]
    before, last = guesses[-2] - guesses[-3], guesses[-1] - guesses[-2]
    correction = last**2 / (before - last) if abs(last) < 0.9 * abs(before) else last
    value = guesses[-1] + correction
    if not (value > times[-1] and abs(correction) < 0.05 * value):
        raise ConvergenceError(
            f"the gelation time of the kernel is not resolved: it lies above t = {times[-1]:.4g}"
        )
    return value
