"""Electron distributions out of equilibrium, and how readily they give and take energy.

A spin that absorbs the energy w takes it from an electron that falls by w, one that emits w lifts an electron
by w. The rates of both are window integrals of the distribution; their ratio is all that the pairs feel.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, positive, real_array, real_scalar

# Arguments of exponentials are cut here, where every one of them is 0 or 1, so that no difference overflows.
_HUGE = 1e290


@kernel
def _mixture(x: FloatArray, weights: FloatArray, steps: FloatArray, out: FloatArray) -> None:
    for n in range(x.size):
        total = 0.0
        for i in range(weights.size):
            z = min(max(x[n] - steps[i], -_HUGE), _HUGE)
            decay = math.exp(-abs(z))
            total += weights[i] * (decay if z > 0.0 else 1.0) / (1.0 + decay)
        out[n] = total


@kernel
def _window(w: float, weights: FloatArray, steps: FloatArray) -> float:
    # Logarithm of sum_ij c_i c_j h(w + s_i - s_j), h(t) = t/(1 - exp(-t)), without overflow.
    peak = -math.inf
    total = 0.0
    for i in range(weights.size):
        for j in range(weights.size):
            t = min(max(w + (steps[i] - steps[j]), -_HUGE), _HUGE)
            a = abs(t)
            term = math.log(weights[i]) + math.log(weights[j]) + min(t, 0.0)
            if a > 0.0:
                term += math.log(a / -math.expm1(-a))
            if term > peak:
                total = total * math.exp(peak - term) + 1.0
                peak = term
            else:
                total += math.exp(term - peak)
    return peak + math.log(total)


@kernel
def _log_windows(w: FloatArray, weights: FloatArray, steps: FloatArray, out: FloatArray) -> None:
    for n in range(w.size):
        out[n] = _window(w[n], weights, steps)


@kernel
def _log_ratios(w: FloatArray, weights: FloatArray, steps: FloatArray, out: FloatArray) -> None:
    # The windows for -w and +w differ by exactly w: for small w the logarithm of their ratio is a log1p.
    for n in range(w.size):
        a = min(abs(w[n]), _HUGE)
        up = _window(a, weights, steps)
        part = math.exp(math.log(a) - up) if a > 0.0 else 0.0
        value = math.log1p(-part) if part < 0.5 else _window(-a, weights, steps) - up
        out[n] = -value if w[n] < 0.0 else value


@kernel
def _differences(
    x: FloatArray,
    e: FloatArray,
    fall: FloatArray,
    both: FloatArray,
    weights: FloatArray,
    steps: FloatArray,
    second: FloatArray,
    first: FloatArray,
) -> None:
    # (2 f(x) - f(x+e) - f(x-e))/e^2 and (f(x-e) - f(x+e))/e for a sum of Fermi functions, from the identities
    # 2n - n_+ - n_- = -2 tanh(z/2) sinh^2(e/2)/(cosh z + cosh e) and n_- - n_+ = sinh(e)/(cosh z + cosh e).
    # cosh z + cosh e = exp(max(a, e)) (1 + q)(1 + exp(-a - e))/2 with a = |z|: all exponents are negative.
    for m in range(x.size):
        for i in range(weights.size):
            z = min(max(x[m] - steps[i], -_HUGE), _HUGE)
            a = abs(z)
            slope = math.tanh(0.5 * z)
            for n in range(e.size):
                q = math.exp(-abs(a - e[n]))
                share = weights[i] / ((1.0 + q) * (1.0 + math.exp(-(a + e[n]))))
                if a > e[n]:
                    share *= q
                second[n, m] -= share * slope * fall[n] * fall[n]
                first[n, m] += share * both[n]


class _FermiMixture:
    """Weighted sum of Fermi functions of one temperature."""

    temperature: float

    def _parts(self) -> tuple[FloatArray, FloatArray]:
        """Weights that sum to 1 and step positions in units of the temperature."""
        raise NotImplementedError

    def __call__(self, energy: ArrayLike) -> NDArray[np.float64] | float:
        """Occupation f(energy), between 0 and 1."""
        weights, steps = self._parts()
        x = self.reduced(real_array("energy", energy))
        out = np.empty(x.size)
        _mixture(x.ravel(), weights, steps, out)
        return float(out[0]) if x.ndim == 0 else out.reshape(x.shape)

    def reduced(self, energy: FloatArray) -> FloatArray:
        """Energies in units of the temperature, cut off where every exponential has ended."""
        with np.errstate(over="ignore"):
            return np.clip(energy / self.temperature, -_HUGE, _HUGE)

    def log_window(self, gain: ArrayLike) -> NDArray[np.float64] | float:
        """Logarithm of the window integral of f(e) (1 - f(e + gain)) over e; never overflows."""
        w = real_array("gain", gain)
        out = np.empty(w.size)
        _log_windows(self.reduced(w).ravel(), *self._parts(), out)
        out += math.log(self.temperature)
        return float(out[0]) if w.ndim == 0 else out.reshape(w.shape)

    def window(self, gain: ArrayLike) -> NDArray[np.float64] | float:
        """Window integral of f(e) (1 - f(e + gain)) over all e: room for electrons that gain the energy."""
        value = np.exp(self.log_window(gain))
        return float(value) if np.ndim(value) == 0 else value

    def log_ratio(self, energy: FloatArray) -> FloatArray:
        """Logarithm of window(-energy)/window(energy), odd in energy."""
        out = np.empty(energy.size)
        _log_ratios(self.reduced(energy).ravel(), *self._parts(), out)
        return out.reshape(energy.shape)

    def differences(self, x: FloatArray, e: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Second and first difference of f over e^2 and e, at x and e in units of :meth:`scale`."""
        second, first = np.zeros((e.size, x.size)), np.zeros((e.size, x.size))
        _differences(x, e, -np.expm1(-e) / e, -np.expm1(-2 * e) / e, *self._parts(), second, first)
        return second, first

    def scale(self) -> float:
        """The energy over which f changes."""
        return self.temperature

    def marks(self) -> FloatArray:
        """Positions in units of :meth:`scale` around which f changes."""
        return self._parts()[1]

    def tolerance(self) -> float:
        """Relative accuracy that collision rates in this distribution can reach."""
        return 1e-12

    def floor(self) -> float:
        """Gross collision rate, times :meth:`scale`, below which errors no longer count."""
        return 1e-300


@dataclass(frozen=True)
class FermiDistribution(_FermiMixture):
    r"""Electrons in equilibrium, :math:`f(\varepsilon) = 1/(e^{(\varepsilon - \mu)/T} + 1)`.

    Parameters
    ----------
    temperature : float
        T, above zero, in the unit of all energies.
    chemical_potential : float
        Position of the step.

    Raises
    ------
    TypeError, ValueError
        If the temperature is not positive or a parameter is not a finite real number.

    Notes
    -----
    The window integral of :math:`f(\varepsilon)[1 - f(\varepsilon + w)]` is :math:`w/(1 - e^{-w/T})`.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (65) and (66).

    Examples
    --------
    >>> electrons = FermiDistribution(temperature=0.5)
    >>> electrons(0.0), round(electrons.window(0.0), 15)
    (0.5, 0.5)
    """

    temperature: float
    chemical_potential: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", positive("temperature", self.temperature))
        centre = real_scalar("chemical_potential", self.chemical_potential)
        object.__setattr__(self, "chemical_potential", centre)

    def _parts(self) -> tuple[FloatArray, FloatArray]:
        return np.ones(1), self.reduced(np.array([self.chemical_potential]))


@dataclass(frozen=True)
class TwoStepDistribution(_FermiMixture):
    r"""Electrons inside a biased wire that is too short for them to exchange energy.

    At the fraction x of the wire the two leads contribute in proportion to their distance,

    .. math:: f(\varepsilon) = (1 - x)\, n(\varepsilon - U/2) + x\, n(\varepsilon + U/2), \qquad
              n(\varepsilon) = \frac{1}{e^{\varepsilon/T} + 1} .

    Parameters
    ----------
    position : float
        x from 0 (lead at +U/2) to 1 (lead at -U/2).
    bias : float
        U, the voltage times the electron charge, zero or positive.
    temperature : float
        T of both leads, above zero.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range or not a finite real number.

    Notes
    -----
    Solves the diffusion equation (67) without collisions between two leads. The window integral is the sum of
    the equilibrium ones over pairs of steps, shifted by their distance.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (67) with I = 0.

    Examples
    --------
    >>> wire = TwoStepDistribution(position=0.25, bias=10.0, temperature=0.1)
    >>> round(wire(0.0), 12)
    0.75
    """

    position: float
    bias: float
    temperature: float

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "position",
            real_scalar("position", self.position, low=0, high=1, open_low=False, open_high=False),
        )
        object.__setattr__(self, "bias", real_scalar("bias", self.bias, low=0, open_low=False))
        object.__setattr__(self, "temperature", positive("temperature", self.temperature))

    def _parts(self) -> tuple[FloatArray, FloatArray]:
        half = self.bias / 2
        parts = [(1 - self.position, half), (self.position, -half)]
        weights, steps = np.array([part for part in parts if part[0] > 0]).T
        return np.ascontiguousarray(weights), self.reduced(np.ascontiguousarray(steps))
