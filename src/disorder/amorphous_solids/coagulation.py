r"""Densities of clusters and their moments: the renormalization group equation solved for any kernel.

P_n(t) is the density of states of n-centre clusters at low energy, in units of P_0, at t = chi ln(R/R_min).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gamma, zeta

from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, broadcast, plain, real_array
from .cluster_front import LARGEST
from .coagulation_kernels import CoagulationKernel, KernelLike, coagulation_kernel
from .direct_coagulation import DirectFlow, gelation_time
from .square_root_flow import LARGEST_TIME, solve_square_root

LARGEST_SIZE = 8192


def _times(t: ArrayLike, kernel: CoagulationKernel) -> FloatArray:
    if kernel.name == "sqrt":
        return real_array("t", t, low=0.0, high=LARGEST_TIME, open_low=False, open_high=False)
    return real_array("t", t, low=0.0, open_low=False)


def _sizes(sizes: ArrayLike, kernel: CoagulationKernel) -> NDArray[np.int64]:
    high = {"constant": 2.0**53, "sqrt": LARGEST}.get(kernel.name, float(kernel.largest or LARGEST_SIZE))
    values = real_array("sizes", sizes, low=1.0, high=high, open_low=False, open_high=False)
    if (values != np.round(values)).any():
        raise ValueError(f"sizes must be whole numbers, got {sizes!r}")
    return values.astype(np.int64)


def _direct(kernel: CoagulationKernel, t_max: float, order: float) -> DirectFlow:
    try:
        gelation = gelation_time(kernel) if kernel.largest is None or kernel.largest >= 512 else math.inf
    except ConvergenceError:
        gelation = math.inf  # gels late: the solver itself says how far it comes
    if t_max >= gelation:
        raise ValueError(
            f"t must stay below {gelation:.4g}, where this kernel makes an infinite cluster (gelation) and "
            f"sum n P_n falls below 1; got t = {t_max:g}"
        )
    return DirectFlow(kernel, t_max, order)


def _constant_densities(t: FloatArray, sizes: NDArray[np.int64]) -> FloatArray:
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        # 1/t overflows for a denormal t, where every size above one is absent anyway.
        decay = np.minimum(np.log1p(1 / t), 1e4)
        exponents = -decay[:, None] * (sizes - 1)
        return np.asarray(np.exp(exponents) / (1 + t[:, None]) / (1 + t[:, None]))


def _constant_moment(t: float, order: float) -> float:
    """Sum n^m t^(n-1)/(1+t)^(n+1): a polylogarithm of negative order."""
    if t == 0:
        return 1.0
    decay = min(math.log1p(1 / t) if t > 1e-300 else 800.0, 800.0)
    if decay > 1:
        n = np.arange(1.0, math.ceil((4 * order + 60) / decay) + 6)
        logs = order * np.log(n) - decay * (n - 1) - 2 * math.log1p(t)
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(logs).sum())
    with np.errstate(over="ignore", under="ignore"):
        leading = gamma(1 + order) * np.float64(t * decay) ** (-1 - order) * np.float64(t) ** (order - 1)
        leading *= t / (1 + t)
        if order > 25:  # the rest is below (decay/2 pi)^order
            return float(leading)
        k = np.arange(40)
        rest = (zeta(-order - k) * (-decay) ** k / gamma(1.0 + k)).sum()
        return float(leading + rest / t / (1 + t))


def cluster_densities(
    t: ArrayLike, sizes: ArrayLike, kernel: KernelLike = "sqrt"
) -> NDArray[np.float64] | float:
    r"""Density of states of n-centre clusters, :math:`\tilde P_n(t)`, by the renormalization group.

    .. math:: \frac{d\tilde P_n}{dt} = -2\tilde P_n\sum_{k\ge1} b_{kn}\tilde P_k
              + \sum_{k<n} b_{k,n-k}\tilde P_k\tilde P_{n-k}, \qquad \tilde P_n(0) = \delta_{n1} .

    Parameters
    ----------
    t : array_like
        Renormalization time chi ln(R/R_min), at least 0; at most 2000 for "sqrt".
    sizes : array_like
        Numbers of centres n, whole numbers from 1; at most 1e12 for "sqrt", 8192 for a function, the length
        of a table.
    kernel : {"constant", "sqrt"}, callable or array_like of shape (N, N)
        b_km: 1; sqrt(k m); a function of two arrays of sizes that broadcast; or a table with b_11 in its
        corner.

    Returns
    -------
    float or ndarray, shape t.shape + sizes.shape
        P_n(t) in units of P_0. Exact for "constant"; otherwise relative accuracy about 1e-14 n, tails
        included (they end where a double underflows).

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the kernel is not symmetric, finite and non-negative, or it gels
        before the last t: the message says when.
    ConvergenceError
        If clusters of more than 4096 centres (or beyond a table) hold more than 1e-11 of the particles.

    Notes
    -----
    "constant" by the closed form (5.7), "sqrt" by :func:`solve_square_root`. Any other kernel in two passes:
    sizes up to a truncation, doubled until it keeps all particles, by an embedded Runge-Kutta method; then,
    with these loss rates, the chain P_1, P_2, ... by collocation, cost (largest size)^2. Milliseconds while
    clusters are small; up to a minute at the truncation 4096. Nothing is kept between calls for such a
    kernel: ask for many t at once.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.6), (5.7), (6.3).

    Examples
    --------
    >>> cluster_densities(1.0, [1, 2, 3], kernel="constant")
    array([0.25  , 0.125 , 0.0625])
    """
    checked = coagulation_kernel(kernel)
    times, numbers = _times(t, checked), _sizes(sizes, checked)
    flat, targets = times.ravel(), numbers.ravel()
    shape = times.shape + numbers.shape
    t_max = float(flat.max(initial=0.0))
    if t_max == 0 or not targets.size:
        result = np.tile((targets == 1).astype(np.float64), (flat.size, 1))
    elif checked.name == "constant":
        result = _constant_densities(flat, targets)
    elif checked.name == "sqrt":
        result = np.asarray(solve_square_root(t_max).densities(flat, targets))
    else:
        result = _direct(checked, t_max, 1.0).densities(flat, targets)
    return plain(result.reshape(shape))


def cluster_moment(
    t: ArrayLike, order: ArrayLike, kernel: KernelLike = "sqrt"
) -> NDArray[np.float64] | float:
    r"""Moment of the densities, :math:`I_m(t)=\sum_n n^m\tilde P_n(t)`.

    Parameters
    ----------
    t : array_like
        Renormalization time chi ln(R/R_min), at least 0; at most 2000 for "sqrt".
    order : array_like
        Real m, at least 0; broadcasts against `t`. m = 0: all clusters; m = 1: all centres, which is 1.
    kernel : {"constant", "sqrt"}, callable or array_like of shape (N, N)
        See :func:`cluster_densities`.

    Returns
    -------
    float or ndarray
        I_m(t) in units of P_0; relative accuracy about 1e-13 for "constant", 1e-10 otherwise.

    Raises
    ------
    TypeError, ValueError
        As :func:`cluster_densities`; also if a moment exceeds the largest float.
    ConvergenceError
        If clusters beyond the truncation hold more than 1e-11 of the moment.

    Notes
    -----
    "constant": polylogarithm of order -m, by its sum or by its expansion about t = infinity. "sqrt": the
    moments are integrals over the generating function. Other kernels: the sum over sizes.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.9), (5.2), (6.4).

    Examples
    --------
    >>> round(cluster_moment(1.0, 2, kernel="constant"), 12)
    3.0
    """
    checked = coagulation_kernel(kernel)
    times, orders = broadcast(t=_times(t, checked), order=real_array("order", order, low=0.0, open_low=False))
    result = np.ones(times.shape)
    t_max = float(times.max(initial=0.0))
    if t_max > 0 and checked.name == "constant":
        pairs = zip(times.flat, orders.flat, strict=True)
        with np.errstate(over="ignore", invalid="ignore"):
            values = [_constant_moment(float(a), float(b)) for a, b in pairs]
        result = np.array(values).reshape(times.shape)
    elif t_max > 0:
        solution = (
            solve_square_root(t_max)
            if checked.name == "sqrt"
            else _direct(checked, t_max, float(orders.max(initial=1.0)))
        )
        for m in np.unique(orders):
            here = orders == m
            result[here] = solution.moment(times[here], float(m))
    if not np.isfinite(result).all():
        raise ValueError(f"order must be smaller, a moment exceeds the largest float; got order = {order!r}")
    return plain(result)
