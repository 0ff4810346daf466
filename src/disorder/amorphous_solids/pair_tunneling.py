"""Tunneling amplitude of a pair of interacting double-well centres: exact, and to second order.

The two lowest exact states of a pair are described by Delta S^z + Delta_0 S^x in the space of the localised
states (--) and (++), as a single centre is in the space of its two wells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.collocation import gauss_solve
from ..numerics.jit import kernel
from ..numerics.quadrature import ConvergenceError
from ..numerics.validation import FloatArray, broadcast, plain, real_array

# Beyond this ratio of an amplitude to the energy of a single flip nothing is left of a pair of wells.
LARGEST_RATIO = 1e6
_TINY = 1e-150
_HUGE = 1e150


@kernel
def _quadratic(z: FloatArray, w: FloatArray, values: FloatArray, jacobian: FloatArray) -> None:
    # Quadratic part of the decoupling equations and its derivatives; z = (z11, z21, z12, z22), and
    # w = a1/(g1, g2, h1, h2), a2/(g1, g2, h1, h2).
    p1, p2, q1, q2, r1, r2, s1, s2 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    z11, z21, z12, z22 = z[0], z[1], z[2], z[3]
    values[0] = z11 * (p1 * p1 * z11 + r1 * r2 * z21) + s1 * z12 * (r1 * z11 + r2 * z21)
    values[1] = z21 * (p2 * p1 * z11 + r2 * r2 * z21) + q2 * z22 * (p1 * z11 + p2 * z21)
    values[2] = z12 * (s1 * s1 * z12 + q1 * q2 * z22) + p1 * z11 * (q1 * z12 + q2 * z22)
    values[3] = z22 * (s2 * s1 * z12 + q2 * q2 * z22) + r2 * z21 * (s1 * z12 + s2 * z22)
    jacobian[0, 0] = 2 * p1 * p1 * z11 + r1 * r2 * z21 + s1 * r1 * z12
    jacobian[0, 1] = r1 * r2 * z11 + s1 * r2 * z12
    jacobian[0, 2] = s1 * (r1 * z11 + r2 * z21)
    jacobian[0, 3] = 0.0
    jacobian[1, 0] = p2 * p1 * z21 + q2 * p1 * z22
    jacobian[1, 1] = p2 * p1 * z11 + 2 * r2 * r2 * z21 + q2 * p2 * z22
    jacobian[1, 2] = 0.0
    jacobian[1, 3] = q2 * (p1 * z11 + p2 * z21)
    jacobian[2, 0] = p1 * (q1 * z12 + q2 * z22)
    jacobian[2, 1] = 0.0
    jacobian[2, 2] = 2 * s1 * s1 * z12 + q1 * q2 * z22 + p1 * q1 * z11
    jacobian[2, 3] = q1 * q2 * z12 + p1 * q2 * z11
    jacobian[3, 0] = 0.0
    jacobian[3, 1] = r2 * (s1 * z12 + s2 * z22)
    jacobian[3, 2] = s2 * s1 * z22 + r2 * s1 * z21
    jacobian[3, 3] = s2 * s1 * z12 + 2 * q2 * q2 * z22 + r2 * s2 * z21


@kernel
def _decouple(w: FloatArray, z: FloatArray, f: FloatArray, jacobian: FloatArray) -> bool:
    # The 2x2 block X that maps (--), (++) to their admixtures (+-), (-+) in the two lowest states, in units
    # of its first order, X = -(1/2) (a/g) z: 1 - z - scale Q(z)/4 = 0. From weak amplitudes, where z = 1, the
    # solution is followed while `scale`, which multiplies the squared amplitudes, doubles up to 1.
    largest = 0.0
    for i in range(8):
        largest = max(largest, w[i] * w[i])
    steps = 0
    while largest > 0.5 * 2.0**steps:
        steps += 1
    z[:] = 1.0
    for step in range(steps + 1):
        scale = 2.0 ** (step - steps)
        quality = np.inf
        for iteration in range(60):
            _quadratic(z, w, f, jacobian)
            size = 0.0
            for i in range(4):
                f[i] = 1.0 - z[i] - 0.25 * scale * f[i]
                for j in range(4):
                    jacobian[i, j] *= 0.25 * scale
                jacobian[i, i] += 1.0
            gauss_solve(jacobian, f)
            for i in range(4):
                z[i] += f[i]
                size = max(size, abs(f[i]) / abs(z[i]))
            if not size < np.inf:
                return False
            if size < 1e-15 or (size < 1e-10 and size >= quality):
                break
            quality = size
            if iteration == 59:
                return False
    return True


@kernel
def _effective(
    e1: float, e2: float, delta: float, a1: float, a2: float, work: FloatArray, out: FloatArray
) -> bool:
    # Energy difference and coupling of (--) and (++) in the canonical (symmetric) effective Hamiltonian.
    w, z, f, jacobian = work[0], work[1, :4], work[1, 4:], work[2:].reshape(-1)[:16].reshape(4, 4)
    h1, h2 = e1 - delta, e2 - delta
    w[0], w[1], w[2], w[3] = a1 / e1, a1 / e2, a1 / h1, a1 / h2
    w[4], w[5], w[6], w[7] = a2 / e1, a2 / e2, a2 / h1, a2 / h2
    if not _decouple(w, z, f, jacobian):
        return False
    p1, r1, r2, q2, s1, s2 = w[0], w[4], w[5], w[3], w[6], w[7]
    b11 = -0.25 * (a1 * p1 * z[0] + a2 * r2 * z[1])
    b22 = delta - 0.25 * (a2 * s1 * z[2] + a1 * q2 * z[3])
    b12 = -0.25 * a1 * (s1 * z[2] + s2 * z[3])
    b21 = -0.25 * a1 * (r1 * z[0] + r2 * z[1])
    x11, x21, x12, x22 = 0.5 * p1 * z[0], 0.5 * r2 * z[1], 0.5 * s1 * z[2], 0.5 * q2 * z[3]
    m11, m22, m12 = x11 * x11 + x21 * x21, x12 * x12 + x22 * x22, x11 * x12 + x21 * x22
    # Square root of 1 + X^T X, divided by the fourth root of its determinant; its determinant is then 1.
    cross = x11 * x22 - x12 * x21
    root = np.sqrt(1.0 + m11 + m22 + cross * cross)
    norm = np.sqrt((2.0 + m11 + m22 + 2.0 * root) * root)
    p, r, q = (1.0 + m11 + root) / norm, (1.0 + m22 + root) / norm, m12 / norm
    out[0] = (p * r + q * q) * (b22 - b11) + 2.0 * q * (p * b12 - r * b21)
    out[1] = 2.0 * abs(p * p * b12 - q * q * b21 + p * q * (b22 - b11))
    out[2] = (1.0 + 0.5 * (m11 + m22)) / (root * root)
    return bool(out[0] - out[0] == 0.0 and out[1] - out[1] == 0.0)


@kernel
def _effective_pairs(
    e1: FloatArray, e2: FloatArray, delta: FloatArray, a1: FloatArray, a2: FloatArray, out: FloatArray
) -> int:
    work = np.empty((4, 8))
    for i in range(e1.size):
        if not _effective(e1[i], e2[i], delta[i], a1[i], a2[i], work, out[i]):
            return i
    return -1


@kernel
def find_resonances(
    e1: FloatArray, e2: FloatArray, a1: FloatArray, a2: FloatArray, out: FloatArray, found: NDArray[np.bool_]
) -> None:
    # Bare energy at which the effective one vanishes: bracket, then false position (Illinois).
    work, point = np.empty((4, 8)), np.empty(3)
    for i in range(e1.size):
        found[i] = False
        smaller = min(e1[i], e2[i])
        top = 0.999 * smaller
        if max(a1[i], a2[i]) > 1e-3 * LARGEST_RATIO * smaller:
            continue
        if not _effective(e1[i], e2[i], 0.0, a1[i], a2[i], work, point):
            continue
        low, high, low_value, high_value = 0.0, 0.0, point[0], point[0]
        good = True
        if point[0] < 0.0:
            good = _effective(e1[i], e2[i], top, a1[i], a2[i], work, point) and point[0] > 0.0
            high, high_value = top, point[0]
        elif point[0] > 0.0:
            low = -point[0]
            for _ in range(60):
                good = _effective(e1[i], e2[i], low, a1[i], a2[i], work, point)
                low_value = point[0]
                if not good or low_value <= 0.0:
                    break
                low *= 2.0
        if not good:
            continue
        x, side = 0.0, 0
        for _ in range(200):
            if low_value >= 0.0 or high_value <= 0.0:
                x = low if low_value >= 0.0 else high
                break
            x = (low * high_value - high * low_value) / (high_value - low_value)
            if not low < x < high or abs(high - low) <= 1e-15 * max(abs(low), abs(high)):
                break
            _effective(e1[i], e2[i], x, a1[i], a2[i], work, point)
            if point[0] == 0.0:
                break
            if point[0] > 0.0:
                high, high_value = x, point[0]
                if side == 1:
                    low_value *= 0.5
                side = 1
            else:
                low, low_value = x, point[0]
                if side == -1:
                    high_value *= 0.5
                side = -1
        step = 1e-4 * smaller
        _effective(e1[i], e2[i], x + step, a1[i], a2[i], work, point)
        slope = point[0]
        _effective(e1[i], e2[i], x - step, a1[i], a2[i], work, point)
        slope = (slope - point[0]) / (2.0 * step)
        found[i] = _effective(e1[i], e2[i], x, a1[i], a2[i], work, point)
        out[i, 0], out[i, 1], out[i, 2] = x, point[1], slope


def _centres(
    energy_1: ArrayLike, energy_2: ArrayLike, amplitude_1: ArrayLike, amplitude_2: ArrayLike
) -> list[FloatArray]:
    arrays = broadcast(
        energy_1=real_array("energy_1", energy_1, low=0.0, high=_HUGE),
        energy_2=real_array("energy_2", energy_2, low=0.0, high=_HUGE),
        amplitude_1=real_array("amplitude_1", amplitude_1, low=0.0, high=_HUGE),
        amplitude_2=real_array("amplitude_2", amplitude_2, low=0.0, high=_HUGE),
    )
    for name, value in zip(("energy_1", "energy_2"), arrays[:2], strict=True):
        if (value < _TINY).any():
            raise ValueError(f"{name} must be at least {_TINY:g}, got {value.min():g}")
    return arrays


def _with_coupling(
    arrays: list[FloatArray], coupling: ArrayLike | None
) -> tuple[list[FloatArray], FloatArray]:
    # Bare energy of the double flip; computed from the coupling in the order that loses least.
    if coupling is None:
        return arrays, np.zeros(arrays[0].shape)
    u = real_array("coupling", coupling, low=0.0, high=4 * _HUGE)
    e1, e2, a1, a2, u = broadcast(
        energy_1=arrays[0], energy_2=arrays[1], amplitude_1=arrays[2], amplitude_2=arrays[3], coupling=u
    )
    if (u <= np.maximum(e1, e2)).any():
        raise ValueError(
            "coupling must exceed both single-flip energies (else the pair is not the lowest excitation), "
            f"got {u[u <= np.maximum(e1, e2)].flat[0]:g}"
        )
    return [e1, e2, a1, a2], np.maximum(e1, e2) - u + np.minimum(e1, e2)


@dataclass(frozen=True)
class EffectivePair:
    """A pair of centres as one double-well centre.

    Attributes
    ----------
    energy : float or ndarray
        Delta, difference of the energies of (++) and (--), any sign.
    amplitude : float or ndarray
        Delta_0 > 0; the exact lowest splitting is ``hypot(energy, amplitude)``.
    weight : float or ndarray
        Mean weight of (--) and (++) in the two exact states, between 1/2 and 1.
    """

    energy: NDArray[np.float64] | float
    amplitude: NDArray[np.float64] | float
    weight: NDArray[np.float64] | float


def effective_pair(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike | None = None,
) -> EffectivePair:
    r"""Reduce a pair of centres to one two-level system that has exactly its two lowest levels.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Single-flip energies eps_i > 0, from 1e-150 to 1e150.
    amplitude_1, amplitude_2 : array_like
        Amplitudes Delta_0i > 0; energy; at most 1e6 times every single-flip energy.
    coupling : array_like, optional
        U_12 above both eps_i, so that the double flip lies below the single ones; eps_1 + eps_2 by default,
        where the double flip costs nothing before tunneling.

    Returns
    -------
    EffectivePair
        Relative accuracy of the amplitude 1e-13, however small it is; scalars for scalar arguments.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the shapes do not broadcast.
    ConvergenceError
        If the decoupling does not converge.

    Notes
    -----
    The two lowest states are projected on (--) and (++) and made orthogonal in the symmetric way (des
    Cloizeaux). The two-by-two block that mixes (+-) and (-+) into them obeys a quadratic matrix equation,
    solved by Newton's method from its first order, with steps in the amplitudes where these are large; every
    entry is scaled by its first order, which keeps the relative accuracy of tiny amplitudes that the
    difference of two eigenvalues would lose. About 1 us a pair at Delta_0i < eps_i.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.1)-(3.8).

    Examples
    --------
    >>> pair = effective_pair(1.0, 1.0, 0.6, 0.6)
    >>> round(2 * pair.amplitude + 1, 12) == round(float(np.sqrt(1 + 4 * 0.36)), 12)
    True
    """
    arrays = _centres(energy_1, energy_2, amplitude_1, amplitude_2)
    (e1, e2, a1, a2), delta = _with_coupling(arrays, coupling)
    gap = np.minimum(np.minimum(e1, e2), np.minimum(e1, e2) - delta)
    if (np.maximum(a1, a2) / LARGEST_RATIO > gap).any():
        raise ValueError(
            f"amplitude_1 and amplitude_2 must not exceed {LARGEST_RATIO:g} times a single-flip energy"
        )
    out = np.empty((e1.size, 3))
    scale = np.maximum(e1, e2).ravel()
    flat = [value.ravel() / scale for value in (e1, e2, delta, a1, a2)]
    stopped = _effective_pairs(flat[0], flat[1], flat[2], flat[3], flat[4], out)
    if stopped >= 0:
        raise ConvergenceError(
            f"the states of the pair number {stopped} did not decouple "
            f"(energies {e1.flat[stopped]:g}, {e2.flat[stopped]:g}; "
            f"amplitudes {a1.flat[stopped]:g}, {a2.flat[stopped]:g})"
        )
    out[:, :2] *= scale[:, None]
    energy, amplitude, weight = (np.ascontiguousarray(out[:, k]).reshape(e1.shape) for k in range(3))
    return EffectivePair(plain(energy), plain(amplitude), plain(weight))


def pair_tunneling_amplitude(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike | None = None,
    method: str = "exact",
) -> NDArray[np.float64] | float:
    r"""Amplitude Delta_0 with which two coupled centres change their wells together.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Single-flip energies eps_i > 0, from 1e-150 to 1e150.
    amplitude_1, amplitude_2 : array_like
        Amplitudes Delta_0i > 0 of the centres, up to 1e150; energy.
    coupling : array_like, optional
        U_12 > 0; eps_1 + eps_2 by default (double flip without cost). The five are broadcast.
    method : {"exact", "perturbative", "weak"}
        Amplitude of the exact two-level reduction (:func:`effective_pair`, with its ranges);
        Delta_01 Delta_02 U_12/(2 E_1 E_2) with E_i = hypot(eps_i, Delta_0i), the paper's second order; or the
        same with eps_i for E_i.

    Returns
    -------
    float or ndarray
        Delta_0 > 0, energy: half of it couples (--) and (++), and it is the smallest splitting of the two.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the shapes do not broadcast, or `method` is unknown.
    ConvergenceError
        If the exact reduction does not converge.

    Notes
    -----
    The second order holds while both amplitudes are small against both energies: the flip of one centre
    turns the energy of the other into eps_i - U_12, which is -eps_j at resonance.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.8), (3.9).

    Examples
    --------
    >>> exact = pair_tunneling_amplitude(1.0, 1.0, 0.1, 0.1)
    >>> perturbative = pair_tunneling_amplitude(1.0, 1.0, 0.1, 0.1, method="perturbative")
    >>> print(f"{exact:.7f} {perturbative:.7f}")
    0.0099020 0.0099010
    """
    if not isinstance(method, str) or method not in ("exact", "perturbative", "weak"):
        raise ValueError(f"method must be 'exact', 'perturbative' or 'weak', got {method!r}")
    if method == "exact":
        return effective_pair(energy_1, energy_2, amplitude_1, amplitude_2, coupling).amplitude
    e1, e2, a1, a2 = _centres(energy_1, energy_2, amplitude_1, amplitude_2)
    u = e1 + e2
    if coupling is not None:
        u = real_array("coupling", coupling, low=0.0, high=4 * _HUGE)
        e1, e2, a1, a2, u = broadcast(energy_1=e1, energy_2=e2, amplitude_1=a1, amplitude_2=a2, coupling=u)
    if method == "perturbative":
        value = a1 / np.hypot(e1, a1) * (a2 / np.hypot(e2, a2)) * (u / 2)
    else:
        # The larger energy divides the coupling first: the order that keeps the product in range.
        small, large = np.minimum(e1, e2), np.maximum(e1, e2)
        with np.errstate(over="ignore"):
            value = a1 / small * (u / large) * (a2 / 2)
        if not np.isfinite(value).all():
            raise ValueError("amplitude_1 and amplitude_2 must keep Delta_01 Delta_02/eps_i below 1.8e308")
    return plain(np.asarray(value, dtype=np.float64))


@dataclass(frozen=True)
class PairResonance:
    """Where the two states of a pair are degenerate but for tunneling.

    Attributes
    ----------
    coupling : float or ndarray
        U_12 at which the effective energy Delta vanishes.
    offset : float or ndarray
        eps_1 + eps_2 - U_12 there; energy.
    amplitude : float or ndarray
        Delta_0, here the exact splitting.
    slope : float or ndarray
        Derivative of the effective energy with respect to the bare one, about 1.
    """

    coupling: NDArray[np.float64] | float
    offset: NDArray[np.float64] | float
    amplitude: NDArray[np.float64] | float
    slope: NDArray[np.float64] | float


def pair_resonance(
    energy_1: ArrayLike, energy_2: ArrayLike, amplitude_1: ArrayLike, amplitude_2: ArrayLike
) -> PairResonance:
    r"""Find the coupling at which a pair of centres is degenerate but for its tunneling.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Single-flip energies eps_i > 0, from 1e-150 to 1e150.
    amplitude_1, amplitude_2 : array_like
        Amplitudes Delta_0i > 0; energy. The four are broadcast.

    Returns
    -------
    PairResonance
        The offset is (Delta_02^2 - Delta_01^2) (1/eps_1 - 1/eps_2)/4 for small amplitudes; its error is
        1e-13 of itself, that of the slope 1e-7.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or a pair has no resonance with the double flip below the single ones
        (a larger amplitude of about twice the smaller energy does this).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.7), (3.8).

    Examples
    --------
    >>> pair_resonance(1.0, 2.0, 0.1, 0.1).offset
    0.0
    """
    e1, e2, a1, a2 = _centres(energy_1, energy_2, amplitude_1, amplitude_2)
    out, found = np.zeros((e1.size, 3)), np.empty(e1.size, dtype=np.bool_)
    scale = np.maximum(e1, e2).ravel()
    flat = [value.ravel() / scale for value in (e1, e2, a1, a2)]
    find_resonances(flat[0], flat[1], flat[2], flat[3], out, found)
    if not found.all():
        first = int(np.flatnonzero(~found)[0])
        raise ValueError(
            f"amplitude_1 and amplitude_2 must be small enough for a resonance, got {a1.flat[first]:g} and "
            f"{a2.flat[first]:g} at energies {e1.flat[first]:g} and {e2.flat[first]:g}"
        )
    offset, amplitude = (np.asarray(out[:, k] * scale).reshape(e1.shape) for k in range(2))
    slope = np.ascontiguousarray(out[:, 2]).reshape(e1.shape)
    coupling = np.asarray(e1 + e2 - offset)
    return PairResonance(plain(coupling), plain(offset), plain(amplitude), plain(slope))
