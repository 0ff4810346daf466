"""The spin correlator of a dilute alloy, averaged over pairs coupled by the RKKY interaction.

Everything that the paper computes to first order of the virial expansion follows from one dimensionless
function, the pair spectrum C(u): the rate at which a pair, drawn from the distribution of couplings, absorbs
the energy u T. The levels of a single pair are in `pair_levels`.
"""

import math
import warnings
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import sici, spherical_jn

from ..numerics.jit import kernel
from ..numerics.quadrature import logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, ValidityWarning, broadcast, real_array, twice_spin


@kernel
def _pair_spectrum(u: float, two_s: int) -> float:
    # Sum over transitions k between J = k - 1 and J = k of k [w_k(|u|/k) + w_k(-|u|/k)] exp(|u|/2), where
    # w_k(y) = B_k exp(-y k^2/2) / sum_J (2J+1) exp(-y J(J+1)/2) / S(S+1) and B_k = k (N^2 - k^2)/4.
    # Every exponential below has a negative exponent: the weights are taken relative to the ground state,
    # J = 0 for antiferromagnetic and J = 2S for ferromagnetic coupling.
    u = abs(u)
    n2 = (two_s + 1) * (two_s + 1)
    total = 0.0
    for k in range(1, two_s + 1):
        y = u / k
        anti, ferro = 0.0, 0.0
        z_anti, z_ferro = 0.0, 0.0
        for j in range(two_s + 1):
            weight = math.exp(-y * (j * (j + 1) // 2))
            z_anti += (2 * j + 1) * weight
            if j == k - 1:
                anti = weight
            weight = math.exp(-y * ((two_s * (two_s + 1) - j * (j + 1)) // 2))
            z_ferro += (2 * j + 1) * weight
            if j == k:
                ferro = weight
        total += k * k * (n2 - k * k) * 0.25 * (anti / z_anti + ferro / z_ferro)
    return 4.0 * total / (two_s * (two_s + 2))


@kernel
def _pair_spectra(u: FloatArray, two_s: int, out: FloatArray) -> None:
    for i in range(u.size):
        out[i] = _pair_spectrum(u[i], two_s)


# Above it the spectrum equals its limit to any precision and exp(-u/2) is zero.
_SATURATION = 1e6


def pair_spectrum(u: ArrayLike, spin: float) -> NDArray[np.float64] | float:
    r"""Spectrum C(u) of the pairs: how strongly they absorb the energy u T, averaged over couplings.

    With w the thermal weights of a pair with coupling T y and B_k the strength of its transition between
    J = k - 1 and J = k,

    .. math:: C(u) = e^{|u|/2}\sum_{k=1}^{2S} k\,[w_k(u/k) + w_k(-u/k)], \qquad
              w_k(y) = \frac{B_k\, e^{-y k^2/2}}{S(S+1)\sum_J (2J+1) e^{-yJ(J+1)/2}} .

    Parameters
    ----------
    u : array_like
        Energy over temperature, any finite real numbers.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        C(u), even and positive. C(0) = (4S+1)(4S+3)/(15(2S+1)); C tends to (2S+1)/(S+1) for large u.
        Relative accuracy about 1e-15 times 2S.

    Raises
    ------
    TypeError, ValueError
        If `u` is not finite and real or `spin` is no multiple of 1/2 in range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240: the common content of Eqs. (17), (28), (72) and (D2b).

    Examples
    --------
    >>> float(pair_spectrum(0.0, 0.5))
    0.5
    """
    energies = real_array("u", u)
    out = np.empty(energies.size)
    _pair_spectra(np.minimum(np.abs(energies), _SATURATION).ravel(), twice_spin("spin", spin), out)
    return float(out[0]) if energies.ndim == 0 else out.reshape(energies.shape)


def _warn_below_t_sg(name: str, temperature: FloatArray, t_sg: FloatArray) -> None:
    if (temperature <= t_sg).any():
        warnings.warn(
            f"{name}: first order of the virial expansion, derived for temperature >> t_sg; "
            f"got temperature/t_sg down to {float(np.min(temperature / t_sg)):.3g}",
            ValidityWarning,
            stacklevel=3,
        )


def spin_correlator(
    omega: ArrayLike, temperature: ArrayLike, spin: float, t_sg: ArrayLike
) -> NDArray[np.float64] | float:
    r"""Regular part of the spin correlator K(omega), averaged over pairs, at nonzero frequency.

    .. math:: K(\omega) = \frac{8\pi}{3}\,S(S+1)\,\frac{T_{sg}}{\omega^2}\,e^{-(u+|u|)/2}\,C(u),
              \qquad u = \omega/T,

    with C the :func:`pair_spectrum`.

    Parameters
    ----------
    omega : array_like
        Frequency, energy, nonzero, any shape. Positive: energy that the spins give to an electron.
    temperature : array_like
        T > 0, energy.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    t_sg : array_like
        T_sg > 0, energy, the typical RKKY coupling of neighbours. The three arrays are broadcast.

    Returns
    -------
    float or ndarray
        K, inverse energy, positive, with K(-omega) = exp(omega/T) K(omega). Relative accuracy 1e-13.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range (also omega = 0), shapes do not broadcast, or K overflows.

    Warns
    -----
    ValidityWarning
        If the temperature is not above `t_sg`.

    Notes
    -----
    The full correlator also holds a delta function at omega = 0, with the weight that makes the integral over
    all frequencies 2 pi S(S+1).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (16), (17); the printed (17) has a surplus 1/T.

    Examples
    --------
    >>> round(spin_correlator(-1e-6, 1.0, 0.5, 1e-9) / (np.pi * 1e3), 5)
    1.0
    """
    two_s = twice_spin("spin", spin)
    w, temp, scale = broadcast(
        omega=real_array("omega", omega),
        temperature=real_array("temperature", temperature, low=0.0),
        t_sg=real_array("t_sg", t_sg, low=0.0),
    )
    if (w == 0).any():
        raise ValueError("omega must not be 0: there the correlator has a delta function, got 0")
    _warn_below_t_sg("spin_correlator", temp, scale)
    spectrum = np.empty(w.size)
    with np.errstate(over="ignore", under="ignore"):
        u = np.clip(w / temp, -_SATURATION, _SATURATION)
        _pair_spectra(u.ravel(), two_s, spectrum)
        # Half of exp(-u) at each end of the product: no factor underflows before the result does.
        damping = np.exp(-np.maximum(u, 0.0) / 2)
        value = (2 * np.pi / 3) * two_s * (two_s + 2) * scale / np.abs(w) * damping / np.abs(w)
        value = value * spectrum.reshape(w.shape) * damping
    if not np.isfinite(value).all():
        raise ValueError(f"omega must keep K finite, got |omega| down to {float(np.min(np.abs(w))):g}")
    return float(value) if w.ndim == 0 else np.asarray(value, dtype=np.float64)


def spin_relaxation_rate(spin: float, t_sg: ArrayLike) -> NDArray[np.float64] | float:
    r"""Rate of the linear decay of the averaged correlator, K(t) = S(S+1)(1 - rate |t| + ...).

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    t_sg : array_like
        T_sg > 0, energy.

    Returns
    -------
    float or ndarray
        4 pi (4S+1)(4S+3)/(45 (2S+1)) T_sg, energy. The law holds for 1/T << t << 1/T_sg.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    References
    ----------
    Beyond Vavilov, Glazman, Larkin, cond-mat/0305240: Eq. (16) in real time. The same constant
    governs Eq. (51).

    Examples
    --------
    >>> round(spin_relaxation_rate(0.5, 1.0) * 3 / np.pi, 12)
    2.0
    """
    two_s = twice_spin("spin", spin)
    scale = real_array("t_sg", t_sg, low=0.0)
    with np.errstate(over="ignore"):
        rate = 4 * np.pi / 45 * (2 * two_s + 1) * (2 * two_s + 3) / (two_s + 1) * scale
    if not np.isfinite(rate).all():
        raise ValueError(f"t_sg must keep the rate finite, got {float(scale.max()):g}")
    return float(rate) if scale.ndim == 0 else np.asarray(rate, dtype=np.float64)


# Where the spectrum has reached its limit: the slowest approach is exp(-u/2).
_PLATEAU = 80.0
_ORDER = 16


@lru_cache(maxsize=32)
def _smooth_parts(two_s: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Panels (centre, half width) and Legendre coefficients of the smooth parts of the two Fourier integrals.

    With a(u) = C(u) cosh(u/2)/exp(u/2) and b(u) = C(u) sinh(u/2)/exp(u/2) they are (a(u) - a(0))/u^2 and
    (b(u)/u - b'(0))/u.
    """
    # The poles of the spectrum nearest to u = 0 lie at a distance of about pi/(S + 1/2)^2.
    edges = logarithmic_edges(4.0 / (two_s + 1) ** 2, _PLATEAU, per_decade=8)
    nodes, _ = panel_rule(edges, _ORDER)
    spectrum = np.empty(nodes.size)
    _pair_spectra(nodes, two_s, spectrum)
    limit = _pair_spectrum(0.0, two_s)
    even = (spectrum * (1 + np.exp(-nodes)) / 2 - limit) / nodes**2
    odd = (-spectrum * np.expm1(-nodes) / (2 * nodes) - limit / 2) / nodes
    half = np.diff(edges) / 2
    x, w = panel_rule([-1.0, 1.0], _ORDER)
    degree = np.arange(_ORDER)
    to_legendre = np.polynomial.legendre.legvander(x, _ORDER - 1) * w[:, None] * (degree + 0.5)
    return (
        edges[:-1] + half,
        half,
        even.reshape(half.size, _ORDER) @ to_legendre,
        odd.reshape(half.size, _ORDER) @ to_legendre,
    )


def correlation_decay(
    time: ArrayLike, temperature: ArrayLike, spin: float, t_sg: ArrayLike
) -> NDArray[np.complex128] | complex:
    r"""Spin correlator K(t) = <S(0).S(t)> in real time, averaged over pairs.

    .. math:: K(t) = S(S+1) + \int\frac{d\omega}{2\pi}\,K_{reg}(\omega)\,(e^{-i\omega t}-1),

    with the regular part of :func:`spin_correlator`; the principal value is meant at zero frequency.

    Parameters
    ----------
    time : array_like
        t, inverse energy, any sign.
    temperature : array_like
        T > 0, energy.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    t_sg : array_like
        T_sg > 0, energy. The three arrays are broadcast.

    Returns
    -------
    complex or ndarray
        K, dimensionless, K(0) = S(S+1) and K(-t) = conj K(t). For T t >> 1 its real part falls as
        S(S+1)(1 - rate |t|) with the :func:`spin_relaxation_rate`. Absolute error below
        1e-12 S(S+1) T_sg/T for S <= 20, apart from the rounding of a linear term much larger than one.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, shapes do not broadcast, or K overflows.

    Warns
    -----
    ValidityWarning
        If the temperature is not above `t_sg`, or the decay is so far advanced that rate |t| > 1.

    Notes
    -----
    The spectrum is expanded in Legendre polynomials on logarithmic panels, each of which has an exact Fourier
    transform; what is singular at zero frequency and the tail are done in closed form. The cost does not
    depend on t.

    References
    ----------
    Beyond Vavilov, Glazman, Larkin, cond-mat/0305240: Eq. (16) in real time.

    Examples
    --------
    >>> correlation_decay(0.0, 10.0, 0.5, 1.0)
    (0.75+0j)
    """
    two_s = twice_spin("spin", spin)
    t, temp, scale = broadcast(
        time=real_array("time", time),
        temperature=real_array("temperature", temperature, low=0.0),
        t_sg=real_array("t_sg", t_sg, low=0.0),
    )
    _warn_below_t_sg("correlation_decay", temp, scale)
    with np.errstate(over="ignore"):
        decay = np.asarray(spin_relaxation_rate(spin, 1.0)) * (scale * np.abs(t))
        # Beyond 1e12 thermal times every oscillating term is below 1e-12: only the linear law is left.
        tau = np.clip(np.abs(t) * temp, 0.0, 1e12)
        ratio = scale / temp
    if not (np.isfinite(decay) & np.isfinite(ratio)).all():
        raise ValueError("time, temperature and t_sg must keep t_sg * time and t_sg / temperature finite")
    if (decay > 1).any():
        warnings.warn(
            f"correlation_decay: first order of the virial expansion, for rate * |time| << 1; "
            f"got up to {float(decay.max()):.3g}",
            ValidityWarning,
            stacklevel=2,
        )
    slow, phase = _fourier_parts(tau.ravel(), two_s)
    weight = 8 / 3 * ratio
    value = 1 - decay + weight * slow.reshape(t.shape) + 1j * np.sign(t) * weight * phase.reshape(t.shape)
    value = value * (two_s * (two_s + 2) / 4)
    if not np.isfinite(value).all():
        raise ValueError("time, temperature and t_sg must keep K(t) finite")
    return complex(value) if t.ndim == 0 else np.asarray(value, dtype=np.complex128)


def _fourier_parts(tau: FloatArray, two_s: int) -> tuple[FloatArray, FloatArray]:
    """Integrals over u > 0 of a(u)(cos(u tau) - 1)/u^2 + pi C(0) tau/2 and of b(u) sin(u tau)/u^2."""
    centre, half, even, odd = _smooth_parts(two_s)
    limit, plateau = _pair_spectrum(0.0, two_s), (two_s + 1) / (two_s + 2)
    cosine = np.full(tau.size, -2 * float(half @ even[:, 0]))
    sine = np.zeros(tau.size)
    argument = tau[:, None] * half
    rotation = np.exp(1j * tau[:, None] * centre) * (2 * half)
    for n in range(_ORDER):
        moment = rotation * (1j**n * spherical_jn(n, argument))
        cosine += moment.real @ even[:, n]
        sine += moment.imag @ odd[:, n]
    edge = _PLATEAU * tau
    moving = edge > 0
    si, ci = sici(np.where(moving, edge, 1.0))
    rest = np.where(moving, np.pi / 2 - si, np.pi / 2)
    # Tails beyond the last panel, where a = b = `plateau`, half of the limit (2S+1)/(S+1) of the spectrum.
    cosine += (plateau - limit) * (-tau * rest - (1 - np.cos(edge)) / _PLATEAU)
    sine += np.where(moving, plateau * (np.sin(edge) / _PLATEAU - tau * ci) - limit / 2 * rest, 0.0)
    return cosine, np.where(moving, sine + np.pi / 4 * limit, 0.0)
