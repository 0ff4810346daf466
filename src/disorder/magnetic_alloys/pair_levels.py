"""Two equal spins with the coupling V S1.S2: levels, matrix elements of one spin, and its correlator.

Everything here is exact for one pair. Averages over the random couplings are in `spin_pairs`.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import spherical_jn

from ..numerics.jit import kernel
from ..numerics.validation import FloatArray, broadcast, positive, real_array, twice_spin


@kernel
def _populations(y: FloatArray, two_s: int, out: FloatArray) -> None:
    # Exponents are counted from the ground level, J = 0 for y > 0 and J = 2S for y < 0.
    for i in range(y.size):
        ground = 0 if y[i] >= 0.0 else two_s * (two_s + 1) // 2
        total = 0.0
        for j in range(two_s + 1):
            out[i, j] = (2 * j + 1) * math.exp(-y[i] * (j * (j + 1) // 2 - ground))
            total += out[i, j]
        for j in range(two_s + 1):
            out[i, j] /= total


@kernel
def _correlators(population: FloatArray, phase: FloatArray, two_s: int, out: NDArray[np.complex128]) -> None:
    n2 = (two_s + 1) * (two_s + 1)
    for i in range(phase.size):
        real, imaginary = 0.0, 0.0
        for j in range(1, two_s + 1):
            real += population[i, j] * j * (j + 1) * 0.25
        for k in range(1, two_s + 1):
            # Levels k - 1 and k, V k apart; the strength B_k is shared by the 2J + 1 states of either level.
            strength = k * (n2 - k * k) * 0.25
            lower = strength * population[i, k - 1] / (2 * k - 1)
            upper = strength * population[i, k] / (2 * k + 1)
            real += (lower + upper) * math.cos(k * phase[i])
            imaginary += (lower - upper) * math.sin(k * phase[i])
        out[i] = complex(real, imaginary)


def _reduced_coupling(coupling: FloatArray, temperature: FloatArray) -> FloatArray:
    # Beyond 1e6 the pair sits in its ground level to any precision; the cut keeps infinities away.
    with np.errstate(over="ignore", under="ignore"):
        return np.clip(coupling / temperature, -1e6, 1e6)


def pair_energies(coupling: ArrayLike, spin: float) -> FloatArray:
    r"""Levels E_J = V [J(J+1) - 2S(S+1)]/2 of two spins with the interaction V S1.S2.

    Parameters
    ----------
    coupling : array_like
        V, energy, any sign; positive is antiferromagnetic.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    ndarray, shape (..., 2S+1)
        Energies in the unit of `coupling`, for J = 0 ... 2S along the last axis; level J holds 2J+1 states.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number in its range, or an energy overflows.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (11).

    Examples
    --------
    >>> pair_energies(4.0, 0.5)
    array([-3.,  1.])
    """
    v = real_array("coupling", coupling)
    two_s = twice_spin("spin", spin)
    j = np.arange(two_s + 1)
    with np.errstate(over="ignore"):
        energies = v[..., None] * ((j * (j + 1)) / 2 - two_s * (two_s + 2) / 4)
    if not np.isfinite(energies).all():
        raise ValueError(f"coupling must keep V S(S+1) below 1.8e308, got up to {np.abs(v).max():g}")
    return np.asarray(energies, dtype=np.float64)


def pair_matrix_elements(spin: float) -> FloatArray:
    r"""Squared matrix elements of one spin of a pair between its levels, A_JJ', in closed form.

    A_JJ' is the sum over the states M' of level J' and over x, y, z of the squared modulus of the matrix
    element of the first spin between one state of level J and the state M' of level J'.

    Parameters
    ----------
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    ndarray, shape (2S+1, 2S+1)
        A_JJ', dimensionless, J along rows. Each row sums to S(S+1); (2J+1) A_JJ' is symmetric; only
        neighbouring levels and J' = J > 0 are joined. Correct to the last digit.

    Raises
    ------
    TypeError, ValueError
        If `spin` is no multiple of 1/2 in range.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (13b), (A3).

    Examples
    --------
    >>> pair_matrix_elements(0.5)
    array([[0.  , 0.75],
           [0.25, 0.5 ]])
    """
    two_s = twice_spin("spin", spin)
    elements = np.zeros((two_s + 1, two_s + 1))
    for j in range(two_s + 1):
        elements[j, j] = j * (j + 1) / 4
    for k in range(1, two_s + 1):
        strength = k * ((two_s + 1) ** 2 - k**2)
        elements[k - 1, k] = strength / (4 * (2 * k - 1))
        elements[k, k - 1] = strength / (4 * (2 * k + 1))
    return elements


def pair_level_populations(coupling: ArrayLike, temperature: ArrayLike, spin: float) -> FloatArray:
    r"""Equilibrium probabilities of the levels of a pair, (2J+1) exp(-E_J/T)/Z.

    Parameters
    ----------
    coupling : array_like
        V, energy, any sign.
    temperature : array_like
        T > 0, in the unit of `coupling`; broadcast against it.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    ndarray, shape (..., 2S+1)
        Probability of level J = 0 ... 2S along the last axis, all its 2J+1 states together.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range or the shapes do not broadcast.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (12), (13a).

    Examples
    --------
    >>> pair_level_populations(0.0, 1.0, 0.5)
    array([0.25, 0.75])
    """
    two_s = twice_spin("spin", spin)
    v, t = broadcast(
        coupling=real_array("coupling", coupling), temperature=real_array("temperature", temperature, low=0.0)
    )
    out = np.empty((v.size, two_s + 1))
    _populations(_reduced_coupling(v, t).ravel(), two_s, out)
    return out.reshape((*v.shape, two_s + 1))


def pair_partition_function(
    coupling: ArrayLike, temperature: ArrayLike, spin: float
) -> NDArray[np.float64] | float:
    r"""Partition function of a pair, Z(V) = sum over J of (2J+1) exp(-E_J/T).

    Parameters
    ----------
    coupling : array_like
        V, energy, any sign.
    temperature : array_like
        T > 0, in the unit of `coupling`; broadcast against it.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    float or ndarray
        Z, at least (2S+1)^2, the value without coupling.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, the shapes do not broadcast, or Z overflows (then use
        :func:`pair_level_populations`).

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eq. (13a).

    Examples
    --------
    >>> pair_partition_function(0.0, 1.0, 2.5)
    36.0
    """
    v, t = broadcast(
        coupling=real_array("coupling", coupling), temperature=real_array("temperature", temperature, low=0.0)
    )
    levels = pair_energies(np.ones(()), spin)
    with np.errstate(over="ignore"):
        terms = (2 * np.arange(levels.size) + 1) * np.exp(-_reduced_coupling(v, t)[..., None] * levels)
        z = terms.sum(axis=-1)
    if not np.isfinite(z).all():
        raise ValueError(
            f"coupling must keep |V| S(S+1)/T below 709, got |V|/T up to {np.max(np.abs(v / t)):g}"
        )
    return float(z) if v.ndim == 0 else np.asarray(z, dtype=np.float64)


def pair_correlator(
    time: ArrayLike, coupling: ArrayLike, temperature: ArrayLike, spin: float
) -> NDArray[np.complex128] | complex:
    r"""Correlator of one spin of a pair in equilibrium, K2(t) = <S1(0).S1(t)>.

    Parameters
    ----------
    time : array_like
        t, inverse energy, any sign.
    coupling : array_like
        V, energy, any sign.
    temperature : array_like
        T > 0, energy. The three arrays are broadcast.
    spin : float
        S, a multiple of 1/2 from 1/2 to 100.

    Returns
    -------
    complex or ndarray
        K2, dimensionless, with K2(-t) = conj K2(t) and K2(0) = S(S+1). Absolute accuracy 1e-14 S^2, apart
        from the rounding of the phases k V t.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, the shapes do not broadcast, or 2S V t overflows.

    Notes
    -----
    A transition from E to E' contributes exp(i(E' - E)t), so that the Fourier transform with exp(i omega t)
    holds delta(E - E' - omega): positive omega is energy that the pair gives away.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (3), (12).

    Examples
    --------
    >>> pair_correlator(0.0, 1.0, 1.0, 0.5)
    (0.75+0j)
    """
    two_s = twice_spin("spin", spin)
    t, v, temp = broadcast(
        time=real_array("time", time),
        coupling=real_array("coupling", coupling),
        temperature=real_array("temperature", temperature, low=0.0),
    )
    with np.errstate(over="ignore"):
        phase = v * t
        if not np.isfinite(two_s * phase).all():
            raise ValueError("time and coupling must keep 2S V t below 1.8e308")
    out = np.empty(t.size, dtype=np.complex128)
    populations = np.empty((t.size, two_s + 1))
    _populations(_reduced_coupling(v, temp).ravel(), two_s, populations)
    _correlators(populations, phase.ravel(), two_s, out)
    return complex(out[0]) if t.ndim == 0 else out.reshape(t.shape)


def rkky_coupling(distance: ArrayLike, fermi_wavenumber: float, v0: float) -> NDArray[np.float64] | float:
    r"""Coupling V(r) of two spins by free electrons, (V0/r^3) [cos x - (sin x)/x] with x = 2 kF r.

    Parameters
    ----------
    distance : array_like
        r > 0, length.
    fermi_wavenumber : float
        kF > 0, inverse length.
    v0 : float
        V0 = nu J^2/(2 pi) > 0, energy times volume, with nu the density of states per spin and J the exchange
        constant of the Hamiltonian J S.sigma, sigma the Pauli matrices.

    Returns
    -------
    float or ndarray
        V, energy, as it multiplies S1.S2 once for each pair. Relative accuracy 1e-15 apart from the zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range or V overflows.

    Notes
    -----
    -2 J^2 times the static Lindhard function in real space. At large distance V0 cos(2 kF r)/r^3; at small
    distance -(4/3) V0 kF^2/r, ferromagnetic.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (8), (9).

    Examples
    --------
    >>> round(rkky_coupling(np.pi, 1.0, np.pi**3), 12)
    1.0
    """
    r = real_array("distance", distance, low=0.0)
    k, strength = positive("fermi_wavenumber", fermi_wavenumber), positive("v0", v0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        x = 2 * k * r
        # cos x - sin x / x = -x j1(x), and j1(x) = x/3 where x^2 is lost against 1.
        shape = np.where(x < 1e-8, -x * x / 3, -x * spherical_jn(1, x))
        value = strength * shape / r / r / r
    if not np.isfinite(value).all():
        raise ValueError("distance, fermi_wavenumber and v0 must keep V(r) below 1.8e308")
    return float(value) if r.ndim == 0 else np.asarray(value, dtype=np.float64)
