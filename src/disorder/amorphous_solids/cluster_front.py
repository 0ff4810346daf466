"""Cluster densities of the square-root kernel far beyond the sizes that can be summed one by one.

Above some hundred clusters the tilted density q(n) = P_n exp(-(n - 1) lambda(t)) is a smooth function of
ln n. It is kept at Chebyshev nodes of panels whose ends grow by sqrt(2). In the source of (6.3) the smaller
partner k runs over the integers up to `HEAD`, with Gregory's end weights, and over the panels above. Two
partners cannot lie in the panel of their union, so each panel obeys a linear equation with positive source.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import binom
from tqdm import tqdm

from ..numerics.collocation import chebyshev_nodes, gauss_solve, lagrange
from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError, panel_rule
from ..numerics.validation import FloatArray
from .cluster_chain import ClusterChain

HEAD = 128
RATIO = math.sqrt(2.0)
ORDER = 12
GREGORY = 10
LARGEST = 1e12


# Plain loops instead of BLAS: its threads, fighting for busy cores, can be slower by a factor of twenty.
@kernel
def gather(
    feed: FloatArray,
    rows: FloatArray,
    panel: NDArray[np.int64],
    known: FloatArray,
    gain: FloatArray,
    source: FloatArray,
) -> None:
    """Add feed(k) phi(n - k) over all k: to `gain` if n - k is in the new panel, else to `source`."""
    for x in range(feed.shape[0]):
        for j in range(rows.shape[1]):
            factor = rows[x, j]
            if factor == 0.0:
                continue
            if panel[x] < known.shape[0]:
                old = known[panel[x], j]
                for k in range(feed.shape[1]):
                    source[k] += factor * feed[x, k] * old[k]
            else:
                for k in range(feed.shape[1]):
                    gain[j, k] += factor * feed[x, k]


@kernel
def solve_panel(
    sizes: FloatArray,
    gain: FloatArray,
    source: FloatArray,
    times: FloatArray,
    derivative: FloatArray,
    half: FloatArray,
    slope: FloatArray,
    weight: FloatArray,
    result: FloatArray,
) -> None:
    """Collocate q(n, t) of one panel of sizes, one panel of time after the other."""
    order = sizes.size
    panels, nodes = times.shape
    for p in range(panels):
        # The first node repeats the end of the last panel; at t = 0 its equation fixes it.
        skip = 1 if p > 0 else 0
        step = nodes - skip
        matrix = np.zeros((order * step, order * step))
        vector = np.empty(order * step)
        for i in range(order):
            if p > 0:
                result[i, p, 0] = result[i, p - 1, nodes - 1]
            for a in range(skip, nodes):
                row = i * step + a - skip
                vector[row] = weight[p, a] * source[i, p, a]
                if p > 0:
                    vector[row] -= times[p, a] * derivative[p, a, 0] * result[i, p, 0]
                for b in range(skip, nodes):
                    matrix[row, i * step + b - skip] = times[p, a] * derivative[p, a, b]
                for j in range(order):
                    matrix[row, j * step + a - skip] -= weight[p, a] * gain[i, j, p, a]
                matrix[row, row] += (sizes[i] - 1) * slope[p, a]
                matrix[row, row] += 2 * math.sqrt(sizes[i]) * times[p, a] * half[p, a]
        gauss_solve(matrix, vector)
        for i in range(order):
            for a in range(skip, nodes):
                result[i, p, a] = vector[i * step + a - skip]


def gregory_weights(order: int = GREGORY) -> FloatArray:
    """Return c_j with sum_{k > K} f(k) = int_K^inf f dk + sum_j c_j f(K - j) for smooth f."""
    series = np.zeros(order + 2)
    series[0] = 1.0
    # x/-ln(1 - x) as a series in the backward difference x; the sum itself is -1/x.
    for m in range(1, order + 2):
        series[m] = -sum(series[m - j] / (j + 1) for j in range(1, m + 1))
    weights = np.zeros(order + 1)
    for m in range(order + 1):
        for j in range(m + 1):
            weights[j] += series[m + 1] * (-1) ** j * binom(m, j)
    return weights


class ClusterFront:
    """Panels of q(n) on top of a chain of `2 * HEAD` integers; grows with the largest size asked for."""

    def __init__(self, chain: ClusterChain) -> None:
        chain.grow(2 * HEAD)
        self.chain = chain
        self.nodes = chebyshev_nodes(ORDER)
        local = (self.nodes + 1) / 2 * math.log(RATIO)
        self.sizes = HEAD * np.exp(local + math.log(RATIO) * np.arange(2)[:, None])
        points, weights = panel_rule([-1.0, 1.0], order=ORDER)
        self._fejer = weights @ lagrange(self.nodes, points) * math.log(RATIO) / 2
        self._head = np.ones(HEAD)
        end = gregory_weights()
        self._head[-1 : -1 - end.size : -1] += end
        tilted = np.empty(self.sizes.shape + chain.times.shape)
        for index, size in np.ndenumerate(self.sizes):
            first = min(max(round(size) - 8, 1), 2 * HEAD - 15)
            row = lagrange(np.arange(first, first + 16.0), np.array(size))
            tilted[index] = np.einsum("k,pkj->pj", row, chain.tilted[:, first - 1 : first + 15])
        self.tilted = tilted

    def _rows(self, points: FloatArray, last: int) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the panels of sizes `points`, at most `last`, and their interpolation rows."""
        position = np.log(points / HEAD) / math.log(RATIO)
        panel = np.clip(np.floor(position + 1e-13), 0, last).astype(np.int64)
        return panel, lagrange(self.nodes, 2 * (position - panel) - 1)

    @property
    def size(self) -> float:
        """Largest size that is solved."""
        return float(HEAD * RATIO ** self.sizes.shape[0])

    def grow(self, size: float) -> None:
        """Solve up to `size` at least."""
        if self.size >= size:
            return
        count = math.ceil(math.log(size / self.size) / math.log(RATIO) - 1e-9)
        for _ in tqdm(range(count), desc=f"densities to n = {size:.3g}", delay=2, leave=False, disable=None):
            self._add_panel()

    def _add_panel(self) -> None:
        chain = self.chain
        times, p = chain.times, self.sizes.shape[0]
        sizes = self.sizes[-1] * RATIO
        head = np.arange(1.0, HEAD + 1)
        flat = times.size
        known = self.tilted.reshape(p, ORDER, flat)
        first = (self._head * np.sqrt(head))[:, None] * chain.tilted[:, :HEAD].transpose(1, 0, 2).reshape(
            HEAD, -1
        )
        middle = self.sizes[: p - 2].ravel()
        # dk = k d(ln k), and sqrt(k) from the coupling.
        second = (np.tile(self._fejer, p - 2) * middle**1.5)[:, None] * known[: p - 2].reshape(-1, flat)
        gain = np.zeros((ORDER, ORDER, flat))
        source = np.zeros((ORDER, flat))
        for i, n in enumerate(sizes):
            low = HEAD * RATIO ** (p - 2)
            x, dx = panel_rule([math.log(low), math.log(n / 2)], order=ORDER)
            last = np.exp(x)
            third = (dx * last**1.5)[:, None] * (self._rows(last, p)[1] @ known[p - 2])
            partner = n - np.concatenate((head, middle, last))
            feed = 2 * np.concatenate((first, second, third))
            panel, rows = self._rows(partner, p)
            rows = rows * np.sqrt(partner)[:, None]
            gather(feed, rows, panel, known, gain[i], source[i])
        slope, weight = chain.tilt()
        shape = times.shape
        grown = np.empty((p + 1, ORDER, *shape))
        grown[:p] = self.tilted
        solve_panel(
            sizes,
            gain.reshape(ORDER, ORDER, *shape),
            source.reshape(ORDER, *shape),
            times,
            chain.derivative,
            chain.half,
            slope,
            weight,
            grown[p],
        )
        self._accept(np.concatenate((self.sizes, sizes[None])), grown)

    def _accept(self, sizes: FloatArray, tilted: FloatArray) -> None:
        """Store the new panel, and let the tilt follow the tail."""
        chain = self.chain
        change = np.zeros_like(chain.shift)
        if sizes.shape[0] >= 5:
            logs = np.log(tilted[[-1, -3, -5], -1])
            change = (logs[0] - 2 * logs[1] + logs[2]) / (sizes[-1, -1] / 4)
        count = np.arange(chain.size)[:, None]
        chain_tilted = chain.tilted * np.exp(-count * change[:, None])
        tilted = tilted * np.exp(-(sizes[..., None, None] - 1) * change)
        shift = chain.shift + change
        # Assignments only, so that an interrupt leaves the last complete state.
        chain.tilted, chain.shift, self.tilted, self.sizes = chain_tilted, shift, tilted, sizes

    def densities(self, t: float, sizes: FloatArray) -> FloatArray:
        """Return P_n(t) for t > 0; sizes below `2 * HEAD` must be whole numbers, larger ones may be real."""
        self.grow(float(sizes.max()))
        p, row, tilt = self.chain.locate(t)
        return np.asarray(self._tilted(p, row, sizes) * np.exp((sizes - 1) * tilt))

    def growth(self, t: float, sizes: FloatArray) -> FloatArray:
        """Return d ln P_n/dt at t > 0."""
        self.grow(float(sizes.max()))
        chain = self.chain
        p, row, _ = chain.locate(t)
        step = row @ chain.derivative[p]
        rate = float(step @ chain.shift[p]) + (1 / t if p == 0 else 0.0)
        return np.asarray(self._tilted(p, step, sizes) / self._tilted(p, row, sizes) + (sizes - 1) * rate)

    def _tilted(self, p: int, row: FloatArray, sizes: FloatArray) -> FloatArray:
        result = np.empty(sizes.shape)
        small = sizes <= 2 * HEAD
        result[small] = self.chain.tilted[p, sizes[small].astype(np.int64) - 1] @ row
        # The upper end of the last panel belongs to it.
        panel, rows = self._rows(sizes[~small], self.sizes.shape[0] - 1)
        result[~small] = np.einsum("nj,nj->n", rows, (self.tilted[:, :, p] @ row)[panel])
        return result

    def sum(self, t: float, order: float) -> float:
        """Return sum n^order P_n(t), growing until the terms left out do not matter."""
        head = np.arange(1.0, 2 * HEAD + 1)
        terms = head**order * self.densities(t, head)
        total = float(terms.sum() + gregory_weights() @ terms[-1 : -2 - GREGORY : -1])
        panel = 2
        while True:
            low = math.log(HEAD) + math.log(RATIO) * panel
            x, dx = panel_rule([low, low + math.log(RATIO)], order=40)
            n = np.exp(x)
            self.grow(float(HEAD * RATIO ** (panel + 1)))
            part = float(dx @ (n ** (order + 1) * self.densities(t, n)))
            total += part
            # Beyond 1/|lambda| the terms fall exponentially, doubling the exponent in two panels.
            tail = -n[-1] * self.chain.locate(t)[2]
            if part < 1e-17 * total and tail > 2 * (order + 1):
                return total
            if n[-1] > LARGEST:
                raise ConvergenceError(
                    f"the clusters at t = {t:g} are too large to be summed: more than {LARGEST:g}"
                )
            panel += 1
