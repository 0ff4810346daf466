"""States of two equal spins with given total spin, and the matrix elements of one spin between them.

A route to the elements A_JJ' that is independent of their closed form in `pair_levels`.
"""

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ..numerics.validation import FloatArray, integer, twice_spin


def clebsch_gordan(spin: float, projection: int = 0) -> FloatArray:
    r"""Coefficients of the pair states of given projection in products of one-spin states.

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    projection : int
        M, from -2S to 2S.

    Returns
    -------
    ndarray, shape (2S+1, 2S+1)
        Entry [J, i] multiplies the product state with m1 = i - S and m2 = M - m1, with the phases of Condon
        and Shortley. Rows with J < abs(M) and impossible m2 hold zeros. Absolute accuracy 1e-13.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Notes
    -----
    Eigenvectors of the tridiagonal matrix of S1.S2 at fixed M, whose eigenvalues are distinct: no formula for
    the coefficients enters.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (A1).

    Examples
    --------
    >>> bool(np.allclose(clebsch_gordan(0.5), [[-(0.5**0.5), 0.5**0.5], [0.5**0.5, 0.5**0.5]]))
    True
    """
    two_s = twice_spin("spin", spin)
    m = integer("projection", projection, low=-two_s, high=two_s)
    first = np.arange(max(0, m), min(two_s, two_s + m) + 1)
    m1 = first - two_s / 2
    m2 = m - m1
    square = two_s * (two_s + 2) / 4
    hop = np.sqrt((square - m1[:-1] * (m1[:-1] + 1)) * (square - m2[:-1] * (m2[:-1] - 1))) / 2
    vectors = eigh_tridiagonal(m1 * m2, hop)[1] if first.size > 1 else np.ones((1, 1))
    table = np.zeros((two_s + 1, two_s + 1))
    table[abs(m) :, first] = (vectors * np.sign(vectors[-1])).T
    return table


def pair_spin_components(spin: float, projection: int = 0) -> FloatArray:
    r"""Squared matrix elements of the x, y and z components of one spin, from the states of the pair.

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    projection : int
        M of the state of level J, from -2S to 2S.

    Returns
    -------
    ndarray, shape (3, 2S+1, 2S+1)
        Sum over M' of the squared moduli between the states J, M (rows) and J', M' (columns) for x, y, z.
        Rows with J < abs(M) hold zeros. The sum over the first axis is A_JJ', whatever M. Accuracy 1e-11.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Notes
    -----
    The elements of S_y are imaginary: their squares, unlike their squared moduli, would cancel those of S_x.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (A1), (A2).

    Examples
    --------
    >>> pair_spin_components(0.5).sum(axis=0).round(12)
    array([[0.  , 0.75],
           [0.25, 0.5 ]])
    """
    two_s = twice_spin("spin", spin)
    m = integer("projection", projection, low=-two_s, high=two_s)
    bra = clebsch_gordan(spin, m)
    m1 = np.arange(two_s + 1) - two_s / 2
    raise_m1 = np.sqrt(two_s * (two_s + 2) / 4 - m1[:-1] * (m1[:-1] + 1))
    along = np.square((bra * m1) @ bra.T)
    across = np.zeros_like(along)
    if m > -two_s:
        across += np.square((bra[:, 1:] * raise_m1) @ clebsch_gordan(spin, m - 1)[:, :-1].T)
    if m < two_s:
        across += np.square((bra[:, :-1] * raise_m1) @ clebsch_gordan(spin, m + 1)[:, 1:].T)
    return np.stack((across / 4, across / 4, along))


def pair_matrix_elements_from_states(spin: float, projection: int = 0) -> FloatArray:
    r"""A_JJ' as a sum over the states of the pair, a route independent of the closed form.

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    projection : int
        M of the state of level J; the result does not depend on it.

    Returns
    -------
    ndarray, shape (2S+1, 2S+1)
        A_JJ', dimensionless. Rows with J < abs(M) hold zeros. Accuracy 1e-11.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (13b), (A2) with squared moduli.

    Examples
    --------
    >>> pair_matrix_elements_from_states(0.5).round(12)
    array([[0.  , 0.75],
           [0.25, 0.5 ]])
    """
    return np.asarray(pair_spin_components(spin, projection).sum(axis=0), dtype=np.float64)
