"""Unrestricted Hartree-Fock theory of the on-site interaction.

The energy is bilinear in the density matrices of the two spins, so an exact minimisation for one spin after
the other never raises it. There are many minima; which one is reached depends on the start.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, real_array, real_scalar
from .hartree_fock import (
    HartreeFockState,
    checked_matrix,
    diagonalize,
    energy_scale,
    fermi_occupations,
    filling,
    solution,
)

_ITERATIONS = 20000
_TOLERANCE = 1e-10


def _anderson(
    advance: Callable[[FloatArray], FloatArray], x: FloatArray, mixing: float, tolerance: float
) -> tuple[FloatArray, float]:
    """Fixed point of `advance` by Anderson acceleration that falls back to plain mixing when it stumbles."""
    depth, plain, patience = 6, 20, 20
    points: list[FloatArray] = []
    changes: list[FloatArray] = []
    best, worst = math.inf, math.inf
    for _ in range(_ITERATIONS):
        change = advance(x) - x
        worst = float(np.abs(change).max())
        if worst <= tolerance:
            return x, worst
        if points and worst > 2 * best:
            # It stumbled: plain steps, which cannot go up, for twice as long as last time.
            points, changes, patience = [], [], 2 * patience
            plain = patience
        if plain > 0 or worst > 0.03:
            plain, best = plain - 1, math.inf
            x = x + mixing * change
            continue
        best = min(best, worst)
        points, changes = [*points[1 - depth :], x], [*changes[1 - depth :], change]
        new = x + mixing * change
        if len(points) > 1:
            base = np.array([c - change for c in changes[:-1]]).T
            weights = np.linalg.lstsq(base, -change, rcond=1e-10)[0]
            shift = np.array([p - x for p in points[:-1]]).T
            new = np.clip(new + (shift + mixing * base) @ weights, 0.0, 1.0)
        x = new
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
        energies, states = diagonalize((self.up, self.down)[spin] + self.interaction * np.diag(other))
        f, _ = fermi_occupations(energies, count, self.mu, self.temperature)
        self.levels[spin] = (energies, states, f)
        return np.asarray(states**2 @ f)

    def together(self, densities: FloatArray, count: float) -> FloatArray:
        """Both densities at the common chemical potential of `count` particles."""
        half = densities.size // 2
        pairs = [
            diagonalize(h + self.interaction * np.diag(other))
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
    h = checked_matrix(matrix)
    size = h.shape[0]
    interaction = real_scalar("interaction", interaction)
    temperature = real_scalar("temperature", temperature, low=0.0, open_low=False)
    count, mu = filling(size, particles, chemical_potential)
    up = _density("density_up", density_up, size)
    down = _density("density_down", density_down, size)
    b = np.zeros(size) if field is None else real_array("field", field, ndim=1)
    if b.shape != (size,):
        raise ValueError(f"field must have one entry per site ({size}), got shape {b.shape}")
    scale = max(energy_scale(h, interaction, temperature, mu), float(np.abs(b).max()))
    problem = _Unrestricted(h / scale, interaction / scale, b / scale, temperature / scale, mu / scale)
    with threadpool_limits(1, user_api="blas"):
        residual = _relax(problem, up, down, None if count is None else 2 * count)
    first, second = ((scale * e, s, f) for e, s, f in problem.levels)
    if count is not None and temperature == 0.0:
        ends = [(e[f > 0.5], e[f < 0.5]) for e, _, f in (first, second)]
        low = max((float(e.max()) for e, _ in ends if e.size), default=math.nan)
        high = min((float(e.min()) for _, e in ends if e.size), default=math.nan)
        problem.mu = 0.5 * (low + high) / scale
    return solution(h, interaction, (first, second), scale * problem.mu, temperature, residual)


def _density(name: str, value: ArrayLike, size: int) -> FloatArray:
    density = real_array(name, value, ndim=1, low=0.0, high=1.0, open_low=False, open_high=False)
    if density.shape != (size,):
        raise ValueError(f"{name} must have one entry per site ({size}), got shape {density.shape}")
    return density


def _relax(problem: _Unrestricted, up: FloatArray, down: FloatArray, particles: float | None) -> float:
    if particles is None:
        return _anderson(lambda x: problem.spin(1, problem.spin(0, x, None), None), down, 1.0, _TOLERANCE)[1]
    if problem.temperature > 0.0:
        start = np.concatenate([up, down])
        return _anderson(lambda x: problem.together(x, particles), start, 0.5, _TOLERANCE)[1]
    return _turn_over(problem, up, down, round(particles), particles)


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
