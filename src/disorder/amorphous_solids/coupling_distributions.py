"""Distributions of the interaction constants u of two centres, and the mean strengths of their sums."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..numerics.quadrature import ConvergenceError, integrate
from ..numerics.validation import FloatArray, broadcast, integer, plain, real_array

Profile = Callable[[FloatArray], FloatArray]
_LARGEST_EXACT = 400
_LARGEST_SIZE = 10**12


class _Law(NamedTuple):
    quantile: Profile
    characteristic: Profile
    truncated_mean: Profile
    truncated_integral: Profile
    mean_sum: Callable[[int], float]


def _ein(x: FloatArray) -> FloatArray:
    """Entire exponential integral, int_0^x (1 - exp(-s))/s ds, without cancellation at small x."""
    small = np.minimum(x, 0.5)
    term, series = small.copy(), small.copy()
    for order in range(2, 16):
        term = term * -small / order
        series = series + term / order
    large = np.maximum(x, 0.5)
    beyond = np.asarray(special.exp1(large)) + np.log(large) + np.euler_gamma
    result: FloatArray = np.where(x < 0.5, series, beyond)
    return result


def _half_step(x: float) -> float:
    """2 Gamma(x + 1/2) / (sqrt(pi) Gamma(x)), to round-off for every x >= 1."""
    if x < 40:
        return 2 * math.gamma(x + 0.5) / (math.sqrt(math.pi) * math.gamma(x))
    y = 1 / x
    series = 1 + y * (-1 / 8 + y * (1 / 128 + y * (5 / 1024 + y * (-21 / 32768 + y * (
        -399 / 262144 + y * (869 / 4194304 + y * 39325 / 33554432))))))  # fmt: skip
    return 2 * math.sqrt(x / math.pi) * series


def _uniform_sum(terms: int) -> float:
    if terms > _LARGEST_EXACT:
        # Expansion about the normal law; the first term left out is below 1e-14.
        y = 1 / terms
        return math.sqrt(8 * terms / (3 * math.pi)) * (1 + y * (1 / 20 + y * (11 / 1120 + y * 41 / 22400)))
    # Irwin and Hall: E|sum of N uniforms - N/2| in integers, because the sum alternates.
    total = sum(
        (-1) ** k * math.comb(terms, k) * (terms - 2 * k) ** (terms + 1) for k in range((terms + 1) // 2)
    )
    return float(Fraction(8 * total, math.factorial(terms + 1) * 2 ** (terms + 1)))


def _gaussian_truncated(x: FloatArray) -> FloatArray:
    return np.asarray(x * special.erfc(x / math.sqrt(math.pi)) - np.expm1(-x * x / np.pi), dtype=np.float64)


_LAWS = {
    "bimodal": _Law(
        np.ones_like,
        np.cos,
        lambda x: np.minimum(x, 1.0),
        lambda x: np.minimum(x, 1.0) + np.log(np.maximum(x, 1.0)),
        lambda terms: _half_step((terms + 1) // 2),
    ),
    "uniform": _Law(
        lambda p: 2 * p,
        lambda q: np.sinc(2 * q / np.pi),
        lambda x: np.minimum(x, 2.0) * (1 - np.minimum(x, 2.0) / 4),
        lambda x: np.minimum(x, 2.0) * (1 - np.minimum(x, 2.0) / 8) + np.log(np.maximum(x, 2.0) / 2),
        _uniform_sum,
    ),
    "gaussian": _Law(
        lambda p: math.sqrt(math.pi) * special.erfinv(p),
        lambda q: np.exp(-np.pi * q * q / 4),
        _gaussian_truncated,
        lambda x: _gaussian_truncated(x) + _ein(x * x / np.pi) / 2,
        math.sqrt,
    ),
    "laplace": _Law(
        lambda p: -np.log1p(-p),
        lambda q: 1 / (1 + q * q),
        lambda x: -np.expm1(-x),
        _ein,
        _half_step,
    ),
}
COUPLING_DISTRIBUTIONS = tuple(_LAWS)
"""Names of the built-in distributions of u."""


class CouplingDistribution:
    """Symmetric distribution of an interaction constant u, in units of U_0 = <|u|>.

    Parameters
    ----------
    name : {"bimodal", "uniform", "gaussian", "laplace"}
        u = +-1; u between -2 and 2; normal with variance pi/2; density exp(-|u|)/2.

    Raises
    ------
    TypeError, ValueError
        If `name` is none of these.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.3), (2.4); the paper leaves the distribution open.

    Examples
    --------
    >>> float(CouplingDistribution("laplace").magnitude(0.5))
    0.6931471805599453
    """

    __slots__ = ("_law", "name")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"distribution must be a name or a CouplingDistribution, got {name!r}")
        if name not in _LAWS:
            raise ValueError(f"distribution must be one of {COUPLING_DISTRIBUTIONS}, got {name!r}")
        self.name = name
        self._law = _LAWS[name]

    def __repr__(self) -> str:
        return f"CouplingDistribution({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CouplingDistribution) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return CouplingDistribution, (self.name,)

    def magnitude(self, probability: ArrayLike) -> NDArray[np.float64] | float:
        """|u| below which it lies with the given `probability`, at least 0 and below 1."""
        p = real_array("probability", probability, low=0.0, high=1.0, open_low=False)
        return plain(np.asarray(self._law.quantile(p)))

    def characteristic(self, q: ArrayLike) -> NDArray[np.float64] | float:
        """Mean of cos(q u)."""
        return plain(np.asarray(self._law.characteristic(real_array("q", q, low=-1e100, high=1e100))))

    def truncated_mean(self, x: ArrayLike) -> NDArray[np.float64] | float:
        """Mean of the smaller one of |u| and `x`, with `x` from 0 to 1e100."""
        edge = real_array("x", x, low=0.0, open_low=False, high=1e100)
        return plain(np.asarray(self._law.truncated_mean(edge)))

    def truncated_integral(self, x: ArrayLike) -> NDArray[np.float64] | float:
        """Integral of truncated_mean(s)/s over s from 0 to `x` in closed form, with `x` from 0 to 1e100."""
        edge = real_array("x", x, low=0.0, open_low=False, high=1e100)
        return plain(np.asarray(self._law.truncated_integral(edge)))

    def mean_sum(self, terms: int) -> float:
        """Mean of |u_1 + ... + u_terms| for independent constants, to 13 digits; `terms` at least 1."""
        return self._law.mean_sum(integer("terms", terms, low=1, high=_LARGEST_SIZE))


def coupling_distribution(distribution: str | CouplingDistribution) -> CouplingDistribution:
    """Turn a name into a distribution; a distribution stays what it is.

    Parameters
    ----------
    distribution : str or CouplingDistribution

    Returns
    -------
    CouplingDistribution

    Raises
    ------
    TypeError, ValueError
        If it is neither.

    Examples
    --------
    >>> coupling_distribution("bimodal")
    CouplingDistribution('bimodal')
    """
    return (
        distribution if isinstance(distribution, CouplingDistribution) else CouplingDistribution(distribution)
    )


def _sizes(name: str, value: ArrayLike) -> FloatArray:
    sizes = real_array(name, value, low=1.0, open_low=False, high=_LARGEST_SIZE, open_high=False)
    if (sizes != np.round(sizes)).any():
        raise ValueError(f"{name} must hold integers of at least 1, got {value!r}")
    return sizes


def coupling_ratio(
    k: ArrayLike, m: ArrayLike, distribution: str | CouplingDistribution = "gaussian"
) -> NDArray[np.float64] | float:
    """Mean coupling of a k- and an m-centre cluster, b_km, when all k m pairs interact independently.

    Parameters
    ----------
    k, m : array_like of int
        Numbers of centres, at least 1; they broadcast. Their product is at most 1e12.
    distribution : str or CouplingDistribution
        Of the interaction constant of two centres.

    Returns
    -------
    ndarray or float
        b_km = <|u_km|>/U_0, where u_km is the sum of k m independent constants; 13 digits.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Closed forms: sqrt(km) for "gaussian"; 2 Gamma(N + 1/2) / (sqrt(pi) Gamma(N)) with N = km for "laplace"
    and with N = ceil(km/2) for "bimodal"; the alternating sum of Irwin and Hall, in integers, for "uniform"
    up to km = 400 and the characteristic function beyond.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.24), (4.7), (6.1).

    Examples
    --------
    >>> [round(coupling_ratio(1, 2, name), 6) for name in ("bimodal", "uniform", "gaussian", "laplace")]
    [1.0, 1.333333, 1.414214, 1.5]
    """
    law = coupling_distribution(distribution)
    first, second = broadcast(k=_sizes("k", k), m=_sizes("m", m))
    if (first * second > _LARGEST_SIZE).any():
        raise ValueError(f"k * m must be at most {_LARGEST_SIZE:.0e}, got {float((first * second).max()):g}")
    products, where = np.unique((first * second).astype(np.int64), return_inverse=True)
    values = np.array([law.mean_sum(int(product)) for product in products])
    return plain(values[where].reshape(first.shape))


def _mean_by_characteristic(characteristic: Profile, terms: int) -> float:
    """<|X_1 + ... + X_N|> = (2/pi) int (1 - phi(q)^N)/q^2 dq, with 1/q as variable for large q."""

    def lost(q: FloatArray) -> FloatArray:
        phi = np.asarray(characteristic(q), dtype=np.float64)
        # 1 - phi^N without cancellation where phi is close to 1.
        with np.errstate(divide="ignore"):
            logarithm = terms * np.log(np.abs(phi))
        sign = np.where((phi < 0) & (terms % 2 == 1), -1.0, 1.0)
        loss = np.where(sign > 0, -np.expm1(logarithm), 1 + np.exp(logarithm))
        return np.asarray(loss, dtype=np.float64)

    width = 1 / math.sqrt(terms)
    floor, cut = 1e-3 * width, 4.0 * width
    smallest, next_smallest = lost(np.array([floor, 2 * floor]))
    power = math.log2(next_smallest / smallest) if smallest > 0 else math.nan
    if not power > 1.05:
        raise ValueError(
            f"characteristic must leave 1 faster than |q|, or <|u|> does not exist; got power {power:.3g}"
        )
    try:
        near = integrate(
            lambda q: lost(q) / q**2, [floor, 0.5 * width, width, cut], rtol=1e-9, atol=1e-9 / width
        )
        far = integrate(lambda s: lost(1 / s), [0.0, 0.5 / cut, 1 / cut], rtol=1e-10, atol=1e-10 / width)
    except ConvergenceError as error:
        raise ConvergenceError(
            f"the characteristic function to the power {terms} does not fall off at large q"
        ) from error
    # Below `floor` the loss is a power of q.
    return 2 / math.pi * (float(smallest) / (floor * (power - 1)) + float(near.value) + float(far.value))


def coupling_ratio_from_characteristic(characteristic: Profile, k: int, m: int) -> float:
    """b_km of independent constants from the characteristic function of one of them, by quadrature.

    Parameters
    ----------
    characteristic : callable
        phi(q) = <cos(q u)> of a symmetric u, array to array; the unit of u is free, but u must be of order
        one.
    k, m : int
        Numbers of centres, at least 1; their product is at most 10000.

    Returns
    -------
    float
        <|u_1 + ... + u_km|>/<|u|>; relative accuracy 1e-8 if <u^2> exists, else about 1e-4.

    Raises
    ------
    ConvergenceError
        If phi oscillates for ever at large q, as cos q does.
    TypeError, ValueError
        If an argument is not as above, phi is not finite, or <|u|> does not exist.

    Notes
    -----
    <|X|> = (2/pi) int_0^inf (1 - phi(q))/q^2 dq, adaptive Gauss panels in q and, beyond the width, in 1/q.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.24), (4.7).

    Examples
    --------
    >>> round(coupling_ratio_from_characteristic(lambda q: 1 / (1 + q * q), 1, 2), 6)
    1.5
    """
    if not callable(characteristic):
        raise TypeError(f"characteristic must be callable, got {characteristic!r}")
    terms = integer("k", k, low=1) * integer("m", m, low=1)
    if terms > 10_000:
        raise ValueError(f"k * m must be at most 10000, got {terms}")
    at_zero = np.asarray(characteristic(np.zeros(1)), dtype=np.float64)
    if at_zero.shape != (1,) or not abs(float(at_zero[0]) - 1) < 1e-12:
        raise ValueError(f"characteristic must map arrays to arrays and equal 1 at q = 0, got {at_zero!r}")
    return _mean_by_characteristic(characteristic, terms) / _mean_by_characteristic(characteristic, 1)
