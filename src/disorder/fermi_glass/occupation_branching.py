"""Fixed particle number where no chemical potential selects it: branch and bound over few states."""

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..numerics.validation import FloatArray
from .arguments import BoolArray
from .minimum_cut import bipartite_cut

Status = NDArray[np.int8]
FREE = -1


@dataclass(frozen=True, eq=False)
class Candidate:
    """Occupations of the states of a problem, their energy and particle number."""

    up: BoolArray
    down: BoolArray
    energy: float
    particles: int


@dataclass
class Branching:
    """Search for the least energy with a given number of particles among m states.

    A node fixes some spin-orbitals; its bound is the best one, over the chemical potential, of the minimum
    cut of the others. `paired` asks for states that are empty or doubly occupied.
    """

    levels: FloatArray
    coupling: FloatArray
    particles: int
    paired: bool
    rounding: float
    best: Candidate
    budget: int
    strength: FloatArray = field(init=False)
    attractive: bool = field(init=False)
    work: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.strength = np.abs(self.coupling)
        self.attractive = bool((self.coupling < 0.0).any())

    def relax(self, status: Status, mu: float) -> tuple[Candidate, float]:
        """Minimum at one chemical potential with some spin-orbitals fixed, and the dual bound at N."""
        m = self.levels.size
        one = (status == 1).astype(np.float64)
        rows, columns = np.flatnonzero(status[:m] == FREE), np.flatnonzero(status[m:] == FREE)
        # In arcs, and what a small network costs anyway.
        self.work += rows.size * columns.size + 2000
        cost = self.levels - mu
        above = (cost + self.coupling @ one[m:])[rows]
        below = (cost + self.coupling @ one[:m])[columns]
        block = self.strength[np.ix_(rows, columns)]
        up, down = status[:m] == 1, status[m:] == 1
        least = float(cost @ (one[:m] + one[m:]) + one[:m] @ self.coupling @ one[m:])
        if self.attractive:
            up[rows], down[columns], value = bipartite_cut(above - block.sum(axis=1), -below, block)
            least += value
        else:
            up[rows], holes, value = bipartite_cut(above, below, block)
            down[columns] = ~holes
            least += value + float(below.sum())
        x, w = up.astype(np.float64), down.astype(np.float64)
        energy = float(self.levels @ (x + w) + x @ self.coupling @ w)
        return Candidate(up, down, energy, int(x.sum() + w.sum())), least + mu * self.particles

    def offer(self, found: Candidate) -> None:
        """Keep occupations that are allowed and better."""
        allowed = found.particles == self.particles and (
            not self.paired or bool((found.up == found.down).all())
        )
        if allowed and found.energy < self.best.energy:
            self.best = found

    def bound(self, status: Status, mu: float, step: float) -> tuple[float, float, int]:
        """Greatest dual bound found for a node, its chemical potential, and the spin-orbital to branch on."""
        fixed = int((status == 1).sum())
        if not fixed <= self.particles <= fixed + int((status == FREE).sum()):
            return np.inf, mu, -1
        dual, place = -np.inf, mu
        few: Candidate | None = None
        many: Candidate | None = None
        for _ in range(80):
            found, value = self.relax(status, mu)
            self.offer(found)
            if value > dual:
                dual, place = value, mu
            if dual >= self.best.energy - self.rounding:
                return dual, place, -1
            if found.particles == self.particles:
                few = many = found
                break
            if found.particles < self.particles:
                if few is not None and many is not None and found.particles <= few.particles:
                    break
                few = found
            else:
                if few is not None and many is not None and found.particles >= many.particles:
                    break
                many = found
            if few is not None and many is not None:
                mu = (many.energy - few.energy) / (many.particles - few.particles)
            else:
                mu += step if many is None else -step
                step *= 2.0
        free = status == FREE
        if few is not None and many is not None:
            first = np.concatenate([few.up, few.down])
            second = np.concatenate([many.up, many.down])
            if few is many:
                second = np.concatenate([many.down, many.up])
            differ = free & (first != second)
            free = differ if differ.any() else free
        weight = np.tile(self.strength.sum(axis=1), 2)
        return dual, place, int(np.argmax(np.where(free, weight, -1.0)))

    def children(self, status: Status, spin_orbital: int) -> list[Status]:
        """Both values of a spin-orbital, with what follows from them."""
        m = self.levels.size
        partner = (spin_orbital + m) % (2 * m)
        result = []
        for value in (0, 1):
            child = status.copy()
            child[spin_orbital] = value
            # Some minimum is parallel, up the majority: no state holds a down spin alone.
            follows = self.paired or (not self.attractive and (spin_orbital < m) == (value == 0))
            if follows:
                if child[partner] == 1 - value:
                    continue
                child[partner] = value
            result.append(child)
        return result

    def run(self, mu: float, step: float) -> tuple[Candidate, float]:
        """The best occupations, and a proven lower bound of the energies of all."""
        order = count()
        root = np.full(2 * self.levels.size, FREE, dtype=np.int8)
        dual, place, branch = self.bound(root, mu, step)
        heap = [(dual, next(order), place, branch, root)]
        least = np.inf
        while heap and self.work < self.budget:
            dual, _, place, branch, status = heapq.heappop(heap)
            if branch < 0 or dual >= self.best.energy - self.rounding:
                least = min(least, dual)
                continue
            for child in self.children(status, branch):
                value, position, next_branch = self.bound(child, place, step)
                # A node is never below its parent.
                heapq.heappush(heap, (max(value, dual), next(order), position, next_branch, child))
        least = min([least, self.best.energy, *(node[0] for node in heap)])
        return self.best, float(least)
