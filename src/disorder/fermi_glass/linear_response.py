r"""Linear magnetic response of the paramagnetic Hartree-Fock state, isolated and isothermal.

A field :math:`H_b=\sum_iB_i(n_{i\downarrow}-n_{i\uparrow})` moves the density matrix in two ways. It mixes the
states (*isolated* response, Kubo), and, if the system can exchange energy and spin with its surroundings, it
changes the occupations as well (*isothermal* response). In the basis of the levels

.. math:: \chi_{aa'}=-2\,\frac{f_a-f_{a'}}{E_a-E_{a'}},\qquad
          \chi_{aa}=\begin{cases}0&\text{isolated}\\-2f'(E_a)&\text{isothermal.}\end{cases}

The moments act back as a field :math:`\tfrac12U\delta M_i`, because :math:`n_{i\downarrow}=\tfrac12(n_i-M_i)`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, positive, real_array, real_scalar
from .hartree_fock import (
    HartreeFockState,
    difference_quotient,
    fermi_occupations,
    pair_matrix,
    restricted_hartree_fock,
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


def _response(value: object) -> str:
    if value not in ("isothermal", "isolated"):
        raise ValueError(f"response must be 'isothermal' or 'isolated', got {value!r}")
    return str(value)


def level_susceptibility(
    energies: ArrayLike,
    occupations: ArrayLike,
    temperature: float = 0.0,
    *,
    response: Response = "isothermal",
) -> FloatArray:
    response_name = _response(response)
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
    chi = -2 * difference_quotient(e, f, temperature)
    if response_name == "isolated":
        chi[np.abs(e[:, None] - e[None, :]) <= _DEGENERATE * np.abs(e).max()] = 0.0
    elif temperature == 0.0 and ((f > 1e-9) & (f < 1 - 1e-9)).any():
        raise ValueError(
            "temperature must be above 0 for the isothermal response of partly filled levels: it diverges as 1/T"
        )
    return chi


def linear_response(
    state: HartreeFockState, *, response: Response = "isothermal"
) -> LinearResponse:
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


def site_response(states: ArrayLike, levels: ArrayLike, interaction: float) -> LinearResponse:
    phi = real_array("states", states, ndim=2)
    chi = real_array("levels", levels, ndim=2)
    interaction = real_scalar("interaction", interaction)
    if phi.shape[0] != phi.shape[1] or chi.shape != phi.shape:
        raise ValueError(f"states and levels must be square of one size, got {phi.shape} and {chi.shape}")
    bare = pair_matrix(phi, chi)
    with threadpool_limits(1, user_api="blas"):
        values, vectors = scipy.linalg.eigh(bare, check_finite=False)
    return LinearResponse(
        chi, bare, 1 - 0.5 * interaction * float(values[-1]), np.asarray(vectors[:, -1]), interaction
    )
