r"""Linear magnetic response of the paramagnetic Hartree-Fock state, isolated and isothermal.

A field :math:`H_b=\sum_iB_i(n_{i\downarrow}-n_{i\uparrow})` moves the density matrix in two ways. It mixes
the states (*isolated* response, Kubo), and, if the system exchanges energy and spin with its surroundings, it
changes the occupations as well (*isothermal* response). In the basis of the levels

.. math:: \chi_{aa'}=-2\,\frac{f_a-f_{a'}}{E_a-E_{a'}},\qquad
          \chi_{aa}=\begin{cases}0&\text{isolated}\\-2f'(E_a)&\text{isothermal.}\end{cases}

The moments act back as a field :math:`\tfrac12U\delta M_i`, since :math:`n_{i\downarrow}=\tfrac12(n_i-M_i)`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, positive, real_array, real_scalar
from .arguments import symmetric_matrix
from .hartree_fock import (
    HartreeFockState,
    difference_quotient,
    fermi_occupations,
    pair_matrix,
)

Response = Literal["isothermal", "isolated"]
# Two levels closer than this fraction of the band are one level for the isolated response.
_DEGENERATE = 1e-9


@dataclass(frozen=True)
class LinearResponse:
    """Static magnetic response of a paramagnetic state.

    Attributes
    ----------
    levels : ndarray, shape (V, V)
        chi_aa' of (A6), with the factor 2 of two spins.
    bare : ndarray, shape (V, V)
        Response dM_i / dB_j without feedback.
    eigenvalue : float
        Smallest eigenvalue of 1 - (U/2) bare: below zero the paramagnetic state is unstable.
    mode : ndarray, shape (V,)
        Its eigenvector: the moments that grow, with norm one.
    interaction : float
    """

    levels: FloatArray
    bare: FloatArray
    eigenvalue: float
    mode: FloatArray
    interaction: float

    @property
    def stable(self) -> bool:
        """Whether every mode has a restoring force."""
        return self.eigenvalue > 0.0

    @property
    def susceptibility(self) -> FloatArray:
        """Response dM_i / dB_j with the feedback of (A7); meaningful for a stable state only."""
        left = np.eye(self.bare.shape[0]) - 0.5 * self.interaction * self.bare
        return np.asarray(scipy.linalg.solve(left, self.bare, assume_a="sym"))


def response_name(value: Any) -> Response:
    """Check the name of a response."""
    if value not in ("isothermal", "isolated"):
        raise ValueError(f"response must be 'isothermal' or 'isolated', got {value!r}")
    name: Response = value
    return name


def level_susceptibility(
    energies: ArrayLike,
    occupations: ArrayLike,
    temperature: float = 0.0,
    *,
    response: Response = "isothermal",
) -> FloatArray:
    r"""Return chi_aa', the response of M_aa' to B_a'a without feedback, both spins together.

    Parameters
    ----------
    energies : array_like, shape (N,)
        Hartree-Fock levels E_a of one spin, any order.
    occupations : array_like, shape (N,)
        f_a between 0 and 1: Fermi functions if `temperature` is above 0, anything at 0.
    temperature : float
        At least 0, in the unit of the levels.
    response : {"isothermal", "isolated"}
        Isothermal: a pair of equal levels, and a level with itself, answers with -2 f'. Isolated: with zero.

    Returns
    -------
    ndarray, shape (N, N)
        Inverse energy; symmetric, not negative for Fermi functions. Exact to rounding, for close levels too.

    Raises
    ------
    ValueError
        If an argument is out of range, if occupations at T > 0 are no Fermi functions, or for the isothermal
        response of partly filled levels at T = 0, which is infinite.
    TypeError
        If an argument is no real array or number.
    ConvergenceError
        If, at T = 0, levels of different occupation cannot be told apart.

    Notes
    -----
    Levels are equal if they agree to 1e-9 of the largest.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eq. (A6), where the factor of two spins is left out.

    Examples
    --------
    >>> level_susceptibility([0.0, 2.0], [1.0, 0.0])
    array([[0., 1.],
           [1., 0.]])
    """
    name = response_name(response)
    e = real_array("energies", energies, ndim=1)
    f = real_array("occupations", occupations, ndim=1, low=0.0, high=1.0, open_low=False, open_high=False)
    temperature = real_scalar("temperature", temperature, low=0.0, open_low=False)
    if e.shape != f.shape or e.size == 0:
        raise ValueError(f"energies and occupations must have one shape, got {e.shape} and {f.shape}")
    if temperature > 0.0:
        fermi, _ = fermi_occupations(e, float(f.sum()), 0.0, temperature)
        if np.abs(fermi - f).max() > 1e-6:
            raise ValueError(
                f"occupations must be Fermi functions of temperature {temperature:g} "
                f"(they differ by {np.abs(fermi - f).max():.2g}); use temperature=0 for other occupations"
            )
    partly = (f > 1e-6) & (f < 1 - 1e-6)
    if name == "isothermal" and temperature == 0.0 and partly.any():
        raise ValueError(
            "temperature must be above 0 for the isothermal response of partly filled levels, "
            "which diverges as 1/T"
        )
    chi = 0.0 - 2 * difference_quotient(e, f, temperature)
    if name == "isolated":
        chi[np.abs(e[:, None] - e[None, :]) <= _DEGENERATE * np.abs(e).max()] = 0.0
    if not np.isfinite(chi).all():
        raise ValueError("temperature and level differences must not be so small that the response overflows")
    return chi


def site_response(states: ArrayLike, levels: ArrayLike, interaction: float) -> LinearResponse:
    """Return the response of the sites from that of the levels, with the feedback of the interaction.

    Parameters
    ----------
    states : array_like, shape (V, V)
        Real orthonormal states by columns.
    levels : array_like, shape (V, V)
        chi_aa' as from :func:`level_susceptibility`, symmetric, inverse energy.
    interaction : float
        U, energy, of either sign.

    Returns
    -------
    LinearResponse

    Raises
    ------
    ValueError, TypeError
        If shapes differ or entries are not finite.

    Notes
    -----
    bare_ij = sum_aa' chi_aa' phi_a(i) phi_a'(i) phi_a(j) phi_a'(j); 2 V^4 operations.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A4a) to (A7).

    Examples
    --------
    >>> site_response([[1.0]], [[0.5]], 1.0).susceptibility.round(6)
    array([[0.666667]])
    """
    phi = real_array("states", states, ndim=2)
    chi = symmetric_matrix("levels", levels)
    interaction = real_scalar("interaction", interaction)
    if phi.shape[0] != phi.shape[1] or chi.shape != phi.shape or phi.size == 0:
        raise ValueError(f"states and levels must be square of one size, got {phi.shape} and {chi.shape}")
    if not np.allclose(phi.T @ phi, np.eye(phi.shape[0]), atol=1e-8):
        raise ValueError("states must be orthonormal columns")
    with threadpool_limits(1, user_api="blas"):
        bare = pair_matrix(phi, chi)
        values, vectors = scipy.linalg.eigh(bare, check_finite=False)
    extreme = -1 if interaction >= 0.0 else 0
    return LinearResponse(
        chi,
        bare,
        1 - 0.5 * interaction * float(values[extreme]),
        np.asarray(vectors[:, extreme]),
        interaction,
    )


def linear_response(state: HartreeFockState, *, response: Response = "isothermal") -> LinearResponse:
    """Return the magnetic response of a paramagnetic Hartree-Fock state.

    Parameters
    ----------
    state : HartreeFockState
        From :func:`restricted_hartree_fock`, at its own temperature.
    response : {"isothermal", "isolated"}
        As in :func:`level_susceptibility`.

    Returns
    -------
    LinearResponse
        A negative `eigenvalue` of the isothermal response is a proof that moments lower the free energy.

    Raises
    ------
    ValueError
        If the state has moments, or levels are pinned at T = 0 and the response is isothermal.
    TypeError
        If `state` is no Hartree-Fock state.
    ConvergenceError
        If, at T = 0, levels of different occupation cannot be told apart.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A5) to (A7).

    Examples
    --------
    Two sites and two particles turn magnetic at U = 2t.

    >>> from disorder.fermi_glass import restricted_hartree_fock
    >>> state = restricted_hartree_fock([[0, -1], [-1, 0]], 1.0, particles=2)
    >>> round(linear_response(state).eigenvalue, 9)
    0.5
    """
    if not isinstance(state, HartreeFockState):
        raise TypeError(f"state must be a HartreeFockState, got {type(state).__name__}")
    if not np.allclose(state.density_up, state.density_down, atol=1e-8):
        raise ValueError(
            f"state must be paramagnetic, got moments up to {np.abs(state.magnetization).max():.3g}"
        )
    levels = level_susceptibility(
        state.energies_up, state.occupations_up, state.temperature, response=response
    )
    return site_response(state.states_up, levels, state.interaction)


def density_matrix_response(
    hamiltonian: ArrayLike, perturbation: ArrayLike, temperature: float
) -> tuple[FloatArray, FloatArray]:
    r"""Return the two parts of the change of the equilibrium density matrix, per unit of perturbation.

    Parameters
    ----------
    hamiltonian : array_like, shape (N, N)
        Real symmetric many-body (or one-particle) Hamiltonian.
    perturbation : array_like, shape (N, N)
        Real symmetric; the Hamiltonian becomes H + lambda times it.
    temperature : float
        Above 0, in the unit of `hamiltonian`.

    Returns
    -------
    thermal : ndarray, shape (N, N)
        delta rho_1 / lambda: the weights of the states change; what Kubo's formula leaves out.
    dynamic : ndarray, shape (N, N)
        delta rho_2 / lambda: the states change; Kubo's formula with an adiabatic switch.

    Raises
    ------
    ValueError, TypeError
        If a matrix is not symmetric or the temperature not above 0.

    Notes
    -----
    In the eigenbasis, with weights p_A = exp(-E_A/T)/Z: the dynamic part is (p_A - p_B)/(E_A - E_B) V_AB for
    levels that differ, the thermal part -(p_A/T)(V_AB - delta_AB <V>) for levels that agree. Their sum is the
    derivative of exp(-H/T)/Z. Levels agree to 1e-9 of the largest.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), Eqs. (A2), (A3), (A8).

    Examples
    --------
    A free spin in a field along itself: the weights change, the states do not.

    >>> thermal, dynamic = density_matrix_response(np.zeros((2, 2)), np.diag([-1.0, 1.0]), 1.0)
    >>> thermal.diagonal(), dynamic.any()
    (array([ 0.5, -0.5]), np.False_)
    """
    h, v = symmetric_matrix("hamiltonian", hamiltonian), symmetric_matrix("perturbation", perturbation)
    temperature = positive("temperature", temperature)
    if h.shape != v.shape:
        raise ValueError(f"hamiltonian and perturbation must have one shape, got {h.shape} and {v.shape}")
    energies, states = scipy.linalg.eigh(h, check_finite=False)
    exponent = (energies[0] - energies) / temperature
    weights = np.exp(exponent) / np.exp(exponent).sum()
    element = states.T @ v @ states
    difference = energies[:, None] - energies[None, :]
    equal = np.abs(difference) <= _DEGENERATE * np.abs(energies).max(initial=0.0)
    # Divided differences of exp without cancellation: p_A - p_B = p_B expm1((E_B - E_A)/T), E_B the lower.
    upper, lower = np.maximum(energies[:, None], energies), np.minimum(energies[:, None], energies)
    heavy = np.maximum(weights[:, None], weights)
    change = np.divide(heavy * np.expm1((lower - upper) / temperature), upper - lower,
                       out=np.zeros_like(difference), where=~equal)  # fmt: skip
    thermal = np.where(equal, -heavy * element / temperature, 0.0)
    thermal += np.diag(weights * float(weights @ element.diagonal()) / temperature)
    return states @ thermal @ states.T, states @ (change * element) @ states.T
