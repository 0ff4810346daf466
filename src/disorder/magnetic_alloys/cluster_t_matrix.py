"""Matsubara T-matrix of an impurity in a cluster and its analytic continuation (Appendix B).

A cluster enters by its levels E and by the strengths, the sums of |<xi|S|xi'>|^2 between them, which fix the
spin correlator; the T-matrix is given in units of pi nu J^2.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from ..numerics.quadrature import integrate, logarithmic_edges
from ..numerics.validation import FloatArray, integer, positive, real_array

# Largest energy over temperature.
_LARGEST = 1e9


def _lines(
    temperature: float, energies: ArrayLike, strengths: ArrayLike, degeneracies: ArrayLike | None
) -> tuple[float, FloatArray, FloatArray]:
    # T, and for each line of K(omega)/2 pi, Eq. (4): (E - E')/T and the logarithm of its weight rho |S|^2.
    t = positive("temperature", temperature)
    levels = real_array("energies", energies, ndim=1)
    matrix = real_array("strengths", strengths, ndim=2, low=0.0, open_low=False)
    given = np.ones(levels.size) if degeneracies is None else degeneracies
    counts = real_array("degeneracies", given, ndim=1, low=0.0)
    if levels.size == 0 or matrix.shape != (levels.size, levels.size) or counts.size != levels.size:
        raise ValueError(
            f"strengths must have shape (n, n) and degeneracies (n,) for n = {levels.size} > 0 energies, "
            f"got {matrix.shape} and {counts.shape}"
        )
    if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=1e-12 * float(matrix.max())):
        raise ValueError("strengths must be symmetric: the sum of |<i|S|j>|^2 over the states of i and j")
    with np.errstate(over="ignore"):
        x = (levels - levels.min()) / t
    if x.max() > _LARGEST:
        raise ValueError(f"energies must span at most {_LARGEST:g} temperature, got a span of {x.max():.3g}")
    with np.errstate(divide="ignore"):
        logarithms = -x[:, None] - np.log(counts @ np.exp(-x)) + np.log(matrix)
    present = matrix > 0
    # Lines whose square would underflow are static to every digit.
    lines = x[:, None] - x
    lines[np.abs(lines) < 1e-150] = 0.0
    return t, lines[present], logarithms[present]


def _indices(n: ArrayLike) -> NDArray[np.int64]:
    index = np.asarray(n)
    if index.dtype.kind not in "iu":
        raise TypeError(f"n must hold integers, got {n!r} of dtype {index.dtype}")
    if index.size and np.abs(index).max() > 10**7:
        raise ValueError(f"n must lie in [-10000000, 10000000], got {n!r}")
    return index.astype(np.int64)


def matsubara_correlator(
    n: ArrayLike,
    temperature: float,
    energies: ArrayLike,
    strengths: ArrayLike,
    degeneracies: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Matsubara spin correlator of a cluster at the frequencies 2 pi n T.

    Parameters
    ----------
    n : array_like of int
        Indices of the even Matsubara frequencies, at most 1e7 in magnitude.
    temperature : float
        Positive; any unit, the same as `energies`.
    energies : array_like, shape (m,)
        Levels of the cluster, spanning at most 1e9 T.
    strengths : array_like, shape (m, m)
        Symmetric and non-negative: the sum of :math:`|\langle\xi|\mathbf S|\xi'\rangle|^2` over the states of
        both levels; (2J+1) A_JJ' for a pair.
    degeneracies : array_like, shape (m,), optional
        Number of states of each level; one by default.

    Returns
    -------
    ndarray
        :math:`K(i\omega_n)=\int_0^{1/T} e^{i\omega_n\tau}K(\tau)\,d\tau`, real and even, in inverse
        units of energy.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (B2), with the sign of its exponent reversed.

    Examples
    --------
    A free spin 1/2: one level of two states.

    >>> matsubara_correlator([0, 1], 0.5, [0.0], [[1.5]], [2.0])
    array([1.5, 0. ])
    """
    t, x, logarithm = _lines(temperature, energies, strengths, degeneracies)
    index = _indices(n)
    omega = 2 * np.pi * index[..., None]
    static, falling = x == 0, x < 0
    # Lines that take energy from the electron carry the larger weight; each stands for its reverse too.
    y = -x[falling]
    strength = 2 * np.exp(logarithm[falling]) * -np.expm1(-y) * y
    moving = (strength / (omega**2 + y**2)).sum(axis=-1)
    return np.asarray((moving + np.exp(logarithm[static]).sum() * (index == 0)) / t)


def matsubara_t_matrix(
    n: ArrayLike,
    temperature: float,
    energies: ArrayLike,
    strengths: ArrayLike,
    degeneracies: ArrayLike | None = None,
) -> NDArray[np.complex128]:
    r"""T-matrix (B4) at the frequencies (2n + 1) pi T, in units of :math:`\pi\nu J^2`.

    K is even, so that all terms but those with \|omega_m\| < \|eps_n\| cancel and the sum is finite.

    Parameters
    ----------
    n : array_like of int
        Indices of the odd Matsubara frequencies, at most 1e7 in magnitude.
    temperature, energies, strengths, degeneracies
        As in :func:`matsubara_correlator`.

    Returns
    -------
    ndarray of complex
        :math:`-iT\sum_m K(i\omega_m)\,\mathrm{sign}(\varepsilon_n-\omega_m)`, imaginary, odd in frequency.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (B4), with the factor T that its printed form lacks.

    Examples
    --------
    >>> matsubara_t_matrix([0, 5], 0.5, [0.0], [[1.5]], [2.0])
    array([0.-0.75j, 0.-0.75j])
    """
    index = _indices(n)
    count = np.where(index >= 0, index, -index - 1)
    largest = int(count.max()) if count.size else 0
    correlator = matsubara_correlator(np.arange(largest + 1), temperature, energies, strengths, degeneracies)
    window = 2 * np.cumsum(correlator) - correlator[0]
    t = positive("temperature", temperature)
    return np.asarray(-1j * t * np.where(index >= 0, 1, -1) * window[count])


def retarded_t_matrix(
    energy: ArrayLike,
    temperature: float,
    energies: ArrayLike,
    strengths: ArrayLike,
    degeneracies: ArrayLike | None = None,
) -> NDArray[np.complex128]:
    r"""Analytic continuation of :func:`matsubara_t_matrix` to real energies, over :math:`\pi\nu J^2`.

    Parameters
    ----------
    energy : array_like
        Electron energies, real, or complex in the upper half plane; at most 1e9 T in magnitude.
    temperature, energies, strengths, degeneracies
        As in :func:`matsubara_correlator`.

    Returns
    -------
    ndarray of complex
        T(energy + i0); minus its imaginary part is the Im T of Eq. (25).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.

    Notes
    -----
    The window sum of 1/(i omega_m + Delta) is a difference of digamma functions; their reflection formula
    moves the argument that runs to minus infinity, so that the result is bounded in the upper half plane.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (B4)-(B8).

    Examples
    --------
    >>> retarded_t_matrix(0.3, 0.5, [0.0], [[1.5]], [2.0])
    array(0.-0.75j)
    """
    t, x, logarithm = _lines(temperature, energies, strengths, degeneracies)
    try:
        e = np.asarray(energy)
    except ValueError as error:
        raise ValueError(f"energy must be a rectangular array of numbers, got {energy!r}") from error
    if e.dtype.kind not in "iufc":
        raise TypeError(f"energy must hold numbers, got {energy!r} of dtype {e.dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        e = e.astype(np.complex128)[..., None] / t
    if not (np.abs(e) <= _LARGEST).all() or (e.imag < 0).any():
        raise ValueError(f"energy must lie within {_LARGEST:g} temperature, Im energy >= 0, got {energy!r}")
    static, falling = x == 0, x < 0
    y = -x[falling]
    strength = np.exp(logarithm[falling]) * -np.expm1(-y) / np.pi
    start, shift = 0.5 + e / (2j * np.pi), y / (2j * np.pi)
    bracket = digamma(start - shift) - digamma(start + shift) - 1j * np.pi / np.tanh(y / 2)
    return np.asarray((strength * bracket).sum(axis=-1) - 1j * np.exp(logarithm[static]).sum())


def golden_rule_t_matrix(
    energy: ArrayLike,
    temperature: float,
    energies: ArrayLike,
    strengths: ArrayLike,
    degeneracies: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Im T of Eq. (25) for the discrete spectrum of a cluster, in units of :math:`\pi\nu J^2`.

    Parameters
    ----------
    energy : array_like
        Electron energies, real, at most 1e9 T in magnitude.
    temperature, energies, strengths, degeneracies
        As in :func:`matsubara_correlator`.

    Returns
    -------
    ndarray
        The sum over lines of :math:`\rho_\xi|\langle\xi|\mathbf S|\xi'\rangle|^2` times
        :math:`(1+e^{\varepsilon/T})/(1+e^{(\varepsilon-\omega)/T})`, omega = E - E'.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (4), (25).

    Examples
    --------
    >>> golden_rule_t_matrix([0.0, 1.0], 0.5, [0.0], [[1.5]], [2.0])
    array([0.75, 0.75])
    """
    t, x, logarithm = _lines(temperature, energies, strengths, degeneracies)
    with np.errstate(over="ignore"):
        e = real_array("energy", energy)[..., None] / t
    if not (np.abs(e) <= _LARGEST).all():
        raise ValueError(f"energy must lie within {_LARGEST:g} temperature, got {energy!r}")
    # Logarithm of (1 + exp(e))/(1 + exp(e - x)); the factor can be out of range, its product with rho is not.
    blocking = np.where(e > 0, np.minimum(x, e), np.minimum(0.0, x - e))
    blocking += np.log1p(np.exp(-np.abs(e))) - np.log1p(np.exp(-np.abs(e - x)))
    return np.asarray(np.exp(logarithm + blocking).sum(axis=-1))


def cut_contributions(
    n: int,
    temperature: float,
    energies: ArrayLike,
    strengths: ArrayLike,
    degeneracies: ArrayLike | None = None,
) -> tuple[complex, complex]:
    r"""The two integrals of (B6): along the cut Im omega = eps_n and along the real axis.

    Parameters
    ----------
    n : int
        Index of the odd Matsubara frequency.
    temperature, energies, strengths, degeneracies
        As in :func:`matsubara_correlator`. No two levels of the same energy may be connected, except a level
        to itself: a static line has no branch in frequency and enters the second integral as a limit.

    Returns
    -------
    upper, real : complex
        :math:`\int\tanh(\omega/2T)K(i\varepsilon_n+\omega)\,d\omega/2\pi`, absolute accuracy 1e-10,
        and :math:`\int\coth(\omega/2T)[K(\omega+i0)-K(\omega-i0)]\,d\omega/4\pi`, which is i times the sum
        rule K(t=0).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (B6).

    Examples
    --------
    >>> cut_contributions(0, 0.5, [0.0], [[1.5]], [2.0])
    (0j, 0.75j)
    """
    _, x, logarithm = _lines(temperature, energies, strengths, degeneracies)
    epsilon = (2 * integer("n", n, low=-(10**7), high=10**7) + 1) * np.pi
    # On the real axis coth cancels K(+) - K(-) = i (exp(omega/T) - 1) K(omega): the sum over lines is left.
    axis = 1j * float(np.exp(logarithm).sum())
    falling = x < 0
    y = -x[falling]
    strength = 2 * np.exp(logarithm[falling]) * -np.expm1(-y) * y
    if not y.size:
        return 0j, axis

    def odd_part(omega: FloatArray) -> NDArray[np.float64]:
        w = omega[:, None]
        lines = 2 * w * epsilon / ((y**2 - w**2 + epsilon**2) ** 2 + (2 * w * epsilon) ** 2)
        return np.asarray(np.tanh(omega / 2) * (lines @ strength))

    scale = max(float(y.max()), abs(epsilon))
    result = integrate(odd_part, logarithmic_edges(1.0, 1e7 * scale), rtol=1e-11, order=16)
    return 1j * float(result.value) / np.pi, axis
