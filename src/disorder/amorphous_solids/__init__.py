"""Nature of the universal properties of amorphous solids (Burin, Kagan)."""

from .asymptotics import (
    AsymptoticCoefficients,
    asymptotic_coefficients,
    large_time_limit,
    large_time_offset,
    log_limiting_size,
    quasi_stationary_density,
)
from .centre_amplitudes import CentreAmplitudes
from .cluster_charges import charge_coupling, cluster_charge
from .cluster_states import (
    density_series,
    excitation_energies,
    interaction_parameter,
    is_stable,
    pair_density_of_states,
    shortest_distance,
    single_density_of_states,
    transition_sizes,
)
from .coagulation import cluster_densities, cluster_moment
from .coagulation_kernels import CoagulationKernel, KernelGrowth, coagulation_kernel, kernel_growth
from .coupling_distributions import (
    COUPLING_DISTRIBUTIONS,
    CouplingDistribution,
    coupling_distribution,
    coupling_ratio,
    coupling_ratio_from_characteristic,
)
from .direct_coagulation import gelation_time
from .frozen_clusters import ActiveClusters, active_clusters, frozen_distribution
from .initial_amplitudes import GammaAmplitudes, InitialAmplitudes, NormalAmplitudes, UniformAmplitudes
from .internal_friction import (
    amplitude_friction,
    cluster_friction,
    coherence_logarithm,
    coherence_radius,
    effective_cluster_size,
    effective_coupling,
    internal_friction,
    largest_cluster,
    quasiuniform_density,
    relaxation_amplitude,
    smallest_log_amplitude,
)
from .microscopic import (
    LogarithmicFit,
    ThreeCenterCoefficients,
    TriangleIntegrals,
    fit_logarithms,
    three_center_coefficients,
    triangle_integrals,
)
from .pair_distribution import pair_amplitude_distribution, pair_amplitude_plateau
from .pair_hamiltonian import (
    RotatedPair,
    pair_hamiltonian,
    pair_levels,
    pair_rotation,
    rotated_pair_hamiltonian,
)
from .pair_sampling import PairHistogram, sample_pair_amplitudes
from .pair_tunneling import (
    EffectivePair,
    PairResonance,
    effective_pair,
    pair_resonance,
    pair_tunneling_amplitude,
)
from .plateaus import (
    exponential_freezing,
    exponential_tunneling_distribution,
    final_plateau,
    freezing_plateau,
    plateau_distribution,
    plateau_lifetime,
    plateau_scale,
)
from .square_root_flow import SquareRootFlow, front_position, solve_square_root
from .stochastic_coagulation import (
    StochasticAmplitudes,
    StochasticDensities,
    simulate_amplitudes,
    simulate_coagulation,
)
from .travelling_front import front_profile, front_transform, log_front_moment
from .tunneling_distribution import AmplitudeTail, amplitude_tail, tunneling_distribution

__all__ = [
    "COUPLING_DISTRIBUTIONS",
    "ActiveClusters",
    "AmplitudeTail",
    "AsymptoticCoefficients",
    "CentreAmplitudes",
    "CoagulationKernel",
    "CouplingDistribution",
    "EffectivePair",
    "GammaAmplitudes",
    "InitialAmplitudes",
    "KernelGrowth",
    "LogarithmicFit",
    "NormalAmplitudes",
    "PairHistogram",
    "PairResonance",
    "RotatedPair",
    "SquareRootFlow",
    "StochasticAmplitudes",
    "StochasticDensities",
    "ThreeCenterCoefficients",
    "TriangleIntegrals",
    "UniformAmplitudes",
    "active_clusters",
    "amplitude_friction",
    "amplitude_tail",
    "asymptotic_coefficients",
    "charge_coupling",
    "cluster_charge",
    "cluster_densities",
    "cluster_friction",
    "cluster_moment",
    "coagulation_kernel",
    "coherence_logarithm",
    "coherence_radius",
    "coupling_distribution",
    "coupling_ratio",
    "coupling_ratio_from_characteristic",
    "density_series",
    "effective_cluster_size",
    "effective_coupling",
    "effective_pair",
    "excitation_energies",
    "exponential_freezing",
    "exponential_tunneling_distribution",
    "final_plateau",
    "fit_logarithms",
    "freezing_plateau",
    "front_position",
    "front_profile",
    "front_transform",
    "frozen_distribution",
    "gelation_time",
    "interaction_parameter",
    "internal_friction",
    "is_stable",
    "kernel_growth",
    "large_time_limit",
    "large_time_offset",
    "largest_cluster",
    "log_front_moment",
    "log_limiting_size",
    "pair_amplitude_distribution",
    "pair_amplitude_plateau",
    "pair_density_of_states",
    "pair_hamiltonian",
    "pair_levels",
    "pair_resonance",
    "pair_rotation",
    "pair_tunneling_amplitude",
    "plateau_distribution",
    "plateau_lifetime",
    "plateau_scale",
    "quasi_stationary_density",
    "quasiuniform_density",
    "relaxation_amplitude",
    "rotated_pair_hamiltonian",
    "sample_pair_amplitudes",
    "shortest_distance",
    "simulate_amplitudes",
    "simulate_coagulation",
    "single_density_of_states",
    "smallest_log_amplitude",
    "solve_square_root",
    "three_center_coefficients",
    "transition_sizes",
    "triangle_integrals",
    "tunneling_distribution",
]
