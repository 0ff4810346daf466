"""What clusters do in an experiment: coherence lengths, the quasi-uniform distribution, internal friction.

Energies and temperatures are kelvins, frequencies are angular (radians per second), W is the width of the
distribution of bare energies, Delta_* the tunneling amplitude of a single centre. Logarithms are computed as
differences of logarithms, so that extreme arguments neither overflow nor underflow.
"""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.validation import FloatArray, ValidityWarning, broadcast, plain, real_array

Number = NDArray[np.float64] | float

# Solution (6.21) of Eq. (6.14): eta = 1/B with B = 8 pi, and a = C/B = 2 ln 2 - 1.
_ETA = 1 / (8 * math.pi)
_GROWTH = 2 * math.log(2) - 1
_GOLDEN_RULE = 1e8


def _log_ratio(name: str, energy: FloatArray, bandwidth: FloatArray) -> FloatArray:
    if (energy >= bandwidth).any():
        raise ValueError(
            f"{name} must lie below the bandwidth, got {float(energy[energy >= bandwidth].flat[0]):g} "
            f"for a bandwidth of {float(bandwidth[energy >= bandwidth].flat[0]):g}"
        )
    return np.log(bandwidth) - np.log(energy)


def _positive(**values: ArrayLike) -> list[FloatArray]:
    return broadcast(**{name: real_array(name, value, low=0.0) for name, value in values.items()})


def coherence_logarithm(energy: ArrayLike, bandwidth: ArrayLike) -> Number:
    r"""Logarithm xi = ln(R_max/R_min) of the coherence region for excitations of an energy.

    .. math:: \xi_\varepsilon = \tfrac13\ln(W/\varepsilon)

    Parameters
    ----------
    energy : array_like
        Energy of the excitation, or the temperature if that is larger; kelvins, positive, below `bandwidth`.
    bandwidth : array_like
        W in kelvins, positive.

    Returns
    -------
    float or ndarray
        Of the broadcast shape, dimensionless.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Notes
    -----
    W = U_0/R_min^3 and energy = U_0/R_max^3. The variable of the flow is t = chi xi.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.16), (7.2), (7.4).

    Examples
    --------
    >>> print(f"{coherence_logarithm(0.1, 100.0):.3f}")
    2.303
    """
    low, width = _positive(energy=energy, bandwidth=bandwidth)
    return plain(_log_ratio("energy", low, width) / 3)


def coherence_radius(energy: ArrayLike, interaction: ArrayLike) -> Number:
    r"""Distance at which the interaction of two centres equals an energy.

    .. math:: R_\varepsilon = (U_0/\varepsilon)^{1/3}

    Parameters
    ----------
    energy : array_like
        Kelvins, positive: the temperature in Eq. (7.1), the energy of the excitation in Eq. (7.3).
    interaction : array_like
        U_0 in kelvins times a volume, positive.

    Returns
    -------
    float or ndarray
        In the unit whose cube is the volume, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (7.1), (7.3).

    Examples
    --------
    >>> print(f"{coherence_radius(0.001, 1.0):.6f}")
    10.000000
    """
    low, strength = _positive(energy=energy, interaction=interaction)
    return plain(np.cbrt(strength) / np.cbrt(low))


def relaxation_amplitude(
    temperature: ArrayLike, frequency: ArrayLike, *, golden_rule_rate: ArrayLike = _GOLDEN_RULE
) -> Number:
    r"""Tunneling amplitude of the thermal excitations that relax at the rate of the sound frequency.

    .. math:: \omega\tau = 1, \qquad \tau^{-1} = A\Delta_0^2 T
       \quad\Rightarrow\quad \Delta_0 = \sqrt{\omega/AT}

    Parameters
    ----------
    temperature : array_like
        T in kelvins, positive.
    frequency : array_like
        Angular frequency in radians per second, positive.
    golden_rule_rate : array_like
        A in 1/(s K^3), positive.

    Returns
    -------
    float or ndarray
        Delta_0 in kelvins, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (7.8) and below.

    Examples
    --------
    >>> print(f"{relaxation_amplitude(0.1, 1000.0):.4f}")
    0.0100
    """
    t, omega, rate = _positive(
        temperature=temperature, frequency=frequency, golden_rule_rate=golden_rule_rate
    )
    return plain(np.exp((np.log(omega) - np.log(rate) - np.log(t)) / 2))


def effective_cluster_size(
    amplitude: ArrayLike, initial_amplitude: ArrayLike, bandwidth: ArrayLike
) -> Number:
    r"""Number of centres in the clusters that have a given tunneling amplitude.

    .. math:: n_{\rm eff} = \ln(W/\Delta_0)/\ln(W/\Delta_{0*})

    Parameters
    ----------
    amplitude : array_like
        Delta_0 in kelvins, positive, below `bandwidth`.
    initial_amplitude : array_like
        Delta_* of one centre in kelvins, positive, below `bandwidth`.
    bandwidth : array_like
        W in kelvins, positive.

    Returns
    -------
    float or ndarray
        Of the broadcast shape; below 1 for an amplitude above that of a centre.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (5.21), (6.24).

    Examples
    --------
    >>> print(f"{effective_cluster_size(0.01, 1.0, 100.0):.6f}")
    2.000000
    """
    low, first, width = _positive(
        amplitude=amplitude, initial_amplitude=initial_amplitude, bandwidth=bandwidth
    )
    return plain(_log_ratio("amplitude", low, width) / _log_ratio("initial_amplitude", first, width))


def quasiuniform_density(
    amplitude: ArrayLike, t: ArrayLike, initial_amplitude: ArrayLike, bandwidth: ArrayLike
) -> Number:
    r"""Quasi-uniform distribution of tunneling amplitudes, per logarithm of the amplitude.

    .. math:: \frac{\Delta_0 P(\Delta_0)}{P_0(0)} = \frac{\eta}{t}\,
       \frac{|L_*|}{\ln^2(W/\Delta_0)}\,\ln(n_{\rm eff}t^a), \qquad \eta = \frac1{8\pi},\quad a = 2\ln2-1

    Parameters
    ----------
    amplitude : array_like
        Delta_0 in kelvins, positive, below `bandwidth`.
    t : array_like
        chi ln(R_max/R_min), positive.
    initial_amplitude : array_like
        Delta_* of one centre in kelvins, positive, below `bandwidth`.
    bandwidth : array_like
        W in kelvins, positive.

    Returns
    -------
    float or ndarray
        Clusters per logarithm of Delta_0 and per centre, dimensionless, of the broadcast shape. As accurate
        as Eq. (6.21), which fails for few centres and where its own logarithm is small.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Warns
    -----
    ValidityWarning
        If the last logarithm is below 1: there the formula makes no statement (below 0 it is negative).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (6.23).

    Examples
    --------
    >>> print(f"{quasiuniform_density(1e-6, 2.0, 1.0, 100.0):.5f}")
    0.00045
    """
    low, time, first, width = _positive(
        amplitude=amplitude, t=t, initial_amplitude=initial_amplitude, bandwidth=bandwidth
    )
    depth = _log_ratio("amplitude", low, width)
    first_depth = _log_ratio("initial_amplitude", first, width)
    logarithm = np.log(depth) - np.log(first_depth) + _GROWTH * np.log(time)
    if (logarithm < 1).any():
        warnings.warn(
            f"quasiuniform_density: ln(n_eff t^a) = {float(logarithm.min()):.2g} is below 1",
            ValidityWarning,
            stacklevel=2,
        )
    with np.errstate(over="ignore"):
        return plain(np.minimum(_ETA / time, 1e300) * first_depth / depth**2 * logarithm)


def smallest_log_amplitude(t: ArrayLike, initial_amplitude: ArrayLike, bandwidth: ArrayLike) -> Number:
    r"""Logarithm ln(Delta_0/W) at the lower end of the quasi-uniform distribution.

    .. math:: \Delta_0 > W(\Delta_{0*}/W)^{\varphi(t)}, \qquad \varphi = n_{\max} = e^{\sqrt{16\pi t}}

    Parameters
    ----------
    t : array_like
        chi ln(R_max/R_min), in (0, 9000).
    initial_amplitude : array_like
        Delta_* of one centre in kelvins, positive, below `bandwidth`.
    bandwidth : array_like
        W in kelvins, positive.

    Returns
    -------
    float or ndarray
        Negative, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (6.25) with one factor corrected, and (6.22).

    Examples
    --------
    >>> print(f"{smallest_log_amplitude(1.0, 1.0, 100.0):.0f}")
    -5525
    """
    time, first, width = broadcast(
        t=real_array("t", t, low=0.0, high=9000.0),
        initial_amplitude=real_array("initial_amplitude", initial_amplitude, low=0.0),
        bandwidth=real_array("bandwidth", bandwidth, low=0.0),
    )
    return plain(-_log_ratio("initial_amplitude", first, width) * np.exp(np.sqrt(16 * math.pi * time)))


def internal_friction(
    temperature: ArrayLike,
    frequency: ArrayLike,
    bandwidth: ArrayLike,
    *,
    golden_rule_rate: ArrayLike = _GOLDEN_RULE,
) -> Number:
    r"""Internal friction of the plateau region, the final formula of the paper.

    .. math:: Q^{-1} = \frac{3\eta}{\pi}\,\frac1{\ln(W/T)}\,\frac1{\ln(W/\Delta_0)}, \qquad
       \Delta_0 = \sqrt{\omega/AT},\quad \frac{3\eta}{\pi} = \frac{3}{8\pi^2} = 0.038

    Parameters
    ----------
    temperature : array_like
        T in kelvins, positive, below `bandwidth`.
    frequency : array_like
        Angular frequency in radians per second, positive.
    bandwidth : array_like
        W in kelvins, positive.
    golden_rule_rate : array_like
        A of 1/tau = A Delta_0^2 T in 1/(s K^3), positive.

    Returns
    -------
    float or ndarray
        Q^-1 of the broadcast shape: an order of magnitude, since a factor ln(n_eff t^a) is set to one.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range, or if T or Delta_0 reaches W.

    Warns
    -----
    ValidityWarning
        If Delta_0 exceeds T: no thermal excitation relaxes as fast as the sound oscillates.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (7.7)-(7.9) and below.

    Examples
    --------
    >>> print(f"{internal_friction(0.1, 1000.0, 100.0):.1e}")
    6.0e-04
    """
    t, omega, width, rate = _positive(
        temperature=temperature, frequency=frequency, bandwidth=bandwidth, golden_rule_rate=golden_rule_rate
    )
    log_amplitude = (np.log(omega) - np.log(rate) - np.log(t)) / 2
    depth = np.log(width) - log_amplitude
    thermal = _log_ratio("temperature", t, width)
    if (depth <= 0).any():
        raise ValueError(
            "frequency must be so low that Delta_0 = (frequency/(golden_rule_rate temperature))^(1/2) lies "
            f"below the bandwidth, got {float(omega[depth <= 0].flat[0]):g}"
        )
    if (log_amplitude > np.log(t)).any():
        warnings.warn(
            "internal_friction: Delta_0 exceeds the temperature, largest ln(Delta_0/T) = "
            f"{float((log_amplitude - np.log(t)).max()):.2g}",
            ValidityWarning,
            stacklevel=2,
        )
    return plain(3 * _ETA / math.pi / (thermal * depth))


def cluster_friction(
    size: ArrayLike, density: ArrayLike, coupling: ArrayLike, initial_depth: ArrayLike
) -> Number:
    r"""Internal friction from the density of the clusters of one size, whatever theory gives it.

    .. math:: Q^{-1} = \Delta_0 P(\Delta_0)\,U = \frac{\chi}{\pi}\,\frac{n\tilde P_n}{|L_*|}

    Parameters
    ----------
    size : array_like
        n = n_eff, at least 1; need not be an integer.
    density : array_like
        P_n/P_0(0) at this size and at t = chi ln(W/T)/3, not negative.
    coupling : array_like
        chi, positive.
    initial_depth : array_like
        |L_*| = ln(W/Delta_*), positive.

    Returns
    -------
    float or ndarray
        Q^-1 of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Notes
    -----
    With n = n_eff each size has one amplitude: Delta_0 P(Delta_0) = P_0 P_n/|L_*|, and U = n U_0.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (6.24), (7.7), (7.9).

    Examples
    --------
    >>> print(f"{cluster_friction(2.0, 0.1, 0.3, 4.0):.5f}")
    0.00477
    """
    n, value, chi, depth = broadcast(
        size=real_array("size", size, low=1.0, open_low=False),
        density=real_array("density", density, low=0.0, open_low=False),
        coupling=real_array("coupling", coupling, low=0.0),
        initial_depth=real_array("initial_depth", initial_depth, low=0.0),
    )
    return plain(_product(n, value, chi, 1 / math.pi, 1 / depth))


def amplitude_friction(centres: ArrayLike, coupling: ArrayLike) -> Number:
    r"""Internal friction from the distribution of amplitudes of the generalized equation (4.15).

    .. math:: Q^{-1} = \frac{\chi^2}{3\pi}\sum_n n\,\tilde P_n(x, t)

    Parameters
    ----------
    centres : array_like
        Sum over n of n P_n per centre and unit of x = chi ln(W/Delta_0)/3, at t = chi ln(W/T)/3; not
        negative. The field ``active_centres`` of :class:`StochasticAmplitudes`.
    coupling : array_like
        chi, positive.

    Returns
    -------
    float or ndarray
        Q^-1 of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    Notes
    -----
    Delta_0 P(Delta_0) U with U = n U_0, dx = (chi/3) d ln Delta_0 and chi = pi P_0 U_0.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (4.15), (7.7), (7.9).

    Examples
    --------
    >>> print(f"{amplitude_friction(0.1, 0.3):.5f}")
    0.00095
    """
    value, chi = broadcast(
        centres=real_array("centres", centres, low=0.0, open_low=False),
        coupling=real_array("coupling", coupling, low=0.0),
    )
    return plain(_product(value, chi, chi, np.asarray(1 / (3 * math.pi))))


def effective_coupling(size: ArrayLike, coupling: ArrayLike, half_moment: ArrayLike) -> Number:
    r"""Coupling of an n-cluster to all others, which must stay small.

    .. math:: \chi_{\rm eff} = \chi\sqrt n\sum_k\sqrt k\,\tilde P_k(t)

    Parameters
    ----------
    size : array_like
        n, at least 1.
    coupling : array_like
        chi, positive.
    half_moment : array_like
        I_1/2(t), positive; 1/(2t) for large t.

    Returns
    -------
    float or ndarray
        Of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), end of Section 7.

    Examples
    --------
    >>> print(f"{effective_coupling(100, 0.1, 0.25):.6f}")
    0.250000
    """
    n, chi, moment = broadcast(
        size=real_array("size", size, low=1.0, open_low=False),
        coupling=real_array("coupling", coupling, low=0.0),
        half_moment=real_array("half_moment", half_moment, low=0.0),
    )
    return plain(_product(chi, np.sqrt(n), moment))


def largest_cluster(coupling: ArrayLike, half_moment: ArrayLike) -> Number:
    r"""Size at which the effective coupling reaches one, n = 1/(chi I_1/2)^2.

    Parameters
    ----------
    coupling : array_like
        chi, positive.
    half_moment : array_like
        I_1/2(t), positive; 1/(2t) for large t, which gives (2t/chi)^2.

    Returns
    -------
    float or ndarray
        Of the broadcast shape; below 1 where the coupling is too large for a single centre.

    Raises
    ------
    TypeError, ValueError
        If an argument is not real or out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), end of Section 7.

    Examples
    --------
    >>> print(f"{largest_cluster(0.1, 0.25):.3f}")
    1600.000
    """
    chi, moment = _positive(coupling=coupling, half_moment=half_moment)
    return plain(_product(1 / chi, 1 / chi, 1 / moment, 1 / moment))


def _product(*factors: ArrayLike) -> FloatArray:
    # Through logarithms, held inside the range of floating-point numbers.
    with np.errstate(divide="ignore"):
        logarithm = sum((np.log(factor) for factor in factors), start=np.asarray(0.0))
    return np.where(np.isneginf(logarithm), 0.0, np.exp(np.clip(logarithm, -700.0, 700.0)))
