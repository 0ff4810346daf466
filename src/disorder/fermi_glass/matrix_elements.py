"""Matrix elements of the on-site interaction between eigenstates."""

import numpy as np
from threadpoolctl import threadpool_limits

from ..numerics.validation import FloatArray, real_array


def participation_length(states: FloatArray) -> FloatArray:
    """Participation length (sum_i phi_i^4)^(-1/2) of every state (column)."""
    states = real_array("states", states, ndim=2)
    return np.asarray(np.einsum("ia,ia->a", states**2, states**2) ** -0.5)


def hubbard_overlaps(states: FloatArray) -> FloatArray:
    """U_aacc / U = sum_i phi_a(i)^2 phi_c(i)^2 of all pairs of states (columns), shape (N, N)."""
    weights = real_array("states", states, ndim=2) ** 2
    with threadpool_limits(1, user_api="blas"):
        return np.asarray(weights.T @ weights)
