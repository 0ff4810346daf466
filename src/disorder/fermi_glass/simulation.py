"""The numerical experiment of Fig. 2: ground states of the first-order energy in an ensemble of lattices.

One task is one disorder configuration: it diagonalises once, minimises the energy in several ways for
several interactions, and returns what the figures need, some megabytes in place of the states' hundreds.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.ensemble import run_ensemble
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .ground_state import GroundState, ground_state
from .lattice import eigenstates
from .localization_centers import sample_pairs, state_centers
from .matrix_elements import hubbard_overlaps
from .moment_controls import paired_descent
from .occupation_moves import OccupationSearch, excess_energy, fermi_sea, occupation_monte_carlo
from .overlap_distances import distance_average
from .simulation_results import Configuration, Minimization, Simulation

PAPER_INTERACTIONS = (0.5, 1.0, 2.0)  # the paper's three values are not printed
_FINE_INTERACTIONS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
_STEPS = (100_000, 1_000_000, 10_000_000)
_WINDOW = (-0.91, 0.26)
_PAIRS = 1000


def _child(seed: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    # Its child number `index`, without counting it in the parent: the task is a pure function of its seed.
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, index), pool_size=seed.pool_size)


def _minimize(
    energies: FloatArray,
    overlaps: FloatArray,
    particles: int,
    exact: tuple[float, ...],
    compared: tuple[float, ...],
    steps: tuple[int, ...],
    seed: np.random.SeedSequence,
) -> tuple[Minimization, ...]:
    sea_up, sea_down = fermi_sea(energies, particles)
    sea = sea_up.astype(np.float64) + sea_down
    sea_field = sea @ overlaps
    own = np.diagonal(overlaps)

    def keep(
        method: str, interaction: float, found: GroundState | OccupationSearch, made: int
    ) -> Minimization:
        change = found.up.astype(np.float64) + found.down - sea
        rows = np.flatnonzero(change)
        # Few states differ from the sea: cheaper than a product with the whole matrix.
        field = sea_field + (change[rows] @ overlaps[rows] if rows.size else 0.0)
        bound = found.bound if isinstance(found, GroundState) else math.inf
        shift = (field - own * (sea + change)) / 2
        return Minimization(method, interaction, made, found.energy, bound, found.up, found.down, shift)

    results = [keep("exact", u, ground_state(energies, overlaps, u, particles), 0) for u in exact]
    for index, u in enumerate(compared):
        results.append(keep("greedy", u, ground_state(energies, overlaps, u, particles, "greedy"), 0))
        for number, count in enumerate(steps):
            found = ground_state(
                energies,
                overlaps,
                u,
                particles,
                "monte_carlo",
                steps=count,
                seed=_child(seed, 10 * index + number),
            )
            results.append(keep("monte_carlo", u, found, count))
        if steps:
            orbitals = np.zeros(2 * energies.size, dtype=np.bool_)
            rng = np.random.default_rng(_child(seed, 10 * index + 8))
            orbitals[rng.permutation(orbitals.size)[:particles]] = True
            up, down = orbitals[: energies.size], orbitals[energies.size :]
            search = occupation_monte_carlo(
                energies, overlaps, u, up, down, steps=steps[0], seed=_child(seed, 10 * index + 9)
            )
            results.append(keep("random_start", u, search, steps[0]))
        if particles % 2 == 0:
            both = paired_descent(energies, overlaps, u, particles)
            energy = excess_energy(energies, overlaps, u, both, both)
            results.append(keep("paired", u, OccupationSearch(both, both, energy, 0, 0), 0))
    return tuple(results)


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
) -> Configuration:
    """One disorder configuration, reduced to what the figures need: the task of :func:`simulate`.

    Parameters
    ----------
    seed : SeedSequence
        Its children number 0, 1, 2 make the site energies, the random pairs, the Monte Carlo.
    size, disorder, hopping, diagonal_hopping, particles, exact, compared, steps, window, pairs
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
    >>> one = simulate_configuration(
    ...     np.random.SeedSequence(1), 8, 9.0, 1.0, 0.6, 54, (2.0,), (), (), (-2.0, 1.0), 10
    ... )
    >>> [m.singly_occupied for m in one.minimizations], one.pairs.overlap.size
    ([2], 10)
    """
    energies, states = eigenstates(
        size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=_child(seed, 0)
    )
    overlaps = hubbard_overlaps(states)
    low, high = np.searchsorted(energies, window)
    if high - low < 2:
        raise ValueError(f"window must hold at least two states, got {window} with {high - low}")
    start, stop = int(low), int(high)
    inside = np.ascontiguousarray(overlaps[start:stop, start:stop])
    near = states[:, start:stop]
    count = min(pairs, (stop - start) * (stop - start - 1) // 2)
    sampled = sample_pairs(inside, near, size, count, seed=_child(seed, 1))
    self_overlaps = np.diagonal(overlaps).copy()
    return Configuration(
        energies=energies,
        participation_lengths=self_overlaps**-0.5,
        centers=state_centers(states, size),
        self_overlaps=self_overlaps,
        window=(start, stop),
        pairs=replace(sampled, first=sampled.first + start, second=sampled.second + start),
        decay=distance_average(inside, near, size),
        typical_decay=distance_average(inside, near, size, logarithmic=True),
        decay_all=distance_average(overlaps, states, size),
        minimizations=_minimize(energies, overlaps, particles, exact, compared, steps, _child(seed, 2)),
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
    seed: int | Sequence[int] | np.random.SeedSequence = 0,
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
        Numbers of Monte Carlo proposals, at most 8 of them; the first also for the start from random
        occupations. May be empty.
    window : (float, float)
        Energies between which states are kept for the matrix elements against distance.
    pairs : int
        Random pairs of states from there.
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
    One configuration of 60 x 60 takes about 10 s of one processor, most of it the diagonalisation
    (proportional to size^6), and leaves some megabytes. Workers need :func:`diagonalization_memory` bytes
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
