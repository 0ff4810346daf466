"""Occupations of least first-order energy at a given number of particles, each with a proven bound."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.validation import FloatArray, integer
from .minimum_cut import Window, rounding_of_window, solve_window, undecided
from .occupation_moves import (
    BoolArray,
    checked_interaction,
    checked_problem,
    descend,
    excess_energy,
    fermi_sea,
    random_moves,
)

Method = Literal["exact", "greedy", "monte_carlo"]


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
        Proven: no occupations with as many particles lie lower by more than this; infinite if nothing is proven.
    chemical_potential : float or None
        Where the exact method found its bound.
    undecided : int
        States that persistency left to the minimum cut; all of them for the other methods.
    """

    up: BoolArray
    down: BoolArray
    energy: float
    singly_occupied: int
    bound: float
    chemical_potential: float | None
    undecided: int


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

    def run(self, mu: float, width: float) -> tuple[list[_Point], float]:
        """The vertices of the convex hull of E(N) next to N, and the greatest dual bound."""
        left, right = self.bracket(mu, width)
        dual = max(left.dual, right.dual)
        chord = False
        while True:
            for point in (left, right):
                if point.particles == self.particles:
                    return [point], max(dual, point.dual)
            if chord:
                mu = (right.energy - left.energy) / (right.particles - left.particles)
                mu = min(max(mu, left.mu), right.mu)
            else:
                # N(mu) is nearly a straight line: the guess often hits at once, but proves nothing if it fails.
                share = (self.particles - left.particles) / (right.particles - left.particles)
                mu = left.mu + share * (right.mu - left.mu)
            middle = self.point(mu)
            dual = max(dual, middle.dual)
            if left.particles < middle.particles < right.particles:
                if middle.particles <= self.particles:
                    left = middle
                else:
                    right = middle
            elif chord:
                # Nothing lies below the line through both: an edge of the hull.
                return [left, right], dual
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


def _exact(energies: FloatArray, overlaps: FloatArray, interaction: float, particles: int) -> GroundState:
    n = energies.size
    if particles in (0, 2 * n):
        full = np.full(n, particles > 0)
        return GroundState(full, full.copy(), 0.0, 0, 0.0, None, 0)
    search = _Search(energies, overlaps, interaction, particles, own=True)
    vertices, dual = search.run(*_start(energies, overlaps, interaction, particles))
    window_up, window_down, energy = search.repaired(vertices)
    window = search.window
    up, down = window.certain.copy(), window.certain.copy()
    up[window.states], down[window.states] = window_up, window_down
    if up.sum() < down.sum():
        up, down = down, up
    size = 2.0 * np.abs(window.field).sum() + np.abs(window.coupling).sum()
    bound = max(energy - dual, 0.0) + rounding_of_window(window, vertices[0].mu, float(size))
    excess = excess_energy(energies, overlaps, interaction, up, down)
    return GroundState(
        up, down, excess, int((up != down).sum()), bound, vertices[0].mu, int(window.states.size)
    )


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
    """Occupations of least first-order energy E1 with a given number of particles.

    Examples
    --------
    >>> from disorder.fermi_glass import eigenstates, hubbard_overlaps
    >>> energies, states = eigenstates(8, 9.0, seed=1)
    >>> found = ground_state(energies, hubbard_overlaps(states), 2.0, 52)
    >>> int(found.up.sum() + found.down.sum())
    52
    """
    levels, matrix, largest = checked_problem(energies, overlaps)
    strength = checked_interaction(interaction)
    particles = integer("particles", particles, low=0, high=2 * levels.size)
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, got {method!r}")
    if method == "monte_carlo":
        steps = integer("steps", 100_000 if steps is None else steps, low=0)
        if not isinstance(seed, np.random.SeedSequence):
            seed = integer("seed", seed, low=0)
    elif steps is not None:
        raise ValueError(f"steps is for method 'monte_carlo' alone, got {steps!r} with {method!r}")
    if method == "exact":
        return _exact(levels, matrix, strength, particles)
    up, down = fermi_sea(levels, particles)
    if method == "greedy":
        up, down, _ = descend(levels, matrix, largest, strength, up, down)
    else:
        assert steps is not None
        assert seed is not None
        found = random_moves(levels, matrix, strength, up, down, steps, seed, 0.0)
        up, down = found.up, found.down
    if up.sum() < down.sum():
        up, down = down, up
    energy = excess_energy(levels, matrix, strength, up, down)
    return GroundState(up, down, energy, int((up != down).sum()), math.inf, None, levels.size)
