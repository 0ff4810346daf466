"""Intrinsic instabilities in Fermi glasses (Lau, Ng)."""

from .lattice import eigenstates, hamiltonian, site_energies
from .matrix_elements import hubbard_overlaps, participation_length

__all__ = [
    "eigenstates",
    "hamiltonian",
    "hubbard_overlaps",
    "participation_length",
    "site_energies",
]
