"""Scattering of an electron off pairs of impurities, and averages over thermal electrons (Section III)."""

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.quadrature import integrate, panel_rule
from ..numerics.validation import FloatArray, ValidityWarning, positive, real_array, twice_spin
from .spin_pairs import pair_spectrum

EnergyFunction = Callable[[FloatArray], NDArray[np.float64]]

# Width of a panel in units of T: the poles of the Fermi factor at distance pi leave an error of 1e-20.
_PANEL = 4.0
_WINDOW = 80.0


@kernel
def _blocking(e: float, u: float) -> float:
    # (cosh u - 1)/(cosh e + cosh u) for e, u >= 0, every exponential with a negative exponent.
    largest = max(e, u)
    root = math.expm1(-u)
    top = root * root * math.exp(u - largest)
    return top / (
        math.exp(e - largest) + math.exp(-e - largest) + math.exp(u - largest) + math.exp(-u - largest)
    )


@kernel
def _inelastic_sums(
    e: FloatArray, u: FloatArray, spectrum: FloatArray, weights: FloatArray, out: FloatArray
) -> None:
    for i in range(e.size):
        total = 0.0
        for j in range(u.size):
            total += (
                weights[j] * spectrum[j] * (1.0 + math.exp(-u[j])) / (u[j] * u[j]) * _blocking(e[i], u[j])
            )
        out[i] = total


def t_matrix_correction(x: ArrayLike, spin: float) -> NDArray[np.float64] | float:
    r"""First virial coefficient t(x) of the scattering rate of an electron of energy x T.

    .. math:: \frac{\mathrm{Im}\,T(\varepsilon)}{\pi\nu J^2 S(S+1)} = 1 + \frac{T_{sg}}{T}\,t(\varepsilon/T),
              \qquad t(x) = -\frac43\int_0^\infty\frac{du}{u^2}\,C(u)\,(1+e^{-u})\,
              \frac{\cosh u - 1}{\cosh x + \cosh u}

    Parameters
    ----------
    x : array_like
        Electron energy over temperature, finite and real, at most 1e6 in magnitude.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        t(x) of the shape of `x`, negative and even; its thermal average is -alpha_S, and it falls as
        :math:`-\tfrac43\tfrac{2S+1}{S+1}/|x|`. Relative accuracy 1e-12.

    Raises
    ------
    TypeError, ValueError
        If `x` is not finite and real or `spin` is no multiple of 1/2 in range.

    Notes
    -----
    Eqs. (15)-(17) in (25), the elastic line and its loss under one integral without sign changes.
    Panels of width 4 T cover the step at u = |x|; the tail is added analytically.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (25).

    Examples
    --------
    >>> round(t_matrix_correction(0.0, 0.5), 6)
    -1.337191
    """
    energies = np.abs(real_array("x", x, low=-1e6, high=1e6, open_low=False, open_high=False))
    two_s = twice_spin("spin", spin)
    flat = energies.ravel()
    out = np.empty(flat.size)
    # Energies that share a block of width _PANEL share their panels.
    block = np.floor(flat / _PANEL)
    start = np.geomspace(0.5 / (two_s * (two_s + 1)), _PANEL, 3 + 2 * two_s.bit_length())
    for number in np.unique(block):
        centre = _PANEL * number
        low, high = max(_PANEL, centre - _WINDOW), centre + _PANEL + 2 * _WINDOW
        edges = np.arange(low, high + _PANEL / 2, _PANEL)
        if centre <= _WINDOW:
            edges = np.concatenate(([0.0], start, edges[1:]))
        nodes, weights = panel_rule(edges, order=20)
        spectrum = np.asarray(pair_spectrum(nodes, spin))
        members = block == number
        part = np.empty(int(members.sum()))
        _inelastic_sums(flat[members], nodes, spectrum, weights, part)
        out[members] = -4.0 / 3.0 * (part + (two_s + 1) / (two_s / 2 + 1) / edges[-1])
    return float(out[0]) if energies.ndim == 0 else out.reshape(energies.shape)


def t_matrix(energy: ArrayLike, temperature: float, spin: float, t_sg: float) -> NDArray[np.float64] | float:
    r"""Imaginary part of the T-matrix of Eq. (25), averaged over pairs, over its Born value.

    Parameters
    ----------
    energy : array_like
        Electron energy counted from the Fermi energy; any unit, the same as `temperature` and `t_sg`.
    temperature : float
        T, positive, above about 2 alpha_S T_sg.
    spin : float
        Impurity spin, a multiple of 1/2 from 1/2 to 100.
    t_sg : float
        Interaction scale (10), positive.

    Returns
    -------
    float or ndarray
        :math:`\mathrm{Im}\,T(\varepsilon)/\pi\nu J^2 S(S+1)` of the shape of `energy`; accuracy 1e-12.

    Raises
    ------
    TypeError, ValueError
        If an argument is not finite and real, a scale is not positive, or \|energy\| exceeds 1e6 T.

    Warns
    -----
    ValidityWarning
        If the correction exceeds one half.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (15), (25).

    Examples
    --------
    >>> round(t_matrix(0.0, 10.0, 0.5, 1.0), 7)
    0.8662809
    """
    t, sg = positive("temperature", temperature), positive("t_sg", t_sg)
    energies = real_array("energy", energy)
    if (np.abs(energies) * 1e-6 > t).any():
        raise ValueError(f"energy must lie within 1e6 temperature = {1e6 * t:g}, got {energy!r}")
    correction = np.asarray(t_matrix_correction(energies / t, spin)) * (sg / t)
    if energies.size and correction.min() < -0.5:
        warnings.warn(
            f"t_matrix: first virial correction {correction.min():.2g}; the expansion holds for temperature "
            "above 2 alpha_S t_sg",
            ValidityWarning,
            stacklevel=2,
        )
    return 1 + float(correction) if energies.ndim == 0 else 1 + correction


def thermal_average(function: EnergyFunction, temperature: float, *, rtol: float = 1e-12) -> float:
    r"""Average over thermal electrons, :math:`\int f(\varepsilon)\,d\varepsilon/4T\cosh^2(\varepsilon/2T)`.

    Parameters
    ----------
    function : callable
        Maps energies of shape (n,) to finite values of shape (n,); smooth, growing no faster than a power.
    temperature : float
        Positive, in the unit of the energies.
    rtol : float
        Relative tolerance, from 1e-14 to 1e-1.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If `temperature` is not finite and positive or the function is not finite.
    ConvergenceError
        If the tolerance is not reached.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (20), (24), (57).

    Examples
    --------
    >>> round(thermal_average(lambda energy: energy**2, 2.0) / (np.pi * 2.0) ** 2, 12)
    0.333333333333
    """
    t = positive("temperature", temperature)
    tolerance = real_array("rtol", rtol, ndim=0, low=1e-14, high=0.1, open_low=False, open_high=False)

    def weighted(x: FloatArray) -> NDArray[np.float64]:
        decay = np.exp(-np.abs(x))
        values = np.asarray(function(t * x), dtype=np.float64)
        if values.shape != x.shape:
            raise ValueError(f"function must return the shape of its argument {x.shape}, got {values.shape}")
        product: NDArray[np.float64] = values * decay / (1 + decay) ** 2
        return product

    edges = np.array([-_WINDOW, -40.0, -20.0, -8.0, -3.0, 0.0, 3.0, 8.0, 20.0, 40.0, _WINDOW])
    return float(integrate(weighted, edges, rtol=float(tolerance), order=16).value)


def drude_conductivity(self_energy: EnergyFunction, temperature: float) -> float:
    r"""Drude conductivity for an energy-dependent scattering rate, Eq. (20), over :math:`e^2\nu v_F^2/3`.

    Parameters
    ----------
    self_energy : callable
        :math:`\mathrm{Im}\,\Sigma^A(\varepsilon)`, half the scattering rate, positive: maps energies of shape
        (n,) to shape (n,).
    temperature : float
        Positive, in the unit of the energies.

    Returns
    -------
    float
        Thermal average of 1/Im Sigma, in the inverse unit of energy; 2 tau_e for a constant 1/(2 tau_e).

    Raises
    ------
    TypeError, ValueError
        If `temperature` is not finite and positive, or the self-energy is not.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (18)-(23).

    Examples
    --------
    >>> round(drude_conductivity(lambda energy: np.full_like(energy, 0.25), 1.0), 12)
    4.0
    """

    def inverse(energy: FloatArray) -> NDArray[np.float64]:
        return 1 / real_array("self_energy", self_energy(energy), low=0.0)

    return thermal_average(inverse, temperature)
