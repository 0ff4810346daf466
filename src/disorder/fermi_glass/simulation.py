"""The numerical experiment of Fig. 2: ground states of the first-order energy in an ensemble of lattices.

One task is one disorder configuration: it diagonalises once, minimises the energy in several ways for
several interactions, and returns what the figures need, some megabytes in place of the states' hundreds.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.ensemble import run_ensemble
from ..numerics.seeds import Seed, child_seed
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .arguments import BoolArray
from .ground_state import GroundState, ground_state
from .lattice import eigenstates
from .localization_centers import sample_pairs, state_centers
from .matrix_elements import hubbard_overlaps
from .occupation_moves import (
    OccupationSearch,
    excess_energy,
    fermi_sea,
    occupation_monte_carlo,
    steepest_descent,
)
from .overlap_distances import distance_average
from .simulation_results import Configuration, Minimization, Simulation

PAPER_INTERACTIONS = (0.5, 1.0, 2.0)
"""The U/t for which all methods are compared; the three values of the paper are not printed."""

_FINE_INTERACTIONS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
_STEPS = (100_000, 1_000_000, 10_000_000)
_WINDOW = (-0.91, 0.26)
_PAIRS = 1000
_MARGIN = 8


@dataclass(frozen=True)
class _Found:
    """Occupations of all states that one method found."""

    method: str
    interaction: float
    steps: int
    energy: float
    bound: float
    up: BoolArray
    down: BoolArray


class _Lattice:
    """The states near the Fermi level of one configuration; all others are left doubly occupied or empty.

    A field lies between 0 and U, as the overlaps of a state sum to 1. So at chemical potential mu a state
    below mu - U is doubly occupied and one above mu is empty in every minimum; no move of a particle from
    more than U below the lowest empty state, or to more than U above the highest occupied one, lowers the
    energy. Each result is checked for that, and found again among all states if it fails.
    """

    def __init__(self, energies: FloatArray, states: FloatArray, particles: int, reach: float) -> None:
        self.energies, self.states, self.particles = energies, states, particles
        self.weights = states**2
        self.own = np.array([column @ column for column in self.weights.T])
        top = (particles - 1) // 2
        low, high = np.searchsorted(energies, (energies[top] - reach, energies[top] + reach))
        self._cut(int(low), max(int(high), top + 1))

    def _cut(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        inside = slice(start, stop)
        self.overlaps = hubbard_overlaps(self.states[:, inside])
        below = self.weights[:, :start].sum(axis=1)
        self.field = below @ self.weights[:, inside]
        self.sea = fermi_sea(self.energies[inside], self.particles - 2 * start)

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.stop == self.energies.size

    def _levels(self, interaction: float) -> FloatArray:
        return np.asarray(self.energies[self.start : self.stop] + interaction * self.field)

    def find(self, method: str, interaction: float, steps: int, seed: np.random.SeedSequence) -> _Found:
        found = self._find(method, interaction, steps, seed)
        if found is None:
            self._cut(0, self.energies.size)
            found = self._find(method, interaction, steps, seed)
        assert found is not None
        return found

    def _find(
        self, method: str, interaction: float, steps: int, seed: np.random.SeedSequence
    ) -> _Found | None:
        problem = self._levels(interaction), self.overlaps, interaction
        result: GroundState | OccupationSearch
        if method in ("exact", "paramagnetic"):
            kind: Any = method
            result = ground_state(*problem, self.particles - 2 * self.start, kind)
            good = self.whole or self._holds_every_minimum(result.chemical_potential, interaction)
        else:
            if method == "greedy":
                result = steepest_descent(*problem, *self.sea)
            else:
                result = self._monte_carlo(problem, method == "random_start", steps, seed)
            good = self.whole or self._holds_every_move(result, interaction)
        if not good:
            return None
        sea = excess_energy(*problem, *self.sea)
        up, down = np.arange(self.energies.size) < self.start, np.arange(self.energies.size) < self.start
        up[self.start : self.stop], down[self.start : self.stop] = result.up, result.down
        bound = result.bound if isinstance(result, GroundState) else math.inf
        return _Found(method, interaction, steps, result.energy - sea, bound, up, down)

    def _holds_every_minimum(self, mu: float | None, interaction: float) -> bool:
        low, high = np.searchsorted(
            self.energies, (-np.inf, np.inf) if mu is None else (mu - interaction, mu)
        )
        margin = 8  # levels: the bound of an edge of the hull belongs to a neighbouring chemical potential
        return (
            self.start <= max(int(low) - margin, 0)
            and min(int(high) + margin, self.energies.size) <= self.stop
        )

    def _holds_every_move(self, result: OccupationSearch, interaction: float) -> bool:
        inside = self.energies[self.start : self.stop]
        empty, filled = inside[~(result.up & result.down)].min(), inside[result.up | result.down].max()
        below = self.start == 0 or self.energies[self.start - 1] + interaction < empty
        above = self.stop == self.energies.size or self.energies[self.stop] - interaction > filled
        return bool(below and above)

    def _monte_carlo(
        self,
        problem: tuple[FloatArray, FloatArray, float],
        scattered: bool,
        steps: int,
        seed: np.random.SeedSequence,
    ) -> OccupationSearch:
        rng = np.random.default_rng(child_seed(seed, 0))
        up, down = self.sea
        if scattered:
            orbitals = rng.permutation(2 * up.size) < self.particles - 2 * self.start
            up, down = orbitals[: up.size], orbitals[up.size :]
        # Of all proposals those count that stay inside; the others are rejected without being made.
        filled = self.particles - 2 * self.start
        empty = 2 * up.size - filled
        share = filled * empty / (self.particles * (2 * self.energies.size - self.particles))
        made = int(rng.binomial(steps, min(share, 1.0)))
        return occupation_monte_carlo(*problem, up, down, steps=made, seed=child_seed(seed, 1))

    def finish(self, results: list[_Found]) -> tuple[Minimization, ...]:
        """Add the mean fields, which one product of matrices gives for all results."""
        if not results:
            return ()
        numbers = np.array([one.up.astype(np.float64) + one.down for one in results])
        shifts = (numbers @ self.weights.T @ self.weights - self.own * numbers) / 2
        return tuple(
            Minimization(r.method, r.interaction, r.steps, r.energy, r.bound, r.up, r.down, shift)
            for r, shift in zip(results, shifts, strict=True)
        )


def _minimize(
    lattice: _Lattice,
    exact: tuple[float, ...],
    compared: tuple[float, ...],
    steps: tuple[int, ...],
    scattered: bool,
    seed: np.random.SeedSequence,
) -> tuple[Minimization, ...]:
    results = [lattice.find("exact", u, 0, seed) for u in exact]
    for index, u in enumerate(compared):
        results.append(lattice.find("greedy", u, 0, seed))
        kinds = [("monte_carlo", count) for count in steps]
        if scattered and steps:
            kinds.append(("random_start", steps[0]))
        for number, (method, count) in enumerate(kinds):
            results.append(lattice.find(method, u, count, child_seed(seed, 10 * index + number)))
        if lattice.particles % 2 == 0:
            results.append(lattice.find("paramagnetic", u, 0, seed))
    return lattice.finish(results)


def simulate_configuration(
    seed: np.random.SeedSequence,
    size: int,
    disorder: float,
    hopping: float,
    diagonal_hopping: float,
    particles: int,
    exact: tuple[float, ...],
    compared: tuple[float, ...],
    steps: tuple[int, ...],
    window: tuple[float, float],
    pairs: int,
    whole: bool = False,
) -> Configuration:
    """One disorder configuration, reduced to what the figures need: the task of :func:`simulate`.

    Parameters
    ----------
    seed : SeedSequence
        Its children number 0, 1, 2 make the site energies, the random pairs, the Monte Carlo.
    size, disorder, hopping, diagonal_hopping, particles, exact, compared, steps, window, pairs, whole
        As in :func:`simulate`.

    Returns
    -------
    Configuration

    Raises
    ------
    TypeError, ValueError
        If an argument is not as in :func:`simulate`, or the window holds fewer than two states.

    Notes
    -----
    The states (8 size^4 bytes) exist in this function only.

    Examples
    --------
    >>> from disorder.fermi_glass.simulation import simulate_configuration
    >>> one = simulate_configuration(
    ...     np.random.SeedSequence(1), 8, 9.0, 1.0, 0.6, 54, (2.0,), (), (), (-2.0, 1.0), 10
    ... )
    >>> [m.singly_occupied for m in one.minimizations], one.pairs.overlap.size
    ([2], 10)
    """
    with threadpool_limits(1, user_api="blas"):
        energies, states = eigenstates(
            size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=child_seed(seed, 0)
        )
        low, high = np.searchsorted(energies, window)
        if high - low < 2:
            raise ValueError(f"window must hold at least two states, got {window} with {high - low}")
        # Generous for both: minima lie between mu - U and mu = E_F + U/2 or so, moves within U of E_F.
        reach = max([0.6 * u + 0.3 for u in exact] + [u + 1.0 for u in compared], default=0.0)
        lattice = _Lattice(energies, states, particles, np.inf if whole else reach)
        start, stop = int(low), int(high)
        near = np.ascontiguousarray(states[:, start:stop])
        sample = np.ascontiguousarray(states[:, ::4])
        overlaps = hubbard_overlaps(near)
        count = min(pairs, (stop - start) * (stop - start - 1) // 2)
        sampled = sample_pairs(overlaps, near, size, count, seed=child_seed(seed, 1))
        return Configuration(
            energies=energies,
            participation_lengths=lattice.own**-0.5,
            centers=state_centers(states, size),
            self_overlaps=lattice.own,
            window=(start, stop),
            pairs=replace(sampled, first=sampled.first + start, second=sampled.second + start),
            decay=distance_average(overlaps, near, size),
            typical_decay=distance_average(overlaps, near, size, logarithmic=True),
            decay_all=distance_average(hubbard_overlaps(sample), sample, size),
            minimizations=_minimize(lattice, exact, compared, steps, whole, child_seed(seed, 2)),
        )


def _interactions(name: str, values: ArrayLike) -> tuple[float, ...]:
    array = real_array(name, values, ndim=1, low=0.0, open_low=False)
    if np.unique(array).size != array.size:
        raise ValueError(f"{name} must not repeat a value, got {values!r}")
    return tuple(float(u) for u in array)


def simulate(
    count: int = 15,
    size: int = 60,
    *,
    disorder: float = 9.0,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    particles: int | None = None,
    exact: ArrayLike = _FINE_INTERACTIONS,
    compared: ArrayLike = PAPER_INTERACTIONS,
    steps: Sequence[int] = _STEPS,
    window: tuple[float, float] = _WINDOW,
    pairs: int = _PAIRS,
    whole: bool = False,
    seed: Seed = 0,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Simulation:
    """Simulate an ensemble of lattices: ground states of the first-order energy and matrix elements.

    Parameters
    ----------
    count : int
        Number of disorder configurations, at least 1.
    size : int
        Sites along a side of the periodic lattice, at least 3.
    disorder, hopping, diagonal_hopping : float
        W, t, t' of Eq. (12), in one unit of energy.
    particles : int, optional
        N, both spins together; by default the paper's filling, the even number next to 5/6 per site.
    exact : array_like of float
        Interactions U >= 0 for which the exact minimum is found.
    compared : array_like of float
        Interactions for greedy descent, Monte Carlo, and the control without moments.
    steps : sequence of int
        Numbers of Monte Carlo proposals, at most 8 of them; may be empty.
    window : (float, float)
        Energies between which states are kept for the matrix elements against distance.
    pairs : int
        Random pairs of states from there.
    whole : bool
        Keep all states in play, and let a Monte Carlo with the first number of proposals also start from
        random occupations. By default only states near the Fermi level, which is the same but much faster.
    seed : int, sequence of int or SeedSequence
        Configuration i gets child i.
    executor, checkpoint, progress
        As in :func:`disorder.numerics.ensemble.run_ensemble`; one task is one configuration.

    Returns
    -------
    Simulation
        The same digits for any executor and number of workers of one kind of machine.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the checkpoint belongs to another run.
    EnsembleError
        If configurations failed or workers died, after all others are finished and kept.
    MemoryError
        If a configuration does not fit the machine (:func:`diagonalization_memory`).

    Notes
    -----
    One configuration of 60 x 60 takes about 10 s of one processor, most of it the diagonalisation: for three
    interactions and 1e5 proposals all the rest takes about an eighth of its time. The diagonalisation grows
    with size^6; a configuration leaves about a megabyte. Workers need :func:`diagonalization_memory` bytes
    each; use one thread per worker. On a cluster::

        from dask.distributed import Client
        if __name__ == "__main__":
            with Client("tcp://scheduler:8786") as client:
                run = simulate(50, 100, executor=client.get_executor(), checkpoint="fermi-glass-100")

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Sec. IV, Fig. 2.

    Examples
    --------
    >>> run = simulate(2, 8, exact=[1.0, 3.0], compared=[], window=(-2, 1))
    >>> run.particles, run.moments().singly_occupied.shape
    (54, (2,))
    """
    size = integer("size", size, low=3)
    states = size * size
    if particles is None:
        particles = 2 * round(5 * states / 12)
    if isinstance(steps, str) or not isinstance(steps, Sequence) or len(steps) > 8:
        raise TypeError(f"steps must be a sequence of at most 8 integers, got {steps!r}")
    arguments = (
        size,
        real_scalar("disorder", disorder, low=0.0, open_low=False),
        real_scalar("hopping", hopping),
        real_scalar("diagonal_hopping", diagonal_hopping),
        integer("particles", particles, low=1, high=2 * states - 1),
        _interactions("exact", exact),
        _interactions("compared", compared),
        tuple(integer("steps", number, low=1) for number in steps),
        _bounds(window),
        integer("pairs", pairs, low=1),
        _flag("whole", whole),
    )
    configurations = run_ensemble(
        simulate_configuration,
        count,
        seed=seed,
        arguments=arguments,
        executor=executor,
        checkpoint=checkpoint,
        progress=progress,
    )
    return Simulation(size, arguments[4], tuple(configurations))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def _bounds(window: object) -> tuple[float, float]:
    if not isinstance(window, Sequence) or isinstance(window, str) or len(window) != 2:
        raise TypeError(f"window must be a pair of energies, got {window!r}")
    low, high = (real_scalar("window", edge) for edge in window)
    if not low < high:
        raise ValueError(f"window must be (lower, higher), got {window!r}")
    return low, high


def paper_run(
    *,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Simulation:
    """Run the simulation with the paper's parameters: 15 lattices of 60 x 60, W = 9, t' = 0.6, N = 3000.

    Parameters
    ----------
    executor, checkpoint, progress
        As in :func:`disorder.numerics.ensemble.run_ensemble`. Chapters share one checkpoint.

    Returns
    -------
    Simulation
        Exact minima for ten interactions from 0.25 to 4; for 0.5, 1 and 2 also greedy descent, Monte Carlo of
        1e5, 1e6, 1e7 proposals, and the control without moments.

    Raises
    ------
    ValueError
        If the checkpoint belongs to another run.
    EnsembleError
        As :func:`simulate`.

    Notes
    -----
    About 2.5 minutes of one processor, halved by two; 1 GB per worker.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Figs. 1 and 2.

    Examples
    --------
    >>> run = paper_run(checkpoint="fermi-glass-60")  # doctest: +SKIP
    """
    return simulate(executor=executor, checkpoint=checkpoint, progress=progress)
