"""The half-order derivative that closes the square-root flow, on panels in ln s, in linear time.

For a sequence of densities P_n put W(s) = sum n P_n (1 - exp(-s n)), the fraction of the mass in clusters
larger than about 1/s, and g(s) = sum sqrt(n) P_n (1 - exp(-s n)). Then g is linear in W::

    g(s) = pi^(-1/2) int_0^inf W(v) [(v - s)_+^(-1/2) - v^(-1/2)] dv .

W is kept at Chebyshev nodes of equal panels in ln s. The kernel is homogeneous, so that one set of small
blocks serves every panel; panels to the left act through one number, panels far to the right through a few
powers of s/v, and both are carried along by recursion. The cost of one product is linear in the nodes.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..numerics.jit import kernel
from ..numerics.quadrature import panel_rule
from ..numerics.validation import FloatArray

NODES = 16
WIDTH = 0.75
NEAR = 5
TERMS = 14
TOP = 50.0


@kernel
def half_derivative(
    mass: FloatArray,
    scales: FloatArray,
    near: FloatArray,
    left: FloatArray,
    right: FloatArray,
    powers: FloatArray,
    width: float,
    result: FloatArray,
) -> None:
    """Fill `result` with g at the nodes; all arrays are (panels, nodes) or the blocks of `FlowGrid`."""
    panels, nodes = mass.shape
    reach = near.shape[0]
    terms = right.shape[0]
    top = scales[-1] * math.exp(width)
    # Below the first node W is linear in s.
    first = mass[0, 0] / powers[1, 0]
    prefix = -2.0 / 3.0 * first
    moments = np.zeros(terms)
    for p in range(panels):
        for i in range(nodes):
            result[p, i] = prefix
        total = 0.0
        for j in range(nodes):
            total += left[j] * mass[p, j]
        prefix = math.exp(-width / 2) * (prefix - total)
    for p in range(panels - 1, -1, -1):
        far = p + reach
        for k in range(terms):
            moments[k] *= math.exp(width * (-0.5 - k))
            if far < panels:
                total = 0.0
                for j in range(nodes):
                    total += right[k, j] * mass[far, j]
                moments[k] += math.exp(reach * width * (-0.5 - k)) * total
        for i in range(nodes):
            value = 0.0
            for k in range(terms):
                value += powers[k + 1, i] * moments[k]
            for d in range(min(reach, panels - p)):
                for j in range(nodes):
                    value += near[d, i, j] * mass[p + d, j]
            sigma = powers[1, i]
            end = top / scales[p]
            value += 2 * sigma / (math.sqrt(end) + math.sqrt(end - sigma))
            result[p, i] = (result[p, i] + value) * math.sqrt(scales[p] / math.pi)


@dataclass(frozen=True)
class FlowGrid:
    """Panels in ln s with the blocks of the half-order derivative.

    Attributes
    ----------
    s : ndarray, shape (panels, nodes)
        Increasing nodes.
    scales : ndarray, shape (panels,)
        Left ends of the panels.
    weights : ndarray, shape (nodes,)
        Quadrature weights in ln s on one panel.
    derivative : ndarray, shape (nodes, nodes)
        Derivative with respect to ln s on one panel.
    """

    s: FloatArray
    scales: FloatArray
    weights: FloatArray
    derivative: FloatArray
    near: FloatArray
    left: FloatArray
    right: FloatArray
    powers: FloatArray
    width: float

    def apply(self, mass: FloatArray) -> FloatArray:
        """Return g at the nodes from W at the nodes, both of shape (panels, nodes)."""
        result = np.empty_like(mass)
        half_derivative(mass, self.scales, self.near, self.left, self.right, self.powers, self.width, result)
        return result


def chebyshev_nodes(count: int) -> FloatArray:
    """Return the `count` increasing Chebyshev nodes of the first kind in (-1, 1)."""
    return np.asarray(-np.cos(np.pi * (2 * np.arange(count) + 1) / (2 * count)))


def lagrange(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """Return the Lagrange polynomials of `nodes` at `points`, shape points.shape + nodes.shape."""
    spread = 2 * (nodes[:, None] - nodes) / (nodes.max() - nodes.min())
    np.fill_diagonal(spread, 1.0)
    weights = 1 / spread.prod(axis=1)
    distance = np.asarray(points)[..., None] - nodes
    hit = distance == 0
    quotient = weights / np.where(hit, 1.0, distance)
    row = quotient / quotient.sum(axis=-1, keepdims=True)
    struck = hit.any(axis=-1)
    row[struck] = hit[struck]
    return np.asarray(row)


def derivative_matrix(nodes: FloatArray) -> FloatArray:
    """Return the differentiation matrix of polynomials through `nodes`."""
    spread = nodes[:, None] - nodes
    np.fill_diagonal(spread, 1.0)
    weights = 1 / spread.prod(axis=1)
    matrix = weights / weights[:, None] / spread
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return np.asarray(matrix)


def flow_grid(smallest: float) -> FlowGrid:
    """Return the grid from below `smallest` to above the largest s that matters (exp(-s) negligible)."""
    width = WIDTH
    panels = math.ceil(math.log(TOP / smallest) / width)
    scales = TOP * np.exp(-width * np.arange(panels, 0, -1))
    reference = chebyshev_nodes(NODES)
    local = (reference + 1) * width / 2
    sigma = np.exp(local)

    def basis(values: FloatArray) -> FloatArray:
        return lagrange(reference, 2 * np.log(values) / width - 1)

    y, dy = panel_rule([0.0, width], order=40)
    values = np.exp(y)
    polynomials = basis(values)
    left = (dy * np.sqrt(values)) @ polynomials
    right = np.stack([(dy * values ** (-0.5 - k)) @ polynomials for k in range(TERMS)])
    coefficient = 1.0
    powers = [np.ones(NODES)]
    scaled = []
    for k in range(1, TERMS + 1):
        coefficient *= (2 * k - 1) / (2 * k)
        scaled.append(coefficient)
        powers.append(sigma**k)
    right = right * np.array(scaled)[:, None]
    near = np.zeros((NEAR, NODES, NODES))
    for i, point in enumerate(sigma):
        for d in range(NEAR):
            low, high = math.exp(d * width), math.exp((d + 1) * width)
            # v = s + y^2 takes the inverse square root away.
            start = math.sqrt(low - point) if d else 0.0
            root, step = panel_rule([start, math.sqrt(high - point)], order=48)
            rows = basis((point + root**2) / low)
            near[d, i] = 2 * step @ rows
            near[d, i] -= math.sqrt(low) * left
    weights = (dy @ polynomials).astype(np.float64)
    return FlowGrid(
        s=scales[:, None] * sigma,
        scales=scales,
        weights=weights,
        derivative=derivative_matrix(reference) * 2 / width,
        near=near,
        left=left,
        right=right,
        powers=np.stack(powers),
        width=width,
    )
