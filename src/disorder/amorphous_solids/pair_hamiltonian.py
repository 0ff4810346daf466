"""Two interacting double-well centres: Hamiltonian, rotation to the states of single centres, exact levels.

Product states are ordered (--), (+-), (-+), (++), centre 1 first; "-" is the lower well of a centre. Energies
are counted as in the paper, with no shift: the four levels of one pair add up to zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.eigen import symmetric_eigensystem
from ..numerics.validation import FloatArray, broadcast, real_array

_Z = np.diag([-0.5, 0.5])
_X = np.array([[0.0, 0.5], [0.5, 0.0]])
_ONE = np.eye(2)
# Centre 1 varies fastest, so that it is the second factor of the Kronecker product.
Z1, Z2 = np.kron(_ONE, _Z), np.kron(_Z, _ONE)
X1, X2 = np.kron(_ONE, _X), np.kron(_X, _ONE)
SIGNS = {"consistent": -1.0, "printed": 1.0}
LIMIT = 1e150


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")
    return value


def _parameters(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike,
) -> list[FloatArray]:
    limits = {"low": -LIMIT, "high": LIMIT, "open_low": False, "open_high": False}
    return broadcast(
        energy_1=real_array("energy_1", energy_1, **limits),  # type: ignore[arg-type]
        energy_2=real_array("energy_2", energy_2, **limits),  # type: ignore[arg-type]
        amplitude_1=real_array("amplitude_1", amplitude_1, **limits),  # type: ignore[arg-type]
        amplitude_2=real_array("amplitude_2", amplitude_2, **limits),  # type: ignore[arg-type]
        coupling=real_array("coupling", coupling, **limits),  # type: ignore[arg-type]
    )


def _column(value: FloatArray) -> FloatArray:
    return value[..., None, None]


def _hamiltonian(parameters: list[FloatArray], sign: float) -> FloatArray:
    e1, e2, a1, a2, u = map(_column, parameters)
    matrix = (e1 - u / 2) * Z1 + (e2 - u / 2) * Z2 + a1 * X1 + a2 * X2 + sign * u * (Z1 @ Z2)
    return np.asarray(matrix, dtype=np.float64)


def pair_hamiltonian(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike,
    convention: str = "consistent",
) -> FloatArray:
    r"""Hamiltonian of a pair of centres in the basis of their localised states.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Cost eps_i of moving one centre to its upper well while the other stays in its lower one; energy.
    amplitude_1, amplitude_2 : array_like
        Tunneling amplitudes Delta_0i of the two centres; energy.
    coupling : array_like
        U_12, energy; positive where moving both centres costs less than the sum of the two moves.
    convention : {"consistent", "printed"}
        Sign of the term with S1z S2z: minus in the consistent form, in which a single flip costs eps_i, plus
        as printed, where it costs eps_i - U_12. All numbers are bounded by 1e150 and broadcast.

    Returns
    -------
    ndarray, shape (..., 4, 4)
        Real symmetric matrix over the states (--), (+-), (-+), (++); energy.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number within 1e150 or `convention` is unknown.

    Notes
    -----
    The two forms are related by a rotation R of both spins by pi about y:
    ``H_printed = -R H_consistent R^T``, so that their spectra are mirror images at every parameter.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (2.11), (3.1).

    Examples
    --------
    >>> np.diag(pair_hamiltonian(1.0, 2.0, 0.0, 0.0, 2.5)) + 0.875
    array([0. , 1. , 2. , 0.5])
    """
    sign = SIGNS[_choice("convention", convention, ("consistent", "printed"))]
    return _hamiltonian(_parameters(energy_1, energy_2, amplitude_1, amplitude_2, coupling), sign)


def pair_levels(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike,
    convention: str = "consistent",
) -> FloatArray:
    r"""Four exact levels of a pair of centres, in increasing order.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Energies eps_i of the single flips.
    amplitude_1, amplitude_2 : array_like
        Tunneling amplitudes Delta_0i; energy.
    coupling : array_like
        U_12; energy. The five are bounded by 1e150 and broadcast.
    convention : {"consistent", "printed"}
        Sign of the last term of the Hamiltonian, see :func:`pair_hamiltonian`.

    Returns
    -------
    ndarray, shape (..., 4)
        Energies with an absolute error of a few units of 1e-16 times the largest argument.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number within 1e150 or `convention` is unknown.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (3.1).

    Examples
    --------
    >>> pair_levels(1.0, 1.0, 0.0, 0.0, 2.0) + 0.5
    array([0., 0., 1., 1.])
    """
    sign = SIGNS[_choice("convention", convention, ("consistent", "printed"))]
    parameters = _parameters(energy_1, energy_2, amplitude_1, amplitude_2, coupling)
    scale = np.maximum.reduce([np.abs(value) for value in parameters])
    scale = np.where(scale > 0, scale, 1.0)
    matrix = _hamiltonian([value / scale for value in parameters], sign)
    if matrix.size == 0:
        return np.empty(matrix.shape[:-1])
    values, _ = symmetric_eigensystem(matrix)
    return np.asarray(values * scale[..., None], dtype=np.float64)


def pair_rotation(
    energy_1: ArrayLike, energy_2: ArrayLike, amplitude_1: ArrayLike, amplitude_2: ArrayLike
) -> FloatArray:
    r"""Rotation to the states in which each centre by itself is diagonal.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Energies eps_i.
    amplitude_1, amplitude_2 : array_like
        Amplitudes Delta_0i; energy; eps_i and Delta_0i of one centre not both zero. All broadcast.

    Returns
    -------
    ndarray, shape (..., 4, 4)
        Orthogonal matrix R whose columns are the new states: ``R.T @ H @ R`` is H in the new representation.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number within 1e150, or a centre has neither energy nor amplitude.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eq. (3.2).

    Examples
    --------
    >>> r = pair_rotation(3.0, 1.0, 4.0, 0.0)
    >>> h = pair_hamiltonian(3.0, 1.0, 4.0, 0.0, 0.0)
    >>> np.diag(r.T @ h @ r)
    array([-3.,  2., -2.,  3.])
    """
    e1, e2, a1, a2, _ = _parameters(energy_1, energy_2, amplitude_1, amplitude_2, np.zeros(()))
    rotations = []
    for number, energy, amplitude in ((1, e1, a1), (2, e2, a2)):
        if (np.hypot(energy, amplitude) == 0).any():
            raise ValueError(f"energy_{number} and amplitude_{number} must not both vanish, got 0 and 0")
        half = np.arctan2(amplitude, energy) / 2
        # Columns: lower and upper state of eps S^z + Delta_0 S^x over (-, +).
        rotations.append(
            _column(np.cos(half)) * np.eye(2) + _column(np.sin(half)) * np.array([[0.0, 1.0], [-1.0, 0.0]])
        )
    shape = e1.shape
    return np.asarray(np.einsum("...ij,...kl->...ikjl", rotations[1], rotations[0]).reshape((*shape, 4, 4)))


@dataclass(frozen=True)
class RotatedPair:
    """The two parts of the Hamiltonian of a pair after the rotation to the states of single centres.

    Attributes
    ----------
    main, rest : ndarray, shape (..., 4, 4)
        h_0 and h', energy.
    """

    main: FloatArray
    rest: FloatArray


def rotated_pair_hamiltonian(
    energy_1: ArrayLike,
    energy_2: ArrayLike,
    amplitude_1: ArrayLike,
    amplitude_2: ArrayLike,
    coupling: ArrayLike,
    convention: str = "consistent",
    indices: str = "consistent",
) -> RotatedPair:
    r"""Parts h_0 and h' of the Hamiltonian of a pair in the rotated representation.

    Parameters
    ----------
    energy_1, energy_2 : array_like
        Energies eps_i.
    amplitude_1, amplitude_2 : array_like
        Amplitudes Delta_0i; energy; eps_i and Delta_0i of one centre not both zero.
    coupling : array_like
        U_12; energy. The five are bounded by 1e150 and broadcast.
    convention : {"consistent", "printed"}
        Sign of S1z S2z, see :func:`pair_hamiltonian`.
    indices : {"consistent", "printed"}
        Indices in the last term of h': Delta_01/E_1 S1x + Delta_02/E_2 S2x, or, as printed,
        Delta_02/E_1 S1x + Delta_01/E_2 S2x.

    Returns
    -------
    RotatedPair
        With consistent indices ``main + rest`` equals ``R.T @ H @ R`` with R of :func:`pair_rotation`.

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite real number within 1e150, a centre has neither energy nor amplitude, or a
        choice is unknown.

    References
    ----------
    Burin and Kagan, JETP 82, 159 (1996), Eqs. (3.3)-(3.5).

    Examples
    --------
    >>> parts = rotated_pair_hamiltonian(1.0, 1.0, 0.0, 0.0, 2.0)
    >>> np.diag(parts.main) + 0.5
    array([0., 1., 1., 0.])
    """
    sign = SIGNS[_choice("convention", convention, ("consistent", "printed"))]
    straight = _choice("indices", indices, ("consistent", "printed")) == "consistent"
    e1, e2, a1, a2, u = _parameters(energy_1, energy_2, amplitude_1, amplitude_2, coupling)
    full = np.hypot(e1, a1), np.hypot(e2, a2)
    for number, size in enumerate(full, start=1):
        if (size == 0).any():
            raise ValueError(f"energy_{number} and amplitude_{number} must not both vanish, got 0 and 0")
    c1, c2, s1, s2 = map(_column, (e1 / full[0], e2 / full[1], a1 / full[0], a2 / full[1]))
    t1, t2 = (s1, s2) if straight else (_column(a2 / full[0]), _column(a1 / full[1]))
    f1, f2, u = _column(full[0]), _column(full[1]), _column(u)
    main = (f1 - c1 * u / 2) * Z1 + (f2 - c2 * u / 2) * Z2
    main = main + sign * u * (c1 * c2 * (Z1 @ Z2) + s1 * s2 * (X1 @ X2))
    rest = -sign * u * (c1 * s2 * (Z1 @ X2) + s1 * c2 * (X1 @ Z2)) + u / 2 * (t1 * X1 + t2 * X2)
    return RotatedPair(main, rest)
