r"""Functions of a Laplace variable on a logarithmic grid, and the half integral that acts on them.

For f(s) = sum_n f_n exp(-s n) the half integral of Weyl,

    (W f)(s) = pi^(-1/2) int_s^oo f(u) (u - s)^(-1/2) du = sum_n n^(-1/2) f_n exp(-s n),

divides every coefficient by sqrt(n). It turns the square-root kernel into ordinary equations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from ..numerics.collocation import chebyshev_nodes, lagrange
from ..numerics.quadrature import panel_rule
from ..numerics.validation import FloatArray

IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class LaplaceGrid:
    """Chebyshev nodes on panels of ln s, with the matrices of two linear maps.

    Attributes
    ----------
    edges : ndarray, shape (panels + 1,)
        Panel ends in ln s.
    order : int
        Nodes per panel.
    damping : float
        Values v at the nodes stand for the function v(s) exp(-damping s).
    s : ndarray, shape (panels * order,)
        The nodes, increasing.
    half_integral : ndarray
        v to W f, up to the last edge for `damping` zero and to infinity otherwise; the result carries the
        same factor exp(-damping s).
    integral : ndarray
        v to the integral of f from the first edge to each node.
    total : ndarray
        v to the integral of f over all panels.
    """

    edges: FloatArray
    order: int
    damping: float
    s: FloatArray
    half_integral: FloatArray
    integral: FloatArray
    total: FloatArray

    def row(self, log_s: FloatArray) -> FloatArray:
        """Rows that interpolate values at the nodes to the points `log_s`."""
        return _rows(log_s, self.edges, self.order)


def _local_rows(log_s: FloatArray, edges: FloatArray, order: int) -> tuple[IntArray, FloatArray]:
    """Panel of each point, and the weights of that panel's nodes."""
    panel = np.clip(np.searchsorted(edges, log_s, side="right") - 1, 0, edges.size - 2)
    half = (edges[panel + 1] - edges[panel]) / 2
    return panel, lagrange(chebyshev_nodes(order), (log_s - edges[panel]) / half - 1)


def _rows(log_s: FloatArray, edges: FloatArray, order: int) -> FloatArray:
    panel, local = _local_rows(log_s, edges, order)
    rows = np.zeros((log_s.size, (edges.size - 1) * order))
    np.put_along_axis(rows, panel[:, None] * order + np.arange(order), local, axis=1)
    return rows


def laplace_grid(edges: FloatArray, order: int, damping: float) -> LaplaceGrid:
    """Build the nodes and matrices on panels of ln s with the given `edges`.

    Parameters
    ----------
    edges : ndarray, shape (panels + 1,)
        Increasing panel ends in ln s.
    order : int
        Chebyshev nodes per panel.
    damping : float
        Zero or positive; see :class:`LaplaceGrid`.

    Returns
    -------
    LaplaceGrid

    Notes
    -----
    The square-root singularity of the half integral at u = s is removed by ln(u/s) = y^2, so that Gauss rules
    between the images of the panel ends are exact to round-off. Cost: 24 nodes^2 operations, once.

    Examples
    --------
    >>> grid = laplace_grid(np.arange(-4.0, 4.5), 14, 1.0)
    >>> values = grid.half_integral @ np.exp(-grid.s)  # of exp(-2 s)
    >>> bool(abs(values * np.exp(grid.s) * np.sqrt(2) - 1)[:60].max() < 1e-9)
    True
    """
    cosines = chebyshev_nodes(order)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    log_s = (middle[:, None] + half[:, None] * cosines).ravel()
    s = np.exp(log_s)
    matrix = np.empty((s.size, s.size))
    for i in range(s.size):
        above = edges[edges > log_s[i]] - log_s[i]
        y, weight = panel_rule(np.concatenate(([0.0], np.sqrt(above))), 24)
        growth = np.expm1(y * y)
        factor = 2 * y * weight * (1 + growth) / np.sqrt(growth) * np.sqrt(s[i] / np.pi)
        factor *= np.exp(-damping * s[i] * growth)
        # Each of the intervals, of 24 points, lies in one panel.
        owner, local = _local_rows(log_s[i] + y * y, edges, order)
        blocks = np.einsum("pq,pqj->pj", factor.reshape(-1, 24), local.reshape(-1, 24, order))
        matrix[i] = 0.0
        matrix[i, owner[0] * order :] = blocks.ravel()
    if damping:
        # Beyond the last edge the values are constant: the slowest exponential is all that is left.
        matrix[:, -1] += erfc(np.sqrt(damping * (np.exp(edges[-1]) - s))) / np.sqrt(damping)
    integral = np.empty_like(matrix)
    total = np.zeros(s.size)
    for panel in range(edges.size - 1):
        for i in range(panel * order, (panel + 1) * order):
            integral[i] = total + _integral_row(float(edges[panel]), float(log_s[i]), edges, order, damping)
        low, high = float(edges[panel]), float(edges[panel + 1])
        total = total + _integral_row(low, high, edges, order, damping)
    return LaplaceGrid(edges, order, damping, s, matrix, integral, total)


def _integral_row(low: float, high: float, edges: FloatArray, order: int, damping: float) -> FloatArray:
    v, weight = panel_rule([low, high], 24)
    row: FloatArray = (weight * np.exp(v - damping * np.exp(v))) @ _rows(v, edges, order)
    return row
