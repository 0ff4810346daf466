"""Exact minimum of the first-order energy at a given chemical potential, by a minimum cut.

With x for up and w for down occupations the grand potential is
``sum_a (xi_a - mu)(x_a + w_a) + U sum_ac K_ac x_a w_c``: only opposite spins are coupled.
With ``z = 1 - w`` for repulsion and ``z = w`` for attraction every coupling becomes one of the form
``|U| K_ac x_a (1 - z_c)``, the price of an arc from x_a to z_c that a cut severs when x_a stands on the side
of the source and z_c on that of the sink.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from ortools.graph.python import max_flow

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, real_scalar
from .arguments import BoolArray
from .occupation_moves import IntArray, checked_interaction, checked_problem

_EPS = float(np.finfo(np.float64).eps)


@kernel
def _persistent(
    energies: FloatArray, overlaps: FloatArray, interaction: float, own: bool, low: float, high: float
) -> tuple[BoolArray, BoolArray, FloatArray, float]:
    """States that are certainly occupied, possibly occupied, field of the certain ones, its rounding error.

    Holds for every minimum at every chemical potential in [low, high].
    """
    n = energies.size
    certain = np.zeros(n, np.bool_)
    possible = np.ones(n, np.bool_)
    of_certain = np.zeros(n)
    of_possible = np.zeros(n)
    for a in range(n):
        for c in range(n):
            of_possible[c] += overlaps[a, c]
    if not own:
        for a in range(n):
            of_possible[a] -= overlaps[a, a]
    largest = 0.0
    scale = max(abs(low), abs(high))
    for a in range(n):
        largest = max(largest, of_possible[a])
        scale = max(scale, abs(energies[a]))
    # Forward error of a sum of n terms of one sign, formed by additions and subtractions in any order.
    margin = 4.0 * (n + 8) * 2.220446049250313e-16 * (scale + abs(interaction) * largest)
    changed = True
    while changed:
        changed = False
        for a in range(n):
            if certain[a] or not possible[a]:
                continue
            one = energies[a] + interaction * of_certain[a]
            two = energies[a] + interaction * of_possible[a]
            if max(one, two) - low < -margin:
                certain[a] = True
                changed = True
                for c in range(n):
                    if own or c != a:
                        of_certain[c] += overlaps[a, c]
            elif min(one, two) - high > margin:
                possible[a] = False
                changed = True
                for c in range(n):
                    if own or c != a:
                        of_possible[c] -= overlaps[a, c]
    for a in range(n):
        of_certain[a] = energies[a] + interaction * of_certain[a]
    return certain, possible, of_certain, margin


@dataclass(frozen=True)
class Window:
    """The states whose occupation is not decided between two chemical potentials.

    `field` is their energy with all certain states doubly occupied, `coupling` the interaction among them,
    `rounding` bounds the error of any field.
    """

    states: IntArray
    certain: BoolArray
    field: FloatArray
    coupling: FloatArray
    rounding: float


def undecided(
    energies: FloatArray, overlaps: FloatArray, interaction: float, low: float, high: float, own: bool = True
) -> Window:
    """Fix what can be fixed for all chemical potentials in [low, high]; `own` counts overlaps[a, a]."""
    certain, possible, field, margin = _persistent(energies, overlaps, interaction, own, low, high)
    states = np.flatnonzero(possible & ~certain)
    coupling = interaction * overlaps[np.ix_(states, states)]
    if not own:
        np.fill_diagonal(coupling, 0.0)
    return Window(states, certain, field[states], coupling, float(margin))


def bipartite_cut(
    cost: FloatArray, gain: FloatArray, coupling: FloatArray
) -> tuple[BoolArray, BoolArray, float]:
    """Minimum of ``cost @ x - gain @ z + x @ coupling @ (1 - z)`` over zeros and ones, coupling >= 0.

    Returns x and z, the minimum with the fewest ones, and a lower bound: capacities are rounded down to
    integers.
    """
    m, total_nodes = cost.size, cost.size + gain.size
    # A node on the side of the source is a one: arcs from the source are paid by zeros, arcs to the sink by
    # ones.
    out = np.concatenate([np.maximum(-cost, 0.0), np.maximum(gain, 0.0)])
    into = np.concatenate([np.maximum(cost, 0.0), np.maximum(-gain, 0.0)])
    constant = float(np.minimum(cost, 0.0).sum() - np.maximum(gain, 0.0).sum())
    total = min(float(out.sum()), float(into.sum()))
    if total == 0.0:
        # One of the two sides is free: everything on the other.
        ones = np.full(total_nodes, bool(into.sum() == 0.0))
        return ones[:m], ones[m:], constant
    # No cut is dearer than either side, so larger capacities act as infinite ones.
    limit = 2.0 * total
    scale = 2.0 ** min(np.floor(61.0 - np.log2(max(float(out.sum()), float(into.sum()), limit))), 1000.0)
    capacity = np.floor(np.minimum(coupling, limit) * scale)
    rows, columns = np.nonzero(capacity)
    flow = max_flow.SimpleMaxFlow()
    flow.add_arcs_with_capacity(rows, columns + m, capacity[rows, columns].astype(np.int64))
    for terminal, values in ((total_nodes, out), (total_nodes + 1, into)):
        whole = np.floor(values * scale)
        nodes = np.flatnonzero(whole)
        ends = np.full(nodes.size, terminal)
        heads = (ends, nodes) if terminal == total_nodes else (nodes, ends)
        flow.add_arcs_with_capacity(*heads, whole[nodes].astype(np.int64))
    status = flow.solve(total_nodes, total_nodes + 1)
    if status != flow.OPTIMAL:
        raise RuntimeError(f"the maximum flow over {total_nodes} nodes ended with status {status}")
    side = np.zeros(total_nodes + 2, dtype=np.bool_)
    side[flow.get_source_side_min_cut()] = True
    return side[:m], side[m:total_nodes], constant + flow.optimal_flow() / scale


def solve_window(window: Window, interaction: float, mu: float) -> tuple[BoolArray, BoolArray, float, float]:
    """Minimum inside a window at one chemical potential: up, down, grand potential, proven lower bound.

    Both energies count from the certain states alone, at this chemical potential.
    """
    m = window.states.size
    up = np.zeros(m, dtype=np.bool_)
    down = up.copy()
    if m == 0:
        return up, down, 0.0, 0.0
    sign = 1.0 if interaction >= 0.0 else -1.0
    strength = np.abs(window.coupling)
    certain, possible, field, _ = _persistent(window.field, strength, sign, True, mu, mu)
    free = np.flatnonzero(possible & ~certain)
    up[certain] = down[certain] = True
    if free.size:
        cost = field[free] - mu
        block = strength[np.ix_(free, free)]
        if sign > 0:
            x, z, least = bipartite_cut(cost, cost, block)
            up[free], down[free] = x, ~z
            least += float(cost.sum())
        else:
            x, z, least = bipartite_cut(cost - block.sum(axis=1), -cost, block)
            up[free], down[free] = x, z
    else:
        least = 0.0
    one, two = up.astype(np.float64), down.astype(np.float64)
    cost = window.field - mu
    value = float(cost @ (one + two) + one @ window.coupling @ two)
    fixed = certain.astype(np.float64)
    least += float(2.0 * cost @ fixed + fixed @ window.coupling @ fixed)
    size = 2.0 * np.abs(cost).sum() + strength.sum()
    return up, down, value, least - rounding_of_window(window, mu, float(size))


def rounding_of_window(window: Window, mu: float, size: float) -> float:
    """Bound of the rounding errors of an energy inside a window."""
    m = window.states.size
    return 4.0 * m * window.rounding + 8.0 * (m + 8) * _EPS * (size + m * abs(mu))


# ---------------------------------------------------------------- public


@dataclass(frozen=True, eq=False)
class GrandCanonicalMinimum:
    """Occupations that minimise the first-order energy minus mu times the particle number.

    Attributes
    ----------
    up, down : ndarray of bool, shape (n,)
        Occupied states of either spin; up is the majority.
    particles : int
        Number of particles.
    grand_potential : float
        Energy minus mu times the number of particles, in the unit of the energies.
    bound : float
        Proven: no occupations lie lower than `grand_potential` by more than this.
    undecided : int
        States that persistency left to the cut.
    """

    up: BoolArray
    down: BoolArray
    particles: int
    grand_potential: float
    bound: float
    undecided: int


def grand_canonical_minimum(
    energies: ArrayLike, overlaps: ArrayLike, interaction: float, chemical_potential: float
) -> GrandCanonicalMinimum:
    r"""Exact minimum of the first-order energy at a chemical potential.

    Parameters
    ----------
    energies : array_like, shape (n,)
        Energies of the eigenstates, in any unit (t), in any order.
    overlaps : array_like, shape (n, n)
        Overlaps U_aacc/U of the eigenstates: symmetric, not negative (:func:`hubbard_overlaps`).
    interaction : float
        On-site interaction U in the unit of the energies, of either sign.
    chemical_potential : float
        mu, in the unit of the energies.

    Returns
    -------
    GrandCanonicalMinimum
        Occupations of both spins with a proven bound, which is of the order of rounding errors.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    Persistency first: bounds on the occupations bound the energy of each state in the field of the others;
    what these decide for certain tightens the bounds, until nothing changes (of order n^2 in all).
    The states that remain go into a minimum cut with two nodes for each, solved in 64-bit integers.
    Capacities are rounded down, so that the flow bounds the true minimum from below; `bound` is the energy
    found less this flow, plus a forward bound of all rounding errors.
    Among several minima the one with the largest moment is returned for repulsion (all singly occupied
    states are parallel), the one with the fewest particles for attraction (all particles in pairs).

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (13).
    Kolmogorov and Zabih, IEEE Trans. PAMI 26, 147 (2004).
    Goldberg and Tarjan, J. ACM 35, 921 (1988).

    Examples
    --------
    One state is singly occupied where the energy of a particle is between -U_aaaa and zero, here (A9).

    >>> for mu in (-0.1, 0.1, 0.6):
    ...     found = grand_canonical_minimum([0.0], [[0.5]], 1.0, mu)
    ...     print(found.particles, round(found.grand_potential, 12))
    0 0.0
    1 -0.1
    2 -0.7
    """
    levels, matrix, _ = checked_problem(energies, overlaps)
    strength = checked_interaction(interaction)
    mu = real_scalar("chemical_potential", chemical_potential, low=-1e100, high=1e100)
    window = undecided(levels, matrix, strength, mu, mu)
    x, w, value, least = solve_window(window, strength, mu)
    up = window.certain.copy()
    down = window.certain.copy()
    up[window.states], down[window.states] = x, w
    if up.sum() < down.sum():
        up, down = down, up
    rows, columns = np.flatnonzero(up), np.flatnonzero(down)
    pairs = float(matrix[rows][:, columns].sum())
    total = float((levels[up] - mu).sum() + (levels[down] - mu).sum() + strength * pairs)
    return GrandCanonicalMinimum(
        up, down, int(up.sum() + down.sum()), total, float(max(value - least, 0.0)), window.states.size
    )
