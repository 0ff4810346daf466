"""The numerical experiment of Fig. 2: ground states of the first-order energy in an ensemble of lattices.

One task is one disorder configuration: it diagonalises once, minimises the energy in several ways for
several interactions, and returns what the figures need, some megabytes in place of the states' hundreds.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.ensemble import run_ensemble
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .ground_state import GroundState, ground_state
from .lattice import eigenstates
from .localization_centers import SampledPairs, sample_pairs, state_centers
from .matrix_elements import hubbard_overlaps
from .occupation_moves import OccupationSearch, excess_energy, fermi_sea, occupation_monte_carlo
from .overlap_distances import DistanceAverage, distance_average

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

METHODS = ("exact", "greedy", "monte_carlo", "random_start", "paired")
PAPER_INTERACTIONS = (0.5, 1.0, 2.0)  # the paper's three values are not printed
_FINE_INTERACTIONS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
_STEPS = (100_000, 1_000_000, 10_000_000)
_WINDOW = (-0.91, 0.26)
_PAIRS = 1000


@dataclass(frozen=True, eq=False)
class Minimization:
    """Occupations that one method found for one interaction.

    Attributes
    ----------
    method : str
        "exact", "greedy", "monte_carlo" (from the doubly occupied sea), "random_start" (Monte Carlo from
        random occupations), or "paired" (both spins alike: moments forbidden).
    interaction : float
        U.
    steps : int
        Proposals of the Monte Carlo, 0 otherwise.
    energy : float
        First-order energy above that of the doubly occupied sea.
    bound : float
        Proven upper bound of the distance to the true minimum; infinite if there is none.
    up, down : ndarray of bool, shape (states,)
    shift : ndarray, shape (states,)
        Energy that the others give to a particle in the state, over U, averaged over its spin:
        sum over c != a of K_ac (n_c,up + n_c,down)/2.
    """

    method: str
    interaction: float
    steps: int
    energy: float
    bound: float
    up: BoolArray
    down: BoolArray
    shift: FloatArray

    @property
    def singly_occupied(self) -> int:
        """Number of states with exactly one particle."""
        return int((self.up ^ self.down).sum())

    @property
    def polarization(self) -> int:
        """Up particles minus down particles, without the sign: twice the total spin along the axis."""
        return abs(int(self.up.sum()) - int(self.down.sum()))


@dataclass(frozen=True, eq=False)
class Configuration:
    """What is kept of one disorder configuration; states are numbered by rising energy.

    Attributes
    ----------
    energies, participation_lengths : ndarray, shape (states,)
    centers : ndarray of int, shape (states, 2)
        Site of the largest modulus.
    self_overlaps : ndarray, shape (states,)
        U_aaaa/U.
    window : (int, int)
        First state, and one past the last, with an energy inside the window asked for.
    pairs : SampledPairs
        Random pairs of states in the window.
    decay, typical_decay, decay_all : DistanceAverage
        Mean overlap against distance in the window, its logarithmic mean, and the mean over all states.
    minimizations : tuple of Minimization
    """

    energies: FloatArray
    participation_lengths: FloatArray
    centers: IntArray
    self_overlaps: FloatArray
    window: tuple[int, int]
    pairs: SampledPairs
    decay: DistanceAverage
    typical_decay: DistanceAverage
    decay_all: DistanceAverage
    minimizations: tuple[Minimization, ...]


@dataclass(frozen=True, eq=False)
class MomentCount:
    """Averages over configurations against the interaction, each array with one entry per interaction.

    Attributes
    ----------
    interaction : ndarray
    singly_occupied, singly_occupied_error : ndarray
        Number of states with one particle in a configuration, and its standard error.
    polarization, polarization_error : ndarray
        |N_up - N_down|.
    energy, energy_error : ndarray
        Above the doubly occupied sea.
    """

    interaction: FloatArray
    singly_occupied: FloatArray
    singly_occupied_error: FloatArray
    polarization: FloatArray
    polarization_error: FloatArray
    energy: FloatArray
    energy_error: FloatArray


@dataclass(frozen=True, eq=False)
class Simulation:
    """An ensemble of configurations.

    Attributes
    ----------
    size, particles : int
        Sites along a side; number of particles N.
    configurations : tuple of Configuration
    """

    size: int
    particles: int
    configurations: tuple[Configuration, ...]

    @property
    def energies(self) -> FloatArray:
        """Bare energies, shape (configurations, states)."""
        return np.array([one.energies for one in self.configurations])

    def select(self, method: str, interaction: float, steps: int | None = None) -> tuple[Minimization, ...]:
        """The minimisations of one kind, one per configuration; the longest Monte Carlo by default."""
        chosen = []
        for one in self.configurations:
            fits = [m for m in one.minimizations if (m.method, m.interaction) == (method, interaction)]
            fits = [m for m in fits if steps is None or m.steps == steps]
            if not fits:
                present = sorted({(m.method, m.interaction, m.steps) for m in one.minimizations})
                raise ValueError(
                    f"method, interaction, steps must be one of {present}, got {(method, interaction, steps)}"
                )
            chosen.append(max(fits, key=lambda m: m.steps))
        return tuple(chosen)

    def occupations(self, method: str, interaction: float, steps: int | None = None) -> FloatArray:
        """n_up + n_down, shape (configurations, states)."""
        return np.array([m.up.astype(float) + m.down for m in self.select(method, interaction, steps)])

    def interacting_energies(self, method: str, interaction: float, steps: int | None = None) -> FloatArray:
        """Energies of a particle in the mean field of all other states' particles, same shape."""
        return self.energies + interaction * np.array(
            [m.shift for m in self.select(method, interaction, steps)]
        )

    def moments(self, method: str = "exact", steps: int | None = None) -> MomentCount:
        """Numbers of polarized spins against the interaction."""
        present = sorted({m.interaction for m in self.configurations[0].minimizations if m.method == method})
        if not present:
            raise ValueError(f"method must be one of {METHODS} and part of the run, got {method!r}")
        if len(self.configurations) < 2:
            raise ValueError("an error needs at least 2 configurations, the run has 1")
        kinds = [self.select(method, u, steps) for u in present]
        columns = []
        for values in (
            [[m.singly_occupied for m in kind] for kind in kinds],
            [[m.polarization for m in kind] for kind in kinds],
            [[m.energy for m in kind] for kind in kinds],
        ):
            table = np.array(values, dtype=np.float64)
            columns += [table.mean(axis=1), table.std(axis=1, ddof=1) / np.sqrt(table.shape[1])]
        return MomentCount(np.array(present), *columns)


def isolated_occupations(
    energies: ArrayLike, self_overlaps: ArrayLike, interaction: float, particles: int
) -> IntArray:
    r"""Ground state if only particles in the same state interacted: moments without any mean field.

    .. math:: E = \sum_a \xi_a(n_{a\uparrow}+n_{a\downarrow}) + U\sum_a K_{aa}n_{a\uparrow}n_{a\downarrow}

    Parameters
    ----------
    energies : array_like, shape (states,)
        In any order.
    self_overlaps : array_like, shape (states,)
        K_aa = U_aaaa/U, at least 0.
    interaction : float
        U, at least 0.
    particles : int
        Number of particles, at most 2 per state.

    Returns
    -------
    ndarray of int, shape (states,)
        n_up + n_down: 1 where -U K_aa < xi_a - mu < 0, the window of (A9).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The lowest of the levels xi_a and xi_a + U K_aa are filled, which is exact; at a tie lower states first.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A9).

    Examples
    --------
    >>> isolated_occupations([0.0, 1.0, 1.2], [0.1, 0.5, 0.5], 1.0, 4)
    array([2, 1, 1])
    """
    xi = real_array("energies", energies, ndim=1)
    own = real_array("self_overlaps", self_overlaps, ndim=1, low=0.0, open_low=False)
    if xi.shape != own.shape:
        raise ValueError(f"self_overlaps must have the shape {xi.shape} of energies, got {own.shape}")
    strength = real_scalar("interaction", interaction, low=0.0, open_low=False)
    count = integer("particles", particles, low=0, high=2 * xi.size)
    levels = np.stack([xi, xi + strength * own], axis=1).ravel()
    filled = np.zeros(levels.size, dtype=np.int64)
    filled[np.argsort(levels, kind="stable")[:count]] = 1
    return np.asarray(filled.reshape(-1, 2).sum(axis=1))


def paired_descent(energies: ArrayLike, overlaps: ArrayLike, interaction: float, particles: int) -> BoolArray:
    r"""Steepest descent with both spins alike: the control in which no moment can form.

    Parameters
    ----------
    energies : array_like, shape (states,)
    overlaps : array_like, shape (states, states)
        K_ac = U_aacc/U, symmetric and positive semidefinite, as :func:`hubbard_overlaps` makes them.
    interaction : float
        U, at least 0.
    particles : int
        Even number of particles.

    Returns
    -------
    ndarray of bool, shape (states,)
        Doubly occupied states. No exchange of one of them with an empty one lowers the energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Moving the pair of a to b costs 2(h_b - h_a) + U(K_aa + K_bb - 2K_ab) with h = xi + U K n. The second
    term is never negative, so only pairs with h_b < h_a are looked at. The energy of pairs is not
    submodular, so that this is a local minimum and not a proven one. One move costs some passes over a row.

    Examples
    --------
    >>> paired_descent([0.0, 0.1, 0.2], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 1.0, 4)
    array([ True, False,  True])
    """
    xi = real_array("energies", energies, ndim=1)
    matrix = np.asarray(overlaps)
    if matrix.dtype.kind not in "iuf" or matrix.shape != (xi.size, xi.size):
        raise ValueError(f"overlaps must be real and have shape {(xi.size,) * 2}, got {matrix.shape}")
    strength = real_scalar("interaction", interaction, low=0.0, open_low=False)
    pairs, odd = divmod(integer("particles", particles, low=0, high=2 * xi.size), 2)
    if odd:
        raise ValueError(f"particles must be even to be paired, got {particles}")
    filled = np.zeros(xi.size, dtype=np.bool_)
    filled[np.argsort(xi, kind="stable")[:pairs]] = True
    own = strength * np.diagonal(matrix)
    field = xi + strength * (matrix[filled].sum(axis=0))
    if not np.isfinite(field).all():
        raise ValueError("overlaps must be finite, got NaN or infinity")
    if pairs in (0, xi.size):
        return filled
    tolerance = 1e-12 * float(np.abs(field).max())
    while True:
        sources = np.flatnonzero(filled & (field > field[~filled].min()))
        targets = np.flatnonzero(~filled & (field < field[filled].max()))
        if not sources.size:
            return filled
        cost = (2 * field + own)[targets] - (2 * field - own)[sources, None]
        cost -= 2 * strength * matrix[np.ix_(sources, targets)]
        a, b = np.unravel_index(cost.argmin(), cost.shape)
        if cost[a, b] >= -tolerance:
            return filled
        source, target = int(sources[a]), int(targets[b])
        filled[source], filled[target] = False, True
        field += strength * (matrix[target] - matrix[source])


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
    ([4], 10)
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
    low, high = (real_scalar("window", edge) for edge in _two("window", window))
    if not low < high:
        raise ValueError(f"window must be (lower, higher), got {window!r}")
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
        (low, high),
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


def _two(name: str, value: object) -> tuple[object, object]:
    try:
        first, second = value  # type: ignore[misc]
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold two numbers, got {value!r}") from None
    return first, second


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
