"""Energy exchange between electrons and spin pairs: the collision kernel and the collision integral."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.quadrature import integrate, logarithmic_edges, panel_rule
from ..numerics.validation import FloatArray, ValidityWarning, broadcast, plain, real_array, twice_spin
from .numerical_distribution import Distribution, as_distribution
from .pair_kinetics import PairDistribution, _absorption, _checked, _stationary_absorption
from .spin_pairs import pair_spectrum

_CHUNK = 64


def collision_kernel(
    energy: ArrayLike, temperature: ArrayLike, spin: float, t_sg: ArrayLike
) -> NDArray[np.float64] | float:
    r"""Kernel chi(E) of the collisions of a hot electron with spin pairs in equilibrium, for any spin.

    .. math:: \chi(E) = \frac43 \frac{T_{sg}^2}{E^2}\, e^{(E - |E|)/2T}\, C(E/T)

    with C the pair spectrum; the electron loses E at the rate :math:`\chi(E)\,dE/(\tau_s T_{sg})`.

    Parameters
    ----------
    energy : array_like
        E, not zero, energy; positive when the electron loses it.
    temperature : array_like
        T of the pairs, above zero, in the same unit.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.
    t_sg : array_like
        T_sg, above zero, in the same unit.

    Returns
    -------
    float or ndarray
        chi, dimensionless, broadcast shape. Relative accuracy about 1e-14 where it does not underflow.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range, or chi overflows.

    Warns
    -----
    ValidityWarning
        Where |E| is not above T_sg: there clusters of more than two spins matter.

    Notes
    -----
    Paired transitions J -> J' obey chi(-E) = exp(-E/T) chi(E). For S = 1/2 this is Eq. (72) in another form.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (71), (72).

    Examples
    --------
    >>> round(collision_kernel(100.0, 1.0, 0.5, 1.0) * 100.0**2, 12)
    1.777777777778
    """
    two_s = twice_spin("spin", spin)
    e, t, sg = broadcast(
        energy=real_array("energy", energy),
        temperature=real_array("temperature", temperature, low=0.0),
        t_sg=real_array("t_sg", t_sg, low=0.0),
    )
    if (e == 0).any():
        raise ValueError("energy must not be 0, where the kernel diverges as 1/E^2")
    if (np.abs(e) <= sg).any():
        warnings.warn(
            "collision_kernel: the virial expansion needs |energy| above t_sg, "
            f"got |energy|/t_sg down to {float((np.abs(e) / sg).min()):.3g}",
            ValidityWarning,
            stacklevel=2,
        )
    with np.errstate(over="ignore", under="ignore"):
        u = np.clip(e / t, -1e300, 1e300)
        chi = 4 / 3 * (sg / e) ** 2 * np.exp(np.minimum(u, 0.0)) * pair_spectrum(u, two_s / 2)
    if not np.isfinite(chi).all():
        raise ValueError(f"energy must keep (t_sg/energy)^2 below 1.8e308, got down to {np.abs(e).min():g}")
    return plain(chi)


def _spectra(
    e: FloatArray, two_s: int, electrons: Distribution, pairs: PairDistribution | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Even and odd part of the absorption spectrum at the energies e > 0 in units of the electrons' scale."""
    energy = e * electrons.scale()
    if pairs is not None:
        up, down = _absorption(energy, two_s, pairs), _absorption(-energy, two_s, pairs)
        return (up + down) / 2, (up - down) / 2
    up = _stationary_absorption(energy, two_s, electrons)
    ratio = electrons.log_ratio(energy)
    # up = L(E), L(-E) = L(E) exp(ratio): no difference of nearly equal numbers at small E.
    return up * (1 + np.exp(ratio)) / 2, -up * np.expm1(ratio) / 2


def _transfer_edges(x: FloatArray, marks: FloatArray, two_s: int) -> FloatArray:
    """Panel ends for the transferred energy, in units of the scale over which f changes."""
    distances = np.abs(x[:, None] - marks).ravel()
    span = float(marks.max() - marks.min())
    end = float(distances.max()) + span + 60.0
    # f bends at these distances. Stationary pairs bend where the gap of transition i equals the span of f,
    # E i/k = span, smoothly over k/i. Panels must not grow faster than the distance from such a place.
    steps = np.array([-40.0, -16.0, -6.0, -2.5, -1.0, 1.0, 2.5, 6.0, 16.0, 40.0])
    k = np.arange(1, min(two_s, 8) + 1)
    ratios = np.unique(k[:, None] / k) if span > 1 else np.zeros(0)
    around = [(distances[:, None] + steps).ravel(), (ratios[:, None] * (span + steps)).ravel()]
    points = np.unique(np.concatenate((logarithmic_edges(0.25, end, per_decade=4), *around, [end])))
    points = points[(points >= 0) & (points <= end)]
    edges = [0.0]
    for point in points:
        if point - edges[-1] >= max(0.25, 1e-9 * point):
            edges.append(float(point))
    edges[-1] = end
    return np.array(edges)


def _collisions(
    x: FloatArray, two_s: int, electrons: Distribution, pairs: PairDistribution | None
) -> FloatArray:
    """Collision integral at reduced energies x, times the scale of f, without the factor 4/3."""
    tilt = 1 - 2 * np.asarray(electrons(np.clip(x * electrons.scale(), -1e300, 1e300)))
    tolerance = electrons.tolerance()

    def terms(e: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        even, odd = _spectra(e, two_s, electrons, pairs)
        second, first = electrons.differences(x, e)
        return even[:, None] * second, (odd / e)[:, None] * first * tilt

    def tail(inverse: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        parts = terms(1 / inverse)
        return parts[0] / inverse[:, None] ** 2, parts[1] / inverse[:, None] ** 2

    edges = _transfer_edges(x, electrons.marks(), two_s)
    far = np.array([0.0, 1 / edges[-1]])
    total = np.zeros(x.size)
    gross = np.zeros(x.size)
    pieces = ((terms, edges), (tail, far))
    for function, ends in pieces:
        nodes, weights = panel_rule(ends, order=12)
        gross += sum(weights @ np.abs(part) for part in function(nodes))
    # Gain and loss cancel in equilibrium: the tolerance is a part of the gross rate.
    gross = np.maximum(gross, electrons.floor())
    for function, ends in pieces:

        def net(e: FloatArray, function: Any = function) -> NDArray[np.float64]:
            even, odd = function(e)
            return np.asarray((even + odd) / gross)

        total += integrate(net, ends, rtol=tolerance, atol=tolerance).value
    return np.asarray(total * gross)


def collision_integral(
    energy: ArrayLike,
    electron_distribution: Any,
    spin: float,
    *,
    pair_distribution: PairDistribution | None = None,
) -> NDArray[np.float64] | float:
    r"""Collision integral of electrons with spin pairs, averaged over the couplings of the pairs.

    .. math:: I(\varepsilon) = \frac43 \frac{T_{sg}}{\tau_s}\; \mathrm{P}\!\!\int \frac{dE}{E^2}
              \{f_\varepsilon (1 - f_{\varepsilon-E}) L(E) - (1 - f_\varepsilon) f_{\varepsilon-E} L(-E)\}

    and df/dt = -I. L is :func:`pair_absorption`.

    Parameters
    ----------
    energy : array_like
        Electron energies, in one unit with the distribution.
    electron_distribution : FermiDistribution, TwoStepDistribution, NumericalDistribution or callable
        f(energy); a callable maps arrays to occupations in [0, 1], 1 far below and 0 far above its steps,
        and must be twice differentiable.
    spin : float
        S, a multiple of 1/2 from 1/2 to 20; the cost grows as the cube of S.
    pair_distribution : callable, optional
        P_J(V): maps couplings of shape (n,) to probabilities of shape (n, 2S+1). By default the pairs are
        stationary among these electrons, see :func:`stationary_pair_distribution`.

    Returns
    -------
    float or ndarray
        I in units of T_sg/tau_s, per unit energy. Absolute error below 1e-11 (1e-7 for a callable) of the
        gross rate, the sum of the absolute values of all gains and losses.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range or a callable is no distribution.
    disorder.numerics.quadrature.ConvergenceError
        If the integral does not converge, as at a kink or a jump of f or of P_J.

    Notes
    -----
    The 1/E^2 is taken as the principal value: E and -E are added first, which leaves the even part of L times
    a second difference of f and the odd part of L times a first difference, both finite at E = 0. For sums of
    Fermi functions the differences are written without cancellation. Adaptive panel quadrature.
    Energies in chunks of 64; 200 energies in the two-step distribution take about 0.1 s.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (67)-(70).

    Examples
    --------
    >>> from disorder.magnetic_alloys import FermiDistribution
    >>> abs(collision_integral(0.7, FermiDistribution(temperature=1.0), 0.5)) < 1e-12
    True
    """
    points = real_array("energy", energy)
    two_s = twice_spin("spin", spin, high=20.0)
    electrons = as_distribution(electron_distribution)
    pairs = None if pair_distribution is None else _checked(pair_distribution, two_s)
    x = np.clip(electrons.reduced(points.ravel()), -1e30, 1e30)
    out = np.empty(x.size)
    order = np.argsort(np.abs(x - electrons.marks().mean()))
    for start in range(0, x.size, _CHUNK):
        part = order[start : start + _CHUNK]
        out[part] = _collisions(x[part], two_s, electrons, pairs)
    out *= 4 / (3 * electrons.scale())
    return plain(out.reshape(points.shape))
