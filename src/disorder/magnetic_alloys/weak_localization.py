"""Weak localization of wires with interacting magnetic impurities, to first order of the virial expansion.

Strong spin-orbit coupling leaves the singlet Cooperon, whose rate is 2/tau_s. A pair whose levels are
split by more than the temperature or by more than 1/tau_s dephases less; the correction of the
conductivity in units T_sg tau_s is then one function of x = T tau_s and of the spin.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.quadrature import logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, ValidityWarning, integer, positive, real_array, twice_spin
from .pair_quenching import alpha_s
from .spin_pairs import pair_spectrum

Result = NDArray[np.float64] | float

# Beyond this x the crossover equals its limit to rounding for every spin up to 100.
_LARGEST_X = 1e20
# exp(-u/2) is below 1e-26 here, and the thermal factor u/(e^u - 1) below 1e-50.
_LARGEST_U = 120.0


@kernel
def _elastic_weight(z: float, dimension: int) -> float:
    # phi(z) z^-1 without cancellation. With sqrt(1 + i z/2) = p + i q and w = |1 + i z/2| = 2 p^2 - 1,
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
def _elastic_weights(z: FloatArray, dimension: int, out: FloatArray) -> None:
    for i in range(z.size):
        out[i] = z[i] * _elastic_weight(z[i], dimension)


@kernel
def _crossover_sums(
    x: FloatArray, nodes: FloatArray, weights: FloatArray, dimension: int, out: FloatArray
) -> None:
    # sum over u of weight(u) phi(u x)/(u^2 x); weight holds the quadrature, the spectrum and u/(e^u - 1).
    for i in range(x.size):
        total = 0.0
        for j in range(nodes.size):
            total += weights[j] / nodes[j] * _elastic_weight(nodes[j] * x[i], dimension)
        out[i] = total


def _shaped(values: FloatArray) -> Result:
    return float(values[()]) if values.ndim == 0 else values


def _broadcast(*arrays: FloatArray) -> list[FloatArray]:
    try:
        return [np.array(array) for array in np.broadcast_arrays(*arrays)]
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"arguments must have shapes that broadcast together, got {shapes}") from error


def _logarithm(temperature: FloatArray, kondo: FloatArray) -> FloatArray:
    if not (temperature > kondo).all():
        raise ValueError(
            f"temperature must lie above t_k in a formula for T >> T_K, got temperature = {float(np.min(temperature)):g} "
            f"and t_k = {float(np.max(kondo)):g}"
        )
    # The difference keeps its digits close to t_k, the logarithms survive ratios beyond 1e308.
    near = temperature < 2 * kondo
    excess = np.where(near, (temperature - kondo) / kondo, 0.0)
    logarithm: FloatArray = np.where(near, np.log1p(excess), np.log(temperature) - np.log(kondo))
    return logarithm


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
    d, tau = _broadcast(
        real_array("diffusion", diffusion, low=0.0),
        real_array("tau_s", tau_s, low=0.0),
    )
    return _shaped(np.sqrt(d / 2) * np.sqrt(tau) / (2 * np.pi))


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
    The field adds :math:`4 e^2 B^2 D\langle y^2\rangle/\hbar^2` to the rate 2/tau_s of the Cooperon as long as the
    wire is thinner than the magnetic length; :math:`\langle y^2\rangle = A/12` or :math:`A/4\pi`.

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
    return _shaped(1 / np.hypot(1.0, math.sqrt(share[section]) * b))


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
    In d dimensions :math:`4\varphi = 1 - I_1/I_2` with :math:`I_1=\int d^dq\,[(Dq^2+2/\tau_s)^2+\omega^2]^{-1}` and
    :math:`I_2` its value at :math:`\omega=0`. For small z, phi = (4-d)(6-d) z^2/384; the integral of phi/z^2 over
    all real z is (4-d) pi/32. Nothing cancels in the form used.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Appendix D.

    Examples
    --------
    >>> round(inelastic_weight(1.0), 12)
    0.032708757044
    """
    dim = _check_dimension(dimension)
    values = np.abs(real_array("z", z))
    out = np.empty(values.size)
    _elastic_weights(values.ravel(), dim, out)
    return _shaped(out.reshape(values.shape))


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
              = \frac{\alpha_S}{2x} + \frac{8}{3x}\int_0^\infty \frac{du}{u^2}\,\frac{u\,C(u)}{e^u-1}\,\varphi(ux)

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
        F(x), positive. Relative accuracy about 1e-13 (S <= 20). F tends to alpha_S/(2x) for small x, and to
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
    0.6682839577
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
    return _shaped(result)


def spin_flip_rate(
    temperature: ArrayLike, spin: float, t_k: ArrayLike, *, coupling_constant: float = 0.5
) -> Result:
    r"""Scattering rate off free impurity spins, 1/tau_s, in units n_s/nu.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_k : array_like
        Kondo temperature, positive, same unit.
    coupling_constant : float
        c in the running coupling nu J = c/ln(T/T_K). The one-loop scaling of the Hamiltonian J S.sigma with Pauli
        matrices gives 1/2 (default); the paper prints 2.

    Returns
    -------
    float or ndarray
        :math:`2\pi S(S+1)\,c^2/\ln^2(T/T_K)`. With c = 2 this is Eq. (52) as printed.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or the temperature is not above `t_k`.

    Warns
    -----
    ValidityWarning
        If the rate exceeds the unitarity bound 2 n_s/(pi nu): the Born approximation then does not hold.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (2), (6) and (52).

    Examples
    --------
    >>> round(spin_flip_rate(np.e**4, 0.5, 1.0), 6)
    0.073631
    """
    two_s = twice_spin("spin", spin)
    constant = positive("coupling_constant", coupling_constant)
    t, kondo = _broadcast(
        real_array("temperature", temperature, low=0.0),
        real_array("t_k", t_k, low=0.0),
    )
    rate = 2 * np.pi * (two_s * (two_s + 2) / 4) * (constant / _logarithm(t, kondo)) ** 2
    if (rate > 2 / np.pi).any():
        warnings.warn(
            ValidityWarning(
                "spin_flip_rate: the Born rate exceeds the unitarity bound 2 n_s/(pi nu); it needs "
                "ln(T/T_K) > pi c sqrt(S(S+1))"
            ),
            stacklevel=2,
        )
    return _shaped(rate)


def interaction_per_rate(
    temperature: ArrayLike, spin: float, t_k: ArrayLike, transit_energy: ArrayLike
) -> Result:
    r"""Product T_sg tau_s: interaction of neighbouring spins over the rate at which they flip electrons.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_k : array_like
        Kondo temperature, positive.
    transit_energy : array_like
        :math:`\hbar v_F n_s^{1/3}`, the energy at which the exchange between neighbours is taken; above `t_k`.

    Returns
    -------
    float or ndarray
        :math:`\ln^2(T/T_K) / [4\pi^2 S(S+1) \ln^2(v_F n_s^{1/3}/T_K)]`, independent of the prefactor of Eq. (2).

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or a temperature or the transit energy is not above `t_k`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (53).

    Examples
    --------
    >>> round(interaction_per_rate(100.0, 0.5, 1.0, 100.0), 12) == round(1 / (3 * np.pi**2), 12)
    True
    """
    two_s = twice_spin("spin", spin)
    t, kondo, transit = _broadcast(
        real_array("temperature", temperature, low=0.0),
        real_array("t_k", t_k, low=0.0),
        real_array("transit_energy", transit_energy, low=0.0),
    )
    if not (transit > kondo).all():
        raise ValueError(
            f"transit_energy must lie above t_k, got transit_energy = {float(np.min(transit)):g} "
            f"and t_k = {float(np.max(kondo)):g}"
        )
    ratio = _logarithm(t, kondo) / _logarithm(transit, kondo)
    return _shaped(ratio**2 / (np.pi**2 * two_s * (two_s + 2)))


def weak_localization_correction(
    temperature: ArrayLike,
    spin: float,
    t_sg: float,
    t_k: float,
    transit_energy: float,
    *,
    interacting: bool = True,
) -> Result:
    r"""Weak-localization correction of a wire against temperature, above T_K and T_sg.

    Parameters
    ----------
    temperature : array_like
        Above `t_k`.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : float
        Interaction scale of Eq. (10) and Kondo temperature, positive.
    transit_energy : float
        :math:`\hbar v_F n_s^{1/3}`, above `t_k`.
    interacting : bool
        Whether the first virial correction is included.

    Returns
    -------
    float or ndarray
        :math:`\ln(T/T_K)\,[1 + T_{sg}\tau_s F(T\tau_s)]`: the correction in units of its value for free spins at
        ln(T/T_K) = 1. F is :func:`weak_localization_crossover`, T_sg tau_s is Eq. (53).

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or the temperature is not above `t_k`.

    Warns
    -----
    ValidityWarning
        If a temperature is not above `t_sg`, where the virial expansion fails.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (51), (53) and (54).

    Examples
    --------
    >>> float(weak_localization_correction(np.e, 0.5, 1.0, 1.0, 50.0, interacting=False))
    1.0
    """
    t = real_array("temperature", temperature, low=0.0)
    scale, kondo = positive("t_sg", t_sg), positive("t_k", t_k)
    product = np.asarray(interaction_per_rate(t, spin, kondo, transit_energy))
    logarithm = _logarithm(t, np.asarray(kondo))
    if not interacting:
        return _shaped(logarithm)
    if (t <= scale).any():
        warnings.warn(
            ValidityWarning(f"weak_localization_correction: the virial expansion needs T > T_sg = {scale:g}"),
            stacklevel=2,
        )
    x = np.exp(np.log(t) - math.log(scale) + np.log(product))
    return _shaped(logarithm * (1 + product * np.asarray(weak_localization_crossover(x, spin))))


def weak_localization_minimum(spin: float, t_sg: ArrayLike, t_k: ArrayLike) -> Result:
    r"""Temperature of the minimum of Eq. (54), exact.

    With a = alpha_S T_sg the extrema of ln(T/T_K)(1 + a/2T) obey T = (a/2)[ln(T/T_K) - 1]; the minimum is the
    upper solution.

    Parameters
    ----------
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg, t_k : array_like
        Interaction scale of Eq. (10) and Kondo temperature, positive, one unit.

    Returns
    -------
    float or ndarray
        Temperature of the minimum, in the unit of the arguments. It lies at or above e^2 T_K. Relative accuracy 1e-14, less at
        the threshold alpha_S T_sg = 2 e^2 T_K, where minimum and maximum merge.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed, or alpha_S T_sg < 2 e^2 T_K, where Eq. (54) has no minimum.

    Notes
    -----
    z = ln(T/T_K) - 1 solves z - ln z = ln(a/(2 e T_K)), z >= 1: -z is the branch W_{-1} of Lambert's function.
    Newton's method from an upper bound converges from one side.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (54) and (29).

    Examples
    --------
    >>> t = weak_localization_minimum(0.5, 100.0, 1.0)
    >>> abs(t / (alpha_s(0.5) * 50.0 * (np.log(t) - 1)) - 1) < 1e-13
    True
    """
    two_s = twice_spin("spin", spin)
    scale, kondo = _broadcast(
        real_array("t_sg", t_sg, low=0.0),
        real_array("t_k", t_k, low=0.0),
    )
    half = np.asarray(alpha_s(two_s / 2)) / 2
    excess = np.log(half) + np.log(scale) - np.log(kondo) - 2
    if not (excess >= 0).all():
        raise ValueError(
            "t_sg/t_k must be at least 2 e^2/alpha_S for Eq. (54) to have a minimum, here "
            f"{math.e**2 / float(half):g}, got {float(np.min(np.exp(excess))) * math.e**2 / float(half):g}"
        )
    z = 1 + np.sqrt(2 * excess) + excess
    for _ in range(60):
        change = z * (z - np.log(z) - 1 - excess) / np.maximum(z - 1, 1e-300)
        z = np.maximum(z - change, 1.0)
        if (np.abs(change) <= 1e-15 * z).all():
            break
    return _shaped(half * z * scale)
