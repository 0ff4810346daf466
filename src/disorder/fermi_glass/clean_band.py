"""Density of states of the lattice without disorder, in closed form."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import agm

from ..numerics.validation import FloatArray, plain, real_array
from .lattice import _energy

# Narrowest band, in the unit of the caller, whose density of states is still a number.
SMALLEST_WIDTH = 1e-290


def clean_density_of_states(
    energy: ArrayLike, *, hopping: float = 1.0, diagonal_hopping: float = 0.6
) -> FloatArray | float:
    r"""Density of states per site and spin of the infinite lattice without disorder, in closed form.

    Parameters
    ----------
    energy : array_like
        Any real numbers, in the unit of the hoppings.
    hopping, diagonal_hopping : float
        t and t', either sign, up to 1e300, not both zero.

    Returns
    -------
    float or ndarray
        Of the shape of `energy`, in 1/energy; relative accuracy 1e-13 away from the steps; zero outside
        the band and infinite exactly at the van Hove energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    With t, t' >= 0 (the signs only mirror the band) and the arithmetic-geometric mean agm,

    .. math::

        \rho = \frac{g}{\pi\,\mathrm{agm}(|4t'-\epsilon|,\ 4\sqrt{t^2-t'\epsilon})}
        \quad (t'\epsilon < t^2), \qquad
        \rho = \frac{2}{\pi\,\mathrm{agm}(\sqrt{(\epsilon+4t')^2-16t^2},\ 4\sqrt{t'\epsilon-t^2})}

    where g = 1, except for t' > t/2 and an energy above 4t - 4t', where a second sheet of the band makes
    g = 2. The logarithm sits at t^2/t' for t' > t/2, and at 4t' otherwise.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), App. B (van Hove singularity of Fig. 3); van Hove,
    Phys. Rev. 89, 1189 (1953).

    Examples
    --------
    >>> round(clean_density_of_states(2.4) * float(np.pi * np.sqrt(4 * 0.6**2 - 1.0)) * 2, 12)
    1.0
    """
    e = real_array("energy", energy)
    t, d = abs(_energy("hopping", hopping)), _energy("diagonal_hopping", diagonal_hopping)
    if max(t, abs(d)) < SMALLEST_WIDTH:
        raise ValueError(
            "hopping and diagonal_hopping must not both be zero: the band has no width, "
            f"got {hopping!r} and {diagonal_hopping!r}"
        )
    # A negative t' mirrors the band.
    e, d = (-e, -d) if d < 0 else (e, d)
    low, high = -4 * t - 4 * d, max(4 * d, 4 * t - 4 * d)
    inside = (e >= low) & (e <= high)
    e = np.where(inside, e, low)
    # t^2 - t' e in units of q^2, so that it neither overflows nor vanishes by underflow.
    q = np.maximum(t, np.sqrt(d) * np.sqrt(np.abs(e)))
    with np.errstate(divide="ignore", invalid="ignore"):
        saddle = np.where(q > 0, (t / q) ** 2 - d / q * (e / q), 0.0)
    sheets = np.where((2 * d > t) & (e >= 4 * t - 4 * d), 2.0, 1.0)
    above = np.sqrt(np.maximum(e + 4 * d - 4 * t, 0.0)) * np.sqrt(np.maximum(e + 4 * d + 4 * t, 0.0))
    first = np.where(saddle >= 0, np.abs(4 * d - e), above)
    with np.errstate(divide="ignore"):
        density = sheets / np.pi / agm(first, 4 * q * np.sqrt(np.abs(saddle)))
    return plain(np.where(inside, density, 0.0))
