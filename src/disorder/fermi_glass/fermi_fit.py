"""Fermi functions fitted to average occupations, as in Fig. 2(a), with errors over disorder configurations.

All configurations are pooled: state a of configuration c is one point (energy, occupation). Least squares
over points is the same as least squares over averages with weights, so no bins are needed for a fit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, integer, positive, real_array

_SEARCHED = 40  # widths tried before the descent, evenly in their logarithm
_POLISH = 20


@dataclass(frozen=True)
class FermiFit:
    """Parameters of n = 2/(exp(beta (xi - mu)) + 1) and their standard errors over configurations.

    Attributes
    ----------
    width, width_error : float
        1/beta, in the unit of the energies; 0 if no smooth curve fits better than a step.
    level, level_error : float
        mu; for a step the middle of the gap between two states. Half that gap stands for both errors then:
        what happens inside it leaves no trace.
    deviation : float
        Root-mean-square distance of the points from the curve, over all points used.
    points : int
        Number of points used.
    """

    width: float
    width_error: float
    level: float
    level_error: float
    deviation: float
    points: int


@dataclass(frozen=True)
class OccupationProfile:
    """Average occupation in bins of energy.

    Attributes
    ----------
    energy : ndarray, shape (bins,)
        Mean energy of the states in a bin.
    occupation, occupation_error : ndarray, shape (bins,)
        Mean of n_up + n_down, and its standard error over configurations.
    states : ndarray of int, shape (bins,)
        Number of states of all configurations in a bin; empty bins are left out.
    """

    energy: FloatArray
    occupation: FloatArray
    occupation_error: FloatArray
    states: np.ndarray[tuple[int], np.dtype[np.int64]]


def _points(energies: ArrayLike, occupations: ArrayLike) -> tuple[FloatArray, FloatArray]:
    xi = real_array("energies", energies, ndim=2)
    n = real_array("occupations", occupations, ndim=2, low=0.0, high=2.0, open_low=False, open_high=False)
    if xi.shape != n.shape:
        raise ValueError(
            f"occupations must have the shape of energies, {xi.shape} (configurations, states), got {n.shape}"
        )
    if xi.shape[0] < 2 or xi.shape[1] < 2:
        raise ValueError(f"energies must hold at least 2 configurations of 2 states, got shape {xi.shape}")
    return xi, n


def fermi_levels(energies: ArrayLike, particles: int) -> FloatArray:
    """Fermi level of every configuration: midway between the last filled and the first empty level.

    Parameters
    ----------
    energies : array_like, shape (configurations, states)
        Energies of the states, in any order.
    particles : int
        Number of particles N, two to a state; for odd N the level of the last particle itself.

    Returns
    -------
    ndarray, shape (configurations,)

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or N does not leave a state empty.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Sec. IV.

    Examples
    --------
    >>> fermi_levels([[0.0, 1.0, 4.0], [2.0, 0.0, 1.0]], 4)
    array([2.5, 1.5])
    """
    xi = np.sort(real_array("energies", energies, ndim=2), axis=1)
    filled = integer("particles", particles, low=1, high=2 * xi.shape[1] - 1)
    return np.asarray((xi[:, (filled - 1) // 2] + xi[:, filled // 2]) / 2)


def occupation_profile(energies: ArrayLike, occupations: ArrayLike, edges: ArrayLike) -> OccupationProfile:
    """Average occupation in bins of energy, with errors over configurations: the points of Fig. 2(a).

    Parameters
    ----------
    energies : array_like, shape (configurations, states)
        Energies of the states.
    occupations : array_like, shape (configurations, states)
        n_up + n_down of the states, in [0, 2].
    edges : array_like, shape (bins + 1,)
        Increasing edges of the bins, in the unit of the energies.

    Returns
    -------
    OccupationProfile
        One entry per bin that holds a state. The error is that of a ratio of two sums over configurations,
        to first order; 0 where all of them agree.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Fig. 2(a).

    Examples
    --------
    >>> profile = occupation_profile([[0.0, 1.0], [0.2, 1.0]], [[2, 1], [2, 0]], [-1, 0.5, 1.5])
    >>> profile.occupation, profile.energy
    (array([2. , 0.5]), array([0.1, 1. ]))
    """
    xi, n = _points(energies, occupations)
    bounds = real_array("edges", edges, ndim=1)
    if bounds.size < 2 or (np.diff(bounds) <= 0).any():
        raise ValueError(f"edges must hold at least 2 increasing numbers, got {edges!r}")
    weights: list[FloatArray | None] = [None, xi, n]
    sums = np.array(
        [
            [np.histogram(xi[c], bounds, weights=None if w is None else w[c])[0] for c in range(xi.shape[0])]
            for w in weights
        ],
        dtype=np.float64,
    )
    sums = sums[:, :, sums[0].sum(axis=0) > 0]
    count = sums[0].sum(axis=0)
    mean = sums[2].sum(axis=0) / count
    scatter = ((sums[2] - mean * sums[0]) ** 2).sum(axis=0) * xi.shape[0] / (xi.shape[0] - 1)
    return OccupationProfile(
        sums[1].sum(axis=0) / count, mean, np.sqrt(scatter) / count, count.astype(np.int64)
    )


def _best_step(x: FloatArray, n: FloatArray, likelihood: bool) -> tuple[float, float, float] | None:
    # Middle and half-width of the gap of the best step, with its cost; a likelihood allows no exceptions.
    order = np.argsort(x)
    below = np.concatenate(([0.0], np.cumsum((2 - n[order]) ** 2)))
    above = np.concatenate((np.cumsum(n[order][::-1] ** 2)[::-1], [0.0]))
    # A step cannot divide equal energies, and is inside the range.
    cuts = np.flatnonzero(np.diff(x[order])) + 1
    k = cuts[(below + above)[cuts].argmin()]
    cost = float(below[k] + above[k]) / 2
    # A partial occupation right at the step costs nothing; this matters when it is the only one.
    inside = np.flatnonzero((n[order] > 0) & (n[order] < 2))
    if inside.size == 1 and below[inside[0]] + above[inside[0] + 1] == 0:
        return float(x[order][inside[0]]), 0.0, 0.0
    if likelihood and cost > 0:
        return None
    low, high = x[order][k - 1], x[order][k]
    return float(low + high) / 2, float(high - low) / 2, cost


def _objective(u: FloatArray, n: FloatArray, likelihood: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    # What every point adds to the objective, with its first and second derivative in u = (xi - mu)/width.
    p, q = expit(-u), expit(u)
    if likelihood:
        return 2 * np.logaddexp(0.0, -u) + n * u, n - 2 * p, 2 * p * q
    miss, slope = 2 * p - n, 2 * p * q
    return miss**2 / 2, -miss * slope, slope**2 + miss * slope * (q - p)


class _Fit:
    """The objective in x = (ln width, mu/scale), with gradient and Hessian."""

    def __init__(self, xi: FloatArray, n: FloatArray, scale: float, likelihood: bool) -> None:
        self.xi, self.n, self.scale, self.likelihood = xi, n, scale, likelihood

    def _reduced(self, x: FloatArray) -> tuple[FloatArray, float]:
        rate = float(np.exp(-x[0]))
        return (self.xi - x[1] * self.scale) * rate, self.scale * rate

    def value(self, x: FloatArray) -> float:
        return float(_objective(self._reduced(x)[0], self.n, self.likelihood)[0].sum())

    def scores(self, x: FloatArray) -> FloatArray:
        u, rate = self._reduced(x)
        first = _objective(u, self.n, self.likelihood)[1]
        return np.stack([-first * u, -first * rate])

    def gradient(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.scores(x).sum(axis=1))

    def hessian(self, x: FloatArray) -> FloatArray:
        u, rate = self._reduced(x)
        _, first, second = _objective(u, self.n, self.likelihood)
        mixed = float((second * u + first).sum()) * rate
        return np.array([[(second * u**2 + first * u).sum(), mixed], [mixed, second.sum() * rate**2]])


def _minimum(fit: _Fit, start: FloatArray) -> FloatArray | None:
    found = minimize(
        fit.value, start, jac=fit.gradient, hess=fit.hessian, method="trust-exact", options={"gtol": 1e-6}
    )
    # The value is too coarse to end on: the last digits come from the gradient alone.
    best = found.x
    for _ in range(_POLISH):
        hessian = fit.hessian(best)
        if not (np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0):
            return None
        move = np.linalg.solve(hessian, fit.gradient(best))
        if not np.abs(move).max() < 1.0:
            return None
        best = best - move
        if np.abs(move).max() < 1e-9:
            return np.asarray(best)
    return None


def fermi_fit(
    energies: ArrayLike, occupations: ArrayLike, *, window: float | None = None, method: str = "least squares"
) -> FermiFit:
    """Fit the Fermi function 2/(exp(beta (xi - mu)) + 1) to occupations of many configurations.

    Parameters
    ----------
    energies : array_like, shape (configurations, states)
        Energies against which the occupations are plotted; at least 2 configurations.
    occupations : array_like, shape (configurations, states)
        n_up + n_down of the states, in [0, 2].
    window : float, optional
        Use states within this distance of the step only; the step is where the energies' order would end
        the occupation of all particles. All states by default.
    method : {"least squares", "likelihood"}
        Least squares over all states, or the largest likelihood if each spin of each state were occupied
        independently: the latter weighs rare holes deep below the step more.

    Returns
    -------
    FermiFit
        With standard errors over configurations to first order (the infinitesimal jackknife), so that all
        correlations inside a configuration and a wrong shape of the curve are allowed for.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, no state is inside the window, or all occupations are 2 (or 0).
    ConvergenceError
        If no Fermi function narrower than the range of the energies fits.

    Notes
    -----
    Widths are scanned first, because least squares has several minima for narrow steps. Cost: about 0.1 s
    for 15 configurations of 3600 states.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Sec. IV, text before Fig. 2.

    Examples
    --------
    >>> xi = np.linspace(-1, 1, 401) + np.zeros((2, 1))
    >>> fit = fermi_fit(xi, 2 / (np.exp((xi - 0.1) / 0.05) + 1))
    >>> round(fit.width, 6), round(fit.level, 6)
    (0.05, 0.1)
    """
    xi, n = _points(energies, occupations)
    if method not in ("least squares", "likelihood"):
        raise ValueError(f"method must be 'least squares' or 'likelihood', got {method!r}")
    if not 0 < n.sum() < 2 * n.size:
        raise ValueError(
            f"occupations must not be all 0 or all 2, got a sum of {n.sum():g} for {n.size} states"
        )
    rank = min(round(n.sum() / 2), n.size - 1)
    centre = float(np.partition(xi.ravel(), rank)[rank])
    keep = np.full(xi.shape, True) if window is None else np.abs(xi - centre) <= positive("window", window)
    configuration = np.nonzero(keep)[0]
    x, n = xi[keep], n[keep]
    if not 0 < n.sum() < 2 * n.size:
        raise ValueError(f"window must reach occupied and empty states, {window!r} holds {n.size} states")
    span = float(np.ptp(x))
    if span == 0:
        raise ValueError(f"energies must not all be the same, got {x[0]!r} for {n.size} states")
    step = _best_step(x, n, method == "likelihood")
    if step is not None and step[2] == 0:
        return FermiFit(0.0, step[1], step[0], step[1], 0.0, n.size)
    widths = np.log(span) + np.linspace(np.log(2e-5), np.log(2.0), _SEARCHED)
    fit = _Fit(x, n, span, method == "likelihood")
    start = min((np.array([width, centre / span]) for width in widths), key=fit.value)
    fit.scale = float(np.exp(start[0]))
    start[1] = centre / fit.scale
    solution = _minimum(fit, start)
    smooth = np.inf if solution is None else fit.value(solution)
    if step is not None and step[2] < min(smooth, 0.25 * n.size * float(n.var())):
        return FermiFit(0.0, step[1], step[0], step[1], float(np.sqrt(2 * step[2] / n.size)), n.size)
    if solution is None or np.exp(solution[0]) > span:
        raise ConvergenceError(
            f"no Fermi function narrower than the range {span:g} of the energies fits the {n.size} states"
        )
    best, hessian = solution, fit.hessian(solution)
    count = xi.shape[0]
    scores = np.array([np.bincount(configuration, row, count) for row in fit.scores(best)])
    influence = np.linalg.solve(hessian, scores)
    errors = np.sqrt((influence**2).sum(axis=1) * count / (count - 1))
    width = float(np.exp(best[0]))
    curve = 2 * expit(-(x - best[1] * fit.scale) / width)
    return FermiFit(
        width,
        width * float(errors[0]),
        float(best[1]) * fit.scale,
        float(errors[1]) * fit.scale,
        float(np.sqrt(np.mean((curve - n) ** 2))),
        n.size,
    )
