"""Any function f(energy) as an electron distribution: where it changes, and its window integrals."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.quadrature import ConvergenceError, integrate
from ..numerics.validation import FloatArray, real_array
from .electron_distributions import FermiDistribution, TwoStepDistribution

# The function is taken to be 1 or 0 where it is as close to them as this.
_EDGE = 1e-15
_JUMP = 0.05
_ORDER = 16
_CHUNK = 128


class NumericalDistribution:
    r"""Electron distribution given by any smooth function, with tabulated window integrals.

    Parameters
    ----------
    occupation : callable
        Maps an array of energies to occupations between 0 and 1 of the same shape; 1 far below and 0 far
        above its steps, twice differentiable (a kink or a jump makes collision rates diverge there).

    Raises
    ------
    TypeError
        If `occupation` is not callable or returns anything but real numbers.
    ValueError
        If it leaves the interval from 0 to 1, has wrong limits, returns another shape, or jumps.
    disorder.numerics.quadrature.ConvergenceError
        If its window integral cannot be tabulated.

    Notes
    -----
    The steps are searched on a grid of both signs from 1e-60 to 1e60 and by bisection, so that neither the
    unit of energy nor the position matters; a feature that starts and ends between two grid points (eight per
    decade) is overlooked. The window integral for falling electrons is tabulated to 1e-12 of its largest
    value with piecewise Chebyshev polynomials; construction takes about 0.1 s.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (65).

    Examples
    --------
    >>> electrons = NumericalDistribution(lambda e: 0.5 - 0.5 * np.tanh(e / 2))
    >>> round(electrons.window(0.0), 10)
    1.0
    """

    def __init__(self, occupation: Callable[[FloatArray], ArrayLike]) -> None:
        if not callable(occupation):
            raise TypeError(
                f"electron_distribution must be a distribution or a function of energy, got {occupation!r}"
            )
        self._occupation = occupation
        self._knots = self._find_steps()
        self._low, self._high = self._knots[0], self._knots[-1]
        # An energy is known to its rounding error only: f is, too, by that over the width of its steps.
        rounding = np.spacing(np.abs(self._knots).max()) / np.diff(self._knots).min()
        self._noise = max(1e-14, float(rounding))
        self._edges, self._coefficients = np.zeros(0), np.zeros((0, _ORDER))
        self._scale = float(self._fall(np.zeros(1))[0])
        self._tabulate()

    def __call__(self, energy: ArrayLike) -> NDArray[np.float64] | float:
        """Occupation f(energy), between 0 and 1."""
        points = real_array("energy", energy)
        values = self._values(np.atleast_1d(points)).reshape(points.shape)
        return float(values) if points.ndim == 0 else values

    def _values(self, energy: FloatArray) -> NDArray[np.float64]:
        # A legal function may overflow inside, on its way to 0 or 1.
        with np.errstate(all="ignore"):
            values = np.asarray(self._occupation(energy))
        if values.dtype.kind not in "iufb":
            raise TypeError(f"electron_distribution must return real numbers, got dtype {values.dtype}")
        if values.shape != energy.shape:
            raise ValueError(
                f"electron_distribution must map an array to one of equal shape, got {values.shape} "
                f"for {energy.shape}"
            )
        values = values.astype(np.float64)
        wrong = ~((values >= -1e-12) & (values <= 1 + 1e-12))
        if wrong.any():
            raise ValueError(
                f"electron_distribution must lie in [0, 1], got {values[wrong].flat[0]!r} "
                f"at energy {energy[wrong].flat[0]:g}"
            )
        return np.asarray(np.clip(values, 0.0, 1.0))

    def _find_steps(self) -> FloatArray:
        """Increasing energies between which f changes by little, from where it leaves 1 to where it is 0."""
        grid = np.geomspace(1e-60, 1e60, 961)
        points = np.concatenate((-grid[::-1], [0.0], grid))
        values = self._values(points)
        if values[0] < 1 - 1e-9 or values[-1] > 1e-9:
            raise ValueError(
                "electron_distribution must tend to 1 far below and to 0 far above its steps, "
                f"got {values[0]:g} and {values[-1]:g}"
            )
        while (steep := np.flatnonzero(np.abs(np.diff(values)) > _JUMP)).size:
            left, right = points[steep], points[steep + 1]
            middle = left + (right - left) / 2
            narrow = (right - left) <= np.maximum(1e-13 * np.maximum(np.abs(left), np.abs(right)), 1e-70)
            if narrow.any():
                raise ValueError(
                    f"electron_distribution must be continuous, it jumps near energy {middle[narrow][0]:g}"
                )
            points = np.insert(points, steep + 1, middle)
            values = np.insert(values, steep + 1, self._values(middle))
        first = int(np.argmax(values < 1 - _EDGE))
        last = points.size - 1 - int(np.argmax(values[::-1] > _EDGE))
        low = self._bisect(points[first], points[max(first - 1, 0)], 1 - _EDGE)
        high = self._bisect(points[last], points[min(last + 1, points.size - 1)], _EDGE)
        knots, level = [low], 1.0
        for point, value in zip(points[first : last + 1], values[first : last + 1], strict=True):
            if abs(value - level) >= _JUMP / 2 and low < point < high:
                knots.append(float(point))
                level = value
        return np.array([*knots, high])

    def _bisect(self, inside: float, outside: float, level: float) -> float:
        """The energy between two grid points at which f passes `level`."""
        for _ in range(60):
            middle = inside + (outside - inside) / 2
            value = float(self._values(np.array([middle]))[0])
            if (value < level) == (level > 0.5):
                inside = middle
            else:
                outside = middle
        return outside

    def _fall(self, loss: FloatArray) -> NDArray[np.float64]:
        """Window integral of f(e) (1 - f(e - loss)) for losses below the width of the window."""
        result = np.empty(loss.size)
        for start in range(0, loss.size, _CHUNK):
            part = loss[start : start + _CHUNK]

            def integrand(energy: FloatArray, part: FloatArray = part) -> NDArray[np.float64]:
                empty = 1 - self._values(energy[:, None] - part)
                return np.asarray(self._values(energy)[:, None] * empty)

            span = self._high - self._low
            rule = integrate(integrand, self._knots, rtol=10 * self._noise, atol=self._noise * span)
            result[start : start + _CHUNK] = rule.value
        return result

    def _tabulate(self) -> None:
        nodes = np.cos(np.pi * (np.arange(_ORDER) + 0.5) / _ORDER)
        transform = np.cos(np.outer(np.arange(_ORDER), np.arccos(nodes))) * (2 / _ORDER)
        transform[0] /= 2
        smallest, span = float(np.diff(self._knots).min()), self._high - self._low
        count = max(2, math.ceil(3 * math.log10(span / smallest)))
        edges = np.concatenate(([0.0], np.geomspace(min(smallest, span / 2), span, count)))
        low, high = edges[:-1], edges[1:]
        done: list[tuple[FloatArray, FloatArray]] = []
        for _ in range(30):
            points = (high + low)[:, None] / 2 + (high - low)[:, None] / 2 * nodes
            coefficients = self._fall(points.ravel()).reshape(points.shape) @ transform.T
            good = np.abs(coefficients[:, -2:]).max(axis=1) <= 100 * self._noise * self._scale
            good |= high - low <= 1e-12 * span
            done.append((low[good], coefficients[good]))
            if good.all():
                break
            low, high = low[~good], high[~good]
            middle = (low + high) / 2
            low, high = np.concatenate((low, middle)), np.concatenate((middle, high))
        else:
            raise ConvergenceError(
                "the window integral of electron_distribution did not converge in 30 halvings"
            )
        starts = np.concatenate([part[0] for part in done])
        order = np.argsort(starts)
        self._edges = np.append(starts[order], span)
        self._coefficients = np.concatenate([part[1] for part in done])[order]

    def _tabulated_fall(self, loss: FloatArray) -> NDArray[np.float64]:
        span = self._edges[-1]
        inside = np.minimum(loss, span)
        panel = np.clip(np.searchsorted(self._edges, inside, side="right") - 1, 0, self._edges.size - 2)
        low, high = self._edges[panel], self._edges[panel + 1]
        angle = np.arccos(np.clip((2 * inside - low - high) / (high - low), -1.0, 1.0))
        value = np.zeros(loss.shape)
        for n in range(_ORDER):
            value += self._coefficients[panel, n] * np.cos(n * angle)
        return np.where(loss < span, np.maximum(value, 1e-300 * self._scale), 1e-300 * self._scale)

    def window(self, gain: ArrayLike) -> NDArray[np.float64] | float:
        """Window integral of f(e) (1 - f(e + gain)) over all e: room for electrons that gain the energy."""
        w = real_array("gain", gain)
        value = np.maximum(w, 0.0) + self._tabulated_fall(np.abs(w).ravel()).reshape(w.shape)
        return float(value) if w.ndim == 0 else np.asarray(value)

    def log_ratio(self, energy: FloatArray) -> FloatArray:
        """Logarithm of window(-energy)/window(energy), odd in energy; the ratio is accurate to 1e-12."""
        size = np.abs(energy)
        fall = self._tabulated_fall(size)
        share = size / (size + fall)
        with np.errstate(divide="ignore"):
            value = np.where(
                share < 0.5, np.log1p(-np.minimum(share, 0.5)), np.log(fall) - np.log(size + fall)
            )
        return np.asarray(np.where(energy < 0, -value, value))

    def reduced(self, energy: FloatArray) -> FloatArray:
        """Energies in units of :meth:`scale`."""
        return np.asarray(energy / self._scale)

    def differences(self, x: FloatArray, e: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Second and first difference of f over e^2 and e, at x and e in units of :meth:`scale`."""
        middle = self._values(x * self._scale)
        inside = (middle > 1e-9) & (middle < 1 - 1e-9)
        inside |= np.abs(x[:, None] - self.marks()).min(axis=1) < 1e-6
        if inside.any() and e.min() < max(1e-11, 1e3 * float(np.spacing(np.abs(x[inside]).max()))):
            raise ConvergenceError(
                "electron_distribution must be twice differentiable near the energies asked for: its second "
                f"difference does not settle within {e.min() * self._scale:.1e} of them"
            )
        above = self._values((x + e[:, None]) * self._scale)
        below = self._values((x - e[:, None]) * self._scale)
        second = ((middle - above) - (below - middle)) / e[:, None] ** 2
        return second, (below - above) / e[:, None]

    def scale(self) -> float:
        """The energy over which f changes: the integral of f (1 - f)."""
        return self._scale

    def marks(self) -> FloatArray:
        """Positions in units of :meth:`scale` around which f changes."""
        return np.asarray(self._knots / self._scale)

    def tolerance(self) -> float:
        """Relative accuracy that collision rates in this distribution can reach."""
        return max(1e-8, 1e4 * self._noise)

    def floor(self) -> float:
        """Gross collision rate, times :meth:`scale`, below which errors no longer count."""
        return 1.0


Distribution = FermiDistribution | TwoStepDistribution | NumericalDistribution


def as_distribution(electron_distribution: Any) -> Distribution:
    """Return the argument if it is one of the distributions of this package, else tabulate the function.

    Raises
    ------
    TypeError, ValueError
        As :class:`NumericalDistribution`.

    Examples
    --------
    >>> as_distribution(FermiDistribution(1.0))
    FermiDistribution(temperature=1.0, chemical_potential=0.0)
    """
    if isinstance(electron_distribution, FermiDistribution | TwoStepDistribution | NumericalDistribution):
        return electron_distribution
    return NumericalDistribution(electron_distribution)
