"""What is kept of a simulated ensemble of lattices, and averages over it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..numerics.validation import FloatArray
from .localization_centers import SampledPairs
from .overlap_distances import DistanceAverage

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

METHODS = ("exact", "greedy", "monte_carlo", "random_start", "paramagnetic")


@dataclass(frozen=True, eq=False)
class Minimization:
    """Occupations that one method found for one interaction.

    Attributes
    ----------
    method : str
        "exact", "greedy", "monte_carlo" (from the doubly occupied sea), "random_start" (Monte Carlo from
        random occupations), or "paramagnetic" (both spins alike: moments forbidden).
    interaction : float
        U.
    steps : int
        Proposals of the Monte Carlo, 0 otherwise.
    energy : float
        First-order energy above that of the doubly occupied sea.
    bound : float
        Proven upper bound of the distance to the true minimum ("paramagnetic": to the least energy without
        moments); infinite if there is none.
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
        Mean overlap against distance in the window, its logarithmic mean, and the mean over the whole band,
        from every fourth state.
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
