"""Distributions of the tunneling amplitudes of single centers, in the variable |L| = ln(W/Delta_0)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..numerics.validation import FloatArray, positive, real_array, real_scalar

ComplexArray = NDArray[np.complex128]


class InitialAmplitudes:
    """Distribution of |L| = ln(W/Delta_0) > 0 of the original centers.

    Use one of :class:`GammaAmplitudes`, :class:`NormalAmplitudes`, :class:`UniformAmplitudes`.
    """

    @property
    def mean(self) -> float:
        """Mean of |L|: the |L_*| of the paper."""
        raise NotImplementedError

    @property
    def deviation(self) -> float:
        """Standard deviation of |L|."""
        raise NotImplementedError

    @property
    def abscissa(self) -> float:
        """The transform exists for real parts of s above minus this."""
        return math.inf

    def density(self, log_amplitude: ArrayLike) -> FloatArray:
        """Probability density at L = ln(Delta_0/W), any real L; zero for L > 0."""
        raise NotImplementedError

    def shortfall(self, depth: FloatArray) -> FloatArray:
        """Mean of max(depth - |L|, 0): the cumulative distribution integrated once more."""
        raise NotImplementedError

    def excess(self, depth: FloatArray) -> FloatArray:
        """Mean of max(|L| - depth, 0), which keeps its relative accuracy in the tail."""
        raise NotImplementedError

    def transform(self, s: ComplexArray) -> ComplexArray:
        """Mean of exp(-s |L|)."""
        raise NotImplementedError


@dataclass(frozen=True)
class GammaAmplitudes(InitialAmplitudes):
    """Gamma distribution of |L|: exponential for shape 1, narrow for a large shape.

    Attributes
    ----------
    mean : float
        Mean of |L|, positive.
    shape : float
        1 to 1e6; the relative width is shape^(-1/2).

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (5.12).

    Examples
    --------
    >>> float(GammaAmplitudes(2.0).density(-2.0).round(6))
    0.18394
    """

    mean: float = 1.0
    shape: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", positive("mean", self.mean))
        shape = real_scalar("shape", self.shape, low=1.0, high=1e6, open_low=False, open_high=False)
        object.__setattr__(self, "shape", shape)

    @property
    def deviation(self) -> float:
        return self.mean / math.sqrt(self.shape)

    @property
    def abscissa(self) -> float:
        return self.shape / self.mean

    def density(self, log_amplitude: ArrayLike) -> FloatArray:
        depth = -real_array("log_amplitude", log_amplitude)
        rate = self.abscissa
        scaled = np.maximum(depth, 0.0) * rate
        log_density = special.xlogy(self.shape - 1, scaled) - scaled - special.gammaln(self.shape)
        return np.where(depth >= 0, rate * np.exp(log_density), 0.0)

    def shortfall(self, depth: FloatArray) -> FloatArray:
        scaled = np.maximum(depth, 0.0) * self.abscissa
        below = special.gammainc(self.shape, scaled)
        return np.asarray(depth * below - self.mean * special.gammainc(self.shape + 1, scaled))

    def excess(self, depth: FloatArray) -> FloatArray:
        scaled = np.maximum(depth, 0.0) * self.abscissa
        above = special.gammaincc(self.shape, scaled)
        return np.asarray(self.mean * special.gammaincc(self.shape + 1, scaled) - depth * above)

    def transform(self, s: ComplexArray) -> ComplexArray:
        return np.asarray(np.exp(-self.shape * np.log1p(np.asarray(s, dtype=complex) / self.abscissa)))


@dataclass(frozen=True)
class UniformAmplitudes(InitialAmplitudes):
    """Uniform distribution of |L| between `low` and `high`: density proportional to 1/Delta_0.

    Attributes
    ----------
    low, high : float
        0 <= low < high.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (5.12).

    Examples
    --------
    >>> UniformAmplitudes(1.0, 3.0).mean
    2.0
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", real_scalar("low", self.low, low=0.0, open_low=False))
        object.__setattr__(self, "high", real_scalar("high", self.high, low=self.low))

    @property
    def mean(self) -> float:
        return self.low + 0.5 * (self.high - self.low)

    @property
    def deviation(self) -> float:
        return (self.high - self.low) / math.sqrt(12.0)

    def density(self, log_amplitude: ArrayLike) -> FloatArray:
        depth = -real_array("log_amplitude", log_amplitude)
        inside = (depth >= self.low) & (depth <= self.high)
        return np.where(inside, 1 / (self.high - self.low), 0.0)

    def shortfall(self, depth: FloatArray) -> FloatArray:
        width = self.high - self.low
        partial = np.clip(depth - self.low, 0.0, width)
        return np.asarray(partial**2 / (2 * width) + np.maximum(depth - self.high, 0.0))

    def excess(self, depth: FloatArray) -> FloatArray:
        width = self.high - self.low
        partial = np.clip(self.high - depth, 0.0, width)
        return np.asarray(partial**2 / (2 * width) + np.maximum(self.low - depth, 0.0))

    def transform(self, s: ComplexArray) -> ComplexArray:
        s = np.asarray(s, dtype=complex)
        exponent = s * (self.high - self.low)
        safe = np.where(exponent == 0, 1.0, exponent)
        average = np.where(exponent == 0, 1.0, -np.expm1(-safe) / safe)
        return np.asarray(np.exp(-s * self.low) * average)


@dataclass(frozen=True)
class NormalAmplitudes(InitialAmplitudes):
    """Normal distribution of |L|, cut off at |L| = 0: Delta_0 is lognormal.

    Attributes
    ----------
    centre : float
        Centre of the normal distribution before the cut, positive.
    width : float
        Its standard deviation, positive, at most three times `centre`.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (5.12).

    Examples
    --------
    >>> round(NormalAmplitudes(5.0, 1.0).mean, 5)
    5.0
    """

    centre: float = 1.0
    width: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", positive("centre", self.centre))
        width = real_scalar("width", self.width, low=0.0, high=3 * self.centre, open_high=False)
        object.__setattr__(self, "width", width)

    @property
    def _kept(self) -> float:
        return float(special.ndtr(self.centre / self.width))

    @property
    def _hazard(self) -> float:
        z = self.centre / self.width
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / self._kept

    @property
    def mean(self) -> float:
        return self.centre + self.width * self._hazard

    @property
    def deviation(self) -> float:
        hazard = self._hazard
        return self.width * math.sqrt(1 - hazard * (hazard + self.centre / self.width))

    def density(self, log_amplitude: ArrayLike) -> FloatArray:
        depth = -real_array("log_amplitude", log_amplitude)
        z = np.clip((depth - self.centre) / self.width, -60.0, 60.0)
        norm = self.width * math.sqrt(2 * math.pi) * self._kept
        return np.where(depth >= 0, np.exp(-z * z / 2) / norm, 0.0)

    def shortfall(self, depth: FloatArray) -> FloatArray:
        start = -self.centre / self.width
        z = np.maximum((depth - self.centre) / self.width, start)
        bells = (np.exp(-z * z / 2) - math.exp(-start * start / 2)) / math.sqrt(2 * math.pi)
        areas = special.ndtr(z) - special.ndtr(start)
        return np.asarray(self.width * (z * areas + bells) / self._kept)

    def excess(self, depth: FloatArray) -> FloatArray:
        z = np.maximum((depth - self.centre) / self.width, -self.centre / self.width)
        missed = np.maximum(-depth, 0.0)
        bell = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return np.asarray(missed + self.width * (bell - z * special.ndtr(-z)) / self._kept)

    def transform(self, s: ComplexArray) -> ComplexArray:
        s = np.asarray(s, dtype=complex)
        w = (s * self.width - self.centre / self.width) / math.sqrt(2)
        edge = 0.5 * math.exp(-0.5 * (self.centre / self.width) ** 2)
        # erfc(w) = 2 - erfc(-w) keeps the Faddeeva function where it is bounded.
        left = w.real < 0
        tail = edge * special.wofz(np.where(left, -1j, 1j) * w)
        bulk = np.exp(np.where(left, s * (0.5 * s * self.width**2 - self.centre), 0.0))
        return np.asarray(np.where(left, bulk - tail, tail) / self._kept)


def check_initial(initial: InitialAmplitudes) -> InitialAmplitudes:
    """Return `initial`, or raise a TypeError that says what is allowed."""
    if not isinstance(initial, InitialAmplitudes):
        raise TypeError(
            "initial must be GammaAmplitudes, NormalAmplitudes or UniformAmplitudes, "
            f"got {initial!r} of type {type(initial).__name__}"
        )
    return initial
