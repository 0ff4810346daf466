r"""Restricted (paramagnetic) Hartree-Fock theory of the on-site interaction.

For a repulsive interaction the free energy is a convex functional of the density matrix,

.. math:: F=2\,\mathrm{Tr}\,h\rho+U\sum_in_i^2-2T\,S(\rho),\qquad n_i=\rho_{ii},

so its minimum is unique, and the potential :math:`v_i=Un_i` maximizes a concave function. Newton's method
with a line search on that function always arrives. At T = 0 the minimum is either a determinant with a gap,
or some levels lie exactly at the Fermi level and stay partly occupied: they are *pinned*.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import expit, xlogy
from threadpoolctl import threadpool_limits

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, real_scalar
from .arguments import symmetric_matrix

_LARGEST = 1600
_NEWTON_STEPS = 200
_COOLING = 0.25
# At T = 0 pinned levels agree to about this fraction of the bandwidth; the energy is exact to its square.
_COLDEST = 1e-6


@dataclass(frozen=True)
class HartreeFockState:
    """A self-consistent Hartree-Fock state (energies in the unit of the matrix).

    Attributes
    ----------
    density_up, density_down : ndarray, shape (V,)
        Particles of each spin per site.
    energies_up, energies_down : ndarray, shape (V,)
        Hartree-Fock levels in rising order.
    states_up, states_down : ndarray, shape (V, V)
        Their states, by columns.
    occupations_up, occupations_down : ndarray, shape (V,)
        Between 0 and 1; fractional at T = 0 only for pinned levels.
    energy : float
        Expectation value of the Hamiltonian without field and chemical potential.
    entropy : float
        Of both spins.
    chemical_potential, temperature, interaction : float
    residual : float
        Largest difference of a site's density before and after one more iteration.
    """

    density_up: FloatArray
    density_down: FloatArray
    energies_up: FloatArray
    energies_down: FloatArray
    states_up: FloatArray
    states_down: FloatArray
    occupations_up: FloatArray
    occupations_down: FloatArray
    energy: float
    entropy: float
    chemical_potential: float
    temperature: float
    interaction: float
    residual: float

    @property
    def particles(self) -> float:
        """Particles of both spins."""
        return float(self.occupations_up.sum() + self.occupations_down.sum())

    @property
    def magnetization(self) -> FloatArray:
        """Moment of each site, up minus down."""
        return np.asarray(self.density_up - self.density_down)

    @property
    def free_energy(self) -> float:
        """Energy minus temperature times entropy."""
        return self.energy - self.temperature * self.entropy

    @property
    def pinned(self) -> int:
        """Number of partly filled levels of both spins (by more than a millionth)."""
        both = np.concatenate([self.occupations_up, self.occupations_down])
        return int(((both > 1e-6) & (both < 1 - 1e-6)).sum())

    @property
    def gap(self) -> float:
        """Lowest empty minus highest occupied level of either spin (occupations cut at one half)."""
        levels = np.concatenate([self.energies_up, self.energies_down])
        filled = np.concatenate([self.occupations_up, self.occupations_down]) > 0.5
        if filled.all() or not filled.any():
            return math.inf
        return float(levels[~filled].min() - levels[filled].max())


def checked_matrix(matrix: Any) -> FloatArray:
    if sparse.issparse(matrix):
        matrix = matrix.toarray()
    h = symmetric_matrix("matrix", matrix)
    if h.shape[0] > _LARGEST:
        raise ValueError(f"matrix must have at most {_LARGEST} rows, got {h.shape[0]}")
    return (h + h.T) / 2


def diagonalize(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    energies, states = scipy.linalg.eigh(matrix, driver="evd", check_finite=False)
    return energies, states


def fermi_occupations(
    energies: FloatArray, count: float | None, mu: float, temperature: float
) -> tuple[FloatArray, float]:
    """Occupations of `count` particles in sorted or unsorted levels, or at `mu` if `count` is None."""
    if temperature == 0.0:
        if count is None:
            return np.where(energies < mu, 1.0, np.where(energies == mu, 0.5, 0.0)), mu
        order = np.argsort(energies, kind="stable")
        filled = np.zeros(energies.size)
        whole = math.floor(count + 1e-9)
        filled[order[:whole]] = 1.0
        if count - whole > 1e-9:
            filled[order[whole]] = count - whole
            return filled, float(energies[order[whole]])
        ends = energies[order[max(whole - 1, 0)]], energies[order[min(whole, energies.size - 1)]]
        return filled, float(0.5 * (ends[0] + ends[1]))
    if count is None:
        return expit((mu - energies) / temperature), mu
    if count <= 0.0 or count >= energies.size:
        return np.full(energies.size, 0.0 if count <= 0.0 else 1.0), math.copysign(math.inf, count - 0.5)
    ordered = np.sort(energies)
    middle = float(ordered[min(int(count), energies.size - 1)])
    reach = temperature * (
        40.0 + math.log(energies.size) + 2 * abs(math.log(min(count, energies.size - count)))
    )
    low, high = float(ordered[0]) - reach, float(ordered[-1]) + reach
    mu = min(max(middle, low), high)
    for _ in range(200):
        f = expit((mu - energies) / temperature)
        excess = f.sum() - count
        if excess > 0.0:
            high = mu
        else:
            low = mu
        slope = float((f * expit((energies - mu) / temperature)).sum()) / temperature
        step = mu - excess / slope if slope > 0.0 else math.nan
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - mu) <= 4e-16 * max(abs(new), temperature):
            break
        mu = new
    return expit((mu - energies) / temperature), mu


def difference_quotient(energies: FloatArray, occupations: FloatArray, temperature: float) -> FloatArray:
    """(f_a - f_b) / (E_a - E_b), or f'(E) where the levels agree: never above zero for Fermi functions."""
    gap = energies[:, None] - energies[None, :]
    change = occupations[:, None] - occupations[None, :]
    if temperature == 0.0:
        if ((gap == 0.0) & (change != 0.0)).any():
            raise ConvergenceError(
                "levels of different occupation agree to rounding: the response is infinite"
            )
        return np.asarray(np.divide(change, gap, out=np.zeros_like(gap), where=change != 0.0))
    # f_a - f_b = -2 sinh(x/2) sqrt(f_a (1-f_a) f_b (1-f_b)) holds without cancellation, x = (E_a - E_b)/T.
    half = gap / (2 * temperature)
    weight = np.sqrt(np.outer(occupations * (1 - occupations), occupations * (1 - occupations)))
    close = np.abs(half) < 1.0
    series = np.ones_like(half)
    np.divide(
        np.sinh(half, where=close, out=np.zeros_like(half)), half, out=series, where=close & (half != 0)
    )
    quotient = -weight * series / temperature
    np.divide(change, gap, out=quotient, where=~close)
    return quotient


def pair_matrix(states: FloatArray, weights: FloatArray) -> FloatArray:
    """sum_ab weights_ab phi_a(i) phi_b(i) phi_a(j) phi_b(j) for all sites i, j."""
    size = states.shape[0]
    result = np.empty((size, size))
    for i in range(size):
        product = states * states[i]
        result[i] = np.einsum("ja,ja->j", product @ weights, product)
    return (result + result.T) / 2


def _entropy(occupations: FloatArray) -> float:
    return float(-(xlogy(occupations, occupations) + xlogy(1 - occupations, 1 - occupations)).sum())


def filling(
    size: int, particles: float | None, chemical_potential: float | None
) -> tuple[float | None, float]:
    """Particles per spin (None at a given chemical potential), and the chemical potential."""
    if (particles is None) == (chemical_potential is None):
        raise TypeError(
            f"give either particles or chemical_potential, got particles = {particles!r} and "
            f"chemical_potential = {chemical_potential!r}"
        )
    if particles is None:
        return None, real_scalar("chemical_potential", chemical_potential)
    count = real_scalar("particles", particles, low=0.0, high=2.0 * size)
    return count / 2, 0.0


def solution(
    h: FloatArray,
    interaction: float,
    levels: tuple[tuple[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray, FloatArray]],
    mu: float,
    temperature: float,
    residual: float,
) -> HartreeFockState:
    (e_up, s_up, f_up), (e_down, s_down, f_down) = levels
    n_up, n_down = s_up**2 @ f_up, s_down**2 @ f_down
    kinetic = sum(
        float(f @ np.einsum("ia,ij,ja->a", s, h, s, optimize=True))
        for s, f in ((s_up, f_up), (s_down, f_down))
    )
    return HartreeFockState(
        n_up, n_down, e_up, e_down, s_up, s_down, f_up, f_down,
        kinetic + interaction * float(n_up @ n_down),
        _entropy(f_up) + _entropy(f_down),
        mu, temperature, interaction, residual,
    )  # fmt: skip


class _Restricted:
    """The concave function of the potential v = U n that the restricted solution maximises."""

    def __init__(self, h: FloatArray, interaction: float, count: float | None, mu: float) -> None:
        self.h, self.interaction, self.count, self.fixed_mu = h, interaction, count, mu

    def evaluate(self, v: FloatArray, temperature: float) -> float:
        """U/2 times [free energy of free particles in v] - v^2/2, and everything at v."""
        self.v = v
        self.energies, self.states = diagonalize(self.h + np.diag(v))
        f, self.mu = fermi_occupations(self.energies, self.count, self.fixed_mu, temperature)
        self.occupations = f
        self.density = self.states**2 @ f
        offset = 0.0 if self.count is not None else self.mu
        free = float(f @ (self.energies - offset)) - temperature * _entropy(f)
        self.gradient = self.interaction * self.density - v
        return self.interaction * free - 0.5 * float(v @ v)

    def tangent(self, temperature: float) -> FloatArray:
        """Derivative of the solution with respect to temperature, from the last evaluation."""
        slope = self.occupations * (1 - self.occupations) / temperature
        offset = self.energies - self.mu
        if self.count is not None and slope.sum() > 0.0:
            offset = offset - (slope @ offset) / slope.sum()
        rate = self.interaction * (self.states**2 @ (slope * offset)) / temperature
        return self._solve(temperature, rate)

    def step(self, temperature: float) -> FloatArray:
        return self._solve(temperature, self.gradient)

    def _solve(self, temperature: float, right: FloatArray) -> FloatArray:
        quotient = difference_quotient(self.energies, self.occupations, temperature)
        response = pair_matrix(self.states, quotient)
        if self.count is not None and temperature > 0.0:
            slope = -np.diag(quotient)
            if slope.sum() > 0.0:
                shift = self.states**2 @ slope
                response += np.outer(shift, shift) / slope.sum()
        curvature = np.eye(self.v.size) - self.interaction * response
        return np.asarray(scipy.linalg.solve(curvature, right, assume_a="pos", check_finite=False))

    def solve(self, v: FloatArray, temperature: float, tolerance: float) -> bool:
        value = self.evaluate(v, temperature)
        for _ in range(_NEWTON_STEPS):
            residual = np.abs(self.gradient).max()
            if residual <= tolerance:
                return True
            start, step = self.v, self.step(temperature)
            rise = float(self.gradient @ step)
            length = 1.0
            while True:
                new = self.evaluate(start + length * step, temperature)
                if new >= value + 1e-4 * length * rise or np.abs(self.gradient).max() < 0.5 * residual:
                    break
                length *= 0.5
                if length < 1e-12:
                    self.evaluate(start, temperature)
                    return bool(residual <= 100 * tolerance)
            value = new
        return False


def restricted_hartree_fock(
    matrix: ArrayLike,
    interaction: float,
    *,
    particles: float | None = None,
    chemical_potential: float | None = None,
    temperature: float = 0.0,
) -> HartreeFockState:
    r"""Return the paramagnetic Hartree-Fock state, the unique minimum of the restricted free energy.

    Parameters
    ----------
    matrix : array_like or sparse array, shape (V, V)
        Real symmetric single-particle Hamiltonian, V at most 1600.
    interaction : float
        Repulsion U of two particles on a site, at least 0, in the unit of `matrix`.
    particles : float
        Number of particles of both spins, between 0 and 2V; or else
    chemical_potential : float
        in the unit of `matrix`. Exactly one of the two is given.
    temperature : float
        0, or at least a millionth of the largest of matrix entry and interaction.

    Returns
    -------
    HartreeFockState
        Both spins alike. At T = 0 the limit of low temperature: a determinant if there is a gap; otherwise
        pinned levels carry the fractions that keep them all at the Fermi level (the levels then agree to
        about 1e-5 of the bandwidth, and the energy is exact to its square).

    Raises
    ------
    ConvergenceError
        If Newton's method stops short of rounding errors.
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Newton's method with line search on the concave dual function; temperature is lowered by factors of four
    along the tangent of the solution. One step costs one diagonalisation and 2 V^4 operations.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (5b), (6), (A1).

    Examples
    --------
    One site below the Fermi level with U above it: the level is pinned there, half-filled if U = -2 xi.

    >>> state = restricted_hartree_fock([[-0.5]], 1.0, chemical_potential=0.0)
    >>> bool(abs(state.density_up[0] - 0.5) < 1e-9), state.pinned
    (True, 2)
    """
    h = checked_matrix(matrix)
    interaction = real_scalar("interaction", interaction, low=0.0, open_low=False)
    target = real_scalar("temperature", temperature, low=0.0, open_low=False)
    count, mu = filling(h.shape[0], particles, chemical_potential)
    scale = energy_scale(h, interaction, target, mu)
    problem = _Restricted(h / scale, interaction / scale, count, mu / scale)
    start = np.full(h.shape[0], problem.interaction * (0.5 if count is None else count / h.shape[0]))
    with threadpool_limits(1, user_api="blas"):
        _cool(problem, start, target / scale)
    residual = float(np.abs(problem.gradient).max()) / max(problem.interaction, 1e-300)
    level = (scale * problem.energies, problem.states, problem.occupations)
    return solution(h, interaction, (level, level), scale * problem.mu, target, residual)


def energy_scale(h: FloatArray, interaction: float, temperature: float, mu: float) -> float:
    scale = max(float(np.abs(h).max()), abs(interaction))
    if 0.0 < temperature < _COLDEST * scale:
        raise ValueError(
            f"temperature must be 0 or at least {_COLDEST:g} of the largest energy {scale:.4g}, "
            f"got {temperature!r}"
        )
    return max(scale, temperature, abs(mu)) or 1.0


def _cool(problem: _Restricted, start: FloatArray, target: float) -> None:
    """Solve at `target`, in units in which the largest energy is one, from warm to cold along the tangent."""
    end = target or _COLDEST
    temperature = max(end, 0.1)
    while True:
        last = temperature <= end
        # The rounding of the levels, seen through occupations at this temperature.
        floor = max(1e-12, 3e-16 / temperature)
        goal = floor if last else max(1e-3 * temperature, floor)
        if not problem.solve(start, temperature, goal):
            raise ConvergenceError(
                f"the restricted Hartree-Fock equations stopped with a residual of "
                f"{np.abs(problem.gradient).max():.2g} above {goal:.2g}, in units of the largest energy"
            )
        if target == 0.0:
            v, f = problem.v, problem.occupations
            if not (f * (1 - f) > 1e-3).any():
                if problem.solve(v, 0.0, 1e-12):
                    return
                problem.evaluate(v, temperature)
        if last:
            return
        colder = max(temperature * _COOLING, end)
        start = problem.v + (colder - temperature) * problem.tangent(temperature)
        temperature = colder
