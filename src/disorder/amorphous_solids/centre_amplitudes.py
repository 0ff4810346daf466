"""Distributions of the tunneling amplitudes of the original centres."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, plain, real_array, real_scalar

SHAPES = ("fixed", "uniform", "exponential", "gaussian", "rayleigh", "lognormal", "power", "loguniform")
_TAIL = 1e-13


@kernel
def log_density(shape: int, log_a: float, parameter: float) -> float:
    # Probability per unit of the logarithm of a = Delta_0i/scale.
    a = math.exp(log_a)
    if shape == 1:
        return a
    if shape == 2:
        return a * math.exp(-a)
    if shape == 3:
        return math.sqrt(2.0 / math.pi) * a * math.exp(-0.5 * a * a)
    if shape == 4:
        return a * a * math.exp(-0.5 * a * a)
    if shape == 5:
        return math.exp(-0.5 * (log_a / parameter) ** 2) / (parameter * math.sqrt(2.0 * math.pi))
    if shape == 6:
        return (1.0 - parameter) * math.exp((1.0 - parameter) * log_a)
    return -1.0 / math.log(parameter)


@kernel
def _densities(shape: int, log_a: FloatArray, parameter: float, out: FloatArray) -> None:
    for i in range(log_a.size):
        out[i] = log_density(shape, log_a[i], parameter)


@dataclass(frozen=True)
class CentreAmplitudes:
    r"""Distribution P'_0 of the tunneling amplitudes of the original centres.

    Parameters
    ----------
    shape : str
        "fixed" (all equal to the scale), "uniform" on (0, scale), "exponential", "gaussian" (half of a normal
        law), "rayleigh" (vanishes at zero), "lognormal", "power" (a^-parameter on (0, scale)), "loguniform"
        (1/a from parameter * scale to the scale).
    scale : float
        Delta_0*, energy, from 1e-60 to 1e60: mean of the exponential law, width of the normal one, median of
        the lognormal one, upper end of those that have one.
    parameter : float, optional
        Standard deviation of ln a (lognormal, 0.01 to 10), exponent (power, 0 to 0.9), ratio of the ends
        (loguniform, 1e-30 to 0.99). The other shapes take none.

    Raises
    ------
    TypeError, ValueError
        If the shape is unknown or a number is out of range.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.7), (2.9).

    Examples
    --------
    >>> CentreAmplitudes("uniform", 2.0).survival(0.5)
    0.75
    """

    shape: str
    scale: float = 1.0
    parameter: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.shape, str) or self.shape not in SHAPES:
            raise ValueError(f"shape must be one of {SHAPES}, got {self.shape!r}")
        object.__setattr__(self, "scale", real_scalar("scale", self.scale, low=1e-60, high=1e60))
        ranges = {"lognormal": (0.01, 10.0), "power": (0.0, 0.9), "loguniform": (1e-30, 0.99)}
        if self.shape not in ranges:
            if self.parameter is not None:
                raise ValueError(f"parameter must be None for shape {self.shape!r}, got {self.parameter!r}")
            return
        low, high = ranges[self.shape]
        value = real_scalar("parameter", self.parameter, low=low, high=high, open_low=False, open_high=False)
        object.__setattr__(self, "parameter", value)

    def survival(self, amplitude: ArrayLike) -> NDArray[np.float64] | float:
        """Probability of an amplitude above the given one (at least 0), for any shape of array."""
        a = real_array("amplitude", amplitude, low=0.0, open_low=False)
        p = self.parameter or 0.0
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            x = a / self.scale
            if self.shape == "fixed":
                value = np.where(x < 1, 1.0, 0.0)
            elif self.shape == "uniform":
                value = np.clip(1 - x, 0, 1)
            elif self.shape == "exponential":
                value = np.exp(-x)
            elif self.shape == "gaussian":
                value = erfc(x / math.sqrt(2))
            elif self.shape == "rayleigh":
                value = np.exp(-(np.minimum(x, 1e3) ** 2) / 2)
            elif self.shape == "lognormal":
                value = erfc(np.log(x) / (p * math.sqrt(2))) / 2
            elif self.shape == "power":
                value = 1 - np.clip(x, 0, 1) ** (1 - p)
            else:
                value = np.clip(np.log(np.clip(x, 1e-300, 1)) / math.log(p), 0, 1)
        return plain(np.asarray(value, dtype=np.float64))

    def sample(self, generator: np.random.Generator, size: int) -> FloatArray:
        """Draw `size` amplitudes."""
        p = self.parameter or 0.0
        if self.shape == "fixed":
            value = np.ones(size)
        elif self.shape == "exponential":
            value = generator.exponential(size=size)
        elif self.shape == "gaussian":
            value = np.abs(generator.normal(size=size))
        elif self.shape == "rayleigh":
            value = generator.rayleigh(size=size)
        elif self.shape == "lognormal":
            value = np.exp(p * generator.normal(size=size))
        elif self.shape == "loguniform":
            value = p ** generator.random(size)
        else:
            value = (1 - generator.random(size)) ** (1 / (1 - p))
        return np.asarray(self.scale * value, dtype=np.float64)

    def log_density(self, log_amplitude: FloatArray) -> FloatArray:
        """Probability per unit of ln(a/scale) at abscissae inside the span, for an array with one axis."""
        out = np.empty_like(log_amplitude)
        _densities(self.code, log_amplitude, self.parameter or 0.0, out)
        return out

    @property
    def code(self) -> int:
        """Number of the shape, for kernels."""
        return SHAPES.index(self.shape)

    def span(self) -> FloatArray:
        """Ends of ln(a/scale) that hold all but 1e-13 of the probability; panels below and above 1/3."""
        p, longest, steep = self.parameter or 0.0, 2.5, 2.5
        low, high = math.log(_TAIL), 0.0
        if self.shape == "fixed":
            low = 0.0
        elif self.shape == "exponential":
            high, steep = math.log(-math.log(_TAIL)), 0.4
        elif self.shape == "gaussian":
            high, steep = math.log(7.5), 0.4
        elif self.shape == "rayleigh":
            low, high, steep = low / 2, math.log(7.8), 0.4
        elif self.shape == "lognormal":
            low, high, longest, steep = -7.4 * p, 7.4 * p, min(2.5, p), min(2.5, p)
        elif self.shape == "power":
            low = low / (1 - p)
        elif self.shape == "loguniform":
            low = math.log(p)
        return np.array([low, high, longest, steep])
