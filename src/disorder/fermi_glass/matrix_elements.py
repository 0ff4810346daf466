"""Matrix elements U_abce of the on-site interaction between eigenstates.

States are the columns of a real matrix with one row a site. Matrix elements are in units of U.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import kve
from threadpoolctl import threadpool_limits

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, broadcast, plain, real_array

IntArray = NDArray[np.int64]
Number = NDArray[np.float64] | float

_NORM_TOLERANCE = 1e-8


@kernel
def _products(columns: FloatArray, groups: IntArray, elements: FloatArray) -> None:
    # columns[a] is state a, so that every state is read along its sites.
    for m in range(groups.shape[0]):
        a, b, c, e = groups[m]
        total = 0.0
        for i in range(columns.shape[1]):
            total += columns[a, i] * columns[b, i] * columns[c, i] * columns[e, i]
        elements[m] = total


def real_matrix(name: str, value: Any) -> FloatArray:
    # Real numbers, not copied if that can be avoided: 60 x 60 sites are 100 MB. Values are checked elsewhere.
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array, got {value!r}") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array.astype(np.float64, copy=False)


def normalised_columns(states: Any) -> FloatArray:
    array = real_matrix("states", states)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"states must be a matrix with one state a column, got shape {array.shape}")
    if not (math.isfinite(array.max()) and math.isfinite(array.min())):
        raise ValueError("states must be finite, got NaN or infinity")
    norms = np.einsum("ia,ia->a", array, array)
    worst = int(np.abs(norms - 1).argmax())
    if not abs(norms[worst] - 1) <= _NORM_TOLERANCE:
        raise ValueError(
            f"states must have columns of norm 1 to within {_NORM_TOLERANCE:g}, "
            f"got {math.sqrt(norms[worst]):.6g} for column {worst}"
        )
    return array


def participation_length(states: ArrayLike) -> FloatArray:
    r"""Participation length of every state: the inverse square root of its inverse participation ratio.

    .. math:: L_a = \Big(\sum_i\phi_a(i)^4\Big)^{-1/2}

    Parameters
    ----------
    states : array_like, shape (V, N)
        Real normalised states by columns.

    Returns
    -------
    ndarray, shape (N,)
        Lattice constants in two dimensions; between 1 (one site) and sqrt(V) (all sites alike).

    Raises
    ------
    TypeError, ValueError
        If `states` is no finite real matrix with normalised columns.

    Notes
    -----
    An ideal exponential of Eq. (8) in two dimensions has L_a = sqrt(8 pi) = 5.01 times the decay length of
    its density: this length measures the area of a state, not the decay of its tail.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Ref. [29].

    Examples
    --------
    >>> participation_length(np.array([[1.0, 0.5], [0.0, 0.5], [0.0, -0.5], [0.0, 0.5]]))
    array([1., 2.])
    """
    weights = normalised_columns(states) ** 2
    return np.asarray(np.einsum("ia,ia->a", weights, weights) ** -0.5)


def hubbard_overlaps(states: ArrayLike) -> FloatArray:
    r"""Matrix elements U_aacc/U of the on-site interaction for all pairs of states.

    .. math:: K_{ac} = U_{aacc}/U = \sum_i\phi_a(i)^2\phi_c(i)^2

    Parameters
    ----------
    states : array_like, shape (V, N)
        Real normalised states by columns.

    Returns
    -------
    ndarray, shape (N, N)
        Symmetric, non-negative, positive semidefinite. For a complete set (N = V) every row sums to 1.
        Accurate to round-off.

    Raises
    ------
    TypeError, ValueError
        If `states` is no finite real matrix with normalised columns.

    Notes
    -----
    One symmetric matrix product, N^2 V multiplications, on one thread so that the digits do not depend on
    the number of processors. For real states U_acca = U_aacc.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (9), (10), (12).

    Examples
    --------
    >>> hubbard_overlaps(np.array([[0.6, 0.8], [0.8, -0.6]])).round(4)
    array([[0.5392, 0.4608],
           [0.4608, 0.5392]])
    """
    weights = normalised_columns(states) ** 2
    with threadpool_limits(1, user_api="blas"):
        return np.asarray(weights.T @ weights)


def interaction_elements(states: ArrayLike, quadruples: ArrayLike) -> FloatArray:
    r"""Matrix elements U_abce/U of the on-site interaction for chosen groups of four states.

    .. math:: U_{abce}/U = \sum_i\phi_a(i)\phi_b(i)\phi_c(i)\phi_e(i)

    Parameters
    ----------
    states : array_like, shape (V, N)
        Real normalised states by columns.
    quadruples : array_like of int, shape (M, 4)
        Numbers of the states a, b, c, e, each from 0 to N - 1; they may coincide.

    Returns
    -------
    ndarray, shape (M,)
        Of either sign unless the indices form pairs: the sign of a state is arbitrary. Accurate to round-off.

    Raises
    ------
    TypeError, ValueError
        If `states` is no finite real matrix with normalised columns, or `quadruples` are no such numbers.

    Notes
    -----
    Any order of the four indices gives the same element, as the states are real. 3 V M multiplications.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (4), (9).

    Examples
    --------
    >>> interaction_elements(np.array([[0.6, 0.8], [0.8, -0.6]]), [[0, 0, 1, 1], [0, 0, 0, 1]]).round(4)
    array([ 0.4608, -0.1344])
    """
    columns = np.ascontiguousarray(normalised_columns(states).T)
    try:
        groups = np.asarray(quadruples)
    except ValueError as error:
        raise ValueError(f"quadruples must have the shape (M, 4), got {quadruples!r}") from error
    if groups.dtype.kind not in "iu":
        raise TypeError(f"quadruples must hold integers, got {quadruples!r} of dtype {groups.dtype}")
    if groups.ndim != 2 or groups.shape[1] != 4:
        raise ValueError(f"quadruples must have the shape (M, 4), got {groups.shape}")
    count = columns.shape[0]
    if groups.size and (groups.min() < 0 or groups.max() >= count):
        raise ValueError(f"quadruples must lie in [0, {count - 1}], got {groups.min()} to {groups.max()}")
    elements = np.empty(groups.shape[0])
    _products(columns, groups.astype(np.int64), elements)
    return elements


def mean_square_element(states: ArrayLike) -> float:
    r"""Mean square of U_abce/U over all groups of four different states of a complete set, exactly.

    .. math:: \sum_{abce}(U_{abce}/U)^2 = V

    holds for every orthonormal basis of V sites; groups in which states coincide are taken off it.

    Parameters
    ----------
    states : array_like, shape (V, V)
        Complete real orthonormal set by columns, at least four states.

    Returns
    -------
    float
        Between 0 and 1/[(V-1)(V-2)(V-3)]; its relative round-off error is 1e-16 over its distance from 0
        in that unit.

    Raises
    ------
    TypeError, ValueError
        If `states` is no finite real square matrix with orthonormal columns.

    Notes
    -----
    Completeness turns each sum over a free index into a Kronecker symbol of two sites. What coincidences take
    off the sum are the moments of the states of order 4, 6 and 8 and the squared overlaps. One symmetric
    matrix product for these, and one for the check of orthogonality.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (10).

    Examples
    --------
    >>> hadamard = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    >>> print(mean_square_element(hadamard))
    0.0625
    """
    array = normalised_columns(states)
    count = array.shape[1]
    if array.shape[0] != count or count < 4:
        raise ValueError(f"states must form a square matrix of at least 4 columns, got shape {array.shape}")
    with threadpool_limits(1, user_api="blas"):
        product = array.T @ array
    product[np.diag_indices(count)] -= 1
    worst = max(product.max(), -product.min())
    if worst > _NORM_TOLERANCE:
        raise ValueError(f"states must be orthogonal, got a scalar product of {worst:.3g}")
    overlaps = hubbard_overlaps(array)
    diagonal = np.diag(overlaps)
    sixth = float((array**6).sum())
    # Moebius function of the partitions of four indices: 6 of type 2+1+1, 3 of 2+2, 4 of 3+1, 1 of 4.
    total = (
        count
        - 6 * float(diagonal.sum())
        + 3 * float(np.vdot(overlaps, overlaps))
        + 8 * sixth
        - 6 * float(diagonal @ diagonal)
    )
    return float(max(total, 0.0) / (float(count) * (count - 1) * (count - 2) * (count - 3)))


def exponential_overlap(distance: ArrayLike, decay_length: ArrayLike) -> Number:
    r"""Overlap of two ideal exponential states of Eq. (8) in two dimensions.

    .. math:: |\phi_a|^2 = \frac{e^{-|\vec r-\vec x_a|/\ell}}{2\pi\ell^2} \quad\Rightarrow\quad
       K(d) = \frac{d^2}{16\pi\ell^4}\,K_2(d/\ell), \qquad K(0) = \frac{1}{8\pi\ell^2}

    Parameters
    ----------
    distance : array_like
        d between the centres in lattice constants, not negative.
    decay_length : array_like
        Length of the exponential in the density, in lattice constants, between 1e-100 and 1e100.

    Returns
    -------
    float or ndarray
        U_aacc/U in the continuum, of the broadcast shape; relative accuracy 1e-14, zero below the range of
        floating-point numbers.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Notes
    -----
    K_2 is the modified Bessel function. The Fourier transform of the density is (1 + k^2 l^2)^(-3/2), that of
    the overlap its square, and the transform back is Basset's integral. The slope -d ln K/dd is
    K_1/(l K_2): a fit of an exponential gives more than l, by a factor 1 + 3 l/(2d) at large d.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (8), (9).

    Examples
    --------
    >>> print(f"{exponential_overlap(0.0, 1.0) * 8 * np.pi:.12f}")
    1.000000000000
    """
    separation, length = broadcast(
        distance=real_array("distance", distance, low=0.0, open_low=False),
        decay_length=real_array("decay_length", decay_length, low=1e-100, high=1e100),
    )
    # z^2 K_2(z) is 2 to round-off at the lower end, and zero at the upper one.
    z = np.clip(np.minimum(separation, 1e110) / length, 1e-100, 1e4)
    return plain(z**2 * kve(2, z) * np.exp(-z) / (16 * math.pi) / length**2)
