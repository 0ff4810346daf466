"""Couplings of clusters whose centres carry random charges or interact through conduction electrons."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import binom, j0

from ..numerics.quadrature import panel_rule
from ..numerics.validation import FloatArray, broadcast, plain, real_array

MECHANISMS = ("scalar", "indirect exchange")
LARGEST_CLUSTER = 1e15


def _sizes(name: str, value: ArrayLike) -> FloatArray:
    sizes = real_array(name, value, low=1.0, high=LARGEST_CLUSTER, open_low=False, open_high=False)
    if (sizes != np.round(sizes)).any():
        raise ValueError(f"{name} must be whole numbers, got {value!r}")
    return sizes


def _mechanism(mechanism: str) -> str:
    if mechanism not in MECHANISMS:
        raise ValueError(f"mechanism must be one of {MECHANISMS}, got {mechanism!r}")
    return mechanism


def _one_minus_j0(x: FloatArray) -> FloatArray:
    """1 - J_0(x) without cancellation, for 0 <= x <= 2.5."""
    z = x * x / 4
    total = np.zeros_like(x)
    for k in range(20, 0, -1):
        total = z / k**2 * (1 - total)
    return total


def _walk_distance(steps: int) -> float:
    """Mean distance after `steps` unit steps in random directions of a plane."""
    if steps == 1:
        return 1.0
    if steps == 2:
        return 4 / math.pi
    # Up to the first zero of J_0, in the variable q sqrt(n) that keeps large n smooth ...
    root = math.sqrt(steps)
    first = 2.4
    y, weight = panel_rule(np.linspace(0.0, min(first * root, 14.0), 13), 24)
    power = -np.expm1(steps * np.log1p(-_one_minus_j0(y / root)))
    value = root * float(weight @ (power / y**2))
    if first * root > 14.0:
        return value + float(root) / 14.0
    # ... and the oscillating rest, cut at the last edge; there J_0^n is its own mean, (2/pi q)^(n/2) <cos^n>.
    last = 8000.0 if steps <= 4 else 1000.0
    q, weight = panel_rule(np.append(np.arange(first, last, 1.5), last), 16)
    value += 1 / first - float(weight @ (j0(q) ** steps / q**2))
    if steps % 2 == 0:
        half = steps // 2
        mean = binom(steps, half) / 2.0**steps * (2 / np.pi) ** half
        value -= float(mean * last ** (-half - 1) / (half + 1))
    return value


def cluster_charge(size: ArrayLike, mechanism: str = "scalar") -> FloatArray | float:
    r"""Charge w_n of a cluster of n centres, in units of the charge of one; <|u_km|> = U_0 w_k w_m.

    Parameters
    ----------
    size : array_like
        Number of centres n, whole, 1 to 1e15.
    mechanism : {"scalar", "indirect exchange"}
        Gaussian scalar charges, for which w_n = sqrt(n) exactly, (6.1); or the interaction (6.2) through
        conduction electrons, for which w_n is the mean distance of a planar random walk of n unit steps.

    Returns
    -------
    float or ndarray
        Of the shape of `size`, at least 1; relative accuracy 1e-12.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The centres of a cluster add with random phases, z = sum_i exp(2 i k_F n r_i), and
    <|z|> = int_0^oo (1 - J_0(q)^n) q^(-2) dq. It tends to sqrt(pi n)/2.
    Cost: 1e4 to 9e4 evaluations of J_0 for each of the sizes 3 to 34, 300 for each other size.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.1), (6.2).

    Examples
    --------
    >>> cluster_charge(4)
    2.0
    >>> round(cluster_charge(2, "indirect exchange") * np.pi, 12)
    4.0
    """
    sizes = _sizes("size", size)
    if _mechanism(mechanism) == "scalar":
        return plain(np.sqrt(sizes))
    unique, inverse = np.unique(sizes, return_inverse=True)
    values = np.array([_walk_distance(int(n)) for n in unique])
    return plain(values[inverse].reshape(sizes.shape))


def charge_coupling(k: ArrayLike, m: ArrayLike, mechanism: str = "scalar") -> FloatArray | float:
    """Coupling of two clusters, b_km = <|u_km|>/U_0 = w_k w_m.

    Parameters
    ----------
    k, m : array_like
        Numbers of centres, whole, 1 to 1e15; broadcast against each other.
    mechanism : {"scalar", "indirect exchange"}
        See :func:`cluster_charge`.

    Returns
    -------
    float or ndarray
        Broadcast shape; relative accuracy 2e-12.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.8), (6.1), (6.2).

    Examples
    --------
    >>> charge_coupling(4, 9)
    6.0
    >>> charge_coupling([1, 2], 2, "indirect exchange").round(6)
    array([1.27324 , 1.621139])
    """
    left, right = broadcast(k=_sizes("k", k), m=_sizes("m", m))
    return plain(np.asarray(cluster_charge(left, mechanism)) * np.asarray(cluster_charge(right, mechanism)))
