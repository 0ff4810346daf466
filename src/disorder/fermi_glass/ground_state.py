"""Occupations of least first-order energy at a given number of particles, each with a proven bound."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.seeds import seed_sequence
from ..numerics.validation import FloatArray, integer
from .arguments import BoolArray
from .minimum_cut import Window, rounding_of_window, solve_window, undecided
from .occupation_branching import Branching, Candidate
from .occupation_moves import (
    checked_interaction,
    checked_problem,
    descend,
    excess_energy,
    fermi_sea,
    random_moves,
)

# Branch and bound: states, and arcs of all cuts, beyond which the gap to the dual bound is left open.
_MOST_BRANCHED = 300
_MOST_ARCS = 5_000_000

Method = Literal["exact", "greedy", "monte_carlo", "paramagnetic"]


@dataclass(frozen=True, eq=False)
class GroundState:
    """Occupations of the eigenstates, their energy and what is proven about it.

    Attributes
    ----------
    up, down : ndarray of bool, shape (n,)
        Occupied states of either spin; up is the majority.
    energy : float
        First-order energy above that of the doubly occupied Fermi sea, in the unit of the energies.
    singly_occupied : int
        Number of states with exactly one particle.
    bound : float
        Proven: no occupations with as many particles lie lower by more than this; infinite if nothing is
        proven.
    chemical_potential : float or None
        Where the bound was found.
    undecided : int or None
        States that persistency left to the minimum cuts.
    """

    up: BoolArray
    down: BoolArray
    energy: float
    singly_occupied: int
    bound: float
    chemical_potential: float | None
    undecided: int | None


@dataclass(frozen=True, eq=False)
class _Point:
    """A grand-canonical minimum inside a window."""

    mu: float
    up: BoolArray
    down: BoolArray
    particles: int
    energy: float
    dual: float


class _Search:
    """Chemical potentials around the one with N particles."""

    def __init__(
        self, energies: FloatArray, overlaps: FloatArray, interaction: float, particles: int, own: bool
    ) -> None:
        self.problem = (energies, overlaps, interaction)
        self.particles = particles
        self.own = own
        self.window: Window
        self.base = 0

    def point(self, mu: float) -> _Point:
        up, down, value, least = solve_window(self.window, self.problem[2], mu)
        count = int(up.sum() + down.sum())
        return _Point(
            mu,
            up,
            down,
            self.base + count,
            value + mu * count,
            least + mu * (self.particles - self.base),
        )

    def open(self, low: float, high: float) -> tuple[_Point, _Point]:
        self.window = undecided(*self.problem, low, high, self.own)
        self.base = 2 * int(self.window.certain.sum())
        return self.point(low), self.point(high)

    def bracket(self, mu: float, width: float) -> tuple[_Point, _Point]:
        """A window with too few particles at its lower end and too many at its upper, or one that hits."""
        low, high = mu - width, mu + width
        while True:
            left, right = self.open(low, high)
            if left.particles <= self.particles <= right.particles:
                return left, right
            width *= 2.0
            if left.particles > self.particles:
                low, high = low - width, low
            else:
                low, high = high, high + width

    def run(self, mu: float, width: float) -> tuple[list[_Point], _Point]:
        """The vertices of the convex hull of E(N) next to N, and the point with the greatest dual bound."""
        left, right = self.bracket(mu, width)
        top = max(left, right, key=lambda point: point.dual)
        chord = False
        while True:
            for point in (left, right):
                if point.particles == self.particles:
                    return [point], top
            if chord:
                mu = (right.energy - left.energy) / (right.particles - left.particles)
                mu = min(max(mu, left.mu), right.mu)
            else:
                # N(mu) is nearly a straight line: the guess often hits at once, but proves nothing if it
                # fails.
                share = (self.particles - left.particles) / (right.particles - left.particles)
                mu = left.mu + share * (right.mu - left.mu)
            middle = self.point(mu)
            top = max(top, middle, key=lambda point: point.dual)
            if left.particles < middle.particles < right.particles:
                if middle.particles <= self.particles:
                    left = middle
                else:
                    right = middle
            elif chord:
                # Nothing lies below the line through both: an edge of the hull.
                return [left, right], top
            chord = not chord

    def repaired(self, vertices: list[_Point]) -> tuple[BoolArray, BoolArray, float]:
        """Occupations of the window with N particles, from a vertex by single particles, and their energy."""
        strength = np.abs(self.window.coupling)
        sign = 1.0 if self.problem[2] >= 0.0 else -1.0
        largest = float(strength.max(initial=0.0))
        best: tuple[BoolArray, BoolArray, float] | None = None
        for vertex in vertices:
            up, down = vertex.up.copy(), vertex.down.copy()
            if vertex.particles != self.particles:
                self._fill(up, down, self.particles - vertex.particles)
                up, down, _ = descend(self.window.field, strength, largest, sign, up, down)
            one, two = up.astype(np.float64), down.astype(np.float64)
            energy = float(self.window.field @ (one + two) + one @ self.window.coupling @ two)
            if best is None or energy < best[2]:
                best = up, down, energy
        assert best is not None
        return best

    def paired(self, vertices: list[_Point]) -> tuple[BoolArray, BoolArray, float]:
        """The same with every state empty or doubly occupied: pairs are filled in and moved one by one."""
        field, coupling = self.window.field, self.window.coupling
        best: tuple[BoolArray, float] | None = None
        for vertex in vertices:
            pairs = vertex.up & vertex.down
            missing = (self.particles - self.base) // 2 - int(pairs.sum())
            level = field + coupling @ pairs
            for _ in range(abs(missing)):
                places = np.flatnonzero(pairs != (missing > 0))
                place = places[level[places].argmin() if missing > 0 else level[places].argmax()]
                pairs[place] = missing > 0
                level += np.sign(missing) * coupling[place]
            while pairs.any() and not pairs.all():
                filled, empty = np.flatnonzero(pairs), np.flatnonzero(~pairs)
                change = level[empty] - level[filled][:, None] - coupling[np.ix_(filled, empty)]
                source, target = np.unravel_index(change.argmin(), change.shape)
                if change[source, target] >= -1e-13 * np.abs(level).max():
                    break
                pairs[filled[source]], pairs[empty[target]] = False, True
                level += coupling[empty[target]] - coupling[filled[source]]
            one = pairs.astype(np.float64)
            energy = float(2.0 * field @ one + one @ coupling @ one)
            if best is None or energy < best[1]:
                best = pairs, energy
        assert best is not None
        return best[0], best[0].copy(), best[1]

    def branched(
        self, up: BoolArray, down: BoolArray, energy: float, top: _Point, paired: bool
    ) -> tuple[BoolArray, BoolArray, float, float]:
        """Close the gap between the occupations found and the dual bound, if few states are concerned."""
        field, coupling = self.window.field, self.window.coupling
        sign = 1.0 if self.problem[2] >= 0.0 else -1.0
        slack = energy - top.dual
        # A state that is decided by more than the slack is so in all occupations that could be better.
        inner = undecided(field, np.abs(coupling), sign, top.mu - slack, top.mu + slack)
        rows, certain = inner.states, inner.certain
        size = float(2.0 * np.abs(field).sum() + np.abs(coupling).sum())
        rounding = rounding_of_window(self.window, top.mu, size)
        if slack <= 2.0 * rounding or not 0 < rows.size <= _MOST_BRANCHED:
            return up, down, energy, top.dual
        fixed = certain.astype(np.float64)
        base = float(2.0 * field @ fixed + fixed @ coupling @ fixed)
        particles = self.particles - self.base - 2 * int(certain.sum())
        first, second = (up[rows], down[rows]) if up.sum() >= down.sum() else (down[rows], up[rows])
        search = Branching(
            levels=inner.field,
            coupling=inner.coupling,
            particles=particles,
            paired=paired,
            rounding=rounding,
            best=Candidate(first, second, energy - base, particles),
            budget=_MOST_ARCS,
        )
        found, least = search.run(top.mu, slack)
        up, down = certain.copy(), certain.copy()
        up[rows], down[rows] = found.up, found.down
        return up, down, base + found.energy, max(base + least - rounding, top.dual)

    def _fill(self, up: BoolArray, down: BoolArray, count: int) -> None:
        """Add (or, if negative, remove) particles one by one, each where it costs least (gains most)."""
        m = up.size
        coupling = self.window.coupling
        occupied = np.concatenate([up, down])
        field = np.concatenate([self.window.field + coupling @ down, self.window.field + coupling @ up])
        add = count > 0
        for _ in range(abs(count)):
            open_ones = np.flatnonzero(occupied != add)
            best = open_ones[field[open_ones].argmin() if add else field[open_ones].argmax()]
            occupied[best] = add
            other = slice(m, None) if best < m else slice(0, m)
            field[other] += (1.0 if add else -1.0) * coupling[best % m]
        up[:], down[:] = occupied[:m], occupied[m:]


def _start(
    energies: FloatArray, overlaps: FloatArray, interaction: float, particles: int
) -> tuple[float, float]:
    """A chemical potential from the levels in the mean field of the Fermi sea, and a width around it."""
    sea, _ = fermi_sea(energies, particles)
    field = np.sort(energies + interaction * overlaps[sea].sum(axis=0))
    level = int(sea.sum())
    near = field[max(level - 8, 0) : level + 8]
    own = float(np.diagonal(overlaps).mean())
    scale = max(float(np.abs(field).max()), abs(interaction) * own)
    return float(near.mean()), float(np.ptp(near)) + 0.5 * abs(interaction) * own + 1e-9 * scale + 1e-300


def _cut(
    energies: FloatArray, overlaps: FloatArray, interaction: float, particles: int, paired: bool
) -> tuple[BoolArray, BoolArray, float, float, int]:
    """Occupations, bound, chemical potential and undecided states from the hull of E(N)."""
    # In a pair the own repulsion is one more energy of the level, which gives the sharper bound.
    levels = energies + 0.5 * interaction * np.diagonal(overlaps) if paired else energies
    search = _Search(levels, overlaps, interaction, particles, own=not paired)
    vertices, top = search.run(*_start(energies, overlaps, interaction, particles))
    first, second, energy = search.paired(vertices) if paired else search.repaired(vertices)
    first, second, energy, dual = search.branched(first, second, energy, top, paired)
    window = search.window
    up, down = window.certain.copy(), window.certain.copy()
    up[window.states], down[window.states] = first, second
    size = float(2.0 * np.abs(window.field).sum() + np.abs(window.coupling).sum())
    bound = max(energy - dual, 0.0) + rounding_of_window(window, top.mu, size)
    return up, down, float(bound), top.mu, window.states.size


def ground_state(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    particles: int,
    method: Method = "exact",
    *,
    seed: int | np.random.SeedSequence | None = None,
    steps: int | None = None,
) -> GroundState:
    r"""Occupations of least first-order energy with a given number of particles.

    Parameters
    ----------
    energies : array_like, shape (n,)
        Energies of the eigenstates, in any unit (t), in any order.
    overlaps : array_like, shape (n, n)
        Overlaps U_aacc/U of the eigenstates: symmetric, not negative (:func:`hubbard_overlaps`).
        Taken as they are if they are a contiguous array of float64, copied otherwise.
    interaction : float
        On-site interaction U in the unit of the energies, of either sign.
    particles : int
        Number of particles of both spins, from 0 to 2n.
    method : {"exact", "greedy", "monte_carlo", "paramagnetic"}
        Minimum cut with a proven bound; steepest descent from the doubly occupied Fermi sea; random moves
        from it at zero temperature; every state empty or doubly occupied (an even number of particles), as a
        control.
    seed : int or numpy.random.SeedSequence, optional
        Of the Monte Carlo, which needs it.
    steps : int, optional
        Proposals of the Monte Carlo, 100 000 by default; see :func:`occupation_monte_carlo`.

    Returns
    -------
    GroundState
        Occupations, energy, and `bound`: "exact" is within `bound` of the least energy of all occupations
        with as many particles, "paramagnetic" of the least without moments; the searches prove nothing.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or range: in particular if overlaps are negative or not
        symmetric, which a cut cannot represent.

    Notes
    -----
    The cut gives the exact minimum at any chemical potential (:func:`grand_canonical_minimum`), that is a
    vertex of the convex hull of E(N).
    The chemical potential is changed until the vertex has N particles or N is proven to lie under an edge.
    Then the two ends of the edge are completed to N particles and descended from.
    What could still be better differs from the edge by less than the distance to it; the few states that this
    leaves open are searched by branch and bound, with a minimum cut for each node.
    If their number is too large, the gap stays open, and `bound` is its size.
    In either case `bound` covers the rounding of capacities and energies, about 1e-8 t for 3600 states.
    For the control the own repulsion joins the energy of the level, and the same cut, in which up and down
    may still differ, is a relaxation of it (roof duality); the gap is closed by branching, too.
    With 60 x 60 states the exact minimum takes some ten milliseconds for U up to 2t, about a second for 4t;
    where N is missed, up to some seconds.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (13) and Sec. IV.

    Examples
    --------
    >>> from disorder.fermi_glass import eigenstates, hubbard_overlaps
    >>> energies, states = eigenstates(8, 9.0, seed=1)
    >>> found = ground_state(energies, hubbard_overlaps(states), 2.0, 52)
    >>> int(found.up.sum() + found.down.sum()), found.bound < 1e-9
    (52, True)
    >>> found.singly_occupied, int(found.up.sum() - found.down.sum())
    (2, 2)
    """
    levels, matrix, largest = checked_problem(energies, overlaps)
    strength = checked_interaction(interaction)
    particles = integer("particles", particles, low=0, high=2 * levels.size)
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, got {method!r}")
    if steps is not None and method != "monte_carlo":
        raise ValueError(f"steps is for method 'monte_carlo' alone, got {steps!r} with {method!r}")
    if method == "paramagnetic" and particles % 2:
        raise ValueError(f"particles must be even for method 'paramagnetic', got {particles}")
    steps = integer("steps", 100_000 if steps is None else steps, low=0)
    if seed is not None or method == "monte_carlo":
        seed = seed_sequence(seed)
    up, down = fermi_sea(levels, particles)
    bound, mu, left = math.inf, None, None
    if method == "greedy":
        up, down, _ = descend(levels, matrix, largest, strength, up, down)
    elif method == "monte_carlo":
        assert seed is not None
        found = random_moves(levels, matrix, strength, up, down, steps, seed, 0.0)
        up, down = found.up, found.down
    elif particles in (0, 2 * levels.size):
        bound, left = 0.0, 0
    else:
        up, down, bound, mu, left = _cut(levels, matrix, strength, particles, method == "paramagnetic")
    if up.sum() < down.sum():
        up, down = down, up
    energy = excess_energy(levels, matrix, strength, up, down)
    return GroundState(up, down, energy, int((up != down).sum()), bound, mu, left)
