"""Weak localization of wires with interacting magnetic impurities, to first order of the virial expansion.

Strong spin-orbit coupling leaves the singlet Cooperon, whose rate is 2/tau_s. A pair whose levels are
split by more than the temperature or by more than 1/tau_s dephases less; the correction of the
conductivity in units T_sg tau_s is then one function of x = T tau_s and of the spin.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.quadrature import logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, broadcast, integer, plain, real_array, twice_spin
from .pair_quenching import alpha_s
from .spin_pairs import pair_spectrum

Result = NDArray[np.float64] | float

# Beyond this x the crossover equals its limit to rounding for every spin up to 100.
_LARGEST_X = 1e20
# exp(-u/2) is below 1e-26 here, and the thermal factor u/(e^u - 1) below 1e-50.
_LARGEST_U = 120.0


@kernel
def _phi_over_z(z: float, dimension: int) -> float:
    # phi(z)/z without cancellation. With sqrt(1 + i z/2) = p + i q and w = |1 + i z/2| = 2 p^2 - 1,
    # 4 phi = 1 - 1/(w p) in a wire, 1 - arctan(z/2)/(z/2) in a film, 1 - 1/p in the bulk.
    half = 0.5 * z
    if dimension == 2:
        if half < 0.5:
            power, total = 1.0, 0.0
            for n in range(1, 40):
                term = power / (2 * n + 1)
                total += term
                if abs(term) < 1e-17:
                    break
                power *= -half * half
            return 0.125 * half * total
        return 0.25 * (1.0 - math.atan(half) / half) / z
    w = math.hypot(1.0, half)
    p = math.sqrt(0.5 * (w + 1.0))
    # (p - 1)/z with p - 1 = z^2/8/((w + 1)(p + 1)).
    rise = 0.125 * (z / (w + 1.0)) / (p + 1.0)
    if dimension == 3:
        return 0.25 * rise / p
    return 0.25 * rise * ((2.0 * p * p + 2.0 * p + 1.0) / p) / w


@kernel
def _inelastic_weights(z: FloatArray, dimension: int, out: FloatArray) -> None:
    for i in range(z.size):
        out[i] = z[i] * _phi_over_z(z[i], dimension)


@kernel
def _crossover_sums(
    x: FloatArray, nodes: FloatArray, weights: FloatArray, dimension: int, out: FloatArray
) -> None:
    # sum over u of weight(u) phi(u x)/(u^2 x); weight holds the quadrature, the spectrum and u/(e^u - 1).
    for i in range(x.size):
        total = 0.0
        for j in range(nodes.size):
            total += weights[j] / nodes[j] * _phi_over_z(nodes[j] * x[i], dimension)
        out[i] = total


def _check_dimension(dimension: int) -> int:
    return integer("dimension", dimension, low=1, high=3)


def weak_localization_conductivity(diffusion: ArrayLike, tau_s: ArrayLike) -> Result:
    r"""Weak-localization correction of a wire whose impurity spins do not interact.

    Parameters
    ----------
    diffusion : array_like
        Diffusion coefficient D, length^2 energy (hbar = 1), positive.
    tau_s : array_like
        Mean free time of scattering off magnetic impurities, 1/energy, positive.

    Returns
    -------
    float or ndarray
        :math:`\sqrt{D\tau_s/2}/2\pi` in units e^2/hbar times the unit of length: conductance times length of
        the wire. It is positive: with strong spin-orbit coupling the interference adds to the conductivity.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real, finite and positive.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (45).

    Examples
    --------
    >>> round(weak_localization_conductivity(2.0, 1.0), 6)
    0.159155
    """
    d, tau = broadcast(
        diffusion=real_array("diffusion", diffusion, low=0.0), tau_s=real_array("tau_s", tau_s, low=0.0)
    )
    return plain(np.sqrt(d / 2) * np.sqrt(tau) / (2 * np.pi))


def field_suppression(field: ArrayLike, section: str = "square") -> Result:
    r"""Weak-localization correction in a magnetic field across the wire, relative to zero field.

    Parameters
    ----------
    field : array_like
        B / B_o with B_o of Eq. (42), any real numbers.
    section : {"square", "round"}
        Cross-section of the wire; the field is perpendicular to the wire, and to a side of the square.

    Returns
    -------
    float or ndarray
        :math:`(1+b^2/6)^{-1/2}` for a square, :math:`(1+b^2/2\pi)^{-1/2}` for a circle, between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If `field` is not real and finite or `section` is unknown.

    Notes
    -----
    The field adds :math:`4 e^2 B^2 D\langle y^2\rangle/\hbar^2` to the rate 2/tau_s of the Cooperon as long
    as the wire is thinner than the magnetic length; :math:`\langle y^2\rangle = A/12` or :math:`A/4\pi`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (41) and (42).

    Examples
    --------
    >>> round(field_suppression(18**0.5), 12)
    0.5
    """
    share = {"square": 1 / 6, "round": 1 / (2 * np.pi)}
    if not isinstance(section, str) or section not in share:
        raise ValueError(f"section must be 'square' or 'round', got {section!r}")
    b = real_array("field", field)
    return plain(1 / np.hypot(1.0, math.sqrt(share[section]) * b))


def inelastic_weight(z: ArrayLike, dimension: int = 1) -> Result:
    r"""Function phi that measures how much of a transferred energy is resolved within the time tau_s.

    In a wire :math:`\varphi = \frac14 - \mathrm{Im}\sqrt{1+iz/2}\,/\,(z\sqrt{1+z^2/4})`.

    Parameters
    ----------
    z : array_like
        Transferred energy times tau_s, any real numbers.
    dimension : {1, 2, 3}
        Wire (the paper), film, bulk.

    Returns
    -------
    float or ndarray
        phi, even, from 0 at z = 0 to 1/4 at large z. Relative accuracy 1e-15.

    Raises
    ------
    TypeError, ValueError
        If `z` is not real and finite or `dimension` is not 1, 2 or 3.

    Notes
    -----
    In d dimensions :math:`4\varphi = 1 - I_1/I_2` with
    :math:`I_1=\int d^dq\,[(Dq^2+2/\tau_s)^2+\omega^2]^{-1}` and :math:`I_2` its value at :math:`\omega=0`.
    For small z, phi = (4-d)(6-d) z^2/384; the integral of phi/z^2 over all real z is (4-d) pi/32.
    Nothing cancels in the form used.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Appendix D.

    Examples
    --------
    >>> round(inelastic_weight(1.0), 12)
    0.032713103248
    """
    dim = _check_dimension(dimension)
    values = np.abs(real_array("z", z))
    out = np.empty(values.size)
    _inelastic_weights(values.ravel(), dim, out)
    return plain(out.reshape(values.shape))


def weak_localization_plateau(spin: float, dimension: int = 1) -> float:
    r"""Limit of the crossover for T tau_s >> 1: only pairs split by more than 1/tau_s matter.

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    dimension : {1, 2, 3}
        Wire (the paper), film, bulk.

    Returns
    -------
    float
        :math:`\pi(4-d)(4S+1)(4S+3)/(360(2S+1))`; in a wire the coefficient of Eq. (51).

    Raises
    ------
    TypeError, ValueError
        If `spin` or `dimension` is not allowed.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (51) and (D3).

    Examples
    --------
    >>> weak_localization_plateau(0.5) == np.pi / 16
    True
    """
    two_s = twice_spin("spin", spin)
    share = (4 - _check_dimension(dimension)) * (2 * two_s + 1) * (2 * two_s + 3) / (360 * (two_s + 1))
    return math.pi * share


def weak_localization_crossover(x: ArrayLike, spin: float, dimension: int = 1) -> Result:
    r"""Effect of the interaction on weak localization at any T tau_s, between Eqs. (51) and (54).

    .. math:: F(x) = \frac{1}{T_{sg}\tau_s}\left(\frac{\Delta\sigma_{wl}}{\Delta\sigma_{wl}^{(0)}} - 1\right)
              = \frac{\alpha_S}{2x} + \frac{8}{3x}\int_0^\infty \frac{du}{u}\,\frac{C(u)}{e^u-1}\,\varphi(ux)

    with the spectrum C of :func:`pair_spectrum`.

    Parameters
    ----------
    x : array_like
        T tau_s, between 1e-300 and 1e300.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    dimension : {1, 2, 3}
        Wire (the paper), film, bulk. In films and bulk the result is minus half the relative change of the
        singlet rate 2/tau_s, in units T_sg tau_s, which in a wire is the same number.

    Returns
    -------
    float or ndarray
        F(x), positive. Relative accuracy about 1e-15 times 2S. F tends to alpha_S/(2x) for small x, and to
        :func:`weak_localization_plateau` for large x.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed.

    Notes
    -----
    Gauss rule of 16 nodes on logarithmic panels from 0 to u = 120, shared by all x; all terms are positive.
    Cost: the spectrum once on a few hundred nodes, then a few hundred square roots for each x.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (D1)-(D3), (51), (54).

    Examples
    --------
    >>> round(weak_localization_crossover(1.0, 0.5), 10)
    0.648113296
    """
    dim = _check_dimension(dimension)
    two_s = twice_spin("spin", spin)
    values = real_array("x", x, low=1e-300, high=1e300, open_low=False, open_high=False)
    if values.size == 0:
        return values
    flat = np.minimum(values.ravel(), _LARGEST_X)
    smallest = min(1e-3 / (two_s + 1) ** 2, 0.3 / float(flat.max()))
    nodes, weights = panel_rule(logarithmic_edges(smallest, _LARGEST_U), order=16)
    spectrum = np.asarray(pair_spectrum(nodes, two_s / 2))
    sums = np.empty(flat.size)
    _crossover_sums(flat, nodes, weights * spectrum * nodes / np.expm1(nodes), dim, sums)
    result = np.asarray(alpha_s(two_s / 2)) / (2 * values) + (8 / 3) * sums.reshape(values.shape)
    return plain(result)
