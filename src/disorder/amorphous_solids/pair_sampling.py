"""Random resonant pairs of centres: the distribution of their amplitudes by Monte Carlo."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.validation import FloatArray, integer, real_array
from .centre_amplitudes import CentreAmplitudes
from .pair_distribution import check_initial, coupling_window
from .pair_tunneling import find_resonances


@dataclass(frozen=True)
class PairHistogram:
    """Delta_0 P_2/(P_0 chi) in bins of ln Delta_0, from random pairs.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Ends of the bins in Delta_0.
    density, error : ndarray, shape (n,)
        Mean over each bin in ln Delta_0, and its standard error.
    total, total_error : float
        Integral over all ln Delta_0, inside or outside the bins, and its standard error.
    refused : float
        Share of the draws without a resonance, or with an amplitude beyond 1000 times an energy, where
        none is sought (method "exact").
    """

    edges: FloatArray
    density: FloatArray
    error: FloatArray
    total: float
    total_error: float
    refused: float


def sample_pair_amplitudes(
    edges: ArrayLike,
    initial: CentreAmplitudes,
    smallest_coupling: float,
    largest_coupling: float,
    samples: int = 100_000,
    seed: int = 0,
    method: str = "weak",
    bounded: bool = False,
) -> PairHistogram:
    r"""Draw random resonant pairs (Delta = 0) and collect their amplitudes.

    Parameters
    ----------
    edges : array_like, shape (n + 1,)
        Increasing positive ends of bins in Delta_0; energy.
    initial : CentreAmplitudes
        Amplitudes of the centres.
    smallest_coupling, largest_coupling : float
        U_0/R_max^3 and U_0/R_min^3; energy. All |u| equal U_0.
    samples : int
        Pairs drawn, 2 to 10^8.
    seed : int
        Seed of the generator.
    method : {"weak", "perturbative", "exact"}
        Amplitude of a pair: second order with eps_i or E_i, or exact; the exact pair is taken at its own
        resonance, with the Jacobian.
    bounded : bool
        Keep only pairs with Delta_0i < eps_i.

    Returns
    -------
    PairHistogram

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    At resonance eps_1 = U y with y uniform, and equal intervals of ln U hold equally many pairs: every draw
    counts the same, none is rejected for its energy. About 0.2 us a draw, 10 us when exact.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.8), (3.9).

    Examples
    --------
    >>> law = CentreAmplitudes("exponential", 0.01)
    >>> result = sample_pair_amplitudes([1e-9, 1.0], law, 1.0, np.e**3, samples=100)
    >>> round(result.total, 12)
    1.0
    """
    ends = real_array("edges", edges, ndim=1, low=0.0)
    if ends.size < 2 or not (np.diff(ends) > 0).all():
        raise ValueError(f"edges must be at least two increasing numbers, got {edges!r}")
    law = check_initial(initial)
    low, high, _ = coupling_window(smallest_coupling, largest_coupling, 0.0)
    count = integer("samples", samples, low=2, high=10**8)
    if not isinstance(method, str) or method not in ("weak", "perturbative", "exact"):
        raise ValueError(f"method must be 'weak', 'perturbative' or 'exact', got {method!r}")
    if not isinstance(bounded, bool | np.bool_):
        raise TypeError(f"bounded must be True or False, got {bounded!r}")
    generator = np.random.default_rng(integer("seed", seed, low=0))
    sums, squares = np.zeros(ends.size - 1), np.zeros(ends.size - 1)
    total = total_square = 0.0
    refused = 0
    # The exact resonance shifts the coupling against eps_1 + eps_2: draw from a wider interval, then cut.
    margin = math.log(4.0) if method == "exact" else 0.0
    length = math.log(high / low) + 2 * margin
    for first in range(0, count, 1 << 18):
        size = min(1 << 18, count - first)
        bare = low * np.exp(length * generator.random(size) - margin)
        y = generator.random(size)
        # Neither share of the coupling may round to zero.
        e1, e2 = bare * np.maximum(y, 1e-17), bare * np.maximum(1 - y, 1e-17)
        a1, a2 = law.sample(generator, size), law.sample(generator, size)
        weight = np.full(size, length / 3)
        if method == "weak":
            value = a1 / np.minimum(e1, e2) * (bare / np.maximum(e1, e2)) * (a2 / 2)
        elif method == "perturbative":
            value = a1 / np.hypot(e1, a1) * (a2 / np.hypot(e2, a2)) * (bare / 2)
        else:
            out, found = np.zeros((size, 3)), np.empty(size, dtype=np.bool_)
            find_resonances(e1 / bare, e2 / bare, a1 / bare, a2 / bare, out, found)
            coupling = 1 - out[:, 0]
            found &= out[:, 2] > 0
            inside = found & (coupling * bare > low) & (coupling * bare < high)
            refused += int((~found).sum())
            value = out[:, 1] * bare
            weight = np.where(inside, weight / (coupling**2 * np.where(found, out[:, 2], 1.0)), 0.0)
        if bounded:
            weight = np.where((a1 < e1) & (a2 < e2), weight, 0.0)
        total += float(weight.sum())
        total_square += float(weight @ weight)
        place = np.searchsorted(ends, value, side="right") - 1
        kept = (place >= 0) & (place < ends.size - 1)
        sums += np.bincount(place[kept], weight[kept], minlength=ends.size - 1)
        squares += np.bincount(place[kept], weight[kept] ** 2, minlength=ends.size - 1)
    with np.errstate(divide="ignore"):
        width = np.diff(np.log(ends))
    mean, spread = sums / count, np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0.0) / count)
    whole = total / count
    whole_error = math.sqrt(max(total_square / count - whole**2, 0.0) / count)
    return PairHistogram(ends, mean / width, spread / width, whole, whole_error, refused / count)
