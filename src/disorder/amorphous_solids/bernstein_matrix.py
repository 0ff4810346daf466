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
from functools import cache

import numpy as np

from ..numerics.collocation import chebyshev_nodes, derivative_matrix, lagrange
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
    terms = right.shape[1]
    shrink = np.empty((2, terms))
    for k in range(terms):
        shrink[0, k] = math.exp(width * (-0.5 - k))
        shrink[1, k] = math.exp(reach * width * (-0.5 - k))
    top = scales[-1] * math.exp(width)
    # Below the first node W is linear in s.
    first = mass[0, 0] / powers[1, 0]
    prefix = -2.0 / 3.0 * first
    moments = np.zeros(terms)
    fresh = np.empty(terms)
    value = np.empty(nodes)
    for p in range(panels):
        result[p, :] = prefix
        total = 0.0
        for j in range(nodes):
            total += left[j] * mass[p, j]
        prefix = math.exp(-width / 2) * (prefix - total)
    for p in range(panels - 1, -1, -1):
        # The innermost loops run over the last axis and add to arrays, so that they compile to vector code.
        far = p + reach
        fresh[:] = 0.0
        if far < panels:
            for j in range(nodes):
                weight = mass[far, j]
                for k in range(terms):
                    fresh[k] += right[j, k] * weight
        for k in range(terms):
            moments[k] = shrink[0, k] * moments[k] + shrink[1, k] * fresh[k]
        value[:] = 0.0
        for k in range(terms):
            weight = moments[k]
            for i in range(nodes):
                value[i] += powers[k + 1, i] * weight
        for d in range(min(reach, panels - p)):
            for j in range(nodes):
                weight = mass[p + d, j]
                for i in range(nodes):
                    value[i] += near[d, j, i] * weight
        end = top / scales[p]
        factor = math.sqrt(scales[p] / math.pi)
        for i in range(nodes):
            sigma = powers[1, i]
            value[i] += 2 * sigma / (math.sqrt(end) + math.sqrt(end - sigma))
            result[p, i] = (result[p, i] + value[i]) * factor


@kernel
def flow_rate(
    logs: FloatArray,
    factor: float,
    s: FloatArray,
    derivative: FloatArray,
    scales: FloatArray,
    near: FloatArray,
    left: FloatArray,
    right: FloatArray,
    powers: FloatArray,
    width: float,
    result: FloatArray,
) -> float:
    """Fill `result` with factor * d ln W/dt, where dW/dt = 2 g dg/ds, and return g at the largest s.

    `derivative` is the transpose of that of `FlowGrid`.
    """
    mass = np.exp(logs)
    g = np.empty_like(mass)
    half_derivative(mass, scales, near, left, right, powers, width, g)
    panels, nodes = mass.shape
    slope = np.empty(nodes)
    for p in range(panels):
        slope[:] = 0.0
        for j in range(nodes):
            for i in range(nodes):
                slope[i] += derivative[j, i] * g[p, j]
        for i in range(nodes):
            result[p, i] = 2 * factor * g[p, i] * slope[i] / (s[p, i] * mass[p, i])
    return float(g[panels - 1, nodes - 1])


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

    def rate(self, logs: FloatArray, factor: float) -> tuple[FloatArray, float]:
        """Return factor * d ln W/dt at the nodes from ln W, and I_1/2."""
        result = np.empty_like(self.s)
        half = flow_rate(
            logs,
            factor,
            self.s,
            self.derivative.T.copy(),
            self.scales,
            self.near,
            self.left,
            self.right,
            self.powers,
            self.width,
            result,
        )
        return result, half


@cache
def _blocks() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return weights, derivative, near, left, right and powers on a panel [1, exp(WIDTH)]."""
    reference = chebyshev_nodes(NODES)
    sigma = np.exp((reference + 1) * WIDTH / 2)

    def basis(values: FloatArray) -> FloatArray:
        return lagrange(reference, 2 * np.log(values) / WIDTH - 1)

    y, dy = panel_rule([0.0, WIDTH], order=40)
    values = np.exp(y)
    polynomials = basis(values)
    left = (dy * np.sqrt(values)) @ polynomials
    # (1 - s/v)^(-1/2) = 1 + sum of c_k (s/v)^k
    orders = np.arange(1, TERMS + 1)
    coefficients = np.cumprod((2 * orders - 1) / (2 * orders))
    right = polynomials.T @ (dy[:, None] * values[:, None] ** (0.5 - orders)) * coefficients
    near: FloatArray = np.zeros((NEAR, NODES, NODES))
    for i, point in enumerate(sigma):
        for d in range(NEAR):
            low, high = math.exp(d * WIDTH), math.exp((d + 1) * WIDTH)
            # v = s + y^2 takes the inverse square root away.
            start = math.sqrt(low - point) if d else 0.0
            root, step = panel_rule([start, math.sqrt(high - point)], order=48)
            near[d, :, i] = 2 * step @ basis((point + root**2) / low) - math.sqrt(low) * left
    powers = np.asarray(sigma ** np.arange(TERMS + 1.0)[:, None])
    weights = np.asarray(dy @ polynomials)
    return weights, derivative_matrix(reference) * 2 / WIDTH, near, np.asarray(left), right, powers


def flow_grid(smallest: float) -> FlowGrid:
    """Return the grid from below `smallest` to above the largest s that matters (exp(-s) negligible)."""
    panels = math.ceil(math.log(TOP / smallest) / WIDTH)
    scales = TOP * np.exp(-WIDTH * np.arange(panels, 0, -1))
    weights, derivative, near, left, right, powers = _blocks()
    return FlowGrid(
        s=scales[:, None] * powers[1],
        scales=scales,
        weights=weights,
        derivative=derivative,
        near=near,
        left=left,
        right=right,
        powers=powers,
        width=WIDTH,
    )
