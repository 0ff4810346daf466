"""Energies of occupation patterns of single-particle states, E^(1), E_1, E_2, and the stability of a pattern.

The energy of a Slater determinant depends on the occupation numbers alone. On-site repulsion couples only
opposite spins, through U times the overlaps K_ac = sum_i phi_a(i)^2 phi_c(i)^2; any other interaction of
densities adds a matrix for equal spins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.validation import FloatArray, real_array, real_scalar
from .arguments import BoolArray, occupied_states, symmetric_matrix

SPINS = ("up", "down")


def _finite(values: FloatArray) -> FloatArray:
    if not np.isfinite(values).all():
        raise ValueError("energies, overlaps and interaction must keep the result finite")
    return values


@dataclass(frozen=True)
class _Pattern:
    """Checked arguments: energies, interaction energies of opposite and of equal spins, occupations."""

    energies: FloatArray
    opposite: FloatArray
    equal: FloatArray | None
    occupied: BoolArray  # (2, N): up, down

    @classmethod
    def checked(
        cls,
        energies: ArrayLike,
        overlaps: ArrayLike,
        interaction: float,
        up: ArrayLike,
        down: ArrayLike,
        equal_spin: ArrayLike | None,
    ) -> "_Pattern":
        levels = real_array("energies", energies, ndim=1)
        count = levels.size
        with np.errstate(over="ignore"):
            opposite = symmetric_matrix("overlaps", overlaps, count=count) * real_scalar(
                "interaction", interaction
            )
        _finite(opposite)
        equal = None if equal_spin is None else symmetric_matrix("equal_spin", equal_spin, count=count)
        if equal is not None and count:
            scale = max(float(np.abs(equal).max()), float(np.abs(opposite).max()))
            if np.abs(np.diag(equal)).max() > 1e-10 * scale:
                raise ValueError(
                    "equal_spin must have a zero diagonal, U_aaaa - U_aaaa, got "
                    f"{float(np.abs(np.diag(equal)).max()):.3g}"
                )
        occupied = np.array([occupied_states("up", up, count), occupied_states("down", down, count)])
        return cls(levels, opposite, equal, occupied)

    def fields(self) -> FloatArray:
        """E_1 of every spin orbital, (2, N)."""
        n = self.occupied.astype(float)
        result: FloatArray = self.energies + n[::-1] @ self.opposite
        return result if self.equal is None else result + n @ self.equal

    def coupling(self, first: int, second: int) -> FloatArray | float:
        """Interaction of a particle of spin `first` with one of spin `second`, (N, N) or zero."""
        if first != second:
            return self.opposite
        return 0.0 if self.equal is None else self.equal


def first_order_energy(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    up: ArrayLike,
    down: ArrayLike,
    *,
    equal_spin: ArrayLike | None = None,
) -> float:
    r"""Energy of a Slater determinant from its occupation numbers.

    .. math:: E^{(1)}=\sum_{a\sigma}\xi_a n_{a\sigma}+\tfrac12\sum_{ac\,\sigma\sigma'}
              (U_{aacc}^{\sigma\sigma'}-\delta_{\sigma\sigma'}U_{acca}^{\sigma\sigma})\,
              n_{a\sigma}n_{c\sigma'} .

    Parameters
    ----------
    energies : array_like, shape (N,)
        xi_a: expectation values of the single-particle Hamiltonian in the occupied orbitals; for its own
        eigenstates the eigenvalues. Energy.
    overlaps : array_like, shape (N, N)
        U_aacc/U between opposite spins, symmetric, as from :func:`hubbard_overlaps`.
    interaction : float
        U, energy, of either sign.
    up, down : array_like of bool, shape (N,)
        Which states hold an up spin, a down spin.
    equal_spin : array_like, shape (N, N), optional
        U_aacc - U_acca between equal spins, energy, symmetric with a zero diagonal, as from
        :func:`landau_interaction`. Zero by default, which is exact for an on-site interaction.

    Returns
    -------
    float
        The energy, not relative to anything. Relative accuracy 1e-14 of the sum of the magnitudes.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite and real, a shape does not fit, a matrix is not symmetric, an
        occupation is neither 0 nor 1, or the result overflows.

    Notes
    -----
    Cost N^2. The same functional serves eigenstates of the single-particle Hamiltonian (first order of
    perturbation theory) and self-consistent orbitals (Hartree-Fock energy).

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (13), (14).

    Examples
    --------
    >>> first_order_energy([-1.0], [[0.25]], 2.0, [True], [True])
    -1.5
    """
    pattern = _Pattern.checked(energies, overlaps, interaction, up, down, equal_spin)
    n = pattern.occupied.astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        # Half of the fields: each interaction belongs to two particles.
        total = 0.5 * (n * (pattern.energies + pattern.fields())).sum()
    return float(_finite(np.asarray(total)))


def addition_energy(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    up: ArrayLike,
    down: ArrayLike,
    *,
    equal_spin: ArrayLike | None = None,
) -> FloatArray:
    r"""Energy E_1 of one particle in every spin orbital, all other particles held fixed.

    .. math:: E_1(a\sigma)=\xi_a+\sum_{c\sigma'}
              (U_{aacc}^{\sigma\sigma'}-\delta_{\sigma\sigma'}U_{acca}^{\sigma\sigma})\,n_{c\sigma'} .

    Parameters
    ----------
    energies, overlaps, interaction, up, down, equal_spin
        As in :func:`first_order_energy`.

    Returns
    -------
    ndarray, shape (2, N)
        Row 0: up, row 1: down. For an empty orbital the cost of adding a particle; for an occupied one minus
        the cost of removing it. A particle of opposite spin in the same state counts: E_1 then contains
        U_aaaa. The diagonal of `equal_spin` is zero, so that no particle acts on itself.

    Raises
    ------
    TypeError, ValueError
        As :func:`first_order_energy`.

    Notes
    -----
    Cost N^2. For self-consistent orbitals these are the Hartree-Fock levels (Koopmans).

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (15a).

    Examples
    --------
    >>> addition_energy([-1.0], [[0.25]], 2.0, [True], [False])
    array([[-1. ],
           [-0.5]])
    """
    pattern = _Pattern.checked(energies, overlaps, interaction, up, down, equal_spin)
    with np.errstate(over="ignore", invalid="ignore"):
        return _finite(pattern.fields())


def pair_addition_energy(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    up: ArrayLike,
    down: ArrayLike,
    *,
    spins: str = "opposite",
    equal_spin: ArrayLike | None = None,
) -> FloatArray:
    r"""Energy E_2 of adding two particles to any two spin orbitals.

    .. math:: E_2(a\sigma,c\sigma')=E_1(a\sigma)+E_1(c\sigma')
              +U_{aacc}^{\sigma\sigma'}-\delta_{\sigma\sigma'}U_{acca}^{\sigma\sigma} .

    Parameters
    ----------
    energies, overlaps, interaction, up, down, equal_spin
        As in :func:`first_order_energy`.
    spins : {"opposite", "up", "down"}
        Row state a up and column state c down; or both up; or both down.

    Returns
    -------
    ndarray, shape (N, N)
        The cost of the pair where both orbitals are empty. For equal spins the diagonal is infinite: the
        Pauli principle. For two particles that are present, the cost of removing them is
        -E_1 - E_1 + interaction: the last term keeps its sign (see :func:`occupation_stability`).

    Raises
    ------
    TypeError, ValueError
        As :func:`first_order_energy`, or if `spins` is none of the three.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (15b).

    Examples
    --------
    >>> pair_addition_energy([0.5], [[0.25]], 2.0, [False], [False])
    array([[1.5]])
    """
    pairs = {"opposite": (0, 1), "up": (0, 0), "down": (1, 1)}
    if not isinstance(spins, str) or spins not in pairs:
        raise ValueError(f"spins must be one of {sorted(pairs)}, got {spins!r}")
    first, second = pairs[spins]
    pattern = _Pattern.checked(energies, overlaps, interaction, up, down, equal_spin)
    with np.errstate(over="ignore", invalid="ignore"):
        fields = pattern.fields()
        result = _finite(fields[first][:, None] + fields[second] + pattern.coupling(first, second))
    if first == second:
        np.fill_diagonal(result, np.inf)
    return result


@dataclass(frozen=True)
class Excitation:
    """The cheapest move of one kind.

    Attributes
    ----------
    energy : float
        Change of E^(1) - mu N; negative: the move lowers it.
    added, removed : tuple of (int, str)
        State and spin ("up" or "down") of every particle added and removed.
    """

    energy: float
    added: tuple[tuple[int, str], ...] = ()
    removed: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class OccupationStability:
    """Cheapest moves away from a pattern of occupations; None where no such move exists.

    Attributes
    ----------
    addition, removal : Excitation or None
        One particle more, one less, at the given chemical potential.
    pair_addition, pair_removal : Excitation or None
        Two particles more, two less.
    transfer : Excitation or None
        One particle moved to another spin orbital, with or without a flip of its spin; number fixed.
    """

    addition: Excitation | None
    removal: Excitation | None
    pair_addition: Excitation | None
    pair_removal: Excitation | None
    transfer: Excitation | None

    @property
    def grand_canonical(self) -> bool:
        """Whether none of the five moves lowers E^(1) - mu N."""
        moves = (self.addition, self.removal, self.pair_addition, self.pair_removal, self.transfer)
        return all(move is None or move.energy >= 0 for move in moves)

    @property
    def canonical(self) -> bool:
        """Whether no transfer lowers E^(1)."""
        return self.transfer is None or self.transfer.energy >= 0


def _cheapest(costs: FloatArray, allowed: BoolArray) -> tuple[float, tuple[int, ...]] | None:
    if not allowed.any():
        return None
    masked = np.where(allowed, costs, np.inf)
    index = np.unravel_index(int(np.argmin(masked)), masked.shape)
    return float(masked[index]), tuple(int(i) for i in index)


def _single(found: tuple[float, tuple[int, ...]] | None, *, added: bool) -> Excitation | None:
    if found is None:
        return None
    energy, (spin, state) = found
    orbital = ((state, SPINS[spin]),)
    return Excitation(energy, orbital, ()) if added else Excitation(energy, (), orbital)


def _pair_of(pattern: _Pattern, costs: FloatArray, allowed: BoolArray, sign: float) -> Excitation | None:
    """Cheapest pair of additions (sign +1) or removals (-1); `costs` (2, N) are those of one particle."""
    best: Excitation | None = None
    for first, second in ((0, 1), (0, 0), (1, 1)):
        mask = allowed[first][:, None] & allowed[second]
        if first == second:
            np.fill_diagonal(mask, False)
        pairs = _finite(costs[first][:, None] + costs[second] + pattern.coupling(first, second))
        found = _cheapest(pairs, mask)
        if found is not None and (best is None or found[0] < best.energy):
            a, c = found[1]
            orbitals = (a, SPINS[first]), (c, SPINS[second])
            best = Excitation(found[0], orbitals, ()) if sign > 0 else Excitation(found[0], (), orbitals)
    return best


def occupation_stability(
    energies: ArrayLike,
    overlaps: ArrayLike,
    interaction: float,
    up: ArrayLike,
    down: ArrayLike,
    *,
    chemical_potential: float = 0.0,
    equal_spin: ArrayLike | None = None,
) -> OccupationStability:
    r"""Cheapest addition, removal and transfer of particles: the necessary conditions for a ground state.

    With fields E_1 of :func:`addition_energy` in the pattern as it stands and f the interaction of two
    particles, the changes of E^(1) - mu N are: addition E_1 - mu, removal mu - E_1, two additions
    E_1 + E_1 + f - 2 mu, two removals -E_1 - E_1 + f + 2 mu, transfer from a to c
    E_1(c) - E_1(a) - f.

    Parameters
    ----------
    energies, overlaps, interaction, up, down, equal_spin
        As in :func:`first_order_energy`.
    chemical_potential : float
        mu, energy. Transfers do not depend on it.

    Returns
    -------
    OccupationStability
        The cheapest move of each of five kinds with its energy; `.grand_canonical` and `.canonical` say
        whether none of them is negative. Stability against them is necessary, not sufficient, for a minimum.

    Raises
    ------
    TypeError, ValueError
        As :func:`first_order_energy`.

    Notes
    -----
    Cost N^2. For f >= 0 two additions never pay when no single one does, nor do two removals; for f <= 0
    no transfer pays when no addition and no removal does.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (15a), (15b) and the paragraph after them; the
    transfers, which keep the number of particles, are not in the paper.

    Examples
    --------
    >>> full = occupation_stability([-0.125], [[0.25]], 2.0, [True], [True])
    >>> full.removal.energy, full.pair_removal.energy
    (-0.375, -0.25)
    """
    mu = real_scalar("chemical_potential", chemical_potential)
    pattern = _Pattern.checked(energies, overlaps, interaction, up, down, equal_spin)
    occupied = pattern.occupied
    with np.errstate(over="ignore", invalid="ignore"):
        fields = _finite(pattern.fields() - mu)
        addition = _single(_cheapest(fields, ~occupied), added=True)
        removal = _single(_cheapest(-fields, occupied), added=False)
        transfer: Excitation | None = None
        for source in (0, 1):
            for target in (0, 1):
                costs = fields[target] - fields[source][:, None] - pattern.coupling(source, target)
                found = _cheapest(_finite(costs), occupied[source][:, None] & ~occupied[target])
                if found is not None and (transfer is None or found[0] < transfer.energy):
                    a, c = found[1]
                    transfer = Excitation(found[0], ((c, SPINS[target]),), ((a, SPINS[source]),))
        pair_addition = _pair_of(pattern, fields, ~occupied, 1.0)
        pair_removal = _pair_of(pattern, -fields, occupied, -1.0)
    return OccupationStability(
        addition,
        removal,
        pair_addition,
        pair_removal,
        transfer,
    )
