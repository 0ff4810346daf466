r"""Hartree-Fock theory of the on-site interaction: restricted (paramagnetic) and unrestricted solutions.

Restricted: for a repulsive interaction the free energy is a convex functional of the density matrix,

.. math:: F=2\,\mathrm{Tr}\,h\rho+U\sum_in_i^2-2T\,S(\rho),\qquad n_i=\rho_{ii},

so its minimum is unique, and the potential :math:`v_i=Un_i` maximises a concave function. Newton's method with
a line search on that function always arrives. At T = 0 the minimum is either a determinant with a gap, or some
levels lie exactly at the Fermi level and stay partly occupied: they are *pinned*.

Unrestricted: the energy is bilinear in the two density matrices, so an exact minimisation for one spin after
the other never raises it. There are many minima; which one is reached depends on the start.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import expit, xlogy
from threadpoolctl import threadpool_limits

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, integer, positive, real_array, real_scalar

_LARGEST = 1600
_NEWTON_STEPS = 200
_ITERATIONS = 3000
_TOLERANCE = 1e-10
_COOLING = 0.25
# At T = 0 a pinned level is resolved to this fraction of the bandwidth; the energy is then exact to its square.
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
        """Number of levels (both spins) with an occupation between 0.001 and 0.999."""
        both = np.concatenate([self.occupations_up, self.occupations_down])
        return int(((both > 1e-3) & (both < 1 - 1e-3)).sum())

    @property
    def gap(self) -> float:
        """Lowest empty minus highest occupied level of either spin (occupations cut at one half)."""
        levels = np.concatenate([self.energies_up, self.energies_down])
        filled = np.concatenate([self.occupations_up, self.occupations_down]) > 0.5
        if filled.all() or not filled.any():
            return math.inf
        return float(levels[~filled].min() - levels[filled].max())


def _matrix(matrix: Any) -> FloatArray:
    if sparse.issparse(matrix):
        matrix = matrix.toarray()
    h = real_array("matrix", matrix, ndim=2)
    if h.shape[0] != h.shape[1] or not 1 <= h.shape[0] <= _LARGEST:
        raise ValueError(f"matrix must be square with 1 to {_LARGEST} rows, got shape {h.shape}")
    if not np.allclose(h, h.T, rtol=0.0, atol=1e-12 * np.abs(h).max(initial=0.0)):
        raise ValueError(f"matrix must be symmetric, got asymmetry {np.abs(h - h.T).max():.3g}")
    return (h + h.T) / 2


def _eigh(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    with threadpool_limits(1, user_api="blas"):
        energies, states = scipy.linalg.eigh(matrix, check_finite=False)
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
    reach = temperature * (40.0 + math.log(energies.size) + 2 * abs(math.log(min(count, energies.size - count))))
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
    """(f_a - f_b) / (E_a - E_b), with f'(E) where the two levels agree: never above zero for Fermi functions."""
    gap = energies[:, None] - energies[None, :]
    change = occupations[:, None] - occupations[None, :]
    if temperature == 0.0:
        return np.asarray(np.divide(change, gap, out=np.zeros_like(gap), where=change != 0.0))
    # f_a - f_b = -2 sinh(x/2) sqrt(f_a (1-f_a) f_b (1-f_b)) holds without cancellation, x = (E_a - E_b)/T.
    half = gap / (2 * temperature)
    weight = np.sqrt(np.outer(occupations * (1 - occupations), occupations * (1 - occupations)))
    close = np.abs(half) < 1.0
    series = np.ones_like(half)
    np.divide(np.sinh(half, where=close, out=np.zeros_like(half)), half, out=series, where=close & (half != 0))
    quotient = -weight * series / temperature
    np.divide(change, gap, out=quotient, where=~close)
    return quotient


def pair_matrix(states: FloatArray, weights: FloatArray) -> FloatArray:
    """sum_ab weights_ab phi_a(i) phi_b(i) phi_a(j) phi_b(j) for all sites i, j."""
    size = states.shape[0]
    result = np.empty((size, size))
    # Only levels with a partner count; at low T this is a block of filled times empty levels.
    with threadpool_limits(1, user_api="blas"):
        for i in range(size):
            product = states * states[i]
            result[i] = ((product @ weights) * product).sum(axis=1)
    return (result + result.T) / 2


def _entropy(occupations: FloatArray) -> float:
    return float(-(xlogy(occupations, occupations) + xlogy(1 - occupations, 1 - occupations)).sum())


def _filling(
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
    count = real_scalar("particles", particles, low=0.0, high=2.0 * size, open_low=False, open_high=False)
    return count / 2, 0.0


def _solution(
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
        float(f @ np.einsum("ia,ij,ja->a", s, h, s, optimize=True)) for s, f in ((s_up, f_up), (s_down, f_down))
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
        self.energies, self.states = _eigh(self.h + np.diag(v))
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
        Both spins alike. At T = 0 the limit of low temperature: a determinant if there is a gap; otherwise the
        pinned levels carry the fractions that keep them all at the Fermi level (these then agree to about
        1e-5 of the bandwidth, and the energy to its square).

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
    h = _matrix(matrix)
    interaction = real_scalar("interaction", interaction, low=0.0, open_low=False)
    target = real_scalar("temperature", temperature, low=0.0, open_low=False)
    count, mu = _filling(h.shape[0], particles, chemical_potential)
    scale = _scale(h, interaction, target, mu)
    problem = _Restricted(h / scale, interaction / scale, count, mu / scale)
    start = np.full(h.shape[0], problem.interaction * (0.5 if count is None else count / h.shape[0]))
    _cool(problem, start, target / scale)
    residual = float(np.abs(problem.gradient).max()) / max(problem.interaction, 1e-300)
    level = (scale * problem.energies, problem.states, problem.occupations)
    return _solution(h, interaction, (level, level), scale * problem.mu, target, residual)


def _scale(h: FloatArray, interaction: float, temperature: float, mu: float) -> float:
    scale = max(float(np.abs(h).max()), abs(interaction))
    if 0.0 < temperature < _COLDEST * scale:
        raise ValueError(
            f"temperature must be 0 or at least {_COLDEST:g} of the largest energy {scale:.4g}, got {temperature!r}"
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


def _anderson(
    advance: Callable[[FloatArray], FloatArray], x: FloatArray, mixing: float, tolerance: float
) -> tuple[FloatArray, float]:
    """Fixed point of `advance` by Anderson acceleration that falls back to plain mixing when it stumbles."""
    depth = 6
    points: list[FloatArray] = []
    changes: list[FloatArray] = []
    best, worst = math.inf, math.inf
    for _ in range(_ITERATIONS):
        change = advance(x) - x
        worst = float(np.abs(change).max())
        if worst <= tolerance:
            return x, worst
        if worst > 3 * best:
            points, changes, best = [], [], math.inf
        best = min(best, worst)
        points, changes = [*points[1 - depth :], x], [*changes[1 - depth :], change]
        x = x + mixing * change
        if len(points) > 1 and worst < 0.1:
            base = np.array([c - change for c in changes[:-1]]).T
            weights = np.linalg.lstsq(base, -change, rcond=1e-10)[0]
            shift = np.array([p - points[-1] for p in points[:-1]]).T
            x = x + (shift + mixing * base) @ weights
            x = np.clip(x, 0.0, 1.0)
    raise ConvergenceError(
        f"the unrestricted Hartree-Fock equations stopped with a residual of {worst:.2g} particles on a site "
        f"after {_ITERATIONS} iterations"
    )


class _Unrestricted:
    def __init__(
        self, h: FloatArray, interaction: float, field: FloatArray, temperature: float, mu: float
    ) -> None:
        self.up, self.down = h - np.diag(field), h + np.diag(field)
        self.interaction, self.temperature, self.mu = interaction, temperature, mu
        self.levels: list[Any] = [None, None]

    def spin(self, spin: int, other: FloatArray, count: float | None) -> FloatArray:
        """Density of one spin in the potential of the other."""
        energies, states = _eigh((self.up, self.down)[spin] + self.interaction * np.diag(other))
        f, _ = fermi_occupations(energies, count, self.mu, self.temperature)
        self.levels[spin] = (energies, states, f)
        return np.asarray(states**2 @ f)

    def together(self, densities: FloatArray, count: float) -> FloatArray:
        """Both densities at the common chemical potential of `count` particles."""
        half = densities.size // 2
        pairs = [
            _eigh(h + self.interaction * np.diag(other))
            for h, other in ((self.up, densities[half:]), (self.down, densities[:half]))
        ]
        f, self.mu = fermi_occupations(
            np.concatenate([e for e, _ in pairs]), count, self.mu, self.temperature
        )
        self.levels = [(e, s, f[k * half : (k + 1) * half]) for k, (e, s) in enumerate(pairs)]
        return np.concatenate([s**2 @ g for _, s, g in self.levels])

    def transfer(self) -> int:
        """+1, -1 or 0: whether turning over the highest particle of a spin lowers the frozen energy."""
        best, move = -1e-9, 0
        for sign, (source, target) in ((1, (1, 0)), (-1, (0, 1))):
            (e, s, f), (e2, s2, f2) = self.levels[source], self.levels[target]
            if f.sum() < 0.5 or f2.sum() > f2.size - 0.5:
                continue
            top, bottom = int(f.sum() - 0.5), int(f2.sum() + 0.5)
            overlap = float(s[:, top] ** 2 @ s2[:, bottom] ** 2)
            cost = e2[bottom] - e[top] - self.interaction * overlap
            if cost < best:
                best, move = float(cost), sign
        return move


def unrestricted_hartree_fock(
    matrix: ArrayLike,
    interaction: float,
    density_up: ArrayLike,
    density_down: ArrayLike,
    *,
    particles: float | None = None,
    chemical_potential: float | None = None,
    temperature: float = 0.0,
    field: ArrayLike | None = None,
) -> HartreeFockState:
    r"""Return the unrestricted Hartree-Fock state that is reached from a given start.

    Parameters
    ----------
    matrix : array_like or sparse array, shape (V, V)
        Real symmetric single-particle Hamiltonian.
    interaction : float
        U of two particles on a site, of either sign, in the unit of `matrix`.
    density_up, density_down : array_like, shape (V,)
        Start: particles of each spin per site, between 0 and 1.
    particles : float
        Particles of both spins, between 0 and 2V (an integer at T = 0); or else
    chemical_potential : float
        in the unit of `matrix`.
    temperature : float
        0, or at least a millionth of the largest of matrix entry and interaction.
    field : array_like, shape (V,), optional
        B_i of the term sum_i B_i (n_down - n_up).

    Returns
    -------
    HartreeFockState
        A stationary state; the densities repeat to 1e-10.

    Raises
    ------
    ConvergenceError
        If the iteration does not arrive.
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    At T = 0 or at a given chemical potential one spin after the other is solved exactly in the potential of
    the other, which never raises the (free) energy; the iteration is accelerated by Anderson's method. At
    T = 0 the numbers of each spin start from `density_up` and particles are turned over as long as this
    lowers the energy with frozen states.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A1).

    Examples
    --------
    Two sites and two particles beyond U = 2t: one particle of each spin on its own site.

    >>> state = unrestricted_hartree_fock([[0, -1], [-1, 0]], 4.0, [1, 0], [0, 1], particles=2)
    >>> round(state.energy, 10), round(float(state.magnetization[0]), 6)
    (-0.5, 0.866025)
    """
    h = _matrix(matrix)
    size = h.shape[0]
    interaction = real_scalar("interaction", interaction)
    temperature = real_scalar("temperature", temperature, low=0.0, open_low=False)
    count, mu = _filling(size, particles, chemical_potential)
    up = _density("density_up", density_up, size)
    down = _density("density_down", density_down, size)
    b = np.zeros(size) if field is None else real_array("field", field, ndim=1)
    if b.shape != (size,):
        raise ValueError(f"field must have one entry per site ({size}), got shape {b.shape}")
    scale = max(_scale(h, interaction, temperature, mu), float(np.abs(b).max()))
    problem = _Unrestricted(h / scale, interaction / scale, b / scale, temperature / scale, mu / scale)
    if count is not None and temperature > 0.0:
        x, residual = _anderson(
            lambda x: problem.together(x, 2 * count), np.concatenate([up, down]), 0.5, _TOLERANCE
        )
    elif count is None:
        x, residual = _anderson(lambda x: problem.spin(1, problem.spin(0, x, None), None), down, 1.0, _TOLERANCE)
    else:
        residual = _turn_over(problem, up, down, round(2 * count), 2 * count)
    first, second = ((scale * e, s, f) for e, s, f in problem.levels)
    if count is not None and temperature == 0.0:
        ends = [(e[f > 0.5], e[f < 0.5]) for e, _, f in (first, second)]
        low = max((float(e.max()) for e, _ in ends if e.size), default=math.nan)
        high = min((float(e.min()) for _, e in ends if e.size), default=math.nan)
        problem.mu = 0.5 * (low + high) / scale
    return _solution(h, interaction, (first, second), scale * problem.mu, temperature, residual)


def _density(name: str, value: ArrayLike, size: int) -> FloatArray:
    density = real_array(name, value, ndim=1, low=0.0, high=1.0, open_low=False, open_high=False)
    if density.shape != (size,):
        raise ValueError(f"{name} must have one entry per site ({size}), got shape {density.shape}")
    return density


def _turn_over(
    problem: _Unrestricted, up: FloatArray, down: FloatArray, particles: int, given: float
) -> float:
    if abs(given - particles) > 1e-9:
        raise ValueError(f"particles must be an integer at temperature 0, got {given!r}")
    size = up.size
    least, most = max(0, particles - size), min(size, particles)
    ups = min(max(round(0.5 * (particles + float(up.sum() - down.sum()))), least), most)
    while True:
        held = ups

        def advance(x: FloatArray, held: int = held) -> FloatArray:
            return problem.spin(1, problem.spin(0, x, held), particles - held)

        down, residual = _anderson(advance, down, 1.0, _TOLERANCE)
        move = problem.transfer()
        if move == 0:
            return residual
        ups += move
