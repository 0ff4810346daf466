r"""Self-energy of the singlet Cooperon: spin algebra and analytic continuation (Appendix C).

A correlator is given by its lines: :math:`K(\omega) = 2\pi\sum_l b_l\,\delta(\omega-\omega_l)` with detailed
balance, hence :math:`K(z) = \sum_l b_l (1-e^{\omega_l/T})/(z-\omega_l)` off the real axis, and
:math:`b_l/T` at the Matsubara frequency zero for a line at zero.
"""

import cmath

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from ..numerics.validation import FloatArray, integer, positive, real_array, real_scalar, twice_spin
from .pair_levels import pair_energies, pair_matrix_elements

ComplexArray = NDArray[np.complex128]

_PAULI: ComplexArray = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
# exp(omega/T) and its inverse must both be finite.
_LARGEST_RATIO = 700.0
# A line closer to zero than this, in units T, contributes as a line at zero to rounding.
_STILL = 1e-17


def exchange_vertex(correlations: ArrayLike) -> ComplexArray:
    r"""Product of two exchange amplitudes, summed over the states of the impurity.

    Parameters
    ----------
    correlations : array_like, shape (3, 3)
        Spin correlations :math:`\langle S^a S^b\rangle`, real.

    Returns
    -------
    ndarray, shape (2, 2, 2, 2)
        :math:`\sum_{ab}\langle S^aS^b\rangle\,\sigma^a_{ij}\sigma^b_{kl}`: electron 1 goes from j to i,
        electron 2 from l to k, up before down.

    Raises
    ------
    TypeError, ValueError
        If `correlations` is not a real array of shape (3, 3).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (C5) and (C6).

    Examples
    --------
    >>> vertex = exchange_vertex(np.eye(3) / 4)
    >>> complex(vertex[0, 1, 1, 0])
    (0.5+0j)
    """
    values = real_array("correlations", correlations, ndim=2)
    if values.shape != (3, 3):
        raise ValueError(f"correlations must have shape (3, 3), got {values.shape}")
    vertex: ComplexArray = np.einsum("ab,aij,bkl->ijkl", values, _PAULI, _PAULI)
    return vertex


def singlet_component(scattering: ArrayLike) -> complex:
    r"""Component of a two-electron matrix in the spin singlet.

    Parameters
    ----------
    scattering : array_like, shape (2, 2, 2, 2)
        Axes as :func:`exchange_vertex` returns them.

    Returns
    -------
    complex
        Half of :math:`S_{\uparrow\uparrow,\downarrow\downarrow} + S_{\downarrow\downarrow,\uparrow\uparrow}
        - S_{\downarrow\uparrow,\uparrow\downarrow} - S_{\uparrow\downarrow,\downarrow\uparrow}`.

    Raises
    ------
    TypeError, ValueError
        If `scattering` is not a finite array of shape (2, 2, 2, 2).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (C3).

    Examples
    --------
    >>> singlet_component(exchange_vertex(np.eye(3) / 3))
    (-1+0j)
    """
    raw = np.asarray(scattering)
    if raw.dtype.kind not in "iufc":
        raise TypeError(f"scattering must hold numbers, got dtype {raw.dtype}")
    values = raw.astype(np.complex128)
    if values.shape != (2, 2, 2, 2) or not np.isfinite(values).all():
        raise ValueError(f"scattering must be finite and have shape (2, 2, 2, 2), got shape {values.shape}")
    direct = values[0, 0, 1, 1] + values[1, 1, 0, 0]
    exchange = values[1, 0, 0, 1] + values[0, 1, 1, 0]
    return complex(direct - exchange) / 2


def pair_lines(coupling: float, spin: float, temperature: float) -> tuple[FloatArray, FloatArray]:
    r"""Lines of the correlator of one spin of a pair.

    Parameters
    ----------
    coupling : float
        Coupling V of the pair, any sign, energy.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    temperature : float
        Positive, same unit.

    Returns
    -------
    transitions, strengths : ndarray, shape (6S,)
        Energies :math:`\omega_l=E_J-E_{J'}` given to the electron and weights
        :math:`(2J+1)A_{JJ'}e^{-E_J/T}/Z`; the weights sum to S(S+1).

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (4), (11)-(13).

    Examples
    --------
    >>> transitions, strengths = pair_lines(1.0, 0.5, 2.0)
    >>> round(float(strengths.sum()), 12)
    0.75
    """
    two_s = twice_spin("spin", spin)
    v, t = real_scalar("coupling", coupling), positive("temperature", temperature)
    energies = np.asarray(pair_energies(v, two_s / 2))
    with np.errstate(over="ignore"):
        weights = (2 * np.arange(two_s + 1) + 1) * np.exp(-(energies - energies.min()) / t)
    elements = np.asarray(pair_matrix_elements(two_s / 2))
    first, second = np.nonzero(elements)
    strengths = weights[first] / weights.sum() * elements[first, second]
    return energies[first] - energies[second], strengths


def _lines(
    transitions: ArrayLike, strengths: ArrayLike, temperature: float
) -> tuple[FloatArray, FloatArray, float]:
    t = positive("temperature", temperature)
    omega = real_array("transitions", transitions, ndim=1)
    weight = real_array("strengths", strengths, ndim=1, low=0.0, open_low=False)
    if omega.shape != weight.shape:
        raise ValueError(f"strengths must have the shape of transitions {omega.shape}, got {weight.shape}")
    if (np.abs(omega) > _LARGEST_RATIO * t).any():
        raise ValueError(
            f"transitions must lie within {_LARGEST_RATIO:g} temperatures of 0, got {transitions!r}"
        )
    return omega, weight, t


def vertex_sum(
    upper: int, lower: int, transitions: ArrayLike, strengths: ArrayLike, temperature: float
) -> complex:
    r"""Matsubara sum of the vertex, T times the sum of K(i omega) between the two fermionic energies.

    Parameters
    ----------
    upper, lower : int
        Not negative; :math:`\varepsilon_1'=\pi T(2\,upper+1)` and :math:`\varepsilon_2=-\pi T(2\,lower+1)`.
    transitions, strengths : array_like, shape (n,)
        Lines of the correlator; the strengths are not negative.
    temperature : float
        Positive.

    Returns
    -------
    complex
        The sum; the singlet vertex is this number times minus J^2.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or a line lies more than 700 temperatures from zero.

    Notes
    -----
    Direct summation over upper + lower + 1 frequencies.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (C7).

    Examples
    --------
    >>> vertex_sum(2, 1, [0.0], [0.75], 1.0)
    (0.75+0j)
    """
    high, low = integer("upper", upper, low=0), integer("lower", lower, low=0)
    omega, weight, t = _lines(transitions, strengths, temperature)
    still = np.abs(omega) <= _STILL * t
    frequencies = 2j * np.pi * t * np.arange(-low, high + 1)
    moving = -weight[~still] * np.expm1(omega[~still] / t)
    return complex(weight[still].sum() + t * (moving / (frequencies[:, None] - omega[~still])).sum())


def vertex_continuation(
    upper: complex, lower: complex, transitions: ArrayLike, strengths: ArrayLike, temperature: float
) -> complex:
    r"""Analytic continuation of :func:`vertex_sum` to the energies of a retarded and an advanced electron.

    Parameters
    ----------
    upper : complex
        :math:`\varepsilon_1'`, on the real axis or above it; real means :math:`\varepsilon_1'+i0`.
    lower : complex
        :math:`\varepsilon_2`, on the real axis or below it; real means :math:`\varepsilon_2-i0`.
    transitions, strengths : array_like, shape (n,)
        Lines of the correlator; the strengths are not negative.
    temperature : float
        Positive.

    Returns
    -------
    complex
        The continued sum. At the Matsubara energies :math:`i\varepsilon_1'`, :math:`i\varepsilon_2` it is the
        sum itself, and for two equal real energies it is real:
        :math:`\sum_l b_l (e^{\varepsilon/T}+1)/(e^{(\varepsilon-\omega_l)/T}+1)`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or a line lies more than 700 temperatures from zero.

    Notes
    -----
    The sum over a window is a difference of two digamma functions whose arguments contain the ends of the
    window, which is what is continued.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (C8) and (50).

    Examples
    --------
    >>> round(vertex_continuation(0.3, 0.3, [1.0, -1.0], [0.2, 0.2 * np.e], 1.0).real, 10)
    0.5876285557
    """
    ends = []
    for name, value, side in (("upper", upper, 1.0), ("lower", lower, -1.0)):
        if isinstance(value, bool) or not isinstance(value, int | float | complex | np.number):
            raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
        end = complex(value)
        if not cmath.isfinite(end) or side * end.imag < 0:
            raise ValueError(f"{name} must be finite with imaginary part times {side:g} >= 0, got {value!r}")
        ends.append(end)
    omega, weight, t = _lines(transitions, strengths, temperature)
    still = np.abs(omega) <= _STILL * t
    moving, u = -weight[~still] * np.expm1(omega[~still] / t), omega[~still] / t
    shift = 1j * u / (2 * np.pi)
    # Sums over m = -lower .. upper of 1/(i omega_m - omega_l), with m written through the ends.
    top = digamma(0.5 - 1j * ends[0] / (2 * np.pi * t) + shift)
    bottom = digamma(0.5 + 1j * ends[1] / (2 * np.pi * t) - shift)
    middle = -1j * np.pi / np.tanh(u / 2)
    return complex(weight[still].sum() + (moving * (top - bottom + middle)).sum() / (2j * np.pi))
