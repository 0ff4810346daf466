"""The contract of every public function (see ``tests/contract.py``): the table of this paper."""

from typing import ClassVar

import numpy as np
from contract import ContractTests

import disorder.fermi_glass as package

# One valid call of every public function, by keyword; all scalars are inside every range of validity.
CALLS = {
    "addition_energy": {"energies": [-0.5, 0.5], "overlaps": [[0.6, 0.4], [0.4, 0.6]], "interaction": 1.5, "up": [True, False], "down": [True, False]},
    "clean_density_of_states": {"energy": 0.5, "hopping": 1.0, "diagonal_hopping": 0.6},
    "density_of_states": {"energy_grid": 0.5, "size": 5, "disorder": 4.0, "method": "kernel polynomials", "hopping": 1.0, "diagonal_hopping": 0.6, "realisations": 2, "moments": 8, "vectors": 1, "seed": 1},
    "diagonalization_memory": {"size": 60},
    "dispersion": {"kx": 0.3, "ky": 1.0, "hopping": 1.0, "diagonal_hopping": 0.6},
    "distance_average": {"overlaps": np.eye(9) + 1, "states": np.eye(9), "size": 3},
    "eigenstates": {"size": 4, "disorder": 4.0, "hopping": 1.0, "diagonal_hopping": 0.6, "seed": 1},
    "exponential_overlap": {"distance": 2.0, "decay_length": 1.5},
    "fermi_level": {"sample": package.sample_density_of_states(0.0, 4, 6.0, realisations=2, moments=8), "filling": 0.4},
    "first_order_energy": {"energies": [-0.5, 0.5], "overlaps": [[0.6, 0.4], [0.4, 0.6]], "interaction": 1.5, "up": [True, False], "down": [True, False]},
    "fit_decay": {"distance": [0.0, 1.0, 2.0], "average": [1.0, 0.5, 0.2], "standard_error": [0.1, 0.05, 0.02]},
    "flat_band_thermodynamics": {"interaction": 1.0, "temperature": 0.3, "field": 0.2, "density_of_states": 0.5},
    "forward_scattering": {"states": np.eye(3), "interaction": 2.0},
    "grand_canonical_minimum": {"energies": [0.0, 0.4, 1.0], "overlaps": np.eye(3), "interaction": 1.0, "chemical_potential": 0.5},
    "ground_state": {"energies": [0.0, 0.4, 1.0], "overlaps": np.eye(3), "interaction": 1.0, "particles": 2},
    "hamiltonian": {"size": 4, "disorder": 4.0, "hopping": 1.0, "diagonal_hopping": 0.6, "seed": 1},
    "hatsugai_kohmoto_ground_state": {"energies": [-3.0, -1.0, 0.5], "interaction": 2.0},
    "hubbard_overlaps": {"states": np.eye(9)},
    "interaction_elements": {"states": np.eye(9), "quadruples": [[0, 0, 1, 1], [0, 1, 2, 3]]},
    "interaction_tensor": {"states": np.array([[0.6, 0.8], [0.8, -0.6]]), "interaction": np.eye(2)},
    "kramers_forward_scattering": {"states": [[0.6], [0.8]], "interaction": 2.0},
    "landau_energy": {"functional": package.landau_functional([-1.0, 1.0], [[1.0, 0.2], [0.2, 1.0]], [1, 0], [1, 0]), "change_up": [-1, 1], "change_down": [0, 0]},
    "landau_functional": {"energies": [-1.0, 1.0], "opposite": [[1.0, 0.2], [0.2, 1.0]], "up": [1, 0], "down": [1, 0]},
    "landau_interaction": {"states": np.eye(3), "opposite": 2.0},
    "localization_configuration": {"seed": np.random.SeedSequence(1), "size": 6, "disorder": 9.0, "hopping": 1.0, "diagonal_hopping": 0.6, "window": (-9.0, 9.0)},
    "localization_ensemble": {"size": 6, "disorder": 9.0, "realisations": 2, "window": (-9.0, 9.0), "seed": 1},
    "mean_field_energy": {"single_particle": np.eye(2), "same_spin": np.zeros((2, 2)), "opposite_spin": np.eye(2), "density_matrix": np.eye(2) / 2},
    "mean_field_hamiltonian": {"single_particle": np.eye(2), "same_spin": np.zeros((2, 2)), "opposite_spin": np.eye(2), "density_matrix": np.eye(2) / 2},
    "mean_moments": {"expected": 1.2},
    "mean_square_element": {"states": np.eye(9)},
    "minimum_image_distance": {"first": [0, 0], "second": [4, 3], "size": 5},
    "moment_levels": {"overlaps": [[1.0, 0.2], [0.2, 1.0]], "interaction": 2.0},
    "occupation_monte_carlo": {"energies": [0.0, 0.4, 1.0], "overlaps": np.eye(3), "interaction": 1.0, "up": np.array([True, False, False]), "down": np.array([True, False, False]), "steps": 20, "seed": 1, "temperature": 0.5},
    "occupation_stability": {"energies": [-0.5, 0.5], "overlaps": [[0.6, 0.4], [0.4, 0.6]], "interaction": 1.5, "up": [True, False], "down": [True, False], "chemical_potential": 0.3},
    "one_body_density_matrix": {"states": np.array([[0.6, 0.8], [0.8, -0.6]]), "occupations": [1.0, 0.0]},
    "pair_addition_energy": {"energies": [-0.5, 0.5], "overlaps": [[0.6, 0.4], [0.4, 0.6]], "interaction": 1.5, "up": [True, False], "down": [True, False]},
    "participation_average": {"lengths": [[2.0, 4.0], [1.0, 3.0]], "average": "length"},
    "participation_by_energy": {"energies": [[0.0, 1.0], [0.0, 1.0]], "lengths": [[2.0, 4.0], [3.0, 5.0]], "edges": [-1.0, 0.5, 2.0]},
    "participation_length": {"states": np.eye(9)},
    "polarization_energies": {"levels": [0.0, 0.5, 1.0, 2.0], "interaction": 2.0, "particles": 4},
    "profile_decay": {"distance": [0.0, 1.0, 2.0, 3.0], "log_density": [[0.0, -1.0, -2.0, -3.0], [0.0, -1.1, -2.2, -3.3]], "low": 0.0, "high": 3.0},
    "radial_profile": {"states": np.eye(9)},
    "sample_density_of_states": {"energy_grid": 0.5, "size": 5, "disorder": 4.0, "method": "kernel polynomials", "hopping": 1.0, "diagonal_hopping": 0.6, "realisations": 2, "moments": 8, "vectors": 1, "seed": 1},
    "sample_pairs": {"overlaps": np.eye(9), "states": np.eye(9), "size": 3, "count": 5, "seed": 1},
    "sample_quadruples": {"states": np.eye(9), "size": 3, "count": 5, "reach": 2.0, "seed": 1},
    "self_consistent_mean_field": {"single_particle": np.array([[0.0, -1.0], [-1.0, 1.0]]), "same_spin": np.zeros((2, 2)), "opposite_spin": np.eye(2), "pairs": 1},
    "short_range_interaction": {"size": 4, "on_site": 1.0, "nearest": 0.2, "diagonal": 0.1},
    "single_state_ground_state": {"energy": -0.4, "interaction": 1.0, "field": 0.1},
    "single_state_hartree_fock": {"energy": -0.4, "interaction": 1.0, "temperature": 0.2, "field": 0.1},
    "single_state_levels": {"energy": -0.4, "interaction": 1.0, "field": 0.1},
    "single_state_thermal": {"energy": -0.4, "interaction": 1.0, "temperature": 0.2, "field": 0.1},
    "site_energies": {"size": 4, "disorder": 4.0, "seed": 1},
    "spin_orbit_eigenstates": {"size": 3, "disorder": 2.0, "spin_orbit": 0.5, "seed": 1},
    "state_centers": {"states": np.eye(9), "size": 3},
    "steepest_descent": {"energies": [0.0, 0.4, 1.0], "overlaps": np.eye(3), "interaction": 1.0, "up": np.array([True, False, False]), "down": np.array([True, False, False])},
    "stoner_threshold": {"levels": [0.0, 0.5, 1.0, 2.0], "particles": 4},
    "strip_extrapolation": {"widths": [10.0, 20.0, 40.0], "exponents": [0.3, 0.25, 0.225], "errors": [0.01, 0.01, 0.01]},
    "strip_localization": {"energy": -0.3, "width": 4, "disorder": 16.0, "hopping": 1.0, "diagonal_hopping": 0.6, "length": 400, "blocks": 4, "seed": 1},
}  # fmt: skip

# Functions with arguments that have a structure of their own: matrices, sets of states, samples.
STRUCTURED = {
    "addition_energy",
    "distance_average",
    "fermi_level",
    "first_order_energy",
    "fit_decay",
    "forward_scattering",
    "grand_canonical_minimum",
    "ground_state",
    "hatsugai_kohmoto_ground_state",
    "hubbard_overlaps",
    "interaction_elements",
    "interaction_tensor",
    "kramers_forward_scattering",
    "landau_energy",
    "landau_functional",
    "landau_interaction",
    "localization_configuration",
    "localization_ensemble",
    "mean_field_energy",
    "mean_field_hamiltonian",
    "mean_square_element",
    "minimum_image_distance",
    "moment_levels",
    "occupation_monte_carlo",
    "occupation_stability",
    "one_body_density_matrix",
    "pair_addition_energy",
    "participation_average",
    "participation_by_energy",
    "participation_length",
    "polarization_energies",
    "profile_decay",
    "radial_profile",
    "sample_pairs",
    "sample_quadruples",
    "self_consistent_mean_field",
    "state_centers",
    "steepest_descent",
    "stoner_threshold",
    "strip_extrapolation",
}


class TestContract(ContractTests):
    package = package
    calls = CALLS
    structured = STRUCTURED
    arguments: ClassVar = {
        "eigenstates": ["size", "disorder"],
        "participation_length": ["states"],
        "hubbard_overlaps": ["states"],
        "ground_state": ["energies", "overlaps", "interaction", "particles", "method"],
        "density_of_states": ["energy_grid", "size", "disorder", "method"],
        "distance_average": ["overlaps", "states", "size"],
    }
    positive: ClassVar = {"temperature", "density_of_states", "decay_length"}
    signed: ClassVar = {"energy", "interaction", "field", "chemical_potential", "energy_grid"}
