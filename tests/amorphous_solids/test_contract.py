"""The contract of every public function (see ``tests/contract.py``): the table of this paper."""

from typing import ClassVar

from contract import ContractTests

import disorder.amorphous_solids as package
from disorder.amorphous_solids import CentreAmplitudes, GammaAmplitudes

PAIR = {"energy_1": 1.0, "energy_2": 1.5, "amplitude_1": 0.1, "amplitude_2": 0.2}
BOUNDS = {"smallest_coupling": 10.0, "largest_coupling": 1e6}
AMPLITUDES = CentreAmplitudes("exponential")
GAMMA = {"initial": GammaAmplitudes(9.0), "chi": 1.0}

# One valid call of every public function, by keyword; all scalars are inside every range of validity.
CALLS = {
    "active_clusters": {"t": 2.0, **GAMMA},
    "amplitude_friction": {"centres": 0.1, "coupling": 0.3},
    "amplitude_tail": {"t": 4.0, **GAMMA},
    "asymptotic_coefficients": {},
    "charge_coupling": {"k": 3, "m": 5, "mechanism": "indirect exchange"},
    "cluster_charge": {"size": 4, "mechanism": "indirect exchange"},
    "cluster_densities": {"t": 0.7, "sizes": 3, "kernel": "constant"},
    "cluster_friction": {"size": 2.5, "density": 0.1, "coupling": 0.3, "initial_depth": 4.0},
    "cluster_moment": {"t": 0.7, "order": 0.5, "kernel": "constant"},
    "coagulation_kernel": {"kernel": "sqrt"},
    "coherence_logarithm": {"energy": 0.1, "bandwidth": 100.0},
    "coherence_radius": {"energy": 0.1, "interaction": 2.0},
    "coupling_distribution": {"distribution": "laplace"},
    "coupling_ratio": {"k": 2, "m": 3, "distribution": "laplace"},
    "coupling_ratio_from_characteristic": {"characteristic": lambda q: 1 / (1 + q * q), "k": 2, "m": 3},
    "density_series": {"order": 3, "kernel": None, "exact": False},
    "effective_cluster_size": {"amplitude": 0.01, "initial_amplitude": 1.0, "bandwidth": 100.0},
    "effective_coupling": {"size": 10.0, "coupling": 0.3, "half_moment": 0.5},
    "effective_pair": {**PAIR, "coupling": 2.4},
    "excitation_energies": {"energies": [1.0, 2.0], "couplings": [[0.0, 0.5], [0.5, 0.0]]},
    "exponential_freezing": {"t": 2.0, "log_scale": 9.0, "chi": 1.0},
    "exponential_tunneling_distribution": {"log_amplitude": -20.0, "t": 2.0, "log_scale": 9.0, "chi": 1.0},
    "final_plateau": {"log_amplitude": -200.0, "log_scale": 9.0, "chi": 1.0},
    "freezing_plateau": {"log_amplitude": -20.0, "t": 2.0, "log_scale": 9.0, "chi": 1.0},
    "front_position": {"t": 1.0, "definition": "mass"},
    "front_profile": {"x": 0.02},
    "front_transform": {"p": 3.0},
    "frozen_distribution": {"log_amplitude": -6.0, **GAMMA, "rtol": 1e-3},
    "gelation_time": {"kernel": "sqrt"},
    "interaction_parameter": {"density": 0.01, "coupling": 1.0, "bandwidth": 2.0},
    "internal_friction": {"temperature": 0.1, "frequency": 1e3, "bandwidth": 100.0, "golden_rule_rate": 1e8},
    "is_stable": {"energies": [1.0, 2.0], "couplings": [[0.0, 0.5], [0.5, 0.0]], "largest_flip": 2},
    "kernel_growth": {"kernel": "sqrt"},
    "large_time_limit": {"n": 7},
    "large_time_offset": {},
    "largest_cluster": {"coupling": 0.3, "half_moment": 0.5},
    "log_front_moment": {"t": 20.0, "order": 1.5},
    "log_limiting_size": {"t": 3.0, "estimate": "self-similar"},
    "pair_amplitude_distribution": {
        "amplitude": 1e-3, "initial": AMPLITUDES, **BOUNDS, "energy": 1.0,
        "rtol": 1e-4,
    },
    "pair_amplitude_plateau": {"amplitude": 1e-3, "initial": AMPLITUDES, "energy": 0.1},
    "pair_density_of_states": {"energy": 0.6, "chi": 0.05, "xi": 4.0, "distribution": "laplace"},
    "pair_hamiltonian": {**PAIR, "coupling": 2.4},
    "pair_levels": {**PAIR, "coupling": 2.4},
    "pair_resonance": {**PAIR},
    "pair_rotation": {**PAIR},
    "pair_tunneling_amplitude": {**PAIR, "coupling": 2.4},
    "plateau_distribution": {"log_amplitude": -20.0, "t": 2.0, "log_scale": 9.0, "chi": 1.0},
    "plateau_lifetime": {"log_scale": 9.0, "chi": 1.0},
    "plateau_scale": {"t": 2.0, "log_scale": 9.0, "chi": 1.0},
    "quasi_stationary_density": {"n": 50, "t": 20.0, "form": "6.21"},
    "quasiuniform_density": {"amplitude": 1e-9, "t": 3.0, "initial_amplitude": 1.0, "bandwidth": 100.0},
    "relaxation_amplitude": {"temperature": 0.1, "frequency": 1e3, "golden_rule_rate": 1e8},
    "rotated_pair_hamiltonian": {**PAIR, "coupling": 2.4},
    "sample_pair_amplitudes": {
        "edges": [1e-6, 1e-4, 1e-2], "initial": AMPLITUDES, **BOUNDS, "samples": 1000,
        "seed": 1,
    },
    "shortest_distance": {"coupling": 1.0, "bandwidth": 2.0},
    "simulate_amplitudes": {
        "t": 0.5, "edges": [0.0, 1.0, 4.0], "mean_amplitude": 1.0, "initial": "sharp",
        "particles": 100, "realisations": 2, "seed": 0,
    },
    "simulate_coagulation": {
        "t": 0.5, "sizes": [1, 2], "orders": [0.0, 2.0], "charge": "sqrt", "particles": 100,
        "realisations": 2, "seed": 0,
    },
    "single_density_of_states": {"energy": 0.6, "chi": 0.05, "xi": 4.0, "distribution": "laplace"},
    "smallest_log_amplitude": {"t": 1.0, "initial_amplitude": 1.0, "bandwidth": 100.0},
    "solve_square_root": {"t_max": 0.5},
    "three_center_coefficients": {"xi": [5.0, 7.0], "distribution": "bimodal", "samples": 1000, "seed": 3},
    "transition_sizes": {"fields": [0.0, 0.1], "couplings": [[0.0, 1.0], [1.0, 0.0]]},
    "triangle_integrals": {"u12": 3.0, "u13": 1.0, "u23": 2.0},
    "tunneling_distribution": {"log_amplitude": -20.0, "t": 2.0, **GAMMA, "rtol": 1e-3},
}  # fmt: skip

# Functions whose own test files check their contract: arguments with a structure of their own.
STRUCTURED = {
    "coagulation_kernel",
    "coupling_distribution",
    "density_series",
    "excitation_energies",
    "fit_logarithms",
    "gelation_time",
    "is_stable",
    "kernel_growth",
    "sample_pair_amplitudes",
    "simulate_amplitudes",
    "simulate_coagulation",
    "solve_square_root",
    "three_center_coefficients",
    "transition_sizes",
}


class TestContract(ContractTests):
    package = package
    calls = CALLS
    structured = STRUCTURED
    arguments: ClassVar = {
        "cluster_densities": ["t", "sizes", "kernel"],
        "cluster_moment": ["t", "order", "kernel"],
        "asymptotic_coefficients": [],
        "large_time_limit": ["n"],
        "tunneling_distribution": ["log_amplitude", "t"],
        "internal_friction": ["temperature", "frequency", "bandwidth"],
    }
    positive: ClassVar = {
        "bandwidth",
        "chi",
        "coupling",
        "density",
        "frequency",
        "golden_rule_rate",
        "initial_amplitude",
        "interaction",
        "log_scale",
        "temperature",
    }
    any_sign: ClassVar = {
        ("effective_pair", "coupling"),
        ("pair_hamiltonian", "coupling"),
        ("pair_levels", "coupling"),
        ("rotated_pair_hamiltonian", "coupling"),
    }
    zero_is_fine: ClassVar = {
        ("cluster_friction", "density"),
        ("pair_density_of_states", "chi"),
        ("single_density_of_states", "chi"),
    }
    outer: ClassVar = {"cluster_densities"}
    signed: ClassVar = {"log_amplitude"}
