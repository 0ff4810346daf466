"""Which instability does linear response see? One random cluster at a time, by every method of Appendix A."""

import math
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from ..numerics.seeds import child_seed, seed_sequence
from ..numerics.validation import FloatArray, integer, positive, real_scalar
from .ground_state import ground_state
from .hartree_fock import HartreeFockState, restricted_hartree_fock
from .lattice import hamiltonian
from .linear_response import Response, linear_response, response_name
from .matrix_elements import hubbard_overlaps
from .unrestricted_hartree_fock import unrestricted_hartree_fock

FILLING = 3000 / 3600
_COLDEST = 1e-6


@dataclass(frozen=True)
class MagneticStability:
    """One cluster, seen by frozen orbitals, restricted and unrestricted Hartree-Fock theory.

    Energies of ground states are relative to the doubly occupied sea of the non-interacting states.

    Attributes
    ----------
    promotion : float
        Lowest cost of one promotion with a turned spin out of that sea, states frozen.
    curvature : float
        Smallest diagonal element E_c - E_a - 2 U K_ac of the second variation of the sea.
    frozen_energy, frozen_moment : float
        Exact minimum of the first-order energy at fixed particles, and its N_up - N_down without sign.
    restricted_energy : float
        Of the paramagnetic Hartree-Fock ground state.
    gap : float
        Between its filled and empty levels; 0 if levels are pinned.
    pinned : int
        Its partly filled levels.
    eigenvalue : float
        Of the isothermal response at T = 0; minus infinity if levels are pinned.
    unrestricted_energy, unrestricted_moment : float
        Lowest unrestricted state found, and its N_up - N_down without sign.
    site_moments : float
        Sum over the sites of its |M_i|.
    """

    promotion: float
    curvature: float
    frozen_energy: float
    frozen_moment: float
    restricted_energy: float
    gap: float
    pinned: int
    eigenvalue: float
    unrestricted_energy: float
    unrestricted_moment: float
    site_moments: float

    @property
    def magnetic(self) -> bool:
        """Whether the lowest state found has moments: sites with more than a thousandth in all."""
        return self.site_moments > 1e-3 and self.unrestricted_energy < self.restricted_energy

    @property
    def detected(self) -> bool:
        """Whether linear response of the restricted state says that it is unstable."""
        return self.eigenvalue < 0.0


def _promotions(levels: FloatArray, overlaps: FloatArray, pairs: int, u: float) -> tuple[float, float]:
    cost = levels[None, pairs:] - levels[:pairs, None]
    exchange = u * overlaps[:pairs, pairs:]
    return float((cost - exchange).min()), float((cost - 2 * exchange).min())


def _starts(
    restricted: HartreeFockState, mode: FloatArray, count: int, rng: np.random.Generator
) -> list[tuple[FloatArray, FloatArray]]:
    n = restricted.density_up
    moments = [mode * min(0.5, 0.2 / np.abs(mode).max())]
    moments += [rng.uniform(-0.5, 0.5, n.size) for _ in range(count)]
    return [(np.clip(n + m, 0.0, 1.0), np.clip(n - m, 0.0, 1.0)) for m in moments]


def magnetic_stability(
    seed: int | np.random.SeedSequence,
    size: int,
    disorder: float,
    interaction: float,
    starts: int = 2,
) -> MagneticStability:
    r"""Return what each method says about one configuration at T = 0 (a task for ``run_ensemble``).

    Parameters
    ----------
    seed : int or SeedSequence
        Of the configuration and of the random starts.
    size : int
        Linear size of the lattice, from 3 to 20.
    disorder : float
        W, at least 0, in units of t; t' = 0.6 t.
    interaction : float
        U, above 0, in units of t.
    starts : int
        Random starts of the unrestricted search, besides the softest mode of the restricted state and the
        occupations of the exact minimum of the first-order energy.

    Returns
    -------
    MagneticStability
        The filling is 5/12 per spin as in the paper (3000 particles on 3600 sites), rounded to full pairs.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The unrestricted energy is an upper bound on the true minimum; all other entries are exact.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Appendix A.

    Examples
    --------
    >>> cluster = magnetic_stability(1, 4, 9.0, 4.0)
    >>> cluster.magnetic, cluster.detected
    (True, True)
    """
    size = integer("size", size, low=3, high=20)
    u = positive("interaction", interaction)
    starts = integer("starts", starts, low=0, high=1000)
    matrix = hamiltonian(size, disorder, seed=seed).toarray()
    rng = np.random.default_rng(child_seed(seed_sequence(seed), 1))
    pairs = round(0.5 * FILLING * size * size)
    energies, states = scipy.linalg.eigh(matrix)
    overlaps = hubbard_overlaps(states)
    sea = 2 * float(energies[:pairs].sum()) + u * float(overlaps[:pairs, :pairs].sum())
    frozen = ground_state(energies, overlaps, u, 2 * pairs)
    restricted = restricted_hartree_fock(matrix, u, particles=2 * pairs)
    pinned = restricted.pinned // 2
    response = linear_response(restricted, response="isolated" if pinned else "isothermal")
    guesses = _starts(restricted, response.mode, starts, rng)
    guesses.append((states[:, frozen.up] ** 2 @ np.ones(frozen.up.sum()),
                    states[:, frozen.down] ** 2 @ np.ones(frozen.down.sum())))  # fmt: skip
    best = min(
        (unrestricted_hartree_fock(matrix, u, np.clip(up, 0, 1), np.clip(down, 0, 1), particles=2 * pairs)
         for up, down in guesses),
        key=lambda state: state.energy,
    )  # fmt: skip
    promotion, curvature = _promotions(energies + u * overlaps[:, :pairs].sum(axis=1), overlaps, pairs, u)
    return MagneticStability(
        promotion, curvature, frozen.energy, float(abs(int(frozen.up.sum()) - int(frozen.down.sum()))),
        restricted.energy - sea, 0.0 if pinned else restricted.gap, pinned,
        -math.inf if pinned else response.eigenvalue,
        best.energy - sea, float(abs(round(best.occupations_up.sum() - best.occupations_down.sum()))),
        float(np.abs(best.magnetization).sum()),
    )  # fmt: skip


def instability_temperature(
    matrix: ArrayLike, interaction: float, particles: float, *, response: Response = "isothermal"
) -> float:
    r"""Return the temperature below which linear response finds the paramagnetic state unstable.

    Parameters
    ----------
    matrix : array_like or sparse array, shape (V, V)
        Real symmetric single-particle Hamiltonian.
    interaction : float
        U >= 0, in the unit of `matrix`.
    particles : float
        Of both spins, between 0 and 2V.
    response : {"isothermal", "isolated"}

    Returns
    -------
    float
        Highest temperature at which the smallest eigenvalue of 1 - (U/2) chi passes zero, to a relative 1e-6;
        0 if it stays positive down to a millionth of the largest energy.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above.
    ConvergenceError
        If a mean field is not found to its tolerance.

    Notes
    -----
    Since :math:`\chi_{aa'}\le1/(2T)` for every pair, the bare response is at most 1/(2T), and the state is
    stable above U/4. From there temperature is lowered by factors of 1.25 until the eigenvalue is negative.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A6), (A7).

    Examples
    --------
    Two sites without hopping and two particles: the bound U/4 is reached.

    >>> round(instability_temperature([[0.0, 0.0], [0.0, 0.0]], 1.0, 2), 6)
    0.25
    """
    name = response_name(response)
    u = real_scalar("interaction", interaction, low=0.0, open_low=False)

    def eigenvalue(temperature: float) -> float:
        state = restricted_hartree_fock(matrix, u, particles=particles, temperature=temperature)
        return linear_response(state, response=name).eigenvalue

    cold = restricted_hartree_fock(matrix, u, particles=particles)
    if u == 0.0:
        return 0.0
    scale = max(float(np.abs(cold.energies_up).max()), u)
    end, high = 2 * _COLDEST * scale, 0.25 * u
    if high <= end:
        return 0.0
    low = high
    while True:
        low = max(low / 1.25, end)
        if eigenvalue(low) < 0.0:
            break
        if low == end:
            return 0.0
        high = low
    while high > low * (1 + 1e-6):
        middle = math.sqrt(low * high)
        if eigenvalue(middle) < 0.0:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)
