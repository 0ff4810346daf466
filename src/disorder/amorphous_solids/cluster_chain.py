"""Cluster densities of the square-root kernel, size by size, with full relative accuracy in the tails.

Once I_1/2(t) is known, (6.3) is a linear chain: each P_n is fed by smaller clusters only, and every term of
the source is positive. The chain is solved for p_n = P_n exp(-(n - 1) lambda(t)), where lambda follows the
exponential tail of the distribution, by collocation at Chebyshev-Lobatto nodes of panels in time.
"""

import math

import numpy as np

from ..numerics.collocation import derivative_matrix, gauss_solve, lagrange
from ..numerics.jit import kernel
from ..numerics.validation import FloatArray

TIME_NODES = 16
FIRST_PANEL = 0.125
PANEL_RATIO = 1.4
# The front moves as exp(sqrt(16 pi t)), so that late panels are equally long in sqrt(t).
PANEL_STEP = 0.1


@kernel
def extend_chain(
    tilted: FloatArray,
    start: int,
    stop: int,
    times: FloatArray,
    derivative: FloatArray,
    half: FloatArray,
    slope: FloatArray,
    source: FloatArray,
) -> None:
    """Fill tilted[panel, n - 1, node] for start < n <= stop; smaller sizes are given.

    `half` is I_1/2, `slope` t d(lambda)/dt and `source` t exp(-lambda), all of shape (panels, nodes).
    """
    panels, _, nodes = tilted.shape
    matrix = np.empty((nodes - 1, nodes - 1))
    vector = np.empty(nodes - 1)
    sums = np.empty(nodes)
    weighted = np.empty((stop, nodes))
    for p in range(panels):
        for n in range(1, start + 1):
            for j in range(nodes):
                weighted[n - 1, j] = math.sqrt(n) * tilted[p, n - 1, j]
        for n in range(start + 1, stop + 1):
            sums[:] = 0.0
            for k in range(1, (n - 1) // 2 + 1):
                for j in range(nodes):
                    sums[j] += weighted[k - 1, j] * weighted[n - k - 1, j]
            for j in range(nodes):
                sums[j] *= 2.0
                if n % 2 == 0:
                    sums[j] += weighted[n // 2 - 1, j] ** 2
            initial = tilted[p - 1, n - 1, nodes - 1] if p > 0 else source[0, 0] * sums[0] / (n - 1)
            tilted[p, n - 1, 0] = initial
            root = math.sqrt(n)
            for i in range(1, nodes):
                for j in range(1, nodes):
                    matrix[i - 1, j - 1] = times[p, i] * derivative[p, i, j]
                matrix[i - 1, i - 1] += (n - 1) * slope[p, i] + 2 * root * times[p, i] * half[p, i]
                vector[i - 1] = source[p, i] * sums[i] - times[p, i] * derivative[p, i, 0] * initial
            gauss_solve(matrix, vector)
            for i in range(1, nodes):
                tilted[p, n - 1, i] = vector[i - 1]
            for j in range(nodes):
                weighted[n - 1, j] = root * tilted[p, n - 1, j]


def panel_ends(t_max: float) -> list[float]:
    """Return the ends of the time panels, the last of them at `t_max` or beyond."""
    ends = [FIRST_PANEL]
    while ends[-1] < t_max:
        ends.append(min(PANEL_RATIO * ends[-1], (math.sqrt(ends[-1]) + PANEL_STEP) ** 2))
    return ends


def time_panels(t_max: float) -> tuple[FloatArray, FloatArray]:
    """Return Chebyshev-Lobatto nodes and derivative matrices of panels that cover [0, t_max]."""
    edges = np.array([0.0, *panel_ends(t_max)])
    reference = -np.cos(np.pi * np.arange(TIME_NODES) / (TIME_NODES - 1))
    half = np.diff(edges) / 2
    times = ((edges[1:] + edges[:-1]) / 2)[:, None] + half[:, None] * reference
    times[0, 0] = 0.0
    return times, derivative_matrix(reference) / half[:, None, None]


class ClusterChain:
    """The chain on all time panels; it grows with the largest size asked for.

    Parameters
    ----------
    times, derivative : ndarray
        From `time_panels`.
    half : ndarray, shape (panels, nodes)
        I_1/2 at `times`.
    """

    def __init__(self, times: FloatArray, derivative: FloatArray, half: FloatArray) -> None:
        self.times, self.derivative, self.half = times, derivative, half
        single = np.empty((times.shape[0], 1, times.shape[1]))
        integral, start = np.empty_like(times), 0.0
        for p, matrix in enumerate(derivative):
            integral[p, 0] = start
            integral[p, 1:] = start + np.linalg.solve(matrix[1:, 1:], half[p, 1:])
            start = integral[p, -1]
        single[:, 0] = np.exp(-2 * integral)
        self.tilted = single
        # lambda = ln t at first: P_n starts as t^(n - 1). The first panel keeps lambda - ln t.
        self.shift = np.log(times, out=np.zeros_like(times), where=times > 0)
        self.shift[0] = 0.0

    def tilt(self) -> tuple[FloatArray, FloatArray]:
        """Return t d(lambda)/dt and t exp(-lambda) at the time nodes."""
        slope = self.times * np.einsum("pij,pj->pi", self.derivative, self.shift)
        slope[0] += 1
        source = np.exp(-self.shift)
        source[1:] *= self.times[1:]
        return slope, source

    def locate(self, t: float) -> tuple[int, FloatArray, float]:
        """Return the panel of t > 0, the interpolation row of its nodes, and lambda(t)."""
        p = min(int(np.searchsorted(self.times[:, -1], t)), self.times.shape[0] - 1)
        row = lagrange(self.times[p], np.array(t))
        return p, row, float(row @ self.shift[p]) + (math.log(t) if p == 0 else 0.0)

    @property
    def size(self) -> int:
        """Largest size that is solved."""
        return int(self.tilted.shape[1])

    def grow(self, size: int) -> None:
        """Solve up to `size` at least, following the tail with the tilt each time the size has doubled."""
        while self.size < size:
            start = self.size
            stop = max(2 * start, 4)
            grown = np.empty((self.times.shape[0], stop, self.times.shape[1]))
            grown[:, :start] = self.tilted
            extend_chain(grown, start, stop, self.times, self.derivative, self.half, *self.tilt())
            quarter = stop // 4
            logs = np.log(grown[:, [quarter - 1, 2 * quarter - 1, 4 * quarter - 1]])
            change = (logs[:, 2] - 2 * logs[:, 1] + logs[:, 0]) / quarter
            grown *= np.exp(-np.arange(stop)[:, None] * change[:, None])
            # One assignment after the other, none of which can fail: an interrupt leaves a usable chain.
            self.tilted, self.shift = grown, self.shift + change
