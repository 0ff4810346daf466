"""How fast hot electrons pass their energy to spin pairs, and how the losses scatter."""

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, sici

from ..numerics.jit import kernel
from ..numerics.quadrature import integrate, logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, plain, positive, real_array, real_scalar, twice_spin
from .pair_kinetics import _strengths
from .spin_pairs import pair_spectrum

_CHUNK = 64
# Beyond this energy in units of T the pairs absorb as in their ground state, to exp(-_END/2).
_END = 80.0


@kernel
def _exponents(
    k: FloatArray, u: FloatArray, even: FloatArray, odd: FloatArray, real: FloatArray, imaginary: FloatArray
) -> None:
    for n in range(k.size):
        a, b = 0.0, 0.0
        for m in range(u.size):
            half = math.sin(0.5 * k[n] * u[m])
            a += even[m] * half * half
            b += odd[m] * math.sin(k[n] * u[m])
        real[n] = a
        imaginary[n] = b


def energy_loss_rate(energy: ArrayLike, temperature: float, spin: float) -> NDArray[np.float64] | float:
    r"""Rate r at which one extra electron of the given energy passes energy to pairs in equilibrium.

    .. math:: \frac{dW}{dt} = -\frac{T_{sg}}{\tau_s} \int \nu\,\delta f(\varepsilon)\, r(\varepsilon)\,
              d\varepsilon, \qquad
              r(\varepsilon) = \frac{8}{3} \int_0^\infty \frac{dE}{E} (1 - e^{-E/T})\, C(E/T)\,
              \frac{\sinh(\varepsilon/T)}{\cosh(E/T) + \cosh(\varepsilon/T)} .

    Parameters
    ----------
    energy : array_like
        Energy from the Fermi level.
    temperature : float
        T of the pairs and of the other electrons, above zero, in the same unit.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        r, dimensionless, odd in `energy` (a hole below the Fermi level also gives up energy).
        Relative accuracy 1e-12.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Notes
    -----
    W = 2 nu int e df de counts both spins. Far above T, r = (8/3)(2S+1)/(S+1) [ln(energy/T) + c], with c from
    :func:`energy_loss_constant`. Beyond 1e8 T this law is used; its error is of order (T/energy)^2.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (73).

    Examples
    --------
    >>> round(energy_loss_rate(1.0, 1.0, 0.5), 6)
    1.219199
    """
    points = real_array("energy", energy)
    scale = positive("temperature", temperature)
    two_s = twice_spin("spin", spin)
    with np.errstate(over="ignore"):
        x = np.minimum(np.abs(points.ravel()) / scale, 1e300)
    out = np.empty(x.size)
    limit = 8 / 3 * (two_s + 1) / (two_s / 2 + 1)
    far = x > 1e8
    if far.any():
        out[far] = limit * (np.log(x[far]) + energy_loss_constant(two_s / 2))
    near = np.flatnonzero(~far)
    near = near[np.argsort(x[near])]
    for start in range(0, near.size, _CHUNK):
        part = near[start : start + _CHUNK]
        out[part] = _loss_rates(x[part], two_s)
    return plain((np.sign(points.ravel()) * out).reshape(points.shape))


def _loss_rates(x: FloatArray, two_s: int) -> FloatArray:
    def integrand(u: FloatArray) -> NDArray[np.float64]:
        weight = -np.expm1(-u) / u * np.asarray(pair_spectrum(u, two_s / 2))
        # sinh(x)/(cosh(x) + cosh(u)) with all exponents negative; x - top cancels the largest exponential.
        top = np.maximum(x, u[:, None])
        above = np.exp(x - top) * -np.expm1(-2 * x)
        below = np.exp(x - top) + np.exp(-x - top) + np.exp(u[:, None] - top) + np.exp(-u[:, None] - top)
        return np.asarray(weight[:, None] * above / below)

    # Panels must not grow faster than the distance from the step at x, whose tails they would overlook.
    around = np.array([-40.0, -16.0, -6.0, -2.0, 2.0, 6.0, 16.0])
    points = np.concatenate((_loss_edges(two_s, float(x.max()) + 60.0), (x[:, None] + around).ravel()))
    points = np.unique(points[(points >= 0) & (points <= x.max() + 60.0)])
    keep = np.concatenate(([True], np.diff(points) > 1e-9 * points[1:]))
    return np.asarray(8 / 3 * integrate(integrand, points[keep], rtol=1e-13).value)


def _loss_edges(two_s: int, end: float) -> FloatArray:
    # Large spins turn classical below u = 1/S^2: the panels start there.
    return logarithmic_edges(min(0.25, 1.0 / two_s**2), end, per_decade=4)


@cache
def _loss_constant(two_s: int) -> float:
    scale = (two_s / 2 + 1) / (two_s + 1)

    def gap(u: FloatArray) -> NDArray[np.float64]:
        return np.asarray(-np.expm1(-u) * np.asarray(pair_spectrum(u, two_s / 2)) * scale)

    # The approach to 1 is exp(-u/2) or faster.
    near = integrate(lambda u: gap(u) / u, _loss_edges(two_s, 1.0), rtol=1e-14)
    far = integrate(lambda u: (gap(u) - 1) / u, logarithmic_edges(1.0, 100.0, per_decade=8)[1:], rtol=1e-14)
    return float(near.value + far.value)


def energy_loss_constant(spin: ArrayLike) -> NDArray[np.float64] | float:
    r"""Constant c in the energy loss of a hot electron, dW/dt proportional to ln(energy/T) + c.

    .. math:: c_S = -\int_0^\infty \ln u\; \frac{d}{du}\left[\frac{S+1}{2S+1}(1 - e^{-u}) C(u)\right] du .

    Parameters
    ----------
    spin : array_like
        S, multiples of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        c_S, dimensionless, absolute error below 1e-13.

    Raises
    ------
    TypeError, ValueError
        If `spin` is no multiple of 1/2 in range.

    Notes
    -----
    Integrated by parts, on panels that are uniform in the logarithm of u. For S = 1/2 it is
    :math:`-\ln 2\pi - \mathrm{Re}\,\psi(1/2 + i \ln 3/2\pi)`; see :func:`energy_loss_constant_closed_form`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, the logarithm below Eq. (73).

    Examples
    --------
    >>> round(energy_loss_constant(0.5), 12)
    -0.104831193832
    """
    spins = real_array("spin", spin)
    values = np.array([_loss_constant(twice_spin("spin", s)) for s in spins.ravel()])
    return plain(values.reshape(spins.shape))


def energy_loss_constant_closed_form(spin: float) -> float:
    r"""The same constant as a finite sum of digamma functions over the zeros of the partition function.

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 7/2.

    Returns
    -------
    float
        c_S, absolute error below 1e-11.

    Raises
    ------
    TypeError, ValueError
        If `spin` is no multiple of 1/2 in range.

    Notes
    -----
    With y = u/k, transition k contributes :math:`G_k(y) = h_k(y) - h_k(-y)`, where
    :math:`h_k = p_{k-1} - p_k` and p are the populations of the states. G is odd, of period :math:`2\pi i`,
    with simple poles :math:`\lambda + i\pi` of residue r, so
    :math:`G_k(y) = \frac12\sum r \tanh\frac{y-\lambda}{2}`. Each tanh contributes
    :math:`-\ln 2\pi - \frac12\psi(\frac12 + \frac{i\lambda}{2\pi}) - \frac12\psi(\frac12 -
    \frac{i\lambda}{2\pi})` times r/2; the change of variable subtracts :math:`\ln k\; G_k(\infty)`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (73); the closed form is not in the paper.

    Examples
    --------
    >>> abs(energy_loss_constant_closed_form(1.0) - energy_loss_constant(1.0)) < 1e-12
    True
    """
    two_s = twice_spin("spin", spin, high=3.5)
    j = np.arange(two_s + 1)
    powers, strengths = j * (j + 1) // 2, _strengths(two_s)
    z = np.zeros(powers[-1] + 1)
    z[powers] = 2 * j + 1
    partition = np.polynomial.Polynomial(z)
    slope = partition.deriv()
    roots = partition.roots()
    roots = roots - partition(roots) / slope(roots)
    # q = exp(-y) = root: y = -ln(root), and lambda = y - i pi, with the imaginary part between -pi and pi.
    shift = -np.log(-roots)
    kernel = (
        -math.log(2 * math.pi)
        - (digamma(0.5 + 0.5j * shift / np.pi) + digamma(0.5 - 0.5j * shift / np.pi)) / 2
    )
    total = 0.0
    for k in range(1, two_s + 1):
        # Residue in y of (q^a - q^b)/Z(q); the poles of -h(-y) mirror these with equal residues.
        residues = -(roots ** powers[k - 1] - roots ** powers[k]) / (roots * slope(roots))
        limit = (k == 1) + (k == two_s) / (2 * two_s + 1)
        total += strengths[k - 1] * (float((residues * kernel).sum().real) - math.log(k) * limit)
    return float(total * (two_s / 2 + 1) / (two_s + 1))


def _characteristic(k: FloatArray, two_s: int) -> NDArray[np.complex128]:
    """Integral of 2 [L_even (1 - cos ku) + i L_odd sin ku]/u^2 over u > 0 for k > 0, over L(infinity)."""
    limit = (two_s + 1) / (two_s / 2 + 1)
    step = min(1.0, 4.0 / float(k.max()))
    edges = np.unique(np.concatenate((_loss_edges(two_s, _END), np.arange(step, _END, step))))
    keep = np.concatenate(([True], np.diff(edges) > 1e-9 * edges[1:]))
    u, weights = panel_rule(edges[keep], order=16)
    absorbed = np.asarray(pair_spectrum(u, two_s / 2)) / limit
    # The even part tends to 1/2 and is integrated without this limit; the odd part ends in a cosine integral.
    even = 2 * (absorbed * (1 + np.exp(-u)) - 1) * weights / u**2
    odd = -absorbed * np.expm1(-u) * weights / u**2
    real, imaginary = np.empty(k.size), np.empty(k.size)
    _exponents(k, u, even, odd, real, imaginary)
    cosine = sici(k * _END)[1]
    imaginary += k * (np.sin(k * _END) / (k * _END) - cosine)
    return np.asarray(real + np.pi * k / 2 + 1j * imaginary)


def energy_loss_distribution(
    loss: ArrayLike, exposure: float, temperature: float, spin: float
) -> NDArray[np.float64] | float:
    r"""Probability density of the energy that a hot electron has lost after a given time.

    .. math:: p(x) = \int \frac{dk}{2\pi} \exp\left[ikx - \frac{t}{\tau_s T_{sg}}
              \int dE\, \chi(E)\,(1 - e^{-ikE})\right]

    solves Eq. (71) in a uniform metal for an electron far above the Fermi level.

    Parameters
    ----------
    loss : array_like
        x, energy, within a thousand widths (4/3)(2S+1)/(S+1) `exposure` of zero.
    exposure : float
        T_sg t/tau_s, an energy; at least T/10. The time must be long compared to tau_s, so that the losses
        below T_sg, for which chi is not known, do not matter.
    temperature : float
        T of the pairs, above zero.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        Density per unit energy; negative losses are gains. Absolute error below 1e-9 of 1/width.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.
    disorder.numerics.quadrature.ConvergenceError
        If the Fourier integral does not converge.

    Notes
    -----
    For `exposure` far above T this is the Landau distribution of the losses of fast particles in matter, of
    width :math:`\lambda = \frac43\frac{2S+1}{S+1}` `exposure`, in the variable
    :math:`x/\lambda - \ln(\lambda/T) - 1 + \gamma - c_S`.
    One quadrature over the energy for each k, one over k.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (71), (72); the solution is not in the paper.
    Landau, J. Phys. (USSR) 8, 201 (1944).

    Examples
    --------
    >>> round(energy_loss_distribution(0.0, 1.0, 1.0, 0.5), 9)
    0.090414663
    """
    t = positive("temperature", temperature)
    two_s = twice_spin("spin", spin)
    time = real_scalar("exposure", exposure, low=t / 10, open_low=False)
    width = 4 / 3 * (two_s + 1) / (two_s / 2 + 1) * time
    if not math.isfinite(width * 1e3):
        raise ValueError(f"exposure must keep the width of the losses below 1e305, got {exposure!r}")
    x = real_array("loss", loss, low=-1e3 * width, high=1e3 * width) / width
    # The real part of the exponent grows at least as fast as pi q/2 times the smaller of 1 and 2 C(0)/C(inf).
    low = 2 * float(pair_spectrum(0.0, two_s / 2)) * (two_s / 2 + 1) / (two_s + 1)
    end = 40.0 / (math.pi / 2 * min(1.0, low))

    def integrand(q: FloatArray) -> NDArray[np.float64]:
        exponent = _characteristic(q * (t / width), two_s) * (width / t)
        return np.asarray(np.exp(1j * q[:, None] * x.ravel() - exponent[:, None]).real / (math.pi * width))

    edges = np.concatenate((logarithmic_edges(1e-6, 1.0, per_decade=2), np.arange(2.0, end + 1.0)))
    value = integrate(integrand, edges, rtol=1e-10, atol=1e-10 / width).value
    return plain(np.asarray(value).reshape(x.shape))
