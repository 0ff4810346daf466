"""Local search for the occupations of least first-order energy: single moves, greedy or at random."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.seeds import seed_sequence
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .arguments import BoolArray, occupied_states

IntArray = NDArray[np.int64]

# Beyond this a product of interaction, overlap and particle number could overflow.
_LARGEST = 1e100
# Random numbers drawn at a time, three for a proposal.
_BLOCK = 1 << 15
_TILE = 64


@kernel
def _inspect(overlaps: FloatArray) -> tuple[bool, float, float, float]:
    """Whether all entries are finite, the least, the largest, and the largest asymmetry."""
    n = overlaps.shape[0]
    finite = True
    least = np.inf
    largest = -np.inf
    asymmetry = 0.0
    # Square tiles: a row and a column of the matrix are never in the cache together.
    for top in range(0, n, _TILE):
        for left in range(0, top + 1, _TILE):
            for i in range(top, min(n, top + _TILE)):
                for j in range(left, min(i + 1, left + _TILE)):
                    first = overlaps[i, j]
                    second = overlaps[j, i]
                    if not (np.isfinite(first) and np.isfinite(second)):
                        finite = False
                    least = min(least, first, second)
                    largest = max(largest, first, second)
                    asymmetry = max(asymmetry, abs(first - second))
    return finite, least, largest, asymmetry


@kernel
def _fields(
    energies: FloatArray, overlaps: FloatArray, interaction: float, up: BoolArray, down: BoolArray
) -> FloatArray:
    """Energy of every spin-orbital in the field of the opposite spins; up first, then down."""
    n = energies.size
    field = np.zeros(2 * n)
    for a in range(n):
        if down[a]:
            for c in range(n):
                field[c] += overlaps[a, c]
        if up[a]:
            for c in range(n):
                field[n + c] += overlaps[a, c]
    for a in range(n):
        field[a] = energies[a] + interaction * field[a]
        field[n + a] = energies[a] + interaction * field[n + a]
    return field


@kernel
def _move(overlaps: FloatArray, interaction: float, field: FloatArray, source: int, target: int) -> None:
    """Update the fields after one particle went from one spin-orbital to another."""
    n = overlaps.shape[0]
    opposite = 0 if source >= n else n
    row = overlaps[source % n]
    for c in range(n):
        field[opposite + c] -= interaction * row[c]
    opposite = 0 if target >= n else n
    row = overlaps[target % n]
    for c in range(n):
        field[opposite + c] += interaction * row[c]


@kernel
def _metropolis(
    overlaps: FloatArray,
    interaction: float,
    field: FloatArray,
    filled: IntArray,
    empty: IntArray,
    draws: FloatArray,
    temperature: float,
) -> int:
    """One proposal for each row of `draws`; returns how many were accepted."""
    n = overlaps.shape[0]
    accepted = 0
    for step in range(draws.shape[0]):
        i = int(draws[step, 0] * filled.size)
        j = int(draws[step, 1] * empty.size)
        source = filled[i]
        target = empty[j]
        change = field[target] - field[source]
        if (source >= n) != (target >= n):
            # The field at the target still holds the particle that leaves.
            change -= interaction * overlaps[source % n, target % n]
        if change > 0.0 and (temperature == 0.0 or draws[step, 2] >= np.exp(-change / temperature)):
            continue
        _move(overlaps, interaction, field, source, target)
        filled[i] = target
        empty[j] = source
        accepted += 1
    return accepted


@kernel
def _best_move(
    overlaps: FloatArray, interaction: float, field: FloatArray, occupied: BoolArray, reach: float
) -> tuple[float, int, int]:
    """The single move that lowers the energy most; `reach` bounds the gain from a flipped spin."""
    n = overlaps.shape[0]
    highest = np.full(2, -np.inf)
    lowest = np.full(2, np.inf)
    source = np.full(2, -1)
    target = np.full(2, -1)
    for s in range(2 * n):
        spin = s // n
        if occupied[s]:
            if field[s] > highest[spin]:
                highest[spin] = field[s]
                source[spin] = s
        elif field[s] < lowest[spin]:
            lowest[spin] = field[s]
            target[spin] = s
    best = np.inf
    best_source = -1
    best_target = -1
    for spin in range(2):
        if lowest[spin] - highest[spin] < best:
            best = lowest[spin] - highest[spin]
            best_source = source[spin]
            best_target = target[spin]
    for spin in range(2):
        other = 1 - spin
        for s in range(spin * n, (spin + 1) * n):
            if not occupied[s] or lowest[other] - field[s] - reach >= best:
                continue
            for r in range(other * n, (other + 1) * n):
                if occupied[r] or field[r] - field[s] - reach >= best:
                    continue
                change = field[r] - field[s] - interaction * overlaps[s % n, r % n]
                if change < best:
                    best = change
                    best_source = s
                    best_target = r
    return best, best_source, best_target


@kernel
def _descend(
    overlaps: FloatArray,
    interaction: float,
    field: FloatArray,
    occupied: BoolArray,
    reach: float,
    tolerance: float,
) -> int:
    """Steepest descent until no single move lowers the energy by more than the tolerance."""
    moves = 0
    while True:
        change, source, target = _best_move(overlaps, interaction, field, occupied, reach)
        if not change < -tolerance:
            return moves
        _move(overlaps, interaction, field, source, target)
        occupied[source] = False
        occupied[target] = True
        moves += 1


# ---------------------------------------------------------------- the problem and its energies


def checked_problem(energies: ArrayLike, overlaps: ArrayLike) -> tuple[FloatArray, FloatArray, float]:
    """Energies, overlaps (not copied if they are float64 already) and the largest overlap."""
    levels = real_array("energies", energies, ndim=1, low=-_LARGEST, high=_LARGEST)
    if not levels.size:
        raise ValueError("energies must hold at least one level, got none")
    if isinstance(overlaps, np.ndarray) and overlaps.dtype == np.float64:
        matrix = np.ascontiguousarray(overlaps)
    else:
        matrix = real_array("overlaps", overlaps, ndim=2)
    if matrix.shape != (levels.size, levels.size):
        raise ValueError(
            f"overlaps must have shape {(levels.size, levels.size)} like energies, got {matrix.shape}"
        )
    finite, least, largest, asymmetry = _inspect(matrix)
    if not finite:
        raise ValueError("overlaps must be finite, got NaN or infinity")
    if least < 0.0:
        raise ValueError(f"overlaps must not be negative, got {least!r}")
    if largest > _LARGEST:
        raise ValueError(f"overlaps must not exceed {_LARGEST:g}, got {largest!r}")
    if asymmetry > 1e-12 * largest:
        raise ValueError(
            f"overlaps must be symmetric: overlaps[a, c] and overlaps[c, a] differ by {asymmetry!r}"
        )
    return levels, matrix, float(largest)


def checked_interaction(interaction: Any) -> float:
    """The strength U, of either sign."""
    return real_scalar("interaction", interaction, low=-_LARGEST, high=_LARGEST)


def fermi_sea(energies: FloatArray, particles: int) -> tuple[BoolArray, BoolArray]:
    """The lowest levels doubly occupied; an odd particle is an up spin in the next level."""
    order = np.argsort(energies, kind="stable")
    up = np.zeros(energies.size, dtype=np.bool_)
    down = up.copy()
    up[order[: particles - particles // 2]] = True
    down[order[: particles // 2]] = True
    return up, down


def excess_energy(
    energies: FloatArray, overlaps: FloatArray, interaction: float, up: BoolArray, down: BoolArray
) -> float:
    """First-order energy above the Fermi sea of as many particles, summed over the changes alone."""
    n = energies.size
    sea_up, sea_down = fermi_sea(energies, int(up.sum() + down.sum()))
    field = _fields(energies, overlaps, interaction, sea_up, sea_down)
    added = up.astype(np.float64) - sea_up
    turned = down.astype(np.float64) - sea_down
    rows, columns = np.flatnonzero(added), np.flatnonzero(turned)
    pairs = added[rows] @ overlaps[np.ix_(rows, columns)] @ turned[columns]
    # Levels first: sums of energies far from zero with as many plus as minus signs.
    return float(field[:n] @ added + field[n:] @ turned + interaction * pairs)


def spin_orbitals(up: BoolArray, down: BoolArray) -> BoolArray:
    """Occupations of both spins in one array, up first."""
    return np.concatenate([up, down])


def descend(
    energies: FloatArray,
    overlaps: FloatArray,
    largest: float,
    interaction: float,
    up: BoolArray,
    down: BoolArray,
) -> tuple[BoolArray, BoolArray, int]:
    """Steepest descent on validated arrays; returns occupations and number of moves."""
    field = _fields(energies, overlaps, interaction, up, down)
    occupied = spin_orbitals(up, down)
    tolerance = 1e-13 * float(np.abs(field).max())
    reach = max(interaction, 0.0) * largest
    moves = _descend(overlaps, interaction, field, occupied, reach, tolerance)
    n = energies.size
    return occupied[:n], occupied[n:], int(moves)


# ---------------------------------------------------------------- public functions


@dataclass(frozen=True, eq=False)
class OccupationSearch:
    """Occupations found by a local search.

    Attributes
    ----------
    up, down : ndarray of bool, shape (n,)
        Occupied states of either spin at the end.
    energy : float
        First-order energy above that of the doubly occupied Fermi sea, in the unit of the energies.
    steps : int
        Proposals made (Monte Carlo) or moves done (descent).
    accepted : int
        Moves done.
    """

    up: BoolArray
    down: BoolArray
    energy: float
    steps: int
    accepted: int


def steepest_descent(
    energies: ArrayLike, overlaps: ArrayLike, interaction: float, up: ArrayLike, down: ArrayLike
) -> OccupationSearch:
    r"""Lower the first-order energy by single moves, each the best one, until none lowers it.

    Parameters
    ----------
    energies : array_like, shape (n,)
        Energies of the eigenstates, in any unit (t), in any order.
    overlaps : array_like, shape (n, n)
        Overlaps U_aacc/U of the eigenstates: symmetric, not negative (:func:`hubbard_overlaps`).
    interaction : float
        On-site interaction U in the unit of the energies, of either sign.
    up, down : array_like of bool, shape (n,)
        Occupations of either spin at the start.

    Returns
    -------
    OccupationSearch
        A local minimum: no move of one particle, with or without a flip of its spin, lowers its energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    A move takes one particle from an occupied to an empty spin-orbital, of the same or the other spin.
    The fields of all spin-orbitals are kept: the best move costs of order n, its update n, and pairs of
    opposite spin are looked at only where the largest overlap would make them the best.
    Nothing is proven about the distance to the ground state.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (13).

    Examples
    --------
    Two levels: one particle leaves the doubly occupied lower one, as its repulsion exceeds the splitting.

    >>> import numpy as np
    >>> overlaps = np.array([[0.5, 0.0], [0.0, 0.5]])
    >>> lower = np.array([True, False])
    >>> found = steepest_descent([0.0, 0.2], overlaps, 1.0, lower, lower)
    >>> round(found.energy, 12), found.accepted
    (-0.3, 1)
    """
    levels, matrix, largest = checked_problem(energies, overlaps)
    strength = checked_interaction(interaction)
    first = occupied_states("up", up, levels.size)
    second = occupied_states("down", down, levels.size)
    first, second, moves = descend(levels, matrix, largest, strength, first, second)
    energy = excess_energy(levels, matrix, strength, first, second)
    return OccupationSearch(first, second, energy, moves, moves)


def occupation_monte_carlo(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    up: ArrayLike,
    down: ArrayLike,
    *,
    steps: int,
    seed: int | np.random.SeedSequence,
    temperature: float = 0.0,
) -> OccupationSearch:
    r"""Random moves of single particles at fixed particle number, at zero or finite temperature.

    Parameters
    ----------
    energies : array_like, shape (n,)
        Energies of the eigenstates, in any unit (t), in any order.
    overlaps : array_like, shape (n, n)
        Overlaps U_aacc/U of the eigenstates: symmetric, not negative (:func:`hubbard_overlaps`).
    interaction : float
        On-site interaction U in the unit of the energies, of either sign.
    up, down : array_like of bool, shape (n,)
        Occupations of either spin at the start.
    steps : int
        Number of proposals, zero or more.
    seed : int or numpy.random.SeedSequence
        Of the random numbers.
    temperature : float
        In the unit of the energies; at zero a move is accepted unless it raises the energy.

    Returns
    -------
    OccupationSearch
        The occupations after the last step; its `energy` is exact to rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    One step is one proposal: a particle, drawn from all particles with equal probability, goes to a
    spin-orbital drawn from all empty ones with equal probability, whatever its spin; the Metropolis rule
    accepts it with probability min(1, exp(-change/temperature)).
    Proposals are symmetric, so that the Boltzmann distribution at fixed particle number is stationary.
    The energy change is read off two fields and one overlap; fields are updated (of order n) when a move is
    accepted.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Sec. IV, which defines neither step nor acceptance.

    Examples
    --------
    >>> import numpy as np
    >>> overlaps = np.array([[0.5, 0.0], [0.0, 0.5]])
    >>> lower = np.array([True, False])
    >>> found = occupation_monte_carlo([0.0, 0.2], overlaps, 1.0, lower, lower, steps=50, seed=1)
    >>> round(found.energy, 12), int((found.up != found.down).sum())
    (-0.3, 2)
    """
    levels, matrix, _ = checked_problem(energies, overlaps)
    strength = checked_interaction(interaction)
    first = occupied_states("up", up, levels.size)
    second = occupied_states("down", down, levels.size)
    steps = integer("steps", steps, low=0)
    temperature = real_scalar("temperature", temperature, low=0.0, open_low=False)
    seed = seed_sequence(seed)
    return random_moves(levels, matrix, strength, first, second, steps, seed, temperature)


def random_moves(
    energies: FloatArray,
    overlaps: FloatArray,
    interaction: float,
    up: BoolArray,
    down: BoolArray,
    steps: int,
    seed: int | np.random.SeedSequence,
    temperature: float,
) -> OccupationSearch:
    """Monte Carlo on validated arrays."""
    occupied = spin_orbitals(up, down)
    filled = np.flatnonzero(occupied)
    empty = np.flatnonzero(~occupied)
    field = _fields(energies, overlaps, interaction, up, down)
    rng = np.random.default_rng(seed)
    accepted = 0
    if filled.size and empty.size:
        for done in range(0, steps, _BLOCK):
            draws = rng.random((min(_BLOCK, steps - done), 3))
            accepted += _metropolis(overlaps, interaction, field, filled, empty, draws, temperature)
    occupied[:] = False
    occupied[filled] = True
    n = energies.size
    first, second = occupied[:n], occupied[n:]
    energy = excess_energy(energies, overlaps, interaction, first, second)
    return OccupationSearch(first, second, energy, steps, int(accepted))
